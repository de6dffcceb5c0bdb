using System.Text.Json;

namespace EdgeGateway.Commands.Exam;

/// <summary>A device of a SPEC.</summary>
internal sealed record ExamDevice(string Id, string Host, int Port, int Unit, TimeSpan Period, TimeSpan? Timeout);

/// <summary>A SPEC for <c>edgegateway config from-exam</c>, read and checked; docs/exam.md holds the grammar.</summary>
internal sealed record ExamSpec
{
    public required string Site { get; init; }

    public required string Gateway { get; init; }

    public required IReadOnlyList<ExamDevice> Devices { get; init; }

    /// <summary>Register table: <c>holding</c> or <c>input</c>.</summary>
    public required string Table { get; init; }

    public required string WordOrder { get; init; }

    public required string Server { get; init; }

    public required string Version { get; init; }

    public string? ClientId { get; init; }

    public string? Username { get; init; }

    public string? Password { get; init; }

    public string? CaFile { get; init; }

    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }

    public TimeSpan? KeepAlive { get; init; }

    public string? Topic { get; init; }

    public required bool InOrder { get; init; }

    public required string DataFolder { get; init; }

    public long? MaxBytes { get; init; }

    public long? BackfillPerSecond { get; init; }

    public TimeSpan? CommitWindow { get; init; }

    public required TimeSpan StatusEvery { get; init; }

    /// <summary>Reads a SPEC.</summary>
    /// <param name="json">Its text.</param>
    /// <param name="folder">Folder that relative paths in it begin at.</param>
    /// <param name="problems">Everything that is wrong, at once.</param>
    /// <returns>The SPEC, or null when there are problems.</returns>
    public static ExamSpec? Read(string json, string folder, List<string> problems)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
        }
        catch (JsonException e)
        {
            problems.Add($"line {e.LineNumber + 1}: not JSON: {e.Message}");
            return null;
        }

        using (document)
        {
            var root = new SpecObject(document.RootElement, "SPEC", problems);
            string? Path(string? path) => path is null ? null : System.IO.Path.GetFullPath(path, folder);

            var order = root.Text("order", "mode") ?? "in-order";
            if (order is not ("in-order" or "live-first" or "interleaved"))
            {
                root.Problem($"'order' is '{order}': write \"in-order\" or \"live-first\"");
            }

            var mqtt = root.Part("mqtt", "broker", "uplink");
            var tls = mqtt.Part("tls", "ssl");
            var registers = root.Part("registers");
            var buffer = root.Part("buffer", "limits", "outbox", "store_and_forward");
            var period = root.Duration("poll_interval", "poll", "interval", "period", "poll_period");
            var spec = new ExamSpec
            {
                Site = root.Text("site", "site_id") ?? "exam",
                Gateway = root.Text("gateway", "gateway_id", "edge_id") ?? "exam-gateway",
                Devices = DevicesOf(root, period, problems),
                Table = registers.Text("table", "kind") ?? root.Text("table", "register_table") ?? "holding",
                WordOrder = registers.Text("word_order", "words") ?? root.Text("word_order") ?? "high-first",
                Server = ServerOf(mqtt, tls),
                Version = mqtt.Text("version", "protocol", "protocol_version") ?? "5",
                ClientId = mqtt.Text("client_id", "clientid", "client"),
                Username = mqtt.Text("username", "user"),
                Password = mqtt.Text("password", "pass"),
                CaFile = Path(tls.Text("ca", "ca_file", "cafile")),
                CertificateFile = Path(tls.Text("cert", "certificate", "cert_file")),
                KeyFile = Path(tls.Text("key", "key_file")),
                KeepAlive = mqtt.Duration("keepalive", "keep_alive"),
                Topic = mqtt.Text("topic", "topic_root", "topic_prefix"),
                InOrder = order == "in-order",
                DataFolder = Path(root.Text("data_folder", "data_dir", "data", "state", "state_dir", "storage", "folder", "directory") ?? "data")!,
                MaxBytes = buffer.Size("max_bytes", "bytes", "budget", "size", "max_size"),
                BackfillPerSecond = root.Size("backfill_per_second", "backfill_rate"),
                CommitWindow = root.Duration("commit_window", "commit"),
                StatusEvery = root.Duration("status_every", "status_interval") ?? TimeSpan.FromSeconds(1),
            };
            CheckWords(spec, mqtt, root, registers);
            foreach (var part in new[] { tls, mqtt, registers, buffer, root })
            {
                part.End();
            }

            return problems.Count == 0 ? spec with { Version = spec.Version is "5.0" ? "5" : spec.Version } : null;
        }
    }

    private static void CheckWords(ExamSpec spec, SpecObject mqtt, SpecObject root, SpecObject registers)
    {
        if (spec.Version is not ("3.1.1" or "5" or "5.0"))
        {
            mqtt.Problem($"'version' is '{spec.Version}': write \"3.1.1\" or \"5\"");
        }

        if (mqtt.Integer(0, 2, "qos") == 2)
        {
            mqtt.Problem("'qos' is 2: the gateway publishes at QoS 1 and numbers every sample, so that a receiver drops what comes twice. Write 1");
        }

        if (spec.Table is not ("holding" or "input"))
        {
            registers.Problem($"'table' is '{spec.Table}': write \"holding\" or \"input\"");
        }

        if (spec.WordOrder is not ("high-first" or "low-first"))
        {
            registers.Problem($"'word_order' is '{spec.WordOrder}': write \"high-first\" or \"low-first\"");
        }

        // seq and value stand where the reference says; who writes the addresses down must mean the same.
        foreach (var (name, at) in new[] { ("seq", 0), ("value", 2) })
        {
            if (registers.Integer(0, 65_535, name) is { } written && written != at)
            {
                registers.Problem($"'{name}' is {written}: the register stands at {at}");
            }
        }

        foreach (var (id, what) in spec.Devices.Select(d => (d.Id, "the device id")).Append((spec.Site, "'site'")).Append((spec.Gateway, "'gateway'")))
        {
            if (id.Length is 0 or > 64 || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            {
                root.Problem($"{what} '{id}' is not an identifier: use letters, digits, '-' and '_', at most 64");
            }
        }

        foreach (var twice in spec.Devices.GroupBy(d => d.Id).Where(g => g.Count() > 1))
        {
            root.Problem($"the device id '{twice.Key}' is used twice: give each device its own");
        }
    }

    private static List<ExamDevice> DevicesOf(SpecObject root, TimeSpan? period, List<string> problems)
    {
        var devices = new List<ExamDevice>();
        var list = root.List("devices", "device", "slaves", "units");
        if (list.Count == 0)
        {
            root.Problem("there are no devices: write \"devices\": [{\"id\": \"d1\", \"host\": \"127.0.0.1\", \"port\": 1502, \"unit\": 1}]");
        }

        foreach (var (i, element) in list.Index())
        {
            var device = new SpecObject(element, $"devices[{i}]", problems);
            if (device.Text("host", "address", "ip") is not { } host)
            {
                device.Problem("there is no 'host': write the name or address of the device");
                host = "";
            }

            devices.Add(new ExamDevice(
                device.Text("id", "name", "device") ?? $"device{i + 1}",
                host,
                (int)(device.Integer(1, 65_535, "port") ?? 502),
                (int)(device.Integer(0, 255, "unit", "unit_id", "slave", "slave_id") ?? 1),
                device.Duration("poll_interval", "poll", "interval", "period") ?? period ?? TimeSpan.FromSeconds(1),
                device.Duration("timeout")));
            device.End();
        }

        return devices;
    }

    /// <summary>The endpoint: a URL, host:port, or host and port by themselves; TLS when certificates are named.</summary>
    private static string ServerOf(SpecObject mqtt, SpecObject tls)
    {
        // "tls": true has no certificates and means the system's authorities.
        var scheme = tls.IsEmpty || tls.Flag("enabled", "url") == false ? "mqtt" : "mqtts";
        var host = mqtt.Text("url", "endpoint", "server", "address", "uri");
        var port = mqtt.Integer(1, 65_535, "port");
        var name = mqtt.Text("host", "hostname");
        if (host is not null && host.Contains("://", StringComparison.Ordinal))
        {
            return host;
        }

        host ??= name;
        if (host is null)
        {
            mqtt.Problem("there is no 'host': write \"mqtt\": {\"host\": \"127.0.0.1\", \"port\": 1883}");
            return "";
        }

        return port is { } number ? $"{scheme}://{host}:{number}" : $"{scheme}://{host}";
    }
}
