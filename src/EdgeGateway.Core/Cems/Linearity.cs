using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>One injection of a linearity check.</summary>
/// <param name="Measured">What the analyser read.</param>
/// <param name="Reference">Value of the gas.</param>
public readonly record struct Injection(decimal Measured, decimal Reference);

/// <summary>What one level of a linearity check gave.</summary>
/// <param name="MeanMeasured">Mean reading, not rounded.</param>
/// <param name="MeanReference">Mean of the gas, not rounded.</param>
/// <param name="Error">Percent of the gas; by the alternative specification the difference. Rounded as judged.</param>
/// <param name="IsAlternative">Whether it passed by the alternative specification.</param>
/// <param name="Result">Passed, passed by the alternative, or failed.</param>
public readonly record struct LinearityLevel(decimal MeanMeasured, decimal MeanReference, decimal Error, bool IsAlternative, TestResult Result);

/// <summary>Quarterly linearity check: 40 CFR 75 appendix A 3.2 and 6.2, as EPA's check engine judges it.</summary>
public static class Linearity
{
    /// <summary>Injections of a level.</summary>
    public const int Injections = 3;

    /// <summary>Judges one level: the three injections of one gas, which were not consecutive.</summary>
    /// <exception cref="EmissionRefusedException">There are not three, the gas is not positive, or the component has no linearity check.</exception>
    public static LinearityLevel Judge(CemsComponent component, IReadOnlyList<Injection> injections)
    {
        ArgumentNullException.ThrowIfNull(injections);
        if (injections.Count != Injections)
        {
            throw new EmissionRefusedException($"A level of a linearity check has {Injections} injections; {injections.Count} were given.");
        }

        var (percentLimit, decimals, differenceLimit) = component switch
        {
            CemsComponent.Co2 or CemsComponent.O2 => (5.0m, 1, 0.5m),
            CemsComponent.So2 or CemsComponent.Nox => (5.0m, 0, 5m),
            CemsComponent.Hg => (10.0m, 1, 0.8m),
            _ => throw new EmissionRefusedException($"{component} has no linearity check by 40 CFR 75; CO2, O2, SO2, NOx and Hg have."),
        };
        var (measured, reference) = (0m, 0m);
        foreach (var injection in injections)
        {
            CemsLimits.RequireQuantity(Math.Abs(injection.Measured), "The reading");
            CemsLimits.RequireQuantity(injection.Reference, "The value of the calibration gas");
            measured += injection.Measured;
            reference += injection.Reference;
        }

        EmissionRefusedException.IfNotPositive(reference, "The value of the calibration gas");
        var (meanMeasured, meanReference) = (measured / Injections, reference / Injections);

        // From the sums: a mean of three has no end of digits, and a tie must be seen as one.
        var difference = Math.Abs(reference - measured);
        var percent = (difference * 100 / reference).To(1);
        if (percent <= percentLimit)
        {
            return new(meanMeasured, meanReference, percent, false, TestResult.Passed);
        }

        var alternative = (difference / Injections).To(decimals);
        return alternative <= differenceLimit
            ? new(meanMeasured, meanReference, alternative, true, TestResult.PassedAlternative)
            : new(meanMeasured, meanReference, percent, false, TestResult.Failed);
    }

    /// <summary>The result of a check: failed when a level failed, by the alternative when one needed it.</summary>
    /// <param name="levels">Low, mid and high.</param>
    /// <exception cref="EmissionRefusedException">There are not three levels.</exception>
    public static TestResult ResultOf(IReadOnlyList<LinearityLevel> levels)
    {
        ArgumentNullException.ThrowIfNull(levels);
        if (levels.Count != 3)
        {
            throw new EmissionRefusedException($"A linearity check has three levels, low, mid and high; {levels.Count} were given.");
        }

        var worst = TestResult.Passed;
        foreach (var level in levels)
        {
            worst = level.Result > worst ? level.Result : worst;
        }

        return worst;
    }
}
