using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>A detector of a value that stands still: its whole range since it last moved by more than the tolerance. No samples are kept.</summary>
/// <param name="context">The point, and what is known around it.</param>
/// <param name="tolerance">By how much the value may move and still stands, in its unit.</param>
internal abstract class StillDetector(DetectorContext context, double tolerance) : IDetector
{
    private bool _has;
    private double _min;
    private double _max;
    private long _since;
    private long _last;
    private bool _raised;

    // As published: it names the finding until it is cleared, so it does not move with the clock.
    private long _identity;

    // The value cannot be trusted as soon as it is said to stand still.
    public QualityReason Doubt => _raised ? QualityReason.Stuck : QualityReason.None;

    /// <summary>By how much the value moved since it last moved by more than the tolerance.</summary>
    protected double Moved => _max - _min;

    /// <summary>When the last sample was looked at, Unix milliseconds.</summary>
    protected long Last => _last;

    public abstract AnomalyRecord? Observe(in Sample sample);

    public void End(Instant now, IFeedSink sink)
    {
        if (_raised)
        {
            _raised = false;
            sink.Anomaly(context.Ended(_identity, now, Severity.Warning));
        }
    }

    public void Shift(long milliseconds)
    {
        _since += milliseconds;
        _last += milliseconds;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_has);
        writer.Write(_min);
        writer.Write(_max);
        SaveBeside(writer);
        writer.Write(_since);
        writer.Write(_last);
        writer.Write(_raised);
        writer.Write(_identity);
    }

    public void Load(ref StateReader reader)
    {
        _has = reader.ReadBoolean();
        _min = reader.ReadDouble();
        _max = reader.ReadDouble();
        LoadBeside(ref reader);
        _since = reader.ReadInt64();
        _last = reader.ReadInt64();
        _raised = reader.ReadBoolean();
        _identity = reader.ReadInt64();
    }

    /// <summary>Writes what is kept beside the range of the value.</summary>
    protected virtual void SaveBeside(StateWriter writer)
    {
    }

    /// <summary>Reads what <see cref="SaveBeside"/> wrote.</summary>
    protected virtual void LoadBeside(ref StateReader reader)
    {
    }

    /// <summary>True when the value has moved by more than the tolerance, or is the first.</summary>
    protected bool Moves(double value) => !_has || Math.Max(_max, value) - Math.Min(_min, value) > tolerance;

    /// <summary>Takes a value that does not move into the range.</summary>
    /// <returns>How long it has stood still, milliseconds; -1 once that was told.</returns>
    protected long Stand(double value, long time)
    {
        _min = Math.Min(_min, value);
        _max = Math.Max(_max, value);
        _last = time;
        return _raised ? -1 : time - _since;
    }

    /// <summary>Raises the finding.</summary>
    protected AnomalyRecord Raise(in Sample sample, string text)
    {
        _raised = true;
        _identity = _since;
        return context.Record(true, _identity, sample.Time, Severity.Warning, sample.Value, tolerance, text);
    }

    /// <summary>Begins anew with a value that moved; clears a finding that stands.</summary>
    protected AnomalyRecord? Restart(in Sample sample)
    {
        var time = sample.Time.UnixMilliseconds;
        var (was, since) = (_raised, _since);
        (_has, _raised, _min, _max, _since, _last) = (true, false, sample.Value, sample.Value, time, time);
        return was
            ? context.Record(false, _identity, sample.Time, Severity.Warning, sample.Value, tolerance,
                $"{context.Point.Id} of {context.Device.Name} moves again, now {Words.Quantity(sample.Value, context.Point)}, after {Words.Span(time - since)}.")
            : null;
    }
}
