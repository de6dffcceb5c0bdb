using System.Runtime.InteropServices;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Accounting;

/// <summary>Adds entries of one interval to a total or to a parent's remainder.</summary>
/// <remarks>
/// Mass is the exact sum of the entries' integers. Coverage is the smallest of all parts: a sum is known no better than its least-known part. What errs together is added
/// linearly first (IPCC 2006 volume 1, 3.2.3): entries of one device by its meter, entries with one factor by that; then what errs apart, as squares (equation 3.2).
/// </remarks>
internal sealed class EntrySum
{
    private readonly Dictionary<int, double> _byMeter = [];
    private readonly Dictionary<string, double> _byFactor = [];
    private Int128 _milligrams;
    private Int128 _removed;
    private Int128 _biogenic;
    private bool _hasRemoved;
    private bool _hasBiogenic;
    private decimal _kWh;
    private double _coverage;
    private bool _any;
    private bool _allocated;
    private string? _factorId;
    private decimal _factor;
    private string? _note;
    private bool _mixed;
    private string? _gas;
    private string? _gwpSet;

    /// <summary>Adds (<paramref name="sign"/> 1) or takes away (-1) an entry's energy and mass.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="meterPercent">What of it errs with the meter of its device, percent at 95 %.</param>
    /// <param name="factorPercent">What of it errs with its factor.</param>
    /// <param name="sign">1 or -1.</param>
    public void Add(in EmissionRecord entry, double meterPercent, double factorPercent, int sign)
    {
        _coverage = _any ? Math.Min(_coverage, entry.Coverage) : entry.Coverage;
        _any = true;
        _allocated |= entry.Allocated;
        _kWh += sign * entry.ActivityKWh;
        _milligrams += sign * entry.Milligrams;
        var mass = entry.Milligrams;
        if (entry.Detail is { } detail)
        {
            _removed += sign * (detail.RemovedMilligrams ?? 0);
            _biogenic += sign * (detail.BiogenicMilligrams ?? 0);
            _hasRemoved |= detail.RemovedMilligrams is not null;
            _hasBiogenic |= detail.BiogenicMilligrams is not null;
            _gas = _gas is null || _gas == detail.Gas ? detail.Gas : "mixed";
            _gwpSet ??= detail.GwpSet;
            mass += detail.RemovedMilligrams ?? 0;
        }

        // A part that weighs nothing has no part in the uncertainty, also when its own is not known.
        if (mass != 0)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_byMeter, entry.Device, out _) += sign * meterPercent * mass;
            CollectionsMarshal.GetValueRefOrAddDefault(_byFactor, entry.FactorId, out _) += sign * factorPercent * mass;
        }

        if (entry.Scope == 0 && !_hasRemoved)
        {
            return;
        }

        _mixed |= _factorId is not null && _factorId != entry.FactorId;
        _factorId = entry.FactorId;
        _factor = entry.FactorKgPerKWh;
        _note = entry.FactorNote;
    }

    /// <summary>The sum as a record of bought electricity, location based.</summary>
    public EmissionRecord ToRecord(EmissionAccount account, int device, Instant start, TimeSpan width, int era, WindowCut cut)
    {
        var milligrams = Cut(_milligrams);
        return new EmissionRecord
        {
            Device = device,
            Account = account,
            Start = start,
            Width = width,
            Era = era,
            Method = ElectricityPurchased.MethodName,
            Scope = 2,
            ActivityKWh = _kWh,
            Milligrams = milligrams,
            FactorId = _mixed ? "mixed" : _factorId ?? "none",
            FactorKgPerKWh = _mixed ? 0 : _factor,
            FactorNote = _mixed ? null : _note,
            UncertaintyPercent = Uncertainty.Relative(Math.Sqrt(Squares(_byMeter) + Squares(_byFactor)), _hasRemoved ? Cut(_removed) : milligrams),
            Coverage = _coverage,
            CountsTowardSite = false,
            Allocated = _allocated,
            Cut = cut,
        };
    }

    /// <summary>The sum as a record of what the site declares, under the name of the total.</summary>
    public EmissionRecord ToRecord(string total, int scope, EmissionAccount account, Instant start, TimeSpan width, int era, WindowCut cut) =>
        ToRecord(account, -1, start, width, era, cut) with
        {
            Method = total,
            Scope = scope,
            FactorKgPerKWh = total == ElectricityMarket.Name && !_mixed ? _factor : 0,
            Detail = total == ElectricityMarket.Name ? null
                : new(0, "1", 0, _gas ?? "CO2", _gwpSet, _hasRemoved ? Cut(_removed) : null) { BiogenicMilligrams = _hasBiogenic ? Cut(_biogenic) : null },
        };

    /// <summary>What energy weighs by the factor of another entry: whole milligrams, the rest cut.</summary>
    public static long Price(decimal kWh, decimal kgPerKWh) => (long)Math.Clamp(decimal.Truncate(kWh * kgPerKWh * 1_000_000m), long.MinValue, long.MaxValue);

    private static double Squares<T>(Dictionary<T, double> parts)
        where T : notnull
    {
        // In the order in which they came: the same entries give the same bits.
        var sum = 0.0;
        foreach (var part in parts.Values)
        {
            sum += part * part;
        }

        return sum;
    }

    private static long Cut(Int128 milligrams) => (long)Int128.Clamp(milligrams, long.MinValue, long.MaxValue);
}
