using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;

namespace EdgeGateway.Backup;

/// <summary>A file that a configuration needs beside itself.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="IsSecret">Whether it is a password or a private key.</param>
internal readonly record struct SiteFile(string Path, bool IsSecret);

/// <summary>The files of a site beside <c>gateway.yaml</c> and its profiles.</summary>
internal static class SiteFileList
{
    /// <summary>Directory of passwords beside the configuration, from which systemd hands them to the service (docs/install.md).</summary>
    public const string SecretsDirectory = "secrets";

    /// <summary>All of them, each once; some may not be there.</summary>
    /// <param name="site">The site.</param>
    /// <param name="directory">Directory of the configuration.</param>
    public static IReadOnlyList<SiteFile> Of(SiteModel site, string directory)
    {
        List<SiteFile> files = [];
        foreach (var uplink in site.Uplinks)
        {
            switch (uplink)
            {
                case MqttUplinkModel mqtt:
                    Add(mqtt.PasswordFile, true);
                    Add(mqtt.KeyFile, true);
                    Add(mqtt.CertificateFile, false);
                    Add(mqtt.CaFile, false);
                    break;
                case Hj212UplinkModel hj212:
                    Add(hj212.PasswordFile, true);
                    break;
            }
        }

        Add(site.Otlp?.CaFile, false);
        if (site.FactorFiles is { } factors)
        {
            Add(factors.File, false);
            if (factors.Key is { } key)
            {
                Add(key, false);
                Add(factors.Signature ?? factors.File + ".sig", false);
            }
        }

        return files;

        void Add(string? path, bool isSecret)
        {
            if (path is not null && new SiteFile(SourceOf(Path.GetFullPath(path, directory), directory), isSecret) is var file && !files.Exists(f => f.Path == file.Path))
            {
                files.Add(file);
            }
        }
    }

    /// <summary>The file that a credential of the service is made from; any other path as it is.</summary>
    private static string SourceOf(string path, string directory) =>
        path.StartsWith(SiteFiles.Credentials, StringComparison.Ordinal) && Path.GetFileName(path) is var name && name.StartsWith(SiteFiles.SecretId, StringComparison.Ordinal)
            ? Path.GetFullPath(Path.Combine(SecretsDirectory, name[SiteFiles.SecretId.Length..]), directory)
            : path;

    /// <summary>Files in <see cref="SecretsDirectory"/> that the configuration does not name: they may be somebody else's, and the gateway itself writes none there.</summary>
    /// <param name="site">The site.</param>
    /// <param name="directory">Directory of the configuration.</param>
    public static IReadOnlyList<string> Unnamed(SiteModel site, string directory)
    {
        var secrets = Path.GetFullPath(SecretsDirectory, directory);
        if (!Directory.Exists(secrets) || Protocols.FileRights.MayRead(secrets) is false)
        {
            return [];
        }

        var named = Of(site, directory).Select(f => f.Path).Concat(SetAside(site, directory)).ToHashSet(StringComparer.Ordinal);
        return [.. Directory.EnumerateFiles(secrets).Where(f => !named.Contains(f)).Order(StringComparer.Ordinal)];
    }

    /// <summary>Passwords and keys that a restore has set aside, or was writing when it was cut off: beside the files that the configuration names.</summary>
    /// <param name="site">The site.</param>
    /// <param name="directory">Directory of the configuration.</param>
    public static IReadOnlyList<string> SetAside(SiteModel site, string directory) =>
    [
        .. Of(site, directory)
            .Where(f => f.IsSecret && Within(directory, f.Path) is not null && Directory.Exists(Path.GetDirectoryName(f.Path)) && Protocols.FileRights.MayRead(Path.GetDirectoryName(f.Path)!) is not false)
            .SelectMany(f => Directory.EnumerateFiles(Path.GetDirectoryName(f.Path)!, $"{Path.GetFileName(f.Path)}.*"))
            .Where(f => f.EndsWith(Restorer.Staged, StringComparison.Ordinal) || f.Contains(Restorer.Replaced, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The name of a file relative to a directory that holds it, with slashes; null when it lies elsewhere.</summary>
    public static string? Within(string directory, string path)
    {
        var relative = Path.GetRelativePath(directory, path).Replace(Path.DirectorySeparatorChar, '/');
        return BackupNames.IsSafe(relative) ? relative : null;
    }
}

/// <summary>Names of entries in a backup.</summary>
internal static class BackupNames
{
    public const string Manifest = "manifest.json";
    public const string Store = "store/";
    public const string Configuration = "configuration/";
    public const string Database = Store + "gateway.db";
    public const string GatewayText = Configuration + LoadedSite.GatewayText;

    /// <summary>Whether a relative name stays where it is put: no way up, no root, no empty part.</summary>
    public static bool IsSafe(string name) =>
        name.Length > 0 && !Path.IsPathRooted(name) && !name.Contains('\\', StringComparison.Ordinal) && name.Split('/').All(part => part is not ("" or "." or ".."));
}
