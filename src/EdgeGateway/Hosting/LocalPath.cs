using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>
/// The deterministic part of the gateway under one configuration: the pipeline, the numbering of its records, and the time it has
/// reached. Its whole input is <see cref="InputBatch"/>; its whole state can be saved and restored.
/// </summary>
internal sealed class LocalPath
{
    /// <summary>What programs before this one wrote, and this one too while the clock is set.</summary>
    private const int StateVersion = 1;

    /// <summary>The same, with the clock not set.</summary>
    private const int UnsetStateVersion = 2;

    private static readonly TimeSpan StepLimit = GatewayClock.StepLimit;

    private Sample[] _samples = [];
    private Func<int, ulong, double>? _valueOf;
    private (Guid Boot, long Offset)? _known;

    public LocalPath(SiteModel site, FeedHeads heads)
    {
        Site = site;
        Encoder = new FeedEncoder(site, heads, Core.Profiles.Roles.VocabularyVersion);
        Ledger = new LedgerTap(site, Encoder);
        Pipeline = new Pipeline(site, site.FactorsInForce, Ledger);
    }

    public SiteModel Site { get; }

    public Pipeline Pipeline { get; }

    public FeedEncoder Encoder { get; }

    /// <summary>What waits for the ledger.</summary>
    public LedgerTap Ledger { get; }

    /// <summary>Gateway time of the last batch; null before the first.</summary>
    public Instant? Now { get; private set; }

    /// <summary>Number of the last batch; 0 before the first.</summary>
    public long Batch { get; private set; }

    /// <summary>Time of the last batch, held or not, as it was dated then; null before the first.</summary>
    public Instant? Seen { get; private set; }

    /// <summary>Boot in which the last batch was taken, held or not; empty when none was fed since the checkpoint.</summary>
    public Guid SeenBoot { get; private set; }

    /// <summary>The monotonic clock of <see cref="SeenBoot"/> at the last batch, in milliseconds.</summary>
    public long SeenSinceBoot { get; private set; }

    /// <summary>True when the last samples that were processed have provisional dates.</summary>
    public bool IsUnset { get; private set; }

    /// <summary>True while batches wait for their dates. No checkpoint may be made then: they are read again from the sample log.</summary>
    public bool HasHeld => FirstHeld > 0;

    /// <summary>Number of the first batch that is held; 0 for none.</summary>
    public long FirstHeld { get; private set; }

    /// <summary>Number of the last batch that is held.</summary>
    public long LastHeld { get; private set; }

    /// <summary>Boot in which the last held batch was taken.</summary>
    public Guid HeldBoot { get; private set; }

    /// <summary>Samples that are held.</summary>
    public long HeldSamples { get; private set; }

    /// <summary>Reads the sample log after a number.</summary>
    public required Func<long, IEnumerable<StoredBatch>> ReadLog { get; init; }

    /// <summary>Feeds one batch: what it releases, or the clock step, then the samples, then the time.</summary>
    /// <exception cref="InvalidDataException">A held batch cannot be read any more.</exception>
    public void Feed(in InputBatch batch)
    {
        Batch = batch.Number;
        if (batch.Release is { } release)
        {
            ReleaseHeld(release, batch.BootId);
            return;
        }

        (Seen, SeenBoot, SeenSinceBoot) = (batch.Now, batch.BootId, batch.MonotonicMilliseconds);
        if (batch.Held)
        {
            FirstHeld = FirstHeld == 0 ? batch.Number : FirstHeld;
            LastHeld = batch.Number;
            HeldBoot = batch.BootId;
            HeldSamples += batch.Samples.Length;
            Encoder.IsClockUnset = true;
            return;
        }

        Process(batch, correction: 0);
    }

    /// <summary>Takes the last batch back, which was held and could not be committed: it is going to be fed again.</summary>
    public void TakeBack(in InputBatch held)
    {
        Batch = held.Number - 1;
        LastHeld = held.Number - 1;
        HeldSamples -= held.Samples.Length;
        FirstHeld = FirstHeld == held.Number ? 0 : FirstHeld;
    }

    /// <summary>Processes held batches: dated anew where the time of their boot is known, else as they are.</summary>
    /// <param name="release">Which, and by what.</param>
    /// <param name="boot">The boot in which that became known.</param>
    public void ReleaseHeld(in HeldRelease release, Guid boot)
    {
        if (release.Offset is { } now)
        {
            _known = (boot, now);
        }

        foreach (var stored in HasHeld ? ReadLog(FirstHeld - 1) : [])
        {
            if (stored.Number > Math.Min(release.Through, LastHeld))
            {
                break;
            }

            _valueOf ??= StateRecovery.ValueOf(Site);
            // Another version of the program may read the same registers otherwise; its recovery says so.
            if (InputBatchCodec.TryDecode(stored.Frame.Span, _valueOf, ref _samples, out var held) is not (FrameStatus.Intact or FrameStatus.ValuesDiffer))
            {
                throw new InvalidDataException($"Batch {stored.Number} of the sample log, which was held until the clock was set, cannot be read.");
            }

            if (_known is { } known && known.Boot == held.BootId)
            {
                // Steps in that time are part of what is corrected; only the way from what was before remains.
                var correction = known.Offset - (held.Now.UnixMilliseconds - held.MonotonicMilliseconds);
                var first = new Instant((held.Samples.IsEmpty ? held.Now : held.Samples.Span[0].Time).UnixMilliseconds + correction);
                TimeSpan? step = Now is { } before && (before - first > StepLimit || (IsUnset && first - before > StepLimit)) ? first - before : null;
                Process(held with { ClockStep = step, Quality = TimeQuality.Holdover }, correction);
            }
            else
            {
                Process(held, correction: 0);
            }

            HeldSamples -= held.Samples.Length;
        }

        FirstHeld = release.Through >= LastHeld ? 0 : release.Through + 1;
        HeldSamples = HasHeld ? HeldSamples : 0;
    }

    private void Process(in InputBatch batch, long correction)
    {
        if (batch.ClockStep is { } step && Now is { } before)
        {
            Pipeline.ClockStepped(before, before + step);
        }

        // Only now: windows that the step has cut were dated by the clock before it.
        IsUnset = batch.Quality == TimeQuality.Unset;
        Encoder.IsClockUnset = IsUnset;
        foreach (ref readonly var sample in batch.Samples.Span)
        {
            Pipeline.Process(correction == 0 ? sample : sample with { Time = new(sample.Time.UnixMilliseconds + correction) });
        }

        var now = new Instant(batch.Now.UnixMilliseconds + correction);
        Pipeline.Advance(now);
        Now = now;
    }

    public void Save(StateWriter writer)
    {
        if (HasHeld)
        {
            throw new InvalidOperationException("Held batches are no part of a checkpoint.");
        }

        writer.Write(IsUnset ? UnsetStateVersion : StateVersion);
        writer.Write(Batch);
        writer.Write(Now.HasValue);
        writer.Write(Now ?? Instant.UnixEpoch);
        Encoder.Heads.WriteTo(writer);
        Pipeline.Save(writer);
    }

    /// <summary>Restores what <see cref="Save"/> wrote under the same configuration.</summary>
    /// <exception cref="InvalidDataException">The state is damaged or of a version that this program does not know.</exception>
    public void Load(ReadOnlySpan<byte> state)
    {
        var reader = new StateReader(state);
        var version = reader.ReadInt32();
        if (version is not (StateVersion or UnsetStateVersion))
        {
            throw new InvalidDataException($"The checkpoint has version {version}; this program reads versions {StateVersion} and {UnsetStateVersion}.");
        }

        IsUnset = version == UnsetStateVersion;
        Encoder.IsClockUnset = IsUnset;

        Batch = reader.ReadInt64();
        var hasNow = reader.ReadBoolean();
        var now = reader.ReadInstant();
        Now = hasNow ? now : null;
        Seen = Now;
        Encoder.Heads = FeedHeads.ReadFrom(ref reader);
        Pipeline.Load(ref reader);
    }

    /// <summary>Takes over counters and remainders from the path of another configuration; devices and points are matched by their ids.</summary>
    public void Continue(LocalPath previous)
    {
        var baselines = new StateWriter();
        previous.Pipeline.SaveBaselines(baselines);
        var reader = new StateReader(baselines.Written.Span);
        Pipeline.LoadBaselines(ref reader);
        foreach (var content in previous.Ledger.Take())
        {
            Ledger.Enter(content);
        }

        Now = previous.Now;
        (Seen, SeenBoot, SeenSinceBoot) = (previous.Seen, previous.SeenBoot, previous.SeenSinceBoot);
        Batch = previous.Batch;
        IsUnset = previous.IsUnset;
        Encoder.IsClockUnset = previous.Encoder.IsClockUnset;
    }
}
