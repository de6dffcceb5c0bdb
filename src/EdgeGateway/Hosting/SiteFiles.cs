using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Hosting;

/// <summary>A site as read from disk: the checked model and the texts it was made from.</summary>
/// <param name="Model">The resolved model; its storage directory is absolute.</param>
/// <param name="Gateway">Text of <c>gateway.yaml</c>.</param>
/// <param name="Profiles">Texts of the profiles in use, by profile id.</param>
public sealed record LoadedSite(SiteModel Model, SourceText Gateway, IReadOnlyDictionary<string, SourceText> Profiles)
{
    /// <summary>Name under which the store keeps <c>gateway.yaml</c>.</summary>
    public const string GatewayText = "gateway.yaml";

    /// <summary>Name under which the store keeps the text of the site's own factor set; no profile has it.</summary>
    public const string FactorsText = "factors.yaml";

    /// <summary>Text of the site's own factor set; null when it has none.</summary>
    public SourceText? Factors { get; init; }
}

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
        return Load(configuration, text, FactorText, out problems);
    }

    /// <summary>Reads and checks a site whose text stands elsewhere than in its file: the last good one.</summary>
    /// <param name="configuration">The file; paths in the text are relative to it.</param>
    /// <param name="text">The text.</param>
    /// <param name="factorText">Reads the site's own factor set from its path.</param>
    /// <param name="problems">Everything that is wrong.</param>
    internal LoadedSite? Load(string configuration, SourceText text, Func<string, SourceText?> factorText, out IReadOnlyList<Problem> problems)
    {
        // Paths in the file are relative to the file, wherever the program was started.
        var here = Path.GetDirectoryName(Path.GetFullPath(configuration))!;
        SourceText? factors = null;
        var site = Load(text, Text, _paths.Keys, out var profiles, out problems, file => factors = factorText(Path.GetFullPath(file, here)));
        if (site is null)
        {
            return null;
        }

        List<Problem> all = [.. problems];
        site = site with
        {
            Storage = site.Storage with { Directory = Path.GetFullPath(site.Storage.Directory, here) },
            Buses = [.. site.Buses.Select(bus => bus is BoxBus box ? box with { Disk = Path.GetFullPath(box.Disk ?? site.Storage.Directory, here), Root = Path.GetFullPath(box.Root, here) } : bus)],
            Uplinks = [.. site.Uplinks.Select(uplink => uplink switch
            {
                MqttUplinkModel mqtt => WithFiles(mqtt, here, configuration, all),
                Hj212UplinkModel hj212 => hj212 with { PasswordFile = Resolve($"uplink '{hj212.Id}'", "passwordFile", hj212.PasswordFile, here, configuration, all)! },
                _ => uplink,
            })],
            Otlp = site.Otlp is { CaFile: not null } otlp ? otlp with { CaFile = Authorities(otlp.CaFile, here, configuration, all) } : site.Otlp,
        };
        if (site.FactorFiles is { Key: { } key } files)
        {
            RequireSignature(site.FactorsInForce, Path.GetFullPath(files.File, here), Path.GetFullPath(key, here), Path.GetFullPath(files.Signature ?? files.File + ".sig", here), all);
        }

        problems = all;
        return all.Exists(p => p.Severity == ProblemSeverity.Error) ? null : new LoadedSite(site, text, profiles) { Factors = factors };
    }

    internal static SourceText? FactorText(string path) => File.Exists(path) ? new SourceText(path, File.ReadAllText(path)) : null;

    /// <summary>Refuses a factor set that the trusted key has not signed.</summary>
    private static void RequireSignature(FactorSet set, string file, string key, string signature, List<Problem> problems)
    {
        foreach (var (missing, what) in new[] { (key, "public key"), (signature, "signature") }.Where(f => !File.Exists(f.Item1)))
        {
            problems.Add(new Problem(file, 0, 0, $"the {what} of the factor set does not exist: {missing}", "Put the file there, or correct 'factors' in gateway.yaml; docs/factors.md says how a set is signed"));
            return;
        }

        try
        {
            if (!set.IsSignedBy(File.ReadAllText(key), File.ReadAllBytes(signature)))
            {
                problems.Add(new Problem(file, 0, 0, $"the factor set is not signed by the key {key}", "Have its owner sign what 'edgegateway factors show --canonical --file FILE' writes; the set was changed after it was signed, or somebody else signed it"));
            }
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            problems.Add(new Problem(key, 0, 0, $"the file holds no public key of an elliptic curve in PEM ({e.Message})", "Name the public key of who signs the factor set with 'factors: key'"));
        }
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

    /// <summary>Where systemd puts the credentials of services: systemd.exec(5), LoadCredential=.</summary>
    internal const string Credentials = "/run/credentials/";

    /// <summary>The unit's <c>LoadCredential=secret:/etc/edgegateway/secrets</c>: a file NAME of that directory is handed over as <c>secret_NAME</c>.</summary>
    internal const string SecretId = "secret_";

    private static string Cure(string key, string secret) => key is "passwordFile"
        ? $"sudo install -m 600 /dev/stdin {secret} (type the password, Enter, Ctrl-D), then: sudo systemctl restart edgegateway"
        : $"sudo install -m 600 FILE.pem {secret}, then: sudo systemctl restart edgegateway";

    // The directory is root's alone: whoever may not look into it says nothing, and without one nothing is known of a service.
    private static bool IsMissing(string secret)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(secret)!).All(entry => Path.GetFileName(entry) != Path.GetFileName(secret));
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static MqttUplinkModel WithFiles(MqttUplinkModel uplink, string here, string configuration, List<Problem> problems)
    {
        string? Of(string key, string? file) => Resolve($"uplink '{uplink.Id}'", key, file, here, configuration, problems);
        return uplink with
        {
            PasswordFile = Of("passwordFile", uplink.PasswordFile),
            CaFile = Of("caFile", uplink.CaFile),
            CertificateFile = Of("certificateFile", uplink.CertificateFile),
            KeyFile = Of("keyFile", uplink.KeyFile),
        };
    }

    /// <summary>The authorities of a collector are read once, at the start: a file that holds none must not get that far.</summary>
    private static string? Authorities(string file, string here, string configuration, List<Problem> problems)
    {
        var path = Resolve("telemetry.otlp", "caFile", file, here, configuration, problems);
        if (File.Exists(path))
        {
            try
            {
                var certificates = new X509Certificate2Collection();
                certificates.ImportFromPemFile(path);
                if (certificates.Count == 0)
                {
                    problems.Add(new Problem(configuration, 0, 0, $"the caFile of telemetry.otlp holds no certificate: {path}", "Put the certificate of the authority there in PEM form (it begins with -----BEGIN CERTIFICATE-----)"));
                }
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
            {
                problems.Add(new Problem(configuration, 0, 0, $"the caFile of telemetry.otlp cannot be used: {path}: {e.Message}", "Put the certificate of the authority there in PEM form, readable by the service: it is no secret"));
            }
        }

        return path;
    }

    private static string? Resolve(string owner, string key, string? file, string here, string configuration, List<Problem> problems)
    {
        if (file is null)
        {
            return null;
        }

        var path = Path.GetFullPath(file, here);
        string? secret = null;
        if (path.StartsWith(Credentials, StringComparison.Ordinal))
        {
            var name = Path.GetFileName(path);
            secret = name.StartsWith(SecretId, StringComparison.Ordinal) ? Path.Combine(here, "secrets", name[SecretId.Length..]) : null;
            if (Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is not { Length: > 0 } directory)
            {
                // systemd.exec(5): credentials are there only while the service runs, and for it alone. Root sees what will be handed over; anybody else can say nothing of it.
                if (secret is null || !File.Exists(secret))
                {
                    if (secret is not null && IsMissing(secret))
                    {
                        problems.Add(new Problem(configuration, 0, 0, $"the {key} of {owner} will not be handed to the service: {secret} does not exist", Cure(key, secret)));
                    }

                    return path;
                }

                path = secret;
            }
            else
            {
                // A unit of another name has another directory.
                path = Path.Combine(directory, name);
            }
        }

        if (!File.Exists(path))
        {
            problems.Add(new Problem(
                configuration,
                0,
                0,
                $"the {key} of {owner} does not exist: {path}",
                secret is null ? "Put the file there, or correct the path (it is relative to this file)" : Cure(key, secret)));
        }
        else if (key is "passwordFile" or "keyFile" && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & UnixFileMode.OtherRead) != 0)
        {
            problems.Add(new Problem(configuration, 0, 0, $"everybody on this machine can read the {key} of {owner}: {path}", $"chmod 600 {path}", ProblemSeverity.Warning));
        }

        return path;
    }

    /// <summary>Resolves a site from texts: from files, or from those a store kept.</summary>
    public static SiteModel? Load(
        SourceText gateway,
        Func<string, SourceText?> profile,
        IReadOnlyCollection<string> knownProfiles,
        out IReadOnlyDictionary<string, SourceText> profiles,
        out IReadOnlyList<Problem> problems,
        Func<string, SourceText?>? factorText = null)
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
            Lines.LineRules.Check,
            factorText: factorText);
        profiles = used;
        problems = found;
        return site;
    }

    /// <summary>Resolves a site from the texts that a store keeps beside the sample log.</summary>
    /// <param name="texts">The texts, by the names in <see cref="LoadedSite"/> and by profile id.</param>
    /// <param name="problems">Everything that is wrong.</param>
    /// <returns>The site, or null when this version does not understand it.</returns>
    public static SiteModel? LoadStored(IReadOnlyDictionary<string, string> texts, out IReadOnlyList<Problem> problems)
    {
        SourceText? Stored(string name) => texts.TryGetValue(name, out var text) ? new SourceText(name, text) : null;
        return Load(new SourceText(LoadedSite.GatewayText, texts[LoadedSite.GatewayText]), Stored, [], out _, out problems, _ => Stored(LoadedSite.FactorsText));
    }

    /// <summary>The text of a profile, or null when there is none of that id.</summary>
    public SourceText? Text(string id) => _paths.TryGetValue(id, out var path) ? new SourceText(path, File.ReadAllText(path)) : null;
}
