namespace EdgeGateway.Core.Validation;

/// <summary>What was decided about one counter reading.</summary>
internal enum CounterDecision : byte
{
    /// <summary>First reading ever: a baseline, no growth.</summary>
    Baseline,

    /// <summary>Growth from the reading before; also across a roll-over.</summary>
    Accepted,

    /// <summary>A new level is believed; only the growth at that level counts.</summary>
    NewBaseline,

    /// <summary>Kept aside until the next readings tell whether it is true.</summary>
    Held,

    /// <summary>A step or two backwards: out of order or torn; not used.</summary>
    Ignored,
}

/// <summary>A decision and the growth it adds, in the point's unit.</summary>
/// <param name="Decision">What was decided.</param>
/// <param name="Growth">Growth to be counted now; 0 unless the reading is accepted.</param>
/// <param name="Doubt">Reason for the sample's uncertainty; none when it is accepted as normal.</param>
internal readonly record struct CounterVerdict(CounterDecision Decision, decimal Growth, QualityReason Doubt)
{
    /// <summary>True when the reading is the new baseline.</summary>
    public bool IsBelieved => Decision is CounterDecision.Baseline or CounterDecision.Accepted or CounterDecision.NewBaseline;
}
