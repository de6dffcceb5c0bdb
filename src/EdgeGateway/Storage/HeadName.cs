using System.Globalization;
using System.Text;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Storage;

/// <summary>Names in the table <c>head</c>, and what its columns mean for each.</summary>
internal static class HeadName
{
    /// <summary>a: highest row id ever handed out.</summary>
    public const string Row = "row";

    /// <summary>a: number of the next batch; b: bytes of the sample log; c: number of the oldest batch.</summary>
    public const string Log = "log";

    /// <summary>Followed by the number of the stream. a: epoch; b: next sequence number; c: rows in the outbox; d: their bytes.</summary>
    public const string StreamPrefix = "stream/";

    /// <summary>Followed by the destination. a: floor; text: runs above it.</summary>
    public const string CursorPrefix = "cursor/";

    /// <summary>Followed by the counter's name. a: value.</summary>
    public const string CounterPrefix = "counter/";

    /// <summary>a: records in the outbox; b: highest row id when it was written; text: for each step of the retention order from which id on rows of it may be found, <c>0:12,6:3</c>.</summary>
    public const string Waiting = "waiting";

    /// <summary>a: milliseconds the store was open in all; text: marks of <see cref="AgeMarks"/> for the samples.</summary>
    public const string SampleAge = "age/samples";

    /// <summary>As <see cref="SampleAge"/>, for the summaries.</summary>
    public const string SummaryAge = "age/summaries";

    /// <summary>Followed by the word of the feed for what became of them. a: records that will not arrive, since the store was made. Kept by a salvage like every counter.</summary>
    public const string LostPrefix = CounterPrefix + "records-";

    /// <summary>Counter. a: readings that were never accepted, since the store was made.</summary>
    public const string NotStored = CounterPrefix + "not-stored";

    /// <summary>a: number of the next record of the ledger; b, c: epoch and next sequence number of the stream emission; text: link of the last record, a line feed, what is in force.</summary>
    public const string Ledger = "ledger";

    /// <summary>Names of the streams by number, made once.</summary>
    public static readonly string[] Streams = [.. Enumerable.Range(0, StoreLedger.Streams).Select(i => StreamPrefix + i.ToString(CultureInfo.InvariantCulture))];
}

/// <summary>The runs of a delivery cursor as text: <c>12-15,18-18</c>.</summary>
internal static class CursorText
{
    public static string? Format(DeliveryCursor cursor)
    {
        if (cursor.Runs.Count == 0)
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (var (first, last) in cursor.Runs)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length == 0 ? "" : ",")}{first}-{last}");
        }

        return text.ToString();
    }

    /// <summary>Reads what <see cref="Format"/> wrote; runs that are not numbers are left out, so that their rows are sent again rather than lost.</summary>
    public static DeliveryCursor Parse(long floor, string? runs)
    {
        var cursor = new DeliveryCursor(floor);
        foreach (var run in (runs ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var dash = run.IndexOf('-', StringComparison.Ordinal);
            if (dash > 0
                && long.TryParse(run.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                && long.TryParse(run.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
                && first <= last)
            {
                cursor.Acknowledge(first, last);
            }
        }

        return cursor;
    }
}

/// <summary>Where the search for rows of each step of the retention order begins, as text: <c>0:12,6:3</c>.</summary>
internal static class EvictionText
{
    public static string Format(ReadOnlySpan<long> from)
    {
        var text = new StringBuilder();
        for (var step = 0; step < from.Length; step++)
        {
            if (from[step] > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{(text.Length == 0 ? "" : ",")}{step}:{from[step]}");
            }
        }

        return text.ToString();
    }

    /// <summary>Reads what <see cref="Format"/> wrote; false when it is something else.</summary>
    public static bool TryParse(string? text, Span<long> from)
    {
        from.Clear();
        foreach (var pair in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1
                || !int.TryParse(pair.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var step)
                || !long.TryParse(pair.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                || step >= from.Length)
            {
                return false;
            }

            from[step] = id;
        }

        return true;
    }
}
