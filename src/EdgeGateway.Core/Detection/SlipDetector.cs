using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>Belt slip: slip = 1 - belt speed / drive speed. Watches the belt's speed and reads the drive's.</summary>
/// <remarks>
/// Silent below the minimum drive speed, and while the drive's value is older than three of its periods. The drive's value is multiplied
/// by <c>ratio</c> (belt speed for one unit of the drive's value), so that a drive may be read in Hz or rpm.
/// </remarks>
internal sealed class SlipDetector : IDetector
{
    /// <summary>Key of the drive's point.</summary>
    public const string Drive = "drive";

    public static readonly string[] Settings =
        ["ratio", "minimumSpeed", "warnPercent", "warnSeconds", "alarmPercent", "alarmSeconds", "hysteresisPercent", "offDelaySeconds"];

    private readonly DetectorContext _context;
    private readonly PointModel _drive;
    private readonly long _maxAge;
    private readonly double _ratio;
    private readonly double _minimum;
    private readonly double _warn;
    private readonly double _alarm;
    private readonly double _band;
    private TwoStage _slip;

    public SlipDetector(DetectorContext context)
    {
        _context = context;
        _drive = context.Other(Drive) ?? throw new ArgumentException($"slip on {context.Point.Id}: the drive's point is missing");
        _maxAge = DetectorContext.OldestOf(_drive);
        _ratio = context.Number("ratio", 1);
        _minimum = context.Number("minimumSpeed", 0.1);
        _warn = context.Number("warnPercent", 5) / 100;
        _alarm = context.Number("alarmPercent", 10) / 100;
        _band = context.Number("hysteresisPercent", 1) / 100;
        var off = context.Milliseconds("offDelaySeconds", 5);
        var pause = context.LongestPause;
        _slip = new(new(context.Milliseconds("warnSeconds", 5), off, pause), new(context.Milliseconds("alarmSeconds", 2), off, pause));
    }

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.IsGood || !_context.LastGood.TryGet(_drive.Index, sample.Time, _maxAge, out var driveValue))
        {
            return null;
        }

        var drive = driveValue * _ratio;
        var belt = sample.Value;
        var stood = _slip.Stands;
        if (!(drive >= _minimum) || drive <= 0)
        {
            return _slip.Reset()
                ? _context.Record(false, _slip.Identity, sample.Time, stood, belt, double.NaN, $"Belt slip on {_context.Device.Name} ended: drive stopped or below {Words.Quantity(_minimum, _context.Point)}.")
                : null;
        }

        var slip = 1 - (belt / drive);
        return _slip.Look(slip > _warn, slip <= _warn - _band, slip > _alarm, slip <= _alarm - _band, sample.Time.UnixMilliseconds)
            ? Say(sample, stood, slip, drive)
            : null;
    }

    public void End(Instant now, IFeedSink sink)
    {
        var stood = _slip.Stands;
        if (_slip.Reset())
        {
            sink.Anomaly(_context.Ended(_slip.Identity, now, stood));
        }
    }

    public void Shift(long milliseconds) => _slip.Shift(milliseconds);

    public void Save(StateWriter writer) => _slip.Save(writer);

    public void Load(ref StateReader reader) => _slip.Load(ref reader);

    private AnomalyRecord Say(in Sample sample, Severity stood, double slip, double drive)
    {
        var point = _context.Point;
        var speeds = $"drive {Words.Quantity(drive, point)}, belt {Words.Quantity(sample.Value, point)}";
        var span = Words.Span(sample.Time.UnixMilliseconds - _slip.Since);
        var raised = _slip.Stands != Severity.Note;
        var limit = (_slip.Stands == Severity.Note ? stood : _slip.Stands) == Severity.Alarm ? _alarm : _warn;
        var text = raised
            ? $"Belt slip {Words.Percent(slip)} on {_context.Device.Name} (limit {Words.Percent(limit)}): {speeds}, for {span}. Likely: wet lagging, low tension, overload. {(_slip.Stands == Severity.Alarm ? "Stop loading, check the take-up." : "Reduce the load, check the take-up.")}"
            : $"Belt on {_context.Device.Name} runs with the drive again: slip {Words.Percent(slip)}, {speeds}, after {span}.";

        // Value and limit as belt speeds: the record speaks in the point's unit.
        return _context.Record(raised, _slip.Identity, sample.Time, raised ? _slip.Stands : stood, sample.Value, drive * (1 - limit), text);
    }
}
