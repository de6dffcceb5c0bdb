using EdgeGateway.Core.Accounting.Forecasting;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>Makes a statement from entries in the order in which they were made.</summary>
/// <remarks>
/// Takes the entries before the period too, where there are any: they are the history of the forecasts. Memory grows with accounts and days, and with the hours of stacks: these are held until the end, because a later entry may replace them.
/// An entry is known by account, device, method, start and era, and counts once; one that was made after a loss yields to another under the same key.
/// </remarks>
public sealed class StatementBuilder
{
    /// <summary>Most gaps that a statement lists.</summary>
    public const int MostGaps = 24;

    private readonly StatementPeriod _period;
    private readonly StatementSite _site;
    private readonly StatementSubject _subject;
    private readonly FactorSet _factors;
    private readonly Dictionary<string, Factor> _factorsById;
    private readonly Dictionary<LineKey, LineSum> _lines = [];
    private readonly Dictionary<string, LineSum> _remainders = [];
    private readonly Dictionary<(string Area, int Scope, EmissionBasis Basis, string? GwpSet, string Method), LineSum> _areas = [];
    private readonly Dictionary<(EmissionAccount, string?, string, int), IntervalSet> _seen = [];
    private readonly HashSet<(string? Device, string Method, int Era, Instant Start)> _stackStarts = [];
    private readonly Dictionary<(string? Device, string Method, int Era, Instant Start, TimeSpan Width), StatementEntry> _stackParts = [];
    private readonly Dictionary<(string Device, string Method), StackSum> _stacks = [];
    private readonly List<StatementEntry> _losses = [];
    private readonly List<StatementRestatement> _restatements = [];
    private readonly List<StatementEvent> _events = [];
    private readonly IntervalSet _running = new();
    private readonly EmissionHistory _history;
    private Instant? _first;
    private Instant? _last;
    private long _entries;

    /// <summary>An empty statement.</summary>
    /// <param name="site">The site.</param>
    /// <param name="period">The period.</param>
    /// <param name="subject">What it is about.</param>
    /// <param name="factors">Factor set at hand: from it come sources, status and the part of an uncertainty that entries have in common.</param>
    public StatementBuilder(StatementSite site, StatementPeriod period, StatementSubject subject, FactorSet factors)
    {
        ArgumentNullException.ThrowIfNull(site);
        ArgumentNullException.ThrowIfNull(factors);
        (_site, _period, _subject, _factors) = (site, period, subject, factors);
        _factorsById = factors.Factors.DistinctBy(f => f.Id).ToDictionary(f => f.Id);
        _history = new(site.Zone);
    }

    /// <summary>The last moment that an entry of an account speaks of, up to the end of the period; null when there is none.</summary>
    public Instant? LastEntry => _stackParts.Values.Select(e => (Instant?)(e.Record.Start + e.Record.Width)).Append(_history.Last).Max() is { } end ? end - TimeSpan.FromMilliseconds(1) : null;

    /// <summary>Takes an entry. Those after the end of the period are not needed.</summary>
    public void Add(in StatementEntry entry)
    {
        if (entry.Record.Start >= _period.End)
        {
            return;
        }

        if (StackMethods.Contains(entry.Record.Method))
        {
            // An hour that a failed check took back is entered again, and after a loss a stack may say one again: the highest revision counts, and of equal ones the first.
            var part = (entry.Device, entry.Record.Method, entry.Record.Era, entry.Record.Start, entry.Record.Width);
            if (!_stackParts.TryGetValue(part, out var before) || (entry.Record.Detail?.Stack?.Revision ?? 1) > (before.Record.Detail?.Stack?.Revision ?? 1))
            {
                _stackParts[part] = entry;
            }

            return;
        }

        if (entry.Record.Cut == WindowCut.Loss)
        {
            _losses.Add(entry);
            return;
        }

        Take(entry);
    }

    /// <summary>Takes a restatement; those of months outside the period are not needed.</summary>
    public void Add(StatementRestatement restatement)
    {
        ArgumentNullException.ThrowIfNull(restatement);

        if (_period.Contains(MiddleOf(restatement)) && (_subject.Kind != StatementSubjectKind.Device || restatement.Device == _subject.Id))
        {
            _restatements.Add(restatement);
        }
    }

    /// <summary>Takes an event; those outside the period are not needed.</summary>
    public void Add(StatementEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        if (_period.Contains(happened.At))
        {
            _events.Add(happened);
        }
    }

    /// <summary>Makes the statement.</summary>
    /// <param name="source">Where the entries come from.</param>
    /// <param name="withForecast">Whether to forecast the end of month and year.</param>
    /// <param name="scenarios">Scenarios and the base from which they go; null for none.</param>
    /// <exception cref="EmissionRefusedException">There is no entry in the period, or none of its subject.</exception>
    public Statement Build(StatementSource source, bool withForecast = true, PeakInput? scenarios = null)
    {
        foreach (var hour in _stackParts.Values.OrderBy(e => e.Record.Cut == WindowCut.Loss))
        {
            Take(hour);
        }

        foreach (var loss in _losses)
        {
            Take(loss);
        }

        _stackParts.Clear();
        _losses.Clear();
        if (_first is not { } first || _last is not { } last)
        {
            throw new EmissionRefusedException($"There is no entry of the carbon account in {_period}{(_history.LastDay is { } day ? $"; the last before it is of {day:yyyy-MM-dd}" : "")}.");
        }

        List<(LineKey Key, LineSum Sum, int Sign)> chosen = [.. _lines.Where(l => l.Value.HasEntries).Select(l => (l.Key, l.Value, Sign: SignOf(l.Key))).Where(l => l.Sign != 0).OrderBy(l => Order(l.Key), StringComparer.Ordinal)];
        if (chosen.Count == 0)
        {
            throw new EmissionRefusedException($"{(_subject.Kind == StatementSubjectKind.Area ? "The area" : "The device")} '{_subject.Id}' has no entry in {_period}.");
        }

        // A device's own statement counts it, whatever it is part of; an area counts its meters, less what is metered behind them elsewhere.
        var counted = chosen.Where(l => _subject.Kind != StatementSubjectKind.Site || l.Key.Counts).ToList();
        var end = last < _period.End ? last : _period.End;
        List<StatementLine> lines = [.. chosen.Where(l => _subject.Kind != StatementSubjectKind.Area || DeviceOf(l.Key.Device).Area == _subject.Id).Select(l => Line(l.Key, l.Sum, end))];
        var gaps = lines.SelectMany(l => _lines[KeyOf(l)].GapsUpTo(end).Select(g => new StatementGap(l.Device, l.Method, g.From, g.To, g.Reason))).ToList();
        List<StatementGap> longest = [.. gaps.OrderByDescending(g => g.To - g.From).ThenBy(g => g.From).Take(MostGaps).OrderBy(g => g.From).ThenBy(g => g.Device, StringComparer.Ordinal)];
        var groups = counted.Where(l => l.Key.Scope > 0).GroupBy(l => (l.Key.Scope, l.Key.Basis)).OrderBy(g => g.Key).ToList();
        var lastDay = _history.LastDay;
        IReadOnlyList<StatementOutlook> outlooks = withForecast ? Outlooks([.. groups.Select(g => (g.Key.Scope, g.Key.Basis, (IReadOnlyList<(LineKey, int)>)[.. g.Select(l => (l.Key, l.Sign))]))], counted.Select(l => l.Key)) : [];
        List<StatementCourse> courses = [.. groups.Where(g => g.Select(l => l.Key.GwpSet).OfType<string>().Distinct().Count() < 2).Select(g => new StatementCourse(g.Key.Scope, g.Key.Basis, [.. Enumerable.Range(0, _period.Parts).Select(p => g.Aggregate(default(Int128), (sum, l) => sum + (l.Sign * l.Sum.Parts[p])))]))];
        var (peak, refusal) = scenarios is null ? default : PeakOf(scenarios, outlooks);
        return new Statement
        {
            Subject = _subject,
            Site = _site,
            Period = _period,
            From = first,
            To = end,
            Source = source,
            Entries = _entries,
            Totals = [.. groups.Select(g => Total(g.Key.Scope, g.Key.Basis, null, [.. g.Select(l => (l.Key, l.Sum, l.Sign))], end))],
            Courses = courses,
            Restated = Restated(courses, counted),
            Gases = [.. counted.Where(l => l.Key.Scope > 0).GroupBy(l => (l.Key.Scope, l.Key.Basis, l.Key.Gas, l.Key.GwpSet)).OrderBy(g => g.Key)
                .Select(g => Total(g.Key.Scope, g.Key.Basis, g.Key.Gas, [.. g.Select(l => (l.Key, l.Sum, l.Sign))], end))],
            Removed = Apart(counted.Where(l => l.Sum.Removed != 0 || EmissionMethods.ByName.GetValueOrDefault(l.Key.Method)?.IsRemoval == true), s => s.Removed, s => s.RemovedSum, end),
            Biogenic = Apart(counted.Where(l => l.Sum.Biogenic != 0), s => s.Biogenic, s => s.BiogenicSum, end),
            Lines = lines,
            Areas = _subject.Kind == StatementSubjectKind.Site ? Areas(end) : [],
            Remainders = [.. _remainders.Where(r => _subject.Kind == StatementSubjectKind.Site || lines.Any(l => l.Device == r.Key)).OrderBy(r => r.Key, StringComparer.Ordinal)
                .Select(r => new StatementRemainder(r.Key, DeviceOf(r.Key).Name, r.Value.Activity, r.Value.State(CoverageFrom(r.Value), end)))],
            Stacks = [.. _stacks.Where(x => lines.Any(l => l.Device == x.Key.Device)).OrderBy(x => x.Key.Device, StringComparer.Ordinal).ThenBy(x => x.Key.Method, StringComparer.Ordinal)
                .Select(x => x.Value.State(x.Key.Device, DeviceOf(x.Key.Device).Name, x.Key.Method))],
            Gaps = longest,
            GapsLeftOut = gaps.Count - longest.Count,
            Factors = FactorsOf(chosen.Select(l => l.Sum)),
            Restatements = _restatements,
            Events = _events,
            Outlooks = outlooks,
            Peak = peak,
            PeakRefusal = refusal,
            Own = _subject.Kind == StatementSubjectKind.Site ? Own(end) : null,
        };
    }

    /// <summary>The months of a year as the newest factor set states them: what was published, and what restatements change of it.</summary>
    private List<StatementCourse> Restated(List<StatementCourse> courses, IReadOnlyList<(LineKey Key, LineSum Sum, int Sign)> counted)
    {
        var restated = new List<StatementCourse>();
        foreach (var course in _period.Length == PeriodLength.Year ? courses : [])
        {
            Int128[] months = [.. course.Milligrams];
            var any = false;
            foreach (var r in _restatements.Where(r => !r.IsRemoval))
            {
                // One account may have several lines of another gas; it is restated as a whole.
                foreach (var sign in counted.Where(l => l.Key.Device == r.Device && l.Key.Method == r.Method && l.Key.Scope == course.Scope && l.Key.Basis == course.Basis).Select(l => l.Sign).Take(1))
                {
                    months[_period.PartOf(MiddleOf(r))] += sign * ((Int128)r.AfterMilligrams - r.BeforeMilligrams);
                    any = true;
                }
            }

            if (any)
            {
                restated.Add(course with { Milligrams = months });
            }
        }

        return restated;
    }

    // A month of UTC belongs to the period that holds its middle: the zone moves its edges by hours.
    private static Instant MiddleOf(StatementRestatement restatement) => restatement.Month + TimeSpan.FromDays(14);

    private static LineKey KeyOf(StatementLine line) => new(line.Device, line.Method, line.Scope, line.Basis, line.Gas, line.GwpSet, line.Unit, line.Counts);

    private void Take(in StatementEntry entry)
    {
        if (entry.Record.Account == EmissionAccount.Site)
        {
            return; // The site's own entry is a sum of others, and is made again here.
        }

        // A balance of a year may be corrected by a second entry of the same year; both count.
        var isInterval = entry.Record.Width <= TimeSpan.FromHours(1);

        // Not of a stack: parts of an hour lie within one quarter of it, and those of earlier programs all name the hour's begin.
        if (isInterval && !StackMethods.Contains(entry.Record.Method))
        {
            var identity = (entry.Record.Account, entry.Device ?? entry.Record.Area, entry.Record.Method, entry.Record.Era);
            if (!_seen.TryGetValue(identity, out var seen))
            {
                _seen.Add(identity, seen = new());
            }

            if (!seen.Add(entry.Record.Start))
            {
                return;
            }
        }
        else if (isInterval)
        {
            // After a loss a stack may say a part of an hour that the ledger holds whole.
            if (!_stackStarts.Add((entry.Device, entry.Record.Method, entry.Record.Era, entry.Record.Start)) && entry.Record.Cut == WindowCut.Loss)
            {
                return;
            }
        }

        var isInside = isInterval ? _period.Contains(entry.Record.Start) : _period.Contains(entry.Record.Start + (entry.Record.Width / 2)) && _period.End - _period.Start >= entry.Record.Width - TimeSpan.FromDays(1);
        if (entry.Record.Account == EmissionAccount.Device)
        {
            var key = new LineKey(entry.Device ?? "", entry.Record.Method, entry.Record.Scope, entry.Basis, entry.Gas, entry.GwpSet, entry.Unit, entry.Record.CountsTowardSite);
            if (isInterval)
            {
                _history.Add(key, entry);
            }

            if (!_lines.TryGetValue(key, out var line))
            {
                _lines.Add(key, line = new(_period, _factorsById) { FirstEver = entry.Record.Start });
            }

            line.FirstEver = entry.Record.Start < line.FirstEver ? entry.Record.Start : line.FirstEver;
            if (isInside)
            {
                line.Add(entry);
                _entries++;
                if (entry.Record.Detail?.Stack is { OperatingTime: > 0 } stack)
                {
                    Add(entry.Device ?? "", entry.Record.Method, stack);
                }

                if (!isInterval)
                {
                    return;
                }

                for (var at = entry.Record.Start; at < entry.Record.Start + entry.Record.Width; at += TimeSpan.FromMilliseconds(CarbonBook.WidthMs))
                {
                    _running.Add(at);
                }

                _first = _first is { } first && first < entry.Record.Start ? first : entry.Record.Start;
                var end = entry.Record.Start + entry.Record.Width;
                _last = _last is { } last && last > end ? last : end;
            }
        }
        else if (isInside && entry.Record is { Account: EmissionAccount.Area, Area: { } area })
        {
            var key = (area, entry.Record.Scope, entry.Basis, entry.GwpSet, entry.Record.Method);
            if (!_areas.TryGetValue(key, out var sum))
            {
                _areas.Add(key, sum = new(_period, _factorsById) { FirstEver = entry.Record.Start });
            }

            sum.Add(entry);
            _entries++;
        }
        else if (isInside && entry.Record.Account == EmissionAccount.Remainder)
        {
            if (!_remainders.TryGetValue(entry.Device ?? "", out var rest))
            {
                _remainders.Add(entry.Device ?? "", rest = new(_period, _factorsById) { FirstEver = entry.Record.Start });
            }

            rest.Add(entry);
            _entries++;
        }
    }

    private void Add(string device, string method, StackHour hour)
    {
        if (!_stacks.TryGetValue((device, method), out var sum))
        {
            _stacks.Add((device, method), sum = new());
        }

        sum.Add(hour);
    }

    /// <summary>How a line enters the subject: 1, or -1 for a meter behind one of an area that stands in another; 0 when it does not.</summary>
    private int SignOf(LineKey key) => _subject.Kind switch
    {
        StatementSubjectKind.Device => key.Device == _subject.Id ? 1 : 0,
        StatementSubjectKind.Area => SignIn(key, _subject.Id),
        _ => 1,
    };

    private int SignIn(LineKey key, string? area)
    {
        var device = DeviceOf(key.Device);
        return (device.Area == area ? 1 : 0) - (ContainerOf(key) is { } parent && DeviceOf(parent).Area == area ? 1 : 0);
    }

    /// <summary>The meter whose mass contains that of a line: the nearest one in front of it that has an account of bought electricity.</summary>
    private string? ContainerOf(LineKey key)
    {
        if (key.Counts || key.Basis != EmissionBasis.Location || EmissionMethods.ByName.GetValueOrDefault(key.Method)?.NeedsGridFactor != true)
        {
            return null;
        }

        var steps = 0;
        for (var parent = DeviceOf(key.Device).Parent; parent is not null && steps++ < _site.Devices.Count; parent = DeviceOf(parent).Parent)
        {
            if (_lines.Any(l => l.Value.HasEntries && l.Key.Device == parent && l.Key.Method == key.Method && l.Key.Scope > 0))
            {
                return parent;
            }
        }

        return null;
    }

    private StatementDevice DeviceOf(string id) => _site.Devices.GetValueOrDefault(id) ?? new(id, id, null, null, false);

    // By the tree, then by name: a meter before what it contains.
    private string Order(LineKey key)
    {
        var path = DeviceOf(key.Device).Id;
        var steps = 0;
        for (var parent = DeviceOf(key.Device).Parent; parent is not null && steps++ < _site.Devices.Count; parent = DeviceOf(parent).Parent)
        {
            path = $"{parent}\u0002{path}";
        }

        return $"{path}\u0001{key.Method}";
    }

    private Instant CoverageFrom(LineSum sum) => sum.FirstEver > _period.Start ? sum.FirstEver : _period.Start;

    private StatementLine Line(LineKey key, LineSum sum, Instant end)
    {
        var device = DeviceOf(key.Device);
        var from = CoverageFrom(sum);
        return new()
        {
            Device = key.Device,
            Name = device.Name,
            Area = device.Area,
            ContainedIn = ContainerOf(key),
            Counts = key.Counts,
            Method = key.Method,
            Evidence = StackMethods.Contains(key.Method) ? EmissionEvidence.Measured : EmissionMethods.ByName.GetValueOrDefault(key.Method)?.Evidence ?? EmissionEvidence.Calculated,
            Scope = key.Scope,
            Basis = key.Basis,
            Gas = key.Gas,
            GwpSet = key.GwpSet,
            Activity = sum.Activity,
            Unit = key.Unit,
            Mass = sum.State(from, end),
            RemovedMilligrams = sum.Removed,
            BiogenicMilligrams = sum.Biogenic,
            AllocatedMilligrams = sum.Allocated,
            Substituted = sum.SubstitutedShare(from, end),
            Missing = sum.MissingTime(from, end),
            Since = from > _period.Start ? from : null,
            AdaptedMilligrams = sum.Adapted,
            Parts = sum.Parts,
            PartCoverage = sum.PartCoverage(from, end),
        };
    }

    private StatementTotal Total(int scope, EmissionBasis basis, string? gas, IReadOnlyList<(LineKey Key, LineSum Sum, int Sign)> lines, Instant end)
    {
        var sets = lines.Select(l => l.Key.GwpSet).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var set = sets.Count == 1 ? sets[0] : null;
        return sets.Count > 1
            ? new(scope, basis, gas, null, null, new("gwp-sets", string.Join(", ", sets)))
            : new(scope, basis, gas, set, SumOf(lines, end));
    }

    private StatedMass SumOf(IReadOnlyList<(LineKey Key, LineSum Sum, int Sign)> lines, Instant end)
    {
        var sum = default(Int128);
        var uncertain = new UncertaintySum();
        var coverage = 1.0;
        foreach (var (key, line, sign) in lines)
        {
            sum += sign * line.Milligrams;
            uncertain.Add(key.Device, line.Uncertain, sign);
            coverage = Math.Min(coverage, line.Coverage(CoverageFrom(line), end));
        }

        return new(sum, uncertain.Percent(sum), coverage);
    }

    /// <summary>A sum of what is in no scope, over the accounts that have any; null when there is none.</summary>
    private StatedMass? Apart(IEnumerable<(LineKey Key, LineSum Sum, int Sign)> lines, Func<LineSum, Int128> mass, Func<LineSum, UncertaintySum> uncertainty, Instant end)
    {
        var (sum, any, coverage) = (default(Int128), false, 1.0);
        var uncertain = new UncertaintySum();
        foreach (var (key, line, _) in lines.Where(l => l.Sign > 0))
        {
            any = true;
            sum += mass(line);
            uncertain.Add(key.Device, uncertainty(line), 1);
            coverage = Math.Min(coverage, line.Coverage(CoverageFrom(line), end));
        }

        return any ? new(sum, uncertain.Percent(sum), coverage) : null;
    }

    private List<StatementArea> Areas(Instant end)
    {
        // The gateway's own totals know ties between meters, which the tree alone does not.
        List<StatementArea> areas =
        [
            .. _areas.Where(a => a.Key.Scope > 0).GroupBy(a => (a.Key.Area, a.Key.Scope, a.Key.Basis)).OrderBy(g => g.Key.Area, StringComparer.Ordinal).ThenBy(g => g.Key.Scope).ThenBy(g => g.Key.Basis)
                .Select(g => new StatementArea(g.Key.Area, g.Key.Scope, g.Key.Basis, g.Select(a => a.Key.GwpSet).OfType<string>().Distinct().Count() > 1 ? null
                    : SumOf([.. g.Select(a => (new LineKey(a.Key.Area, a.Key.Method, a.Key.Scope, a.Key.Basis, "", a.Key.GwpSet, "", true), a.Value, 1))], end))),
        ];
        if (_site.Devices.Count == 0)
        {
            return areas;
        }

        var stated = areas.Select(a => a.Area).ToHashSet();
        foreach (var area in _lines.Where(l => l.Value.HasEntries).Select(l => DeviceOf(l.Key.Device).Area).Distinct(StringComparer.Ordinal).Where(a => !stated.Contains(a)).OrderBy(a => a is null).ThenBy(a => a, StringComparer.Ordinal))
        {
            // What no root of the tree counts is in no total of the site, so that it is in no area either.
            var lines = _lines.Where(l => l.Value.HasEntries && l.Key.Scope > 0 && (l.Key.Counts || IsUnderCounted(l.Key))).Select(l => (l.Key, l.Value, Sign: SignIn(l.Key, area))).Where(l => l.Sign != 0);
            areas.AddRange(lines.GroupBy(l => (l.Key.Scope, l.Key.Basis)).OrderBy(g => g.Key)
                .Select(g => new StatementArea(area, g.Key.Scope, g.Key.Basis, Total(g.Key.Scope, g.Key.Basis, null, [.. g.Select(l => (l.Key, l.Value, l.Sign))], end).Mass)));
        }

        return areas;
    }

    private bool IsUnderCounted(LineKey key)
    {
        var steps = 0;
        for (var container = ContainerOf(key); container is not null && steps++ < _site.Devices.Count;)
        {
            var above = _lines.First(l => l.Value.HasEntries && l.Key.Device == container && l.Key.Method == key.Method && l.Key.Scope > 0).Key;
            if (above.Counts)
            {
                return true;
            }

            container = ContainerOf(above);
        }

        return false;
    }

    private List<StatementFactor> FactorsOf(IEnumerable<LineSum> sums) =>
    [
        .. sums.SelectMany(s => s.Factors).GroupBy(f => (f.Id, f.Set, f.Value, f.Unit)).OrderBy(g => g.Key.Id, StringComparer.Ordinal).ThenBy(g => g.Key.Value)
            .Select(g => new StatementFactor(
                g.Key.Id,
                g.Key.Set,
                g.Key.Value,
                g.Key.Unit,
                new(g.Min(f => f.From.UnixMilliseconds)),
                new(g.Max(f => f.To.UnixMilliseconds)),
                g.Aggregate(default(Int128), (total, f) => total + f.Milligrams),
                [.. g.SelectMany(f => f.Notes).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
                _factorsById.GetValueOrDefault(g.Key.Id))),
    ];

    private List<StatementOutlook> Outlooks(List<(int Scope, EmissionBasis Basis, IReadOnlyList<(LineKey Key, int Sign)> Lines)> groups, IEnumerable<LineKey> counted)
    {
        var outlooks = new List<StatementOutlook>();
        PeriodLength[] targets = _period.Length == PeriodLength.Year ? [PeriodLength.Year] : [PeriodLength.Month, PeriodLength.Year];
        foreach (var (scope, basis, lines) in groups)
        {
            outlooks.AddRange(targets.Select(t => _history.Look(null, _site.Name, scope, basis, t, lines)).OfType<StatementOutlook>());
        }

        // The site's forecast says it all where there is one account alone.
        var devices = counted.Where(k => k.Scope > 0).Distinct().ToList();
        if (devices.Count > 1 && _subject.Kind == StatementSubjectKind.Site)
        {
            outlooks.AddRange(devices.SelectMany(k => targets.Select(t => _history.Look(k.Device, DeviceOf(k.Device).Name, k.Scope, k.Basis, t, [(k, 1)]))).OfType<StatementOutlook>());
        }

        return outlooks;
    }

    private static (StatementPeak? Peak, Refusal? Refusal) PeakOf(PeakInput input, IReadOnlyList<StatementOutlook> outlooks)
    {
        try
        {
            if (input.Base is { } given)
            {
                return (new(given.Year, given.Tonnes, "declared", CarbonPeak.Follow(given.Tonnes, given.Year, input.Scenarios)), null);
            }

            var years = outlooks.Where(o => o.Device is null && o.Target.Length == PeriodLength.Year).ToList();
            if (years.Count == 0 || years.Any(o => o.Total is null || o.SinceStart > o.Target.First))
            {
                return (null, new("no-base"));
            }

            if (years.Count > 1)
            {
                return (null, new("several-bases"));
            }

            var tonnes = years[0].Total!.Value.Value / 1000;
            return (new(years[0].Target.First.Year, tonnes, "accounted-and-forecast", CarbonPeak.Follow(tonnes, years[0].Target.First.Year, input.Scenarios)), null);
        }
        catch (EmissionRefusedException e)
        {
            return (null, Refusal.Of(e));
        }
    }

    private OwnFootprint? Own(Instant end)
    {
        var bought = _lines.Where(l => l.Key.Counts && l.Key.Unit == "kW.h" && l.Key.Basis == EmissionBasis.Location).Sum(l => l.Value.Activity);
        double? Share(decimal kWh) => bought > 0 ? (double)(kWh / bought) : null;

        // What is measured goes before what is declared.
        var measured = _lines.Where(l => l.Key.Method == GatewayPower.MethodName && l.Value.Factors.Count > 0).Select(l => l.Value).ToList();
        if (measured.Count > 0)
        {
            var (energy, mass) = (measured.Sum(s => s.Activity), measured.Aggregate(default(Int128), (sum, s) => sum + s.Milligrams));
            var known = TimeSpan.FromHours(measured.Max(s => s.Coverage(CoverageFrom(s), end) * (end - CoverageFrom(s)).TotalHours));
            return new(true, known > TimeSpan.Zero ? energy * 1000 / (decimal)known.TotalHours : 0, known, energy, (long)mass, measured[0].Factors.First().Id, Share(energy));
        }

        if (_site.OwnPower is not { } own)
        {
            return null;
        }

        var running = _running.Count * TimeSpan.FromMilliseconds(CarbonBook.WidthMs);
        var kWh = own.Watts * (decimal)running.TotalHours / 1000;
        var match = _factors.Find(Factor.Electricity, own.Region, _period.Start);
        return new(false, own.Watts, running, kWh, match is null ? null : decimal.ToInt64(decimal.Truncate(kWh * match.Factor.Value * 1_000_000m)), match?.Factor.Id, Share(kWh));
    }
}

/// <summary>Scenarios, and the base year where it is declared.</summary>
/// <param name="Base">Base year and its emissions in t CO2e; null for the year of the statement with its forecast.</param>
/// <param name="Scenarios">The scenarios.</param>
public sealed record PeakInput((int Year, double Tonnes)? Base, IReadOnlyList<PeakScenario> Scenarios);

/// <summary>What tells one account of a statement from another.</summary>
internal readonly record struct LineKey(string Device, string Method, int Scope, EmissionBasis Basis, string Gas, string? GwpSet, string Unit, bool Counts);
