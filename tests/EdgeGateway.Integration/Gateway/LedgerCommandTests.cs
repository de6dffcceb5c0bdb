using System.Security.Cryptography;
using System.Text.Json;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Gateway;

/// <summary>The ledger of a real gateway: killed, given another factor set, exported, verified, computed again, and one byte of it flipped.</summary>
public sealed class LedgerCommandTests : IDisposable
{
    private const string Template = """
        schema: edgegateway/gateway/1
        site: { id: test, timezone: Asia/Shanghai, region: CN-SX }
        gateway: { id: gw-1 }
        storage: { budget: 64MiB, commitWindow: 100ms, checkpoint: 1s }
        health: off
        buses: [{ id: meters, type: modbus-tcp, host: 127.0.0.1, port: {meters}, timeout: 1s }]
        devices:
          - { id: sdm, profile: eastron-sdm630, bus: meters, unit: 1, ratedPower: 400kW, metering: { role: incomer }, points: { active_energy_import_total: { poll: 1s } } }
          - { id: abb, profile: abb-b23-b24, bus: meters, unit: 2, ratedPower: 40kW, metering: { role: submeter, parent: sdm }, points: { active_energy_import_total: { poll: 1s } } }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-ledger-").FullName;

    private string At(string name) => Path.Combine(_folder, name);

    [Fact]
    public async Task A_killed_gateway_with_another_factor_set_has_a_ledger_that_agrees_in_every_bit()
    {
        await using var site = await GatewaySite.ServeAsync(Template, broker: 1);
        for (var run = 0; run < 2; run++)
        {
            await using var gateway = await GatewayProcess.RunAsync(site);
            await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the meters answer");
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
            await gateway.KillAsync();
        }

        // The open entries are closed by a change of the configuration, and by it they are the history that the next set states again.
        site.Configure(Template.Replace("id: test,", "id: test, name: Renamed,", StringComparison.Ordinal));
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await ShowsAsync(site, "emission", "sdm device", gateway);
            await gateway.KillAsync();
        }

        var keyFile = await WriteSetAsync(site);
        site.Configure($"{Template}\nfactors: {{ file: site-factors.yaml, key: {keyFile} }}\n");
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await ShowsAsync(site, "restatement", "edgegateway version 900", gateway);
            Assert.Equal(0, await gateway.StopAsync());
            Assert.Contains("The history was stated again", gateway.Log, StringComparison.Ordinal);
        }

        var export = At("export.ledger");
        var (code, output, errors) = await GatewayProcess.CommandAsync("ledger", "export", export, "--store", site.Store);
        Assert.True(code == 0, output + errors);
        var publicKey = Path.Combine(site.Store, "gateway.ledger-key.pub");
        (code, output, errors) = await GatewayProcess.CommandAsync("ledger", "verify", export, "--key", publicKey);
        Assert.True(code == 0, output + errors);
        Assert.Contains("signed to its end", output, StringComparison.Ordinal);

        // From the sample log, which holds everything here, and from the ledger alone.
        (code, output, errors) = await GatewayProcess.CommandAsync("ledger", "recompute", site.Store, "--json");
        Assert.True(code == 0, output + errors);
        using (var document = JsonDocument.Parse(output))
        {
            Assert.True(document.RootElement.GetProperty("fromSampleLog").GetInt64() >= 4, output);
            Assert.True(document.RootElement.GetProperty("fromLedger").GetInt64() >= 4, output);
            Assert.Equal(0, document.RootElement.GetProperty("notRecomputed").GetInt64());
            Assert.False(document.RootElement.TryGetProperty("sampleLogStopped", out _), output);
        }

        (code, output, errors) = await GatewayProcess.CommandAsync("ledger", "recompute", export);
        Assert.True(code == 0, output + errors);

        // Both sets are in the ledger, and the difference names both.
        await using (var file = File.OpenRead(export))
        {
            var records = LedgerExport.Read(file).Select(r => r.Content).ToArray();
            Assert.Equal(2, records.OfType<FactorsContent>().Count());
            var restated = records.OfType<RestatementContent>().Where(r => r.Device == "sdm").ToArray();
            Assert.All(restated, r => Assert.NotEqual((r.From.Version, r.From.Hash), (r.To.Version, r.To.Hash)));
            Assert.Equal(records.OfType<EmissionContent>().Where(e => e is { Device: "sdm", Entry.Account: Core.Feed.EmissionAccount.Device } && e.FactorSet == restated[0].From.Hash).Sum(e => e.Mass), restated.Sum(r => r.Before));
            Assert.True(restated.Sum(r => r.Delta) > 0, "the new factor is larger");
        }

        var bytes = await File.ReadAllBytesAsync(export);
        var middle = bytes.Length / 2;
        bytes[middle] ^= 4;
        await File.WriteAllBytesAsync(export, bytes);
        (code, output, _) = await GatewayProcess.CommandAsync("ledger", "verify", export, "--key", publicKey);
        var line = bytes.AsSpan(0, middle).Count((byte)'\n') + 1;
        Assert.Equal(1, code);
        Assert.Contains($"line {line}, record {line - 1}:", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_is_proven_from_an_export_and_the_proof_is_checked_alone()
    {
        var key = DeviceKey.Create();
        var chain = new LedgerChain("gw", key, LedgerHead.Start, []);
        chain.Append(new(0), new OpeningContent("gw", key.PublicKey));
        for (var hour = 0; hour < 30; hour++)
        {
            chain.Append(new(hour * 3_600_000L), new GapContent($"hour {hour}", 0, 0, 0));
        }

        await using (var file = File.Create(At("two-days.ledger")))
        {
            LedgerExport.Write(new("gw", key.PublicKey, 0, new string('0', 64)), chain.TakeRows().SelectMany(r => LedgerLine.Split(r.Lines)), key, file);
        }

        await File.WriteAllTextAsync(At("key.pub"), key.PublicPem);
        var (code, output, errors) = await GatewayProcess.CommandAsync("ledger", "prove", "7", At("two-days.ledger"), "--output", At("proof.json"));
        Assert.True(code == 0, output + errors);
        (code, output, errors) = await GatewayProcess.CommandAsync("ledger", "verify", At("proof.json"), "--key", At("key.pub"));
        Assert.True(code == 0, output + errors);
        Assert.Contains("hour 5", output, StringComparison.Ordinal);
        var text = await File.ReadAllTextAsync(At("proof.json"));
        await File.WriteAllTextAsync(At("proof.json"), text.Replace("hour 5", "hour 6", StringComparison.Ordinal));
        (code, output, _) = await GatewayProcess.CommandAsync("ledger", "verify", At("proof.json"), "--key", At("key.pub"));
        Assert.Equal(1, code);
        Assert.Contains("NOT PROVEN", output, StringComparison.Ordinal);
        (code, _, errors) = await GatewayProcess.CommandAsync("ledger", "prove", "30", At("two-days.ledger"));
        Assert.Equal(1, code);
        Assert.Contains("not sealed yet", errors, StringComparison.Ordinal);
        Assert.Equal(2, (await GatewayProcess.CommandAsync("ledger", "verify", At("nowhere"))).ExitCode);

        // 1 would say that the ledger is not as it was written.
        Assert.Equal(2, (await GatewayProcess.CommandAsync("ledger", "prove", "7", At("two-days.ledger"), "--nonsense", "x")).ExitCode);
        Assert.Equal(2, (await GatewayProcess.CommandAsync("ledger")).ExitCode);
    }

    [Fact]
    public async Task A_factor_set_that_the_trusted_key_has_not_signed_is_refused()
    {
        await using var site = GatewaySite.Write(Template, ("meters", 1));
        var keyFile = await WriteSetAsync(site);
        var set = Path.Combine(Path.GetDirectoryName(site.Configuration)!, "site-factors.yaml");
        site.Configure($"{Template}\nfactors: {{ file: site-factors.yaml, key: {keyFile} }}\n");
        var model = site.Load().Model;
        Assert.Equal(900, model.FactorsInForce.Version);

        await File.WriteAllTextAsync(set, (await File.ReadAllTextAsync(set)).Replace("0.9999", "0.9998", StringComparison.Ordinal));
        var (code, _, errors) = await GatewayProcess.CommandAsync("check", site.Configuration);
        Assert.Equal(2, code);
        Assert.Contains("not signed by the key", errors, StringComparison.Ordinal);

        // Without a key nobody is asked, and the change of the set is another configuration.
        site.Configure($"{Template}\nfactors: {{ file: site-factors.yaml }}\n");
        var unsigned = site.Load().Model;
        Assert.NotEqual(model.FactorsInForce.ContentHash, unsigned.FactorsInForce.ContentHash);
        Assert.NotEqual(model.ConfigurationHash, unsigned.ConfigurationHash);
        File.Delete(set);
        (code, _, errors) = await GatewayProcess.CommandAsync("check", site.Configuration);
        Assert.Equal(2, code);
        Assert.Contains("there is no factor set 'site-factors.yaml'", errors, StringComparison.Ordinal);
    }

    /// <summary>A signed set beside the configuration, with another factor for Shanxi; returns the name of the key.</summary>
    private static async Task<string> WriteSetAsync(GatewaySite site)
    {
        var folder = Path.GetDirectoryName(site.Configuration)!;
        var lines = (await File.ReadAllLinesAsync(RepositoryFiles.At("factors/edgegateway.yaml"))).Where(l => !l.StartsWith("hash:", StringComparison.Ordinal))
            .Select(l => l.StartsWith("version:", StringComparison.Ordinal) ? "version: 900" : l.Replace("0.7096", "0.9999", StringComparison.Ordinal));
        var path = Path.Combine(folder, "site-factors.yaml");
        await File.WriteAllTextAsync(path, string.Join('\n', lines));
        var (set, problems) = Core.Accounting.FactorSetLoader.Load(new(path, await File.ReadAllTextAsync(path)));
        Assert.True(set is not null, string.Join('\n', problems));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(Path.Combine(folder, "factors.pub"), key.ExportSubjectPublicKeyInfoPem());
        await File.WriteAllBytesAsync(path + ".sig", key.SignData(set.Canonical.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        return "factors.pub";
    }

    private static Task ShowsAsync(GatewaySite site, string kind, string text, GatewayProcess gateway) => Until.HoldsAsync(
        async () => (await GatewayProcess.CommandAsync("ledger", "show", site.Store, "--kind", kind)).Out.Contains(text, StringComparison.Ordinal),
        $"a record of kind {kind} with '{text}' is in the ledger",
        () => gateway.Log);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
