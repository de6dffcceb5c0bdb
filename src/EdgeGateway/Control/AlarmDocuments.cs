using System.Collections.Immutable;
using EdgeGateway.Core.Alarms;

namespace EdgeGateway.Control;

/// <summary>An alarm that is not normal.</summary>
public sealed record AlarmDocument
{
    /// <summary>Names the alarm here and in the feed.</summary>
    public required string Id { get; init; }

    /// <summary><c>unacknowledged</c>, <c>acknowledged</c>, <c>returned</c>, <c>shelved</c>, <c>suppressed</c> or <c>out-of-service</c>.</summary>
    public required string State { get; init; }

    /// <summary><c>critical</c>, <c>high</c>, <c>medium</c> or <c>low</c>.</summary>
    public required string Priority { get; init; }

    /// <summary>What found it.</summary>
    public required string Rule { get; init; }

    /// <summary>Id of the bus; empty when it concerns none.</summary>
    public required string Bus { get; init; }

    /// <summary>Id of the device; empty when it concerns none or several.</summary>
    public required string Device { get; init; }

    /// <summary>Id of the point; empty when it concerns no single one.</summary>
    public required string Point { get; init; }

    /// <summary>Whether the condition holds now.</summary>
    public required bool Standing { get; init; }

    /// <summary>When the condition began.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>When something last happened to the alarm.</summary>
    public required DateTimeOffset Changed { get; init; }

    /// <summary>The value that led to it, in <see cref="Unit"/>; null when there is none.</summary>
    public required double? Value { get; init; }

    public required double? Limit { get; init; }

    public required string Unit { get; init; }

    /// <summary>How often the condition began since it was last quiet for ten minutes.</summary>
    public required long Count { get; init; }

    /// <summary>Whether it comes and goes so often that single changes are not told.</summary>
    public required bool Chattering { get; init; }

    /// <summary>Id of the alarm under which it stands; null when it stands by itself.</summary>
    public required string? Cause { get; init; }

    /// <summary>Ids of the alarms that stand under this one.</summary>
    public required IReadOnlyList<string> Consequences { get; init; }

    public required DateTimeOffset? ShelvedUntil { get; init; }

    /// <summary>Who acknowledged it, shelved it or took it out of service; empty when nobody did.</summary>
    public required string Who { get; init; }

    public required string Reason { get; init; }

    /// <summary>What is the matter, in the language that was asked for.</summary>
    public required string What { get; init; }

    /// <summary>What it probably comes from.</summary>
    public required string Likely { get; init; }

    /// <summary>What to do next.</summary>
    public required string Next { get; init; }

    /// <summary>The finding in the words of its detector, English.</summary>
    public required string Finding { get; init; }
}

/// <summary><c>edgegateway alarms --json</c>.</summary>
/// <param name="Language">Language of the explanations.</param>
/// <param name="Alarms">The alarms that are not normal, the most urgent first.</param>
public sealed record AlarmsDocument(string Language, IReadOnlyList<AlarmDocument> Alarms);

/// <summary>How many alarms a person must see, by priority, and how many of all are in which state.</summary>
public sealed record AlarmCountsDocument
{
    public required int Critical { get; init; }

    public required int High { get; init; }

    public required int Medium { get; init; }

    public required int Low { get; init; }

    /// <summary>Those among them that nobody has acknowledged.</summary>
    public required int Unacknowledged { get; init; }

    public required int Shelved { get; init; }

    /// <summary>Those that stand under another.</summary>
    public required int Suppressed { get; init; }

    public required int OutOfService { get; init; }

    /// <summary>Whether more come than a person can look at, so that those of lower priority are gathered.</summary>
    public required bool Flood { get; init; }
}

/// <summary>What a client asks to be done with alarms: <c>POST /alarms/order</c>. Who asks is known from the socket.</summary>
public sealed record AlarmOrderDocument
{
    /// <summary><c>ack</c>, <c>shelve</c>, <c>unshelve</c>, <c>out-of-service</c> or <c>in-service</c>.</summary>
    public required string Action { get; init; }

    /// <summary>The alarms: all of them, or none when one is refused.</summary>
    public required IReadOnlyList<string> Ids { get; init; }

    /// <summary>How long they are shelved.</summary>
    public double? ForSeconds { get; init; }

    public string Reason { get; init; } = "";
}

/// <summary>Makes the documents about alarms.</summary>
internal static class AlarmDocuments
{
    /// <summary>The words of what may be asked.</summary>
    public static readonly IReadOnlyDictionary<string, AlarmAction> Actions = new Dictionary<string, AlarmAction>
    {
        ["ack"] = AlarmAction.Acknowledge,
        ["shelve"] = AlarmAction.Shelve,
        ["unshelve"] = AlarmAction.Unshelve,
        ["out-of-service"] = AlarmAction.Remove,
        ["in-service"] = AlarmAction.Restore,
    };

    public static AlarmsDocument Make(ImmutableArray<AlarmEntry> entries, AlarmMessages messages)
    {
        var consequences = entries.Where(e => e.Cause is not null).ToLookup(e => e.Cause!, e => e.Condition.Id, StringComparer.Ordinal);
        return new(messages.Language, [.. entries.Select(e => Make(e, messages.Explain(e.Condition), [.. consequences[e.Condition.Id]]))]);
    }

    public static AlarmCountsDocument Count(ImmutableArray<AlarmEntry> entries)
    {
        var seen = entries.Where(e => e.State is AlarmState.Unacknowledged or AlarmState.Acknowledged or AlarmState.Returned).ToArray();
        return new()
        {
            Critical = seen.Count(e => e.Condition.Priority == AlarmPriority.Critical),
            High = seen.Count(e => e.Condition.Priority == AlarmPriority.High),
            Medium = seen.Count(e => e.Condition.Priority == AlarmPriority.Medium),
            Low = seen.Count(e => e.Condition.Priority == AlarmPriority.Low),
            Unacknowledged = seen.Count(e => e.State != AlarmState.Acknowledged),
            Shelved = entries.Count(e => e.State == AlarmState.Shelved),
            Suppressed = entries.Count(e => e.State == AlarmState.Suppressed),
            OutOfService = entries.Count(e => e.State == AlarmState.OutOfService),
            Flood = entries.Any(e => e is { Condition.Rule: AlarmBook.FloodRule, IsStanding: true }),
        };
    }

    private static AlarmDocument Make(AlarmEntry entry, AlarmExplanation explanation, string[] consequences) => new()
    {
        Id = entry.Condition.Id,
        State = entry.State.Word(),
        Priority = entry.Condition.Priority.Word(),
        Rule = entry.Condition.Rule,
        Bus = entry.Condition.Bus,
        Device = entry.Condition.Device,
        Point = entry.Condition.Point,
        Standing = entry.IsStanding,
        Since = entry.Condition.Since.ToDateTimeOffset(),
        Changed = entry.Changed.ToDateTimeOffset(),
        Value = Finite(entry.Condition.Value),
        Limit = Finite(entry.Condition.Limit),
        Unit = entry.Condition.Unit,
        Count = entry.Count,
        Chattering = entry.IsChattering,
        Cause = entry.Cause,
        Consequences = consequences,
        ShelvedUntil = entry.ShelvedUntil?.ToDateTimeOffset(),
        Who = entry.Who,
        Reason = entry.Reason,
        What = explanation.What,
        Likely = explanation.Likely,
        Next = explanation.Next,
        Finding = entry.Condition.Text,
    };

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
