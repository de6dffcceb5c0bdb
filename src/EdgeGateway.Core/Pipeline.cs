using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Core.Validation;

namespace EdgeGateway.Core;

/// <summary>
/// The local path from samples to records: validate, detect, account, aggregate. Single-threaded and deterministic: the same inputs in the
/// same order give the same records, bit by bit, also across <see cref="Save"/> and <see cref="Load"/>.
/// </summary>
/// <remarks>
/// It has no clock. <see cref="Advance"/> tells the time; the first call of <see cref="Advance"/> or <see cref="Process"/> opens the first
/// windows. A sample dated before the last one of its point, or before an open window, counts at the latest of these: never reordered.
/// The caller announces steps of the wall clock with <see cref="ClockStepped"/>. No sample makes it throw.
/// </remarks>
public sealed class Pipeline
{
    /// <summary>How long after its end a window stays open for samples that are still on their way.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>Time without any input beyond this is told as a whole, not window by window.</summary>
    public static readonly TimeSpan LongSilence = TimeSpan.FromMilliseconds(PointWindows.LongGapMs);

    private const int StateVersion = 3;
    private const int BaselineVersion = 2;
    private const long GraceMs = 2_000;
    private const string ExchangePrefix = "exchange/";

    // Stacks keep more than the program before knew: it would misread theirs, and leaves out what has a name that it does not know.
    private const string StacksName = "cems/3";
    private const string StacksNameFirst = "cems";
    private const string StacksNameSecond = "cems/2";

    /// <summary>When nobody told the time for so long, the gateway itself was away: devices get a fresh chance to be heard.</summary>
    private const long AwayMs = 10_000;

    /// <summary>Times are kept between 1970 (a clock that was never set) and 2200.</summary>
    internal const long LatestMs = 7_258_118_400_000;

    private readonly SiteModel _site;
    private readonly PointPath[] _points;
    private readonly DeviceWatch[] _devices;
    private readonly LastGood _lastGood;
    private readonly CarbonBook _book;
    private readonly long _detectors;
    private readonly AlarmTap _tap;
    private readonly StateWriter _scratch = new();
    private bool _started;
    private bool _closed;
    private int _era;
    private long _now;
    private long _latest;

    // No open window ends before this: telling the time a second later need not look at each point.
    private long _nextEnd = long.MinValue;

    /// <summary>A pipeline for a site, with nothing seen yet.</summary>
    /// <exception cref="ArgumentException">The model names a detector, method, unit, point or region that does not exist; the configuration check says so before.</exception>
    public Pipeline(SiteModel site, FactorSet factors, IFeedSink sink)
    {
        _site = site;
        _detectors = Fingerprint(site);
        _tap = new AlarmTap(site, sink);
        sink = _tap;
        _lastGood = new LastGood(site.Points.Count);
        _book = new CarbonBook(site, factors, sink);
        Cems = new CemsBook(site, sink);
        _devices = new DeviceWatch[site.Devices.Count];
        _points = new PointPath[site.Points.Count];
        _detectors = Fingerprint(site);
        var grid = new WindowGrid(site.TimeZone);
        foreach (var device in site.Devices)
        {
            PointModel[] polled = [.. device.Points.Select(p => site.Points[p]).Where(p => p.Period > TimeSpan.Zero)];
            _devices[device.Index] = new DeviceWatch(device, polled, sink);
            var budget = NoveltyWatch.SharedBudget(site, device);
            foreach (var index in device.Points)
            {
                var point = site.Points[index];
                _points[index] = new PointPath(site, point, Array.IndexOf(polled, point), grid, _lastGood, _book, Cems, sink, RuleFaults, budget);
            }
        }
    }

    /// <summary>Clock era: 0 at first, one more after each clock step, each change of configuration and each loss.</summary>
    public int Era => _era;

    /// <summary>Rules that threw: a defect of the rule, kept away from all else.</summary>
    public RuleFaults RuleFaults { get; } = new();

    /// <summary>What of the findings a person must see. Orders of people go to it directly and are no input of the sample log: a checkpoint must follow before anything is replayed.</summary>
    public AlarmBook Alarms => _tap.Book;

    /// <summary>Resets and exchanges of meters that wait for what a person has read, in the order of devices.</summary>
    public IReadOnlyList<PendingExchange> Exchanges =>
    [
        .. _points.Where(p => p.Counter is not null).SelectMany(p => p.Counter!.Exchanges.Select(e => new PendingExchange(
            _site.Devices[p.Point.DeviceIndex].Id, p.Point.Id, p.Point.Unit, e.OldReading, new(e.OldTime), e.NewReading, new(e.NewTime)))),
    ];

    /// <summary>The factors that follow a stack, each with what others of its kind say of it.</summary>
    public IReadOnlyList<AdaptedFactorState> AdaptedFactors => FactorClusters.PoolByKind([.. _book.Adapting.Select(a => a.Follower!.State(a.Device.Id, a.Method.Name)).OfType<AdaptedFactorState>()]);

    /// <summary>How often the hours of two such factors are refused together.</summary>
    public IReadOnlyList<FactorPair> FactorPairs => _book.FactorPairs;

    /// <summary>The carbon accounts, as the ledger declares them.</summary>
    public IReadOnlyList<Ledger.LedgerAccount> CarbonAccounts => [.. _book.Accounts.Select(a => a.Declare())];

    /// <summary>The remainders and totals of each interval, as the ledger declares them.</summary>
    public IReadOnlyList<Ledger.LedgerSum> CarbonSums => _book.Sums();

    /// <summary>Factors that followed a stack and were forgotten by <see cref="LoadBaselines"/>, because their account is of another fuel or unit now: device, method and what was known.</summary>
    public IReadOnlyList<(string Device, string Method, ForgottenFactor What)> ForgottenFactors =>
        [.. _book.Adapting.Where(a => a.Follower!.Forgotten is not null).Select(a => (a.Device.Id, a.Method.Name, a.Follower!.Forgotten!))];

    /// <summary>True when yearly balances or instruments are entered, whose earlier entries <see cref="Continue"/> takes from the ledger.</summary>
    public bool EntersOnce => _book.EntersOnce;

    /// <summary>
    /// Takes what was entered of yearly balances and instruments from the ledger, where the restored state may know less: after a salvage, or when the state was not taken over. Like
    /// <see cref="ResumeAfterLoss"/> it is not in the sample log: a checkpoint must follow.
    /// </summary>
    public void Continue(Ledger.EnteredBefore entered) => _book.Continue(entered);

    /// <summary>The stacks. Calibrations that people enter go to it directly and are no input of the sample log: a checkpoint must follow before anything is replayed.</summary>
    public CemsBook Cems { get; }

    /// <summary>How many bytes of the last <see cref="Save"/> are what detectors learnt and stacks look back on: much, and no zeros. Whoever writes it to flash may do so less often.</summary>
    public int LearntBytes { get; private set; }

    /// <summary>How far the detector for any gauge is on every point that it watches, in the order of the points.</summary>
    public IReadOnlyList<NoveltyProgress> Learners() => [.. _points.Select(p => p.Learning).OfType<NoveltyProgress>()];

    /// <summary>How far the detector for any gauge is on a point; null when it does not watch it.</summary>
    /// <exception cref="IndexOutOfRangeException">The site has no such point.</exception>
    public NoveltyProgress? Learning(int point) => _points[point].Learning;

    /// <summary>Samples that named no point of the site and were left out.</summary>
    public long Strays { get; private set; }

    /// <summary>Has somebody told how the samples of a point are judged, for a person who follows one; it changes nothing.</summary>
    /// <param name="point">Index of the point.</param>
    /// <param name="watcher">Told of each stage; null ends it.</param>
    /// <exception cref="IndexOutOfRangeException">The site has no such point.</exception>
    public void Watch(int point, Action<SampleStage, Sample>? watcher) => _points[point].Watcher = watcher;

    /// <summary>Takes one sample through all stages.</summary>
    public void Process(in Sample sample)
    {
        ThrowIfClosed();
        if (sample.Point < 0 || sample.Point >= _points.Length)
        {
            Strays++;
            return;
        }

        var time = Math.Clamp(sample.Time.UnixMilliseconds, 0, LatestMs);
        Start(time);
        _latest = Math.Max(_latest, time);
        if (time >= _book.End + GraceMs)
        {
            _book.CloseUpTo(time - GraceMs, _era);
        }

        Cems.CloseUpTo(time - GraceMs, _era);
        var path = _points[sample.Point];
        time = Math.Max(time, path.EarliestTime);
        path.Process(sample with { Time = new(time) }, _devices[path.Point.DeviceIndex], _book.End, _era);
    }

    /// <summary>Closes windows whose end and grace have passed, makes entries, and looks for silent devices.</summary>
    public void Advance(Instant now)
    {
        ThrowIfClosed();
        var time = Math.Clamp(now.UnixMilliseconds, 0, LatestMs);
        Start(time);
        if (time <= _now)
        {
            return;
        }

        if (time - _now > AwayMs)
        {
            AwaitDevices(time);
        }

        _now = time;
        _latest = Math.Max(_latest, time);
        if (time - GraceMs >= _nextEnd)
        {
            CloseWindows(time - GraceMs);
        }

        _book.CloseUpTo(time - GraceMs, _era);
        Cems.CloseUpTo(time - GraceMs, _era);
        foreach (var device in _devices)
        {
            device.Advance(time);
        }

        Alarms.Advance(new(time));
    }

    /// <summary>
    /// Counts the energy between the readings of a change of meters, which only a person can tell: into the interval that is open, as allocated. Like an order for alarms it is no
    /// input of the sample log: a checkpoint must follow before anything is replayed.
    /// </summary>
    /// <param name="device">Id of the device.</param>
    /// <param name="point">Id of its counter; null where only one has a change that waits.</param>
    /// <param name="oldFinal">Last reading of the old meter, in the counter's unit.</param>
    /// <param name="newStart">First reading of the new one.</param>
    /// <param name="who">Who says so.</param>
    /// <returns>Why it is refused, for that person; null when it is done.</returns>
    public string? SettleExchange(string device, string? point, decimal oldFinal, decimal newStart, string who)
    {
        ThrowIfClosed();
        if (!_started || _site.Devices.FirstOrDefault(d => d.Id == device) is not { } model)
        {
            return _started ? $"there is no device '{device}'. {Configuration.Spelling.Hint(device, _site.Devices.Select(d => d.Id))}" : "the gateway has just started; try again in a moment";
        }

        PointPath[] found = [.. model.Points.Select(p => _points[p]).Where(p => p.Counter is { Exchanges.Count: > 0 } && (point is null || p.Point.Id == point))];
        return found switch
        {
            [] => $"'{device}' has no counter{(point is null ? "" : $" '{point}'")} with a change of meters that waits for its readings; 'edgegateway meter' lists them",
            [var one] => one.Settle(oldFinal, newStart, who, _latest, _book.End),
            _ => $"'{device}' has several counters that wait: name one of {string.Join(", ", found.Select(p => p.Point.Id))}",
        };
    }

    /// <summary>Puts a factor that followed a stack in the place of the official one, or that one back. Like <see cref="SettleExchange"/> no input of the sample log.</summary>
    /// <param name="device">Id of the device.</param>
    /// <param name="method">Method of the account; null where the device has only one that follows a stack.</param>
    /// <param name="approve">True to approve what was learnt, as it stands now; false to withdraw an approval.</param>
    /// <param name="who">Who says so.</param>
    /// <returns>Why it is refused, for that person; null when it is done.</returns>
    public string? DecideFactor(string device, string? method, bool approve, string who)
    {
        ThrowIfClosed();
        CarbonAccount[] found = [.. _book.Adapting.Where(a => a.Device.Id == device && (method is null || a.Method.Name == method))];
        return found switch
        {
            [] => $"'{device}' has no account{(method is null ? "" : $" by {method}")} with a factor that follows a stack; 'edgegateway factors adapted' lists them",
            [var one] => approve ? one.Follower!.Approve(who, new(_latest)) : one.Follower!.Withdraw(),
            _ => $"'{device}' has several such accounts: name one of {string.Join(", ", found.Select(a => a.Method.Name))}",
        };
    }

    /// <summary>The wall clock was set from <paramref name="before"/> to <paramref name="after"/>: open windows end, a new era begins.</summary>
    public void ClockStepped(Instant before, Instant after)
    {
        ThrowIfClosed();
        var from = Math.Max(_latest, Math.Clamp(before.UnixMilliseconds, 0, LatestMs));
        var to = Math.Clamp(after.UnixMilliseconds, 0, LatestMs);
        Start(from);
        Cut(from, WindowCut.ClockStep);
        _era++;
        Reopen(to, to - from);
    }

    /// <summary>
    /// Goes on after records that followed the restored state were lost with a damaged store. Open windows and entries are published as the
    /// state knows them, cut for loss; a new era begins at <paramref name="now"/>. What counters grew in between may have been published
    /// already: it is not counted, and a finding of each counter says from which to which reading.
    /// </summary>
    /// <remarks>Called once after <see cref="Load"/> or <see cref="LoadBaselines"/>; it is not in the sample log, so a checkpoint must follow before anything is replayed.</remarks>
    public void ResumeAfterLoss(Instant now)
    {
        ThrowIfClosed();
        var to = Math.Clamp(now.UnixMilliseconds, 0, LatestMs);
        if (_started)
        {
            // Windows that ended meanwhile are not said to be empty: they may have been published, and what is missing is stated as a range.
            foreach (var path in _points)
            {
                path.Windows?.Abandon(_latest, _era);
            }

            _book.Abandon(_latest, _era);
            Cems.Cut(_latest, _era, WindowCut.Loss);
        }

        _era++;
        _book.Forget();
        Cems.Forget();
        foreach (var path in _points)
        {
            path.Windows?.Forget();
            path.Counter?.ResumeAfterLoss(to);
        }

        if (_started)
        {
            Reopen(to, Math.Min(0, to - _latest));
            AwaitDevices(to);
        }
    }

    /// <summary>Ends the pipeline for a change of configuration: all open windows are emitted as they are, and findings that stand are cleared. Only <see cref="SaveBaselines"/> may follow.</summary>
    /// <param name="now">When the configuration was last in force.</param>
    /// <param name="next">The configuration that follows; null when none does: then nothing waits any longer.</param>
    public void Close(Instant now, SiteModel? next = null)
    {
        ThrowIfClosed();
        _closed = true;
        if (_started)
        {
            var time = Math.Clamp(now.UnixMilliseconds, 0, LatestMs);
            Cut(time, WindowCut.Configuration);
            foreach (var path in _points)
            {
                path.End(time);
            }

            _book.EndFindings(new(time));
            Cems.End(time, next);
            Alarms.End(new(time));
        }
    }

    /// <summary>Writes what must outlive a change of configuration: counter baselines, carried milligrams, the era, what people did to alarms and what detectors learnt, by device and point id.</summary>
    public void SaveBaselines(StateWriter writer)
    {
        writer.Write(BaselineVersion);
        writer.Write(_era);
        writer.Write(_points.Count(p => p.Counter is not null));
        foreach (var path in _points)
        {
            if (path.Counter is not null)
            {
                writer.Write(_site.Devices[path.Point.DeviceIndex].Id);
                writer.Write(path.Point.Id);
                path.SaveBaseline(writer);
            }
        }

        Alarms.Save(writer);
        SaveLearntAndMore(writer, isLasting: true);
    }

    /// <summary>Continues from the baselines of the configuration before. Points that are gone, or are read in another unit, type or scale, start anew.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged or of another version; the pipeline must not be used.</exception>
    public void LoadBaselines(ref StateReader reader)
    {
        RequireVersion(reader.ReadInt32(), BaselineVersion);
        _era = reader.ReadInt32() + 1;
        var byName = _points.Where(p => p.Counter is not null).ToDictionary(p => (_site.Devices[p.Point.DeviceIndex].Id, p.Point.Id));
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var device = reader.ReadString();
            var point = reader.ReadString();
            PointPath.LoadBaseline(byName.GetValueOrDefault((device, point)), ref reader);
        }

        Alarms.Load(ref reader);
        Alarms.Retain(IsConfigured);
        LoadLearnt(ref reader);
        LoadMore(ref reader, isLasting: true);
    }

    /// <summary>Writes the complete state.</summary>
    public void Save(StateWriter writer)
    {
        writer.Write(StateVersion);
        writer.Write(_site.ConfigurationHash);
        writer.Write(_detectors);
        writer.Write(_points.Length);
        writer.Write(_devices.Length);
        writer.Write(_started);
        writer.Write(_era);
        writer.Write(_now);
        writer.Write(_latest);
        writer.Write(Strays);
        _lastGood.Save(writer);
        _book.Save(writer);
        foreach (var path in _points)
        {
            path.Save(writer);
        }

        foreach (var device in _devices)
        {
            device.Save(writer);
        }

        // Last, in the order in which programs learnt of them: one that does not know them reads what is before.
        Alarms.Save(writer);
        SaveLearntAndMore(writer, isLasting: false);
    }

    /// <summary>Reads what <see cref="Save"/> wrote for the same configuration; afterwards it goes on as if never interrupted.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged, of another version or of another configuration; the pipeline must not be used.</exception>
    public void Load(ref StateReader reader)
    {
        RequireVersion(reader.ReadInt32(), StateVersion);
        var hash = reader.ReadString();
        if (hash != _site.ConfigurationHash || reader.ReadInt64() != _detectors || reader.ReadInt32() != _points.Length || reader.ReadInt32() != _devices.Length)
        {
            throw new InvalidDataException($"The state belongs to another configuration ({hash}).");
        }

        _started = reader.ReadBoolean();
        _era = reader.ReadInt32();
        _now = reader.ReadInt64();
        _latest = reader.ReadInt64();
        Strays = reader.ReadInt64();
        _lastGood.Load(ref reader);
        _book.Load(ref reader);
        _nextEnd = long.MinValue;
        foreach (var path in _points)
        {
            path.Load(ref reader);
        }

        foreach (var device in _devices)
        {
            device.Load(ref reader);
        }

        // A program before this one knew none; they begin with the next finding.
        if (!reader.AtEnd)
        {
            Alarms.Load(ref reader);
        }

        LoadLearnt(ref reader);
        LoadMore(ref reader, isLasting: false);
    }

    /// <summary>
    /// Last of all, in the order in which programs learnt of it: what detectors learnt, then what is kept by name. Each is left out where there is nothing: a state of a program
    /// that knew neither ends before it, and such a program reads no further.
    /// </summary>
    /// <param name="writer">Where to.</param>
    /// <param name="isLasting">True for what outlives a change of the configuration only.</param>
    private void SaveLearntAndMore(StateWriter writer, bool isLasting)
    {
        var more = More(isLasting).ToList();
        var before = writer.Written.Length;
        if (_points.Count(p => p.Learns) is var learners && (learners > 0 || more.Count > 0))
        {
            writer.Write(learners);
            foreach (var path in _points)
            {
                if (path.Learns)
                {
                    writer.Write(_site.Devices[path.Point.DeviceIndex].Id);
                    writer.Write(path.Point.Id);
                    path.SaveLearnt(writer, _scratch);
                }
            }
        }

        if (more.Count > 0)
        {
            writer.Write(more.Count);
            foreach (var (name, save) in more)
            {
                writer.Write(name);
                _scratch.Clear();
                save(_scratch);
                writer.Write(_scratch.Written.Span);
            }
        }

        LearntBytes = writer.Written.Length - before;
    }

    /// <summary>What is kept by name: other programs may know others, and a change of the configuration may take some away.</summary>
    private IEnumerable<(string Name, Action<StateWriter> Save)> More(bool isLasting)
    {
        foreach (var path in _points)
        {
            if (path.Counter is { Exchanges.Count: > 0 })
            {
                yield return ($"{ExchangePrefix}{_site.Devices[path.Point.DeviceIndex].Id}/{path.Point.Id}", path.SaveExchanges);
            }
        }

        foreach (var kept in _book.More())
        {
            yield return kept;
        }

        if (!Cems.IsEmpty)
        {
            // The earlier one first: who knows both goes on with the later.
            yield return (StacksNameSecond, Save(CemsBook.StateVersionBefore));
            yield return (StacksName, Save(CemsBook.StateVersion));
        }

        Action<StateWriter> Save(int version) => isLasting ? writer => Cems.SaveLasting(writer, new StateWriter(), version) : writer => Cems.Save(writer, version);
    }

    private void LoadMore(ref StateReader reader, bool isLasting)
    {
        var hasStacks = false;
        for (var left = reader.AtEnd ? 0 : reader.ReadInt32(); left > 0; left--)
        {
            var name = reader.ReadString();
            var bytes = new StateReader(reader.ReadBytes());
            if (name is StacksName or StacksNameFirst or StacksNameSecond)
            {
                hasStacks = true;
                LoadStacks(ref bytes, isLasting, name switch { StacksNameFirst => 1, StacksNameSecond => 2, _ => CemsBook.StateVersion });
            }
            else if (name.StartsWith(ExchangePrefix, StringComparison.Ordinal))
            {
                Array.Find(_points, p => p.Counter is not null && name.AsSpan(ExchangePrefix.Length).SequenceEqual($"{_site.Devices[p.Point.DeviceIndex].Id}/{p.Point.Id}"))?.LoadExchanges(ref bytes);
            }
            else
            {
                _book.LoadMore(name, ref bytes);
            }
        }

        // A program that knew no stacks had the same configuration and left them out.
        if (!isLasting && !hasStacks && _started)
        {
            Cems.Open(_latest);
        }
    }

    private void LoadStacks(ref StateReader reader, bool isLasting, int version)
    {
        if (isLasting)
        {
            Cems.LoadLasting(ref reader, version);
        }
        else
        {
            Cems.Load(ref reader, version);
        }
    }

    private void LoadLearnt(ref StateReader reader)
    {
        if (reader.AtEnd)
        {
            return;
        }

        var byName = _points.Where(p => p.Learns).ToDictionary(p => (_site.Devices[p.Point.DeviceIndex].Id, p.Point.Id));
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var device = reader.ReadString();
            var point = reader.ReadString();
            PointPath.LoadLearnt(byName.GetValueOrDefault((device, point)), ref reader);
        }
    }

    /// <summary>Which detectors watch which points, and how their state is laid out. Rules find their points by themselves, so another program may give the same configuration others.</summary>
    private static long Fingerprint(SiteModel site)
    {
        // FNV-1a.
        var hash = unchecked((long)0xCBF29CE484222325);
        foreach (var point in site.Points)
        {
            // What detectors learnt is kept by the names of their points.
            foreach (var detector in point.Detectors.Where(d => d.Name != NoveltyWatch.Name))
            {
                foreach (var character in detector.Name)
                {
                    hash = unchecked((hash ^ character) * 0x100000001B3);
                }

                hash = unchecked((hash ^ point.Index) * 0x100000001B3);
                if (Detectors.ByName.GetValueOrDefault(detector.Name) is { Layout: > 0 and var layout })
                {
                    hash = unchecked((hash ^ layout) * 0x100000001B3);
                }
            }
        }

        return hash;
    }

    private bool IsConfigured(AlarmCondition condition) =>
        (condition.Bus.Length == 0 || _site.Devices.Any(d => d.BusId == condition.Bus && (condition.Device.Length == 0 || d.Id == condition.Device)))
        && (condition.Point.Length == 0 || _site.Devices.Any(d => d.Id == condition.Device && d.Points.Any(p => _site.Points[p].Id == condition.Point)));

    private static void RequireVersion(int found, int expected)
    {
        if (found != expected)
        {
            throw new InvalidDataException($"The state has version {found}; this program reads version {expected}.");
        }
    }

    private void ThrowIfClosed()
    {
        if (_closed)
        {
            throw new InvalidOperationException("The pipeline was closed for a change of configuration.");
        }
    }

    private void Start(long time)
    {
        if (_started)
        {
            return;
        }

        _started = true;
        _now = time;
        _book.Open(time);
        Cems.Open(time);
        AwaitDevices(time);
        foreach (var path in _points)
        {
            path.Windows?.Open(time);
        }
    }

    /// <summary>Opens windows and interval at <paramref name="to"/>, after all times that are kept have moved by <paramref name="shift"/> milliseconds.</summary>
    private void Reopen(long to, long shift)
    {
        _now = to;
        _latest = to;
        _nextEnd = long.MinValue;
        foreach (var path in _points)
        {
            path.Shift(shift, to);
            path.Windows?.Open(to);
        }

        foreach (var device in _devices)
        {
            device.Shift(shift);
        }

        Alarms.Shift(shift);

        _lastGood.Shift(shift);
        _book.Shift(shift);
        _book.Open(to);
        Cems.Shift(shift);
        Cems.Open(to);
    }

    private void CloseWindows(long time)
    {
        _nextEnd = long.MaxValue;
        foreach (var path in _points)
        {
            if (path.Windows is { } windows)
            {
                windows.CloseUpTo(time, _era);
                _nextEnd = Math.Min(_nextEnd, windows.BaseEnd);
            }
        }
    }

    private void AwaitDevices(long time)
    {
        foreach (var device in _devices)
        {
            device.Await(time);
        }
    }

    private void Cut(long time, WindowCut cut)
    {
        foreach (var path in _points)
        {
            path.Windows?.Cut(time, _era, cut);
        }

        _book.Cut(time, _era, cut);
        Cems.Cut(time, _era, cut);
    }
}
