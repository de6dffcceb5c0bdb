using System.Text.Json;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Core.Feed;

/// <summary>Takes a row apart for a destination that takes only small messages; every record keeps its sequence number.</summary>
public static class RowParts
{
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
