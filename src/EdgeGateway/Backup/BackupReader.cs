using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace EdgeGateway.Backup;

/// <summary>Reads a backup and believes nothing: every entry must stand in the manifest, in its place, with its length and SHA-256.</summary>
internal static class BackupReader
{
    private const long LargestManifest = 4 << 20;

    /// <summary>Reads the backup from its beginning to its end.</summary>
    /// <param name="path">The backup.</param>
    /// <param name="take">Where an entry goes; null reads it only. The stream is closed behind it.</param>
    /// <returns>What it holds.</returns>
    /// <exception cref="InvalidDataException">It is no backup, is of a format that this program does not know, or is not what was written; the message names the part.</exception>
    /// <exception cref="IOException">It cannot be read, or an entry not be written.</exception>
    public static BackupManifest Read(string path, Func<BackupFile, Stream?> take)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            using var packed = new GZipStream(file, CompressionMode.Decompress);
            using var archive = new TarReader(packed);
            var manifest = Manifest(path, archive.GetNextEntry());
            var left = manifest.Files.ToDictionary(f => f.Path, StringComparer.Ordinal);
            while (archive.GetNextEntry() is { } entry)
            {
                if (entry.EntryType != TarEntryType.RegularFile || !left.Remove(entry.Name, out var expected))
                {
                    throw new InvalidDataException($"{path} holds {entry.Name}, which its manifest does not name");
                }

                Copy(path, entry, expected, take(expected));
            }

            return left.Count == 0 ? manifest : throw new InvalidDataException($"{path} ends before {left.Keys.Order(StringComparer.Ordinal).First()}: it is cut off");
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"{path} is cut off, or no backup: {e.Message}", e);
        }
    }

    private static BackupManifest Manifest(string path, TarEntry? first)
    {
        if (first is not { Name: BackupNames.Manifest, DataStream: { Length: <= LargestManifest } text })
        {
            throw new InvalidDataException($"{path} is no backup of 'edgegateway backup': it does not begin with {BackupNames.Manifest}");
        }

        BackupManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(text, BackupJson.Default.BackupManifest);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: its {BackupNames.Manifest} cannot be read: {e.Message}", e);
        }

        if (manifest?.Schema != BackupManifest.Format)
        {
            throw new InvalidDataException($"{path} is of the format '{manifest?.Schema}', this program knows {BackupManifest.Format}: install the version that made it, or a newer one");
        }

        var names = manifest.Files.Select(f => f.Path).ToArray();
        if (names.FirstOrDefault(n => !BackupNames.IsSafe(n) || !(n.StartsWith(BackupNames.Store, StringComparison.Ordinal) || n.StartsWith(BackupNames.Configuration, StringComparison.Ordinal))) is { } strange)
        {
            throw new InvalidDataException($"{path} wants to write '{strange}', which is no part of a gateway");
        }

        return names.Distinct(StringComparer.Ordinal).Count() != names.Length || !names.Contains(BackupNames.Database) || !names.Contains(BackupNames.GatewayText)
            ? throw new InvalidDataException($"{path}: its manifest does not name one store and one gateway.yaml")
            : manifest;
    }

    private static void Copy(string path, TarEntry entry, BackupFile expected, Stream? to)
    {
        using var output = to;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        long bytes = 0;
        for (int read; entry.DataStream is { } content && (read = content.Read(buffer)) > 0; bytes += read)
        {
            hash.AppendData(buffer, 0, read);
            output?.Write(buffer, 0, read);
        }

        if (bytes != expected.Bytes || Convert.ToHexStringLower(hash.GetHashAndReset()) != expected.Sha256)
        {
            throw new InvalidDataException($"{path}: {expected.Path} is not what was written (SHA-256)");
        }

        if (output is FileStream file)
        {
            file.Flush(flushToDisk: true);
        }
    }
}
