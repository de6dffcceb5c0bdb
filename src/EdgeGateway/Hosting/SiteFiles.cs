using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Hosting;

/// <summary>A site as read from disk: the checked model and the texts it was made from.</summary>
/// <param name="Model">The resolved model; its storage directory is absolute.</param>
/// <param name="Gateway">Text of <c>gateway.yaml</c>.</param>
/// <param name="Profiles">Texts of the profiles in use, by profile id.</param>
public sealed record LoadedSite(SiteModel Model, SourceText Gateway, IReadOnlyDictionary<string, SourceText> Profiles);

/// <summary>Reads <c>gateway.yaml</c> and the device profiles it names.</summary>
public sealed class SiteFiles
{
    private readonly Dictionary<string, string> _paths = new(StringComparer.Ordinal);

    /// <summary>Looks for profiles in <paramref name="profileDirectories"/> and all below, the first that has one wins.</summary>
    /// <param name="profileDirectories">Directories of profiles.</param>
    /// <param name="before">A directory that is looked at first, and nothing below it: it may be anybody's.</param>
    public SiteFiles(IEnumerable<string> profileDirectories, string? before = null)
    {
        if (before is not null)
        {
            Add(before, SearchOption.TopDirectoryOnly);
        }

        foreach (var directory in profileDirectories.Where(Directory.Exists))
        {
            Add(directory, SearchOption.AllDirectories);
        }
    }

    /// <summary>Paths of all profiles found, by id.</summary>
    public IReadOnlyDictionary<string, string> ProfilePaths => _paths;

    /// <summary>The places where profiles are looked for: the one given, or <c>device-profiles</c> beside the configuration and beside the program.</summary>
    public static SiteFiles Find(string configuration, string? profiles) => new(profiles is not null
        ? [profiles]
        : [
            Path.Combine(Path.GetDirectoryName(Path.GetFullPath(configuration))!, "device-profiles"),
            Path.Combine(AppContext.BaseDirectory, "device-profiles"),
        ]);

    /// <summary>Reads and checks a site. Nothing is opened but files.</summary>
    /// <param name="configuration">Path of <c>gateway.yaml</c>.</param>
    /// <param name="problems">Everything that is wrong, at once; may hold warnings when a site is returned.</param>
    /// <returns>The site, or null when there is an error.</returns>
    public LoadedSite? Load(string configuration, out IReadOnlyList<Problem> problems)
    {
        if (!File.Exists(configuration))
        {
            problems = [new Problem(configuration, 0, 0, "There is no such file", "Name the configuration with --config FILE, or start from docs/examples/gateway.yaml")];
            return null;
        }

        var text = new SourceText(configuration, File.ReadAllText(configuration));
        var site = Load(text, Text, _paths.Keys, out var profiles, out problems);
        if (site is null)
        {
            return null;
        }

        // Paths in the file are relative to the file, wherever the program was started.
        var here = Path.GetDirectoryName(Path.GetFullPath(configuration))!;
        List<Problem> all = [.. problems];
        site = site with
        {
            Storage = site.Storage with { Directory = Path.GetFullPath(site.Storage.Directory, here) },
            Buses = [.. site.Buses.Select(bus => bus is BoxBus box ? box with { Disk = Path.GetFullPath(box.Disk ?? site.Storage.Directory, here), Root = Path.GetFullPath(box.Root, here) } : bus)],
            Uplinks = [.. site.Uplinks.Select(uplink => uplink is MqttUplinkModel mqtt ? WithFiles(mqtt, here, configuration, all) : uplink)],
        };
        problems = all;
        return all.Exists(p => p.Severity == ProblemSeverity.Error) ? null : new LoadedSite(site, text, profiles);
    }

    /// <summary>Resolves a text that stands in no file, with the profiles found; the files it names are not looked at.</summary>
    public SiteModel? Load(SourceText gateway, out IReadOnlyList<Problem> problems) => Load(gateway, Text, _paths.Keys, out _, out problems);

    private void Add(string directory, SearchOption depth)
    {
        foreach (var path in Directory.EnumerateFiles(directory, "*.yaml", depth).Order(StringComparer.Ordinal))
        {
            // Templates are completed by a technician first; they are not profiles.
            if (!path.Contains($"{Path.DirectorySeparatorChar}templates{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            {
                _paths.TryAdd(Path.GetFileNameWithoutExtension(path), path);
            }
        }
    }

    // Where systemd puts the credentials of services (systemd.exec(5), LoadCredential=).
    private const string Credentials = "/run/credentials/";

    private static MqttUplinkModel WithFiles(MqttUplinkModel uplink, string here, string configuration, List<Problem> problems)
    {
        string? Resolve(string key, string? file)
        {
            if (file is null)
            {
                return null;
            }

            var path = Path.GetFullPath(file, here);
            if (path.StartsWith(Credentials, StringComparison.Ordinal) && Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is null)
            {
                // systemd.exec(5): credentials are there only while the service runs, and for it alone; who checks outside of it can say nothing of them.
                return path;
            }

            if (!File.Exists(path))
            {
                problems.Add(new Problem(configuration, 0, 0, $"the {key} of uplink '{uplink.Id}' does not exist: {path}", "Put the file there, or correct the path (it is relative to this file)"));
            }
            else if (key is "passwordFile" or "keyFile" && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & UnixFileMode.OtherRead) != 0)
            {
                problems.Add(new Problem(configuration, 0, 0, $"everybody on this machine can read the {key} of uplink '{uplink.Id}': {path}", $"chmod 600 {path}", ProblemSeverity.Warning));
            }

            return path;
        }

        return uplink with
        {
            PasswordFile = Resolve("passwordFile", uplink.PasswordFile),
            CaFile = Resolve("caFile", uplink.CaFile),
            CertificateFile = Resolve("certificateFile", uplink.CertificateFile),
            KeyFile = Resolve("keyFile", uplink.KeyFile),
        };
    }

    /// <summary>Resolves a site from texts: from files, or from those a store kept.</summary>
    public static SiteModel? Load(
        SourceText gateway,
        Func<string, SourceText?> profile,
        IReadOnlyCollection<string> knownProfiles,
        out IReadOnlyDictionary<string, SourceText> profiles,
        out IReadOnlyList<Problem> problems)
    {
        var used = new Dictionary<string, SourceText>(StringComparer.Ordinal);
        var (site, found) = SiteLoader.Load(
            gateway,
            id =>
            {
                if (!used.TryGetValue(id, out var text) && profile(id) is { } read)
                {
                    used[id] = text = read;
                }

                return text;
            },
            FactorSet.BuiltIn().KnownRegions.ToHashSet(StringComparer.Ordinal),
            knownProfiles,
            Lines.LineRules.Check);
        profiles = used;
        problems = found;
        return site;
    }

    /// <summary>The text of a profile, or null when there is none of that id.</summary>
    public SourceText? Text(string id) => _paths.TryGetValue(id, out var path) ? new SourceText(path, File.ReadAllText(path)) : null;
}
