namespace EdgeGateway.Core.Polling;

/// <summary>What is asked of a device when some of its points are due.</summary>
/// <param name="Reads">Requests by table and address.</param>
/// <param name="Resting">
/// Points that are due and not asked this time, because the device refused them before; they are missing for that reason (illegal address).
/// Indexes in <see cref="Site.SiteModel.Points"/>, in address order. Each due point is here or in exactly one request.
/// </param>
public sealed record PollPlan(IReadOnlyList<PlannedRead> Reads, IReadOnlyList<int> Resting)
{
    /// <summary>Nothing to ask.</summary>
    public static readonly PollPlan Empty = new([], []);
}
