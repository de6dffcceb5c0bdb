using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>
/// A single value far from both its neighbours, judged one sample late: |x[t-1] - (x[t] + x[t-2])/2| &gt; max(factor x 1.4826 x MAD of the
/// last 31 differences, minimum). A note, told once in a quiet time; the value is not dropped.
/// </summary>
internal sealed class SpikeDetector : IDetector
{
    public static readonly string[] Settings = ["factor", "minimum", "quietSeconds"];

    private const int Memory = 31;
    private const int Enough = 8;
    private const double ShareOfSpan = 0.03;
    private const double ShareOfRating = 0.1;

    private readonly DetectorContext _context;
    private readonly double _factor;
    private readonly double? _minimum;
    private readonly long _quiet;
    private readonly long _longestPause;
    private readonly double[] _differences = new double[Memory];
    private readonly double[] _sorted = new double[Memory];
    private int _count;
    private int _next;
    private double _before;
    private double _previous;
    private long _previousTime;
    private int _have;
    private double _min = double.PositiveInfinity;
    private double _max = double.NegativeInfinity;
    private long _untold;
    private bool _told;
    private long _toldAt;

    public SpikeDetector(DetectorContext context)
    {
        _context = context;
        _factor = context.Number("factor", 4);
        _quiet = context.Milliseconds("quietSeconds", 600);
        _longestPause = context.LongestPause;
        _minimum = context.Model.Settings.TryGetValue("minimum", out var given) ? given
            : LeastOf(context);
    }

    /// <summary>
    /// What matters at this point: a share of what its profile finds plausible. That is as wide as the largest meter of the model, so where the device states its rated power a power spike
    /// matters from a tenth of that on.
    /// </summary>
    private static double? LeastOf(DetectorContext context)
    {
        var least = context.Point is { PlausibleMin: { } low, PlausibleMax: { } high } ? ShareOfSpan * (high - low) : (double?)null;
        return context.Device.RatedPowerWatts is { } rated && Units.Find(context.Point.Unit) is { Dimension: Dimension.ActivePower } unit
            ? Math.Min(least ?? double.PositiveInfinity, ShareOfRating * rated / (double)unit.Factor)
            : least;
    }

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.HasValue)
        {
            _have = 0;
            return null;
        }

        var value = sample.Value;
        var time = sample.Time.UnixMilliseconds;
        if (_have > 0 && time - _previousTime > _longestPause)
        {
            _have = 0;
        }

        AnomalyRecord? record = null;
        if (_have == 2 && _count >= Enough)
        {
            record = Judge(value, sample.Time);
        }

        if (_have > 0)
        {
            _differences[_next] = value - _previous;
            _next = (_next + 1) % Memory;
            _count = Math.Min(_count + 1, Memory);
        }

        _min = Math.Min(_min, value);
        _max = Math.Max(_max, value);
        _before = _previous;
        _previous = value;
        _previousTime = time;
        _have = Math.Min(_have + 1, 2);
        return record;
    }

    // Its findings are notes: nothing stands.
    public void End(Instant now, IFeedSink sink)
    {
    }

    public void Shift(long milliseconds)
    {
        _previousTime += milliseconds;
        _toldAt += milliseconds;
    }

    public void Save(StateWriter writer)
    {
        foreach (var difference in _differences)
        {
            writer.Write(difference);
        }

        writer.Write(_count);
        writer.Write(_next);
        writer.Write(_before);
        writer.Write(_previous);
        writer.Write(_previousTime);
        writer.Write(_have);
        writer.Write(_min);
        writer.Write(_max);
        writer.Write(_untold);
        writer.Write(_told);
        writer.Write(_toldAt);
    }

    public void Load(ref StateReader reader)
    {
        foreach (ref var difference in _differences.AsSpan())
        {
            difference = reader.ReadDouble();
        }

        _count = Math.Clamp(reader.ReadInt32(), 0, Memory);
        _next = Math.Clamp(reader.ReadInt32(), 0, Memory - 1);
        _before = reader.ReadDouble();
        _previous = reader.ReadDouble();
        _previousTime = reader.ReadInt64();
        _have = reader.ReadInt32();
        _min = reader.ReadDouble();
        _max = reader.ReadDouble();
        _untold = reader.ReadInt64();
        _told = reader.ReadBoolean();
        _toldAt = reader.ReadInt64();
    }

    private AnomalyRecord? Judge(double value, Instant now)
    {
        var deviation = Math.Abs(_previous - ((value + _before) / 2));
        var least = _minimum ?? ShareOfSpan * (_max - _min);

        // A step has the same deviation; a spike comes back.
        if (deviation <= least || Math.Abs(value - _before) > deviation / 2)
        {
            return null;
        }

        var limit = Math.Max(_factor * 1.4826 * MedianAbsoluteDeviation(), least);
        if (deviation <= limit)
        {
            return null;
        }

        _untold++;
        if (_told && now.UnixMilliseconds - _toldAt < _quiet)
        {
            return null;
        }

        var more = _untold > 1 ? $" {_untold} such jumps since the last note." : "";
        _told = true;
        _toldAt = now.UnixMilliseconds;
        _untold = 0;
        var point = _context.Point;
        return _context.Record(true, _previousTime, now, Severity.Note, _previous, limit,
            $"{point.Id} of {_context.Device.Name}: single jump from {Words.Quantity(_before, point)} to {Words.Quantity(_previous, point)}, back at once at {Words.Quantity(value, point)}.{more} Likely: electrical noise, loose contact, disturbed reply. Check shield and terminals if it repeats.");
    }

    private double MedianAbsoluteDeviation()
    {
        var sorted = _sorted.AsSpan(0, _count);
        _differences.AsSpan(0, _count).CopyTo(sorted);
        sorted.Sort();
        var median = sorted[_count / 2];
        foreach (ref var difference in sorted)
        {
            difference = Math.Abs(difference - median);
        }

        sorted.Sort();
        return sorted[_count / 2];
    }
}
