namespace EdgeGateway.Core.Accounting;

/// <summary>Combination of relative uncertainties (percent, 95 % half width), IPCC 2006 volume 1 chapter 3.</summary>
/// <remarks>Only the four operations and the square root, which IEEE 754 defines to the last bit, so that every machine computes the same.</remarks>
internal static class Uncertainty
{
    /// <summary>Largest relative uncertainty that is stated: a difference near zero has none that means anything.</summary>
    public const double LargestPercent = 1000;

    /// <summary>Of a product or quotient of independent quantities (equation 3.1).</summary>
    public static double Product(double a, double b) => Math.Sqrt((a * a) + (b * b));
}
