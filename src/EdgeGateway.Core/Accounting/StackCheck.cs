using System.Globalization;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>What a day of a fuel account and its stack showed.</summary>
/// <param name="Day">First instant of the day, UTC.</param>
/// <param name="FuelKilograms">kg CO2 by the fuel account at its official factor, biogenic CO2 included: the stack shows it too.</param>
/// <param name="StackKilograms">kg CO2 measured in the stack over the same intervals.</param>
internal readonly record struct StackDay(Instant Day, decimal FuelKilograms, decimal StackKilograms)
{
    /// <summary>True when the two are further apart than <see cref="StackCheck.LimitPercent"/> of the fuel account.</summary>
    public bool Differs => Math.Abs(StackKilograms - FuelKilograms) * 100 > StackCheck.LimitPercent * FuelKilograms;

    /// <summary>How far they are apart, percent of the fuel account; NaN when no fuel was counted.</summary>
    public double Percent => FuelKilograms == 0 ? double.NaN : (double)(100 * Math.Abs(StackKilograms - FuelKilograms) / FuelKilograms);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"on {Day.ToDateTimeOffset():yyyy-MM-dd} (UTC) the stack shows {StackKilograms / 1000:0.000} t CO2 and the fuel account {FuelKilograms / 1000:0.000} t{(FuelKilograms == 0 ? "" : $", {Percent:0.0} % apart")}");
}

/// <summary>
/// Holds the CO2 of a fuel account against that of its stack, day by day: one is reported, the other is its check, so that nothing counts twice (GHG Protocol corporate standard). A difference
/// above 7.5 %, which is as much as the EU allows the yearly mean of a stack in tier 2, is told.
/// </summary>
/// <remarks>
/// Only intervals that are known throughout on both sides are compared, so that a silence of one is no difference. A day needs 20 hours of them (a valid day of HJ 75). The factor is always the
/// official one: one that was learnt from the stack would agree with it.
/// </remarks>
internal sealed class StackCheck
{
    /// <summary>Name under which a difference is published.</summary>
    public const string Detector = "fuel-stack";

    /// <summary>Largest difference, percent of the fuel account.</summary>
    public const decimal LimitPercent = 7.5m;

    private const long DayMs = 86_400_000;
    private const long LeastMs = 20 * 3_600_000L;

    private long _day = long.MinValue;
    private long _knownMs;
    private decimal _fuel;
    private decimal _stack;

    /// <summary>Begin of the first day of a difference that stands, Unix milliseconds; 0 when none does.</summary>
    public long DiffersSince { get; private set; }

    /// <summary>Takes an interval; gives the day before it when it begins another day and enough of that one is known.</summary>
    /// <param name="start">Begin of the interval, Unix milliseconds.</param>
    /// <param name="width">Its width in milliseconds.</param>
    /// <param name="known">kg CO2 by the fuel and by the stack; null when one of them is not known throughout.</param>
    public StackDay? Take(long start, long width, (decimal Fuel, decimal Stack)? known)
    {
        StackDay? over = null;
        var day = start / DayMs;
        if (day != _day)
        {
            over = _knownMs >= LeastMs && (_fuel > 0 || _stack > 0) ? new(new(_day * DayMs), _fuel, _stack) : null;
            (_day, _knownMs, _fuel, _stack) = (day, 0, 0, 0);
        }

        if (known is { } both)
        {
            (_knownMs, _fuel, _stack) = (_knownMs + width, _fuel + both.Fuel, _stack + both.Stack);
        }

        return over;
    }

    /// <summary>Remembers what a day showed: true when a difference begins, false when one ends, null when nothing changes.</summary>
    public bool? Judge(in StackDay day)
    {
        if (day.Differs == (DiffersSince != 0))
        {
            return null;
        }

        DiffersSince = day.Differs ? day.Day.UnixMilliseconds : 0;
        return day.Differs;
    }

    /// <summary>No difference stands any more; what the open day holds stays.</summary>
    public void End() => DiffersSince = 0;

    public void Save(StateWriter writer)
    {
        writer.Write(_day);
        writer.Write(_knownMs);
        writer.Write(_fuel);
        writer.Write(_stack);
        writer.Write(DiffersSince);
    }

    public void Load(ref StateReader reader)
    {
        _day = reader.ReadInt64();
        _knownMs = reader.ReadInt64();
        _fuel = reader.ReadDecimal();
        _stack = reader.ReadDecimal();
        DiffersSince = reader.ReadInt64();
    }
}
