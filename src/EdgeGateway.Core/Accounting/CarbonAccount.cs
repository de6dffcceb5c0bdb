using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Core.Validation;

namespace EdgeGateway.Core.Accounting;

/// <summary>One carbon account of a device: one entry for each 15 minutes, in whole milligrams, the rest carried. Its activity is the growth of a register, or made from gauges.</summary>
internal sealed class CarbonAccount
{
    /// <summary>Relative uncertainty of an energy meter in percent, 95 % half width; class 1.</summary>
    public const double MeterUncertaintyPercent = 1;

    /// <summary>Energy of a longer silence that began before the interval is known from the register, not when it flowed.</summary>
    public const long GapMs = 120_000;

    private readonly FactorSet _factors;
    private readonly CarbonModel _use;
    private readonly string _unit;
    private readonly decimal _perUnit = 1;
    private readonly double _activityPercent;
    private readonly long _hold;
    private readonly long _gap;
    private readonly bool _carriesMass;
    private HeldValue _held;
    private IntervalActivity _open;
    private IntervalActivity _sealed;
    private bool _isSealed;
    private decimal _carried;

    /// <summary>The account of a register that its profile enters into the carbon account.</summary>
    /// <exception cref="ArgumentException">The method is not known, the unit or the kind of the point does not fit it, or its region has no factor.</exception>
    public CarbonAccount(PointModel point, DeviceModel device, FactorSet factors)
        : this(device, point.Carbon!, MethodOf(point.Carbon!.Method, device), factors)
    {
        Counter = Fitting(point);
        _perUnit = FindPerUnit(point.Unit, _unit) ?? throw new ArgumentException($"{device.Id}.{point.Id}: unit '{point.Unit}' is no energy; expected W.h, kW.h, MW.h or GW.h");
        _activityPercent = MeterUncertaintyPercent;
        _hold = HeldValue.HoldMilliseconds(point.Period);
        _gap = GapOf(point);
        RequireFactor();
    }

    /// <summary>An account that the site declares for a device.</summary>
    /// <exception cref="ArgumentException">The account names a point that is not there or does not fit, or a factor that is not in the set.</exception>
    public CarbonAccount(SiteModel site, DeviceModel device, CarbonModel use, FactorSet factors)
        : this(device, use, MethodOf(use.Method, device), factors)
    {
        _activityPercent = use.ActivityPercent;
        if (Method.Activity != ActivityKind.Counter)
        {
            var points = use.Points.ToDictionary(p => Enum.Parse<GaugeInput>(p.Key, ignoreCase: true), p => Find(site, device, p.Value));
            Gauges = Method.Activity == ActivityKind.GasLeak ? new GasCompartment(points, use.Compartment!) : new MethaneFlow(points);
        }
        else
        {
            var point = Find(site, device, use.Points["activity"]);
            if (point.Carbon is not null)
            {
                throw new ArgumentException($"'{point.Id}' is accounted already, by its profile");
            }

            Counter = Fitting(point);
            _perUnit = FindPerUnit(point.Unit, _unit) ?? throw new ArgumentException($"'{point.Id}' is in {point.Unit}; {Method.Name}{(use.Fuel is null ? "" : $" of {use.Fuel}")} needs a register in {UnitsFor(_unit)}");
            _hold = HeldValue.HoldMilliseconds(point.Period);
            _gap = GapOf(point);
        }

        RequireFactor();
    }

    private CarbonAccount(DeviceModel device, CarbonModel use, EmissionMethod method, FactorSet factors)
    {
        Device = device;
        Method = method;
        _use = use;
        _factors = factors;
        _carriesMass = !method.NeedsGridFactor || device.Metering?.Role != MeterRole.Generator;
        try
        {
            _unit = method.ActivityUnit(use, factors);
        }
        catch (EmissionRefusedException e)
        {
            throw new ArgumentException($"{device.Id}: {e.Message}", e);
        }
    }

    public DeviceModel Device { get; }

    /// <summary>The method in force, after a reversed meter has been turned round.</summary>
    public EmissionMethod Method { get; }

    /// <summary>The register that is accounted; null where gauges make the activity.</summary>
    public PointModel? Counter { get; }

    /// <summary>What makes the activity from gauges; null for a register.</summary>
    public IGaugeActivity? Gauges { get; }

    /// <summary>True when the account's mass is purchased electricity (not own generation).</summary>
    public bool IsPurchase => Method.NeedsGridFactor && _carriesMass;

    /// <summary>True when the open interval holds anything, or a sealed one waits.</summary>
    public bool IsTouched => _isSealed || _open.Touched || _open.Covered > 0;

    /// <summary>True when samples of the next interval have already come.</summary>
    public bool IsSealed => _isSealed;

    /// <summary>The fraction of a milligram not yet in any entry; set when the account continues under a new configuration.</summary>
    public decimal Carried { get => _carried; set => _carried = value; }

    /// <summary>Units of an activity for one of a register's, exact; null when the register measures something else.</summary>
    public static decimal? FindPerUnit(string register, string activity) => (register, activity) switch
    {
        ("W.h", "kW.h") => 0.001m,
        ("kW.h", "kW.h") => 1m,
        ("MW.h", "kW.h") => 1_000m,
        ("GW.h", "kW.h") => 1_000_000m,
        ("W.h", "GJ") => 0.000_003_6m,
        ("kW.h", "GJ") => 0.003_6m,
        ("MW.h", "GJ") => 3.6m,
        ("GW.h", "GJ") => 3_600m,
        ("GJ", "GJ") => 1m,
        ("kg", "t") => 0.001m,
        ("t", "t") => 1m,
        ("m3", "m3") => 1m,
        _ => null,
    };

    /// <summary>Begins an interval.</summary>
    public void Open(long start) => _open = IntervalActivity.After(start, _open);

    /// <summary>The next interval begins without a register and unheard; what is carried stays.</summary>
    public void Forget()
    {
        _held.Drop();
        Gauges?.DropAll();
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
        _open.Amount += growth;
        _open.Touched = true;
        _open.Allocated |= growth > 0 && previousTime < _open.Start && time - previousTime > _gap;
    }

    /// <summary>Takes a value of a gauge; null when it is not known from here on.</summary>
    public void Observe(GaugeInput input, double? value, long time, long intervalEnd)
    {
        MoveTo(time, intervalEnd);
        if (value is { } number)
        {
            Gauges!.Set(input, number, Math.Max(time, _open.Start));
            _open.Touched = true;
        }
        else
        {
            Gauges!.Drop(input);
        }
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
        var interval = _sealed;
        var activity = interval.Amount * _perUnit;
        var isElectricity = _unit == "kW.h";
        var percent = Gauges is { UncertaintyPercent: var found } && !double.IsNaN(found) ? found : _activityPercent;
        var carried = _carried;
        var (rate, milligrams, refusal) = Weigh(activity, new(interval.Start));
        return new EmissionRecord
        {
            Device = Device.Index,
            Account = EmissionAccount.Device,
            Start = new(interval.Start),
            Width = new(width * TimeSpan.TicksPerMillisecond),
            Era = era,
            Method = Method.Name,
            Scope = _carriesMass ? Method.Scope : 0,
            ActivityKWh = isElectricity ? activity : 0,
            Milligrams = Method.IsRemoval ? 0 : milligrams,
            FactorId = rate?.FactorId ?? "none",
            FactorKgPerKWh = isElectricity && rate is not null ? rate.KgCo2e : 0,
            FactorNote = rate?.Note ?? refusal,
            UncertaintyPercent = refusal is not null ? double.NaN : rate is null ? percent : Uncertainty.Product(percent, rate.UncertaintyPercent),

            // A mass that could not be computed is not known, whatever the meter said.
            Coverage = refusal is not null ? 0 : Math.Min(1, (double)interval.Covered / width),
            StartReading = interval.StartReading,
            EndReading = interval.EndReading,
            StartRaw = interval.StartRaw,
            EndRaw = interval.EndRaw,
            CountsTowardSite = IsPurchase && Device.Metering?.CountsTowardSite == true,
            Allocated = interval.Allocated,
            Cut = cut,
            Carried = carried,
            Detail = isElectricity ? null : new(activity, _unit, rate?.KgCo2e ?? 0, rate?.Gas ?? "CO2", rate?.GwpSet, Method.IsRemoval ? milligrams : null),
        };
    }

    public void Shift(long milliseconds)
    {
        _held.Shift(milliseconds);
        Gauges?.Shift(milliseconds);
    }

    public void Save(StateWriter writer)
    {
        _held.Save(writer);
        _open.Save(writer);
        _sealed.Save(writer);
        writer.Write(_isSealed);
        writer.Write(_carried);
        Gauges?.Save(writer);
    }

    public void Load(ref StateReader reader)
    {
        _held.Load(ref reader);
        _open.Load(ref reader);
        _sealed.Load(ref reader);
        _isSealed = reader.ReadBoolean();
        _carried = reader.ReadDecimal();
        Gauges?.Load(ref reader);
    }

    private static EmissionMethod MethodOf(string name, DeviceModel device)
    {
        if (!EmissionMethods.ByName.TryGetValue(name, out var method))
        {
            throw new ArgumentException($"{device.Id}: unknown emission method '{name}', expected one of {string.Join(", ", EmissionMethods.ByName.Keys.Order(StringComparer.Ordinal))}");
        }

        return device.Metering?.Reversed == true && method.WhenReversed is { } reversed ? EmissionMethods.ByName[reversed] : method;
    }

    private static PointModel Find(SiteModel site, DeviceModel device, string name) =>
        Detectors.FindPoint(site, device, name) ?? throw new ArgumentException($"there is no point '{name}'");

    private static string UnitsFor(string activity) => activity switch { "t" => "t or kg", "GJ" => "GJ, MW.h or kW.h", var unit => unit };

    private static long GapOf(PointModel point) => Math.Max(GapMs, 2 * (point.Period.Ticks / TimeSpan.TicksPerMillisecond));

    private PointModel Fitting(PointModel point) => point.Kind == PointKind.Counter ? point
        : throw new ArgumentException($"{Device.Id}.{point.Id}: method '{Method.Name}' needs a counter");

    /// <summary>Refuses an account whose factor the set has for no time at all.</summary>
    private void RequireFactor()
    {
        EmissionRefusedException? refusal = null;
        foreach (var at in _factors.Factors.Select(f => f.Source.ValidFrom ?? Instant.UnixEpoch).Distinct())
        {
            try
            {
                _ = Method.Rate(_use, _factors, Device.Region, at);
                return;
            }
            catch (EmissionRefusedException e)
            {
                refusal = e;
            }
        }

        throw new ArgumentException($"{Device.Id}: {refusal?.Message}", refusal);
    }

    private void MoveTo(long time, long intervalEnd)
    {
        if (!_isSealed && time >= intervalEnd)
        {
            Seal(intervalEnd);
            _isSealed = true;
        }

        _open.Covered += Take(time);
    }

    /// <summary>Puts the open interval aside until all accounts can be closed together, and opens the next.</summary>
    private void Seal(long end)
    {
        _open.Covered += Take(end);
        _sealed = _open;
        _open = IntervalActivity.After(end, _sealed);
    }

    /// <summary>Takes the time covered up to <paramref name="time"/>, and what flowed in it.</summary>
    private long Take(long time) => Gauges is null ? _held.Take(time) : Gauges.Take(time, ref _open.Amount);

    /// <summary>Mass of an activity in whole milligrams and what was carried; the rest is carried on. What has no factor has no mass, and says why.</summary>
    private (EmissionRate? Rate, long Milligrams, string? Refusal) Weigh(decimal activity, Instant start)
    {
        if (!_carriesMass)
        {
            return default;
        }

        try
        {
            if (Method.Rate(_use, _factors, Device.Region, start) is not { } rate)
            {
                return default;
            }

            var sum = (activity * rate.KgCo2e * 1_000_000m) + _carried;

            // More than a long holds can only come from absurd registers; nothing is lost then either, it waits in the carry.
            var whole = Math.Min(decimal.Truncate(sum), long.MaxValue);
            _carried = sum - whole;
            return (rate, (long)whole, null);
        }
        catch (EmissionRefusedException e)
        {
            return (null, 0, e.Message);
        }
        catch (OverflowException)
        {
            return (null, 0, $"an activity of {activity.ToString(System.Globalization.CultureInfo.InvariantCulture)} {_unit} is more than can be computed");
        }
    }
}
