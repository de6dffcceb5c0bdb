using System.Text.Json;

namespace EdgeGateway.Core.Feed;

/// <summary>From where on a receiver expects to have everything.</summary>
public enum LedgerStart
{
    /// <summary>From the first record of each epoch: the receiver, or its session at the broker, was there from the beginning.</summary>
    FirstRecord,

    /// <summary>From the first message heard live, and further back as history arrives: the receiver came later.</summary>
    FirstHeard,
}

/// <summary>
/// The receiver's proof: from the feed alone, which records arrived, which are missing, which came again. Keeps one interval set for
/// each gateway, stream and epoch, so it stays small whatever the number of records.
/// </summary>
public sealed class SequenceLedger(LedgerStart start = LedgerStart.FirstRecord)
{
    private readonly SortedDictionary<LedgerKey, Epoch> _epochs = [];

    /// <summary>Notes a message.</summary>
    /// <param name="message">The message, in any order and any number of times.</param>
    /// <param name="retained">True when the broker delivered it from its retained store: it may be older than what the receiver came for.</param>
    /// <returns>How many of its records are new; the others were redelivered, which is harmless.</returns>
    public long Observe(FeedMessage message, bool retained = false)
    {
        ArgumentNullException.ThrowIfNull(message);
        var key = new LedgerKey(message.Site, message.Gateway, message.Stream, message.Epoch);
        var epoch = Open(key);
        var added = epoch.Seen.Add(message.FirstSequence, message.LastSequence);
        epoch.Redelivered += message.Records.Count - added;
        if (!retained)
        {
            // Births are announced again on each connection under their old numbers: only history moves the beginning back.
            var beginning = message.Lane == FeedLane.History || epoch.Beginning is null
                ? Math.Min(epoch.Beginning ?? long.MaxValue, message.FirstSequence)
                : epoch.Beginning;
            epoch.Beginning = beginning;
        }

        if (message.Stream == FeedStream.Range)
        {
            foreach (var record in message.Records)
            {
                Statement(message, record);
            }
        }

        return added;
    }

    /// <summary>What the receiver knows now.</summary>
    public LedgerReport Report()
    {
        var streams = new List<LedgerStream>();
        foreach (var (key, epoch) in _epochs)
        {
            var first = start == LedgerStart.FirstRecord ? 1 : epoch.Beginning;
            var last = Math.Max(epoch.Seen.Last, epoch.Issued);
            var missing = new List<SequenceRange>();
            var explained = 0L;
            if (first is { } from)
            {
                foreach (var gap in epoch.Seen.Gaps(from, last))
                {
                    var unexplained = 0L;
                    foreach (var (a, b) in epoch.Explained.Gaps(gap.First, gap.Last))
                    {
                        missing.Add(new SequenceRange(a, b));
                        unexplained += b - a + 1;
                    }

                    explained += gap.Last - gap.First + 1 - unexplained;
                }
            }

            streams.Add(new LedgerStream(key, epoch.Seen.Count, explained, epoch.Redelivered, missing));
        }

        return new LedgerReport(streams);
    }

    private Epoch Open(LedgerKey key)
    {
        if (!_epochs.TryGetValue(key, out var epoch))
        {
            _epochs.Add(key, epoch = new Epoch());
        }

        return epoch;
    }

    // A statement that this reader does not understand explains nothing, so that its records stay missing: the safe side.
    private void Statement(FeedMessage message, JsonElement record)
    {
        if (record.ValueKind != JsonValueKind.Object
            || !FeedWords.TryStream(Text(record, "stream"), out var stream)
            || !FeedWords.TryRangeState(Text(record, "state"), out var state)
            || Number(record, "epoch") is not { } epochNumber
            || Number(record, "first") is not { } first
            || Number(record, "last") is not { } last
            || first < 1 || last < first || last == long.MaxValue)
        {
            return;
        }

        var epoch = Open(new LedgerKey(message.Site, message.Gateway, stream, epochNumber));
        if (state == RangeState.Issued)
        {
            epoch.Issued = Math.Max(epoch.Issued, last);
        }
        else
        {
            epoch.Explained.Add(first, last);
        }
    }

    private static string? Text(JsonElement record, string name) =>
        record.TryGetProperty(name, out var field) && field.ValueKind == JsonValueKind.String ? field.GetString() : null;

    private static long? Number(JsonElement record, string name) =>
        record.TryGetProperty(name, out var field) && field.ValueKind == JsonValueKind.Number && field.TryGetInt64(out var number) ? number : null;

    private sealed class Epoch
    {
        public SequenceSet Seen { get; } = new();

        public SequenceSet Explained { get; } = new();

        public long Redelivered { get; set; }

        public long Issued { get; set; }

        public long? Beginning { get; set; }
    }
}
