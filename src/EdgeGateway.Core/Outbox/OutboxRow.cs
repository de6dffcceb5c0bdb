using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Outbox;

/// <summary>
/// What goes first when space runs out; the smallest goes first (requirement E-2). These three are what every version of the program knows; the
/// finer order is in <see cref="RetentionOrder"/>. The numbers are stored: never renumber.
/// </summary>
public enum RowClass : byte
{
    /// <summary>Single samples.</summary>
    Raw = 0,

    /// <summary>Summaries, births, states, health.</summary>
    Summary = 1,

    /// <summary>Emission entries, range statements, anomalies, and all records of what the site declares <c>compliance</c>: go last.</summary>
    Compliance = 2,
}

/// <summary>One message that waits to leave: a run of consecutive records of one stream.</summary>
public sealed record OutboxRow
{
    /// <summary>Delivery order, growing, never reused; 0 until the store has assigned it.</summary>
    public long Id { get; init; }

    public required FeedStream Stream { get; init; }

    public required long Epoch { get; init; }

    /// <summary>Sequence number of the first record.</summary>
    public required long FirstSequence { get; init; }

    /// <summary>Number of records; they are numbered consecutively.</summary>
    public required int Count { get; init; }

    public required RowClass Class { get; init; }

    /// <summary>Place within the class: <see cref="RetentionOrder"/>. 0 in rows of programs that knew only classes.</summary>
    public byte Level { get; init; }

    /// <summary>
    /// Width in seconds of the windows whose summaries stand for these records when the row goes before it is delivered; 0 when nothing does.
    /// Known to the store; a row that is read back does not say it.
    /// </summary>
    public int StandInSeconds { get; init; }

    /// <summary>Device id that ends the topic for streams that are kept per device (birth, state); null otherwise.</summary>
    public string? Subtopic { get; init; }

    /// <summary>Whether the broker shall retain the message.</summary>
    public bool Retain { get; init; }

    /// <summary>When the row was made.</summary>
    public required Instant Created { get; init; }

    /// <summary>JSON array of the records, UTF-8.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }
}
