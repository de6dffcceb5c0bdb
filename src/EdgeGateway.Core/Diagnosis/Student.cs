namespace EdgeGateway.Core.Diagnosis;

/// <summary>What a few readings that scatter can show: quantiles of Student's distribution.</summary>
internal static class Student
{
    // Beyond 30 the last one serves, which is a little too careful.
    private static readonly double[] Quantiles =
    [
        6.366e+04, 316.2, 60.4, 27.77, 17.9, 13.56, 11.21, 9.783, 8.827, 8.15,
        7.647, 7.261, 6.954, 6.706, 6.502, 6.33, 6.184, 6.058, 5.949, 5.854,
        5.769, 5.694, 5.626, 5.566, 5.511, 5.461, 5.415, 5.373, 5.335, 5.299,
    ];

    /// <summary>How many standard errors a mean has to be off before chance alone does it less than once in a hundred thousand times, on both sides together.</summary>
    /// <param name="freedom">Degrees of freedom of the scatter; with none nothing is ever shown.</param>
    public static double Reach(int freedom) => freedom < 1 ? double.PositiveInfinity : Quantiles[Math.Min(freedom, Quantiles.Length) - 1];
}
