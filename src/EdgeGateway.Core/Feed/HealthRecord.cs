namespace EdgeGateway.Core.Feed;

/// <summary>What happened to the gateway itself.</summary>
public enum HealthKind : byte
{
    Start,
    Stop,

    /// <summary>The wall clock stepped by more than the limit.</summary>
    ClockStep,

    /// <summary>Rows left the store by the retention rule; range statements say which.</summary>
    Eviction,

    /// <summary>A row that a destination refuses for good was set aside.</summary>
    Quarantine,
    StorageDegraded,
    StorageRecovered,

    /// <summary>Another configuration is in force.</summary>
    Configuration,

    /// <summary>The store was lost or damaged; numbering starts again in a new epoch.</summary>
    NewEpoch,

    /// <summary>A task of the program ended by an error and is started again.</summary>
    TaskFailed,

    /// <summary>A value is about to be written to a device; committed before the wire is touched.</summary>
    WriteBegun,

    /// <summary>How that write ended.</summary>
    WriteEnded,

    /// <summary>A record of a write, or of when a value must give way, is damaged: somebody must look at the device.</summary>
    WriteRecordLost,

    /// <summary>The store passed a mark of its budget, up or down (requirement E-5).</summary>
    StorageWatermark,

    /// <summary>How many records were lost since the store was made, by cause; retained (requirement R-5).</summary>
    Totals,

    /// <summary>Another thing is known of the clock than before, or held samples were dated (requirement T-2).</summary>
    TimeQuality,

    /// <summary>Something happened to an alarm; on a topic of its own.</summary>
    Alarm,

    /// <summary>Another factor set states the history again: what changes, naming both sets.</summary>
    Restatement,

    /// <summary>A person told the readings of a change of meters: what lay between is counted.</summary>
    MeterChange,

    /// <summary>A person put a factor that follows a stack into force, or the official one back.</summary>
    FactorDecision,
}

/// <summary>An event in the life of the gateway.</summary>
public sealed record HealthRecord
{
    public required Instant Time { get; init; }

    public required HealthKind Kind { get; init; }

    /// <summary>One sentence for a person, with the cure where there is one.</summary>
    public required string Text { get; init; }

    /// <summary>Numbers and words that belong to the event; names in camelCase with their unit.</summary>
    public IReadOnlyList<HealthField> Fields { get; init; } = [];
}

/// <summary>A named number or word of a health record.</summary>
public readonly record struct HealthField
{
    public HealthField(string name, string text)
    {
        Name = name;
        Text = text;
    }

    public HealthField(string name, long number)
    {
        Name = name;
        Number = number;
    }

    /// <exception cref="ArgumentOutOfRangeException">The number is NaN or infinite: the feed has no such numbers.</exception>
    public HealthField(string name, double number)
    {
        if (!double.IsFinite(number))
        {
            throw new ArgumentOutOfRangeException(nameof(number), number, "The feed holds finite numbers only.");
        }

        Name = name;
        Real = number;
    }

    public string Name { get; }

    /// <summary>The word, or null when the field is a number.</summary>
    public string? Text { get; }

    /// <summary>The number; 0 when the field is a word.</summary>
    public long Number { get; }

    /// <summary>The number when it is a quantity and no count; null otherwise.</summary>
    public double? Real { get; }
}
