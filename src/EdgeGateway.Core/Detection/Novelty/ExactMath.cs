namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>A logarithm made of additions, multiplications and divisions only: the same bits on every machine, which the library's own does not promise.</summary>
internal static class ExactMath
{
    private const double Log10Of2 = 0.30102999566398120;
    private const double TwoByLn10 = 0.86858896380650366;

    /// <summary>The decimal logarithm of a positive normal number, to about 1e-14.</summary>
    public static double Log10(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
        if (mantissa > 1.4142135623730951)
        {
            mantissa /= 2;
            exponent++;
        }

        // ln m = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1)/(m + 1), |s| < 0.172.
        var s = (mantissa - 1) / (mantissa + 1);
        var square = s * s;
        var series = 1.0 / 17;
        series = (series * square) + (1.0 / 15);
        series = (series * square) + (1.0 / 13);
        series = (series * square) + (1.0 / 11);
        series = (series * square) + (1.0 / 9);
        series = (series * square) + (1.0 / 7);
        series = (series * square) + (1.0 / 5);
        series = (series * square) + (1.0 / 3);
        series = (series * square) + 1.0;

        return (exponent * Log10Of2) + (TwoByLn10 * s * series);
    }
}
