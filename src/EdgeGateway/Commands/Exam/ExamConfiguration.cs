using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Commands.Exam;

/// <summary>The texts of an ordinary configuration that does what a SPEC asks for: every sample is published, as plain lists.</summary>
internal static class ExamConfiguration
{
    public const string ProfileId = "exam-seq-value";

    /// <summary>Where the profile stands, beside the configuration.</summary>
    public const string ProfilePath = $"device-profiles/remote-io/{ProfileId}.yaml";

    /// <summary>The device profile: two values in four registers, read by one request.</summary>
    public static string Profile(ExamSpec spec) => $$"""
        # Made by: edgegateway config from-exam
        schema: edgegateway/device-profile/1
        id: {{ProfileId}}
        kind: remote-io
        vendor: EdgeGateway
        models: [exam]
        revision: 1
        title: { en: Exam device with a sequence number and a value }
        sources:
          exam: { type: document, ref: "docs/exam.md, config from-exam" }
        transport:
          modbus: { maxRegistersPerRead: 4 }
        defaults: { table: {{spec.Table}}, wordOrder: {{spec.WordOrder}}, poll: fast }
        poll: { fast: 1s }
        identify:
          - { point: seq, min: 0, max: 4294967295 }
        points:
          - { id: seq, at: 0, type: uint32, role: signal.analog, source: [exam] }
          - { id: value, at: 2, type: float32, role: signal.analog, source: [exam] }
        selfTest:
          - { point: seq, words: {{(spec.WordOrder == "high-first" ? "[1, 2]" : "[2, 1]")}}, value: 65538 }

        """;

    /// <summary>The configuration.</summary>
    /// <param name="spec">What is asked for.</param>
    /// <param name="passwordFile">Path of the file with the password; null without one.</param>
    /// <param name="notes">Receives what was not taken over as it was asked.</param>
    public static string Gateway(ExamSpec spec, string? passwordFile, List<string> notes)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $$"""
            # Made by: edgegateway config from-exam
            schema: edgegateway/gateway/1
            site: { id: {{spec.Site}}, timezone: UTC, region: CN }
            gateway: { id: {{spec.Gateway}}, statusEvery: {{Time(spec.StatusEvery)}} }
            storage: { {{Storage(spec, notes)}} }
            windows: [15m]
            health: off
            buses:

            """);
        var buses = spec.Devices.GroupBy(d => (d.Host, d.Port)).Select((group, i) => (Id: $"bus{i + 1}", group.Key, Devices: group.ToArray())).ToArray();
        foreach (var (id, (host, port), _) in buses)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - {{ id: {id}, type: modbus-tcp, host: {Quoted(host)}, port: {port}, timeout: 1s, pipelining: false }}\n");
        }

        text.Append("devices:\n");
        foreach (var (bus, device) in buses.SelectMany(b => b.Devices, (b, d) => (b.Id, d)))
        {
            var period = Time(device.Period);
            var timeout = device.Timeout is { } limit ? $", timeout: {Time(limit)}" : "";
            text.Append(
                CultureInfo.InvariantCulture,
                $"  - {{ id: {device.Id}, profile: {ProfileId}, bus: {bus}, unit: {device.Unit}{timeout}, samples: all, points: {{ seq: {{ poll: {period} }}, value: {{ poll: {period} }} }} }}\n");
        }

        text.Append("uplinks:\n  - id: centre\n    type: mqtt\n    format: samples\n");
        Line("servers", $"[{Quoted(spec.Server)}]");
        Line("version", Quoted(spec.Version));
        Line("clientId", spec.ClientId is { } client ? Quoted(client) : null);
        Line("username", spec.Username is { } user ? Quoted(user) : null);
        Line("passwordFile", passwordFile is { } password ? Quoted(password) : null);
        Line("caFile", spec.CaFile is { } ca ? Quoted(ca) : null);
        Line("certificateFile", spec.CertificateFile is { } certificate ? Quoted(certificate) : null);
        Line("keyFile", spec.KeyFile is { } key ? Quoted(key) : null);
        Line("keepAlive", spec.KeepAlive is { } keepAlive ? Time(keepAlive) : null);
        Line("topicRoot", spec.Topic is { } topic ? Quoted(topic) : null);
        Line("allowPlaintext", spec.Server.StartsWith("mqtt:", StringComparison.Ordinal) ? "true" : null);
        Line("inOrder", spec.InOrder ? "true" : "false");
        Line("backfillPerSecond", spec.BackfillPerSecond is { } rate ? $"{rate}B" : null);
        return text.ToString();

        void Line(string key, string? value)
        {
            if (value is not null)
            {
                text.Append(CultureInfo.InvariantCulture, $"    {key}: {value}\n");
            }
        }
    }

    private static string Storage(ExamSpec spec, List<string> notes)
    {
        var parts = new List<string> { $"directory: {Quoted(spec.DataFolder)}" };
        if (spec.MaxBytes is { } bytes)
        {
            if (bytes < SiteLoader.MinBudgetBytes)
            {
                notes.Add($"a limit of {bytes} bytes is below what the store can work with: {SiteLoader.MinBudgetBytes} bytes are used");
                bytes = SiteLoader.MinBudgetBytes;
            }

            parts.Add($"budget: {bytes}B");
        }

        if (spec.CommitWindow is { } window)
        {
            parts.Add($"commitWindow: {Time(window)}");
        }

        return string.Join(", ", parts);
    }

    private static string Time(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{(decimal)time.TotalMilliseconds:0.####}ms");

    /// <summary>JSON texts are YAML texts.</summary>
    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
