using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Hosting;

/// <summary>
/// The deterministic part of the gateway under one configuration: the pipeline, the numbering of its records, and the time it has
/// reached. Its whole input is <see cref="InputBatch"/>; its whole state can be saved and restored.
/// </summary>
internal sealed class LocalPath
{
    private const int StateVersion = 1;

    public LocalPath(SiteModel site, FeedHeads heads)
    {
        Site = site;
        Encoder = new FeedEncoder(site, heads, Core.Profiles.Roles.VocabularyVersion);
        Pipeline = new Pipeline(site, GridFactors.BuiltIn(), Encoder);
    }

    public SiteModel Site { get; }

    public Pipeline Pipeline { get; }

    public FeedEncoder Encoder { get; }

    /// <summary>Gateway time of the last batch; null before the first.</summary>
    public Instant? Now { get; private set; }

    /// <summary>Number of the last batch; 0 before the first.</summary>
    public long Batch { get; private set; }

    /// <summary>Feeds one batch: the clock step, then the samples, then the time.</summary>
    public void Feed(in InputBatch batch)
    {
        if (batch.ClockStep is { } step && Now is { } before)
        {
            Pipeline.ClockStepped(before, before + step);
        }

        foreach (ref readonly var sample in batch.Samples.Span)
        {
            Pipeline.Process(sample);
        }

        Pipeline.Advance(batch.Now);
        Now = batch.Now;
        Batch = batch.Number;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(StateVersion);
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
        if (version != StateVersion)
        {
            throw new InvalidDataException($"The checkpoint has version {version}; this program reads version {StateVersion}.");
        }

        Batch = reader.ReadInt64();
        var hasNow = reader.ReadBoolean();
        var now = reader.ReadInstant();
        Now = hasNow ? now : null;
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
        Now = previous.Now;
        Batch = previous.Batch;
    }
}
