using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;

namespace EdgeGateway.Backup;

/// <summary>Writes a backup: an archive (<c>.tar.gz</c>) for its owner alone, the manifest first.</summary>
internal static class BackupWriter
{
    /// <summary>Writes the backup in one step: a file of that name is replaced once the new one is whole, on the disk, and read back.</summary>
    /// <param name="path">The backup.</param>
    /// <param name="site">The configuration.</param>
    /// <param name="configuration">Path of <c>gateway.yaml</c>.</param>
    /// <param name="storeCopy">The copy of the store.</param>
    /// <param name="withKeys">Whether private keys and passwords go in.</param>
    /// <param name="time">Stamps it.</param>
    /// <returns>What it holds.</returns>
    /// <exception cref="IOException">It cannot be written, or is not what was written when it is read back.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written, or a part may not be read.</exception>
    /// <exception cref="StoreException">The copy cannot be read.</exception>
    public static BackupManifest Write(string path, LoadedSite site, string configuration, string storeCopy, bool withKeys, TimeProvider time)
    {
        var (parts, left) = Collect(site, configuration, storeCopy, withKeys);
        var versions = StoreCopy.VersionsOf(storeCopy);
        var manifest = new BackupManifest
        {
            Schema = BackupManifest.Format,
            MadeAt = time.GetUtcNow(),
            Program = ProgramVersion.Text,
            Site = site.Model.SiteId,
            Gateway = site.Model.GatewayId,
            Configuration = site.Model.ConfigurationHash,
            StoreSchema = versions.Schema,
            StoreOldestReader = versions.OldestReader,
            Epoch = versions.Epoch,
            HasKeys = withKeys,
            NotIncluded = left,
            Files = [.. parts.Select(Describe)],
        };
        var half = path + ".part";
        StoreCopy.MakePrivate(half);
        try
        {
            using (var file = new FileStream(half, FileMode.Open, FileAccess.Write))
            {
                using (var packed = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true))
                using (var archive = new TarWriter(packed, TarEntryFormat.Pax))
                {
                    Add(archive, BackupNames.Manifest, new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest)), isSecret: false, manifest.MadeAt);
                    foreach (var part in parts)
                    {
                        using var content = part.Open();
                        Add(archive, part.Name, content, part.IsSecret, manifest.MadeAt);
                    }
                }

                file.Flush(flushToDisk: true);
            }

            // A file that changed while it was packed shows here, and not on the day of the restore. What the card keeps is another matter: these pages are still in memory.
            BackupReader.Read(half, static _ => null);
            File.Move(half, path, overwrite: true);
            Durable.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return manifest;
        }
        catch (InvalidDataException e)
        {
            File.Delete(half);
            throw new IOException($"{path} does not hold what was written, because a file changed meanwhile ({e.Message}). Try again", e);
        }
        catch
        {
            File.Delete(half);
            throw;
        }
    }

    private static (List<Part> Parts, List<string> Left) Collect(LoadedSite site, string configuration, string storeCopy, bool withKeys)
    {
        var directory = Path.GetDirectoryName(Path.GetFullPath(configuration))!;
        List<Part> parts = [new(BackupNames.Database, storeCopy, null, true), Text(BackupNames.GatewayText, site.Gateway.Text)];
        parts.AddRange(site.Profiles.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => Text($"{BackupNames.Configuration}device-profiles/{p.Key}.yaml", p.Value.Text)));
        List<string> left = [];
        foreach (var file in SiteFileList.Of(site.Model, directory))
        {
            if ((file.IsSecret && !withKeys) || SiteFileList.Within(directory, file.Path) is not { } name || !File.Exists(file.Path))
            {
                left.Add(file.Path);
            }
            else
            {
                parts.Add(new(BackupNames.Configuration + name, file.Path, null, file.IsSecret));
            }
        }

        left.AddRange(SiteFileList.Unnamed(site.Model, directory).Select(f => $"{f}, which the configuration does not name"));
        var store = site.Model.Storage.Directory;
        foreach (var (name, isSecret) in new[] { (LedgerKeyFile.Name, true), (LedgerKeyFile.PublicName, false) })
        {
            var path = Path.Combine(store, name);
            if (isSecret && !withKeys)
            {
                left.Add(path);
            }
            else if (File.Exists(path))
            {
                parts.Add(new(BackupNames.Store + name, path, null, isSecret));
            }
        }

        return (parts, left);
    }

    private static Part Text(string name, string text) => new(name, null, System.Text.Encoding.UTF8.GetBytes(text), false);

    private static BackupFile Describe(Part part)
    {
        using var content = part.Open();
        return new(part.Name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)), part.IsSecret);
    }

    private static void Add(TarWriter archive, string name, Stream content, bool isSecret, DateTimeOffset at) => archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
    {
        DataStream = content,
        ModificationTime = at,
        Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (isSecret ? 0 : UnixFileMode.GroupRead),
    });

    private sealed record Part(string Name, string? Path, byte[]? Bytes, bool IsSecret)
    {
        public Stream Open() => Path is null ? new MemoryStream(Bytes!) : new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
    }
}
