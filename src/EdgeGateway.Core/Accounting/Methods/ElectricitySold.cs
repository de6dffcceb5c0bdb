namespace EdgeGateway.Core.Accounting;

/// <summary>Electricity given to the grid: the activity is recorded, its mass is zero, because what is sold never nets what is bought (GHG Protocol scope 2 guidance).</summary>
internal sealed class ElectricitySold : IEmissionMethod
{
    public string Name => "electricity-sold";

    public int Scope => 0;

    public bool NeedsGridFactor => false;

    public string WhenReversed => "electricity-purchased";

    public decimal Milligrams(decimal kWh, decimal kgPerKWh) => 0;
}
