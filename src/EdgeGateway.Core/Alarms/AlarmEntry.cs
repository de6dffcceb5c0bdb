using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Alarms;

/// <summary>What an alarm is about, with the numbers that led to it.</summary>
public sealed record AlarmCondition
{
    /// <summary>Names the alarm for good: <c>device.point.detector</c>, <c>device.offline</c>, <c>bus:line.offline</c>, <c>flood</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Key in the tables of messages.</summary>
    public required string Rule { get; init; }

    public required AlarmPriority Priority { get; init; }

    /// <summary>When the condition began.</summary>
    public required Instant Since { get; init; }

    /// <summary>Id of the bus; empty when it concerns none.</summary>
    public string Bus { get; init; } = "";

    /// <summary>Id of the device; empty when it concerns none or several.</summary>
    public string Device { get; init; } = "";

    /// <summary>Name of the device for people.</summary>
    public string DeviceName { get; init; } = "";

    /// <summary>Id of the point; empty when it concerns no single one.</summary>
    public string Point { get; init; } = "";

    /// <summary>UCUM code of <see cref="Value"/> and <see cref="Limit"/>.</summary>
    public string Unit { get; init; } = "";

    /// <summary>The value that led to it; NaN when there is none.</summary>
    public double Value { get; init; } = double.NaN;

    /// <summary>What it was held against; NaN when there is no limit.</summary>
    public double Limit { get; init; } = double.NaN;

    /// <summary><see cref="Value"/> with the resolution of the point and its unit; empty when there is none.</summary>
    public string ValueText { get; init; } = "";

    /// <summary><see cref="Limit"/> likewise.</summary>
    public string LimitText { get; init; } = "";

    /// <summary>The finding in the words of its detector (English), or the reason of a device's silence.</summary>
    public string Text { get; init; } = "";

    internal void Save(StateWriter writer)
    {
        writer.Write(Id);
        writer.Write(Rule);
        writer.Write((byte)Priority);
        writer.Write(Since);
        writer.Write(Bus);
        writer.Write(Device);
        writer.Write(DeviceName);
        writer.Write(Point);
        writer.Write(Unit);
        writer.Write(Value);
        writer.Write(Limit);
        writer.Write(ValueText);
        writer.Write(LimitText);
        writer.Write(Text);
    }

    internal static AlarmCondition Load(ref StateReader reader) => new()
    {
        Id = reader.ReadString(),
        Rule = reader.ReadString(),
        Priority = (AlarmPriority)Math.Min(reader.ReadByte(), (byte)AlarmPriority.Critical),
        Since = reader.ReadInstant(),
        Bus = reader.ReadString(),
        Device = reader.ReadString(),
        DeviceName = reader.ReadString(),
        Point = reader.ReadString(),
        Unit = reader.ReadString(),
        Value = reader.ReadDouble(),
        Limit = reader.ReadDouble(),
        ValueText = reader.ReadString(),
        LimitText = reader.ReadString(),
        Text = reader.ReadString(),
    };
}

/// <summary>An alarm at one moment. Immutable: the list of alarms can be read from any thread.</summary>
public sealed record AlarmEntry
{
    public required AlarmCondition Condition { get; init; }

    /// <summary>Whether the condition holds.</summary>
    public bool IsStanding { get; init; }

    /// <summary>Whether a person knows; true at first, since nothing has happened.</summary>
    public bool IsAcknowledged { get; init; } = true;

    /// <summary>Whether it comes and goes so often that it counts as standing until it settles.</summary>
    public bool IsChattering { get; init; }

    public bool IsOutOfService { get; init; }

    /// <summary>End of the time on the shelf; null when it is not there.</summary>
    public Instant? ShelvedUntil { get; init; }

    /// <summary>Id of the alarm under which it stands; null when it stands by itself.</summary>
    public string? Cause { get; init; }

    /// <summary>A silent device waits until then for a cause before it is told; null when it does not wait.</summary>
    public Instant? WaitsUntil { get; init; }

    /// <summary>When it last became an alarm of its own.</summary>
    public Instant Raised { get; init; }

    /// <summary>When something last happened to it.</summary>
    public Instant Changed { get; init; }

    /// <summary>How often the condition began since it was last quiet for ten minutes.</summary>
    public long Count { get; init; }

    /// <summary>Who acknowledged it, shelved it or took it out of service last; empty when nobody did.</summary>
    public string Who { get; init; } = "";

    /// <summary>Why, in that person's words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Where it stands in its life.</summary>
    public AlarmState State =>
        IsOutOfService ? AlarmState.OutOfService
        : ShelvedUntil is not null ? AlarmState.Shelved
        : Cause is not null ? AlarmState.Suppressed
        : (IsStanding && WaitsUntil is null) || IsChattering ? (IsAcknowledged ? AlarmState.Acknowledged : AlarmState.Unacknowledged)
        : IsAcknowledged ? AlarmState.Normal : AlarmState.Returned;

    internal void Save(StateWriter writer)
    {
        Condition.Save(writer);
        writer.Write(IsStanding);
        writer.Write(IsAcknowledged);
        writer.Write(IsChattering);
        writer.Write(IsOutOfService);
        Write(writer, ShelvedUntil);
        writer.Write(Cause ?? "");
        Write(writer, WaitsUntil);
        writer.Write(Raised);
        writer.Write(Changed);
        writer.Write(Count);
        writer.Write(Who);
        writer.Write(Reason);
    }

    internal static AlarmEntry Load(ref StateReader reader) => new()
    {
        Condition = AlarmCondition.Load(ref reader),
        IsStanding = reader.ReadBoolean(),
        IsAcknowledged = reader.ReadBoolean(),
        IsChattering = reader.ReadBoolean(),
        IsOutOfService = reader.ReadBoolean(),
        ShelvedUntil = ReadInstant(ref reader),
        Cause = reader.ReadString() is { Length: > 0 } cause ? cause : null,
        WaitsUntil = ReadInstant(ref reader),
        Raised = reader.ReadInstant(),
        Changed = reader.ReadInstant(),
        Count = reader.ReadInt64(),
        Who = reader.ReadString(),
        Reason = reader.ReadString(),
    };

    private static void Write(StateWriter writer, Instant? value)
    {
        writer.Write(value.HasValue);
        writer.Write(value ?? Instant.UnixEpoch);
    }

    private static Instant? ReadInstant(ref StateReader reader)
    {
        var has = reader.ReadBoolean();
        var value = reader.ReadInstant();
        return has ? value : null;
    }
}

/// <summary>Something happened to an alarm: what the feed tells.</summary>
/// <param name="Entry">The alarm after it.</param>
/// <param name="Change">What happened.</param>
/// <param name="Time">When.</param>
public sealed record AlarmRecord(AlarmEntry Entry, AlarmChange Change, Instant Time);

/// <summary>What a person may do to an alarm.</summary>
public enum AlarmAction : byte
{
    Acknowledge,
    Shelve,
    Unshelve,

    /// <summary>Takes it out of service.</summary>
    Remove,

    /// <summary>Puts it back into service.</summary>
    Restore,
}

/// <summary>What a person asks for.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Ids">The alarms; all of them, or none when one is refused.</param>
/// <param name="For">For how long; for <see cref="AlarmAction.Shelve"/> only.</param>
/// <param name="Who">Who asks.</param>
/// <param name="Reason">Why, for the record.</param>
public sealed record AlarmOrder(AlarmAction Action, IReadOnlyList<string> Ids, TimeSpan? For, string Who, string Reason);
