using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>A value that stands in for a missing one, and the rule that allowed it.</summary>
/// <param name="Value">The value; null where the rules cover no value.</param>
/// <param name="Rule">Name of the rule, for instance <c>HBHA</c>, <c>P90</c>, <c>MAX-180</c>, <c>NOT-COVERED</c>.</param>
/// <param name="Modc">Method of determination code of Part 75; null in other rule sets.</param>
/// <param name="Lookback">How many hours of the look-back it was taken from; 0 where none was.</param>
public readonly record struct SubstituteValue(decimal? Value, string Rule, string? Modc, int Lookback);

/// <summary>What a Part 75 substitution is decided by. Concentrations in percent or ppm, flow in scfh.</summary>
public sealed record Part75Gap
{
    /// <summary>Percent monitor data availability at the end of the missing period.</summary>
    public required decimal AvailabilityPercent { get; init; }

    /// <summary>Length of the missing period in operating hours; decided once for all of its hours.</summary>
    public required int MissingHours { get; init; }

    /// <summary>Quality-assured hours of the look-back, in any order: the last 720 (2160 of the same load bin for flow and NOx).</summary>
    public required IReadOnlyList<decimal> Lookback { get; init; }

    /// <summary>Quality-assured hour before the period; null where there is none.</summary>
    public decimal? HourBefore { get; init; }

    /// <summary>Quality-assured hour after the period; null where there is none.</summary>
    public decimal? HourAfter { get; init; }

    /// <summary>Maximum potential value, or minimum potential where lower is conservative; null where the site states none.</summary>
    public decimal? Potential { get; init; }

    /// <summary>Quality-assured hours since certification; null when they are those of the look-back.</summary>
    public int? AssuredHours { get; init; }
}

/// <summary>Missing data: 40 CFR Part 75 subpart D, HJ 75-2017, and percent monitor data availability.</summary>
public static class Substitution
{
    /// <summary>Hours of look-back, and of quality-assured data before the standard procedures apply: CO2, SO2, O2, moisture (75.31 to 75.33).</summary>
    public const int LookbackHours = 720;

    /// <summary>The same for flow and NOx.</summary>
    public const int BinLookbackHours = 2160;

    /// <summary>Clock hours beyond which nothing is looked back to, and no availability counted: "three years (26,280 clock hours)" of 75.32(a) and 75.33(a), read in the published text of July 2003.</summary>
    public const int OldestHours = 3 * 8760;

    /// <summary>Operating hours over which availability is counted (75.32).</summary>
    public const int AvailabilityHours = 8760;

    /// <summary>Percent monitor data availability, rounded to 0.1 (75.32).</summary>
    /// <exception cref="EmissionRefusedException">The unit did not operate, or more hours are assured than it operated.</exception>
    public static decimal Availability(int assuredHours, int operatingHours)
    {
        EmissionRefusedException.IfNotPositive(operatingHours, "The number of operating hours");
        EmissionRefusedException.IfNoShare(assuredHours, operatingHours, "The number of quality-assured hours");
        return (100m * assuredHours / operatingHours).To(1);
    }

    /// <summary>Substitute of a concentration or of moisture (75.31, 75.33(b), 75.35, 75.37).</summary>
    /// <param name="gap">The missing period.</param>
    /// <param name="lowerIsConservative">True for O2 and moisture: then the lesser value stands in.</param>
    /// <exception cref="EmissionRefusedException">The gap cannot be, or a value that the rule needs is not known.</exception>
    public static SubstituteValue Concentration(Part75Gap gap, bool lowerIsConservative)
    {
        var tier = TierOf(gap);
        var potential = lowerIsConservative ? "MINPOT" : "MAXPOT";
        if ((gap.AssuredHours ?? gap.Lookback.Count) < LookbackHours)
        {
            return Initial(gap, potential, v => v.To(1));
        }

        // After three years without an hour that counts there is nothing to look back to.
        if (gap.Lookback.Count == 0)
        {
            return new(Potential(gap, potential), potential, "12", 0);
        }

        switch (tier)
        {
            case Tier.Potential:
                return new(Potential(gap, potential), potential, "12", 0);
            case Tier.Extreme:
                var extreme = lowerIsConservative ? Known(gap.Lookback).Min() : Known(gap.Lookback).Max();
                return new(extreme, lowerIsConservative ? "MIN" : "MAX", "10", gap.Lookback.Count);
            case Tier.Short95 or Tier.Short90:
                return new(Neighbours(gap).To(1), "HBHA", "06", 0);
            default:
                var percent = tier == Tier.Long95 ? 90 : 95;
                var rank = lowerIsConservative ? 100 - percent : percent;
                var (neighbours, percentile) = (Neighbours(gap).To(1), Percentile(gap.Lookback, rank));
                return new(lowerIsConservative ? Math.Min(neighbours, percentile) : Math.Max(neighbours, percentile), $"P{rank}", tier == Tier.Long95 ? "08" : "09", gap.Lookback.Count);
        }
    }

    /// <summary>Substitute of flow, or of NOx, from hours of the same load bin (75.33(c); the tiers are recalled, not read). Values are rounded by <paramref name="round"/>.</summary>
    /// <param name="gap">The missing period; its look-back is of the load bin.</param>
    /// <param name="round">Rounding of means: flow to 1000 scfh, NOx to 0.1 ppm.</param>
    /// <exception cref="EmissionRefusedException">The gap cannot be, or a value that the rule needs is not known.</exception>
    public static SubstituteValue OfLoadBin(Part75Gap gap, Func<decimal, decimal> round)
    {
        ArgumentNullException.ThrowIfNull(round);
        var tier = TierOf(gap);
        if (gap.AssuredHours < BinLookbackHours)
        {
            return Initial(gap, "MAXPOT", round);
        }

        // A load in which the unit never ran with assured data has nothing to look back to.
        if (tier == Tier.Potential || gap.Lookback.Count == 0)
        {
            return new(Potential(gap, "MAXPOT"), "MAXPOT", "12", 0);
        }

        switch (tier)
        {
            case Tier.Extreme:
                return new(Known(gap.Lookback).Max(), "BIN-MAX", "10", gap.Lookback.Count);
            case Tier.Short95 or Tier.Short90:
                return new(round(Known(gap.Lookback).Mean()), "BIN-AVG", "11", gap.Lookback.Count);
            default:
                var percent = tier == Tier.Long95 ? 90 : 95;
                return new(Math.Max(round(Neighbours(gap)), Percentile(gap.Lookback, percent)), $"P{percent}", tier == Tier.Long95 ? "08" : "09", gap.Lookback.Count);
        }
    }

    /// <summary>Flow in scfh from hours of the same load bin; see <see cref="OfLoadBin"/>.</summary>
    /// <exception cref="EmissionRefusedException">The gap cannot be, or a value that the rule needs is not known.</exception>
    public static SubstituteValue Flow(Part75Gap gap) => OfLoadBin(gap, Rounding.ToThousands);

    /// <summary>HJ 75-2017: an emission rate in kg/h for an hour that has none; concentrations stay blank.</summary>
    /// <param name="capturePercent">Valid capture of the quarter, percent, of this pollutant.</param>
    /// <param name="outageHours">Length of the outage.</param>
    /// <param name="validRates">kg/h of valid hours, oldest first, up to the last passed calibration or the first lost hour.</param>
    /// <returns>The maximum of the window; no value and <c>NOT-COVERED</c> below 75 %. <see cref="SubstituteValue.Lookback"/> is the window.</returns>
    /// <exception cref="EmissionRefusedException">The capture is no percentage, the outage is not positive, a rate is negative, or there is no valid hour.</exception>
    public static SubstituteValue Hj75(decimal capturePercent, int outageHours, IReadOnlyList<decimal> validRates)
    {
        ArgumentNullException.ThrowIfNull(validRates);
        EmissionRefusedException.IfNoShare(capturePercent, 100, "The valid capture in percent");
        EmissionRefusedException.IfNotPositive(outageHours, "The length of the outage in hours");
        if (capturePercent < 75)
        {
            return new(null, "NOT-COVERED", null, 0);
        }

        var window = capturePercent < 90 ? 2160 : outageHours <= 24 ? 180 : 720;
        if (validRates.Count == 0)
        {
            throw new EmissionRefusedException("No valid hour came before the outage: HJ 75 has nothing to substitute from; use the material balance.");
        }

        var most = 0m;
        for (var i = Math.Max(0, validRates.Count - window); i < validRates.Count; i++)
        {
            CemsLimits.RequireQuantity(validRates[i], "An emission rate in kg/h");
            most = Math.Max(most, validRates[i]);
        }

        return new(most, $"MAX-{window}", null, window);
    }

    /// <summary>The value at rank ceil(percent/100 x n) of the sorted values.</summary>
    /// <exception cref="EmissionRefusedException">There is none.</exception>
    public static decimal Percentile(IReadOnlyList<decimal> values, int percent)
    {
        decimal[] sorted = [.. Known(values).Order()];
        var rank = ((percent * sorted.Length) + 99) / 100;
        return sorted[Math.Max(1, rank) - 1];
    }

    private static IReadOnlyList<decimal> Known(IReadOnlyList<decimal> lookback) => lookback.Count > 0 ? lookback
        : throw new EmissionRefusedException("The look-back holds no quality-assured hour: nothing can be taken from it.");

    private static decimal Potential(Part75Gap gap, string rule) => gap.Potential
        ?? throw new EmissionRefusedException($"The rule {rule} needs the {(rule == "MINPOT" ? "minimum" : "maximum")} potential value, and the site states none.");

    private static decimal Neighbours(Part75Gap gap) => gap is { HourBefore: { } before, HourAfter: { } after }
        ? (before + after) / 2
        : throw new EmissionRefusedException("The mean of the hour before and the hour after needs both; the missing period has not ended, or nothing came before it.");

    /// <summary>Before there are enough assured hours: the mean of the neighbours, or the potential value where there is none (75.31).</summary>
    private static SubstituteValue Initial(Part75Gap gap, string potential, Func<decimal, decimal> round) => gap is { HourBefore: not null, HourAfter: not null }
        ? new(round(Neighbours(gap)), "INIT-HBHA", "07", 0)
        : new(Potential(gap, potential), $"INIT-{potential}", "07", 0);

    private static Tier TierOf(Part75Gap gap)
    {
        ArgumentNullException.ThrowIfNull(gap);
        EmissionRefusedException.IfNoShare(gap.AvailabilityPercent, 100, "The monitor data availability in percent");
        EmissionRefusedException.IfNotPositive(gap.MissingHours, "The length of the missing period in hours");
        EmissionRefusedException.IfNegative(gap.AssuredHours ?? 0, "The number of quality-assured hours");
        foreach (var value in gap.Lookback)
        {
            CemsLimits.RequireQuantity(value, "A value of the look-back");
        }

        CemsLimits.RequireQuantity(gap.HourBefore ?? 0, "The hour before");
        CemsLimits.RequireQuantity(gap.HourAfter ?? 0, "The hour after");
        CemsLimits.RequireQuantity(gap.Potential ?? 0, "The potential value");
        return gap.AvailabilityPercent.To(1) switch
        {
            >= 95.0m => gap.MissingHours <= 24 ? Tier.Short95 : Tier.Long95,
            >= 90.0m => gap.MissingHours <= 8 ? Tier.Short90 : Tier.Long90,
            >= 80.0m => Tier.Extreme,
            _ => Tier.Potential,
        };
    }

    private enum Tier
    {
        Short95,
        Long95,
        Short90,
        Long90,
        Extreme,
        Potential,
    }
}
