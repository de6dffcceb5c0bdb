using System.Globalization;
using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>The finding of a rule: a number held against a warning and an alarm limit with delays and dead band, and said in the rule's words.</summary>
internal sealed class RuleFinding
{
    private const int MostInputs = 6;

    private readonly Rule _rule;
    private readonly DetectorContext _context;
    private readonly double _warn;
    private readonly double _alarm;
    private readonly double _band;
    private TwoStage _stage;

    public RuleFinding(Rule rule, DetectorContext context, long longestPause)
    {
        _rule = rule;
        _context = context;

        // One direction inside: what is wrong below is turned round.
        _warn = Turned(context.Number("warn", rule.Warn));
        _alarm = Turned(context.Number("alarm", rule.Alarm));
        _band = Math.Abs(context.Number("hysteresis", rule.Hysteresis));
        var off = context.Milliseconds("offDelaySeconds", rule.OffSeconds);
        _stage = new(
            new(context.Milliseconds("warnSeconds", rule.WarnSeconds), off, longestPause),
            new(context.Milliseconds("alarmSeconds", rule.AlarmSeconds), off, longestPause));
    }

    /// <summary>True while the finding stands.</summary>
    public bool Stands => _stage.Stands != Severity.Note;

    /// <summary>Whether a number is beyond the lower of the limits, delays apart.</summary>
    public bool IsBeyond(double number) => Turned(number) > (double.IsNaN(_warn) ? _alarm : double.IsNaN(_alarm) ? _warn : Math.Min(_warn, _alarm));

    /// <summary>Takes one look; NaN: the rule does not apply, a finding that stands ends.</summary>
    /// <param name="number">The number, in the unit of the words.</param>
    /// <param name="sample">The sample that was judged.</param>
    /// <param name="points">The points that it was computed from.</param>
    /// <param name="values">Their values, each in the unit of its point.</param>
    public AnomalyRecord? Look(double number, in Sample sample, IReadOnlyList<PointModel> points, ReadOnlySpan<double> values)
    {
        var turned = Turned(number);
        var none = double.IsNaN(turned);
        var stood = _stage.Stands;

        // A stage without a limit compares with NaN: never on, always off.
        return _stage.Look(turned > _warn, none || !(turned > _warn - _band), turned > _alarm, none || !(turned > _alarm - _band), sample.Time.UnixMilliseconds)
            ? Say(number, sample, stood, points, values)
            : null;
    }

    public void End(Instant now, IFeedSink sink)
    {
        var stood = _stage.Stands;
        if (_stage.Reset())
        {
            sink.Anomaly(_context.Ended(_stage.Identity, now, stood));
        }
    }

    public void Shift(long milliseconds) => _stage.Shift(milliseconds);

    public void Save(StateWriter writer) => _stage.Save(writer);

    public void Load(ref StateReader reader) => _stage.Load(ref reader);

    private double Turned(double number) => _rule.Below ? -number : number;

    private AnomalyRecord Say(double number, in Sample sample, Severity stood, IReadOnlyList<PointModel> points, ReadOnlySpan<double> values)
    {
        var raised = Stands;
        var severity = raised ? _stage.Stands : stood;
        var limit = Turned(severity == Severity.Alarm ? _alarm : _warn);
        var words = _rule.Words;
        var span = Words.Span(sample.Time.UnixMilliseconds - _stage.Since);
        var text = new StringBuilder(256).Append(words.Title).Append(" on ").Append(_context.Device.Name);
        if (raised)
        {
            text.Append(": ").Append(words.Quantity).Append(' ').Append(With(number)).Append(" (limit ").Append(With(limit)).Append("), for ").Append(span);
            AddInputs(text, points, values);
            text.Append(CultureInfo.InvariantCulture, $". Likely: {words.Likely}. {words.Step}.");
        }
        else
        {
            text.Append(" is over after ").Append(span);
            if (!double.IsNaN(number))
            {
                text.Append(": ").Append(words.Quantity).Append(' ').Append(With(number));
            }

            text.Append('.');
        }

        // The record speaks in the unit of its point; the number and its limit, in a unit of their own, stand in the text.
        return _context.Record(raised, _stage.Identity, sample.Time, severity, sample.Value, double.NaN, text.ToString());
    }

    private string With(double number) => _rule.Words.Unit.Length > 0 ? $"{Words.Figure(number)} {_rule.Words.Unit}" : Words.Figure(number);

    private void AddInputs(StringBuilder text, IReadOnlyList<PointModel> points, ReadOnlySpan<double> values)
    {
        for (var i = 0; i < Math.Min(points.Count, MostInputs); i++)
        {
            if (double.IsNaN(values[i]))
            {
                continue;
            }

            var point = points[i];
            var owner = point.DeviceIndex == _context.Point.DeviceIndex ? "" : $"{_context.Site.Devices[point.DeviceIndex].Name} ";
            text.Append(i == 0 ? "; " : ", ").Append(owner).Append(point.Id).Append(' ').Append(Words.Quantity(values[i], point));
        }
    }
}
