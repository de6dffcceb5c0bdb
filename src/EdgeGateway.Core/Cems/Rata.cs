using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>One run of a relative accuracy test audit.</summary>
/// <param name="Cems">What the monitoring system read.</param>
/// <param name="Reference">What the reference method found.</param>
/// <param name="IsUsed">Whether it is kept; up to three may be discarded.</param>
public readonly record struct RataRun(decimal Cems, decimal Reference, bool IsUsed = true);

/// <summary>The system that is audited.</summary>
public enum RataSystem : byte
{
    /// <summary>CO2 in percent.</summary>
    Co2,

    /// <summary>O2 in percent.</summary>
    O2,

    /// <summary>Moisture in percent.</summary>
    H2o,

    /// <summary>SO2 in ppm.</summary>
    So2,

    /// <summary>NOx in ppm.</summary>
    Nox,

    /// <summary>NOx in lb/mmBtu.</summary>
    NoxRate,

    /// <summary>Flow in scfh.</summary>
    Flow,
}

/// <summary>What an audit found.</summary>
public sealed record RataResult
{
    /// <summary>Mean of the monitoring system over the runs that are kept.</summary>
    public required decimal MeanCems { get; init; }

    /// <summary>Mean of the reference method.</summary>
    public required decimal MeanReference { get; init; }

    /// <summary>Mean of reference minus system.</summary>
    public required decimal MeanDifference { get; init; }

    /// <summary>Sample standard deviation of the differences.</summary>
    public required decimal Deviation { get; init; }

    /// <summary>Student's t at 97.5 %; 1 for more than 31 runs.</summary>
    public required decimal T { get; init; }

    /// <summary>Confidence coefficient t x S / sqrt(n).</summary>
    public required decimal Confidence { get; init; }

    /// <summary>Relative accuracy in percent, rounded to 0.01.</summary>
    public required decimal RelativeAccuracy { get; init; }

    /// <summary>Factor for every hour after the test, rounded to 0.001; 1 where there is no bias or the system has none.</summary>
    public required decimal BiasFactor { get; init; }

    /// <summary>Passed, passed by the alternative, or failed.</summary>
    public required TestResult Result { get; init; }

    /// <summary>Quarters until the next test: 4 or 2; null when it failed.</summary>
    public required int? Quarters { get; init; }

    /// <summary>Frequency as reports write it: <c>4QTRS</c>, <c>2QTRS</c>; null when it failed.</summary>
    public string? Frequency => Quarters is { } quarters ? $"{quarters}QTRS" : null;
}

/// <summary>Relative accuracy test audit and bias: 40 CFR 75 appendix A 3.3, 7.3 to 7.6 and appendix B 2.3, as EPA's check engine judges them.</summary>
public static class Rata
{
    /// <summary>Fewest runs that are kept.</summary>
    public const int FewestRuns = 9;

    /// <summary>Largest bias factor of a low emitter, 1/0.9: what a test that just passes by 10 % would give. One that passed by the difference of a small mean would give more (appendix A, 7.6.5; recalled).</summary>
    public const decimal LowEmitterBias = 1.111m;

    /// <summary>Most runs that may be discarded.</summary>
    public const int MostDiscarded = 3;

    // Student's t at 97.5 % for 8 to 30 degrees of freedom.
    private static readonly decimal[] TValues =
    [
        2.306m, 2.262m, 2.228m, 2.201m, 2.179m, 2.160m, 2.145m, 2.131m, 2.120m, 2.110m, 2.101m, 2.093m,
        2.086m, 2.080m, 2.074m, 2.069m, 2.064m, 2.060m, 2.056m, 2.052m, 2.048m, 2.045m, 2.042m,
    ];

    // Alternative specifications by mean difference: decimals, for 4 quarters, for 2 quarters, and up to which mean of the reference method. Those of CO2
    // and O2 are read in the engine; the others are recalled (appendix A 3.3.1 to 3.3.6, appendix B 2.3.1.2) and unverified.
    private static (int Decimals, decimal Four, decimal Two, decimal UpTo)? AlternativeOf(RataSystem system) => system switch
    {
        RataSystem.Co2 or RataSystem.O2 => (1, 0.7m, 1.0m, 100),
        RataSystem.H2o => (1, 1.0m, 1.5m, 100),
        RataSystem.So2 or RataSystem.Nox => (1, 12.0m, 15.0m, 250),
        RataSystem.NoxRate => (3, 0.015m, 0.020m, 0.200m),
        _ => null,
    };

    /// <summary>Judges the runs of one test.</summary>
    /// <exception cref="EmissionRefusedException">Fewer than nine runs are kept, more than three discarded, or the reference is zero or negative.</exception>
    public static RataResult Judge(RataSystem system, IReadOnlyList<RataRun> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var kept = new List<RataRun>(runs.Count);
        foreach (var run in runs)
        {
            CemsLimits.RequireQuantity(run.Reference, "What the reference method found");
            CemsLimits.RequireQuantity(run.Cems, "What the monitoring system read");
            if (run.IsUsed)
            {
                kept.Add(run);
            }
        }

        if (kept.Count < FewestRuns || runs.Count - kept.Count > MostDiscarded)
        {
            throw new EmissionRefusedException($"{kept.Count} runs are kept and {runs.Count - kept.Count} discarded; a RATA keeps at least {FewestRuns} and discards at most {MostDiscarded}.");
        }

        decimal[] differences = [.. kept.Select(r => r.Reference - r.Cems)];
        var n = kept.Count;
        var (cems, reference) = (kept.Sum(r => r.Cems) / n, kept.Sum(r => r.Reference) / n);
        EmissionRefusedException.IfNotPositive(reference, "The mean of the reference method");
        var mean = differences.Mean();
        var deviation = differences.SampleDeviation(mean);
        var t = n > 31 ? 1 : TValues[n - FewestRuns];
        var confidence = t * deviation / Rounding.Sqrt(n);
        var accuracy = ((Math.Abs(mean) + Math.Abs(confidence)) / reference * 100).To(2);
        var (result, quarters) = Grade(system, accuracy.To(1), mean, reference);
        return new()
        {
            MeanCems = cems,
            MeanReference = reference,
            MeanDifference = mean,
            Deviation = deviation,
            T = t,
            Confidence = confidence,
            RelativeAccuracy = accuracy,
            BiasFactor = BiasFactor(system, mean, confidence, cems, reference),
            Result = result,
            Quarters = quarters,
        };
    }

    /// <summary>A value of the system with its bias factor applied: flow to 1000 scfh, NOx rate to 0.001, concentrations to 0.1.</summary>
    /// <exception cref="EmissionRefusedException">The value is negative, the factor is below 1, or the system has none but 1.</exception>
    public static decimal Adjust(RataSystem system, decimal value, decimal biasFactor)
    {
        CemsLimits.RequireQuantity(value, "The value");
        EmissionRefusedException.IfNoShare(biasFactor, 10, "The bias factor");
        if (biasFactor < 1 || (biasFactor != 1 && !HasBias(system)))
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"The bias factor of {system} is {biasFactor}; it is never below 1, and for CO2, O2 and moisture always 1 (40 CFR 75, appendix A, 7.6)."));
        }

        var adjusted = value * biasFactor;
        return system switch
        {
            RataSystem.Flow => adjusted.ToThousands(),
            RataSystem.NoxRate => adjusted.To(3),
            _ => adjusted.To(1),
        };
    }

    /// <summary>Whether hours of the system are multiplied by a bias factor.</summary>
    public static bool HasBias(RataSystem system) => system is RataSystem.So2 or RataSystem.Nox or RataSystem.NoxRate or RataSystem.Flow;

    private static decimal BiasFactor(RataSystem system, decimal mean, decimal confidence, decimal cems, decimal reference)
    {
        if (!HasBias(system) || mean <= Math.Abs(confidence))
        {
            return 1;
        }

        EmissionRefusedException.IfNotPositive(cems, "The mean of the monitoring system");
        var factor = (1 + (Math.Abs(mean) / cems)).To(3);
        return AlternativeOf(system) is { } low && reference <= low.UpTo ? Math.Min(factor, LowEmitterBias) : factor;
    }

    private static (TestResult Result, int? Quarters) Grade(RataSystem system, decimal accuracy, decimal mean, decimal reference)
    {
        var alternative = AlternativeOf(system) is { } found && reference <= found.UpTo ? found : default;
        var difference = Math.Abs(mean).To(alternative.Decimals);
        return accuracy <= 7.5m ? (TestResult.Passed, 4)
            : difference <= alternative.Four && alternative.Four > 0 ? (TestResult.PassedAlternative, 4)
            : accuracy <= 10.0m ? (TestResult.Passed, 2)
            : difference <= alternative.Two && alternative.Two > 0 ? (TestResult.PassedAlternative, 2)
            : (TestResult.Failed, null);
    }
}
