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
}
