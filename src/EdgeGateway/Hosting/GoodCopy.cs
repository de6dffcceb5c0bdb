using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>
/// The last configuration that was good, beside the store: <c>last-good/gateway.yaml</c> and the profiles it uses (requirement P-3). For a person who has
/// to mend a broken file; the gateway itself never starts from it, because what runs must be what the file says.
/// </summary>
internal static class GoodCopy
{
    /// <summary>Name of the directory in the store's.</summary>
    public const string DirectoryName = "last-good";

    /// <summary>Writes what differs: each file as a temporary one, flushed, renamed, and its directory flushed; <c>gateway.yaml</c> last.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    /// <exception cref="StoreException">The directory could not be flushed.</exception>
    public static void Save(LoadedSite site)
    {
        var directory = Path.Combine(site.Model.Storage.Directory, DirectoryName);
        var profiles = Path.Combine(directory, "device-profiles");
        Directory.CreateDirectory(profiles);
        foreach (var (id, text) in site.Profiles)
        {
            Write(Path.Combine(profiles, $"{id}.yaml"), text.Text);
        }

        foreach (var file in Directory.EnumerateFiles(profiles, "*.yaml").Where(f => !site.Profiles.ContainsKey(Path.GetFileNameWithoutExtension(f))).ToArray())
        {
            File.Delete(file);
        }

        if (site.Factors is { } factors)
        {
            Write(Path.Combine(directory, LoadedSite.FactorsText), factors.Text);
        }

        Write(Path.Combine(directory, "gateway.yaml"), site.Gateway.Text);
    }

    // Nothing is written when nothing changed: a card wears out.
    private static void Write(string path, string text)
    {
        if (!File.Exists(path) || File.ReadAllText(path) != text)
        {
            Durable.WriteText(path, text);
        }
    }
}
