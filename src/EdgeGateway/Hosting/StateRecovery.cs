using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>
/// Brings the local path to where the last commit left it: the newest checkpoint, then the batches of the sample log after it, each under
/// the configuration it was taken with.
/// </summary>
internal sealed class StateRecovery(LoadedSite site, SqliteStore store, ILogger log)
{
    /// <summary>The state as committed, under the configuration of the last batch.</summary>
    /// <param name="Path">The local path, ready to be fed.</param>
    /// <param name="Store">What the store found at its opening.</param>
    /// <param name="CannotContinue">Why the state of the configuration before could not be taken over, or null.</param>
    /// <param name="Upgraded">What this version of the program made otherwise of samples after the last checkpoint than the one before, which committed them; null for nothing.</param>
    public sealed record Recovered(LocalPath Path, StoreRecovery Store, string? CannotContinue, string? Upgraded);

    private string? _upgraded;

    /// <summary>Recovers; writes nothing but the texts of the configuration in force.</summary>
    /// <exception cref="StoreException">Damaged: state and log do not lead to what was committed. The caller has the store salvage what can be read.</exception>
    public Recovered Run()
    {
        var recovery = store.Recover();
        var stored = FeedHeads.From(
            recovery.Heads.Values.Max(h => h.Epoch),
            stream => recovery.Heads.TryGetValue(stream, out var head) ? head.Next : 1);
        string? cannot = null;
        LocalPath path;
        try
        {
            path = Replay(Start(recovery, stored), recovery, stored);
        }
        catch (UnknownConfigurationException e)
        {
            cannot = e.Message;
            path = new LocalPath(site.Model, stored) { ReadLog = store.ReadBatches };
        }

        store.SaveConfiguration(site.Model.ConfigurationHash, Texts());
        return new Recovered(path, recovery, cannot, _upgraded);
    }

    /// <summary>Value of a raw register under a configuration; what the sample log leaves out.</summary>
    public static Func<int, ulong, double> ValueOf(SiteModel model)
    {
        var encodings = model.Points.Select(p => p.Encoding).ToArray();
        return (point, raw) => (uint)point < (uint)encodings.Length && RegisterCodec.DecodeRaw(encodings[point], raw, out var value) == DecodeStatus.Ok
            ? value
            : double.NaN;
    }

    /// <summary>
    /// Ends the path of one configuration and goes on with another: open windows are closed, counters and remainders continue by
    /// device and point id. Live and in replay the same code, so that the numbers of the records agree.
    /// </summary>
    /// <param name="from">The path that ends.</param>
    /// <param name="to">The configuration that comes into force.</param>
    /// <param name="now">The time of the first batch under the new configuration; used when the path before was never told the time.</param>
    /// <param name="rows">Receives the rows of the windows that were closed; empty in replay.</param>
    /// <param name="boot">The boot of that batch.</param>
    /// <param name="release">What that batch says of held batches; they end with the configuration under which they were taken.</param>
    public static LocalPath Transition(LocalPath from, SiteModel to, Instant now, List<OutboxRow> rows, Guid boot = default, HeldRelease? release = null)
    {
        if (from.HasHeld)
        {
            from.ReleaseHeld(release ?? new HeldRelease(from.LastHeld, null), boot);
        }

        // Windows end where the configuration before was last in force, not where the new one begins: in between nobody measured.
        var end = from.Now ?? now;
        from.Pipeline.Close(end, to);
        rows.AddRange(from.Encoder.Flush(end));
        var path = new LocalPath(to, from.Encoder.Heads) { ReadLog = from.ReadLog };
        path.Encoder.Replay = from.Encoder.Replay;
        path.Continue(from);
        return path;
    }

    private LocalPath Start(StoreRecovery recovery, FeedHeads stored)
    {
        if (recovery.Checkpoint is not { } checkpoint)
        {
            var first = store.ReadBatches(0).FirstOrDefault();
            return new LocalPath((first.ConfigurationHash is { } hash ? SiteOf(hash) : null) ?? site.Model, FeedHeads.Start(stored.Epoch)) { ReadLog = store.ReadBatches };
        }

        if (SiteOf(checkpoint.ConfigurationHash) is not { } model)
        {
            throw Unusable(checkpoint, $"its configuration {checkpoint.ConfigurationHash} is not kept", null);
        }

        var path = new LocalPath(model, stored) { ReadLog = store.ReadBatches };
        try
        {
            path.Load(checkpoint.State.Span);
        }
        catch (InvalidDataException e)
        {
            throw Unusable(checkpoint, e.Message, e);
        }

        return path;
    }

    private LocalPath Replay(LocalPath path, StoreRecovery recovery, FeedHeads stored)
    {
        path.Encoder.Replay = true;
        var samples = new Sample[4096];
        long replayed = 0;
        var valueOf = ValueOf(path.Site);
        foreach (var batch in store.ReadBatches(path.Batch))
        {
            SiteModel? changed = null;
            if (batch.ConfigurationHash is { } hash && hash != path.Site.ConfigurationHash)
            {
                changed = SiteOf(hash) ?? throw NotReplayable(batch.Number, $"its configuration {hash} is not kept");
                valueOf = ValueOf(changed);
            }

            var status = InputBatchCodec.TryDecode(batch.Frame.Span, valueOf, ref samples, out var input);
            if (status == FrameStatus.ValuesDiffer)
            {
                if (_upgraded is null && !LedgerKeeper.IsUpgrade(store))
                {
                    throw NotReplayable(batch.Number, "this version makes other values of its registers");
                }

                // The registers are what was written; another version reads them otherwise, as it reads those that come.
                _upgraded ??= string.Create(CultureInfo.InvariantCulture, $"from batch {batch.Number} of the sample log on it makes other values of the same registers");
            }
            else if (status != FrameStatus.Intact)
            {
                throw Damaged($"batch {batch.Number} of the sample log cannot be read ({status})");
            }

            if (batch.Number != path.Batch + 1)
            {
                throw Damaged($"batch {batch.Number} of the sample log does not follow on batch {path.Batch}");
            }

            // What is held is released a few batches at a time; the last of them go with the change.
            if (changed is not null && !(path.HasHeld && input.Release is { } release && release.Through < path.LastHeld))
            {
                path = Transition(path, changed, input.Now, [], input.BootId, input.Release);
            }

            try
            {
                path.Feed(input);
            }
            catch (InvalidDataException e)
            {
                throw Damaged(e.Message);
            }

            replayed++;
        }

        // After a salvage the epochs differ on purpose; otherwise the records that follow would be told twice under other numbers.
        if (path.Encoder.Heads.Epoch == stored.Epoch && path.Encoder.Heads.DifferenceAfterReplay(stored) is { } difference)
        {
            if (!LedgerKeeper.IsUpgrade(store))
            {
                throw NotReplayable(path.Batch, $"replay of the sample log does not lead to the records that were committed: {difference}");
            }

            // Another version may make more records of the same samples, or fewer. What was committed stands, under its numbers, and this one goes on behind it.
            _upgraded = _upgraded is { } values ? $"{values}; {difference}" : difference;
        }

        path.Encoder.Heads = stored;
        path.Encoder.Replay = false;
        if (!recovery.FirstStart)
        {
            Log.Resumed(log, recovery.Checkpoint?.LogNumber ?? 0, replayed);
        }

        return path;
    }

    // Each kind of damage is noted in its own words, so that the salvage at the next opening does not find the same again.
    private StoreException Damaged(string what)
    {
        store.MarkDamaged(what);
        return new StoreException(StoreFailure.Damaged, $"The store is damaged: {what}");
    }

    private StoreException NotReplayable(long number, string why)
    {
        store.MarkNotReplayable(number, why);
        return new StoreException(StoreFailure.Damaged, $"Batch {number} of the sample log cannot be replayed: {why}");
    }

    private StoreException Unusable(Checkpoint checkpoint, string why, Exception? cause)
    {
        store.MarkCheckpointUnusable(checkpoint.LogNumber, why);
        return new StoreException(StoreFailure.Damaged, $"The checkpoint after batch {checkpoint.LogNumber} cannot be used: {why}", cause);
    }

    /// <summary>A configuration of the past, from the texts that the store keeps; null when they are not kept.</summary>
    private SiteModel? SiteOf(string hash)
    {
        if (hash == site.Model.ConfigurationHash)
        {
            return site.Model;
        }

        if (store.LoadConfiguration(hash) is not { } texts)
        {
            return null;
        }

        var model = SiteFiles.LoadStored(texts, out var problems);
        return model ?? throw new UnknownConfigurationException(
            $"The configuration under which the gateway ran before is not understood by this version ({problems.FirstOrDefault(p => p.Severity == ProblemSeverity.Error)})");
    }

    /// <summary>The texts that the store keeps beside the sample log.</summary>
    private Dictionary<string, string> Texts()
    {
        var texts = site.Profiles.ToDictionary(p => p.Key, p => p.Value.Text, StringComparer.Ordinal);
        texts.Add(LoadedSite.GatewayText, site.Gateway.Text);
        if (site.Factors is { } factors)
        {
            texts.Add(LoadedSite.FactorsText, factors.Text);
        }

        return texts;
    }

    /// <summary>A newer program no longer understands an old configuration: the state under it cannot be taken over.</summary>
    private sealed class UnknownConfigurationException(string message) : Exception(message);
}
