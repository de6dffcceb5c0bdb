using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>A signal that no longer moves: its whole range since some time ago is within the tolerance. Throws doubt on the samples.</summary>
/// <remarks>
/// The range is taken since the last movement rather than over a sliding window, which needs no memory of samples and finds a frozen
/// signal at the same moment. Values at or below <c>idle</c> in size are not judged: what is off stands still.
/// </remarks>
internal sealed class StuckDetector : IDetector
{
    public static readonly string[] Settings = ["tolerance", "windowSeconds", "idle"];

    private readonly DetectorContext _context;
    private readonly double _tolerance;
    private readonly double _idle;
    private readonly long _window;
    private readonly long _longestPause;
    private bool _has;
    private double _min;
    private double _max;
    private long _since;
    private long _last;
    private bool _raised;

    // As published: it names the finding until it is cleared, so it does not move with the clock.
    private long _identity;

    public StuckDetector(DetectorContext context)
    {
        _context = context;
        var encoding = context.Point.Encoding;
        var step = !encoding.IsStepped || encoding.ScaleAt is not null ? 0 : Math.Abs((double)encoding.Scale);
        var periodSeconds = context.Point.Period.TotalSeconds;
        _tolerance = context.Number("tolerance", step);
        _idle = context.Number("idle", 0);

        // 30 samples and at least 5 minutes.
        _window = Math.Max(1, context.Milliseconds("windowSeconds", Math.Max(300, 30 * periodSeconds)));
        _longestPause = context.LongestPause;
    }

    public QualityReason Doubt => _raised ? QualityReason.Stuck : QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.HasValue)
        {
            return null;
        }

        var value = sample.Value;
        var time = sample.Time.UnixMilliseconds;
        var moves = !_has || Math.Max(_max, value) - Math.Min(_min, value) > _tolerance;
        if (moves || Math.Abs(value) <= _idle || time - _last > _longestPause)
        {
            return Restart(sample);
        }

        _min = Math.Min(_min, value);
        _max = Math.Max(_max, value);
        _last = time;
        if (_raised || time - _since < _window)
        {
            return null;
        }

        _raised = true;
        _identity = _since;
        var point = _context.Point;
        return _context.Record(true, _identity, sample.Time, Severity.Warning, value, _tolerance,
            $"{point.Id} of {_context.Device.Name} frozen at {Words.Quantity(value, point)} for {Words.Span(time - _since)} (moved by no more than {Words.Quantity(_max - _min, point)}). Likely: sensor or its line stuck, converter hung. Compare with a second instrument, restart the device.");
    }

    public void End(Instant now, IFeedSink sink)
    {
        if (_raised)
        {
            _raised = false;
            sink.Anomaly(_context.Ended(_identity, now, Severity.Warning));
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
        _since = reader.ReadInt64();
        _last = reader.ReadInt64();
        _raised = reader.ReadBoolean();
        _identity = reader.ReadInt64();
    }

    private AnomalyRecord? Restart(in Sample sample)
    {
        var time = sample.Time.UnixMilliseconds;
        var was = _raised;
        var since = _since;
        _has = true;
        _raised = false;
        _min = sample.Value;
        _max = sample.Value;
        _since = time;
        _last = time;
        return was
            ? _context.Record(false, _identity, sample.Time, Severity.Warning, sample.Value, _tolerance,
                $"{_context.Point.Id} of {_context.Device.Name} moves again, now {Words.Quantity(sample.Value, _context.Point)}, after {Words.Span(time - since)}.")
            : null;
    }
}
