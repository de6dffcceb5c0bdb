using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>Data flag of HJ 212-2017, table 8: why a value is, or is not, what the analyser says of the gas.</summary>
public enum CemsFlag : byte
{
    /// <summary>N: normal; only these count toward an average.</summary>
    Normal,

    /// <summary>F: the analyser is out of service.</summary>
    OutOfService,

    /// <summary>M: maintenance.</summary>
    Maintenance,

    /// <summary>S: set by hand.</summary>
    Set,

    /// <summary>D: fault.</summary>
    Fault,

    /// <summary>C: calibration.</summary>
    Calibration,

    /// <summary>T: above the range; the value is kept and does not count.</summary>
    OverRange,

    /// <summary>B: no communication between analyser and logger.</summary>
    Lost,
}

/// <summary>Length of an average of HJ 212 and HJ 76.</summary>
public enum CemsPeriod : byte
{
    /// <summary>Of samples at most 5 s apart.</summary>
    Minute,

    /// <summary>Of minutes.</summary>
    Hour,

    /// <summary>Of hours.</summary>
    Day,

    /// <summary>Of days.</summary>
    Month,
}

/// <summary>An average of valid children.</summary>
/// <param name="IsValid">Whether there were enough of them.</param>
/// <param name="Count">Valid children.</param>
/// <param name="Mean">Their mean; null when it is not valid.</param>
public readonly record struct CemsAverage(bool IsValid, int Count, decimal? Mean);

/// <summary>Which averages count, by each rule set.</summary>
public static class HourValidity
{
    private const string Letters = "NFMSDCTB";

    /// <summary>40 CFR 75.10(d)(1): one valid point in each quarter in which the unit operated; with calibration, QA or maintenance in the hour, points in two quarters suffice.</summary>
    /// <param name="operating">Whether the unit operated, for each of the four quarters of the hour.</param>
    /// <param name="points">Valid points in each quarter.</param>
    /// <param name="qaOrMaintenance">Whether data were lost to calibration, quality assurance or maintenance.</param>
    /// <returns>False also when no quarter operated: then there is no hour to validate.</returns>
    /// <exception cref="EmissionRefusedException">There are not four quarters, or a count is negative.</exception>
    public static bool Part75(ReadOnlySpan<bool> operating, ReadOnlySpan<int> points, bool qaOrMaintenance)
    {
        if (operating.Length != 4 || points.Length != 4)
        {
            throw new EmissionRefusedException($"An hour has four quarters; {operating.Length} states and {points.Length} counts were given.");
        }

        var (ran, heard) = (0, 0);
        for (var i = 0; i < 4; i++)
        {
            EmissionRefusedException.IfNegative(points[i], "The number of points");
            if (operating[i])
            {
                ran++;
                heard += points[i] > 0 ? 1 : 0;
            }
        }

        return ran > 0 && (heard == ran || (qaOrMaintenance && heard >= 2));
    }

    /// <summary>HJ 76 and HJ 212-2017 D.2.2: 12 samples make a minute, 45 minutes an hour, 20 hours a day, 25 days a month (23 in February).</summary>
    /// <param name="period">What is averaged.</param>
    /// <param name="values">The children; null where one is not valid.</param>
    /// <param name="february">Whether the month is February.</param>
    public static CemsAverage Aggregate(CemsPeriod period, IReadOnlyList<decimal?> values, bool february = false)
    {
        ArgumentNullException.ThrowIfNull(values);
        var (sum, count) = (0m, 0);
        foreach (var value in values)
        {
            if (value is { } number)
            {
                sum += number;
                count++;
            }
        }

        var isValid = count >= Needed(period, february);
        return new(isValid, count, isValid ? sum / count : null);
    }

    /// <summary>How many valid children an average of HJ 76 needs.</summary>
    public static int Needed(CemsPeriod period, bool february = false) => period switch
    {
        CemsPeriod.Minute => 12,
        CemsPeriod.Hour => 45,
        CemsPeriod.Day => 20,
        CemsPeriod.Month => february ? 23 : 25,
        _ => throw new ArgumentOutOfRangeException(nameof(period), period, null),
    };

    /// <summary>(EU) 2018/2066 article 44(1): at least 80 % of the points that could be.</summary>
    /// <exception cref="EmissionRefusedException">None could be, or there are more than could be.</exception>
    public static bool Eu(int validPoints, int maxPoints)
    {
        EmissionRefusedException.IfNotPositive(maxPoints, "The maximum number of points");
        EmissionRefusedException.IfNoShare(validPoints, maxPoints, "The number of valid points");
        return 5L * validPoints >= 4L * maxPoints;
    }

    /// <summary>HJ 212-2017 tables C.16 to C.18, flue gas: normal when at least 75 % of the children are, else faulty.</summary>
    /// <exception cref="EmissionRefusedException">There is no child.</exception>
    public static CemsFlag RollUp(ReadOnlySpan<CemsFlag> children)
    {
        if (children.IsEmpty)
        {
            throw new EmissionRefusedException("There is no value whose flag could be rolled up.");
        }

        var normal = 0L;
        foreach (var child in children)
        {
            normal += child == CemsFlag.Normal ? 1 : 0;
        }

        return normal * 4 >= children.Length * 3L ? CemsFlag.Normal : CemsFlag.Fault;
    }

    /// <summary>The letter of HJ 212-2017, table 8.</summary>
    public static char Letter(this CemsFlag flag) => Letters[(int)flag];

    /// <summary>The flag of a letter.</summary>
    /// <exception cref="EmissionRefusedException">Table 8 has no such letter.</exception>
    public static CemsFlag FlagOf(char letter) =>
        Letters.IndexOf(letter, StringComparison.Ordinal) is >= 0 and var flag ? (CemsFlag)flag
            : throw new EmissionRefusedException($"There is no data flag '{letter}'; HJ 212-2017 table 8 has {string.Join(", ", Letters.ToCharArray())}.");
}
