namespace EdgeGateway.Core.Accounting;

/// <summary>Electricity from the grid, location based: energy x the average factor of the grid where the meter is (GHG Protocol scope 2 guidance).</summary>
internal sealed class ElectricityPurchased : IEmissionMethod
{
    public string Name => "electricity-purchased";

    public int Scope => 2;

    public bool NeedsGridFactor => true;

    public string WhenReversed => "electricity-sold";

    public decimal Milligrams(decimal kWh, decimal kgPerKWh) => kWh * kgPerKWh * 1_000_000m;
}
