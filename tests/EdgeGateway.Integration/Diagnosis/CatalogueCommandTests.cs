using EdgeGateway.Core.Profiles;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Diagnosis;

/// <summary><c>edgegateway profile catalogue</c> as a person runs it.</summary>
public sealed class CatalogueCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edgegateway-catalogue-");

    [Fact]
    public async Task The_pages_of_the_repository_are_written_byte_for_byte_and_what_is_not_its_own_stays()
    {
        var pages = Path.Combine(_folder.FullName, "pages");
        Directory.CreateDirectory(pages);
        await File.WriteAllTextAsync(Path.Combine(pages, "gone.md"), $"{ProfileCatalogue.Mark}\n# A meter that is gone\n");
        await File.WriteAllTextAsync(Path.Combine(pages, "notes.md"), "# Notes of a person\n");

        var (exit, output, errors) = await GatewayProcess.CommandAsync("profile", "catalogue", pages, "--profiles", RepositoryFiles.At("device-profiles"));

        Assert.True(exit == 0, $"{output}\n{errors}");
        Assert.Contains($"{RepositoryFiles.Profiles.Count} pages and README.md, 1 of profiles that are gone removed", output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(pages, "gone.md")));
        Assert.Equal("# Notes of a person\n", await File.ReadAllTextAsync(Path.Combine(pages, "notes.md")));
        foreach (var published in Directory.EnumerateFiles(RepositoryFiles.At("docs/catalogue")))
        {
            Assert.Equal(await File.ReadAllTextAsync(published), await File.ReadAllTextAsync(Path.Combine(pages, Path.GetFileName(published))));
        }
    }

    [Fact]
    public async Task A_profile_that_is_not_usable_is_named_and_nothing_is_written()
    {
        var profiles = _folder.CreateSubdirectory("profiles");
        await File.WriteAllTextAsync(Path.Combine(profiles.FullName, "broken.yaml"), "schema: edgegateway/device-profile/1\nid: broken\n");
        var pages = Path.Combine(_folder.FullName, "pages");

        var (exit, _, errors) = await GatewayProcess.CommandAsync("profile", "catalogue", pages, "--profiles", profiles.FullName);

        Assert.Equal(2, exit);
        Assert.Contains("broken", errors, StringComparison.Ordinal);
        Assert.Contains("Nothing was written. Mend these profiles first.", errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(pages));
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
