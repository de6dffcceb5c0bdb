using System.Buffers;
using System.Buffers.Binary;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

/// <summary>
/// A store with something in every table, closed or as a killed process leaves it, and damage at every interesting place of every file. Whatever it is: the store
/// opens by itself, what lies outside the damage is there unchanged, no number is given twice, and nothing is gone in silence (requirements O-8 to O-10, O-13, R-5).
/// </summary>
public sealed class StoreDamageEverywhereTests : IClassFixture<StoreDamageEverywhereTests.Originals>
{
    private const int PageSize = 4096;
    private const int FrameBytes = PageSize + 24;
    private readonly Originals _originals;

    public StoreDamageEverywhereTests(Originals originals) => _originals = originals;

    private static bool IsLong => Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1";

    /// <summary>Every page of the file, or in the quick suite two of each kind: the kinds are told apart by the byte a page begins with.</summary>
    private static IEnumerable<int> Pages(byte[] file)
    {
        var pages = file.Length / PageSize;
        if (IsLong)
        {
            return Enumerable.Range(0, pages);
        }

        var firstOfFreeList = (int)BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(32)) - 1;
        return Enumerable.Range(0, pages)
            .GroupBy(p => p == 0 ? -1 : p == 1 ? -2 : p == firstOfFreeList ? -3 : (int)file[p * PageSize])
            .SelectMany(g => new[] { g.First(), g.ElementAt(g.Count() / 2) }).Distinct();
    }

    private static byte[] Flip(byte[] file, long at, byte bit = 0x10)
    {
        var copy = file.ToArray();
        copy[at] ^= bit;
        return copy;
    }

    private static byte[] Overwrite(byte[] file, long at, int length, byte? with)
    {
        var copy = file.ToArray();
        var part = copy.AsSpan((int)at, (int)Math.Min(length, file.Length - at));
        if (with is { } value)
        {
            part.Fill(value);
        }
        else
        {
            new Random((int)at).NextBytes(part);
        }

        return copy;
    }

    private static byte[] Cut(byte[] file, long length) => file.AsSpan(0, (int)Math.Min(length, file.Length)).ToArray();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_header_of_the_database(bool killed)
    {
        var o = _originals.Of(killed);
        for (var at = 0; at < 100; at += IsLong ? 1 : 3)
        {
            o.Survives($"bit of header byte {at}", o.Files with { Main = Flip(o.Files.Main, at) });
        }

        o.Survives("header of zeros", o.Files with { Main = Overwrite(o.Files.Main, 0, 100, 0) });
        o.Survives("header of noise", o.Files with { Main = Overwrite(o.Files.Main, 0, 100, null) });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pages_of_every_kind(bool killed)
    {
        var o = _originals.Of(killed);
        // A page begins with its kind, the count of its cells (3, 4), where they begin (5, 6) and, in a leaf, from 8 on, where each is.
        int[] places = IsLong ? [0, 1, 3, 4, 5, 6, 8, 9, 10, 12, 40, 500, 1000, 2000, 3000, 3900, 4090, 4095] : [0, 3, 4, 8, 9, 12, 2000, 4090];
        foreach (var page in Pages(o.Files.Main))
        {
            foreach (var place in places)
            {
                o.Survives($"bit of byte {place} of page {page + 1}", o.Files with { Main = Flip(o.Files.Main, (page * PageSize) + place) });
            }

            o.Survives($"page {page + 1} of zeros", o.Files with { Main = Overwrite(o.Files.Main, page * PageSize, PageSize, 0) });
            o.Survives($"page {page + 1} of noise", o.Files with { Main = Overwrite(o.Files.Main, page * PageSize, PageSize, null) });
            o.Survives($"a sector of noise in page {page + 1}", o.Files with { Main = Overwrite(o.Files.Main, (page * PageSize) + 1024, 512, null) });
        }
    }

    [Fact]
    public void The_header_of_the_write_ahead_log()
    {
        var o = _originals.Of(killed: true);
        for (var at = 0; at < 32; at += IsLong ? 1 : 2)
        {
            o.Survives($"bit of log header byte {at}", o.Files with { Log = Flip(o.Files.Log!, at) });
        }

        o.Survives("log header of zeros", o.Files with { Log = Overwrite(o.Files.Log!, 0, 32, 0) });
    }

    [Fact]
    public void Frames_of_the_first_a_middle_and_the_last_commit()
    {
        var o = _originals.Of(killed: true);
        var frames = (o.Files.Log!.Length - 32) / FrameBytes;
        var chosen = IsLong ? Enumerable.Range(0, frames) : new[] { 0, 1, frames / 2, o.LiveFrames - 3, o.LiveFrames - 2, o.LiveFrames - 1, Math.Min(o.LiveFrames, frames - 1) }.Where(f => f >= 0).Distinct();
        foreach (var frame in chosen)
        {
            foreach (var place in IsLong ? new[] { 0, 3, 4, 7, 8, 12, 16, 20, 24, 32, 500, 2000, 4000, 4119 } : [3, 7, 9, 17, 26, 2000, 4119])
            {
                o.Survives($"bit of byte {place} of frame {frame} of {o.LiveFrames}", o.Files with { Log = Flip(o.Files.Log, 32 + (frame * (long)FrameBytes) + place) });
            }

            o.Survives($"frame {frame} of noise", o.Files with { Log = Overwrite(o.Files.Log, 32 + (frame * (long)FrameBytes), FrameBytes, null) });
        }
    }

    [Fact]
    public void The_last_transaction_of_the_log_hit_by_one_bit_is_not_forgotten_in_silence()
    {
        var o = _originals.Of(killed: true);
        var report = o.Survives("a bit of the last frame", o.Files with { Log = Flip(o.Files.Log!, 32 + ((o.LiveFrames - 1) * (long)FrameBytes) + 3000) });
        Assert.NotNull(report);
        Assert.Contains("last commits are gone", report.Cause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Files_cut_at_pages_and_between(bool killed)
    {
        var o = _originals.Of(killed);
        var main = o.Files.Main.Length;
        var cuts = IsLong
            ? Enumerable.Range(0, main / PageSize).SelectMany(p => new[] { p * PageSize, (p * PageSize) + 1, (p * PageSize) + 2048 })
            : [0, 1, 99, 100, 512, PageSize, PageSize + 1, 2 * PageSize, main / 2, (main / 2 / PageSize * PageSize) + 7, main - PageSize, main - 1];
        foreach (var length in cuts)
        {
            o.Survives($"database cut at {length} of {main}", o.Files with { Main = Cut(o.Files.Main, length) });
        }

        if (o.Files.Log is { } log)
        {
            foreach (var length in IsLong ? Enumerable.Range(0, log.Length / 1000).Select(i => i * 1000) : [0, 1, 31, 32, 33, 32 + FrameBytes, 32 + FrameBytes + 1, log.Length / 2, 32 + ((o.LiveFrames - 1) * FrameBytes), 32 + (o.LiveFrames * FrameBytes) - 1])
            {
                o.Survives($"log cut at {length} of {log.Length}", o.Files with { Log = Cut(log, length) });
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Files_that_are_gone_or_empty(bool killed)
    {
        var o = _originals.Of(killed);
        Assert.NotNull(o.Survives("no database", o.Files with { Main = null! }));
        Assert.NotNull(o.Survives("an empty database", o.Files with { Main = [] }));
        Assert.Null(o.Survives("no marker", o.Files with { Marker = null }));
        Assert.Null(o.Survives("an empty marker", o.Files with { Marker = [] }));
        Assert.Null(o.Survives("a marker of noise", o.Files with { Marker = Overwrite(o.Files.Marker!, 0, 100, null) }));
        Assert.Null(o.Survives("no witness", o.Files with { Witness = null }));
        Assert.Null(o.Survives("an empty witness", o.Files with { Witness = [] }));
        Assert.Null(o.Survives("a witness cut short", o.Files with { Witness = Cut(o.Files.Witness!, 20) }));
        for (var at = 0; at < 32; at++)
        {
            Assert.Null(o.Survives($"bit of byte {at} of the witness", o.Files with { Witness = Flip(o.Files.Witness!, at) }));
        }

        Assert.Null(o.Survives("a shared memory of noise", o.Files with { SharedMemory = Overwrite(new byte[32768], 0, 32768, null) }));
        Assert.Null(o.Survives("an empty shared memory", o.Files with { SharedMemory = [] }));
        if (killed)
        {
            Assert.NotNull(o.Survives("no log", o.Files with { Log = null }));
            Assert.NotNull(o.Survives("an empty log", o.Files with { Log = [] }));
        }
    }

    /// <summary>The files of a store, as bytes; null: not there.</summary>
    public sealed record Image(byte[] Main, byte[]? Log, byte[]? Marker, byte[]? Witness, byte[]? SharedMemory);

    /// <summary>The undamaged stores, made once.</summary>
    public sealed class Originals
    {
        private readonly Lazy<Original> _closed = new(() => Make(killed: false));
        private readonly Lazy<Original> _killed = new(() => Make(killed: true));

        public Original Of(bool killed) => (killed ? _killed : _closed).Value;

        private static Original Make(bool killed)
        {
            using var t = new TestStore();
            t.Store.SaveConfiguration("hash", new Dictionary<string, string> { ["gateway.yaml"] = new('x', 9000) });
            var all = new Dictionary<long, (OutboxRow Row, byte[] Frame)>();
            for (var n = 1; n <= 75; n++)
            {
                t.Feed(n % 10 == 0 ? 400 : 20);
                for (var i = 0; i < 3; i++)
                {
                    t.Add((n + i) % 4 == 0 ? FeedStream.Emission : FeedStream.Summary, RowClass.Summary, bytes: (n % 12) switch { 0 => 9000, 1 => 3900, 2 => 1500, _ => 200 });
                }

                t.Batch.Counters.Add(("commits", n));
                t.Batch.Notes.Add(new StoreNote($"key/{n % 7}", new string('n', 100 + n)));
                if (n % 20 == 0)
                {
                    t.SetCheckpoint(9000);
                    t.Clock.Advance(TimeSpan.FromSeconds(n == 60 ? 0 : 61));
                }

                if (n == 25)
                {
                    t.Store.Quarantine(TestStore.Destination, 31, "the test refuses it");
                }

                for (var id = (n - 1) * 2; n is > 10 and < 30 && id < n * 2; id++)
                {
                    t.Store.Acknowledge(TestStore.Destination, id);
                }

                var rows = t.Batch.Rows.ToArray();
                var first = t.Store.Commit(t.Batch).FirstRowId;
                t.Batch.Clear();
                for (var i = 0; i < rows.Length; i++)
                {
                    var frame = new ArrayBufferWriter<byte>();
                    OutboxRowFrame.Encode(rows[i], first + i, frame);
                    all.Add(first + i, (rows[i] with { Id = first + i }, frame.WrittenSpan.ToArray()));
                }
            }

            var waiting = t.ReadAll().Select(r => r.Id).ToHashSet();
            var lost = t.Recovery.UnpublishedLosses.Concat(t.Store.Recover().UnpublishedLosses).ToList();
            Image files;
            if (killed)
            {
                files = Read(t.Directory);
                Assert.True(files.Log is { Length: > 12 * FrameBytes }, "The newest commits lie in the log.");
            }
            else
            {
                t.Store.Dispose();
                files = Read(t.Directory) with { Log = null };
            }

            return new Original(files with { SharedMemory = null }, all, waiting, t.Next.ToDictionary(), t.Epoch(FeedStream.Summary), lost);
        }

        private static Image Read(string directory)
        {
            byte[]? Bytes(string name)
            {
                var path = Path.Combine(directory, name);
                if (!File.Exists(path))
                {
                    return null;
                }

                using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                var bytes = new byte[file.Length];
                file.ReadExactly(bytes);
                return bytes;
            }

            return new Image(Bytes("gateway.db")!, Bytes("gateway.db-wal"), Bytes("gateway.store"), Bytes("gateway.last"), null);
        }
    }

    /// <summary>An undamaged store and what it holds.</summary>
    public sealed class Original(
        Image files, Dictionary<long, (OutboxRow Row, byte[] Frame)> all, HashSet<long> waiting, Dictionary<FeedStream, long> next, long epoch, List<RecordLoss> lost)
    {
        public Image Files { get; } = files;

        /// <summary>Frames of the log that belong to its present round: those before have other salts.</summary>
        public int LiveFrames { get; } = files.Log is { } log
            ? Enumerable.Range(0, (log.Length - 32) / FrameBytes).TakeWhile(f => log.AsSpan(32 + (f * FrameBytes) + 8, 8).SequenceEqual(log.AsSpan(16, 8))).Count()
            : 0;

        /// <summary>Opens a damaged copy, uses it, and holds it against the original.</summary>
        /// <returns>The report of the salvage, if there was one.</returns>
        public RecoveryReport? Survives(string what, Image damaged)
        {
            var directory = Directory.CreateTempSubdirectory("edgegateway-damage-").FullName;
            void Put(string name, byte[]? bytes)
            {
                if (bytes is not null)
                {
                    File.WriteAllBytes(Path.Combine(directory, name), bytes);
                }
            }

            Put("gateway.db", damaged.Main);
            Put("gateway.db-wal", damaged.Log);
            Put("gateway.store", damaged.Marker);
            Put("gateway.last", damaged.Witness);
            Put("gateway.db-shm", damaged.SharedMemory);
            try
            {
                using var t = Open(directory);
                return Check(t, damaged);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException { Message: null })
            {
                throw new InvalidOperationException($"After {what}: {e.Message}", e);
            }
            finally
            {
                if (Directory.Exists(directory))
                {
                    Directory.Delete(directory, recursive: true);
                }
            }
        }

        // As the gateway does: damage that the first use meets is noted, and the next opening salvages.
        private static TestStore Open(string directory)
        {
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    return new TestStore(directory);
                }
                catch (StoreException e) when (e.Failure == StoreFailure.Damaged && attempt < 3)
                {
                    Assert.True(File.Exists(Path.Combine(directory, "gateway.suspect")), "Damage is noted for the next opening.");
                }
            }
        }

        private RecoveryReport? Check(TestStore t, Image damaged)
        {
            var report = t.Recovery.Report;
            List<OutboxRow> rows = [];
            List<RecordLoss> told = [];
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    // As the gateway does: recover, replay, deliver, commit.
                    told = [.. t.Store.Recover().UnpublishedLosses];
                    Sample[] samples = [];
                    foreach (var batch in t.ReadLog(t.Recovery.Checkpoint?.LogNumber ?? 0))
                    {
                        if (InputBatchCodec.TryDecode(batch.Frame.Span, TestStore.ValueOf, ref samples, out _) != FrameStatus.Intact)
                        {
                            t.Store.MarkDamaged($"batch {batch.Number} cannot be read");
                            throw new StoreException(StoreFailure.Damaged, "batch");
                        }
                    }

                    rows = t.ReadAll();
                    t.Feed();
                    var added = t.Add();
                    var result = t.Commit();
                    told.AddRange(result.Losses);
                    Assert.True(result.FirstRowId > all.Keys.Max() || report is not null, "A row id was given twice.");
                    Assert.True(added.Epoch > epoch || (added.Epoch == epoch && added.FirstSequence >= next[added.Stream]), $"Sequence {added.FirstSequence} of epoch {added.Epoch} was given twice.");
                    break;
                }
                catch (StoreException e) when (e.Failure == StoreFailure.Damaged && attempt < 4)
                {
                    t.Reopen();
                    report = t.Recovery.Report ?? report;
                }
            }

            // What is there is what was written.
            foreach (var row in rows)
            {
                Assert.True(all.TryGetValue(row.Id, out var original) && original.Row.FirstSequence == row.FirstSequence && original.Row.Stream == row.Stream, $"Row {row.Id} was never written so.");
                Assert.True(original.Row.Body.Span.SequenceEqual(row.Body.Span), $"Row {row.Id} is not what was written.");
            }

            var there = rows.Select(r => r.Id).ToHashSet();
            var gone = waiting.Where(id => !there.Contains(id)).ToList();
            if (report is null)
            {
                // Numbering went on, and whatever is gone is counted.
                var silent = gone.Where(id => !IsTold(all[id].Row, told)).ToList();
                Assert.True(silent.Count == 0, $"Rows {string.Join(", ", silent)} are gone in silence.");
                Assert.Equal(epoch, t.Epoch(FeedStream.Summary));
            }
            else
            {
                Assert.True(report.Epoch > epoch);

                // What lies outside the damage is there: every row whose bytes are whole and in one piece.
                var inReach = gone.Where(id => Contains(damaged, all[id].Frame)).ToList();
                Assert.True(inReach.Count == 0 || inReach.All(id => IsTold(all[id].Row, told)), $"Rows {string.Join(", ", inReach)} could have been read ({report.Cause}).");
            }

            // And it is over: the next start is an ordinary one.
            t.Batch.RecoveryReportPublished = true;
            t.Add();
            t.Commit();
            t.Reopen();
            Assert.Null(t.Recovery.Report);
            return report;
        }

        private bool IsTold(OutboxRow row, List<RecordLoss> told) => told.Concat(lost).Any(l =>
            l.Stream == row.Stream && l.Epoch == row.Epoch && l.First <= row.FirstSequence && row.FirstSequence + row.Count - 1 <= l.Last);

        private static bool Contains(Image files, byte[] frame) =>
            (files.Main is { Length: > 0 } && files.Main.AsSpan().IndexOf(frame) >= 0) || (files.Log is not null && files.Log.AsSpan().IndexOf(frame) >= 0);
    }
}
