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

    /// <summary>A counter of lost records, followed by the cause.</summary>
    public const string LostPrefix = CounterPrefix + "lost/";

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
