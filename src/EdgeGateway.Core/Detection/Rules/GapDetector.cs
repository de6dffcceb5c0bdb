using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>A point without a value: its samples say why there is none, or they do not come at all.</summary>
/// <remarks>
/// While samples come without a value, the finding is raised after <c>afterSeconds</c>. When none came at all nobody could look: the pause is told as a note by
/// the first sample after it. What a silent device lacks (reasons of the wire) is told once, by its state, unless <c>wire</c> is 1.
/// </remarks>
internal sealed class GapDetector : IDetector
{
    public static readonly string[] Keys = ["afterSeconds", "wire"];

    private const double LeastSeconds = 30;

    private readonly Rule _rule;
    private readonly DetectorContext _context;
    private readonly long _after;
    private readonly bool _wire;
    private bool _has;
    private double _value;
    private long _lastGood;
    private long _last;
    private bool _raised;

    // As published: it names the finding until it is cleared, so it does not move with the clock.
    private long _identity;

    public GapDetector(Rule rule, DetectorContext context)
    {
        _rule = rule;
        _context = context;
        _wire = context.Number("wire", 0) != 0;
        _after = context.Milliseconds("afterSeconds", Math.Max(LeastSeconds, 3 * context.Point.Period.TotalSeconds));
    }

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        var time = sample.Time.UnixMilliseconds;
        var pause = _has ? time - _last : 0;
        _last = _has ? Math.Max(_last, time) : time;
        if (sample.Quality.HasValue)
        {
            var record = _raised ? Clear(sample, time) : _has && pause > _after ? Note(sample, pause) : null;
            _has = true;
            _raised = false;
            _value = sample.Value;
            _lastGood = time;
            return record;
        }

        // Before the first value nothing is missing yet; a device that is silent says so by its state.
        if (!_has || _raised || time - _lastGood < _after || (!_wire && IsOfWire(sample.Quality.Reason)))
        {
            return null;
        }

        _raised = true;
        _identity = _lastGood;
        var words = _rule.Words;
        return _context.Record(true, _identity, sample.Time, Severity.Warning, double.NaN, double.NaN,
            $"{words.Title} on {_context.Device.Name}: {_context.Point.Id} has no value for {Words.Span(time - _lastGood)} ({sample.Quality.Reason}; last {Words.Quantity(_value, _context.Point)}). Likely: {words.Likely}. {words.Step}.");
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
        _lastGood += milliseconds;
        _last += milliseconds;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_has);
        writer.Write(_value);
        writer.Write(_lastGood);
        writer.Write(_last);
        writer.Write(_raised);
        writer.Write(_identity);
    }

    public void Load(ref StateReader reader)
    {
        _has = reader.ReadBoolean();
        _value = reader.ReadDouble();
        _lastGood = reader.ReadInt64();
        _last = reader.ReadInt64();
        _raised = reader.ReadBoolean();
        _identity = reader.ReadInt64();
    }

    private static bool IsOfWire(QualityReason reason) => reason is >= QualityReason.NotConnected and <= QualityReason.WrongReply or QualityReason.BusStopped;

    private AnomalyRecord Clear(in Sample sample, long time) => _context.Record(false, _identity, sample.Time, Severity.Warning, sample.Value, double.NaN,
        $"{_context.Point.Id} of {_context.Device.Name} has a value again, {Words.Quantity(sample.Value, _context.Point)}, after {Words.Span(time - _lastGood)}.");

    private AnomalyRecord Note(in Sample sample, long pause) => _context.Record(true, sample.Time.UnixMilliseconds - pause, sample.Time, Severity.Note, sample.Value, double.NaN,
        $"{_context.Point.Id} of {_context.Device.Name} was not read for {Words.Span(pause)} (before {Words.Quantity(_value, _context.Point)}, now {Words.Quantity(sample.Value, _context.Point)}).");
}
