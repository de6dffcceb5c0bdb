namespace EdgeGateway.Core.Alarms;

/// <summary>Where an alarm stands in its life (ANSI/ISA-18.2 and IEC 62682, state transition diagram).</summary>
public enum AlarmState : byte
{
    /// <summary>The condition does not hold, and a person knows of the last time it did.</summary>
    Normal,

    /// <summary>The condition holds, and nobody has said that it was seen.</summary>
    Unacknowledged,

    /// <summary>The condition holds, and a person knows.</summary>
    Acknowledged,

    /// <summary>The condition has gone before anybody said that it was seen.</summary>
    Returned,

    /// <summary>A person has put it away until a certain time.</summary>
    Shelved,

    /// <summary>It stands under another alarm, which is its cause or gathers it.</summary>
    Suppressed,

    /// <summary>A person has taken it out of service until somebody puts it back.</summary>
    OutOfService,
}

/// <summary>How soon a person must act.</summary>
public enum AlarmPriority : byte
{
    Low,
    Medium,
    High,

    /// <summary>Never put under another alarm.</summary>
    Critical,
}

/// <summary>What happened to an alarm.</summary>
public enum AlarmChange : byte
{
    Raised,

    /// <summary>Its priority rose: it must be acknowledged again.</summary>
    Escalated,

    /// <summary>Its priority fell.</summary>
    Eased,
    Cleared,
    Acknowledged,
    Shelved,

    /// <summary>By a person, or because the time was over.</summary>
    Unshelved,

    /// <summary>It was put under another alarm.</summary>
    Suppressed,

    /// <summary>It stands by itself again, because what it stood under has gone.</summary>
    Released,
    OutOfService,
    InService,

    /// <summary>It comes and goes so often that the single changes are no longer told.</summary>
    Chattering,

    /// <summary>It no longer does.</summary>
    Settled,

    /// <summary>Its device or point is no longer configured.</summary>
    Removed,
}

/// <summary>How the enumerations are spelt in the feed, in commands and in the tables of messages. Words are only added.</summary>
public static class AlarmWords
{
    /// <summary>All priorities, the most urgent first.</summary>
    public static readonly IReadOnlyList<AlarmPriority> Priorities = [AlarmPriority.Critical, AlarmPriority.High, AlarmPriority.Medium, AlarmPriority.Low];

    public static string Word(this AlarmState state) => state switch
    {
        AlarmState.Normal => "normal",
        AlarmState.Unacknowledged => "unacknowledged",
        AlarmState.Acknowledged => "acknowledged",
        AlarmState.Returned => "returned",
        AlarmState.Shelved => "shelved",
        AlarmState.Suppressed => "suppressed",
        AlarmState.OutOfService => "out-of-service",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static string Word(this AlarmPriority priority) => priority switch
    {
        AlarmPriority.Low => "low",
        AlarmPriority.Medium => "medium",
        AlarmPriority.High => "high",
        AlarmPriority.Critical => "critical",
        _ => throw new ArgumentOutOfRangeException(nameof(priority), priority, null),
    };

    public static string Word(this AlarmChange change) => change switch
    {
        AlarmChange.Raised => "raised",
        AlarmChange.Escalated => "escalated",
        AlarmChange.Eased => "eased",
        AlarmChange.Cleared => "cleared",
        AlarmChange.Acknowledged => "acknowledged",
        AlarmChange.Shelved => "shelved",
        AlarmChange.Unshelved => "unshelved",
        AlarmChange.Suppressed => "suppressed",
        AlarmChange.Released => "released",
        AlarmChange.OutOfService => "out-of-service",
        AlarmChange.InService => "in-service",
        AlarmChange.Chattering => "chattering",
        AlarmChange.Settled => "settled",
        AlarmChange.Removed => "removed",
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, null),
    };

    /// <summary>The priority of a word; null for any other word.</summary>
    public static AlarmPriority? Priority(string? word)
    {
        foreach (var priority in Priorities)
        {
            if (priority.Word() == word)
            {
                return priority;
            }
        }

        return null;
    }
}
