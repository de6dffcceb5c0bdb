using EdgeGateway.Control;
using EdgeGateway.Storage;
using EdgeGateway.Uplinks;

namespace EdgeGateway.Telemetry;

/// <summary>What the gateway does at one moment: all that metrics are read from.</summary>
internal sealed record Measurement
{
    /// <summary>What <c>edgegateway status</c> shows.</summary>
    public required StatusDocument Status { get; init; }

    /// <summary>The uplinks, beyond what the status shows.</summary>
    public required IReadOnlyList<UplinkStatus> Uplinks { get; init; }

    /// <summary>The store; null while it cannot be opened.</summary>
    public StoreStatistics? Store { get; init; }

    /// <summary>The pipeline; null while the store cannot be opened, because nothing is processed then.</summary>
    public PipelineCounts? Pipeline { get; init; }

    /// <summary>Readings that wait for the pipeline.</summary>
    public int Queued { get; init; }

    /// <summary>The computer; null where nobody asked it.</summary>
    public BoxValues? Box { get; init; }
}

/// <summary>What the commit loop has counted since the process started.</summary>
/// <param name="Good">Samples read without any doubt.</param>
/// <param name="Bad">Samples that say why there is no value.</param>
/// <param name="RuleFaults">How often a rule of detection threw.</param>
/// <param name="LedgerRecords">Records of the ledger, since it was begun.</param>
/// <param name="RestatementDue">Whether the history is to be stated again by another factor set.</param>
internal sealed record PipelineCounts(long Good, long Bad, long RuleFaults, long LedgerRecords, bool RestatementDue);
