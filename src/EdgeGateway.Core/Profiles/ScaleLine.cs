namespace EdgeGateway.Core.Profiles;

/// <summary>
/// A decimal scale and offset as <c>((raw x Factor) + Shift) / Divisor</c>. With whole numbers in <c>Factor</c> and <c>Shift</c> and a power
/// of ten below, only the division rounds: 2305 x 0.1 is 230.5 and not 230.50000000000003.
/// </summary>
internal readonly record struct ScaleLine(double Factor, double Shift, double Divisor)
{
    public static readonly ScaleLine Identity = new(1, 0, 1);

    // Whole numbers up to 2^53 and powers of ten up to 10^22 are exact in a double.
    private const decimal MaxExact = 9_007_199_254_740_992m;
    private const int MaxPower = 22;

    public double Apply(double raw) => ((raw * Factor) + Shift) / Divisor;

    /// <summary>The same for raw x 10^<paramref name="power"/>, -10 to 10; a negative power goes below the line, where it is exact.</summary>
    public double Apply(double raw, int power)
    {
        var ten = TenTo(Math.Abs(power));
        return power >= 0 ? ((raw * ten * Factor) + Shift) / Divisor : ((raw * Factor) + (Shift * ten)) / (Divisor * ten);
    }

    public double Undo(double value) => ((value * Divisor) - Shift) / Factor;

    /// <summary>The raw value that, times 10^<paramref name="power"/>, is <paramref name="value"/>.</summary>
    public double Undo(double value, int power)
    {
        var ten = TenTo(Math.Abs(power));
        return power >= 0 ? ((value * Divisor) - Shift) / (Factor * ten) : ((value * Divisor * ten) - (Shift * ten)) / Factor;
    }

    /// <summary>Ten to a power of 0 to 10, exact.</summary>
    public static double TenTo(int power) => Powers[power];

    private static ReadOnlySpan<double> Powers => [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000];

    public static ScaleLine From(decimal scale, decimal offset)
    {
        var (factor, shift, power) = (scale, offset, 0);
        var divisor = 1.0;
        while (factor != decimal.Truncate(factor) || shift != decimal.Truncate(shift))
        {
            if (power == MaxPower || Math.Abs(factor) > MaxExact || Math.Abs(shift) > MaxExact)
            {
                return new((double)scale, (double)offset, 1);
            }

            factor *= 10;
            shift *= 10;
            divisor *= 10;
            power++;
        }

        return Math.Abs(factor) > MaxExact || Math.Abs(shift) > MaxExact
            ? new((double)scale, (double)offset, 1)
            : new((double)factor, (double)shift, divisor);
    }
}
