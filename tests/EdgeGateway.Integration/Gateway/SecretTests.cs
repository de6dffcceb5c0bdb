using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.Versioning;
using System.Text;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Integration.Package;

namespace EdgeGateway.Integration.Gateway;

/// <summary>Requirement S-6: a secret of each kind that a configuration can have is planted, and all that a running gateway gives away is searched for it.</summary>
[SupportedOSPlatform("linux")]
public sealed class SecretTests
{
    private const string Password = "planted-broker-77", Platform = "pl4ntd", Token = "planted-token-88";

    [Fact]
    public async Task S_6_nothing_that_a_gateway_gives_away_holds_a_secret_of_its_configuration()
    {
        using var broker = await Mosquitto.RunAsync(new MosquittoSettings { TlsNames = ["127.0.0.1"], RequireClientCertificate = true, Users = new Dictionary<string, string> { ["gw"] = Password } });
        var certificates = broker.Certificates!;
        var health = Mosquitto.FreePort();
        await using var site = await GatewaySite.ServeAsync(LoadSite.Configuration(1), broker.Port, profiles: LoadSite.Profile);
        var folder = Path.GetDirectoryName(site.Configuration)!;
        var secrets = Directory.CreateDirectory(Path.Combine(folder, "secrets")).FullName;
        foreach (var (name, text) in new[] { ("broker", Password), ("authority", Platform), ("gateway.key", await File.ReadAllTextAsync(certificates.ClientKey)) })
        {
            await File.WriteAllTextAsync(Path.Combine(secrets, name), text + "\n");
            File.SetUnixFileMode(Path.Combine(secrets, name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        site.Configure(LoadSite.Configuration(1, "  - { id: computer, type: box }\n", "  - { id: computer, profile: generic-linux-computer, bus: computer, unit: 1 }\n")
            .Replace("health: off", $"health: {{ listen: \"127.0.0.1:{health}\" }}\ntelemetry: {{ otlp: {{ endpoint: \"http://127.0.0.1:{Mosquitto.FreePort()}\", interval: 1s }} }}", StringComparison.Ordinal)
            .Replace("mqtt://", "mqtts://", StringComparison.Ordinal)
            .Replace("servers: [", $"username: gw, passwordFile: secrets/broker, caFile: {certificates.CaFile}, certificateFile: {certificates.ClientCertificate}, keyFile: secrets/gateway.key, servers: [", StringComparison.Ordinal)
            + $"  - {{ id: authority, type: hj212, host: 127.0.0.1, port: {Mosquitto.FreePort()}, mn: 010000A8900016F000169DC1, passwordFile: secrets/authority, minute: off, factors: [{{ code: a01001, point: computer.cpu_temperature }}] }}\n");
        await using var gateway = await GatewayProcess.RunAsync(site, new Dictionary<string, string> { ["OTEL_EXPORTER_OTLP_HEADERS"] = $"authorization=Bearer%20{Token}" });
        await gateway.StatusHoldsAsync(s => s.Uplinks.Any(u => u is { Id: "centre", Connected: true, Delivered: > 2 }), "records leave");
        await Until.HoldsAsync(() => gateway.Log.Contains("does not take metrics or traces", StringComparison.Ordinal) && gateway.Log.Contains("authority", StringComparison.Ordinal), "the others are missed", () => gateway.Log);

        // A journal that says more than the gateway ever does.
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(Password));
        var journal = Path.Combine(folder, "journalctl");
        await File.WriteAllTextAsync(Path.Combine(folder, "journal"), $"{gateway.Log}\nrefused {Password} ({encoded}), QN=1;ST=31;PW={Platform};MN=1, {Platform}\n{await File.ReadAllTextAsync(certificates.ClientKey)}\nauthorization: Bearer {Token}\n");
        await File.WriteAllTextAsync(journal, $"#!/bin/sh\ncat {folder}/journal\n");
        File.SetUnixFileMode(journal, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var bundle = Path.Combine(folder, "support.tar.gz");
        var backup = Path.Combine(folder, "bare.tar.gz");
        Dictionary<string, string> said = new() { ["log"] = gateway.Log, ["command line"] = await File.ReadAllTextAsync($"/proc/{gateway.Id}/cmdline") };
        foreach (var command in (string[][])[["status"], ["status", "--json"], ["doctor"], ["doctor", "--json", "--bundle", bundle], ["outbox", "--json"], ["check"], ["backup", backup, "--without-keys"]])
        {
            // 'check' has the configuration for its argument.
            string[] last = command[0] == "check" ? [site.Configuration] : ["--config", site.Configuration];
            said[string.Join(' ', command)] = (await PackageTests.RunAsync("env", [$"PATH={folder}:{Environment.GetEnvironmentVariable("PATH")}", "dotnet", GatewayProcess.Program, .. command, .. last])).Said;
        }

        using var http = new HttpClient();
        said["metrics"] = await http.GetStringAsync($"http://127.0.0.1:{health}/metrics");
        foreach (var (archive, must) in new[] { (bundle, "edgegateway-support/log.txt"), (backup, "store/gateway.db") })
        {
            var entries = Entries(archive);
            Assert.True(entries.ContainsKey(must), string.Join(", ", entries.Keys.Concat(said.Values)));
            foreach (var (name, text) in entries)
            {
                said[$"{archive}: {name}"] = text;
            }
        }

        Assert.Contains("refused [", said[$"{bundle}: edgegateway-support/log.txt"], StringComparison.Ordinal);
        string[] forms = [Password, encoded, Platform, Token, .. (await File.ReadAllLinesAsync(certificates.ClientKey)).Where(l => l.Length > 0 && l[0] != '-')];
        Assert.Empty(said.SelectMany(s => forms.Where(f => s.Value.Contains(f, StringComparison.Ordinal)).Select(f => $"{f} in {s.Key}")));
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        Assert.DoesNotContain(forms, f => gateway.Log.Contains(f, StringComparison.Ordinal));
    }

    /// <summary>The entries of an archive, byte for byte.</summary>
    private static Dictionary<string, string> Entries(string path)
    {
        using var archive = new TarReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        Dictionary<string, string> entries = [];
        while (archive.GetNextEntry(copyData: true) is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            entries[entry.Name] = Encoding.Latin1.GetString(content.ToArray());
        }

        return entries;
    }
}
