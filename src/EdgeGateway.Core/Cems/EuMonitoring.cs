using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>A substitute by article 45 and what it is made from.</summary>
/// <param name="Value">Mean + 2 standard deviations.</param>
/// <param name="Mean">Mean of the valid hours.</param>
/// <param name="Deviation">Their sample standard deviation.</param>
public readonly record struct EuSubstitute(decimal Value, decimal Mean, decimal Deviation);

/// <summary>The EU's rules for measured emissions: Implementing Regulation (EU) 2018/2066, articles 43 to 46 and annex VIII.</summary>
public static class EuMonitoring
{
    /// <summary>Article 45(3): what stands in for a missing hourly concentration, C = mean + 2 s of the reporting period's valid hours.</summary>
    /// <param name="validHourly">Concentrations of the valid hours, at least two, in one unit.</param>
    /// <exception cref="EmissionRefusedException">There are fewer than two hours, or one is negative.</exception>
    public static EuSubstitute Substitute(IReadOnlyList<decimal> validHourly)
    {
        ArgumentNullException.ThrowIfNull(validHourly);
        if (validHourly.Count < 2)
        {
            throw new EmissionRefusedException($"A substitute by article 45 needs the spread of at least two valid hours; there are {validHourly.Count}. Name a representative year instead.");
        }

        foreach (var hour in validHourly)
        {
            CemsLimits.RequireQuantity(hour, "The concentration of an hour");
        }

        var mean = validHourly.Mean();
        var deviation = validHourly.SampleDeviation(mean);
        return new(mean + (2 * deviation), mean, deviation);
    }

    /// <summary>The same from the running count, sum and sum of squares of the period's hours: a year's hours need no more memory than one.</summary>
    /// <exception cref="EmissionRefusedException">There are fewer than two hours.</exception>
    public static EuSubstitute Substitute(int count, decimal sum, decimal squares)
    {
        if (count < 2)
        {
            throw new EmissionRefusedException($"A substitute by article 45 needs the spread of at least two valid hours; there are {count}. Name a representative year instead.");
        }

        var mean = sum / count;
        var deviation = Rounding.Sqrt(Math.Max(0, (squares - (sum * mean)) / (count - 1)));
        return new(mean + (2 * deviation), mean, deviation);
    }

    /// <summary>Annex VIII, equation 1: tonnes of the hours as the sum of concentration x flow, and the mean hourly emission.</summary>
    /// <param name="gramsPerNormalCubicMetre">Hourly concentrations, g/Nm3.</param>
    /// <param name="normalCubicMetresPerHour">Hourly flows, Nm3/h, of the same hours and on the same basis.</param>
    /// <returns>t, and kg/h.</returns>
    /// <exception cref="EmissionRefusedException">The lists differ in length, are empty, or hold a negative quantity.</exception>
    public static (decimal Tonnes, decimal MeanKilogramsPerHour) Annual(IReadOnlyList<decimal> gramsPerNormalCubicMetre, IReadOnlyList<decimal> normalCubicMetresPerHour)
    {
        ArgumentNullException.ThrowIfNull(gramsPerNormalCubicMetre);
        ArgumentNullException.ThrowIfNull(normalCubicMetresPerHour);
        var hours = gramsPerNormalCubicMetre.Count;
        if (hours == 0 || hours != normalCubicMetresPerHour.Count)
        {
            throw new EmissionRefusedException($"There are {hours} hours of concentration and {normalCubicMetresPerHour.Count} of flow: each hour needs both, and there must be one.");
        }

        var tonnes = 0m;
        for (var i = 0; i < hours; i++)
        {
            tonnes += MassRate(gramsPerNormalCubicMetre[i], normalCubicMetresPerHour[i]) / 1000;
        }

        return (tonnes, tonnes / hours * 1000);
    }

    /// <summary>kg of an hour from g/Nm3 and Nm3/h on the same basis.</summary>
    /// <exception cref="EmissionRefusedException">A quantity is negative.</exception>
    public static decimal MassRate(decimal gramsPerNormalCubicMetre, decimal normalCubicMetresPerHour)
    {
        CemsLimits.RequireQuantity(gramsPerNormalCubicMetre, "The concentration");
        CemsLimits.RequireQuantity(normalCubicMetresPerHour, "The flow");
        return gramsPerNormalCubicMetre * normalCubicMetresPerHour / 1000;
    }

    /// <summary>Dry flow at 273.15 K and 101325 Pa in Nm3/h from the wet flow of the stack.</summary>
    /// <param name="actual">Wet flow at actual conditions, m3/h.</param>
    /// <param name="celsius">Temperature of the gas.</param>
    /// <param name="pascal">Absolute pressure of the gas.</param>
    /// <param name="moisturePercent">Water vapour; null where it is not known, which is refused.</param>
    /// <exception cref="EmissionRefusedException">The flow is negative, no gas can be in that state, or the moisture is not known.</exception>
    public static decimal NormalDryFlow(decimal actual, decimal celsius, decimal pascal, decimal? moisturePercent)
    {
        CemsLimits.RequireQuantity(actual, "The flow");
        CemsLimits.RequireState(celsius, pascal);
        var moisture = CemsLimits.RequireMoisture(moisturePercent, "A dry flow");
        return actual * 273.15m * pascal * (100 - moisture) / ((273.15m + celsius) * 101_325 * 100);
    }

    /// <summary>Article 43(4): a concentration in percent as what the measured others leave of 100 %.</summary>
    /// <exception cref="EmissionRefusedException">A part is negative, or they are more than all.</exception>
    public static decimal ByDifference(IReadOnlyList<decimal> othersPercent)
    {
        ArgumentNullException.ThrowIfNull(othersPercent);
        var rest = 100m;
        foreach (var part in othersPercent)
        {
            EmissionRefusedException.IfNoShare(part, 100, "A measured component in percent");
            rest -= part;
        }

        return rest < 0 ? throw new EmissionRefusedException(FormattableString.Invariant($"The measured components are {100 - rest} % together, more than all of the gas.")) : rest;
    }
}
