using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Core.Validation;

namespace EdgeGateway.Core;

/// <summary>The way of one point's samples through the stages, and everything remembered of that point.</summary>
internal sealed class PointPath
{
    private readonly int _slot;
    private readonly ValueCheck _check;
    private readonly IDetector[] _detectors;
    private readonly NoveltyWatch? _learner;
    private readonly LastGood _lastGood;
    private readonly CarbonAccount[] _accounts;
    private readonly FactorFollower[] _followers;
    private readonly (CarbonAccount Account, GaugeInput Input)[] _gauges;
    private readonly (CemsStation Station, int Slot)[] _stacks;
    private readonly IFeedSink _sink;
    private readonly RuleFaults _faults;
    private readonly string _device;
    private long _lastTime;

    public PointPath(SiteModel site, PointModel point, int slot, WindowGrid grid, LastGood lastGood, CarbonBook book, CemsBook cems, IFeedSink sink, RuleFaults faults, AlarmBudget? deviceBudget)
    {
        _faults = faults;
        _device = site.Devices[point.DeviceIndex].Id;
        Point = point;
        _slot = slot;
        _check = new ValueCheck(point);
        _lastGood = lastGood;
        _accounts = [.. book.Of(point.Index)];
        _followers = [.. book.StacksOf(point.Index)];
        _gauges = [.. book.GaugesOf(point.Index)];
        _stacks = [.. cems.Of(point.Index)];
        _sink = sink;
        _detectors = [.. point.Detectors.Select(d => Detection.Detectors.Create(new DetectorContext(site, point, d, lastGood) { DeviceBudget = deviceBudget }))];
        _learner = _detectors.OfType<NoveltyWatch>().FirstOrDefault();
        if (point.Kind == PointKind.Counter)
        {
            Counter = new CounterTrack(point, site.Devices[point.DeviceIndex].Name, sink);
        }

        // What is read once at start (a serial number) has no course to summarise.
        if (point.Period > TimeSpan.Zero)
        {
            Windows = new PointWindows(point, site.Windows, grid, sink);
        }
    }

    public PointModel Point { get; }

    /// <summary>Told how each sample is judged; nearly always null.</summary>
    public Action<SampleStage, Sample>? Watcher { get; set; }

    /// <summary>Its windows; null for a point that is read once.</summary>
    public PointWindows? Windows { get; }

    /// <summary>Its counter; null for gauges and states.</summary>
    public CounterTrack? Counter { get; }

    /// <summary>Whether a detector of the point learns; <see cref="SaveLearnt"/> writes its state.</summary>
    public bool Learns => _learner is not null;

    /// <summary>How far the detector for any gauge is; null when it does not watch the point.</summary>
    public NoveltyProgress? Learning => _learner?.Progress;

    /// <summary>A sample may not be dated before this (Unix milliseconds).</summary>
    public long EarliestTime => Windows is null ? _lastTime : Math.Max(_lastTime, Windows.BaseStart);

    /// <summary>Takes one sample through all stages; its time is not before <see cref="EarliestTime"/>.</summary>
    public void Process(in Sample sample, DeviceWatch device, long intervalEnd, int era)
    {
        var time = sample.Time.UnixMilliseconds;
        _lastTime = time;
        var judged = _check.Judge(sample);
        if (_slot >= 0)
        {
            device.Observe(_slot, judged.Quality, time);
        }

        var since = Counter?.Baseline.Time ?? 0;
        CounterVerdict verdict = default;
        var believed = Counter is null ? judged.Quality.HasValue : Count(ref judged, out verdict);
        Watcher?.Invoke(SampleStage.Validated, judged);
        Watch(ref judged);
        Watcher?.Invoke(SampleStage.Detected, judged);
        Summarise(judged, believed, verdict.Growth, era);
        Account(judged, believed, verdict.Growth, since, intervalEnd);
        foreach (var (account, input) in _gauges)
        {
            account.Observe(input, judged.Quality.HasValue && judged.Quality.Reason != QualityReason.OutOfRange ? judged.Value : null, time, intervalEnd);
        }

        foreach (var (station, slot) in _stacks)
        {
            station.Observe(slot, judged, time, era);
        }

        if (judged.Quality.IsGood)
        {
            _lastGood.Set(Point.Index, judged.Value, time);
        }

        if (Point.PublishSamples)
        {
            _sink.Sample(judged);
        }
    }

    /// <summary>Counts what lies between the readings of a change of meters, now that a person has read them; see <see cref="CounterTrack.Settle"/>.</summary>
    /// <returns>Why it is refused; null when it is done.</returns>
    public string? Settle(decimal oldFinal, decimal newStart, string who, long now, long intervalEnd)
    {
        if (Counter!.Settle(oldFinal, newStart, who, now, out var growth) is { } refusal)
        {
            return refusal;
        }

        Windows?.Read(Counter.Baseline.Reading, growth);
        foreach (var account in _accounts)
        {
            account.Allocate(growth, Math.Max(now, _lastTime), intervalEnd);
        }

        return null;
    }

    /// <summary>The clock was set to <paramref name="now"/>, by <paramref name="milliseconds"/>.</summary>
    public void Shift(long milliseconds, long now)
    {
        _lastTime = Math.Min(_lastTime + milliseconds, now);
        _check.Shift(milliseconds);
        Counter?.Shift(milliseconds);
        Windows?.Shift(milliseconds);
        foreach (var detector in _detectors)
        {
            detector.Shift(milliseconds);
        }
    }

    /// <summary>Clears what stands raised, because the configuration ends.</summary>
    public void End(long now)
    {
        Counter?.End(now);
        foreach (var detector in _detectors)
        {
            detector.End(new(now), _sink);
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_lastTime);
        _check.Save(writer);
        Counter?.Save(writer);
        Windows?.Save(writer);
        foreach (var detector in _detectors)
        {
            if (detector is not NoveltyWatch)
            {
                detector.Save(writer);
            }
        }
    }

    public void Load(ref StateReader reader)
    {
        _lastTime = reader.ReadInt64();
        _check.Load(ref reader);
        Counter?.Load(ref reader);
        Windows?.Load(ref reader);
        foreach (var detector in _detectors)
        {
            if (detector is not NoveltyWatch)
            {
                detector.Load(ref reader);
            }
        }
    }

    /// <summary>Writes what a detector learnt, and in which unit and scale: it also outlives a change of configuration, and may be missing.</summary>
    /// <param name="writer">Receives it.</param>
    /// <param name="scratch">Used and left with nothing of value.</param>
    public void SaveLearnt(StateWriter writer, StateWriter scratch)
    {
        SaveReading(writer);
        scratch.Clear();
        _learner!.Save(scratch);
        writer.Write(scratch.Written.Span);
    }

    /// <summary>Reads what <see cref="SaveLearnt"/> wrote into <paramref name="path"/>, or past it when nothing is learnt there or its readings do not compare.</summary>
    public static void LoadLearnt(PointPath? path, ref StateReader reader)
    {
        var isSame = ReadsAlike(path, ref reader);
        var state = reader.ReadBytes();
        if (isSame)
        {
            path?._learner?.LoadOrForget(state);
        }
    }

    /// <summary>Writes the changes of meters that wait for their readings, and in which unit and scale: they also outlive a change of configuration.</summary>
    public void SaveExchanges(StateWriter writer)
    {
        SaveReading(writer);
        Counter!.SaveExchanges(writer);
    }

    /// <summary>Reads what <see cref="SaveExchanges"/> wrote; nothing when the readings do not compare.</summary>
    public void LoadExchanges(ref StateReader reader)
    {
        if (ReadsAlike(this, ref reader))
        {
            Counter!.LoadExchanges(ref reader);
        }
    }

    /// <summary>Writes what must outlive a change of configuration.</summary>
    public void SaveBaseline(StateWriter writer)
    {
        SaveReading(writer);
        Counter!.Baseline.Save(writer);
        writer.Write(Counter.IsAfterLoss);
        writer.Write(Array.Find(_accounts, a => !a.IsMarket)?.Carried);
    }

    /// <summary>Reads a baseline into <paramref name="path"/>, or past it when the point is gone or its readings do not compare.</summary>
    public static void LoadBaseline(PointPath? path, ref StateReader reader)
    {
        var isSame = ReadsAlike(path, ref reader);
        var baseline = CounterBaseline.Load(ref reader);
        var isAfterLoss = reader.ReadBoolean();
        var carried = reader.ReadNullableDecimal();
        if (path is null)
        {
            return;
        }

        if (Array.Find(path._accounts, a => !a.IsMarket) is { } official)
        {
            official.Carried = carried ?? 0;
        }

        if (baseline.Has && isSame)
        {
            path.Counter!.Baseline = baseline;
            path.Counter.IsAfterLoss = isAfterLoss;
            if (!isAfterLoss)
            {
                path.Windows?.Continue(baseline.Reading);
                Array.ForEach(path._accounts, a => a.Continue(baseline));
            }
        }
    }

    private void SaveReading(StateWriter writer)
    {
        var encoding = Point.Encoding;
        writer.Write(Point.Unit);
        writer.Write((byte)encoding.Type);
        writer.Write(encoding.Scale);
        writer.Write(encoding.Offset);
    }

    private static bool ReadsAlike(PointPath? path, ref StateReader reader)
    {
        var unit = reader.ReadString();
        var type = reader.ReadByte();
        var scale = reader.ReadDecimal();
        var offset = reader.ReadDecimal();
        return path?.Point is { Encoding: var encoding } point && point.Unit == unit && (byte)encoding.Type == type && encoding.Scale == scale && encoding.Offset == offset;
    }

    /// <summary>Judges a counter's reading; true when it is believed. Otherwise the sample carries the doubt.</summary>
    private bool Count(ref Sample judged, out CounterVerdict verdict)
    {
        verdict = default;
        if (!judged.Quality.HasValue || judged.Quality.Reason == QualityReason.OutOfRange)
        {
            return false;
        }

        if (!CounterReading.TryOf(Point.Encoding, judged.Raw, out var reading))
        {
            judged = judged with { Quality = Quality.Uncertain(QualityReason.OutOfRange) };
            return false;
        }

        verdict = Counter!.Judge(reading, judged.Raw, judged.Time.UnixMilliseconds);
        if (verdict.Doubt != QualityReason.None)
        {
            judged = judged with { Quality = Quality.Uncertain(verdict.Doubt) };
        }

        return verdict.IsBelieved;
    }

    private void Account(in Sample judged, bool believed, decimal growth, long since, long intervalEnd)
    {
        var time = judged.Time.UnixMilliseconds;
        foreach (var account in _accounts)
        {
            if (believed)
            {
                account.Read(Counter!.Baseline, growth, since, time, intervalEnd);
            }
            else
            {
                account.Lose(time, intervalEnd);
            }
        }

        foreach (var follower in _followers)
        {
            if (believed)
            {
                follower.Read(growth, judged.Quality.IsGood, since, time, intervalEnd);
            }
            else
            {
                follower.Lose(time, intervalEnd);
            }
        }
    }

    private void Watch(ref Sample judged)
    {
        foreach (var detector in _detectors)
        {
            if (_faults.Observe(detector, judged, _device, Point.Id) is { } record)
            {
                _sink.Anomaly(record);
            }
        }

        foreach (var detector in _detectors)
        {
            if (detector.Doubt != QualityReason.None && judged.Quality.IsGood)
            {
                judged = judged with { Quality = Quality.Uncertain(detector.Doubt) };
            }
        }
    }

    private void Summarise(in Sample judged, bool believed, decimal growth, int era)
    {
        if (Windows is null)
        {
            return;
        }

        var time = judged.Time.UnixMilliseconds;
        if (!judged.Quality.HasValue)
        {
            Windows.Miss(time, era);
            return;
        }

        Windows.Add(judged.Value, !judged.Quality.IsGood, believed, time, era);
        if (believed && Counter is not null)
        {
            Windows.Read(Counter.Baseline.Reading, growth);
        }
    }
}
