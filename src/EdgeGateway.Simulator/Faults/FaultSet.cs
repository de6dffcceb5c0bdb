namespace EdgeGateway.Simulator.Faults;

/// <summary>The faults in force for one part of the plant: the strength of each kind.</summary>
internal sealed class FaultSet
{
    private readonly double?[] _strengths = new double?[FaultNames.ByName.Count];

    /// <summary>The strength of a fault in force; null when there is none. Of several of one kind the one that was injected last counts.</summary>
    public double? this[FaultKind kind]
    {
        get => _strengths[(int)kind];
        set => _strengths[(int)kind] = value;
    }

    /// <summary>Ends all.</summary>
    public void Clear() => _strengths.AsSpan().Clear();
}
