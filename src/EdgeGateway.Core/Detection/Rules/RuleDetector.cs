using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>Runs a rule of the table: gathers its inputs at each sample of the watched point, keeps their means, and holds what the rule computes against its limits.</summary>
/// <remarks>
/// Silent unless every input that it needs is good and not older than three of its periods. A pause longer than three periods (at least 30 s) is no time: nothing is
/// held to have lasted through it; one longer than ten slow time constants and a day makes it learn anew.
/// </remarks>
internal sealed class RuleDetector : IDetector
{
    private const double PeakDays = 90;
    private const double SureResiduals = 4;
    private const double UnlearnedResiduals = 3;

    private readonly Rule _rule;
    private readonly DetectorContext _context;
    private readonly PointModel[] _points;
    private readonly Source[] _sources;
    private readonly double[] _raw;
    private readonly InputTrack[] _tracks;
    private readonly double _quick;
    private readonly double _slow;
    private readonly double _learn;
    private readonly double _rated;
    private readonly double _nominal;
    private readonly long _longestPause;
    private readonly double _longestMemory;
    private readonly RuleFinding _finding;
    private LinearRelation _line;
    private double _own;
    private bool _started;
    private long _last;
    private double _seen;
    private double _open;
    private double _judged;

    // Follow from the time between two samples, which seldom changes; no part of the state.
    private Shares _shares;

    public RuleDetector(Rule rule, DetectorContext context)
    {
        _rule = rule;
        _context = context;
        _quick = Math.Max(0.1, context.Number("quickSeconds", rule.QuickSeconds));
        _slow = Math.Max(_quick + 0.1, context.Number("slowSeconds", rule.SlowSeconds));
        _learn = context.Number("learnSeconds", rule.LearnSeconds);
        _nominal = context.Number("nominal", double.NaN);
        _longestPause = context.LongestPause;
        _longestMemory = Math.Max(86_400, 10 * _slow);
        _finding = new(rule, context, _longestPause);

        var inputs = RuleInputs.Of(rule, context);
        _points = [.. inputs.Select(i => i.Point ?? context.Point)];
        _sources = [.. inputs.Select((input, i) => new Source(input, _points[i]))];
        _raw = new double[inputs.Count];
        _tracks = new InputTrack[inputs.Count];
        _rated = Rated(rule, context, _sources[rule.RatedInput].Factor);
    }

    public QualityReason Doubt => QualityReason.None;

    public AnomalyRecord? Observe(in Sample sample)
    {
        if ((!sample.Quality.IsGood && sample.Quality is not { HasValue: true, Reason: QualityReason.RateOfChange })
            || !InputTrack.IsPossible(sample.Value * _sources[0].Factor) || !Gather(sample))
        {
            return null;
        }

        var time = sample.Time.UnixMilliseconds;
        var seconds = Elapsed(time);
        if (!Take(seconds))
        {
            return null;
        }

        var view = new RuleView(_tracks, _quick, _slow, _rated, _nominal);
        var number = _seen >= _learn && IsOpen() ? Refer(_rule.Measure(view), seconds) : double.NaN;
        return _finding.Look(double.IsFinite(number) ? number : double.NaN, sample, _points, _raw);
    }

    public void End(Instant now, IFeedSink sink) => _finding.End(now, sink);

    public void Shift(long milliseconds)
    {
        _last += milliseconds;
        _finding.Shift(milliseconds);
    }

    public void Save(StateWriter writer)
    {
        foreach (ref readonly var track in _tracks.AsSpan())
        {
            track.Save(writer);
        }

        _line.Save(writer);
        writer.Write(_own);
        writer.Write(_started);
        writer.Write(_last);
        writer.Write(_seen);
        writer.Write(_open);
        writer.Write(_judged);
        _finding.Save(writer);
    }

    public void Load(ref StateReader reader)
    {
        foreach (ref var track in _tracks.AsSpan())
        {
            track.Load(ref reader);
        }

        _line.Load(ref reader);
        _own = reader.ReadDouble();
        _started = reader.ReadBoolean();
        _last = reader.ReadInt64();
        _seen = reader.ReadDouble();
        _open = reader.ReadDouble();
        _judged = reader.ReadDouble();
        _finding.Load(ref reader);
    }

    /// <summary>The rated value in canonical units; NaN when none is stated.</summary>
    private static double Rated(Rule rule, DetectorContext context, double factor) =>
        context.Model.Settings.TryGetValue("rated", out var stated) ? stated * factor
            : rule.Rating is RuleRating.Power or RuleRating.PowerOrLargest && context.Device.RatedPowerWatts is { } watts ? watts
            : double.NaN;

    /// <summary>Takes the last values of all inputs; false when one that is needed is missing or old.</summary>
    private bool Gather(in Sample sample)
    {
        var raw = _raw.AsSpan();
        var lastGood = _context.LastGood;
        raw[0] = sample.Value;
        for (var i = 1; i < raw.Length; i++)
        {
            ref readonly var source = ref _sources[i];
            if (source.Oldest >= 0 && lastGood.TryGet(source.Point, sample.Time, source.Oldest, out var value) && InputTrack.IsPossible(value * source.Factor))
            {
                raw[i] = value;
            }
            else if (source.IsNeeded)
            {
                return false;
            }
            else
            {
                raw[i] = double.NaN;
            }
        }

        return true;
    }

    private double Elapsed(long time)
    {
        var pause = time - _last;
        if (!_started || pause > _longestMemory * 1000)
        {
            Array.Clear(_tracks);
            _line = default;
            _own = 0;
            _seen = 0;
            _open = 0;
            _judged = 0;
            _started = true;
            _last = time;
            return 0;
        }

        _last = Math.Max(_last, time);
        if (pause > _longestPause)
        {
            _open = 0;
        }

        return pause > _longestPause || pause < 0 ? 0 : pause / 1000.0;
    }

    /// <summary>Takes the values into the means; false while one of them is too wild to be judged by.</summary>
    private bool Take(double seconds)
    {
        _seen += seconds;
        var frozen = _rule.Freezes && _finding.Stands;
        if (seconds != _shares.Seconds)
        {
            _shares = new(seconds, seconds / (_quick + seconds), seconds / (_slow + seconds), seconds / ((PeakDays * 86_400) + seconds));
        }

        var quick = _shares.Quick;
        var slow = frozen || !IsOpen() ? 0 : _shares.Slow;
        var forget = frozen ? 0 : _shares.Forget;
        var isSane = true;
        var raw = _raw.AsSpan();
        for (var i = 0; i < raw.Length; i++)
        {
            ref readonly var source = ref _sources[i];
            ref var track = ref _tracks[i];
            track.Take(source.Canonical(raw[i]), quick, slow, forget);
            isSane &= !track.IsWild;
        }

        if (_rule.Gate is { } gate)
        {
            ref readonly var track = ref _tracks[gate.Input];
            _open = track.Value > gate.Share * track.Peak ? _open + seconds : double.IsNaN(track.Value) ? _open : 0;
        }

        return isSane;
    }

    private bool IsOpen() => _rule.Gate is not { } gate || _open >= gate.Seconds;

    /// <summary>Holds the computed number against what was learned, and learns from it unless it looks like a finding.</summary>
    private double Refer(double computed, double seconds)
    {
        switch (_rule.Reference)
        {
            case RuleReference.OwnMean:
                return AgainstOwnMean(computed, seconds);
            case RuleReference.Line:
                return AgainstLine();
            default:
                return computed;
        }
    }

    private double AgainstOwnMean(double computed, double seconds)
    {
        if (!double.IsFinite(computed))
        {
            return double.NaN;
        }

        if (!double.IsNaN(_nominal))
        {
            return 100 * Math.Abs(computed - _nominal) / Math.Abs(_nominal);
        }

        var number = 100 * Math.Abs(computed - _own) / Math.Abs(_own);
        var isLearned = _judged >= _slow / 4;
        if (_judged == 0)
        {
            _own = computed;
        }

        // The first quarter is an even mean; after that what is beyond the limits is not learned.
        if (!isLearned || (!_finding.Stands && !_finding.IsBeyond(number)))
        {
            _own += Math.Max(seconds / (_slow + seconds), isLearned ? 0 : seconds / (_judged + seconds + 1e-9)) * (computed - _own);
            _judged = Math.Min(_judged + seconds + 1e-6, _slow);
        }

        return isLearned ? number : double.NaN;
    }

    private double AgainstLine()
    {
        var x = _tracks[1].Quick;
        var y = _tracks[0].Quick;
        var expected = _line.Predict(x);
        var residual = Math.Abs(y - expected);
        var scatter = _line.Scatter;

        // Not fed by its own anomalies. Without confidence (NaN) everything is learned.
        if (!_finding.Stands && !(residual > UnlearnedResiduals * scatter && residual > 0.02 * Math.Abs(expected)))
        {
            _line.Learn(x, y, _shares.Slow);
        }

        return double.IsNaN(expected) || expected == 0 ? double.NaN : residual > SureResiduals * scatter ? 100 * residual / Math.Abs(expected) : 0;
    }

    /// <summary>Shares by which means follow after so many seconds.</summary>
    private readonly record struct Shares(double Seconds, double Quick, double Slow, double Forget);

    /// <summary>Where an input comes from, and how it becomes a value in the canonical unit: what is asked at each sample, in one place.</summary>
    private readonly struct Source
    {
        private readonly double _offset;
        private readonly bool _isState;
        private readonly bool _isInverted;
        private readonly bool _isSquared;

        public Source(BoundInput bound, PointModel point)
        {
            var unit = Units.Find(point.Unit);
            Point = point.Index;
            Oldest = bound.Point is { } known ? DetectorContext.OldestOf(known) : -1;
            IsNeeded = !bound.Input.IsOptional;
            Factor = (double)(unit?.Factor ?? 1);
            _offset = (double)(unit?.Offset ?? 0);
            _isState = point.Kind == PointKind.State;
            _isInverted = point.Detectors.Any(d => d.Name == "flag" && d.Settings.GetValueOrDefault("opens") != 0);
            _isSquared = bound.Input.IsSquared;
        }

        public int Point { get; }

        /// <summary>Age in milliseconds up to which its value counts; negative: there is no such point.</summary>
        public long Oldest { get; }

        public bool IsNeeded { get; }

        public double Factor { get; }

        public double Canonical(double raw)
        {
            if (_isState)
            {
                return double.IsNaN(raw) ? raw : (raw != 0) != _isInverted ? 1 : 0;
            }

            var value = (raw * Factor) + _offset;
            return _isSquared ? value * value : value;
        }
    }
}
