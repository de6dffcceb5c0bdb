namespace EdgeGateway.Core.Cems;

/// <summary>Rounding and roots as the rules of continuous emission monitoring want them.</summary>
internal static class Rounding
{
    /// <summary>Half away from zero, to a number of decimals: "rounded" in 40 CFR Part 75 always means this.</summary>
    public static decimal To(this decimal value, int decimals) => Math.Round(value, decimals, MidpointRounding.AwayFromZero);

    /// <summary>To the nearest 1000, half away from zero: flow in scfh is kept so (40 CFR 75, appendix F, 8).</summary>
    public static decimal ToThousands(this decimal value) => (value / 1000).To(0) * 1000;

    /// <summary>Square root of a number that is not negative, to all digits of a decimal but the last.</summary>
    public static decimal Sqrt(decimal value)
    {
        if (value <= 0)
        {
            return 0;
        }

        // The root of the double is defined to the last bit; one step of Newton's makes 16 digits 28.
        var root = (decimal)Math.Sqrt((double)value);
        return root == 0 ? 0 : (root + (value / root)) / 2;
    }

    /// <summary>Arithmetic mean of at least one value.</summary>
    public static decimal Mean(this IReadOnlyList<decimal> values)
    {
        var sum = 0m;
        foreach (var value in values)
        {
            sum += value;
        }

        return sum / values.Count;
    }

    /// <summary>Sample standard deviation (n - 1) of at least two values around their mean.</summary>
    public static decimal SampleDeviation(this IReadOnlyList<decimal> values, decimal mean)
    {
        var squares = 0m;
        foreach (var value in values)
        {
            squares += (value - mean) * (value - mean);
        }

        return Sqrt(squares / (values.Count - 1));
    }
}
