using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Detection;

/// <summary>A value that stays outside the plausible range: not the process but its measurement has failed, as a 4-20 mA transmitter says with 3.6 or 21 mA (NAMUR NE 43).</summary>
/// <remarks>Limits of the process do not judge such values, and a single one is a glitch that its quality tells of.</remarks>
internal sealed class RangeDetector : HeldDetector
{
    public const string Name = "range";

    public static readonly string[] Settings = ["severity", "holdSeconds"];

    private readonly DetectorContext _context;

    public RangeDetector(DetectorContext context)
        : this(context, context.Milliseconds("holdSeconds", DefaultHoldSeconds))
    {
    }

    private RangeDetector(DetectorContext context, long hold)
        : base(context, context.Number("severity", 1) >= 2 ? Severity.Alarm : Severity.Warning, new(hold, hold)) => _context = context;

    /// <summary>The time for which NAMUR NE 43 lets a failure signal stand before it counts.</summary>
    public const double DefaultHoldSeconds = 4;

    public override AnomalyRecord? Observe(in Sample sample)
    {
        var isBeyond = sample.Quality is { HasValue: true, Reason: QualityReason.OutOfRange };
        if ((!isBeyond && !sample.Quality.IsGood) || !Changes(isBeyond, !isBeyond, sample.Time, out var isRaised))
        {
            return null;
        }

        var point = _context.Point;
        var isBelow = sample.Value < point.PlausibleMin;
        var limit = (isBelow ? point.PlausibleMin : point.PlausibleMax) ?? double.NaN;
        var where = $"{point.Id} of {_context.Device.Name}";
        var span = Words.Span(sample.Time.UnixMilliseconds - Began);
        var text = isRaised
            ? $"{where} {Words.Quantity(sample.Value, point)}: {(isBelow ? "below" : "above")} all that is plausible ({Words.Quantity(limit, point)}), for {span}. Likely: the sensor, its wiring or its scaling has failed. Check supply and wires, then compare with a second instrument."
            : $"{where} is plausible again at {Words.Quantity(sample.Value, point)}, after {span}.";
        return Record(isRaised, sample, isRaised ? limit : double.NaN, text);
    }
}
