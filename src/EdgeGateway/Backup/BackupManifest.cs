using System.Text.Json.Serialization;

namespace EdgeGateway.Backup;

/// <summary>What a backup holds; its first entry, <c>manifest.json</c>.</summary>
public sealed record BackupManifest
{
    /// <summary>Format of the backup that this program writes and reads.</summary>
    public const string Format = "edgegateway/backup/1";

    public required string Schema { get; init; }

    /// <summary>When the copy of the store was done.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>Version of the program that made it.</summary>
    public required string Program { get; init; }

    public required string Site { get; init; }

    public required string Gateway { get; init; }

    /// <summary>Hash of the configuration.</summary>
    public required string Configuration { get; init; }

    /// <summary>Schema version of the store.</summary>
    public required long StoreSchema { get; init; }

    /// <summary>Oldest program, by schema version, that may open the store.</summary>
    public required long StoreOldestReader { get; init; }

    /// <summary>Newest epoch of the store.</summary>
    public required long Epoch { get; init; }

    /// <summary>Whether it holds private keys and passwords.</summary>
    public required bool HasKeys { get; init; }

    /// <summary>Files that the configuration names and that are not in it, because they are no part of its directory, cannot be read, or are secret.</summary>
    public required IReadOnlyList<string> NotIncluded { get; init; }

    public required IReadOnlyList<BackupFile> Files { get; init; }
}

/// <summary>A file of a backup.</summary>
/// <param name="Path">Its name in the archive: <c>store/...</c> or <c>configuration/...</c>.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Of its content, lower-case hex.</param>
/// <param name="IsSecret">Whether only its owner may read it.</param>
public sealed record BackupFile(string Path, long Bytes, string Sha256, bool IsSecret);

/// <summary>JSON of backups, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;
