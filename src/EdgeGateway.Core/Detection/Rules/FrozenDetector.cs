using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>A reading that stands still while another, which moves with the same process, does not.</summary>
/// <remarks>Both ranges are taken since the watched value last moved by more than its tolerance: no samples are kept.</remarks>
internal sealed class FrozenDetector : IDetector
{
    public static readonly string[] Keys = ["afterSeconds", "tolerance", "companionShare"];

    /// <summary>Key of the point that moves with the same process.</summary>
    public const string Companion = "companion";

    private readonly Rule _rule;
    private readonly DetectorContext _context;
    private readonly PointModel? _companion;
    private readonly long _age;
    private readonly long _after;
    private readonly long _longestPause;
    private readonly double _tolerance;
    private readonly double _share;
    private bool _has;
    private double _min;
    private double _max;
    private double _companionMin;
    private double _companionMax;
    private long _since;
    private long _last;
    private bool _raised;

    // As published: it names the finding until it is cleared, so it does not move with the clock.
    private long _identity;

    public FrozenDetector(Rule rule, DetectorContext context)
    {
        _rule = rule;
        _context = context;
        _companion = context.Other(Companion);
        _age = _companion is null ? 0 : DetectorContext.OldestOf(_companion);
        _after = Math.Max(1, context.Milliseconds("afterSeconds", Math.Max(900, 30 * context.Point.Period.TotalSeconds)));
        _longestPause = context.LongestPause;
        var encoding = context.Point.Encoding;
        _tolerance = context.Number("tolerance", !encoding.IsStepped || encoding.ScaleAt is not null ? 0 : Math.Abs((double)encoding.Scale));
        _share = Math.Abs(context.Number("companionShare", 0.05));
    }

    // The value cannot be trusted as soon as it stands still against its companion.
    public QualityReason Doubt => _raised ? QualityReason.Stuck : QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.HasValue || !InputTrack.IsPossible(sample.Value) || _companion is null
            || !_context.LastGood.TryGet(_companion.Index, sample.Time, _age, out var companion) || !InputTrack.IsPossible(companion))
        {
            return null;
        }

        var time = sample.Time.UnixMilliseconds;
        var moves = !_has || Math.Max(_max, sample.Value) - Math.Min(_min, sample.Value) > _tolerance;
        if (moves || time - _last > _longestPause || time < _last)
        {
            return Restart(sample, companion);
        }

        _min = Math.Min(_min, sample.Value);
        _max = Math.Max(_max, sample.Value);
        _companionMin = Math.Min(_companionMin, companion);
        _companionMax = Math.Max(_companionMax, companion);
        _last = time;
        var moved = _companionMax - _companionMin;
        if (_raised || time - _since < _after || !(moved > _share * Math.Max(Math.Abs(_companionMax), Math.Abs(_companionMin))))
        {
            return null;
        }

        _raised = true;
        _identity = _since;
        var point = _context.Point;
        var words = _rule.Words;
        return _context.Record(true, _identity, sample.Time, Severity.Warning, sample.Value, _tolerance,
            $"{words.Title} on {_context.Device.Name}: {point.Id} stands at {Words.Quantity(sample.Value, point)} for {Words.Span(time - _since)}, while {_companion.Id} moved from {Words.Quantity(_companionMin, _companion)} to {Words.Quantity(_companionMax, _companion)}. Likely: {words.Likely}. {words.Step}.");
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
        writer.Write(_companionMin);
        writer.Write(_companionMax);
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
        _companionMin = reader.ReadDouble();
        _companionMax = reader.ReadDouble();
        _since = reader.ReadInt64();
        _last = reader.ReadInt64();
        _raised = reader.ReadBoolean();
        _identity = reader.ReadInt64();
    }

    private AnomalyRecord? Restart(in Sample sample, double companion)
    {
        var time = sample.Time.UnixMilliseconds;
        var was = _raised;
        var since = _since;
        _has = true;
        _raised = false;
        _min = sample.Value;
        _max = sample.Value;
        _companionMin = companion;
        _companionMax = companion;
        _since = time;
        _last = time;
        return was
            ? _context.Record(false, _identity, sample.Time, Severity.Warning, sample.Value, _tolerance,
                $"{_context.Point.Id} of {_context.Device.Name} moves again, now {Words.Quantity(sample.Value, _context.Point)}, after {Words.Span(time - since)}.")
            : null;
    }
}
