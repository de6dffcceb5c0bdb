using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>A value that stays outside the plausible range: not the process but its measurement has failed, as a 4-20 mA transmitter says with 3.6 or 21 mA (NAMUR NE 43).</summary>
/// <remarks>Limits of the process do not judge such values, and a single one is a glitch that its quality tells of.</remarks>
internal sealed class RangeDetector : IDetector
{
    public const string Name = "range";

    public static readonly string[] Settings = ["severity", "holdSeconds"];

    private readonly DetectorContext _context;
    private readonly Severity _severity;
    private DelayedCondition _held;

    // As published: it names the finding until it is cleared, so it does not move with the clock.
    private long _identity;

    public RangeDetector(DetectorContext context)
    {
        _context = context;
        _severity = context.Number("severity", 1) >= 2 ? Severity.Alarm : Severity.Warning;
        var hold = context.Milliseconds("holdSeconds", DefaultHoldSeconds);
        _held = new(hold, hold);
    }

    /// <summary>The time for which NAMUR NE 43 lets a failure signal stand before it counts.</summary>
    public const double DefaultHoldSeconds = 4;

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        var isBeyond = sample.Quality is { HasValue: true, Reason: QualityReason.OutOfRange };
        if (!isBeyond && !sample.Quality.IsGood)
        {
            return null;
        }

        var was = _held.IsOn;
        _held.Look(isBeyond, !isBeyond, sample.Time.UnixMilliseconds);
        if (_held.IsOn == was)
        {
            return null;
        }

        _identity = was ? _identity : _held.Began;
        var point = _context.Point;
        var isBelow = sample.Value < point.PlausibleMin;
        var limit = (isBelow ? point.PlausibleMin : point.PlausibleMax) ?? double.NaN;
        var where = $"{point.Id} of {_context.Device.Name}";
        var span = Words.Span(sample.Time.UnixMilliseconds - _held.Began);
        var text = was
            ? $"{where} is plausible again at {Words.Quantity(sample.Value, point)}, after {span}."
            : $"{where} {Words.Quantity(sample.Value, point)}: {(isBelow ? "below" : "above")} all that is plausible ({Words.Quantity(limit, point)}), for {span}. Likely: the sensor, its wiring or its scaling has failed. Check supply and wires, then compare with a second instrument.";
        return _context.Record(!was, _identity, sample.Time, _severity, sample.Value, was ? double.NaN : limit, text);
    }

    public void End(Instant now, IFeedSink sink)
    {
        if (_held.IsOn)
        {
            sink.Anomaly(_context.Ended(_identity, now, _severity));
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
}
