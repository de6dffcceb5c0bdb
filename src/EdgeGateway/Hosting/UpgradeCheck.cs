using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>Whether this program can go on with what another version stored, asked before it does: nothing is changed, and a gateway may run meanwhile.</summary>
/// <param name="CanTakeOver">False when it would not start, or would lose state.</param>
/// <param name="Lines">What was found, for people.</param>
internal sealed record UpgradeCheck(bool CanTakeOver, IReadOnlyList<string> Lines)
{
    /// <summary>Looks at the store of a site.</summary>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public static UpgradeCheck Of(SiteModel site)
    {
        var files = new StoreFiles(site.Storage.Directory);
        if (!File.Exists(files.Database))
        {
            return File.Exists(files.Marker)
                ? new(false, [$"{files.Database} is missing although {files.Marker} says that there is a store: mount its disk, or restore a backup"])
                : new(true, [$"There is no store in {files.Directory} yet: the first start makes it"]);
        }

        var versions = StoreCopy.VersionsOf(files.Database);
        if (versions.OldestReader > Schema.Version)
        {
            return new(false, [$"The store needs schema {versions.OldestReader}, this program knows {Schema.Version}: it would refuse it and change nothing. Install a newer version"]);
        }

        List<string> lines =
        [
            versions.Schema < Schema.Version ? $"The store has schema {versions.Schema}; the first start brings it to {Schema.Version}, in one transaction"
                : versions.Schema > Schema.Version ? $"The store has schema {versions.Schema}, of a newer program that allows this one ({Schema.Version}); it stays as it is"
                : $"The store has schema {versions.Schema}, as this program writes it",
            $"Going back afterwards: programs of schema {Math.Max(Schema.OldestReader, versions.OldestReader)} and later open it",
        ];
        var why = StateProblem(site, files);
        lines.Add(why ?? "The newest checkpoint and the configuration under which it was made are understood: counters, windows and remainders go on");
        return new(why is null, lines);
    }

    /// <summary>Why the state that was stored last cannot be taken over; null when it can.</summary>
    private static string? StateProblem(SiteModel site, StoreFiles files)
    {
        using var db = Database.OpenForSalvage(files.Database);
        using var newest = db.Once("SELECT body FROM checkpoint ORDER BY log DESC LIMIT 1");
        if (!newest.Step())
        {
            return null;
        }

        if (CheckpointFrame.Decode(newest.Bytes(0)) is not { } checkpoint)
        {
            return "The newest checkpoint is damaged: the next start salvages what can be read";
        }

        var model = site;
        if (checkpoint.ConfigurationHash != site.ConfigurationHash)
        {
            using var kept = db.Once("SELECT texts FROM configuration WHERE hash = ?1");
            if (!kept.Bind(1, checkpoint.ConfigurationHash).Step())
            {
                return $"The configuration {checkpoint.ConfigurationHash[..12]} of the newest checkpoint is not kept";
            }

            IReadOnlyDictionary<string, string> texts;
            try
            {
                texts = SqliteStore.Unpack(kept.Bytes(0));
            }
            catch (InvalidDataException)
            {
                return $"The configuration {checkpoint.ConfigurationHash[..12]} of the newest checkpoint is damaged in the store";
            }

            if (SiteFiles.LoadStored(texts, out var problems) is not { } stored)
            {
                return $"This program does not understand the configuration under which the gateway runs ({problems.FirstOrDefault(p => p.Severity == ProblemSeverity.Error)}): open windows would be lost, and counters start from their next reading";
            }

            model = stored;
        }

        try
        {
            new LocalPath(model, FeedHeads.Start(1)) { ReadLog = _ => [] }.Load(checkpoint.State.Span);
            return null;
        }
        catch (InvalidDataException e)
        {
            return $"This program cannot take over the state of the gateway: {e.Message}";
        }
    }
}
