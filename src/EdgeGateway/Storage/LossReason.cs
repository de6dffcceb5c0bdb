using System.Globalization;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Storage;

/// <summary>Why the retention rule took rows away before they were delivered.</summary>
internal enum EvictionCause : byte
{
    /// <summary>The byte budget was used up.</summary>
    Budget,

    /// <summary>More records waited than <c>storage.records</c> allows.</summary>
    Count,

    /// <summary>They waited longer than <c>storage.sampleAge</c> or <c>storage.summaryAge</c>.</summary>
    Age,

    /// <summary>From 85 % of the budget on while nothing is delivered: <c>storage.thin</c>.</summary>
    Early,
}

/// <summary>Causes of losses; stored and published. What the retention rule took begins with <see cref="Evicted"/>, or with <see cref="Thinned"/> where summaries stand for it.</summary>
public static class LossReason
{
    /// <summary>The byte budget was used up, and nothing stands for the records.</summary>
    public const string Evicted = "evicted";

    /// <summary>Beginning of the reasons of records for which summaries stand: followed by the width of their windows and, where it is not the byte budget, the cause.</summary>
    public const string Thinned = "thinned to ";

    /// <summary>The destination refuses the message for good.</summary>
    public const string Refused = "refused";

    /// <summary>The destination refuses the message for good, and there was no room to keep the message for people to look at.</summary>
    public const string RefusedNotKept = "refused, not kept";

    /// <summary>The row on disk is damaged.</summary>
    public const string Unreadable = "unreadable";

    private const string ByBudget = "the byte budget";

    /// <summary>One reason for records that went by several, of the same <see cref="StateOf"/> and <see cref="StandIn"/>.</summary>
    /// <param name="reasons">Their reasons, each once.</param>
    public static string Join(IReadOnlyCollection<string> reasons)
    {
        var what = reasons.MinBy(r => r.Length)!.Split(", ")[0];
        return reasons.Count == 1 ? reasons.First() : $"{what}, {string.Join(" or ", reasons.Select(r => r == what ? ByBudget : r[(what.Length + 2)..]))}";
    }

    // One text for each width and cause, so that an eviction allocates none.
    private static readonly Dictionary<(int, EvictionCause), string> Known = [];

    /// <summary>What became of the records, in the word of the feed.</summary>
    public static RangeState StateOf(string reason) => reason switch
    {
        _ when reason.StartsWith(Thinned, StringComparison.Ordinal) => RangeState.Thinned,
        _ when reason.StartsWith(Evicted, StringComparison.Ordinal) => RangeState.Evicted,
        Unreadable => RangeState.Unreadable,
        _ => RangeState.Quarantined,
    };

    /// <summary>True for a reason that a version of this program writes.</summary>
    internal static bool IsKnown(string reason) =>
        reason is Refused or RefusedNotKept or Unreadable || reason.StartsWith(Evicted, StringComparison.Ordinal) || StandIn(reason) is not null;

    /// <summary>Width of the windows whose summaries stand for the records; null when none do.</summary>
    public static TimeSpan? StandIn(string reason)
    {
        if (!reason.StartsWith(Thinned, StringComparison.Ordinal))
        {
            return null;
        }

        var rest = reason.AsSpan(Thinned.Length);
        var end = rest.IndexOf(' ');
        return end > 0 && int.TryParse(rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : null;
    }

    /// <summary>The reason of an eviction.</summary>
    /// <param name="standInSeconds">Width of the windows that stand for the records; 0 for none.</param>
    /// <param name="cause">Why room was made.</param>
    internal static string Of(int standInSeconds, EvictionCause cause)
    {
        if (standInSeconds == 0 && cause == EvictionCause.Budget)
        {
            return Evicted;
        }

        lock (Known)
        {
            if (!Known.TryGetValue((standInSeconds, cause), out var reason))
            {
                var what = standInSeconds == 0 ? Evicted : string.Create(CultureInfo.InvariantCulture, $"{Thinned}{standInSeconds} s");
                Known[(standInSeconds, cause)] = reason = cause switch
                {
                    EvictionCause.Count => what + ", too many records",
                    EvictionCause.Age => what + ", too old",
                    EvictionCause.Early => what + ", early",
                    _ => what,
                };
            }

            return reason;
        }
    }
}
