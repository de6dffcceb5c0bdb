using System.Collections.Frozen;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>All carbon accounts of the site: closes their intervals together and derives the site's total and the remainders from them.</summary>
internal sealed class CarbonBook
{
    /// <summary>Width of an entry: 15 minutes, whatever the summaries' windows are.</summary>
    public const long WidthMs = 900_000;

    private readonly IFeedSink _sink;
    private readonly CarbonAccount[] _accounts;
    private readonly EmissionRecord[] _entries;
    private readonly double[] _factorPercents;
    private readonly CarbonAccount?[] _byPoint;
    private readonly List<(CarbonAccount Account, GaugeInput Input)>?[] _gaugesByPoint;
    private readonly bool _hasSiteTotal;
    private readonly (int Parent, int[] Children)[] _parents;
    private readonly FactorSet _factors;
    private long _start;

    public CarbonBook(SiteModel site, FactorSet factors, IFeedSink sink)
    {
        _sink = sink;
        _factors = factors;
        _byPoint = new CarbonAccount?[site.Points.Count];
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
                _byPoint[index] = account;
            }
        }

        // After those of the profiles, so that the state of a site that declares none has the form it always had.
        _gaugesByPoint = new List<(CarbonAccount, GaugeInput)>?[site.Points.Count];
        foreach (var device in site.Devices)
        {
            foreach (var use in device.Carbon)
            {
                var account = new CarbonAccount(site, device, use, factors);
                accounts.Add(account);
                if (account.Counter is { } counter)
                {
                    _byPoint[counter.Index] = _byPoint[counter.Index] is null ? account : throw new ArgumentException($"{device.Id}: '{counter.Id}' is accounted twice");
                }

                foreach (var (input, point) in account.Gauges?.Points ?? FrozenDictionary<GaugeInput, PointModel>.Empty)
                {
                    (_gaugesByPoint[point.Index] ??= []).Add((account, input));
                }
            }
        }

        _accounts = [.. accounts];
        _entries = new EmissionRecord[_accounts.Length];
        _factorPercents = new double[_accounts.Length];
        _hasSiteTotal = accounts.Exists(a => a.IsPurchase && a.Device.Metering?.CountsTowardSite == true);
        _parents = [.. FindParents(site)];
    }

    /// <summary>The accounts, in the order of their entries.</summary>
    public IReadOnlyList<CarbonAccount> Accounts => _accounts;

    /// <summary>End of the open interval, Unix milliseconds.</summary>
    public long End => _start + WidthMs;

    /// <summary>The account of a register, or null.</summary>
    public CarbonAccount? Of(int point) => _byPoint[point];

    /// <summary>The accounts that a gauge is a part of, and which part it is.</summary>
    public IReadOnlyList<(CarbonAccount Account, GaugeInput Input)> GaugesOf(int point) => _gaugesByPoint[point] ?? [];

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

    private bool AnyTouched() => Array.Exists(_accounts, a => a.IsTouched);

    private void Close(long end, int era, WindowCut cut)
    {
        for (var i = 0; i < _accounts.Length; i++)
        {
            var account = _accounts[i];
            _entries[i] = account.Close(end, WidthMs, era, cut);
            _factorPercents[i] = account.IsPurchase ? _factors.Find(Factor.Electricity, account.Device.Region, _entries[i].Start)?.Factor.UncertaintyPercent ?? 0 : 0;
            _sink.Emission(_entries[i]);
        }

        var start = new Instant(_start);
        var width = new TimeSpan(WidthMs * TimeSpan.TicksPerMillisecond);
        if (_hasSiteTotal)
        {
            var total = default(EntrySum);
            for (var i = 0; i < _accounts.Length; i++)
            {
                if (_entries[i].CountsTowardSite)
                {
                    total.Add(_entries[i], _factorPercents[i], 1);
                }
            }

            _sink.Emission(total.ToRecord(EmissionAccount.Site, -1, start, width, era, cut) with { CountsTowardSite = true });
        }

        foreach (var (parent, children) in _parents)
        {
            var rest = default(EntrySum);
            rest.Add(_entries[parent], _factorPercents[parent], 1);
            foreach (var child in children)
            {
                // Own generation feeds the same busbar: its energy is added to what the parent brought, its mass is zero.
                rest.Add(_entries[child], _factorPercents[child], _accounts[child].IsPurchase ? -1 : 1);
            }

            _sink.Emission(rest.ToRecord(EmissionAccount.Remainder, _accounts[parent].Device.Index, start, width, era, cut));
        }
    }

    /// <summary>Parents and children among the accounts of bought and generated energy.</summary>
    private IEnumerable<(int Parent, int[] Children)> FindParents(SiteModel site)
    {
        foreach (var device in site.Devices)
        {
            var parent = Array.FindIndex(_accounts, a => a.Device == device && a.IsPurchase);
            int[] children = [.. Enumerable.Range(0, _accounts.Length)
                .Where(i => _accounts[i].Device.Metering?.Parent == device.Id && _accounts[i].Method.NeedsGridFactor)];
            if (parent >= 0 && children.Length > 0)
            {
                yield return (parent, children);
            }
        }
    }
}
