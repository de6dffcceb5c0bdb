using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Drawing;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Replaying;

/// <summary>Runs recorded samples through the local path of the gateway, at full speed: the same pipeline, told the time by the recording.</summary>
/// <remarks>
/// The same recordings and the same site give the same result, bit for bit. Nothing but the recording tells the time. Scores are those of the pipeline's own detector for any gauge,
/// on the points that it watches.
/// </remarks>
internal sealed class Replayer : IFeedSink
{
    private readonly SiteModel _site;
    private readonly Pipeline _pipeline;
    private readonly ReplayedPoint?[] _points;
    private readonly List<ReplayedFinding> _findings = [];
    private readonly Dictionary<(int Point, string Rule, Instant Since), ReplayedFinding> _standing = [];
    private readonly Dictionary<int, ReplayedFinding> _offline = [];
    private readonly long[] _milligrams;
    private readonly Dictionary<(int Device, string Method, int Era, Instant Start, TimeSpan Width), long> _stackHours = [];
    private Instant? _now;
    private long _samples;
    private long _backwards;
    private bool _isEnding;

    /// <summary>A replay that has seen nothing.</summary>
    public Replayer(SiteModel site)
    {
        _site = site;
        _pipeline = new Pipeline(site, site.FactorsInForce, this);
        _points = new ReplayedPoint?[site.Points.Count];
        _milligrams = new long[site.Devices.Count];
    }

    /// <summary>Finds the place of a recorded series in a site: <c>device.point</c>, or a point that only one device has.</summary>
    /// <returns>Index of the point, or null.</returns>
    public static int? PlaceOf(SiteModel site, RecordedSeries series)
    {
        var found = site.Points
            .Where(p => p.Id == series.Point && p.Kind != PointKind.Text && (series.Device is null || site.Devices[p.DeviceIndex].Id == series.Device))
            .Select(p => (int?)p.Index)
            .ToList();
        return found.Count == 1 ? found[0] : null;
    }

    /// <summary>
    /// The site as it was recorded: nothing is awaited of points that are not in the recordings, nor more often than they have it; else every device that was not recorded would be said to
    /// be silent.
    /// </summary>
    /// <param name="site">The site as configured.</param>
    /// <param name="recordings">Surveyed.</param>
    /// <param name="places">For each recording and each of its series the point of the site, or null.</param>
    public static SiteModel AsRecorded(SiteModel site, IReadOnlyList<Recording> recordings, IReadOnlyList<IReadOnlyList<int?>> places)
    {
        var periods = new TimeSpan?[site.Points.Count];
        foreach (var (recording, points) in recordings.Zip(places))
        {
            foreach (var (series, place) in recording.Series.Zip(points))
            {
                if (place is { } point && !(periods[point] <= series.Period))
                {
                    periods[point] = series.Period;
                }
            }
        }

        return site with
        {
            Points = [.. site.Points.Select(p => p with { Period = periods[p.Index] is { } recorded ? recorded > 1.5 * p.Period ? recorded : p.Period : TimeSpan.Zero })],
        };
    }

    /// <summary>Runs recordings through the pipeline.</summary>
    /// <param name="recordings">Surveyed.</param>
    /// <param name="places">For each recording and each of its series the point of the site, or null for what is left out.</param>
    /// <param name="charts">Of which points and of which time courses are kept for charts; null: none.</param>
    /// <param name="progress">Told the number of samples now and then.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    public ReplayResult Run(IReadOnlyList<Recording> recordings, IReadOnlyList<IReadOnlyList<int?>> places, ChartChoice? charts, Action<long> progress, CancellationToken cancel)
    {
        var (first, last) = (recordings.Select(r => r.First).Min(), recordings.Select(r => r.Last).Max());
        foreach (var (recording, value) in Recordings.Merge(recordings, cancel))
        {
            // A file that is still written may have a new series since its survey.
            if (value.Series < places[recording].Count && places[recording][value.Series] is { } point)
            {
                Take(point, value, charts, charts?.From ?? first!.Value, charts?.To ?? last!.Value);
                if ((++_samples & 0xFFFF) == 0)
                {
                    progress(_samples);
                }
            }
        }

        if (_now is { } end)
        {
            _pipeline.Advance(end);

            // Closes windows and entries; findings that stand then are no news of the recording.
            _isEnding = true;
            _pipeline.Close(end);
        }

        return new(_site, _samples, _backwards, first, last, [.. _points.OfType<ReplayedPoint>()], _findings, _milligrams, _pipeline.RuleFaults.Count);
    }

    private void Take(int index, in RecordedValue value, ChartChoice? charts, Instant first, Instant last)
    {
        // The samples of one time belong together; then time goes on.
        if (_now is { } now && value.Time > now)
        {
            _pipeline.Advance(now);
        }

        _backwards += value.Time < _now ? 1 : 0;
        _now = _now is { } before && before > value.Time ? before : value.Time;
        var point = _site.Points[index];
        var replayed = _points[index] ??= new ReplayedPoint(
            point,
            Name(index),
            charts?.Shows(Name(index)) == true ? new PointChart($"{_site.Devices[point.DeviceIndex].Name}: {point.Id}", point.Unit, _site.TimeZone, first, last) : null,
            first,
            last);
        replayed.Take(value.Time, value.Value);
        _pipeline.Process(new Sample(index, value.Time, value.Value, value.Raw ?? RawOf(point.Encoding, value.Value), value.Quality));
        if (_pipeline.Learning(index) is { } novelty)
        {
            replayed.Take(novelty);
        }
    }

    // What the register would have shown: counters are differenced by it. What it cannot show stays a number without an image.
    private static ulong RawOf(RegisterEncoding encoding, double value)
    {
        if (!double.IsFinite(value))
        {
            return 0;
        }

        Span<ushort> words = stackalloc ushort[encoding.Span.Length];
        words.Clear();
        try
        {
            RegisterCodec.Encode(encoding, value, words);
            RegisterCodec.Decode(encoding, words, out _, out var raw);
            return raw;
        }
        catch (ArgumentOutOfRangeException)
        {
            return 0;
        }
    }

    void IFeedSink.Summary(in SummaryRecord record)
    {
    }

    void IFeedSink.Emission(in EmissionRecord record)
    {
        // A market-based entry is a second figure of energy that is in the sum already.
        if (record.Account == EmissionAccount.Device && record.Device >= 0 && record.Method != ElectricityMarket.Name)
        {
            _milligrams[record.Device] += record.Milligrams;
            if (record.Detail?.Stack is not null)
            {
                // An hour that is restated replaces what was entered of it before.
                var hour = (record.Device, record.Method, record.Era, record.Start, record.Width);
                _milligrams[record.Device] -= _stackHours.GetValueOrDefault(hour);
                _stackHours[hour] = record.Milligrams;
            }
        }
    }

    void IFeedSink.Anomaly(AnomalyRecord record)
    {
        if (_isEnding)
        {
            return;
        }

        var key = (record.Point, record.Detector, record.Since);
        if (!record.Raised)
        {
            if (_standing.Remove(key, out var ended))
            {
                ended.Cleared = record.Time;
            }

            return;
        }

        if (_standing.TryGetValue(key, out var known))
        {
            known.Say(record.Severity, record.Value, record.Limit, record.Text);
            return;
        }

        var finding = new ReplayedFinding(Name(record.Point), record.Detector, record.Since, record.Time);
        finding.Say(record.Severity, record.Value, record.Limit, record.Text);
        _findings.Add(finding);
        _points[record.Point]?.Findings.Add(finding);
        if (record.Severity != Severity.Note)
        {
            _standing.Add(key, finding);
        }
        else
        {
            // A note is an event.
            finding.Cleared = record.Time;
        }
    }

    void IFeedSink.DeviceState(DeviceStateRecord record)
    {
        if (record.Online)
        {
            if (_offline.Remove(record.Device, out var ended))
            {
                ended.Cleared = record.Time;
            }

            return;
        }

        var device = _site.Devices[record.Device];
        var finding = new ReplayedFinding(device.Id, "offline", record.Time, record.Time);
        finding.Say(Severity.Alarm, double.NaN, double.NaN, $"{device.Name} does not answer: {record.Reason.Word()}.");
        _findings.Add(finding);
        _offline[record.Device] = finding;
    }

    void IFeedSink.Alarm(AlarmRecord record)
    {
    }

    void IFeedSink.CemsHour(CemsHourRecord record)
    {
    }

    void IFeedSink.Calibration(CemsCalibrationRecord record)
    {
    }

    void IFeedSink.Sample(in Sample sample)
    {
    }

    private string Name(int point) => $"{_site.Devices[_site.Points[point].DeviceIndex].Id}.{_site.Points[point].Id}";
}

/// <summary>What charts show.</summary>
/// <param name="From">Left edge; null: the first sample.</param>
/// <param name="To">Right edge; null: the last sample.</param>
/// <param name="Points"><c>device.point</c> of those that are drawn; empty: all.</param>
internal sealed record ChartChoice(Instant? From, Instant? To, IReadOnlyList<string> Points)
{
    /// <summary>All points over the whole time.</summary>
    public static readonly ChartChoice All = new(null, null, []);

    /// <summary>Whether a point is drawn.</summary>
    public bool Shows(string name) => Points.Count == 0 || Points.Contains(name, StringComparer.Ordinal);
}

/// <summary>A finding of a replay, from its beginning to its end.</summary>
/// <param name="point"><c>device.point</c>, or the device.</param>
/// <param name="rule">Name of the detector.</param>
/// <param name="since">When it began.</param>
/// <param name="raised">When it was said first.</param>
internal sealed class ReplayedFinding(string point, string rule, Instant since, Instant raised)
{
    public string Point => point;

    public string Rule => rule;

    public Instant Since => since;

    public Instant Raised => raised;

    /// <summary>When it was cleared; for a note, when it was said; null while it stands at the end of the recording.</summary>
    public Instant? Cleared { get; set; }

    /// <summary>The worst severity it had.</summary>
    public Severity Severity { get; private set; }

    public double Value { get; private set; }

    public double Limit { get; private set; }

    /// <summary>What was said when it was worst.</summary>
    public string Text { get; private set; } = "";

    /// <summary>Takes what is said of it, unless something worse was said before.</summary>
    public void Say(Severity severity, double value, double limit, string text)
    {
        if (Text.Length == 0 || severity > Severity)
        {
            (Severity, Value, Limit, Text) = (severity, value, limit, text);
        }
    }
}

/// <summary>What a replay saw of a point.</summary>
internal sealed class ReplayedPoint(PointModel model, string name, PointChart? chart, Instant first, Instant last)
{
    private double _sum;
    private int _judged;

    /// <summary><c>device.point</c>.</summary>
    public string Name => name;

    public PointModel Model => model;

    public PointChart? Chart => chart;

    /// <summary>Samples with a value, and without.</summary>
    public long Values { get; private set; }

    public long Missing { get; private set; }

    public double Min { get; private set; } = double.PositiveInfinity;

    public double Max { get; private set; } = double.NegativeInfinity;

    /// <summary>Mean of the values, each counted once.</summary>
    public double Mean => _sum / Values;

    /// <summary>Whether the detector for any gauge watches it.</summary>
    public bool IsScored { get; private set; }

    /// <summary>Highest score of the detector for any gauge, 0 to 1, and when; 0 where it does not watch.</summary>
    public double TopScore { get; private set; }

    public Instant TopScoreAt { get; private set; }

    public List<ReplayedFinding> Findings { get; } = [];

    /// <summary>Takes a sample; NaN has no value.</summary>
    public void Take(Instant time, double value)
    {
        if (double.IsFinite(value))
        {
            Values++;
            Min = Math.Min(Min, value);
            Max = Math.Max(Max, value);
            _sum += value;
        }
        else
        {
            Missing++;
        }

        if (time >= first && time <= last)
        {
            chart?.Add(time, value, 0);
        }
    }

    /// <summary>Takes what the detector for any gauge says after a sample; only a value that it has judged since is news.</summary>
    public void Take(in NoveltyProgress novelty)
    {
        IsScored = true;
        if (novelty.Judged == _judged)
        {
            return;
        }

        _judged = novelty.Judged;
        if (novelty.Score > TopScore)
        {
            (TopScore, TopScoreAt) = (novelty.Score, novelty.JudgedAt);
        }

        if (novelty.JudgedAt >= first && novelty.JudgedAt <= last)
        {
            chart?.AddScore(novelty.JudgedAt, novelty.Score);
        }
    }

    /// <summary>The findings of the time that the chart shows.</summary>
    public IEnumerable<ReplayedFinding> ChartedFindings => Findings.Where(f => f.Raised <= last && !(f.Cleared < first));
}

/// <summary>What came out of a replay.</summary>
/// <param name="Site">Under which it was run.</param>
/// <param name="Samples">Samples that were run.</param>
/// <param name="Backwards">Of these, dated before one that came earlier: they counted at the latest time.</param>
/// <param name="First">First time in the recordings; null when they are empty.</param>
/// <param name="Last">Last time.</param>
/// <param name="Points">The points that had samples, in the order of the site.</param>
/// <param name="Findings">In the order in which they were said.</param>
/// <param name="Milligrams">CO2e of each device, in milligrams.</param>
/// <param name="RuleFaults">How often a rule failed; 0 unless it has a defect.</param>
internal sealed record ReplayResult(
    SiteModel Site,
    long Samples,
    long Backwards,
    Instant? First,
    Instant? Last,
    IReadOnlyList<ReplayedPoint> Points,
    IReadOnlyList<ReplayedFinding> Findings,
    IReadOnlyList<long> Milligrams,
    long RuleFaults);
