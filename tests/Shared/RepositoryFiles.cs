namespace EdgeGateway.Tests.Shared;

/// <summary>Finds files of the repository from wherever the tests run.</summary>
internal static class RepositoryFiles
{
    private static readonly string Root = FindRoot();

    /// <summary>The full path of a file, given from the root of the repository.</summary>
    public static string At(string path) => Path.Combine(Root, path);

    /// <summary>The device profiles, as full paths in a fixed order; templates, which a technician completes first, are none.</summary>
    public static IReadOnlyList<string> Profiles { get; } = ProfilesThat(areTemplates: false);

    /// <summary>The templates of device profiles, as full paths in a fixed order.</summary>
    public static IReadOnlyList<string> Templates { get; } = ProfilesThat(areTemplates: true);

    private static IReadOnlyList<string> ProfilesThat(bool areTemplates) =>
    [
        .. Directory.EnumerateFiles(At("device-profiles"), "*.yaml", SearchOption.AllDirectories)
            .Where(f => f.Contains($"{Path.DirectorySeparatorChar}templates{Path.DirectorySeparatorChar}", StringComparison.Ordinal) == areTemplates)
            .Order(StringComparer.Ordinal),
    ];

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "EdgeGateway.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no EdgeGateway.sln above {AppContext.BaseDirectory}: run the tests inside the repository");
    }
}
