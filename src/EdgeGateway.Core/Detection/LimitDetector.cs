using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>A value beyond a limit: warning and alarm level on either side, with dead band, on-delay and off-delay.</summary>
internal sealed class LimitDetector : IDetector
{
    public static readonly string[] Settings = ["high", "highAlarm", "low", "lowAlarm", "hysteresis", "onDelaySeconds", "offDelaySeconds", "holdSeconds"];

    private readonly DetectorContext _context;
    private readonly double _high;
    private readonly double _highAlarm;
    private readonly double _low;
    private readonly double _lowAlarm;
    private readonly double _band;
    private TwoStage _above;
    private TwoStage _below;

    public LimitDetector(DetectorContext context)
    {
        _context = context;
        _highAlarm = context.Number("highAlarm", double.PositiveInfinity);
        _high = context.Number("high", _highAlarm);
        _lowAlarm = context.Number("lowAlarm", double.NegativeInfinity);
        _low = context.Number("low", _lowAlarm);
        _band = Math.Abs(context.Number("hysteresis", 0));

        // holdSeconds sets both delays; each can be set apart.
        var hold = context.Number("holdSeconds", 0);
        var on = context.Milliseconds("onDelaySeconds", hold);
        var off = context.Milliseconds("offDelaySeconds", hold);
        var pause = context.LongestPause;
        _above = new(new(on, off, pause), new(on, off, pause));
        _below = new(new(on, off, pause), new(on, off, pause));
    }

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if (!sample.Quality.IsGood && sample.Quality is not { HasValue: true, Reason: QualityReason.RateOfChange })
        {
            return null;
        }

        var value = sample.Value;
        var time = sample.Time.UnixMilliseconds;
        var stoodAbove = _above.Stands;
        if (_above.Look(value > _high, value <= _high - _band, value > _highAlarm, value <= _highAlarm - _band, time))
        {
            return Say(sample, _above, stoodAbove, "above", _high, _highAlarm);
        }

        var stoodBelow = _below.Stands;
        return _below.Look(value < _low, value >= _low + _band, value < _lowAlarm, value >= _lowAlarm + _band, time)
            ? Say(sample, _below, stoodBelow, "below", _low, _lowAlarm)
            : null;
    }

    public void End(Instant now, IFeedSink sink)
    {
        EndStage(ref _above, now, sink);
        EndStage(ref _below, now, sink);
    }

    public void Shift(long milliseconds)
    {
        _above.Shift(milliseconds);
        _below.Shift(milliseconds);
    }

    public void Save(StateWriter writer)
    {
        _above.Save(writer);
        _below.Save(writer);
    }

    public void Load(ref StateReader reader)
    {
        _above.Load(ref reader);
        _below.Load(ref reader);
    }

    private void EndStage(ref TwoStage stage, Instant now, IFeedSink sink)
    {
        var stood = stage.Stands;
        if (stage.Reset())
        {
            sink.Anomaly(_context.Ended(stage.Identity, now, stood));
        }
    }

    private AnomalyRecord Say(in Sample sample, in TwoStage stage, Severity stood, string side, double warning, double alarm)
    {
        var point = _context.Point;
        var limit = stage.Stands == Severity.Alarm || (stage.Stands == Severity.Note && stood == Severity.Alarm) ? alarm : warning;
        var span = Words.Span(sample.Time.UnixMilliseconds - stage.Since);
        var where = $"{point.Id} of {_context.Device.Name}";
        var value = Words.Quantity(sample.Value, point);
        var text = stage.Stands switch
        {
            Severity.Note => $"{where} is back at {value} after {span} {side} the limit of {Words.Quantity(limit, point)}.",
            Severity.Alarm => $"{where} {value}: {side} the alarm limit of {Words.Quantity(limit, point)}, for {span}. Likely: process out of its range, or the sensor. Check the plant first, then compare with a second instrument.",
            _ => $"{where} {value}: {side} the limit of {Words.Quantity(limit, point)}, for {span}. Likely: load or setting changed. Watch it and find the cause before the alarm limit.",
        };
        var severity = stage.Stands == Severity.Note ? stood : stage.Stands;
        return _context.Record(stage.Stands != Severity.Note, stage.Identity, sample.Time, severity, sample.Value, limit, text);
    }
}
