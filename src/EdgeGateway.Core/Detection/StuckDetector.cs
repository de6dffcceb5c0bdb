using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Detection;

/// <summary>A signal that no longer moves: its whole range since some time ago is within the tolerance. Throws doubt on the samples.</summary>
/// <remarks>
/// The range is taken since the last movement rather than over a sliding window, which needs no memory of samples and finds a frozen
/// signal at the same moment. Values at or below <c>idle</c> in size are not judged: what is off stands still.
/// </remarks>
internal sealed class StuckDetector : StillDetector
{
    public static readonly string[] Settings = ["tolerance", "windowSeconds", "idle"];

    private readonly DetectorContext _context;
    private readonly double _idle;
    private readonly long _window;
    private readonly long _longestPause;

    public StuckDetector(DetectorContext context)
        : base(context, context.Number("tolerance", context.Step))
    {
        _context = context;
        _idle = context.Number("idle", 0);

        // 30 samples and at least 5 minutes.
        _window = Math.Max(1, context.Milliseconds("windowSeconds", Math.Max(300, 30 * context.Point.Period.TotalSeconds)));
        _longestPause = context.LongestPause;
    }

    public override AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.HasValue)
        {
            return null;
        }

        var value = sample.Value;
        var time = sample.Time.UnixMilliseconds;
        if (Moves(value) || Math.Abs(value) <= _idle || time - Last > _longestPause)
        {
            return Restart(sample);
        }

        var stood = Stand(value, time);
        var point = _context.Point;
        return stood < _window ? null : Raise(
            sample,
            $"{point.Id} of {_context.Device.Name} frozen at {Words.Quantity(value, point)} for {Words.Span(stood)} (moved by no more than {Words.Quantity(Moved, point)}). Likely: sensor or its line stuck, converter hung. Compare with a second instrument, restart the device.");
    }
}
