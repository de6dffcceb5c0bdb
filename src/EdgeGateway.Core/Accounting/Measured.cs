namespace EdgeGateway.Core.Accounting;

/// <summary>A number and how well it is known. Products and quotients combine independent quantities (IPCC 2006 volume 1, equation 3.1).</summary>
/// <param name="Value">The number, exact.</param>
/// <param name="UncertaintyPercent">Relative half width at 95 %, in percent; 0 for constants.</param>
public readonly record struct Measured(decimal Value, double UncertaintyPercent = 0)
{
    public static implicit operator Measured(decimal value) => new(value);

    public static Measured operator *(Measured a, Measured b) => new(a.Value * b.Value, Uncertainty.Product(a.UncertaintyPercent, b.UncertaintyPercent));

    public static Measured operator /(Measured a, Measured b) => new(a.Value / b.Value, Uncertainty.Product(a.UncertaintyPercent, b.UncertaintyPercent));
}
