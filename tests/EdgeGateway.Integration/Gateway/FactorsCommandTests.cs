using System.Security.Cryptography;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Gateway;

/// <summary><c>edgegateway factors</c>: what holds where and when, and whether a set is what its signer signed.</summary>
public sealed class FactorsCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-factors-").FullName;

    [Fact]
    public async Task A_set_is_listed_shown_and_verified_and_a_changed_one_is_refused()
    {
        var (code, output, _) = await GatewayProcess.CommandAsync("factors", "list", "--region", "CN-XZ", "--of", "electricity", "--at", "2026-03-01T00:00:00Z");
        Assert.Equal(0, code);
        Assert.Contains("CN-GRID-SOUTHWEST for CN-XZ; year 2022 for 2026", output, StringComparison.Ordinal);
        (code, output, _) = await GatewayProcess.CommandAsync("factors", "show", "cn-mee-2022/CN-SX", "--json");
        Assert.Equal(0, code);
        Assert.Contains("\"value\": 0.7096", output, StringComparison.Ordinal);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (set, keyFile) = (Path.Combine(_folder, "set.yaml"), Path.Combine(_folder, "key.pem"));
        var text = await File.ReadAllTextAsync(RepositoryFiles.At("factors/edgegateway.yaml"));
        await File.WriteAllTextAsync(set, text);
        await File.WriteAllTextAsync(keyFile, key.ExportSubjectPublicKeyInfoPem());
        (_, var canonical, _) = await GatewayProcess.CommandAsync("factors", "show", "--canonical", "--file", set);
        await File.WriteAllBytesAsync(set + ".sig", key.SignData(System.Text.Encoding.UTF8.GetBytes(canonical), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        (code, output, var errors) = await GatewayProcess.CommandAsync("factors", "verify", set, "--key", keyFile);
        Assert.True(code == 0, errors);
        Assert.Contains("signature valid", output, StringComparison.Ordinal);

        var changed = text.Replace("value: 0.7096", "value: 0.7069", StringComparison.Ordinal);
        await File.WriteAllTextAsync(set, changed);
        (code, _, errors) = await GatewayProcess.CommandAsync("factors", "verify", set);
        Assert.Equal(2, code);
        Assert.Contains("error: the content has the hash", errors, StringComparison.Ordinal);
        await File.WriteAllTextAsync(set, string.Join('\n', changed.Split('\n').Where(l => !l.StartsWith("hash:", StringComparison.Ordinal))));
        (code, _, errors) = await GatewayProcess.CommandAsync("factors", "verify", set, "--key", keyFile);
        Assert.Equal(2, code);
        Assert.Contains("not the signature of the set", errors, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
