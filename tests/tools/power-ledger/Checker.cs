using System.Buffers;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;
using EdgeGateway.Tests.Shared;
using Microsoft.Data.Sqlite;

namespace EdgeGateway.PowerLedger;

/// <summary>Looks at what a power cut left, goes on from there, and lets the receiver's proof judge.</summary>
internal static class Checker
{
    private const int RunOfTheChecker = 2;
    private const int MostText = 500;

    /// <param name="directory">The store on the disk that lost its power.</param>
    /// <param name="evidence">What arrived at the centre; null when there was none.</param>
    /// <param name="acknowledged">The last commit that was said to be durable.</param>
    /// <returns>0 when all is well; else 1, with the fault on the standard output.</returns>
    public static int Run(string directory, string? evidence, long acknowledged)
    {
        try
        {
            if (acknowledged == 0 && !File.Exists(Path.Combine(directory, "gateway.store")))
            {
                Console.WriteLine("no store yet, and none was promised");
                return 0;
            }

            Console.WriteLine(Check(directory, evidence, acknowledged));
            return 0;
        }
        catch (Exception e) when (e is CheckFailed or Storage.StoreException or InvalidDataException or IOException)
        {
            var fault = e.Message.ReplaceLineEndings(" ");
            Console.WriteLine(fault.Length <= MostText ? fault : fault[..MostText]);
            return 1;
        }
    }

    private static string Check(string directory, string? evidence, long acknowledged)
    {
        long commits;
        var audit = new FeedAudit(new FeedAuditOptions { Deep = true, RememberedRecords = 1_000_000, RequireOrder = true });
        var envelope = new FeedEnvelope(ExampleFeed.Site.SiteId, ExampleFeed.Site.GatewayId);
        int left;
        long delivered = 0;
        using (var book = new Book(directory, RunOfTheChecker))
        {
            var found = book.Recovery;
            commits = book.Commits;
            Require(found.Report is null, $"it was taken for damaged: {found.Report?.Cause}");
            Require(commits >= acknowledged, $"commit {acknowledged} was acknowledged, the store ends with {commits}");
            OneBoundary(book, commits);

            foreach (var (topic, payload) in evidence is null ? [] : Evidence.Read(evidence, commits))
            {
                // The numbers go on behind everything that ever left.
                if (Centre.Message(payload) is { } message)
                {
                    Require(message.LastSequence < book.Heads[message.Stream], $"{message.Stream} {message.LastSequence} has left, the store numbers on at {book.Heads[message.Stream]}");
                    delivered += message.Records.Count;
                }

                audit.Take(topic, payload, retained: false);
            }

            // Then it goes on, with other contents, as the gateway after its restart.
            book.Commit();
            book.Commit();
            left = Drain(book, audit, envelope);
            var verdict = audit.Verdict();
            Require(verdict.IsProven && verdict.Ledger is { Explained: 0, EpochChanges: 0 }, string.Join(" ", verdict.Reasons().Concat(verdict.Findings).DefaultIfEmpty(verdict.Ledger.ToString())));
            foreach (var stream in verdict.Ledger.Streams)
            {
                Require(stream.LastKnown == book.Heads[stream.Key.Stream] - 1, $"{stream.Key} ends at {stream.LastKnown}, its head says {book.Heads[stream.Key.Stream] - 1}");
            }

            var samples = verdict.Ledger.Streams.Single(s => s.Key.Stream == FeedStream.Sample);
            Require(samples.Received == (commits + 2) * Book.Samples, $"{samples.Received} samples are there of {(commits + 2) * Book.Samples}");
        }

        var sound = Integrity(directory);
        Require(sound == "ok", $"the database is not sound: {sound}");
        return $"{commits} commits, {acknowledged} acknowledged, {delivered} records delivered, {left} rows waiting, integrity {sound}";
    }

    /// <summary>Every part of the store is of the same commit.</summary>
    private static void OneBoundary(Book book, long commits)
    {
        var found = book.Recovery;
        Require(found.NextBatchNumber == commits + 1, $"the log ends with {found.NextBatchNumber - 1}, the counter with {commits}");
        Require(found.Heads[FeedStream.Sample].Next == (commits * Book.Samples) + 1, $"the head of the samples is {found.Heads[FeedStream.Sample].Next} after {commits} commits");
        Require(found.Heads[FeedStream.Summary].Next == commits + 1, $"the head of the summaries is {found.Heads[FeedStream.Summary].Next} after {commits} commits");
        var checkpoint = found.Checkpoint?.LogNumber ?? 0;
        Require(checkpoint == commits / Book.CheckpointEvery * Book.CheckpointEvery, $"the checkpoint is {checkpoint} after {commits} commits");
        Require(found.Checkpoint is null || found.Checkpoint.State.Span.SequenceEqual(Book.State(checkpoint)), $"the state of checkpoint {checkpoint} is another");
        var next = checkpoint + 1;
        Core.Sample[] samples = [];
        foreach (var stored in book.Store.ReadBatches(checkpoint))
        {
            Require(stored.Number == next, $"batch {next} is missing");
            Require(
                InputBatchCodec.TryDecode(stored.Frame.Span, Book.ValueOf, ref samples, out var input) == FrameStatus.Intact && input.Samples.Span.SequenceEqual(Book.Input(next).Samples.Span),
                $"batch {next} is another");
            next++;
        }

        Require(next == commits + 1, $"the batches end with {next - 1} of {commits}");
    }

    /// <summary>Gives what waits to the audit, as the uplink would after the restart.</summary>
    private static int Drain(Book book, FeedAudit audit, FeedEnvelope envelope)
    {
        var rows = new List<OutboxRow>();
        var count = 0;
        var after = 0L;
        while (book.Store.Read(after + 1, long.MaxValue, 500, 1 << 20, rows) > 0)
        {
            foreach (var row in rows)
            {
                Require(row.Id > after, $"row {row.Id} stands behind row {after}");
                after = row.Id;
                var message = new ArrayBufferWriter<byte>();
                envelope.Write(message, row, FeedLane.History);
                audit.Take(null, message.WrittenMemory, retained: false);
            }

            count += rows.Count;
            rows.Clear();
        }

        return count;
    }

    /// <summary>What SQLite itself says, page by page; through another connection than the store's.</summary>
    private static string Integrity(string directory)
    {
        using var db = new SqliteConnection($"Data Source={Path.Combine(directory, "gateway.db")};Pooling=False");
        db.Open();
        using var command = db.CreateCommand();
        command.CommandText = "PRAGMA integrity_check";
        return (string)command.ExecuteScalar()!;
    }

    private static void Require(bool holds, string fault)
    {
        if (!holds)
        {
            throw new CheckFailed(fault);
        }
    }

    private sealed class CheckFailed(string fault) : Exception(fault);
}
