using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Detection;

/// <summary>A bit by which the device itself says that something is wrong: over voltage, pull-cord drawn, density low.</summary>
/// <remarks>Each bit has a detector of its own, <c>flag-3</c>, so that two bits of one word that come in the same second are two findings.</remarks>
internal sealed class FlagDetector : HeldDetector
{
    public static readonly string[] Settings = ["bit", "severity", "opens", "holdSeconds"];

    private readonly DetectorContext _context;
    private readonly int _bit;
    private readonly bool _opens;

    public FlagDetector(DetectorContext context)
        : this(context, (int)Math.Clamp(context.Number("bit", 0), 0, 63), context.Milliseconds("holdSeconds", 0))
    {
    }

    private FlagDetector(DetectorContext context, int bit, long hold)
        : this(context with { Model = context.Model with { Name = $"{context.Model.Name}-{bit}" } }, bit, new DelayedCondition(hold, hold, context.LongestPause))
    {
    }

    private FlagDetector(DetectorContext context, int bit, DelayedCondition held)
        : base(context, context.Number("severity", 1) >= 2 ? Severity.Alarm : Severity.Warning, held) =>
        (_context, _bit, _opens) = (context, bit, context.Number("opens", 0) != 0);

    public override AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.HasValue)
        {
            return null;
        }

        var isSet = ((sample.Raw >> _bit) & 1) != 0;
        if (!Changes(isSet != _opens, isSet == _opens, sample.Time, out var isRaised))
        {
            return null;
        }

        var what = $"{_context.Model.Title ?? $"bit {_bit}"}: {_context.Point.Id} of {_context.Device.Name}, bit {_bit} is {(isSet ? 1 : 0)}";
        return Record(
            isRaised,
            sample,
            double.NaN,
            isRaised
                ? $"{what}. The device itself reports it: look at its display and at what it watches."
                : $"{what} again, after {Words.Span(sample.Time.UnixMilliseconds - Began)}.");
    }
}
