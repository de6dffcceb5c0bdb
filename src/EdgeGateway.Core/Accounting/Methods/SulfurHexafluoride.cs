using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>A reading of a density monitor.</summary>
/// <param name="Days">Time since the first reading, days.</param>
/// <param name="Megapascal">Absolute pressure: the gauge's plus the atmosphere's at the site.</param>
/// <param name="Kelvin">Temperature of the gas.</param>
public readonly record struct GasReading(double Days, double Megapascal, double Kelvin);

/// <summary>How fast a compartment loses gas.</summary>
/// <param name="FirstKilograms">Mass by the first reading.</param>
/// <param name="LastKilograms">Mass by the last reading.</param>
/// <param name="KilogramsPerDay">Slope of the least-squares line; negative for a leak.</param>
/// <param name="BandKilogramsPerDay">Half width of its 95 % band; infinite for two readings.</param>
/// <param name="YearlyPercent">Loss in a year, percent of the mean mass.</param>
/// <param name="IsShown">True when the loss is outside the band and the readings span two weeks; otherwise no leak is shown.</param>
public readonly record struct LeakRate(double FirstKilograms, double LastKilograms, double KilogramsPerDay, double BandKilogramsPerDay, double YearlyPercent, bool IsShown);

/// <summary>Sulfur hexafluoride of switchgear, by mass balance (form of 40 CFR part 98 subpart DD) or by density monitors.</summary>
/// <remarks>Density: the Beattie-Bridgeman equation with the constants in use for SF6 (recalled, not read in its source).</remarks>
public static class SulfurHexafluoride
{
    /// <summary>Name in sites and records of a mass balance.</summary>
    public const string Balance = "sf6-balance";

    /// <summary>Shortest span of readings that can show a leak, days.</summary>
    public const double LeastDays = 14;

    private const double MolarMass = 0.14606; // kg/mol
    private const double GasConstant = 8.314462618; // J/(mol K), 2019 SI

    // Quantiles of Student's distribution, 95 % on both sides together, for 1 to 30 degrees of freedom.
    private static readonly double[] Student95 =
    [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];

    /// <summary>Gas lost in a year, kg: inventory at the beginning less that at the end, plus acquired, less given away, less the growth of the nameplate capacity.</summary>
    /// <returns>A result below zero is kept: it shows that a figure is wrong.</returns>
    /// <exception cref="EmissionRefusedException">An inventory or a transfer is negative; only the change of the capacity may be.</exception>
    public static EmissionMass MassBalance(Measured begin, Measured end, Measured acquired, Measured disbursed, Measured capacityGrowth, GwpValue gwp)
    {
        EmissionRefusedException.IfNegative(begin.Value, "The inventory at the beginning");
        EmissionRefusedException.IfNegative(end.Value, "The inventory at the end");
        EmissionRefusedException.IfNegative(acquired.Value, "What was acquired");
        EmissionRefusedException.IfNegative(disbursed.Value, "What was given away");
        var percent = Uncertainty.Sum(Part(begin, 1), Part(end, -1), Part(acquired, 1), Part(disbursed, -1), Part(capacityGrowth, -1));
        return Mass(new(begin.Value - end.Value + acquired.Value - disbursed.Value - capacityGrowth.Value, percent), gwp);
    }

    /// <summary>Gas that a leak has let out in a time, kg.</summary>
    /// <exception cref="EmissionRefusedException">The time is negative.</exception>
    public static EmissionMass Lost(in LeakRate leak, decimal days, GwpValue gwp)
    {
        EmissionRefusedException.IfNegative(days, "The time");
        var kilograms = leak.IsShown ? new Measured((decimal)-leak.KilogramsPerDay * days, 100 * leak.BandKilogramsPerDay / Math.Abs(leak.KilogramsPerDay)) : new(0);
        return Mass(kilograms, gwp);
    }

    /// <summary>Density in kg/m3, by Newton's method from the ideal gas.</summary>
    /// <param name="megapascal">Absolute pressure, MPa.</param>
    /// <param name="kelvin">Temperature, K.</param>
    /// <exception cref="EmissionRefusedException">The state is not that of a gas to which the equation applies.</exception>
    public static double Density(double megapascal, double kelvin)
    {
        if (!(megapascal > 0) || !(kelvin > 0) || !double.IsFinite(megapascal) || !double.IsFinite(kelvin))
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"{megapascal} MPa absolute at {kelvin} K is no state of a gas."));
        }

        var rho = megapascal * 1e6 * MolarMass / (GasConstant * kelvin);
        for (var i = 0; i < 50; i++)
        {
            // p = [0.58e-3 rho T (1 + B) - rho^2 A] x 0.1, A = 0.75e-3 (1 - 0.727e-3 rho), B = 2.51e-3 rho (1 - 0.846e-3 rho)
            var a = 0.75e-3 * (1 - (0.727e-3 * rho));
            var b = 2.51e-3 * rho * (1 - (0.846e-3 * rho));
            var pressure = 0.1 * ((0.58e-3 * rho * kelvin * (1 + b)) - (rho * rho * a));
            var slope = 0.1 * ((0.58e-3 * kelvin * (1 + (2 * 2.51e-3 * rho) - (3 * 2.51e-3 * 0.846e-3 * rho * rho))) - (2 * 0.75e-3 * rho) + (3 * 0.75e-3 * 0.727e-3 * rho * rho));
            if (!(slope > 0))
            {
                break; // On a falling isotherm the gas condenses.
            }

            var step = (pressure - megapascal) / slope;
            rho -= step;
            if (Math.Abs(step) < 1e-12 * rho)
            {
                return rho;
            }
        }

        throw new EmissionRefusedException(FormattableString.Invariant($"At {megapascal} MPa and {kelvin} K sulfur hexafluoride is no gas to which the equation applies."));
    }

    /// <summary>Least-squares line of the mass of gas over time.</summary>
    /// <param name="volume">Volume of the compartment, m3.</param>
    /// <param name="readings">At least two, in the order of time, best of the same hour of day and not while the temperature moves by 5 K/h.</param>
    /// <exception cref="EmissionRefusedException">There is no line through the readings, or one is no state of a gas.</exception>
    public static LeakRate Leak(double volume, IReadOnlyList<GasReading> readings)
    {
        ArgumentNullException.ThrowIfNull(readings);
        if (!(volume > 0) || readings.Count < 2 || !(readings[^1].Days > readings[0].Days))
        {
            throw new EmissionRefusedException("A leak needs a volume above zero and at least two readings of different times.");
        }

        return Slope([.. readings.Select(r => r.Days)], [.. readings.Select(r => volume * Density(r.Megapascal, r.Kelvin))]);
    }

    /// <summary>The same for masses in kg that are known already.</summary>
    internal static LeakRate Slope(ReadOnlySpan<double> days, ReadOnlySpan<double> masses)
    {
        double meanDays = 0, meanMass = 0;
        for (var i = 0; i < days.Length; i++)
        {
            meanDays += days[i] / days.Length;
            meanMass += masses[i] / days.Length;
        }

        double squares = 0, products = 0;
        for (var i = 0; i < days.Length; i++)
        {
            squares += (days[i] - meanDays) * (days[i] - meanDays);
            products += (days[i] - meanDays) * (masses[i] - meanMass);
        }

        var slope = products / squares;
        double residuals = 0;
        for (var i = 0; i < days.Length; i++)
        {
            var residual = masses[i] - meanMass - (slope * (days[i] - meanDays));
            residuals += residual * residual;
        }

        var freedom = days.Length - 2;
        var band = freedom < 1 ? double.PositiveInfinity : Student95[Math.Min(freedom, Student95.Length) - 1] * Math.Sqrt(residuals / freedom / squares);
        return new(masses[0], masses[^1], slope, band, -slope * 365 / meanMass * 100, -slope > band && days[^1] - days[0] >= LeastDays);
    }

    private static UncertainPart Part(Measured kilograms, int sign) => new(sign * (double)kilograms.Value, kilograms.UncertaintyPercent);

    private static EmissionMass Mass(Measured kilograms, GwpValue gwp) =>
        new() { Method = "sf6", Scope = 1, Gas = gwp.Gas, Kilograms = kilograms, Gwp = gwp.KgPerKg, GwpSet = gwp.Set };
}

/// <summary>Gas that switchgear loses, by the density in its compartment.</summary>
internal sealed class SwitchgearLeakMethod() : EmissionMethod("sf6-leak", 1)
{
    public override EmissionEvidence Evidence => EmissionEvidence.Measured;

    public override ActivityKind Activity => ActivityKind.GasLeak;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "kg";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var gwp = factors.Get($"gwp.{account.GwpSet}.SF6", region, at);
        return new(gwp.Factor.Id, gwp.Factor.Value, 0, gwp.Note) { Gas = "SF6", GwpSet = account.GwpSet };
    }
}

/// <summary>Gas that a site has lost in a year, by its mass balance.</summary>
internal sealed class SwitchgearBalanceMethod() : EmissionMethod(SulfurHexafluoride.Balance, 1)
{
    public override ActivityKind Activity => ActivityKind.Declared;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "kg";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var gwp = factors.Get($"gwp.{account.GwpSet}.SF6", region, at);
        return new(gwp.Factor.Id, gwp.Factor.Value, 0, gwp.Note) { Gas = "SF6", GwpSet = account.GwpSet };
    }
}
