using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using EdgeGateway.Doctoring;

namespace EdgeGateway.Tests.Doctoring;

/// <summary>Requirement S-6: secrets of every kind are planted wherever a bundle looks, and looked for in it.</summary>
public sealed class SupportBundleTests : IDisposable
{
    private readonly Machine _machine = new();

    [Fact]
    public async Task A_bundle_holds_what_helps_and_no_secret_of_any_kind()
    {
        var key = File.ReadAllText(_machine.At("gateway.key"));
        _machine.Configure("uplinks:", """
            # the old password was planted-1-comment
            password: planted-2-value, with a comma
            token: "planted-3-quoted
              planted-3-next-line"
            apiKey: |
              planted-4-block
              planted-4-more
            nested: { username: bob, secret: planted-5-flow }
            - "mqtt-password": 'planted-6-list'
            server: mqtt://user:planted-7-url@host
            密码：planted-8-chinese
            connection: HostName=x;SharedAccessKey=planted-9-sas=;y
            hash: $6$planted10$abcdefghijk
            uplinks:
            """);
        Directory.CreateDirectory(Path.Combine(_machine.Store, "last-good"));
        File.WriteAllText(Path.Combine(_machine.Store, "last-good", "gateway.yaml"), "password: planted-11-good\nsite: kept\n");
        _machine.Running = s => s with { Problems = [$"refused with {Machine.Password}", "see mqtt://u:planted-12-status@host"] };
        var log = $"""
            2026-01-01T00:00:00 edgegateway[4242]: connecting with {Machine.Password}
            2026-01-01T00:00:01 edgegateway[4242]: Authorization: Bearer planted-13-bearer-token
            2026-01-01T00:00:02 edgegateway[4242]: basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(Machine.Password))}
            2026-01-01T00:00:03 edgegateway[4242]: url {Uri.EscapeDataString(Machine.Password)}
            2026-01-01T00:00:04 edgegateway[4242]: json {JsonEncodedText.Encode(Machine.Password)}
            2026-01-01T00:00:05 edgegateway[4242]: jwt eyJplanted14.eyJabc.sig
            {key}
            -----BEGIN RSA PRIVATE KEY-----
            planted15key
            -----END RSA PRIVATE KEY-----
            2026-01-01T00:00:06 edgegateway[4242]: PASSWD=planted-16-env
            2026-01-01T00:00:07 edgegateway[4242]: harmless line stays
            """;

        var entries = await BundleAsync(log);

        var all = string.Join('\n', entries.Select(e => $"{e.Key}\n{e.Value}"));
        Assert.DoesNotContain("planted", all, StringComparison.OrdinalIgnoreCase);
        string[] forms = [Machine.Password, JsonEncodedText.Encode(Machine.Password).ToString(), Uri.EscapeDataString(Machine.Password), Convert.ToBase64String(Encoding.UTF8.GetBytes(Machine.Password)), "Hunter2"];
        Assert.All(forms, form => Assert.DoesNotContain(form, all, StringComparison.Ordinal));
        Assert.All(key.Split('\n').Where(l => l.Length > 0 && !l.StartsWith('-')), line => Assert.DoesNotContain(line, all, StringComparison.Ordinal));
        Assert.DoesNotContain("PRIVATE KEY", all, StringComparison.Ordinal);

        // What helps is there.
        Assert.Contains("username: bob", entries["configuration/gateway.yaml"], StringComparison.Ordinal);
        Assert.Contains("passwordFile: mqtt.password", entries["configuration/gateway.yaml"], StringComparison.Ordinal);
        Assert.Contains("id: conveyor", entries["configuration/gateway.yaml"], StringComparison.Ordinal);
        Assert.Contains("site: kept", entries["last-good/gateway.yaml"], StringComparison.Ordinal);
        Assert.Contains("harmless line stays", entries["log.txt"], StringComparison.Ordinal);
        Assert.Equal("gw-01", JsonDocument.Parse(entries["status.json"]).RootElement.GetProperty("gateway").GetString());
        Assert.NotEmpty(JsonDocument.Parse(entries["doctor.json"]).RootElement.GetProperty("findings").EnumerateArray());
        Assert.Contains("log.txt", entries["README.txt"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_good_configuration_is_in_it_with_its_profiles_and_what_is_missing_is_said()
    {
        _machine.Running = null;
        var entries = await BundleAsync(null);
        Assert.Equal(File.ReadAllText(_machine.At("gateway.yaml")), entries["configuration/gateway.yaml"]);
        Assert.True(entries.ContainsKey("configuration/device-profiles/eastron-sdm630.yaml"), string.Join(", ", entries.Keys));
        Assert.Contains("status.json: no gateway runs", entries["README.txt"], StringComparison.Ordinal);
        Assert.Contains("log.txt: `journalctl -u edgegateway` gave nothing", entries["README.txt"], StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_machine.At("bundle.tar.gz")));
        }
    }

    [Fact]
    public async Task A_password_written_where_its_file_should_stand_is_a_secret_too()
    {
        _machine.Configure("passwordFile: mqtt.password", "passwordFile: 'planted-misplaced'");
        var entries = await BundleAsync("asked for planted-misplaced");
        Assert.DoesNotContain("planted", string.Join('\n', entries.Values), StringComparison.Ordinal);
        Assert.Contains($"the passwordFile of uplink 'centre' does not exist: {_machine.At(Redaction.Struck)}", JsonDocument.Parse(entries["doctor.json"]).RootElement.GetProperty("findings").EnumerateArray().Select(f => f.GetProperty("what").GetString()).First(w => w!.Contains("passwordFile", StringComparison.Ordinal))!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_that_systemd_hands_over_is_known_while_the_service_does_not_run_and_so_is_one_that_was_set_aside()
    {
        _machine.Running = null;
        _machine.Configure("passwordFile: mqtt.password", "passwordFile: /run/credentials/edgegateway.service/secret_broker");
        Directory.CreateDirectory(_machine.At("secrets"));
        _machine.Write("secrets/broker", "Zaunkoenig77\n");
        _machine.Write("secrets/broker.replaced-20260101T000000Z", "Rotkehlchen88\n");
        var entries = await BundleAsync("refused Zaunkoenig77, before that Rotkehlchen88; QN=1;PW=abc123;MN=9");

        var all = string.Join('\n', entries.Values);
        Assert.DoesNotContain("Zaunkoenig77", all, StringComparison.Ordinal);
        Assert.DoesNotContain("Rotkehlchen88", all, StringComparison.Ordinal);
        Assert.DoesNotContain("abc123", all, StringComparison.Ordinal);
        Assert.Contains("PW=" + Redaction.Struck + ";MN=9", entries["log.txt"], StringComparison.Ordinal);

        // The name of the credential is no secret, and helps.
        Assert.Contains("passwordFile: /run/credentials/edgegateway.service/secret_broker", entries["configuration/gateway.yaml"], StringComparison.Ordinal);
    }

    [Fact]
    public void A_short_password_goes_where_it_stands_alone()
    {
        var redaction = new Redaction(["abc\n"]);
        Assert.Equal($"{Redaction.Struck} abcd x\n", redaction.Strike("abc abcd x\n"));
        Assert.True(redaction.HoldsKnown("x abc y"));
        Assert.False(redaction.HoldsKnown("x abcd y"));
    }

    [Fact]
    public void A_text_without_secrets_stays_as_it_is()
    {
        const string Text = "site: { id: shaft-3 }\n\n# a comment: all is well\n  keepAlive: 30s\n  passwordFile: /etc/edgegateway/mqtt.password\nregisters: [1, 2]\n";
        Assert.Equal(Text, new Redaction().Strike(Text));
    }

    public void Dispose() => _machine.Dispose();

    private async Task<Dictionary<string, string>> BundleAsync(string? log)
    {
        var patient = _machine.Patient();
        var path = _machine.At("bundle.tar.gz");
        await SupportBundle.WriteAsync(patient, await Doctor.LookAsync(patient, CancellationToken.None), path, _ => Task.FromResult(log), CancellationToken.None);
        Dictionary<string, string> entries = [];
        await using var file = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        await using var archive = new TarReader(file);
        while (await archive.GetNextEntryAsync(copyData: true) is { } entry)
        {
            Assert.StartsWith("edgegateway-support/", entry.Name, StringComparison.Ordinal);
            using var reader = new StreamReader(entry.DataStream!);
            entries.Add(entry.Name["edgegateway-support/".Length..], await reader.ReadToEndAsync());
        }

        return entries;
    }
}
