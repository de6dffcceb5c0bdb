using System.IO.Pipelines;
using System.Text.Json;
using EdgeGateway.Core.Accounting.Statements;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Ledgers;
using EdgeGateway.Storage;
using EdgeGateway.Verifying;

namespace EdgeGateway.Stating;

/// <summary>Reads the entries of the carbon account for statements and forecasts: from a ledger, in a gateway's store or exported, or from a recorded feed.</summary>
internal static class EntrySource
{
    private const int MostTold = 20;

    private static ReadOnlySpan<byte> StoreMagic => "SQLite format 3"u8;

    /// <summary>What a ledger says of itself; null for a recorded feed.</summary>
    /// <param name="path">An export, a store or its directory, or a recorded feed.</param>
    /// <exception cref="InvalidDataException">It is a store without a ledger.</exception>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static LedgerHeader? HeaderOf(string path)
    {
        if (IsStore(path))
        {
            return LedgerSource.Open(path).Header;
        }

        using var file = File.OpenRead(path);
        return LedgerExport.ReadHeader(file);
    }

    /// <summary>Reads a source into a statement.</summary>
    /// <param name="path">An export, a store or its directory, or a recorded feed.</param>
    /// <param name="keys">Public keys that must have signed a ledger; none: those it names.</param>
    /// <param name="builder">The statement.</param>
    /// <param name="tell">Takes what is wrong with the source and does not end the reading.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    /// <returns>What the statement says of its source.</returns>
    /// <exception cref="InvalidDataException">It is none of these, or the ledger is not what was written; the message says where.</exception>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static StatementSource Read(string path, IReadOnlyList<string> keys, StatementBuilder builder, Action<string> tell, CancellationToken cancel)
    {
        if (IsStore(path))
        {
            return ReadStore(path, keys, new StatementRecords(builder).Take, cancel);
        }

        if (HeaderOf(path) is not null)
        {
            using var file = File.OpenRead(path);
            return ReadLedger(file, path, keys, new StatementRecords(builder).Take, cancel);
        }

        return keys.Count > 0
            ? throw new InvalidDataException($"{path}: this is no export of a ledger, and nothing else is signed. Make one with 'edgegateway ledger export', or leave --key out.")
            : ReadFeed(path, builder, tell, cancel);
    }

    /// <summary>Reads the records of a ledger, which is verified meanwhile.</summary>
    /// <param name="path">An export, a store or its directory.</param>
    /// <param name="keys">Public keys that must have signed it; none: those it names.</param>
    /// <param name="take">Takes each record.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    /// <exception cref="InvalidDataException">It is no ledger, or not what was written; the message says where.</exception>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static void ReadRecords(string path, IReadOnlyList<string> keys, Action<LedgerRecord> take, CancellationToken cancel)
    {
        if (IsStore(path))
        {
            ReadStore(path, keys, take, cancel);
            return;
        }

        if (HeaderOf(path) is null)
        {
            throw new InvalidDataException($"{path}: this is no export of a ledger. Make one with 'edgegateway ledger export'.");
        }

        using var file = File.OpenRead(path);
        ReadLedger(file, path, keys, take, cancel);
    }

    private static bool IsStore(string path)
    {
        if (Directory.Exists(path))
        {
            return true;
        }

        Span<byte> start = stackalloc byte[StoreMagic.Length];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
        return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(StoreMagic);
    }

    /// <summary>A store is exported and verified at once, through a pipe: what it holds need not fit anywhere a second time.</summary>
    private static StatementSource ReadStore(string path, IReadOnlyList<string> keys, Action<LedgerRecord> take, CancellationToken cancel)
    {
        var source = LedgerSource.Open(path);
        var header = source.Header;
        var pipe = new Pipe();
        var writing = Task.Run(
            () =>
            {
                Exception? fault = null;
                try
                {
                    using var output = pipe.Writer.AsStream(leaveOpen: true);
                    LedgerExport.Write(header, source.Lines(), null, output);
                }
                catch (Exception e) when (e is IOException or InvalidDataException or StoreException or InvalidOperationException)
                {
                    fault = e;
                }

                pipe.Writer.Complete(fault);
            },
            cancel);
        using var input = pipe.Reader.AsStream();
        try
        {
            return ReadLedger(input, path, keys, take, cancel);
        }
        catch (StoreException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
        finally
        {
            pipe.Reader.Complete();
            writing.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Wait(CancellationToken.None);
        }
    }

    private static StatementSource ReadLedger(Stream export, string path, IReadOnlyList<string> keys, Action<LedgerRecord> take, CancellationToken cancel)
    {
        var verifier = new LedgerVerifier(keys)
        {
            Accepted = record =>
            {
                cancel.ThrowIfCancellationRequested();
                take(record);
            },
        };
        var verdict = verifier.Verify(export);
        if (verdict.Fault is { } fault)
        {
            throw new InvalidDataException($"{path}: {fault}. It is read as a whole only: 'edgegateway ledger verify' says more of an export.");
        }

        var position = $"record {verdict.Last} of gateway {verdict.Header!.Gateway}, sealed through record {verdict.SealedThrough}, key {verdict.Keys[^1][..16]}{(verdict.IsTrusted ? " (given)" : " (named by the ledger itself)")}";
        return new("ledger", Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))), position, Verified: true);
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

        foreach (var (entry, _, _) in entries.OrderBy(e => e.Entry.Record.Start).ThenBy(e => e.Epoch).ThenBy(e => e.Sequence))
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
                entries.Add((new StatementEntry(published.Device, published.Entry), epoch, sequence));
            }

            sequence++;
        }
    }
}
