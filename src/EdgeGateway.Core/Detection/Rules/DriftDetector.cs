using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>A slow drift: the cumulative sum of block means against the point's own reference, or against another point that measures the same.</summary>
/// <remarks>
/// Means of blocks (an hour) rather than samples, which depend on each other. The reference and its scatter are learned from the first blocks and then stand: a
/// reference that followed would follow the drift. S = max(0, S + e/s - 0.5) on either side, a finding at 8 (average run length without a fault: far above a million blocks,
/// if blocks are independent), cleared at half of it.
/// </remarks>
internal sealed class DriftDetector : IDetector
{
    public static readonly string[] Keys = ["blockSeconds", "learnBlocks", "minimum", "threshold"];

    /// <summary>Key of a point that measures the same; without it the point's own beginning is the reference.</summary>
    public const string Twin = "twin";

    private const double Slack = 0.5;
    private const double LeastCoverage = 0.5;
    private const double MostOfOneBlock = 4;

    /// <summary>A block of at least so many values does without its two outermost.</summary>
    private const int Trimmed = 10;

    /// <summary>A block whose mean is so many times larger than those before holds a reading that was none.</summary>
    private const double Far = 100;

    /// <summary>So many blocks say how large the others may be.</summary>
    private const int SureBlocks = 3;

    private readonly Rule _rule;
    private readonly DetectorContext _context;
    private readonly Site.PointModel? _twin;
    private readonly long _twinAge;
    private readonly long _block;
    private readonly long _longestPause;
    private readonly int _learn;
    private readonly double _minimum;
    private readonly double _threshold;
    private bool _started;
    private long _begin;
    private long _last;
    private double _heard;
    private double _sum;
    private double _least;
    private double _most;
    private int _count;
    private int _blocks;
    private double _reference;
    private double _squares;
    private double _up;
    private double _down;
    private bool _raised;
    private long _identity;

    public DriftDetector(Rule rule, DetectorContext context)
    {
        _rule = rule;
        _context = context;
        _twin = context.Other(Twin);
        _twinAge = _twin is null ? 0 : DetectorContext.OldestOf(_twin);
        _block = Math.Max(1_000, context.Milliseconds("blockSeconds", Math.Max(3_600, 30 * context.Point.Period.TotalSeconds)));
        _longestPause = context.LongestPause;
        _learn = (int)Math.Clamp(context.Number("learnBlocks", 24), 5, 10_000);
        _minimum = Math.Abs(context.Number("minimum", context.Point is { PlausibleMin: { } low, PlausibleMax: { } high } ? 0.002 * (high - low) : 0));
        _threshold = Math.Max(1, context.Number("threshold", 8));
    }

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.IsGood || !InputTrack.IsPossible(sample.Value))
        {
            return null;
        }

        var value = sample.Value;
        if (_twin is not null)
        {
            if (!_context.LastGood.TryGet(_twin.Index, sample.Time, _twinAge, out var twin) || !InputTrack.IsPossible(twin))
            {
                return null;
            }

            value -= twin;
        }

        var time = sample.Time.UnixMilliseconds;
        if (!_started || time < _begin)
        {
            Begin(time);
        }

        AnomalyRecord? record = null;
        if (time - _begin >= _block)
        {
            // A block that was hardly heard, or that a pause stretched, says nothing.
            record = _count > 0 && _heard >= LeastCoverage * _block ? Close(Mean(), sample) : null;
            Begin(time);
        }

        var pause = time - _last;
        _heard += _count > 0 && pause > 0 && pause <= _longestPause ? pause : 0;
        _last = time;
        _sum += value;
        _least = _count == 0 ? value : Math.Min(_least, value);
        _most = _count == 0 ? value : Math.Max(_most, value);
        _count++;
        return record;
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
        _begin += milliseconds;
        _last += milliseconds;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_started);
        writer.Write(_begin);
        writer.Write(_last);
        writer.Write(_heard);
        writer.Write(_sum);
        writer.Write(_least);
        writer.Write(_most);
        writer.Write(_count);
        writer.Write(_blocks);
        writer.Write(_reference);
        writer.Write(_squares);
        writer.Write(_up);
        writer.Write(_down);
        writer.Write(_raised);
        writer.Write(_identity);
    }

    public void Load(ref StateReader reader)
    {
        _started = reader.ReadBoolean();
        _begin = reader.ReadInt64();
        _last = reader.ReadInt64();
        _heard = reader.ReadDouble();
        _sum = reader.ReadDouble();
        _least = reader.ReadDouble();
        _most = reader.ReadDouble();
        _count = reader.ReadInt32();
        _blocks = reader.ReadInt32();
        _reference = reader.ReadDouble();
        _squares = reader.ReadDouble();
        _up = reader.ReadDouble();
        _down = reader.ReadDouble();
        _raised = reader.ReadBoolean();
        _identity = reader.ReadInt64();
    }

    private void Begin(long time)
    {
        _started = true;
        _begin = time;
        _last = time;
        _heard = 0;
        _sum = 0;
        _count = 0;
    }

    /// <summary>The mean of a block without its lowest and its highest value: one garbled reading is no part of it.</summary>
    private double Mean() => _count >= Trimmed ? (_sum - _least - _most) / (_count - 2) : _sum / _count;

    private AnomalyRecord? Close(double mean, in Sample sample)
    {
        if (_blocks < _learn)
        {
            // A block with a wild reading in it would be the reference, and the scatter, for good.
            var usual = Math.Abs(_reference) + Math.Sqrt(_squares / Math.Max(1, _blocks)) + _minimum;
            if (_blocks is > 0 and < SureBlocks && Far * (Math.Abs(mean) + _minimum) < usual)
            {
                (_blocks, _reference, _squares) = (0, 0, 0);
            }
            else if (_blocks >= SureBlocks && usual > 0 && Math.Abs(mean) > Far * usual)
            {
                return null;
            }

            _blocks++;
            var before = mean - _reference;
            _reference += before / _blocks;
            _squares += before * (mean - _reference);
            return null;
        }

        // What the first blocks scattered by; never less than what matters.
        var scatter = Math.Max(Math.Sqrt(_squares / (_learn - 1)), _minimum);
        var off = mean - _reference;
        if (scatter <= 0)
        {
            // A reference that never moved: any change is a change of setting, not a drift.
            return null;
        }

        // One wild block is no drift.
        var step = Math.Clamp(off / scatter, -MostOfOneBlock, MostOfOneBlock);
        _up = Math.Min(Math.Max(0, _up + step - Slack), 2 * _threshold);
        _down = Math.Min(Math.Max(0, _down - step - Slack), 2 * _threshold);
        var largest = Math.Max(_up, _down);
        if (!_raised && largest >= _threshold)
        {
            _raised = true;
            _identity = sample.Time.UnixMilliseconds;
            var point = _context.Point;
            var against = _twin is null ? $"its own reference of {Words.Quantity(_reference, point)}" : $"its twin {_context.Site.Devices[_twin.DeviceIndex].Name} {_twin.Id}";
            return _context.Record(true, _identity, sample.Time, Severity.Warning, sample.Value, double.NaN,
                $"{_rule.Words.Title} on {_context.Device.Name}: {point.Id} lies {Words.Quantity(Math.Abs(_twin is null ? off : mean), point)} {(off > 0 ? "above" : "below")} {against}, usual scatter {Words.Quantity(scatter, point)}. Likely: {_rule.Words.Likely}. {_rule.Words.Step}.");
        }

        if (_raised && largest < _threshold / 2)
        {
            _raised = false;
            return _context.Record(false, _identity, sample.Time, Severity.Warning, sample.Value, double.NaN,
                $"{_rule.Words.Title} on {_context.Device.Name} is over: {_context.Point.Id} is back at its reference.");
        }

        return null;
    }
}
