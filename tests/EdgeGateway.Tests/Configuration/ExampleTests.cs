using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Configuration;

public class ExampleTests
{
    [Fact]
    public void The_example_of_the_documentation_loads_without_a_problem()
    {
        var profiles = RepositoryFiles.Profiles.ToDictionary(f => Path.GetFileNameWithoutExtension(f), f => f);
        var (model, problems) = SiteLoader.Load(
            new SourceText("docs/examples/gateway.yaml", File.ReadAllText(RepositoryFiles.At("docs/examples/gateway.yaml"))),
            id => profiles.TryGetValue(id, out var file) ? new SourceText(Path.GetFileName(file), File.ReadAllText(file)) : null,
            knownProfiles: profiles.Keys);

        Assert.Equal("", string.Join("\n", problems));
        Assert.NotNull(model);
        Assert.Equal(8, model.Devices.Count);
        var nox = Assert.Single(model.Points, p => p.Id == "concentration_nox");
        Assert.True(nox.PublishSamples);
        Assert.Equal(200, nox.Detectors.Single(d => d.Name == "limit").Settings["high"]);
        Assert.Equal(["cems-frozen", "gap", "limit", "novelty", "range", "stuck"], nox.Detectors.Select(d => d.Name).Order());
    }

    [Fact]
    public void The_example_of_HJ_212_loads_without_a_problem()
    {
        var profiles = RepositoryFiles.Profiles.ToDictionary(f => Path.GetFileNameWithoutExtension(f), f => f);
        var (model, problems) = SiteLoader.Load(
            new SourceText("gateway.yaml", File.ReadAllText(RepositoryFiles.At("docs/examples/hj212/gateway.yaml"))),
            id => profiles.TryGetValue(id, out var file) ? new SourceText(Path.GetFileName(file), File.ReadAllText(file)) : null,
            knownProfiles: profiles.Keys);

        Assert.Equal("", string.Join("\n", problems));
        var bus = Assert.IsType<Hj212OverTcpBus>(Assert.Single(model!.Buses));
        Assert.Equal((true, "Asia/Shanghai", TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(61)), (bus.IsListening, bus.TimeZone.Id, bus.MaxLag, bus.IdleLimit));
        var uplink = Assert.IsType<Hj212UplinkModel>(Assert.Single(model.Uplinks));
        Assert.Equal((TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(10), 4), (uplink.Minute, uplink.ReconnectMin, uplink.Factors.Count));
    }
}
