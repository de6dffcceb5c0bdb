namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>Adds the entries of one account over a period. Masses are exact; what is known of the time is kept for each part of the period.</summary>
internal sealed class LineSum(StatementPeriod period, IReadOnlyDictionary<string, Factor> factors)
{
    private readonly Int128[] _parts = new Int128[period.Parts];
    private readonly double[] _knownMs = new double[period.Parts];
    private readonly List<(Instant From, Instant To, string Reason)> _gaps = [];
    private readonly Dictionary<(string Id, string? Set, decimal Value), FactorUse> _factors = [];
    private double _substitutedMs;
    private Instant? _reached;

    /// <summary>Start of the first entry of the account there is, in the period or before.</summary>
    public required Instant FirstEver { get; set; }

    /// <summary>Whether the account has an entry in the period; one that a configuration ended before has none.</summary>
    public bool HasEntries { get; private set; }

    public Int128 Milligrams { get; private set; }

    public Int128 Removed { get; private set; }

    public Int128 Biogenic { get; private set; }

    public Int128 Allocated { get; private set; }

    public Int128? Adapted { get; private set; }

    public decimal Activity { get; private set; }

    public IReadOnlyList<Int128> Parts => _parts;

    public IReadOnlyCollection<FactorUse> Factors => _factors.Values;

    public UncertaintySum Uncertain { get; } = new();

    public UncertaintySum RemovedSum { get; } = new();

    public UncertaintySum BiogenicSum { get; } = new();

    public void Add(in StatementEntry entry)
    {
        HasEntries = true;
        var part = period.PartOf(entry.Record.Start);
        Milligrams += entry.Record.Milligrams;
        Removed += entry.RemovedMilligrams;
        Biogenic += entry.BiogenicMilligrams;
        Activity += entry.Activity;
        Adapted = entry.AdaptedMilligrams is { } adapted ? (Adapted ?? 0) + adapted : Adapted;
        _parts[part] += entry.Record.Milligrams;
        _knownMs[part] += entry.Record.Coverage * entry.Record.Width.TotalMilliseconds;
        _substitutedMs += entry.Substituted * entry.Record.Width.TotalMilliseconds;
        if (entry.Record.Allocated)
        {
            Allocated += entry.Record.Milligrams;
        }

        var known = factors.GetValueOrDefault(entry.Record.FactorId) is { } factor && factor.UncertaintyPercent <= entry.Record.UncertaintyPercent ? factor.UncertaintyPercent : (double?)null;
        Uncertain.Add(entry.Record.FactorId, entry.Record.Milligrams, entry.Record.UncertaintyPercent, known);
        RemovedSum.Add(entry.Record.FactorId, entry.RemovedMilligrams, entry.Record.UncertaintyPercent, known);
        BiogenicSum.Add(entry.Record.FactorId, entry.BiogenicMilligrams, entry.Record.UncertaintyPercent, known);
        Use(entry);
        Follow(entry);
    }

    /// <summary>Share of the time from <paramref name="from"/> to <paramref name="end"/> that was known.</summary>
    public double Coverage(Instant from, Instant end) => end <= from ? 0 : Math.Min(1, _knownMs.Sum() / (end - from).TotalMilliseconds);

    public double SubstitutedShare(Instant from, Instant end) => end <= from ? 0 : Math.Min(1, _substitutedMs / (end - from).TotalMilliseconds);

    public TimeSpan MissingTime(Instant from, Instant end) => end <= from ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Max(0, (end - from).TotalMilliseconds - _knownMs.Sum() - _substitutedMs));

    public StatedMass State(Instant from, Instant end) => new(Milligrams, Uncertain.Percent(Milligrams), Coverage(from, end));

    public IReadOnlyList<double> PartCoverage(Instant from, Instant end) => [.. Enumerable.Range(0, period.Parts).Select(part =>
    {
        var (start, stop) = (Math.Max(from.UnixMilliseconds, period.PartStart(part).UnixMilliseconds), Math.Min(end.UnixMilliseconds, period.PartStart(part + 1).UnixMilliseconds));
        return stop <= start ? double.NaN : Math.Min(1, _knownMs[part] / (stop - start));
    })];

    /// <summary>Times without a value, the last one up to <paramref name="end"/>.</summary>
    public IEnumerable<(Instant From, Instant To, string Reason)> GapsUpTo(Instant end) =>
        _reached is { } reached && reached < end ? _gaps.Append((reached, end, "no-entry")) : _gaps;

    private void Follow(in StatementEntry entry)
    {
        var begin = _reached ?? (FirstEver > period.Start ? FirstEver : period.Start);
        if (entry.Record.Start > begin)
        {
            Note(begin, entry.Record.Start, "no-entry");
        }

        var end = entry.Record.Start + entry.Record.Width;
        if (entry.Record.Coverage <= 0)
        {
            Note(entry.Record.Start, end, entry.Substituted > 0 ? "substituted" : entry.Record.FactorId == "none" && entry.Record.FactorNote is not null ? "no-factor" : "not-heard");
        }

        _reached = _reached is { } reached && reached > end ? reached : end;
    }

    private void Note(Instant from, Instant to, string reason)
    {
        if (_gaps.Count > 0 && _gaps[^1] is var last && last.To == from && last.Reason == reason)
        {
            _gaps[^1] = (last.From, to, reason);
        }
        else
        {
            _gaps.Add((from, to, reason));
        }
    }

    private void Use(in StatementEntry entry)
    {
        if (entry.Record.Scope == 0 && entry.Record.FactorId == "none")
        {
            return; // Sold and generated energy needs no factor.
        }

        var key = (entry.Record.FactorId, entry.FactorSet, entry.Factor);
        if (!_factors.TryGetValue(key, out var use))
        {
            _factors.Add(key, use = new(entry.Record.FactorId, entry.FactorSet, entry.Factor, entry.Unit) { From = entry.Record.Start });
        }

        use.Milligrams += entry.Record.Milligrams + entry.RemovedMilligrams;
        use.From = entry.Record.Start < use.From ? entry.Record.Start : use.From;
        var end = entry.Record.Start + entry.Record.Width;
        use.To = end > use.To ? end : use.To;
        if (entry.Record.FactorNote is { } note)
        {
            use.Notes.Add(note);
        }
    }
}

/// <summary>How one account used a factor.</summary>
internal sealed record FactorUse(string Id, string? Set, decimal Value, string Unit)
{
    public required Instant From { get; set; }

    public Instant To { get; set; }

    public Int128 Milligrams { get; set; }

    public HashSet<string> Notes { get; } = [];
}

/// <summary>
/// Combines uncertainties of entries: one meter errs the same way in all its entries, and one factor in all entries that it made, so that both are added linearly; different meters and different factors are
/// independent and are added as squares (IPCC 2006 volume 1, 3.2.3).
/// </summary>
internal sealed class UncertaintySum
{
    // In percent times milligrams, with the sign of the mass.
    private readonly Dictionary<string, double> _meters = [];
    private readonly Dictionary<string, double> _factors = [];
    private bool _isUnknown;

    /// <summary>Adds an entry.</summary>
    /// <param name="factor">Its factor.</param>
    /// <param name="milligrams">Its mass.</param>
    /// <param name="percent">Its uncertainty, NaN when not known.</param>
    /// <param name="factorPercent">The part of it that is the factor's; null when not known: then all of it is taken as the factor's, which never makes a sum surer than it is.</param>
    public void Add(string factor, long milligrams, double percent, double? factorPercent)
    {
        if (milligrams == 0)
        {
            return;
        }

        if (!double.IsFinite(percent))
        {
            _isUnknown = true;
            return;
        }

        var shared = factorPercent ?? percent;
        Add(_factors, factor, shared * milligrams);
        Add(_meters, "", Math.Sqrt((percent * percent) - (shared * shared)) * milligrams);
    }

    /// <summary>Adds (or, with -1, takes away) what an account of a device adds up to.</summary>
    public void Add(string device, UncertaintySum account, int sign)
    {
        _isUnknown |= account._isUnknown;
        foreach (var (_, value) in account._meters)
        {
            Add(_meters, device, sign * value);
        }

        foreach (var (factor, value) in account._factors)
        {
            Add(_factors, factor, sign * value);
        }
    }

    /// <summary>Half width at 95 %, percent of a mass in milligrams; NaN when a part of it has none.</summary>
    public double Percent(Int128 milligrams) => _isUnknown
        ? double.NaN
        : Uncertainty.Relative(Math.Sqrt(_meters.Values.Sum(v => v * v) + _factors.Values.Sum(v => v * v)), (double)milligrams);

    private static void Add(Dictionary<string, double> to, string key, double value) => to[key] = to.GetValueOrDefault(key) + value;
}

/// <summary>A set of intervals of 15 minutes, a bit for each.</summary>
internal sealed class IntervalSet
{
    private readonly Dictionary<long, ulong> _words = [];

    public int Count { get; private set; }

    /// <summary>Adds the interval that begins at <paramref name="start"/>; false when it is in already.</summary>
    public bool Add(Instant start)
    {
        var index = start.UnixMilliseconds / CarbonBook.WidthMs;
        var word = _words.GetValueOrDefault(index >> 6);
        var bit = 1UL << (int)(index & 63);
        if ((word & bit) != 0)
        {
            return false;
        }

        _words[index >> 6] = word | bit;
        Count++;
        return true;
    }
}
