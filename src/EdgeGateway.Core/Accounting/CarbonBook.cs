using System.Collections.Frozen;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>All carbon accounts of the site: closes their intervals together and derives the totals of the site and its areas and the remainders from them.</summary>
internal sealed class CarbonBook
{
    /// <summary>Width of an entry: 15 minutes, whatever the summaries' windows are.</summary>
    public const long WidthMs = 900_000;

    /// <summary>Total of what is declared and is scope 1.</summary>
    public const string ScopeOne = "scope-1";

    /// <summary>Total of what is removed from the air.</summary>
    public const string Removals = "removals";

    private const string BalancesKey = "balances";
    private const string PairsKey = "factor-pairs";
    private const string AccountPrefix = "account/";

    private readonly IFeedSink _sink;
    private readonly CarbonAccount[] _accounts;
    private readonly DeclaredBalance[] _balances;
    private readonly SortedDictionary<string, long> _balancesEntered = new(StringComparer.Ordinal);
    private readonly EmissionRecord[] _entries;
    private readonly List<CarbonAccount>?[] _byPoint;
    private readonly List<(CarbonAccount Account, GaugeInput Input)>?[] _gaugesByPoint;
    private readonly List<FactorFollower>?[] _stacksByPoint;
    private readonly bool _hasSiteTotal;
    private readonly CarbonTree _tree;
    private readonly FactorPairs _pairs;
    private readonly List<(string Total, int Scope, string? Area, int[] Accounts)> _declaredTotals = [];
    private long _start;

    public CarbonBook(SiteModel site, FactorSet factors, IFeedSink sink)
    {
        _sink = sink;
        _byPoint = new List<CarbonAccount>?[site.Points.Count];
        var accounts = new List<CarbonAccount>();
        foreach (var device in site.Devices)
        {
            foreach (var index in device.Points)
            {
                var point = site.Points[index];

                // One register for each device and method: a second one would hold the same energy again.
                if (point.Carbon is null || accounts.Exists(a => a.Device == device && a.Counter!.Carbon!.Method == point.Carbon.Method))
                {
                    continue;
                }

                var account = new CarbonAccount(point, device, factors);
                accounts.Add(account);
                _byPoint[index] = [account];
            }
        }

        // After those of the profiles, so that the state of a site that declares none has the form it always had.
        _gaugesByPoint = new List<(CarbonAccount, GaugeInput)>?[site.Points.Count];
        _stacksByPoint = new List<FactorFollower>?[site.Points.Count];
        var balances = new List<DeclaredBalance>();
        foreach (var device in site.Devices)
        {
            foreach (var use in device.Carbon)
            {
                if (use.Balance is not null)
                {
                    balances.Add(new(device, use, factors));
                    continue;
                }

                var account = new CarbonAccount(site, device, use, factors);
                accounts.Add(account);
                if (account.Counter is { } counter)
                {
                    // A market-based account is a second figure of the same energy.
                    var others = _byPoint[counter.Index] ??= [];
                    others.Add(account.IsMarket || others.TrueForAll(a => a.IsMarket) ? account : throw new ArgumentException($"{device.Id}: '{counter.Id}' is accounted twice"));
                }

                foreach (var (input, point) in account.Gauges?.Points ?? FrozenDictionary<GaugeInput, PointModel>.Empty)
                {
                    (_gaugesByPoint[point.Index] ??= []).Add((account, input));
                }

                if (account.Follower is { } follower)
                {
                    (_stacksByPoint[follower.Mass.Index] ??= []).Add(follower);
                }
            }
        }

        _accounts = [.. accounts];
        _balances = [.. balances];
        _entries = new EmissionRecord[_accounts.Length];
        _hasSiteTotal = Enumerable.Range(0, _accounts.Length).Any(IsInSiteTotal);
        _tree = new CarbonTree(site, _accounts);
        _pairs = new FactorPairs(Adapting);
        FindDeclaredTotals();
    }

    /// <summary>The accounts, in the order of their entries.</summary>
    public IReadOnlyList<CarbonAccount> Accounts => _accounts;

    /// <summary>End of the open interval, Unix milliseconds.</summary>
    public long End => _start + WidthMs;

    /// <summary>The accounts of a register: none, one, or a second one that is market based.</summary>
    public IReadOnlyList<CarbonAccount> Of(int point) => _byPoint[point] ?? [];

    /// <summary>The accounts that a gauge is a part of, and which part it is.</summary>
    public IReadOnlyList<(CarbonAccount Account, GaugeInput Input)> GaugesOf(int point) => _gaugesByPoint[point] ?? [];

    /// <summary>The factors that follow what a counter measures in the stack.</summary>
    public IReadOnlyList<FactorFollower> StacksOf(int point) => _stacksByPoint[point] ?? [];

    /// <summary>The accounts whose factor follows a stack.</summary>
    public IEnumerable<CarbonAccount> Adapting => _accounts.Where(a => a.Follower is not null);

    /// <summary>How often the hours of two of them are refused together.</summary>
    public IReadOnlyList<FactorPair> FactorPairs => _pairs.Pairs();

    /// <summary>True when there is anything that is entered or used up once, whatever else is forgotten.</summary>
    public bool EntersOnce => _balances.Length > 0 || Array.Exists(_accounts, a => a.IsMarket);

    /// <summary>Takes what is in the ledger of balances and instruments: nothing is entered or used twice.</summary>
    public void Continue(EnteredBefore entered)
    {
        foreach (var (key, milligrams) in entered.Balances)
        {
            if (entered.IsWhole || !_balancesEntered.ContainsKey(key))
            {
                _balancesEntered[key] = milligrams;
            }
        }

        foreach (var account in _accounts)
        {
            account.Continue(entered);
        }
    }

    /// <summary>The remainders and totals of each interval, in the order of their entries.</summary>
    public IReadOnlyList<LedgerSum> Sums()
    {
        var sums = new List<LedgerSum>();
        if (_hasSiteTotal)
        {
            sums.Add(new(EmissionAccount.Site, "", ElectricityPurchased.MethodName, Members(Enumerable.Range(0, _accounts.Length).Where(IsInSiteTotal))));
        }

        sums.AddRange(_tree.Remainders.Select(r => new LedgerSum(EmissionAccount.Remainder, _accounts[r.Parent].Device.Id, ElectricityPurchased.MethodName, Parts(r.Parts))));
        sums.AddRange(_tree.Areas.Select(a => new LedgerSum(EmissionAccount.Area, a.Area, ElectricityPurchased.MethodName, Parts(a.Parts))));
        sums.AddRange(_declaredTotals.Select(t => new LedgerSum(t.Area is null ? EmissionAccount.Site : EmissionAccount.Area, t.Area ?? "", t.Total, Members(t.Accounts))));
        return sums;

        static LedgerPart[] Members(IEnumerable<int> accounts) => [.. accounts.Select(a => new LedgerPart(a, 1, -1))];
        static LedgerPart[] Parts(IEnumerable<SumPart> parts) => [.. parts.Select(p => new LedgerPart(p.Account, p.Sign, p.PricedBy))];
    }

    /// <summary>Opens the interval that contains <paramref name="time"/>; intervals are aligned to UTC.</summary>
    public void Open(long time)
    {
        _start = time - (time % WidthMs);
        foreach (var account in _accounts)
        {
            account.Open(_start);
        }
    }

    /// <summary>Closes every interval that ends at or before <paramref name="limit"/>. A silence of more than an hour is not said interval by interval.</summary>
    public void CloseUpTo(long limit, int era)
    {
        while (End <= limit)
        {
            Close(End, era, WindowCut.None);
            _start = End;
            if (limit - _start > Aggregation.PointWindows.LongGapMs && !AnyTouched())
            {
                Open(limit);
            }
        }
    }

    /// <summary>Closes the open interval early at <paramref name="time"/>; <see cref="Open"/> must follow.</summary>
    public void Cut(long time, int era, WindowCut cut)
    {
        CloseUpTo(time, era);
        while (Array.Exists(_accounts, a => a.IsSealed))
        {
            // A sample of the next interval is already in: this one is complete.
            Close(End, era, WindowCut.None);
            _start = End;
        }

        Close(time, era, cut);
    }

    /// <summary>Makes the entries of what is open as it stands at <paramref name="time"/>, because what followed is lost; <see cref="Open"/> must follow.</summary>
    public void Abandon(long time, int era)
    {
        while (Array.Exists(_accounts, a => a.IsSealed))
        {
            Close(End, era, WindowCut.Loss);
            _start = End;
        }

        Close(Math.Min(time, End), era, WindowCut.Loss);
    }

    /// <summary>The next interval begins without a register and unheard; what is carried stays.</summary>
    public void Forget()
    {
        foreach (var account in _accounts)
        {
            account.Forget();
        }
    }

    /// <summary>Clears what stands raised, because the configuration ends.</summary>
    public void EndFindings(Instant now)
    {
        foreach (var account in _accounts)
        {
            if (account.EndFinding(now) is { } finding)
            {
                _sink.Anomaly(finding);
            }
        }
    }

    public void Shift(long milliseconds)
    {
        foreach (var account in _accounts)
        {
            account.Shift(milliseconds);
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_start);
        foreach (var account in _accounts)
        {
            account.Save(writer);
        }
    }

    public void Load(ref StateReader reader)
    {
        _start = reader.ReadInt64();
        foreach (var account in _accounts)
        {
            account.Load(ref reader);
        }
    }

    /// <summary>What is kept by name, beside the fixed form of the state: names, and what writes their bytes.</summary>
    public IEnumerable<(string Name, Action<StateWriter> Save)> More()
    {
        foreach (var account in _accounts.Where(a => a.HasMore))
        {
            yield return (AccountPrefix + account.Key, account.SaveMore);
        }

        if (_pairs.HasAny)
        {
            yield return (PairsKey, _pairs.Save);
        }

        if (_balancesEntered.Count > 0)
        {
            yield return (BalancesKey, SaveBalances);
        }
    }

    /// <summary>Reads what <see cref="More"/> wrote under a name; a name of nothing that is configured is passed over.</summary>
    public void LoadMore(string name, ref StateReader reader)
    {
        if (name == BalancesKey)
        {
            _balancesEntered.Clear();
            for (var left = reader.ReadInt32(); left > 0; left--)
            {
                var key = reader.ReadString();
                _balancesEntered[key] = reader.ReadInt64();
            }
        }
        else if (name == PairsKey)
        {
            _pairs.Load(ref reader);
        }
        else if (name.StartsWith(AccountPrefix, StringComparison.Ordinal))
        {
            Array.Find(_accounts, a => a.HasMore && name.AsSpan(AccountPrefix.Length).SequenceEqual(a.Key))?.LoadMore(ref reader);
        }
    }

    /// <summary>Also of years that are no longer declared: one that comes back is not entered twice.</summary>
    private void SaveBalances(StateWriter writer)
    {
        writer.Write(_balancesEntered.Count);
        foreach (var (key, milligrams) in _balancesEntered)
        {
            writer.Write(key);
            writer.Write(milligrams);
        }
    }

    private bool IsInSiteTotal(int account) => _accounts[account] is { IsPurchase: true, CountsTowardSite: true };

    private bool AnyTouched() => Array.Exists(_accounts, a => a.IsTouched);

    private void Close(long end, int era, WindowCut cut)
    {
        for (var i = 0; i < _accounts.Length; i++)
        {
            var account = _accounts[i];
            _entries[i] = account.Close(end, WidthMs, era, cut);
            _sink.Emission(_entries[i]);
            if (account.Judge(_entries[i], new(end)) is { } finding)
            {
                _sink.Anomaly(finding);
            }
        }

        _pairs.Count();
        var start = new Instant(_start);
        var width = new TimeSpan(WidthMs * TimeSpan.TicksPerMillisecond);
        if (_hasSiteTotal)
        {
            var total = new EntrySum();
            for (var i = 0; i < _accounts.Length; i++)
            {
                if (IsInSiteTotal(i))
                {
                    Add(total, new(i, 1));
                }
            }

            _sink.Emission(total.ToRecord(EmissionAccount.Site, -1, start, width, era, cut) with { CountsTowardSite = true });
        }

        foreach (var (parent, parts) in _tree.Remainders)
        {
            _sink.Emission(Sum(parts).ToRecord(EmissionAccount.Remainder, _accounts[parent].Device.Index, start, width, era, cut));
        }

        foreach (var (area, parts) in _tree.Areas)
        {
            _sink.Emission(Sum(parts).ToRecord(EmissionAccount.Area, -1, start, width, era, cut) with { Area = area });
        }

        foreach (var (name, scope, area, members) in _declaredTotals)
        {
            var total = new EntrySum();
            foreach (var i in members)
            {
                Add(total, new(i, 1));
            }

            EmitTotal(total, name, scope, area, start, width, era, cut);
        }

        foreach (var balance in _balances)
        {
            Enter(balance, start, era);
        }
    }

    /// <summary>Makes the entry of a year's mass balance, once, and its part of the totals.</summary>
    private void Enter(DeclaredBalance balance, Instant now, int era)
    {
        if (balance.Due(now, _balancesEntered.TryGetValue(balance.Key, out var before) ? before : null, era) is not { } entry)
        {
            return;
        }

        _balancesEntered[balance.Key] = before + entry.Milligrams;
        _sink.Emission(entry);
        if (!balance.CountsTowardSite)
        {
            return;
        }

        foreach (var area in (ReadOnlySpan<string?>)[null, _tree.AreaOf(balance.Device)])
        {
            var total = new EntrySum();
            total.Add(entry, entry.UncertaintyPercent, 0, 1);
            EmitTotal(total, ScopeOne, 1, area, entry.Start, entry.Width, era, WindowCut.None);
            if (_tree.AreaOf(balance.Device) is null)
            {
                break;
            }
        }
    }

    private void EmitTotal(EntrySum total, string name, int scope, string? area, Instant start, TimeSpan width, int era, WindowCut cut) =>
        _sink.Emission(total.ToRecord(name, scope, area is null ? EmissionAccount.Site : EmissionAccount.Area, start, width, era, cut) with { Area = area, CountsTowardSite = area is null });

    private EntrySum Sum(SumPart[] parts)
    {
        var sum = new EntrySum();
        foreach (var part in parts)
        {
            Add(sum, part);
        }

        return sum;
    }

    private void Add(EntrySum sum, SumPart part)
    {
        var entry = _entries[part.Account];
        if (part.PricedBy < 0)
        {
            sum.Add(entry, _accounts[part.Account].MeterPercent, _accounts[part.Account].FactorPercent, part.Sign);
            return;
        }

        // What flowed back through a tie has the mass with which it came; whole milligrams, the same on both sides.
        var forward = _entries[part.PricedBy];
        entry = entry with
        {
            Scope = forward.Scope, FactorId = forward.FactorId, FactorKgPerKWh = forward.FactorKgPerKWh, FactorNote = forward.FactorNote,
            Milligrams = EntrySum.Price(entry.ActivityKWh, forward.FactorKgPerKWh),
        };
        sum.Add(entry, _accounts[part.PricedBy].MeterPercent, _accounts[part.PricedBy].FactorPercent, part.Sign);
    }

    /// <summary>Totals of what is declared, for the site and each area: one for scope 1, one for each kind that is never added to another.</summary>
    private void FindDeclaredTotals()
    {
        var members = Enumerable.Range(0, _accounts.Length).Where(i => _accounts[i] is { IsDeclared: true, CountsTowardSite: true }).ToList();
        foreach (var area in members.Select(i => _tree.AreaOf(_accounts[i].Device)).OfType<string>().Distinct().Order(StringComparer.Ordinal).Prepend(null))
        {
            foreach (var group in members.Where(i => area is null || _tree.AreaOf(_accounts[i].Device) == area).GroupBy(i => TotalOf(_accounts[i])).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                _declaredTotals.Add((group.Key, _accounts[group.First()].Method.Scope, area, [.. group]));
            }
        }
    }

    private static string TotalOf(CarbonAccount account) =>
        account.Method.IsRemoval ? Removals : account.Method.Scope == 1 ? ScopeOne : account.Method.Name;
}
