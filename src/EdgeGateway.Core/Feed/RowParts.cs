using System.Text.Json;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Core.Feed;

/// <summary>
/// Puts rows together for the way, and takes them apart for a destination that takes only small messages; every record keeps its sequence number.
/// </summary>
public static class RowParts
{
    /// <summary>Largest body made of several rows (requirement B-1).</summary>
    public const int MaxJoinedBytes = RecordBuffer.MaxBodyBytes;

    /// <summary>Most records of a message made of several rows (requirement B-1).</summary>
    public const int MaxJoinedRecords = RecordBuffer.MaxRecords;

    /// <summary>True when the records of <paramref name="next"/> are numbered on from those of <paramref name="row"/> and travel the same way.</summary>
    public static bool Follows(OutboxRow next, OutboxRow row)
    {
        ArgumentNullException.ThrowIfNull(next);
        ArgumentNullException.ThrowIfNull(row);
        return next.Stream == row.Stream && next.Epoch == row.Epoch && next.FirstSequence == row.FirstSequence + row.Count
            && next.Retain == row.Retain && string.Equals(next.Subtopic, row.Subtopic, StringComparison.Ordinal) && IsArray(next) && IsArray(row);
    }

    /// <summary>One row with the records of several, under the id of the first.</summary>
    /// <param name="rows">At least one row; each <see cref="Follows"/> the one before.</param>
    public static OutboxRow Join(IReadOnlyList<OutboxRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 1)
        {
            return rows[0];
        }

        // All brackets but the outer ones go, and a comma comes between two rows.
        var (length, count) = (1, 0);
        foreach (var row in rows)
        {
            length += row.Body.Length - 1;
            count += row.Count;
        }

        var body = GC.AllocateUninitializedArray<byte>(length);
        var at = 0;
        foreach (var row in rows)
        {
            body[at] = (byte)(at == 0 ? '[' : ',');
            at++;
            var records = row.Body.Span[1..^1];
            records.CopyTo(body.AsSpan(at));
            at += records.Length;
        }

        body[at] = (byte)']';
        return rows[0] with { Count = count, Body = body };
    }

    private static bool IsArray(OutboxRow row) => row.Body.Span is [(byte)'[', _, .., (byte)']'];

    /// <summary>Splits a row between its records, in order.</summary>
    /// <param name="row">The row; its body is a JSON array with one element for each record.</param>
    /// <param name="maxBody">Most bytes of a part's body; a single record that is larger is a part of its own.</param>
    /// <returns>The parts, all with the row's id; the row itself when it is small enough, has one record, or holds no such array.</returns>
    public static IReadOnlyList<OutboxRow> Split(OutboxRow row, int maxBody)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row.Body.Length <= maxBody || row.Count < 2 || Records(row) is not { } records)
        {
            return [row];
        }

        var parts = new List<OutboxRow>();
        for (int first = 0, next; first < records.Count; first = next)
        {
            next = first + 1;
            while (next < records.Count && 2 + records[next].End - records[first].Start <= maxBody)
            {
                next++;
            }

            var (start, end) = (records[first].Start, records[next - 1].End);
            parts.Add(row with
            {
                FirstSequence = row.FirstSequence + first,
                Count = next - first,
                Body = (byte[])[(byte)'[', .. row.Body.Span[start..end], (byte)']'],
            });
        }

        return parts;
    }

    /// <summary>Where each record stands in the body; null when the body is not an array of as many records as the row counts.</summary>
    private static List<(int Start, int End)>? Records(OutboxRow row)
    {
        var records = new List<(int Start, int End)>(row.Count);
        var json = new Utf8JsonReader(row.Body.Span);
        try
        {
            if (!json.Read() || json.TokenType != JsonTokenType.StartArray)
            {
                return null;
            }

            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)json.TokenStartIndex;
                json.Skip();
                records.Add((start, (int)json.BytesConsumed));
            }
        }
        catch (JsonException)
        {
            // Not ours to judge: it travels whole, and whoever refuses it says why.
            return null;
        }

        return records.Count == row.Count ? records : null;
    }
}
