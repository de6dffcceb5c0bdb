using EdgeGateway.Commands;
using EdgeGateway.Protocols;
using EdgeGateway.Storage;

namespace EdgeGateway.Doctoring;

/// <summary>The store: by what the running gateway says, else by its files, which are only read.</summary>
internal static class StoreCheck
{
    private const string Salvaged = "Nothing is deleted: the next start sets it aside, salvages what can be read and says what was lost (docs/storage.md). A disk that damages files wants replacing";

    public static IEnumerable<Finding> Look(Patient patient)
    {
        IEnumerable<Finding> findings = patient.Status is { } status
            ? status.Storage is { } storage ? Running(storage, status.Outbox) : [Finding.Fault($"The gateway runs without a store: {string.Join("; ", status.Problems)}", "Newest values leave unnumbered until its directory can be used: see the line about the disk")]
            : patient.Refusal is not null || patient.Holder() is not null ? [Finding.NotChecked("The store belongs to a gateway that runs and was not asked; beside it nobody looks into the files")]
            : Resting(new StoreFiles(Path.GetFullPath(patient.Storage)), patient.Time);
        foreach (var finding in findings)
        {
            yield return finding;
        }

        if (SetsAside(patient.Storage) is { Count: > 0 } aside)
        {
            yield return Finding.Warning($"Damaged databases were set aside: {string.Join(", ", aside)}", "Keep them until nobody needs what could not be salvaged, then delete them; a disk that damages files wants replacing");
        }
    }

    private static IEnumerable<Finding> Running(Control.StorageDocument storage, Control.OutboxDocument outbox)
    {
        yield return storage.State == "ok" ? Finding.Ok($"The store works, {storage.InUsePercent:F0} % in use, {outbox.Rows} messages wait")
            : Finding.Fault($"The store is in the state {storage.State}", storage.State == "disk-full" ? "Free space on its file system: the gateway goes on by itself" : "Look at the lines about disk and permissions, and at `dmesg`: the gateway goes on by itself when it can write");
        if (storage.WatermarkPercent > 0)
        {
            yield return Finding.Marked(
                storage.WatermarkPercent, 70, 95, $"The store is over the mark of {storage.WatermarkPercent} %: at 100 % the oldest records are given up", "Mend the uplink (see broker), or give the store more room with storage.budget");
        }

        yield return storage.Integrity switch
        {
            "damaged" => Finding.Fault($"The full check found damage: {storage.IntegrityFinding}", Salvaged),
            "not-yet" => Finding.NotChecked("The full check of the store has not ended since the gateway started", "Look again later: it reads at most a tenth of the time"),
            "sound" => Finding.Ok($"The full check of {storage.IntegrityCheckedAt:yyyy-MM-dd HH:mm}Z found every page and every checksum as it should be"),
            var other => Finding.Warning($"The full check of {storage.IntegrityCheckedAt:yyyy-MM-dd HH:mm}Z ended as {other}: {storage.IntegrityFinding}", "It was dealt with; when it happens again, replace the disk"),
        };
        if (storage.Lost.Values.Sum() is > 0 and var lost)
        {
            yield return Finding.Notice($"{lost} records were lost since the store was made: {string.Join(", ", storage.Lost.Where(l => l.Value > 0).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Value} {l.Key}"))}", "docs/storage.md says what each cause means; the feed has told the centre which they are");
        }
    }

    private static IEnumerable<Finding> Resting(StoreFiles files, TimeProvider time)
    {
        // In a directory that may not be searched, files that are there seem not to be.
        if (Directory.Exists(files.Directory) && FileRights.MayRead(files.Directory) is false)
        {
            yield return Finding.NotChecked($"The store in {files.Directory}: this user may not look into it", "Run the command as the service's user or as root");
            yield break;
        }

        var (hasDatabase, hasMarker) = (File.Exists(files.Database) && new FileInfo(files.Database).Length > 0, File.Exists(files.Marker));
        if (!hasDatabase)
        {
            yield return hasMarker
                ? Finding.Fault($"{files.Database} is missing or empty although {files.Marker} says that there is a store", $"See whether its disk is mounted before the gateway starts. {Salvaged}")
                : Finding.Notice($"There is no store in {files.Directory} yet", "The first start of the gateway makes it");
            yield break;
        }

        Finding found;
        try
        {
            found = StoreOpening.FindDamage(files) is { } damage ? Finding.Fault($"The store is damaged: {damage}", Salvaged)
                : files.LogBytes() > 0 ? Finding.NotChecked($"The structure of the store: {Words.Bytes(files.LogBytes())} in its write-ahead log, whose checksums hold, wait to be taken up, as after a power cut", "The next start of the gateway does that and checks it")
                : StoreOpening.PeekDamage(files, time) is { } structure ? Finding.Fault($"The store is damaged: {structure}", Salvaged)
                : Finding.Ok($"{files.Database} is sound, {Words.Bytes(files.Bytes())}; no gateway uses it");
        }
        catch (StoreException newer) when (newer.Failure == StoreFailure.TooNew)
        {
            found = Finding.Fault($"The store is of a newer program: {newer.Message}", "Install the newer version again; nothing has been changed");
        }

        yield return found;
    }

    private static IReadOnlyList<string> SetsAside(string directory) => Directory.Exists(directory) && FileRights.MayRead(directory) is not false ? Salvage.DamagedSets(new StoreFiles(directory)) : [];
}
