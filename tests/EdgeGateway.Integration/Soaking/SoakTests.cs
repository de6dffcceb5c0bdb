using System.Text.Json;
using EdgeGateway.Integration.Gateway;

namespace EdgeGateway.Integration.Soaking;

/// <summary><c>edgegateway soak</c> with a simulated site, for seconds: what it says, and that nothing stays behind.</summary>
public sealed class SoakTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-soak-tests-").FullName;

    [Fact]
    public async Task A_soak_measures_a_gateway_of_its_own_and_leaves_nothing_behind()
    {
        var (code, output, errors) = await GatewayProcess.CommandAsync("soak", "--points", "100", "--for", "8s", "--folder", _folder, "--json");
        Assert.True(code == 0, $"{output}\n{errors}");
        using var document = JsonDocument.Parse(output);
        var root = document.RootElement;
        Assert.Equal("too-short", root.GetProperty("verdict").GetString());
        Assert.True(root.GetProperty("firstSampleSeconds").GetDouble() > 0);
        Assert.True(root.GetProperty("residentBytes").GetDouble() > 1e6);
        Assert.True(root.GetProperty("samplesPerSecond").GetDouble() > 0);
        Assert.True(root.GetProperty("looks").GetInt32() > 2);
        Assert.Equal(7, root.GetProperty("trends").GetArrayLength());
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public async Task A_gateway_that_does_not_run_is_a_finding()
    {
        await using var site = GatewaySite.Write($$"""
            schema: edgegateway/gateway/1
            site: { id: s, name: S, timezone: UTC, region: CN }
            gateway: { id: gw-7 }
            health: off
            buses:
              - { id: meters, type: modbus-tcp, host: 127.0.0.1, port: 502 }
            devices:
              - { id: meter, profile: eastron-sdm630, bus: meters, unit: 1 }
            """);
        var (code, output, _) = await GatewayProcess.CommandAsync("soak", "--config", site.Configuration, "--for", "2s");
        Assert.Equal(1, code);
        Assert.Contains("The gateway never answered.", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--for", "soon")]
    [InlineData("--every", "10ms")]
    [InlineData("--warm-up", "2h")]
    public async Task What_is_no_time_is_refused_before_anything_is_started(string option, string text)
    {
        var (code, output, errors) = await GatewayProcess.CommandAsync("soak", option, text);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains($"'{text}' is no time for {option}", errors, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
