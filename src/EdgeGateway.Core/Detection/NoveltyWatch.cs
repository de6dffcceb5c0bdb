using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>The <see cref="NoveltyDetector"/> on a point: what the point has not done lately, as rarely as the device's alarm budget asks.</summary>
/// <remarks>
/// Fast points are judged by their means of five minutes, slow ones by each value. Only good samples count, and those whose only doubt is their rate of change; five minutes of which
/// less than half was measured are passed over. Nothing is said while too little is known. <c>docs/novelty.md</c> says what it sees and what it cannot.
/// </remarks>
internal sealed class NoveltyWatch : IDetector
{
    /// <summary>Name in the table of detectors.</summary>
    public const string Name = "novelty";

    /// <summary>Acceptable false alarms a day of this point alone; without it the point shares the budget of its device.</summary>
    public const string Budget = "falseAlarmsPerDay";

    /// <summary>1: the detector in its lean setting.</summary>
    public const string Lean = "lean";

    public static readonly string[] Settings = [Budget, Lean];

    private const long BarMs = 300_000;
    private const long WeekMs = 7 * 86_400_000L;

    /// <summary>So long nothing is said: what begins knows neither its tail nor its hours, and would cry more often than later.</summary>
    private const long SilentMs = 2 * 86_400_000L;

    /// <summary>So many values that are not unusual end a finding.</summary>
    private const int CalmValues = 24;

    private readonly DetectorContext _context;
    private readonly NoveltySettings _settings;
    private readonly AlarmBudget _budget;

    // Time that a judged value stands for, and samples that must be in it; no bars for slow points.
    private readonly long _step;
    private readonly bool _hasBars;
    private readonly int _enough;
    private NoveltyDetector _detector;
    private long _bar;
    private double _sum;
    private int _inBar;
    private long _learntSince;
    private Severity _stands;
    private long _since;

    // Of the value that began the finding; NaN when it began with a mean or by the hour.
    private double _seen;
    private double _expected;
    private int _calm;

    // As published: it names the finding until it is cleared, so it does not move with the clock.
    private long _identity;

    // For who looks on; no part of the state.
    private int _judged;
    private long _judgedAt;
    private double _score;

    public NoveltyWatch(DetectorContext context)
    {
        _context = context;
        _settings = (context.Number(Lean, 0) != 0 ? NoveltySettings.Lean : NoveltySettings.Full) with { UtcOffset = context.Site.TimeZone.BaseUtcOffset };
        _detector = new(_settings);
        _budget = context.Model.Settings.TryGetValue(Budget, out var own) ? new(own) : context.DeviceBudget ?? new(context.Device.FalseAlarmsPerDay);
        var period = Math.Max(1, context.Point.Period.Ticks / TimeSpan.TicksPerMillisecond);
        _hasBars = period < BarMs;
        _step = _hasBars ? BarMs : period;
        _enough = (int)Math.Max(1, BarMs / period / 2);
    }

    public QualityReason Doubt => QualityReason.None;

    /// <summary>How far it is, for who looks on.</summary>
    public NoveltyProgress Progress => new(_context.Point.Index, _detector.Values, _detector.Values > 0 ? new Instant(_learntSince + SilentMs) : null, _judged, new(_judgedAt), _score);

    /// <summary>The budget that the points of a device share; null when none of them shares one.</summary>
    public static AlarmBudget? SharedBudget(SiteModel site, DeviceModel device) =>
        device.Points.Count(p => site.Points[p].Detectors.Any(d => d.Name == Name && !d.Settings.ContainsKey(Budget))) is > 0 and var points
            ? new(device.FalseAlarmsPerDay, points)
            : null;

    public AnomalyRecord? Observe(in Sample sample)
    {
        var time = sample.Time.UnixMilliseconds;
        var isMeasured = sample.Quality.IsGood || sample.Quality is { HasValue: true, Reason: QualityReason.RateOfChange };
        if (!_hasBars)
        {
            return isMeasured ? Judge(time, sample.Value, sample.Time) : null;
        }

        AnomalyRecord? record = null;
        if (time < _bar || time - _bar >= BarMs)
        {
            record = _inBar >= _enough ? Judge(_bar, _sum / _inBar, sample.Time) : null;
            (_bar, _sum, _inBar) = (time - (((time % BarMs) + BarMs) % BarMs), 0, 0);
        }

        if (isMeasured)
        {
            _sum += sample.Value;
            _inBar++;
        }

        return record;
    }

    public void End(Instant now, IFeedSink sink)
    {
        if (_stands != Severity.Note)
        {
            sink.Anomaly(_context.Ended(_identity, now, _stands));
        }

        _stands = Severity.Note;
    }

    public void Shift(long milliseconds)
    {
        _bar += milliseconds;
        _learntSince += milliseconds;
        _since += milliseconds;
        _detector.Shift(milliseconds);
    }

    public void Save(StateWriter writer)
    {
        _detector.Save(writer);
        _budget.Save(writer);
        writer.Write(_bar);
        writer.Write(_sum);
        writer.Write(_inBar);
        writer.Write(_learntSince);
        writer.Write((byte)_stands);
        writer.Write(_since);
        writer.Write(_identity);
        writer.Write(_seen);
        writer.Write(_expected);
        writer.Write(_calm);
    }

    public void Load(ref StateReader reader)
    {
        _detector.Load(ref reader);
        _budget.Load(ref reader);
        _bar = reader.ReadInt64();
        _sum = reader.ReadDouble();
        _inBar = reader.ReadInt32();
        _learntSince = reader.ReadInt64();
        _stands = (Severity)reader.ReadByte();
        _since = reader.ReadInt64();
        _identity = reader.ReadInt64();
        _seen = reader.ReadDouble();
        _expected = reader.ReadDouble();
        _calm = reader.ReadInt32();
    }

    /// <summary>Reads what <see cref="Save"/> wrote; what another version or setting wrote teaches nothing, and the point is learnt anew.</summary>
    public void LoadOrForget(ReadOnlySpan<byte> state)
    {
        try
        {
            var reader = new StateReader(state);
            Load(ref reader);
        }
        catch (InvalidDataException)
        {
            _detector = new(_settings);
        }
    }

    private AnomalyRecord? Judge(long from, double value, Instant now)
    {
        var verdict = _detector.Observe(new(from), value);
        if (_detector.Values == 1)
        {
            _learntSince = from;
        }

        (_judged, _judgedAt, _score) = (_judged + 1, from, verdict.Score);

        if (from - _learntSince >= SilentMs && _budget.Observe(verdict, _detector.Period))
        {
            return Raise(verdict, from, now);
        }

        _calm = verdict.Loudness > NoveltyDetector.LeastSurprise ? 0 : _calm + 1;
        if (_stands == Severity.Note || _calm < CalmValues)
        {
            return null;
        }

        var stood = _stands;
        _stands = Severity.Note;
        return _context.Record(false, _identity, now, stood, value, _expected, Cleared(value, now));
    }

    private AnomalyRecord? Raise(in NoveltyVerdict verdict, long from, Instant now)
    {
        var severity = _budget.IsGrave(verdict.Surprise, _detector.Period) ? Severity.Alarm : Severity.Warning;
        _calm = 0;
        if (severity <= _stands)
        {
            return null;
        }

        if (_stands == Severity.Note)
        {
            (_since, _identity) = (from, from);
            (_seen, _expected) = verdict.Cause == NoveltyCause.Value ? (verdict.Seen, verdict.Expected) : (double.NaN, double.NaN);
        }

        _stands = severity;
        return _context.Record(true, _identity, now, severity, verdict.Seen, verdict.Expected, $"{Found(verdict)} {Trust(verdict, from)} Likely: load or setting changed, or the sensor is wrong. Compare with the plant and a second instrument.");
    }

    private string Found(in NoveltyVerdict verdict)
    {
        var point = _context.Point;
        var where = $"{point.Id} of {_context.Device.Name}";
        var seen = Words.Quantity(verdict.Seen, point);
        var expected = Words.Quantity(verdict.Expected, point);
        var away = Words.Quantity(verdict.Distance, point);
        if (verdict.Cause == NoveltyCause.Hour)
        {
            return $"{where} {seen} where this hour usually brings {expected}: for {Words.Span(NoveltyDetector.HourValues * _step)} it was {away} off its hours on average.";
        }

        var isAbove = verdict.Seen > verdict.Expected;
        var of = verdict.Cause switch
        {
            NoveltyCause.ShortMean => $"mean of {Words.Span(NoveltyDetector.ShortMeanValues * _step)}",
            NoveltyCause.LongMean => $"mean of {Words.Span(NoveltyDetector.LongMeanValues * _step)}",
            _ => _hasBars ? $"mean of {Words.Span(_step)}" : "",
        };
        var level = verdict.IsBeyond ? isAbove ? "the highest" : "the lowest" : "the nearest";
        return $"{where} {seen}{(of.Length > 0 ? $" ({of})" : "")}: {away} {(isAbove ? "above" : "below")} {expected}, {level} that it has brought lately.";
    }

    /// <summary>How rare that is here, and how much is known.</summary>
    private string Trust(in NoveltyVerdict verdict, long now)
    {
        var days = AlarmBudget.RarerThanDays(verdict.Surprise, _detector.Period);
        var rare = days switch { 0 => "Noise alone does this here more than once a day", 1 => "Noise alone does this here less than once a day", _ => $"Noise alone does this here less than once in {days} days" };
        var young = now - _learntSince < WeekMs ? "; no full week is known yet" : "";
        return $"{rare} (learnt from {_detector.Values} values since {Words.Clock(_learntSince)}{young}).";
    }

    private string Cleared(double value, Instant now)
    {
        var point = _context.Point;
        var end = double.IsNaN(_seen) ? ""
            : Math.Abs(value - _expected) <= Math.Abs(value - _seen) ? $", back near {Words.Quantity(_expected, point)}"
            : $", it stayed near {Words.Quantity(_seen, point)}, which is known from now on";
        return $"{point.Id} of {_context.Device.Name} {Words.Quantity(value, point)}: nothing unusual for {Words.Span(CalmValues * _step)}{end}. It began {Words.Span(now.UnixMilliseconds - _since)} ago.";
    }
}
