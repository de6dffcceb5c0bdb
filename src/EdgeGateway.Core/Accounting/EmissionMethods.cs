using System.Collections.Frozen;

namespace EdgeGateway.Core.Accounting;

/// <summary>The table of emission methods. To add one: a file in this folder, a line here, a test, a row in <c>docs/methods.md</c>.</summary>
public static class EmissionMethods
{
    /// <summary>Methods by the name used in profiles and records.</summary>
    public static readonly FrozenDictionary<string, IEmissionMethod> ByName = new IEmissionMethod[]
    {
        new ElectricityPurchased(),
        new ElectricitySold(),
    }.ToFrozenDictionary(m => m.Name);
}

/// <summary>Turns metered activity into mass.</summary>
public interface IEmissionMethod
{
    /// <summary>Name in profiles and records.</summary>
    string Name { get; }

    /// <summary>GHG Protocol scope: 1 or 2; 0 for none.</summary>
    int Scope { get; }

    /// <summary>True when the mass depends on a grid factor.</summary>
    bool NeedsGridFactor { get; }

    /// <summary>The method that applies when the meter is wired the other way round.</summary>
    string WhenReversed { get; }

    /// <summary>Mass in milligrams CO2e, exact and not rounded.</summary>
    /// <param name="kWh">Energy, not negative.</param>
    /// <param name="kgPerKWh">Grid factor.</param>
    decimal Milligrams(decimal kWh, decimal kgPerKWh);
}
