using EdgeGateway.Commands;

namespace EdgeGateway.Tests.Profiles;

/// <summary>All profiles there are, as a scan takes them.</summary>
public sealed class LibraryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-library-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_profile_that_cannot_be_read_is_left_out_and_the_others_are_there()
    {
        File.Copy(Shared.RepositoryFiles.At("device-profiles/energy-meter/eastron-sdm120.yaml"), Path.Combine(_folder, "eastron-sdm120.yaml"));

        // Whoever runs the tests may read everything: a link to a file that is gone cannot be read by anybody.
        File.CreateSymbolicLink(Path.Combine(_folder, "gone.yaml"), Path.Combine(_folder, "elsewhere"));
        Assert.Equal("eastron-sdm120", Assert.Single(CommonOptions.Library(Path.Combine(_folder, "gateway.yaml"), _folder)).Id);
    }
}
