using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>A calibration line and whether its spread is allowed.</summary>
/// <param name="Method">A: least squares; B: a line through the zero reading, where the references lie close together.</param>
/// <param name="Intercept">a of y = a + b x.</param>
/// <param name="Slope">b.</param>
/// <param name="Deviation">Standard deviation of the differences between reference and line.</param>
/// <param name="Allowed">sigma0: the uncertainty that the law allows, as a standard deviation.</param>
/// <param name="Passed">Whether the deviation is at most sigma0 x k.</param>
/// <param name="ValidUpTo">Upper end of the range in which the line holds: the largest calibrated reading x 1.1.</param>
public readonly record struct Qal2Result(char Method, decimal Intercept, decimal Slope, decimal Deviation, decimal Allowed, bool Passed, decimal ValidUpTo)
{
    /// <summary>A reading as the line calibrates it.</summary>
    public decimal Calibrate(decimal reading) => Intercept + (Slope * reading);
}

/// <summary>Outcome of an annual surveillance test.</summary>
/// <param name="Mean">Mean difference between reference and calibrated reading.</param>
/// <param name="Deviation">Standard deviation of the differences.</param>
/// <param name="Allowed">sigma0: the uncertainty that the law allows, as a standard deviation.</param>
/// <param name="IsVariabilityPassed">Whether the deviation is at most 1.5 sigma0 x k.</param>
/// <param name="IsCalibrationValid">Whether the mean difference is at most t x deviation / sqrt(n) + sigma0.</param>
public readonly record struct AstResult(decimal Mean, decimal Deviation, decimal Allowed, bool IsVariabilityPassed, bool IsCalibrationValid)
{
    /// <summary>Whether both hold; else a new QAL2 is due.</summary>
    public bool Passed => IsVariabilityPassed && IsCalibrationValid;
}

/// <summary>What a drift chart says of one check.</summary>
public enum DriftVerdict : byte
{
    /// <summary>Within 2 s.</summary>
    InControl,

    /// <summary>Beyond 2 s: watch it.</summary>
    Warn,

    /// <summary>Beyond 3 s: adjust or repair.</summary>
    Act,
}

/// <summary>Sums of a CUSUM chart after a check.</summary>
/// <param name="Upper">What drifted upward.</param>
/// <param name="Lower">What drifted downward, as a positive number.</param>
/// <param name="Verdict">What the sums say.</param>
public readonly record struct DriftSums(decimal Upper, decimal Lower, DriftVerdict Verdict);

/// <summary>Quality assurance of automated measuring systems by EN 14181. Recalled, not read: confirm against a licensed copy.</summary>
public static class En14181
{
    /// <summary>Fewest parallel measurements of a QAL2.</summary>
    public const int FewestPairs = 15;

    /// <summary>k of the variability test for 15 pairs.</summary>
    public const decimal K15 = 0.9761m;

    /// <summary>Fewest parallel measurements of an AST.</summary>
    public const int FewestAstPairs = 5;

    /// <summary>k of the variability test for 5 pairs.</summary>
    public const decimal K5 = 0.9161m;

    /// <summary>Student's t, one-sided at 95 %, for 5 pairs.</summary>
    public const decimal T5 = 2.132m;

    /// <summary>QAL2: calibration line and variability.</summary>
    /// <param name="instrument">Readings, at least 15.</param>
    /// <param name="reference">What the reference method found at the same times.</param>
    /// <param name="zeroReading">What the instrument reads at zero.</param>
    /// <param name="uncertaintyPercentOfLimit">95 % uncertainty that the law allows, percent of the limit: for instance 10 CO, 20 SO2 and NOx, 30 dust, 40 HCl.</param>
    /// <param name="limit">The emission limit, in the unit of the reference.</param>
    /// <param name="k">k for the number of pairs; 0.9761 for 15.</param>
    /// <exception cref="EmissionRefusedException">The lists differ, are short, or have no spread; limit, uncertainty or k are not positive.</exception>
    public static Qal2Result Qal2(IReadOnlyList<decimal> instrument, IReadOnlyList<decimal> reference, decimal zeroReading, decimal uncertaintyPercentOfLimit, decimal limit, decimal k = K15)
    {
        ArgumentNullException.ThrowIfNull(instrument);
        ArgumentNullException.ThrowIfNull(reference);
        var n = instrument.Count;
        if (n != reference.Count || n < FewestPairs)
        {
            throw new EmissionRefusedException($"A QAL2 needs at least {FewestPairs} pairs; there are {n} readings and {reference.Count} references.");
        }

        EmissionRefusedException.IfNotPositive(limit, "The limit");
        EmissionRefusedException.IfNotPositive(uncertaintyPercentOfLimit, "The uncertainty in percent of the limit");
        EmissionRefusedException.IfNoShare(uncertaintyPercentOfLimit, 1000, "The uncertainty in percent of the limit");
        EmissionRefusedException.IfNotPositive(k, "k");
        CemsLimits.RequireQuantity(limit, "The limit");
        CemsLimits.RequireQuantity(Math.Abs(zeroReading), "The zero reading");
        for (var i = 0; i < n; i++)
        {
            CemsLimits.RequireQuantity(Math.Abs(instrument[i]), "A reading");
            CemsLimits.RequireQuantity(Math.Abs(reference[i]), "A reference");
        }

        var (x, y) = (instrument.Mean(), reference.Mean());
        var isWide = reference.Max() - reference.Min() >= 0.15m * limit;
        decimal slope, intercept;
        if (isWide)
        {
            var (products, squares) = (0m, 0m);
            for (var i = 0; i < n; i++)
            {
                products += (instrument[i] - x) * (reference[i] - y);
                squares += (instrument[i] - x) * (instrument[i] - x);
            }

            EmissionRefusedException.IfNotPositive(squares, "The spread of the readings");
            slope = products / squares;
            intercept = y - (slope * x);
        }
        else
        {
            if (x == zeroReading)
            {
                throw new EmissionRefusedException("The mean reading is the zero reading: there is no line through both.");
            }

            slope = y / (x - zeroReading);
            intercept = -slope * zeroReading;
        }

        decimal[] differences = [.. Enumerable.Range(0, n).Select(i => reference[i] - intercept - (slope * instrument[i]))];
        var deviation = differences.SampleDeviation(differences.Mean());
        var allowed = uncertaintyPercentOfLimit / 100 * limit / 1.96m;
        var top = instrument.Max(r => intercept + (slope * r)) * 1.1m;
        return new(isWide ? 'A' : 'B', intercept, slope, deviation, allowed, deviation <= allowed * k, top);
    }

    /// <summary>AST: whether the calibration line of the QAL2 still holds, by the spread and the mean of the differences.</summary>
    /// <param name="calibrated">Readings as the line calibrates them, at least five.</param>
    /// <param name="reference">What the reference method found at the same times.</param>
    /// <param name="uncertaintyPercentOfLimit">95 % uncertainty that the law allows, percent of the limit.</param>
    /// <param name="limit">The emission limit, in the unit of the reference.</param>
    /// <param name="k">k of the variability test for the number of pairs; 0.9161 for 5.</param>
    /// <param name="t">Student's t, one-sided at 95 %, for one pair less; 2.132 for 5 pairs.</param>
    /// <exception cref="EmissionRefusedException">The lists differ or are short; limit, uncertainty, k or t are not positive.</exception>
    public static AstResult Ast(IReadOnlyList<decimal> calibrated, IReadOnlyList<decimal> reference, decimal uncertaintyPercentOfLimit, decimal limit, decimal k = K5, decimal t = T5)
    {
        ArgumentNullException.ThrowIfNull(calibrated);
        ArgumentNullException.ThrowIfNull(reference);
        var n = calibrated.Count;
        if (n != reference.Count || n < FewestAstPairs)
        {
            throw new EmissionRefusedException($"An AST needs at least {FewestAstPairs} pairs; there are {n} readings and {reference.Count} references.");
        }

        EmissionRefusedException.IfNotPositive(limit, "The limit");
        CemsLimits.RequireQuantity(limit, "The limit");
        EmissionRefusedException.IfNotPositive(uncertaintyPercentOfLimit, "The uncertainty in percent of the limit");
        EmissionRefusedException.IfNoShare(uncertaintyPercentOfLimit, 1000, "The uncertainty in percent of the limit");
        EmissionRefusedException.IfNotPositive(k, "k");
        EmissionRefusedException.IfNotPositive(t, "t");
        var differences = new decimal[n];
        for (var i = 0; i < n; i++)
        {
            CemsLimits.RequireQuantity(Math.Abs(calibrated[i]), "A reading");
            CemsLimits.RequireQuantity(Math.Abs(reference[i]), "A reference");
            differences[i] = reference[i] - calibrated[i];
        }

        var mean = differences.Mean();
        var deviation = differences.SampleDeviation(mean);
        var allowed = uncertaintyPercentOfLimit / 100 * limit / 1.96m;
        return new(mean, deviation, allowed, deviation <= 1.5m * allowed * k, Math.Abs(mean) <= (t * deviation / Rounding.Sqrt(n)) + allowed);
    }

    /// <summary>QAL3 by a Shewhart chart: a zero or span check against 2 s and 3 s.</summary>
    /// <param name="difference">Reading minus gas.</param>
    /// <param name="s">Standard deviation of the instrument at that level, of the same unit.</param>
    /// <exception cref="EmissionRefusedException">s is not positive.</exception>
    public static DriftVerdict Shewhart(decimal difference, decimal s)
    {
        EmissionRefusedException.IfNotPositive(s, "The standard deviation of the check");
        return Against(Math.Abs(difference), s);
    }

    /// <summary>QAL3 by a CUSUM chart: what exceeds half of s adds up, and the sums are held against 2 s and 3 s. It sees a slow drift that no single check shows.</summary>
    /// <param name="before">Sums after the check before; zeros after an adjustment.</param>
    /// <param name="difference">Reading minus gas.</param>
    /// <param name="s">Standard deviation of the instrument at that level, of the same unit.</param>
    /// <exception cref="EmissionRefusedException">s is not positive.</exception>
    public static DriftSums Cusum(in DriftSums before, decimal difference, decimal s)
    {
        EmissionRefusedException.IfNotPositive(s, "The standard deviation of the check");
        var upper = Math.Max(0, before.Upper + difference - (s / 2));
        var lower = Math.Max(0, before.Lower - difference - (s / 2));
        return new(upper, lower, Against(Math.Max(upper, lower), s));
    }

    /// <summary>QAL3: both charts of one level after a check. What they say is the worse of both; after <see cref="DriftVerdict.Act"/> the analyser is adjusted and the sums begin again.</summary>
    /// <param name="before">Sums after the check before; zeros after an adjustment.</param>
    /// <param name="difference">Reading minus gas.</param>
    /// <param name="s">Standard deviation of the instrument at that level, of the same unit.</param>
    /// <exception cref="EmissionRefusedException">s is not positive.</exception>
    public static (DriftSums Sums, DriftVerdict Verdict) Chart(in DriftSums before, decimal difference, decimal s)
    {
        var sums = Cusum(before, difference, s);
        var single = Shewhart(difference, s);
        return (sums, single > sums.Verdict ? single : sums.Verdict);
    }

    private static DriftVerdict Against(decimal amount, decimal s) =>
        amount > 3 * s ? DriftVerdict.Act : amount > 2 * s ? DriftVerdict.Warn : DriftVerdict.InControl;
}
