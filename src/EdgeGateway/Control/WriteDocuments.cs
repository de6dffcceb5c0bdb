namespace EdgeGateway.Control;

/// <summary>What a client asks to be written: <c>POST /write</c> and <c>POST /write/check</c>. Who asks is known from the socket.</summary>
public sealed record WriteOrderDocument
{
    public required string Device { get; init; }

    public required string Point { get; init; }

    /// <summary>A number in the point's unit, or a symbol.</summary>
    public required string Value { get; init; }

    /// <summary>How long the value shall hold; null: as the site says.</summary>
    public double? ForSeconds { get; init; }

    public string Reason { get; init; } = "";
}

/// <summary>What a write would do: <c>POST /write/check</c>. Nothing has been written.</summary>
public sealed record WriteCheckDocument
{
    public required string Device { get; init; }

    public required string Point { get; init; }

    /// <summary>Where it would be written, for people: <c>coil 0x0002 of unit 5 on bus io, function 05</c>.</summary>
    public required string Place { get; init; }

    /// <summary>What the device shows now, with unit or symbol; empty when it shows no value.</summary>
    public required string Present { get; init; }

    /// <summary>What it would hold afterwards, after rounding to its register.</summary>
    public required string Value { get; init; }

    /// <summary>The limits, in words.</summary>
    public required string Limits { get; init; }

    /// <summary>How long it would hold; null: until it is written again.</summary>
    public required double? ForSeconds { get; init; }

    /// <summary>What is written after that time; empty when nothing is.</summary>
    public required string Safe { get; init; }

    /// <summary>What it takes the place of: a value that would have given way to the safe value; empty when there is none.</summary>
    public required string Replaces { get; init; }
}

/// <summary>A write, from its intent to its outcome. Also the form in which the store keeps it: members are only added.</summary>
public sealed record WriteDocument
{
    /// <summary>Names the write in the feed, in the log and here.</summary>
    public required string Id { get; init; }

    /// <summary>When it was recorded, before the wire was touched.</summary>
    public required DateTimeOffset Time { get; init; }

    public required string Who { get; init; }

    /// <summary><c>request</c>, <c>expiry</c>, <c>stop</c>, or <c>offline</c> when it was made without a running gateway.</summary>
    public required string Cause { get; init; }

    public required string Reason { get; init; }

    public required string Device { get; init; }

    public required string Point { get; init; }

    public required string Unit { get; init; }

    /// <summary>What the device showed before; null when it showed no value.</summary>
    public required double? Before { get; init; }

    /// <summary>The value as it was asked for.</summary>
    public required string Asked { get; init; }

    /// <summary>The value as the register holds it.</summary>
    public required double Value { get; init; }

    /// <summary><see cref="Value"/> with its unit or symbol.</summary>
    public required string Text { get; init; }

    /// <summary>How long it holds; null: until it is written again.</summary>
    public required double? ForSeconds { get; init; }

    /// <summary><c>confirmed</c>, <c>not-confirmed</c>, <c>refused-by-device</c>, <c>unknown</c>, <c>not-attempted</c>; null while it is under way.</summary>
    public string? Outcome { get; init; }

    /// <summary>What a person should know of the outcome.</summary>
    public string Detail { get; init; } = "";

    /// <summary>What the device showed afterwards.</summary>
    public double? ReadBack { get; init; }

    public DateTimeOffset? Ended { get; init; }

    /// <summary>When the safe value is written; null when it holds until it is written again.</summary>
    public DateTimeOffset? Expires { get; init; }
}

/// <summary>A value that gives way to the safe value when its time is over.</summary>
public sealed record PendingExpiryDocument
{
    public required string Device { get; init; }

    public required string Point { get; init; }

    /// <summary>The value that holds, with unit or symbol.</summary>
    public required string Value { get; init; }

    public required string Who { get; init; }

    public required DateTimeOffset Since { get; init; }

    /// <summary>Wall time of its end, as known now.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>What is left; 0 when it is overdue.</summary>
    public required double LeftSeconds { get; init; }

    /// <summary>What is written then; empty when the configuration has no safe value any more.</summary>
    public required string Safe { get; init; }

    /// <summary>Why the safe value is not written yet although the time is over; empty otherwise.</summary>
    public required string Problem { get; init; }
}

/// <summary><c>edgegateway writes --json</c>.</summary>
public sealed record WritesDocument
{
    /// <summary>Values that give way to the safe value, soonest first.</summary>
    public required IReadOnlyList<PendingExpiryDocument> Pending { get; init; }

    /// <summary>The last writes, newest first.</summary>
    public required IReadOnlyList<WriteDocument> Last { get; init; }
}
