using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>How a quantity is substituted.</summary>
internal enum SubstituteKind : byte
{
    /// <summary>Part 75, 720 hours: CO2, SO2, and with the lower value conservative O2 and moisture.</summary>
    Concentration,

    /// <summary>Part 75, 2160 hours of the same load bin: flow and NOx.</summary>
    LoadBin,

    /// <summary>HJ 75: kg/h.</summary>
    Mass,

    /// <summary>(EU) 2018/2066: mean + 2 s of the year.</summary>
    Mean,

    /// <summary>Not substituted by the rules: what is missing stays so.</summary>
    None,
}

/// <summary>The look-back, the availability and the missing period of one quantity. Bounded: no missing period makes it grow.</summary>
/// <param name="kind">How it is substituted.</param>
/// <param name="lower">Whether the lower value is conservative.</param>
/// <param name="potential">Maximum or minimum potential; null where the site states none.</param>
/// <param name="round">Rounding of a mean of flow or NOx.</param>
internal sealed class SubstitutionTrack(SubstituteKind kind, bool lower, decimal? potential, Func<decimal, decimal> round)
{
    /// <summary>Clock hours beyond which a step is not believed at once, and hours watched one after the other that confirm it: a month.</summary>
    internal const int LeapHours = 720;

    private readonly Lookback? _values = kind switch
    {
        SubstituteKind.Concentration => new(Substitution.LookbackHours),
        SubstituteKind.LoadBin or SubstituteKind.Mass => new(Substitution.BinLookbackHours),
        _ => null,
    };

    private readonly Lookback? _bins = kind == SubstituteKind.LoadBin ? new(Substitution.BinLookbackHours) : null;
    private readonly AvailabilityCount _availability = new(kind is SubstituteKind.Concentration or SubstituteKind.LoadBin);
    private decimal? _before;
    private int _assured;
    private int _sincePassed;
    private long _newest = long.MinValue;
    private int _confirmed = LeapHours;
    private int _count;
    private decimal _sum;
    private decimal _squares;

    /// <summary>Operating hours of the missing period that runs; 0 when none does.</summary>
    public int Missing { get; private set; }

    /// <summary>Availability, or valid capture, in percent; null before the first operating hour.</summary>
    public decimal? Percent => _availability.Percent;

    /// <summary>Whether a missing hour waits for the end of its period, or is decided at once because nothing may stand in.</summary>
    public bool Waits => kind != SubstituteKind.None;

    /// <summary>Begins a quarter (HJ 75) or a year (EU).</summary>
    public void BeginPeriod()
    {
        _availability.Begin();
        (_count, _sum, _squares) = (0, 0, 0);
    }

    /// <summary>A calibration has passed: what comes now is after it.</summary>
    public void Passed() => _sincePassed = 0;

    /// <summary>A calibration has failed: under HJ 75 the window of an analyser out of control ends at the last that passed, so that the hours after it are no look-back.</summary>
    /// <param name="hours">Hours after it that are missing now: they begin the missing period, or lengthen it.</param>
    /// <param name="counted">Those of them that counted as measured.</param>
    public void Failed(int hours, int counted)
    {
        if (kind == SubstituteKind.Mass)
        {
            _values!.RemoveNewest(_sincePassed);
            _sincePassed = 0;
            Missing += hours;
            _availability.TakeBack(counted);
        }
    }

    /// <summary>
    /// An hour has ended, of operation or not. A clock that leaps, or is set back, may be wrong by years and must not erase what is looked back to: nothing expires before it has gone on from there for
    /// <see cref="LeapHours"/>.
    /// </summary>
    /// <param name="hour">The clock hour, counted from 1970.</param>
    public void Watch(long hour)
    {
        var isNear = _newest == long.MinValue || (hour >= _newest && hour - _newest <= LeapHours);
        _confirmed = isNear ? Math.Min(_confirmed + 1, LeapHours) : 0;
        _newest = hour;
    }

    /// <summary>An operating hour without a value.</summary>
    /// <param name="hour">The clock hour, counted from 1970.</param>
    public void Miss(long hour)
    {
        Missing++;
        Expire(hour);
        _availability.Add(false, hour);
    }

    /// <summary>An operating hour with a value; a missing period before it has been resolved.</summary>
    /// <param name="value">The value.</param>
    /// <param name="bin">Load bin.</param>
    /// <param name="hour">The clock hour, counted from 1970.</param>
    public void Take(decimal value, int bin, long hour)
    {
        Missing = 0;
        Expire(hour);
        _availability.Add(true, hour);
        _assured = Math.Min(_assured + 1, Substitution.BinLookbackHours);
        _before = value;
        _sincePassed = Math.Min(_sincePassed + 1, Substitution.BinLookbackHours);
        _values?.Add(value, hour);
        _bins?.Add(bin, hour);
        if (kind == SubstituteKind.Mean)
        {
            _count++;
            _sum += value;
            _squares += value * value;
        }
    }

    /// <summary>What stands in for an hour of the missing period.</summary>
    /// <param name="after">The value of the hour after it; null when the period is ended without one.</param>
    /// <param name="bin">Load bin of the missing hour.</param>
    /// <returns>The value, or why there is none.</returns>
    public (SubstituteValue Value, string? Refusal) Resolve(decimal? after, int bin)
    {
        try
        {
            return (kind switch
            {
                SubstituteKind.Concentration => Substitution.Concentration(Gap(_values!.ToArray(), after), lower),
                SubstituteKind.LoadBin => Substitution.OfLoadBin(Gap(OfBin(bin), after), round),
                SubstituteKind.Mass => Substitution.Hj75(_availability.Exact, Missing, _values!.ToArray()),
                SubstituteKind.Mean => Mean(),
                _ => new(null, "NOT-COVERED", null, 0),
            }, null);
        }
        catch (EmissionRefusedException e)
        {
            return (new(null, "NOT-COVERED", null, 0), e.Message);
        }
    }

    public void Save(StateWriter writer, int version)
    {
        _values?.Save(writer);
        _bins?.Save(writer);
        _availability.Save(writer);
        writer.Write(_before);
        writer.Write(_assured);
        writer.Write(_count);
        writer.Write(_sum);
        writer.Write(_squares);
        writer.Write(Missing);
        writer.Write(_sincePassed);
        if (version > 2)
        {
            writer.Write(_newest);
            writer.Write(_confirmed);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="reader">From where.</param>
    /// <param name="version">Version of the station's state.</param>
    public void Load(ref StateReader reader, int version)
    {
        _values?.Load(ref reader, version > 1);
        _bins?.Load(ref reader, version > 1);
        _availability.Load(ref reader, version > 1);
        _before = reader.ReadNullableDecimal();
        _assured = reader.ReadInt32();
        _count = reader.ReadInt32();
        _sum = reader.ReadDecimal();
        _squares = reader.ReadDecimal();
        Missing = reader.ReadInt32();
        _sincePassed = version > 1 ? reader.ReadInt32() : 0;
        (_newest, _confirmed) = version > 2 ? (reader.ReadInt64(), reader.ReadInt32()) : (long.MinValue, LeapHours);
    }

    /// <summary>Part 75 looks back three years at most, and counts the availability of no longer; while the clock is not believed nothing expires.</summary>
    private void Expire(long hour)
    {
        if (kind is SubstituteKind.Concentration or SubstituteKind.LoadBin && _confirmed >= LeapHours)
        {
            var oldest = hour - Substitution.OldestHours;
            _values!.ForgetBefore(oldest);
            _bins?.ForgetBefore(oldest);
            _availability.ForgetBefore(oldest);
        }
    }

    private Part75Gap Gap(decimal[] lookback, decimal? after) => new()
    {
        AvailabilityPercent = Percent ?? 0,
        MissingHours = Missing,
        Lookback = lookback,
        HourBefore = _before,
        HourAfter = after,
        Potential = potential,
        AssuredHours = _assured,
    };

    private decimal[] OfBin(int bin)
    {
        var (values, bins) = (_values!.ToArray(), _bins!.ToArray());
        return [.. values.Where((_, i) => bins[i] == bin)];
    }

    private SubstituteValue Mean()
    {
        var found = EuMonitoring.Substitute(_count, _sum, _squares);
        return new(found.Value.To(6), "MEAN+2S", null, _count);
    }
}
