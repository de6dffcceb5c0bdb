using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>The growth of an energy register against the integral of the power beside it: scale, word order, transformer ratio, a register that stands.</summary>
/// <remarks>
/// Watches the power and reads the register. A window begins and ends at a reading of the register, lasts at least <c>windowSeconds</c> and until either side is worth 100
/// steps of the register, and begins anew after a pause, a fall of the register, or a power that another detector doubts (one that stands still was told already, and is no power).
/// Power that flows the other way is not in the register and counts as none.
/// </remarks>
internal sealed class EnergyDetector : IDetector
{
    public static readonly IReadOnlyList<string> Keys = ["warn", "alarm", "hysteresis", "windowSeconds"];

    /// <summary>Key of the register.</summary>
    public const string Energy = "energy";

    private const double LeastSteps = 100;
    private const double Far = 100;
    private const double MillisecondsPerHour = 3_600_000;

    private readonly DetectorContext _context;
    private readonly PointModel[] _points;
    private readonly double[] _raw = new double[2];
    private readonly double _watts;
    private readonly double _wattHours;
    private readonly double _step;
    private readonly long _window;
    private readonly long _energyAge;
    private readonly long _longestPause;
    private readonly RuleFinding _finding;
    private bool _started;
    private bool _open;
    private long _last;
    private double _power;
    private double _integral;
    private long _readAt;
    private long _begin;
    private double _beginEnergy;

    public EnergyDetector(Rule rule, DetectorContext context)
    {
        _context = context;
        var energy = context.Other(Energy) ?? throw new ArgumentException($"{rule.Name} on {context.Point.Id}: the point '{Energy}' is missing");
        _points = [context.Point, energy];
        _watts = (double)(Units.Find(context.Point.Unit)?.Factor ?? 1);
        _wattHours = (double)(Units.Find(energy.Unit)?.Factor ?? 1);
        _step = energy.Encoding.IsStepped && energy.Encoding.ScaleAt is null ? Math.Abs((double)energy.Encoding.Scale) : 0;
        _window = Math.Max(60_000, context.Milliseconds("windowSeconds", 3_600));
        _energyAge = DetectorContext.OldestOf(energy);
        _longestPause = context.LongestPause;
        _finding = new(rule, context, long.MaxValue);
    }

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.IsGood || !InputTrack.IsPossible(sample.Value * _watts))
        {
            return null;
        }

        var time = sample.Time.UnixMilliseconds;
        var power = Math.Max(0, sample.Value * _watts);
        var pause = time - _last;
        var mean = _started ? Between(_power, power) : power;
        if (!_started || pause < 0 || pause > _longestPause || IsDoubted(sample.Time))
        {
            _open = false;
            _started = true;
        }
        else
        {
            _integral += mean * pause;
        }

        _last = time;
        _power = power;
        if (!_context.LastGood.TryGet(_points[1].Index, sample.Time, _energyAge, out var energy, out var readAt) || !InputTrack.IsPossible(energy * _wattHours))
        {
            _open = false;
            return null;
        }

        if (_open && readAt == _readAt)
        {
            return null;
        }

        // The register was read a little before the power: what flowed since belongs to the next window.
        var after = mean * Math.Max(0, time - readAt);
        var counted = (energy - _beginEnergy) * _wattHours;
        _readAt = readAt;
        if (!_open || counted < 0)
        {
            return Begin(null, energy, after);
        }

        var flowed = (_integral - after) / MillisecondsPerHour;
        var worth = LeastSteps * _wattHours * Math.Max(_step, Math.Abs(energy) / (1 << 23));
        if (readAt - _begin < _window || !(Math.Max(counted, flowed) >= worth) || flowed <= 0)
        {
            return null;
        }

        _raw[0] = sample.Value;
        _raw[1] = energy;
        return Begin(_finding.Look(100 * Math.Abs((counted / flowed) - 1), sample, _points, _raw), energy, after);
    }

    public void End(Instant now, IFeedSink sink) => _finding.End(now, sink);

    public void Shift(long milliseconds)
    {
        _last += milliseconds;
        _readAt += milliseconds;
        _begin += milliseconds;
        _finding.Shift(milliseconds);
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_started);
        writer.Write(_open);
        writer.Write(_last);
        writer.Write(_power);
        writer.Write(_integral);
        writer.Write(_readAt);
        writer.Write(_begin);
        writer.Write(_beginEnergy);
        _finding.Save(writer);
    }

    public void Load(ref StateReader reader)
    {
        _started = reader.ReadBoolean();
        _open = reader.ReadBoolean();
        _last = reader.ReadInt64();
        _power = reader.ReadDouble();
        _integral = reader.ReadDouble();
        _readAt = reader.ReadInt64();
        _begin = reader.ReadInt64();
        _beginEnergy = reader.ReadDouble();
        _finding.Load(ref reader);
    }

    /// <summary>The mean of two powers; where one is a hundred times the other the lesser, so that one wild reading is no energy and a start costs half a period at most.</summary>
    private static double Between(double before, double now) =>
        Math.Max(before, now) > Far * Math.Min(before, now) ? Math.Min(before, now) : (before + now) / 2;

    /// <summary>Whether the last sample was doubted after it was seen here: the last good one is then an older one.</summary>
    private bool IsDoubted(Instant now) => _context.LastGood.TryGet(_context.Point.Index, now, long.MaxValue, out _, out var good) && good < _last;

    private AnomalyRecord? Begin(AnomalyRecord? record, double energy, double after)
    {
        _open = true;
        _begin = _readAt;
        _beginEnergy = energy;
        _integral = after;
        return record;
    }
}
