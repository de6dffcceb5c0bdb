using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>
/// Finds what nobody wrote a rule for, on any gauge: a value, or a mean of the last 24 or 288 values, at a level where the point has not been lately, by a distance that is rare for this
/// point; or values far from what their hour usually brings. Knows only the past of its one point, learns all the time, and asks for no setting.
/// </summary>
/// <remarks>
/// One call a value: measured values of a gauge in the order they came, about 5 minutes apart (1 minute to an hour is fine), never counters or states. No look-ahead, no
/// allocation, no clock, the same bits on every machine. Formulas, sources and measured scores: <c>docs/novelty.md</c>.
/// </remarks>
public sealed class NoveltyDetector
{
    /// <summary>Only a surprise above this is an event.</summary>
    public const double LeastSurprise = 2.5;

    /// <summary>Values in the short mean.</summary>
    public const int ShortMeanValues = 24;

    /// <summary>Values in the long mean.</summary>
    public const int LongMeanValues = LongMeanBlocks * ShortMeanValues;

    /// <summary>Deviations from the hours that are judged together.</summary>
    public const int HourValues = 12;

    private const byte Layout = 1;
    private const int MemoryValues = 6000;
    private const int LongMeanBlocks = 12;
    private const double TailShare = 0.04;
    private const double HourTailShare = 0.02;
    private const double LongMeanWeight = 0.3;
    private const int FirstJudged = 100;
    private const int LearningValues = FirstJudged + 40;
    private const int QuietValues = 110;
    private const double LouderInQuiet = 1.5;
    private const double ActivityFade = 0.99950012497916927; // e^(-1/2000)
    private const double ActivityDoubt = 0.1;
    private const double Rounding = 1e-6;
    private const double LargestValue = 1e30;
    private const long LargestTime = 1_000_000_000_000_000;
    private const long LongestMemoryMilliseconds = 31L * 86_400_000;

    private readonly LevelMemory _values;
    private readonly LevelMemory _shortMeans;
    private readonly LevelMemory? _longMeans;
    private readonly MovingMean _shortMean = new(ShortMeanValues, 1);
    private readonly MovingMean? _longMean;
    private readonly MovingMean _hourMean = new(HourValues, 1);
    private readonly Rhythm _rhythm;
    private TailCalibrator _valueTail = new(TailShare);
    private TailCalibrator _shortTail = new(TailShare);
    private TailCalibrator _longTail = new(TailShare);
    private TailCalibrator _hourTail = new(HourTailShare);
    private double _origin;
    private int _count;
    private long _time;
    private double _period;
    private int _shortMuted;
    private int _longMuted;
    private double _activity;
    private int _sinceEvent = QuietValues;
    private double _eventSurprise;

    /// <param name="settings">Without them <see cref="NoveltySettings.Full"/>.</param>
    public NoveltyDetector(NoveltySettings? settings = null)
    {
        settings ??= NoveltySettings.Full;
        _values = new(settings.Levels, settings.Spacing, MemoryValues);
        _shortMeans = new(settings.Levels, settings.Spacing, MemoryValues);
        _rhythm = new(settings.IsWeekly, settings.UtcOffset);
        if (settings.HasLongMean)
        {
            _longMeans = new(settings.Levels, settings.Spacing, MemoryValues);
            _longMean = new(LongMeanBlocks, ShortMeanValues);
        }
    }

    /// <summary>Values learnt from, since the beginning or since everything was forgotten.</summary>
    public int Values => _count;

    /// <summary>The usual time between two values, learned; zero while not known.</summary>
    public TimeSpan Period => TimeSpan.FromMilliseconds(_period);

    /// <summary>Judges the next value, then learns it. What is no measured value (NaN, infinite, beyond 1e30) is passed over and says nothing.</summary>
    /// <param name="time">When it was measured. Repeated and backward times are taken in the order they come.</param>
    /// <param name="value">In the unit of the point.</param>
    public NoveltyVerdict Observe(Instant time, double value)
    {
        if (!(Math.Abs(value) <= LargestValue))
        {
            return new(0, NoveltyCause.None, 0, _count <= LearningValues);
        }

        var milliseconds = Math.Clamp(time.UnixMilliseconds, -LargestTime, LargestTime);
        Follow(milliseconds);
        if (_count == 0)
        {
            _origin = value;
        }

        _count = Math.Min(_count + 1, int.MaxValue - 1);
        var relative = value - _origin;
        var isJudged = _count > FirstJudged;

        // The value.
        var valueDistance = _values.Observe(relative);
        var byValue = isJudged ? _valueTail.Observe(valueDistance) : 0;

        // Means.
        var byShort = Mean(_shortMean, _shortMeans, ref _shortTail, ref _shortMuted, relative, isJudged, out var shortMean);
        var (byLong, longMean) = (0.0, 0.0);
        if (_longMean is not null)
        {
            byLong = LongMeanWeight * Mean(_longMean, _longMeans!, ref _longTail, ref _longMuted, relative, isJudged, out longMean);
        }

        // The hour.
        var residual = _rhythm.Observe(milliseconds, relative);
        var hourDistance = Math.Abs(_hourMean.Add(residual));
        hourDistance = hourDistance < Rounding * _values.Range ? 0 : hourDistance;
        var byHour = isJudged ? _hourTail.Observe(hourDistance) : 0;

        var byLevel = byValue + byShort + byLong;
        var loudness = Math.Max(byLevel, byHour);
        var surprise = Quieten(loudness);
        var isLearning = _count <= LearningValues;
        return surprise == 0 ? new(0, NoveltyCause.None, 0, isLearning) { Loudness = loudness }
            : byHour > byLevel ? new(surprise, NoveltyCause.Hour, hourDistance, isLearning) { Loudness = loudness, Seen = value, Expected = value - residual }
            : byValue >= byShort && byValue >= byLong ? Explained(NoveltyCause.Value, _values, relative)
            : byShort >= byLong ? Explained(NoveltyCause.ShortMean, _shortMeans, shortMean)
            : Explained(NoveltyCause.LongMean, _longMeans!, longMean);

        NoveltyVerdict Explained(NoveltyCause cause, LevelMemory levels, double seen) => new(surprise, cause, Math.Abs(levels.ToNearest), isLearning)
        {
            Loudness = loudness,
            Seen = _origin + seen,
            Expected = _origin + seen + levels.ToNearest,
            IsBeyond = levels.IsBeyond,
        };
    }

    /// <summary>The wall clock was set: the time that is kept moves by <paramref name="milliseconds"/>.</summary>
    public void Shift(long milliseconds) => _time = Math.Clamp(_time + Math.Clamp(milliseconds, -LargestTime, LargestTime), -LargestTime, LargestTime);

    /// <summary>Writes the complete state.</summary>
    public void Save(StateWriter writer)
    {
        writer.Write(Layout);
        writer.Write(_longMean is not null);
        _values.Save(writer);
        _shortMeans.Save(writer);
        _longMeans?.Save(writer);
        _shortMean.Save(writer);
        _longMean?.Save(writer);
        _hourMean.Save(writer);
        _rhythm.Save(writer);
        _valueTail.Save(writer);
        _shortTail.Save(writer);
        _longTail.Save(writer);
        _hourTail.Save(writer);
        writer.Write(_origin);
        writer.Write(_count);
        writer.Write(_time);
        writer.Write(_period);
        writer.Write(_shortMuted);
        writer.Write(_longMuted);
        writer.Write(_activity);
        writer.Write(_sinceEvent);
        writer.Write(_eventSurprise);
    }

    /// <summary>Reads what <see cref="Save"/> wrote with the same settings; afterwards the detector answers as if never interrupted.</summary>
    /// <exception cref="InvalidDataException">The state is damaged, or of other settings or another version.</exception>
    public void Load(ref StateReader reader)
    {
        if (reader.ReadByte() != Layout || reader.ReadBoolean() != _longMean is not null)
        {
            throw new InvalidDataException("The state of a novelty detector is of other settings or another version.");
        }

        _values.Load(ref reader);
        _shortMeans.Load(ref reader);
        _longMeans?.Load(ref reader);
        _shortMean.Load(ref reader);
        _longMean?.Load(ref reader);
        _hourMean.Load(ref reader);
        _rhythm.Load(ref reader);
        _valueTail.Load(ref reader);
        _shortTail.Load(ref reader);
        _longTail.Load(ref reader);
        _hourTail.Load(ref reader);
        _origin = reader.ReadDouble();
        _count = reader.ReadInt32();
        _time = reader.ReadInt64();
        _period = reader.ReadDouble();
        _shortMuted = reader.ReadInt32();
        _longMuted = reader.ReadInt32();
        _activity = reader.ReadDouble();
        _sinceEvent = reader.ReadInt32();
        _eventSurprise = reader.ReadDouble();
    }

    private static double Mean(MovingMean mean, LevelMemory levels, ref TailCalibrator tail, ref int muted, double value, bool isJudged, out double current)
    {
        current = mean.Add(value);
        if (muted > 0)
        {
            muted--;
            return 0;
        }

        var distance = levels.Observe(current);
        return isJudged ? tail.Observe(distance) : 0;
    }

    /// <summary>Learns how far apart values come, and what a pause makes stale: a mean that would reach across it, and after more than the memory everything.</summary>
    private void Follow(long milliseconds)
    {
        var elapsed = milliseconds - _time;
        _time = milliseconds;
        if (_count == 0 || elapsed <= 0)
        {
            return;
        }

        if (_period == 0)
        {
            _period = elapsed;
        }

        if (_count > 10)
        {
            if (elapsed > LongestMemoryMilliseconds && elapsed > _period * 2 * MemoryValues)
            {
                Forget();
                return;
            }

            Interrupt(_shortMean, ref _shortMuted, elapsed);
            if (_longMean is not null)
            {
                Interrupt(_longMean, ref _longMuted, elapsed);
            }

            if (elapsed > _period * HourValues)
            {
                _hourMean.Clear();
            }
        }

        _period += Math.Sign(elapsed - _period) * _period * (_count < 50 ? 1.0 / _count : 0.02);
    }

    /// <summary>A mean of few values varies more than any seen before: it is silent until half full.</summary>
    private void Interrupt(MovingMean mean, ref int muted, long elapsed)
    {
        if (elapsed > _period * mean.Length)
        {
            mean.Clear();
            muted = mean.Length / 2;
        }
    }

    private void Forget()
    {
        _values.Clear();
        _shortMeans.Clear();
        _longMeans?.Clear();
        _shortMean.Clear();
        _longMean?.Clear();
        _hourMean.Clear();
        _rhythm.Clear();
        (_valueTail, _shortTail, _longTail, _hourTail) = (new(TailShare), new(TailShare), new(TailShare), new(HourTailShare));
        _count = _shortMuted = _longMuted = 0;
        _period = _activity = _eventSurprise = 0;
        _sinceEvent = QuietValues;
    }

    /// <summary>One event, one voice: what follows within the quiet time is told only when it is much louder; and a point that has cried often of late is believed less.</summary>
    private double Quieten(double surprise)
    {
        _activity *= ActivityFade;
        _sinceEvent = Math.Min(_sinceEvent + 1, QuietValues);
        var doubted = surprise / (1 + (ActivityDoubt * _activity));
        if (_sinceEvent < QuietValues)
        {
            if (!(surprise > LouderInQuiet * _eventSurprise))
            {
                return 0;
            }
        }
        else if (surprise > LeastSurprise)
        {
            _activity += 1;
        }
        else
        {
            return doubted;
        }

        _eventSurprise = surprise;
        _sinceEvent = 0;
        return doubted;
    }
}
