namespace EdgeGateway.Storage;

/// <summary>Names of the files in the store's directory.</summary>
internal sealed record StoreFiles(string Directory)
{
    public string Database => Path.Combine(Directory, "gateway.db");

    public string Log => Database + "-wal";

    public string SharedMemory => Database + "-shm";

    /// <summary>Says that a store exists, and its newest epoch (requirement O-13).</summary>
    public string Marker => Path.Combine(Directory, "gateway.store");

    /// <summary>The budget that was chosen when the store was made: <see cref="StorageBudget"/>.</summary>
    public string Budget => Path.Combine(Directory, "gateway.budget");

    /// <summary>Left where the store met damage in use, so that the next start salvages: <see cref="StoreSuspicion"/>.</summary>
    public string Suspect => Path.Combine(Directory, "gateway.suspect");

    /// <summary>The new database while a damaged one is being read.</summary>
    public string Salvage => Database + ".salvage";

    /// <summary>Space kept for the time when others have filled the file system: <see cref="Storage.Ballast"/>.</summary>
    public string Ballast => Path.Combine(Directory, "gateway.ballast");

    /// <summary>A copy that a backup takes away.</summary>
    public string Copy => Database + ".copy";

    /// <summary>How far the last commit had come: <see cref="StoreWitness"/>.</summary>
    public string Witness => Path.Combine(Directory, "gateway.last");

    /// <summary>Length of the write-ahead log, 0 when there is none.</summary>
    public long LogBytes() => Length(Log);

    /// <summary>Length of the database with its log, shared memory and ballast.</summary>
    public long Bytes() => Length(Database) + Length(Log) + Length(SharedMemory) + Length(Ballast);

    private static long Length(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : 0;
    }

    public const string SalvagingInfix = ".salvaging-";

    public const string DamagedInfix = ".damaged-";
}
