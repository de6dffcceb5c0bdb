using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>A value that changes faster than a stated limit, or much faster than it usually does.</summary>
/// <remarks>
/// The slope is the difference of two means over that of their time constants, so that one wild sample is none. Without <c>perMinute</c> the limit is <c>factor</c> times the
/// standard deviation of the slopes of the last day or so; what is beyond it is learned only up to the limit, so that a fault does not teach itself.
/// </remarks>
internal sealed class RateDetector : IDetector
{
    public static readonly string[] Keys = ["perMinute", "factor", "seconds", "minimum", "onDelaySeconds", "offDelaySeconds"];

    private const double MemorySeconds = 25 * 3_600;
    private const double LearnSeconds = 3_600;

    private readonly PointModel[] _points;
    private readonly double[] _raw = new double[1];
    private readonly double _limit;
    private readonly double _factor;
    private readonly double _minimum;
    private readonly double _quick;
    private readonly double _slow;
    private readonly long _longestPause;
    private readonly RuleFinding _finding;
    private InputTrack _track;
    private double _square;
    private double _seen;
    private double _learned;
    private bool _started;
    private long _last;

    public RateDetector(Rule rule, DetectorContext context)
    {
        _points = [context.Point];
        var period = context.Point.Period.TotalSeconds;
        _limit = Math.Abs(context.Number("perMinute", double.NaN)) / 60;
        _factor = Math.Abs(context.Number("factor", 6));
        _slow = Math.Max(context.Number("seconds", 60), 5 * Math.Max(period, 0.1));
        _quick = _slow / 5;
        _minimum = Math.Abs(context.Number("minimum", context.Point is { PlausibleMin: { } low, PlausibleMax: { } high } ? 0.01 * (high - low) : 0)) / 60;
        _longestPause = context.LongestPause;
        var on = context.Number("onDelaySeconds", 0);
        _finding = new(rule with { Warn = 1, WarnSeconds = on }, context with { Model = context.Model with { Settings = Without(context.Model.Settings) } }, _longestPause);
    }

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.HasValue || !InputTrack.IsPossible(sample.Value))
        {
            return null;
        }

        var time = sample.Time.UnixMilliseconds;
        var pause = time - _last;
        if (!_started || pause < 0 || pause > _longestPause)
        {
            // After a pause the slope is not known.
            _started = true;
            _last = time;
            _seen = 0;
            _track = default;
            _track.Take(sample.Value, 0, 0, 0);
            return _finding.Look(double.NaN, sample, _points, _raw);
        }

        _last = time;
        var seconds = pause / 1000.0;
        _seen += seconds;
        _track.Take(sample.Value, seconds / (_quick + seconds), seconds / (_slow + seconds), 0);
        if (_seen < _slow || _track.IsWild)
        {
            return null;
        }

        var slope = Math.Abs(_track.Quick - _track.Slow) / (_slow - _quick);
        var limit = double.IsNaN(_limit) ? Learned(slope, seconds) : _limit;
        _raw[0] = sample.Value;
        return _finding.Look(limit > 0 ? slope / limit : double.NaN, sample, _points, _raw);
    }

    public void End(Instant now, IFeedSink sink) => _finding.End(now, sink);

    public void Shift(long milliseconds)
    {
        _last += milliseconds;
        _finding.Shift(milliseconds);
    }

    public void Save(StateWriter writer)
    {
        _track.Save(writer);
        writer.Write(_square);
        writer.Write(_seen);
        writer.Write(_learned);
        writer.Write(_started);
        writer.Write(_last);
        _finding.Save(writer);
    }

    public void Load(ref StateReader reader)
    {
        _track.Load(ref reader);
        _square = reader.ReadDouble();
        _seen = reader.ReadDouble();
        _learned = reader.ReadDouble();
        _started = reader.ReadBoolean();
        _last = reader.ReadInt64();
        _finding.Load(ref reader);
    }

    private static Dictionary<string, double> Without(IReadOnlyDictionary<string, double> settings) =>
        settings.Where(s => s.Key == "offDelaySeconds").ToDictionary(s => s.Key, s => s.Value);

    /// <summary>The learned limit; NaN while too little was seen.</summary>
    private double Learned(double slope, double seconds)
    {
        var limit = Math.Max(_factor * Math.Sqrt(_square), _minimum);
        var isLearned = _learned >= LearnSeconds;
        var taken = isLearned ? Math.Min(slope, limit) : slope;
        _square += seconds / (Math.Min(_learned, MemorySeconds) + seconds + 1e-9) * ((taken * taken) - _square);
        _learned = Math.Min(_learned + seconds, MemorySeconds);
        return isLearned ? limit : double.NaN;
    }
}
