using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>A reading that stands still while another, which moves with the same process, does not.</summary>
/// <remarks>Both ranges are taken since the watched value last moved by more than its tolerance: no samples are kept.</remarks>
internal sealed class FrozenDetector : StillDetector
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
    private readonly double _share;
    private double _companionMin;
    private double _companionMax;

    public FrozenDetector(Rule rule, DetectorContext context)
        : base(context, context.Number("tolerance", context.Step))
    {
        _rule = rule;
        _context = context;
        _companion = context.Other(Companion);
        _age = _companion is null ? 0 : DetectorContext.OldestOf(_companion);
        _after = Math.Max(1, context.Milliseconds("afterSeconds", Math.Max(900, 30 * context.Point.Period.TotalSeconds)));
        _longestPause = context.LongestPause;
        _share = Math.Abs(context.Number("companionShare", 0.05));
    }

    public override AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.HasValue || !InputTrack.IsPossible(sample.Value) || _companion is null
            || !_context.LastGood.TryGet(_companion.Index, sample.Time, _age, out var companion) || !InputTrack.IsPossible(companion))
        {
            return null;
        }

        var time = sample.Time.UnixMilliseconds;
        if (Moves(sample.Value) || time - Last > _longestPause || time < Last)
        {
            (_companionMin, _companionMax) = (companion, companion);
            return Restart(sample);
        }

        var stood = Stand(sample.Value, time);
        _companionMin = Math.Min(_companionMin, companion);
        _companionMax = Math.Max(_companionMax, companion);
        if (stood < _after || !(_companionMax - _companionMin > _share * Math.Max(Math.Abs(_companionMax), Math.Abs(_companionMin))))
        {
            return null;
        }

        var point = _context.Point;
        var words = _rule.Words;
        return Raise(
            sample,
            $"{words.Title} on {_context.Device.Name}: {point.Id} stands at {Words.Quantity(sample.Value, point)} for {Words.Span(stood)}, while {_companion.Id} moved from {Words.Quantity(_companionMin, _companion)} to {Words.Quantity(_companionMax, _companion)}. Likely: {words.Likely}. {words.Step}.");
    }

    protected override void SaveBeside(StateWriter writer)
    {
        writer.Write(_companionMin);
        writer.Write(_companionMax);
    }

    protected override void LoadBeside(ref StateReader reader)
    {
        _companionMin = reader.ReadDouble();
        _companionMax = reader.ReadDouble();
    }
}
