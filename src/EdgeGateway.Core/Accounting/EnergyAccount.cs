using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Core.Validation;

namespace EdgeGateway.Core.Accounting;

/// <summary>The carbon account of one energy register: one entry for each 15 minutes, in whole milligrams, the rest carried.</summary>
internal sealed class EnergyAccount
{
    /// <summary>Relative uncertainty of an energy meter in percent, 95 % half width; class 1.</summary>
    public const double MeterUncertaintyPercent = 1;

    /// <summary>Energy of a longer silence that began before the interval is known from the register, not when it flowed.</summary>
    public const long GapMs = 120_000;

    private readonly FactorSet _factors;
    private readonly long _hold;
    private readonly long _gap;
    private readonly bool _carriesMass;
    private HeldValue _held;
    private IntervalActivity _open;
    private IntervalActivity _sealed;
    private bool _isSealed;
    private decimal _carried;

    public EnergyAccount(PointModel point, DeviceModel device, FactorSet factors)
    {
        Point = point;
        Device = device;
        _factors = factors;
        Method = MethodOf(point, device);
        KWhPerUnit = FindKWhPerUnit(point.Unit)
            ?? throw new ArgumentException($"{device.Id}.{point.Id}: unit '{point.Unit}' is no energy; expected W.h, kW.h, MW.h or GW.h");
        if (point.Kind != PointKind.Counter)
        {
            throw new ArgumentException($"{device.Id}.{point.Id}: method '{Method.Name}' needs a counter");
        }

        if (Method.NeedsGridFactor && factors.Find(Factor.Electricity, device.Region, Instant.UnixEpoch) is null)
        {
            throw new ArgumentException($"{device.Id}: no grid factor for region '{device.Region}'");
        }

        _hold = HeldValue.HoldMilliseconds(point.Period);
        _gap = Math.Max(GapMs, 2 * (point.Period.Ticks / TimeSpan.TicksPerMillisecond));
        _carriesMass = device.Metering?.Role != MeterRole.Generator;
    }

    public PointModel Point { get; }

    public DeviceModel Device { get; }

    /// <summary>The method in force, after a reversed meter has been turned round.</summary>
    public IEmissionMethod Method { get; }

    /// <summary>kWh for one unit of the register.</summary>
    public decimal KWhPerUnit { get; }

    /// <summary>True when the account's mass is purchased electricity (not own generation).</summary>
    public bool IsPurchase => Method.NeedsGridFactor && _carriesMass;

    /// <summary>True when the open interval holds anything, or a sealed one waits.</summary>
    public bool IsTouched => _isSealed || _open.Touched || _open.Covered > 0;

    /// <summary>True when samples of the next interval have already come.</summary>
    public bool IsSealed => _isSealed;

    /// <summary>The fraction of a milligram not yet in any entry; set when the account continues under a new configuration.</summary>
    public decimal Carried { get => _carried; set => _carried = value; }

    /// <summary>kWh for one unit, or null when the unit is no energy. Exact powers of ten only.</summary>
    public static decimal? FindKWhPerUnit(string unit) => unit switch
    {
        "W.h" => 0.001m,
        "kW.h" => 1m,
        "MW.h" => 1_000m,
        "GW.h" => 1_000_000m,
        _ => null,
    };

    /// <summary>Begins an interval.</summary>
    public void Open(long start) => _open = IntervalActivity.After(start, _open);

    /// <summary>The next interval begins without a register and unheard; what is carried stays.</summary>
    public void Forget()
    {
        _held.Drop();
        _open = default;
    }

    /// <summary>Continues from a baseline of an earlier configuration.</summary>
    public void Continue(CounterBaseline baseline)
    {
        _open.StartReading = _open.EndReading = baseline.Reading;
        _open.StartRaw = _open.EndRaw = baseline.Raw;
    }

    /// <summary>Takes a sample of the register that was not believed, or had no value: the meter is not known from here on.</summary>
    public void Lose(long time, long intervalEnd)
    {
        MoveTo(time, intervalEnd);
        _held.Drop();
    }

    /// <summary>Takes a believed reading and the growth since the one before (at <paramref name="previousTime"/>).</summary>
    public void Read(CounterBaseline reading, decimal growth, long previousTime, long time, long intervalEnd)
    {
        MoveTo(time, intervalEnd);
        _held.Set(0, Math.Max(time, _open.Start), _hold);
        _open.StartReading ??= reading.Reading;
        _open.StartRaw ??= reading.Raw;
        _open.EndReading = reading.Reading;
        _open.EndRaw = reading.Raw;
        _open.Energy += growth;
        _open.Touched = true;
        _open.Allocated |= growth > 0 && previousTime < _open.Start && time - previousTime > _gap;
    }

    /// <summary>Closes the interval and makes its entry.</summary>
    /// <param name="end">End of the interval, or the time at which it is cut.</param>
    /// <param name="width">Its nominal width in milliseconds.</param>
    /// <param name="era">Clock era.</param>
    /// <param name="cut">Why it ends early, if it does.</param>
    public EmissionRecord Close(long end, long width, int era, WindowCut cut)
    {
        if (!_isSealed)
        {
            Seal(end);
        }

        _isSealed = false;
        var activity = _sealed;
        var match = IsPurchase ? _factors.Find(Factor.Electricity, Device.Region, new(activity.Start)) : null;
        var kWh = activity.Energy * KWhPerUnit;
        return new EmissionRecord
        {
            Device = Device.Index,
            Account = EmissionAccount.Device,
            Start = new(activity.Start),
            Width = new(width * TimeSpan.TicksPerMillisecond),
            Era = era,
            Method = Method.Name,
            Scope = _carriesMass ? Method.Scope : 0,
            ActivityKWh = kWh,
            Milligrams = match is null ? 0 : Weigh(Method.Milligrams(kWh, match.Factor.Value)),
            FactorId = match?.Factor.Id ?? "none",
            FactorKgPerKWh = match?.Factor.Value ?? 0,
            FactorNote = match?.Note,
            UncertaintyPercent = match is null ? MeterUncertaintyPercent : Uncertainty.Product(MeterUncertaintyPercent, match.Factor.UncertaintyPercent),
            Coverage = Math.Min(1, (double)activity.Covered / width),
            StartReading = activity.StartReading,
            EndReading = activity.EndReading,
            StartRaw = activity.StartRaw,
            EndRaw = activity.EndRaw,
            CountsTowardSite = IsPurchase && Device.Metering?.CountsTowardSite == true,
            Allocated = activity.Allocated,
            Cut = cut,
        };
    }

    public void Shift(long milliseconds) => _held.Shift(milliseconds);

    public void Save(StateWriter writer)
    {
        _held.Save(writer);
        _open.Save(writer);
        _sealed.Save(writer);
        writer.Write(_isSealed);
        writer.Write(_carried);
    }

    public void Load(ref StateReader reader)
    {
        _held.Load(ref reader);
        _open.Load(ref reader);
        _sealed.Load(ref reader);
        _isSealed = reader.ReadBoolean();
        _carried = reader.ReadDecimal();
    }

    private static IEmissionMethod MethodOf(PointModel point, DeviceModel device)
    {
        var name = point.Carbon!.Method;
        if (!EmissionMethods.ByName.TryGetValue(name, out var method))
        {
            throw new ArgumentException($"{device.Id}.{point.Id}: unknown emission method '{name}', expected one of {string.Join(", ", EmissionMethods.ByName.Keys.Order(StringComparer.Ordinal))}");
        }

        return device.Metering?.Reversed == true ? EmissionMethods.ByName[method.WhenReversed] : method;
    }

    private void MoveTo(long time, long intervalEnd)
    {
        if (!_isSealed && time >= intervalEnd)
        {
            Seal(intervalEnd);
            _isSealed = true;
        }

        _open.Covered += _held.Take(time);
    }

    /// <summary>Puts the open interval aside until all accounts can be closed together, and opens the next.</summary>
    private void Seal(long end)
    {
        _open.Covered += _held.Take(end);
        _sealed = _open;
        _open = IntervalActivity.After(end, _sealed);
    }

    /// <summary>Whole milligrams of <paramref name="exact"/> and what was carried; the rest is carried on.</summary>
    private long Weigh(decimal exact)
    {
        var sum = exact + _carried;

        // More than a long holds can only come from absurd registers; nothing is lost then either, it waits in the carry.
        var whole = Math.Min(decimal.Truncate(sum), long.MaxValue);
        _carried = sum - whole;
        return (long)whole;
    }
}
