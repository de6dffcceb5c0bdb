using System.Globalization;
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

    /// <summary>Name under which contradicting gauges of a drainage system are published.</summary>
    public const string BalanceDetector = "methane-balance";

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
    private readonly bool _isDeclared;
    private readonly MarketCover? _market;
    private HeldValue _held;
    private IntervalActivity _open;
    private IntervalActivity _sealed;
    private bool _isSealed;
    private decimal _carried;
    private decimal _biogenicCarried;
    private long _refusedSince;

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
        _isDeclared = true;
        _activityPercent = use.ActivityPercent;
        if (Method.Activity != ActivityKind.Counter)
        {
            var points = use.Points.ToDictionary(p => Enum.Parse<GaugeInput>(p.Key, ignoreCase: true), p => Find(site, device, p.Value));
            Gauges = Method.Activity switch
            {
                ActivityKind.GasLeak => new GasCompartment(points, use.Compartment!),
                ActivityKind.MethaneFlow => new MethaneFlow(points),
                ActivityKind.Power => new PowerIntegral(points),
                ActivityKind.MethaneReleased or ActivityKind.MethaneBurnt => new DrainageFlow(points, use.Destruction!, Method.Activity == ActivityKind.MethaneBurnt, use.ActivityPercent),
                _ => throw new ArgumentException($"{device.Id}: {Method.Name} has no intervals"),
            };
        }
        else
        {
            var point = Find(site, device, use.Points["activity"]);
            if (use.Instruments is { } instruments)
            {
                _market = new MarketCover(instruments);
                _activityPercent = double.IsNaN(_activityPercent) ? MeterUncertaintyPercent : _activityPercent;
                if (device.Metering?.Role == MeterRole.Generator || (point.Carbon is { } own && MethodOf(own.Method, site.Devices[point.DeviceIndex]).Name != "electricity-purchased"))
                {
                    throw new ArgumentException($"'{point.Id}' is no register of bought energy");
                }
            }
            else if (point.Carbon is not null)
            {
                throw new ArgumentException($"'{point.Id}' is accounted already, by its profile");
            }

            Counter = Fitting(point);
            _perUnit = FindPerUnit(point.Unit, _unit) ?? throw new ArgumentException($"'{point.Id}' is in {point.Unit}; {Method.Name}{(use.Fuel is null ? "" : $" of {use.Fuel}")} needs a register in {UnitsFor(_unit)}");
            _hold = HeldValue.HoldMilliseconds(point.Period);
            _gap = GapOf(point);
        }

        if (use.Adapt is { } adapt)
        {
            if (use.BiogenicPercent > 0)
            {
                throw new ArgumentException("adapt: the stack shows the CO2 of biomass with that of the rest, so that a factor learnt from it would count it in scope 1; remove 'biogenicPercent' or 'adapt'");
            }

            Follower = new FactorFollower(adapt, Find(site, device, adapt.Mass), _activityPercent, LearntFor);
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

    /// <summary>A factor that follows a stack beside the official one; null when there is none.</summary>
    public FactorFollower? Follower { get; }

    /// <summary>True when the site declares the account, false when a register's profile does.</summary>
    public bool IsDeclared => _isDeclared;

    /// <summary>True when its entries are in the totals of the site.</summary>
    public bool CountsTowardSite => _isDeclared ? _use.CountsTowardSite : IsPurchase && Device.Metering?.CountsTowardSite == true;

    /// <summary>True for a market-based account: a second figure of energy that is accounted already, never added to the first.</summary>
    public bool IsMarket => _market is not null;

    /// <summary>What of the last entry errs with its meter, percent at 95 %; NaN when not known.</summary>
    public double MeterPercent { get; private set; }

    /// <summary>What of the last entry errs with its factor, percent at 95 %; NaN when not known.</summary>
    public double FactorPercent { get; private set; }

    /// <summary>Names what outlives a change of the configuration beside the baseline of a register.</summary>
    public string Key => $"{Device.Id}/{Method.Name}";

    /// <summary>What one unit of the activity is: a factor that was learnt for another is none of this account. Kept in the state, so its words never change.</summary>
    private string LearntFor => string.Create(CultureInfo.InvariantCulture, $"{_unit} of {_use.Fuel ?? Method.Name}{(_use.VolumeCelsius is { } celsius ? $" at {celsius:0.##} Cel" : "")}");

    /// <summary>True when there is anything that only <see cref="SaveMore"/> writes.</summary>
    public bool HasMore => _market is not null || Follower is not null || Gauges is not null || _use.BiogenicPercent is not null;

    /// <summary>True when the account's mass is purchased electricity (not own generation).</summary>
    public bool IsPurchase => Method.NeedsGridFactor && _carriesMass;

    /// <summary>True when the open interval holds anything, or a sealed one waits.</summary>
    public bool IsTouched => _isSealed || _open.Touched || _open.Covered > 0;

    /// <summary>True when samples of the next interval have already come.</summary>
    public bool IsSealed => _isSealed;

    /// <summary>The fraction of a milligram not yet in any entry; set when the account continues under a new configuration.</summary>
    public decimal Carried { get => _carried; set => _carried = value; }

    /// <summary>The account as the ledger declares it: with all that recomputing its entries needs beside the factors.</summary>
    public Ledger.LedgerAccount Declare() => new(Device.Id, Method.Name, Device.Region, _unit, _carriesMass)
    {
        Point = Counter?.Id,
        PerUnit = Counter is null ? null : _perUnit,
        Model = _use with { Method = Method.Name },
    };

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
    public void Open(long start)
    {
        _open = IntervalActivity.After(start, _open);
        Follower?.Open(start);
    }

    /// <summary>The next interval begins without a register and unheard; what is carried stays.</summary>
    public void Forget()
    {
        _held.Drop();
        Gauges?.DropAll();
        Follower?.Forget();
        _open = default;
    }

    /// <summary>Continues from a baseline of an earlier configuration.</summary>
    public void Continue(CounterBaseline baseline)
    {
        _open.StartReading = _open.EndReading = baseline.Reading;
        _open.StartRaw = _open.EndRaw = baseline.Raw;
    }

    /// <summary>Takes what the ledger says was used of instruments: never less than that is used.</summary>
    public void Continue(Ledger.EnteredBefore entered) => _market?.Continue(name => entered.UsedOf(Device.Id, name));

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

    /// <summary>Takes an amount that is known now but flowed earlier: between the readings of a change of meters.</summary>
    public void Allocate(decimal growth, long time, long intervalEnd)
    {
        MoveTo(time, intervalEnd);
        _open.Amount += growth;
        _open.Touched = true;
        _open.Allocated = true;
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
        var carried = _carried;
        var meter = Gauges is { UncertaintyPercent: var found } && !double.IsNaN(found) ? found : _activityPercent;
        var weighed = Weigh(activity, meter, new(interval.Start), interval.Covered >= width && !interval.Allocated && cut == WindowCut.None, end, width);
        var (rate, refusal) = (weighed.Rate, weighed.Refusal);
        if (refusal is not null && Gauges?.Refusal is not null)
        {
            // Which of the meters is wrong is not known; the note has what each of them showed.
            activity = 0;
        }

        (MeterPercent, FactorPercent) = (meter, weighed.FactorPercent);
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
            Milligrams = Method.IsRemoval ? 0 : weighed.Milligrams,
            FactorId = rate?.FactorId ?? "none",
            FactorKgPerKWh = isElectricity && rate is not null ? rate.KgCo2e : 0,
            FactorNote = rate?.Note ?? refusal,
            UncertaintyPercent = refusal is not null ? double.NaN : rate is null ? meter : weighed.Percent,

            // A mass that could not be computed is not known, whatever the meter said.
            Coverage = refusal is not null ? 0 : Math.Min(1, (double)interval.Covered / width),
            StartReading = interval.StartReading,
            EndReading = interval.EndReading,
            StartRaw = interval.StartRaw,
            EndRaw = interval.EndRaw,
            CountsTowardSite = CountsTowardSite,
            Allocated = interval.Allocated,
            Cut = cut,
            Carried = carried,
            Detail = isElectricity ? null : new(activity, _unit, rate?.KgCo2e ?? 0, rate?.Gas ?? "CO2", rate?.GwpSet, Method.IsRemoval ? weighed.Milligrams : null)
            {
                BiogenicMilligrams = weighed.Biogenic,
                Adapted = weighed.Adapted,
            },
        };
    }

    /// <summary>The finding that begins or ends with an entry: gauges that contradict each other are told once, until an interval in which they agree; null when nothing changes.</summary>
    public AnomalyRecord? Judge(in EmissionRecord entry, Instant end)
    {
        if (Follower?.JudgeDay() is { } judged)
        {
            var text = $"{Device.Name}: {judged.Day}; {(judged.Differs ? FormattableString.Invariant($"at most {StackCheck.LimitPercent} % is allowed. The entries are by the fuel; one of the two is wrong.") : "they agree again.")}";
            return Difference(judged.Differs, judged.Since, end, judged.Day.Percent, text);
        }

        // The twin account of what burns would find the same.
        if (Method.Activity != ActivityKind.MethaneReleased || (Gauges!.Refusal is null && (_refusedSince == 0 || entry.Coverage == 0)))
        {
            return null;
        }

        if (Gauges.Refusal is not { } why)
        {
            return Finding(false, end, $"{Device.Name}: what is destroyed and what is drained agree again.");
        }

        if (_refusedSince != 0)
        {
            return null;
        }

        _refusedSince = entry.Start.UnixMilliseconds;
        return Finding(true, end, $"{Device.Name}: {why}. No mass is entered until they agree.");
    }

    /// <summary>Clears the finding that stands, because the configuration ends; null when none does.</summary>
    public AnomalyRecord? EndFinding(Instant now)
    {
        var text = $"{Device.Name}: ended by a change of configuration. It is raised again if it still holds.";
        return _refusedSince != 0 ? Finding(false, now, text)
            : Follower?.EndDifference() is { } since ? Difference(false, since, now, double.NaN, text)
            : null;
    }

    private AnomalyRecord Difference(bool raised, Instant since, Instant time, double percent, string text) => new()
    {
        Point = Counter!.Index,
        Detector = StackCheck.Detector,
        Raised = raised,
        Since = since,
        Time = time,
        Severity = Severity.Warning,
        Value = percent,
        Limit = (double)StackCheck.LimitPercent,
        Text = text,
    };

    private AnomalyRecord Finding(bool raised, Instant time, string text)
    {
        var since = new Instant(_refusedSince);
        _refusedSince = raised ? _refusedSince : 0;
        return new()
        {
            Point = Gauges!.Points[GaugeInput.Flow].Index,
            Detector = BalanceDetector,
            Raised = raised,
            Since = since,
            Time = time,
            Severity = Severity.Alarm,
            Value = double.NaN,
            Limit = double.NaN,
            Text = text,
        };
    }

    public void Shift(long milliseconds)
    {
        _held.Shift(milliseconds);
        Gauges?.Shift(milliseconds);
        Follower?.Shift(milliseconds);
    }

    /// <summary>Writes what the fixed form of the state has no place for: it is kept by name, also over a change of the configuration.</summary>
    public void SaveMore(StateWriter writer)
    {
        writer.Write(_carried);
        writer.Write(_biogenicCarried);
        writer.Write(_refusedSince);
        writer.Write(_market is not null);
        _market?.Save(writer);
        writer.Write(Follower is not null);
        Follower?.Save(writer);
    }

    /// <summary>Reads what <see cref="SaveMore"/> wrote; last in its bytes, because what is no longer configured is left unread.</summary>
    public void LoadMore(ref StateReader reader)
    {
        _carried = reader.ReadDecimal();
        _biogenicCarried = reader.ReadDecimal();
        _refusedSince = reader.ReadInt64();
        if (reader.ReadBoolean())
        {
            if (_market is null)
            {
                return;
            }

            _market.Load(ref reader);
        }

        if (reader.ReadBoolean())
        {
            Follower?.Load(ref reader);
        }
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

    /// <summary>A silence of a register after which its growth is known, not when it flowed: 2 minutes, or two periods of one that is polled less often.</summary>
    public static long GapOf(PointModel point) => Math.Max(GapMs, 2 * (point.Period.Ticks / TimeSpan.TicksPerMillisecond));

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
        Gauges?.Seal();
        _sealed = _open;
        _open = IntervalActivity.After(end, _sealed);
    }

    /// <summary>Takes the time covered up to <paramref name="time"/>, and what flowed in it.</summary>
    private long Take(long time) => Gauges is null ? _held.Take(time) : Gauges.Take(time, ref _open.Amount);

    /// <summary>Mass of an activity in whole milligrams and what was carried; the rest is carried on. What has no factor has no mass, and says why.</summary>
    private Weighed Weigh(decimal activity, double meter, Instant start, bool isWhole, long end, long width)
    {
        if (!_carriesMass)
        {
            return default;
        }

        EmissionRate? official = null;
        string? refusal = null;
        try
        {
            official = Method.Rate(_use, _factors, Device.Region, start);
        }
        catch (EmissionRefusedException e)
        {
            refusal = e.Message;
        }

        var adapted = Follower?.Close(start.UnixMilliseconds, end, width, activity, isWhole, official);
        var rate = Follower?.Approved(official) ?? official;
        if (rate is null || Gauges?.Refusal is not null)
        {
            return new() { Refusal = Gauges?.Refusal ?? refusal, Adapted = adapted };
        }

        try
        {
            var (factor, percent) = (rate.UncertaintyPercent, Uncertainty.Product(meter, rate.UncertaintyPercent));
            var kilograms = activity * rate.KgCo2e;
            if (_market is not null)
            {
                (kilograms, percent, rate) = _market.Weigh(activity, meter, rate, start);
                factor = Math.Sqrt(Math.Max(0, (percent * percent) - (meter * meter)));
            }

            long? biogenic = _use.BiogenicPercent is null ? null : Whole(activity * rate.KgBiogenic, ref _biogenicCarried);
            return new() { Rate = rate, Milligrams = Whole(kilograms, ref _carried), Biogenic = biogenic, Percent = percent, FactorPercent = factor, Adapted = adapted };
        }
        catch (OverflowException)
        {
            return new() { Refusal = $"an activity of {activity.ToString(CultureInfo.InvariantCulture)} {_unit} is more than can be computed", Adapted = adapted };
        }
    }

    /// <summary>Whole milligrams; the exact rest is carried.</summary>
    private static long Whole(decimal kilograms, ref decimal carried)
    {
        var sum = (kilograms * 1_000_000m) + carried;

        // More than a long holds can only come from absurd registers; nothing is lost then either, it waits in the carry.
        var whole = Math.Min(decimal.Truncate(sum), long.MaxValue);
        carried = sum - whole;
        return (long)whole;
    }

    /// <summary>What an activity weighs.</summary>
    private readonly record struct Weighed
    {
        /// <summary>The factor in force; null when there is none, or nothing is emitted by nature.</summary>
        public EmissionRate? Rate { get; init; }

        public long Milligrams { get; init; }

        public long? Biogenic { get; init; }

        /// <summary>Half width at 95 % of the mass, percent.</summary>
        public double Percent { get; init; }

        /// <summary>The part of it that errs with the factor.</summary>
        public double FactorPercent { get; init; }

        public AdaptedFigure? Adapted { get; init; }

        /// <summary>Why there is no mass; null when there is one.</summary>
        public string? Refusal { get; init; }
    }
}
