using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>A detector whose finding is raised once a condition has held for a while, and cleared once it has been gone for as long.</summary>
/// <param name="context">The point, and what is known around it.</param>
/// <param name="severity">How bad the finding is.</param>
/// <param name="held">The condition.</param>
internal abstract class HeldDetector(DetectorContext context, Severity severity, DelayedCondition held) : IDetector
{
    private DelayedCondition _held = held;

    // As published: it names the finding until it is cleared, so it does not move with the clock.
    private long _identity;

    // The value itself is not in doubt: it says what is, or its own quality does.
    public QualityReason Doubt => QualityReason.None;

    /// <summary>When the condition that counts, or has just ceased to count, began (Unix milliseconds).</summary>
    protected long Began => _held.Began;

    public abstract AnomalyRecord? Observe(in Sample sample);

    public void End(Instant now, IFeedSink sink)
    {
        if (_held.IsOn)
        {
            sink.Anomaly(context.Ended(_identity, now, severity));
        }

        _held.Reset();
    }

    public void Shift(long milliseconds) => _held.Shift(milliseconds);

    public void Save(StateWriter writer)
    {
        _held.Save(writer);
        writer.Write(_identity);
    }

    public void Load(ref StateReader reader)
    {
        _held.Load(ref reader);
        _identity = reader.ReadInt64();
    }

    /// <summary>Takes one look; true when the finding is raised or cleared by it.</summary>
    /// <param name="on">The condition holds.</param>
    /// <param name="off">The condition is gone.</param>
    /// <param name="time">When.</param>
    /// <param name="isRaised">Whether it is raised.</param>
    protected bool Changes(bool on, bool off, Instant time, out bool isRaised)
    {
        var was = _held.IsOn;
        _held.Look(on, off, time.UnixMilliseconds);
        isRaised = _held.IsOn;
        if (isRaised == was)
        {
            return false;
        }

        _identity = was ? _identity : _held.Began;
        return true;
    }

    /// <summary>A record of the finding.</summary>
    protected AnomalyRecord Record(bool isRaised, in Sample sample, double limit, string text) => context.Record(isRaised, _identity, sample.Time, severity, sample.Value, limit, text);
}
