namespace EdgeGateway.Core.Accounting;

/// <summary>One part of a sum and how it errs.</summary>
/// <param name="Quantity">The part, with its sign.</param>
/// <param name="OwnPercent">What errs independently of the other parts, percent.</param>
/// <param name="SharedPercent">What errs together with the other parts, percent: the same factor, the same meter.</param>
public readonly record struct UncertainPart(double Quantity, double OwnPercent, double SharedPercent = 0);

/// <summary>Combination of relative uncertainties (percent, 95 % half width), IPCC 2006 volume 1 chapter 3.</summary>
/// <remarks>Only the four operations and the square root, which IEEE 754 defines to the last bit, so that every machine computes the same.</remarks>
public static class Uncertainty
{
    /// <summary>Largest relative uncertainty that is stated: a difference near zero has none that means anything.</summary>
    public const double LargestPercent = 1000;

    /// <summary>Of a product or quotient of independent quantities (equation 3.1).</summary>
    public static double Product(double a, double b) => Math.Sqrt((a * a) + (b * b));

    /// <summary>Of a sum (equation 3.2): independent parts are added as squares; what errs together is added linearly first (3.2.3).</summary>
    public static double Sum(params ReadOnlySpan<UncertainPart> parts)
    {
        double total = 0, squares = 0, shared = 0;
        foreach (var part in parts)
        {
            total += part.Quantity;
            squares += part.OwnPercent * part.Quantity * (part.OwnPercent * part.Quantity);
            shared += part.SharedPercent * part.Quantity;
        }

        return Relative(Math.Sqrt(squares + (shared * shared)), total);
    }

    /// <summary>An absolute half width (100 times the quantity's unit) as percent of a total, at most <see cref="LargestPercent"/>.</summary>
    internal static double Relative(double absolute, double total) =>
        absolute == 0 ? 0 : total == 0 ? LargestPercent : Math.Min(LargestPercent, absolute / Math.Abs(total));
}
