using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>A bit by which the device itself says that something is wrong: over voltage, pull-cord drawn, density low.</summary>
/// <remarks>Each bit has a detector of its own, <c>flag-3</c>, so that two bits of one word that come in the same second are two findings.</remarks>
internal sealed class FlagDetector : IDetector
{
    public static readonly string[] Settings = ["bit", "severity", "opens", "holdSeconds"];

    private readonly DetectorContext _context;
    private readonly int _bit;
    private readonly bool _opens;
    private readonly Severity _severity;
    private DelayedCondition _held;

    // As published: it names the finding until it is cleared, so it does not move with the clock.
    private long _identity;

    public FlagDetector(DetectorContext context)
    {
        _bit = (int)Math.Clamp(context.Number("bit", 0), 0, 63);
        _opens = context.Number("opens", 0) != 0;
        _severity = context.Number("severity", 1) >= 2 ? Severity.Alarm : Severity.Warning;
        var hold = context.Milliseconds("holdSeconds", 0);
        _held = new(hold, hold, context.LongestPause);
        _context = context with { Model = context.Model with { Name = $"{context.Model.Name}-{_bit}" } };
    }

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.HasValue)
        {
            return null;
        }

        var isSet = ((sample.Raw >> _bit) & 1) != 0;
        var time = sample.Time.UnixMilliseconds;
        var was = _held.IsOn;
        _held.Look(isSet != _opens, isSet == _opens, time);
        if (_held.IsOn == was)
        {
            return null;
        }

        _identity = was ? _identity : _held.Began;
        var what = $"{_context.Model.Title ?? $"bit {_bit}"}: {_context.Point.Id} of {_context.Device.Name}, bit {_bit} is {(isSet ? 1 : 0)}";
        return _context.Record(
            !was,
            _identity,
            sample.Time,
            _severity,
            sample.Value,
            double.NaN,
            was
                ? $"{what} again, after {Words.Span(time - _held.Began)}."
                : $"{what}. The device itself reports it: look at its display and at what it watches.");
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
