using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Protocols.Hj212;

namespace EdgeGateway.Uplinks.Hj212;

/// <summary>Data of one command and time: what becomes one packet, or several when it does not fit.</summary>
/// <param name="Command">CN.</param>
/// <param name="Groups">The groups, that of the time first.</param>
internal sealed record Hj212Data(string Command, IReadOnlyList<IReadOnlyList<Hj212Field>> Groups);

/// <summary>A row that was taken from its lane and is not settled: it is in as many parcels as hold something of it.</summary>
internal sealed class Hj212OpenRow(OutboxRow row)
{
    /// <summary>Id of the row.</summary>
    public long Id { get; } = row.Id;

    /// <summary>Its stream.</summary>
    public FeedStream Stream { get; } = row.Stream;

    /// <summary>When it was made.</summary>
    public Instant Created { get; } = row.Created;

    /// <summary>Parcels that are not settled; 1 more while the row is read.</summary>
    public int Open { get; set; } = 1;

    /// <summary>Whether something of it was sent; a row without data for the authority never is.</summary>
    public bool IsSent { get; set; }

    /// <summary>The command of what was not tried; null when all was. The row then stays in the outbox, whatever became of the rest.</summary>
    public string? LeftOf { get; set; }

    /// <summary>Why something of it is never taken; null when all was.</summary>
    public string? Problem { get; set; }
}

/// <summary>What is sent and acknowledged as a whole: the data of a row that leave with one command, or those of an interval with all its rows.</summary>
internal sealed class Hj212Parcel(IReadOnlyList<Hj212Data> data, IReadOnlyList<Hj212OpenRow> rows)
{
    /// <summary>In the order in which they are sent.</summary>
    public IReadOnlyList<Hj212Data> Data => data;

    /// <summary>The command of all its data; null when it has none.</summary>
    public string? Command => data.Count > 0 ? data[0].Command : null;

    /// <summary>The rows it was made of; never empty.</summary>
    public IReadOnlyList<Hj212OpenRow> Rows => rows;
}
