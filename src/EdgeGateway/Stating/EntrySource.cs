using System.Text.Json;
using EdgeGateway.Core.Accounting.Statements;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Verifying;

namespace EdgeGateway.Stating;

/// <summary>Reads the entries of the carbon account for statements and forecasts: from a ledger's export, or a recorded feed.</summary>
internal static class EntrySource
{
    private const int MostTold = 20;

    /// <summary>Gateway id that a source names; null when it names none.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static LedgerHeader? HeaderOf(string path)
    {
        using var file = File.OpenRead(path);
        using var reader = new StreamReader(file);

        // The header is short; a file that begins with a line of megabytes is no export.
        var begin = new char[8192];
        var length = reader.ReadBlock(begin);
        var line = begin.AsSpan(0, length);
        var end = line.IndexOf('\n');
        return end > 0 && LedgerLine.TryRead(System.Text.Encoding.UTF8.GetBytes(line[..end].ToString()), out var header, out _) ? LedgerExport.ReadHeader(header.Body) : null;
    }

    /// <summary>Reads a source into a statement.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keys">Public keys that must have signed a ledger; none: those it names.</param>
    /// <param name="builder">The statement.</param>
    /// <param name="tell">Takes what is wrong with the source and does not end the reading.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    /// <returns>What the statement says of its source.</returns>
    /// <exception cref="InvalidDataException">It is none of these, or the ledger is not what was written; the message says where.</exception>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static StatementSource Read(string path, IReadOnlyList<string> keys, StatementBuilder builder, Action<string> tell, CancellationToken cancel) =>
        HeaderOf(path) is not null ? ReadLedger(path, keys, builder, cancel)
        : keys.Count > 0 ? throw new InvalidDataException($"{path}: this is no export of a ledger, and nothing else is signed. Make one with 'edgegateway ledger export', or leave --key out.")
        : ReadFeed(path, builder, tell, cancel);

    private static StatementSource ReadLedger(string path, IReadOnlyList<string> keys, StatementBuilder builder, CancellationToken cancel)
    {
        var records = new StatementRecords(builder);
        var verifier = new LedgerVerifier(keys)
        {
            Accepted = record =>
            {
                cancel.ThrowIfCancellationRequested();
                records.Take(record);
            },
        };
        using var file = File.OpenRead(path);
        var verdict = verifier.Verify(file);
        if (verdict.Fault is { } fault)
        {
            throw new InvalidDataException($"{path}: {fault}. A statement is made from a whole ledger only: 'edgegateway ledger verify {path}' says more.");
        }

        var position = $"record {verdict.Last} of gateway {verdict.Header!.Gateway}, sealed through record {verdict.SealedThrough}, key {verdict.Keys[^1][..16]}{(verdict.IsTrusted ? " (given)" : " (named by the ledger itself)")}";
        return new("ledger", Path.GetFileName(path), position, Verified: true);
    }

    /// <summary>A feed delivers at least once and history beside live records: all entries are held and sorted.</summary>
    private static StatementSource ReadFeed(string path, StatementBuilder builder, Action<string> tell, CancellationToken cancel)
    {
        var entries = new List<(StatementEntry Entry, long Epoch, long Sequence)>();
        var seen = new HashSet<(string Gateway, long Epoch, long Sequence)>();
        var (messages, bad, told) = (0L, 0L, 0);
        void Tell(string problem)
        {
            bad++;
            if (told++ < MostTold)
            {
                tell(problem);
            }
        }

        new FeedFile(path).Read(
            (number, line) =>
            {
                if (FeedLine.Read(line, out var problem) is not { } message)
                {
                    Tell($"{path}:{number}: {problem}");
                    return;
                }

                try
                {
                    messages++;
                    Take(message.Payload, entries, seen);
                }
                catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or InvalidDataException)
                {
                    Tell($"{path}:{number}: no message of the feed: {e.Message}");
                }
            },
            Tell,
            cancel);
        cancel.ThrowIfCancellationRequested();
        if (messages == 0)
        {
            throw new InvalidDataException($"{path}: this is neither an export of a ledger nor a recorded feed.");
        }

        if (bad > told || bad > MostTold)
        {
            tell($"{path}: {bad} lines could not be read");
        }

        foreach (var (entry, _, _) in entries.OrderBy(e => e.Entry.Start).ThenBy(e => e.Epoch).ThenBy(e => e.Sequence))
        {
            builder.Add(entry);
        }

        return new("feed", Path.GetFileName(path), null, Verified: false);
    }

    private static void Take(ReadOnlyMemory<byte> payload, List<(StatementEntry Entry, long Epoch, long Sequence)> entries, HashSet<(string Gateway, long Epoch, long Sequence)> seen)
    {
        using var json = JsonDocument.Parse(payload);
        var root = json.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("stream", out var stream) || stream.GetString() != FeedStream.Emission.Word())
        {
            return;
        }

        var gateway = $"{root.GetProperty("site").GetString()}/{root.GetProperty("gateway").GetString()}";
        var (epoch, sequence) = (root.GetProperty("epoch").GetInt64(), root.GetProperty("seq").GetInt64());
        foreach (var record in root.GetProperty("records").EnumerateArray())
        {
            if (seen.Add((gateway, epoch, sequence)))
            {
                var published = LedgerJson.ReadPublished(record, epoch, sequence);
                entries.Add((StatementEntry.From(published.Device, published.Entry), epoch, sequence));
            }

            sequence++;
        }
    }
}
