namespace EdgeGateway.Soaking;

/// <summary>The median of the slopes between all pairs of points, which a third of outliers does not move, and its confidence interval.</summary>
/// <remarks>P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", J. Am. Stat. Assoc. 63 (1968): the interval by the normal approximation, for 10 points and more. Neighbours must not depend on each other: series are taken in blocks before (<see cref="Trend"/>).</remarks>
/// <param name="Value">Units of the series in a second.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end of the interval.</param>
internal readonly record struct TheilSen(double Value, double Low, double High)
{
    /// <summary>Standard deviations of the normal distribution that hold 99 %, both sides together.</summary>
    public const double NinetyNinePercent = 2.5758;

    /// <param name="points">Time in seconds and value; at least 2, no two at the same time.</param>
    /// <param name="deviations">Width of the interval, in standard deviations of the normal distribution.</param>
    public static TheilSen Of(ReadOnlySpan<(double Time, double Value)> points, double deviations)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(points.Length, 2);
        var slopes = new double[points.Length * (points.Length - 1) / 2];
        var count = 0;
        for (var i = 0; i < points.Length; i++)
        {
            for (var j = i + 1; j < points.Length; j++)
            {
                slopes[count++] = (points[j].Value - points[i].Value) / (points[j].Time - points[i].Time);
            }
        }

        Array.Sort(slopes);
        var n = (double)points.Length;
        var width = deviations * Math.Sqrt(n * (n - 1) * (2 * n + 5) / 18);
        var low = Math.Max(0, (int)Math.Floor((count - width) / 2) - 1);
        var high = Math.Min(count - 1, (int)Math.Ceiling((count + width) / 2));
        return new(count % 2 == 1 ? slopes[count / 2] : (slopes[count / 2 - 1] + slopes[count / 2]) / 2, slopes[low], slopes[high]);
    }
}
