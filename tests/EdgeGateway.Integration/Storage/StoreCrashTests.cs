using System.Text;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;

namespace EdgeGateway.Integration.Storage;

/// <summary>A store found after the process or the power went: whatever is there must be one commit, whole.</summary>
public sealed class StoreCrashTests
{
    // Commit n feeds batch n, adds rows n (summary) and n (emission), sets the heads and the counter to n, and takes a checkpoint every 7.
    private static void CommitNumber(TestStore t, long n)
    {
        t.Feed(20);
        t.Add(FeedStream.Summary, RowClass.Summary, bytes: (int)(n * 37 % 900));
        t.Add(FeedStream.Emission, RowClass.Compliance, bytes: n % 11 == 0 ? 9000 : 150);
        t.Batch.Counters.Add(("commits", n));

        // Every fourth is of another day: the day before is sealed, and its rows become one.
        t.Enter(new(n * 6 * 3_600_000), $"commit {n}");
        if (n % 7 == 0)
        {
            t.SetCheckpoint(stateBytes: 3000);
        }

        t.Commit();
    }

    /// <summary>Checks that everything in the store belongs to one commit boundary; returns its number.</summary>
    private static long AssertOneBoundary(TestStore t)
    {
        var r = t.Recovery;
        var n = r.Counters.GetValueOrDefault("commits");
        Assert.Null(r.Report);
        Assert.Equal(n + 1, r.NextBatchNumber);
        Assert.Equal(n + 1, r.Heads[FeedStream.Summary].Next);
        Assert.Equal(n + 1, r.Heads[FeedStream.Emission].Next);
        Assert.Equal(2 * n, t.Store.LastRowId);
        Assert.Equal(n / 7 * 7, r.Checkpoint?.LogNumber ?? 0);
        if (r.Checkpoint is { } checkpoint)
        {
            Assert.Equal(TestStore.MakeState(checkpoint.LogNumber, 3000), checkpoint.State.ToArray());
        }

        var rows = t.ReadAll();
        Assert.Equal(Enumerable.Range(1, (int)(2 * n)).Select(i => (long)i), rows.Select(row => row.Id));
        Assert.All(rows, row =>
        {
            Assert.Equal((row.Id + 1) / 2, row.FirstSequence);
            Assert.Equal(row.Id % 2 == 1 ? FeedStream.Summary : FeedStream.Emission, row.Stream);
            Assert.Contains($"\"seq\":{row.FirstSequence},", Encoding.UTF8.GetString(row.Body.Span), StringComparison.Ordinal);
        });
        Assert.Equal(Enumerable.Range(1, (int)n).Select(i => (long)i), t.ReadLog().Select(b => b.Number));
        Sample[] samples = [];
        foreach (var batch in t.ReadLog(r.Checkpoint?.LogNumber ?? 0))
        {
            Assert.Equal(FrameStatus.Intact, InputBatchCodec.TryDecode(batch.Frame.Span, TestStore.ValueOf, ref samples, out var input));
            Assert.Equal(TestStore.MakeInput(batch.Number, 20).Samples.ToArray(), input.Samples.ToArray());
        }

        // The ledger is of the same commit, and whole.
        if (n > 0)
        {
            var (verdict, records) = TestStore.Ledger(t.Directory);
            Assert.Null(verdict.Fault);
            Assert.Equal(Enumerable.Range(1, (int)n).Select(i => $"commit {i}"), records.Select(record => record.Content).OfType<GapContent>().Select(c => c.Cause));
            Assert.Equal(n / 4, verdict.Seals);
        }

        return n;
    }

    private static TestStore OpenCopy(string from, Action<string> change)
    {
        var to = Directory.CreateTempSubdirectory("edgegateway-copy-").FullName;
        foreach (var name in new[] { "gateway.db", "gateway.db-wal", "gateway.store" })
        {
            if (File.Exists(Path.Combine(from, name)))
            {
                File.Copy(Path.Combine(from, name), Path.Combine(to, name));
            }
        }

        change(to);
        return new TestStore(to);
    }

    [Fact]
    public void A_copy_taken_between_any_two_commits_is_that_commit()
    {
        // What kill -9 leaves behind: the files as the kernel has them, the shared memory gone.
        using var t = new TestStore(budgetBytes: 4 << 20, sampleLogBytes: 2 << 20);
        for (var n = 1L; n <= 60; n++)
        {
            CommitNumber(t, n);
            if (n % 9 == 0)
            {
                using var copy = OpenCopy(t.Directory, _ => { });
                Assert.Equal(n, AssertOneBoundary(copy));
            }
        }
    }

    [Fact]
    public async Task Copies_taken_while_commits_run_are_whole_commits()
    {
        using var t = new TestStore(budgetBytes: 64 << 20);
        CommitNumber(t, 1);
        var last = 1L;
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(() =>
        {
            // 64 MiB: no checkpoint of the log comes in between, which a copy made file by file could not follow.
            for (var n = 2L; n <= 60 && !stop.IsCancellationRequested; n++)
            {
                CommitNumber(t, n);
                Interlocked.Exchange(ref last, n);
            }
        });

        try
        {
            var seen = 0L;
            for (var i = 0; i < 12; i++)
            {
                var atLeast = Interlocked.Read(ref last);
                using var copy = OpenCopy(t.Directory, _ => { });
                var n = AssertOneBoundary(copy);
                Assert.True(n >= atLeast, $"Commit {atLeast} had been reported as durable, the copy ends at {n}.");
                Assert.True(n >= seen);
                seen = n;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await writing;
        }
    }

    [Fact]
    public void The_log_cut_at_any_frame_and_inside_frames_leaves_a_whole_commit()
    {
        using var t = new TestStore(budgetBytes: 64 << 20);
        for (var n = 1L; n <= 15; n++)
        {
            CommitNumber(t, n);
        }

        var length = new FileInfo(t.Database + "-wal").Length;
        var frames = (length - 32) / 4120;
        var before = 0L;
        for (var frame = 0L; frame <= frames; frame++)
        {
            foreach (var extra in frame % 4 == 0 ? new long[] { 0, 1, 24, 2000, 4119 } : [0])
            {
                var cut = Math.Min(length, 32 + (frame * 4120) + extra);
                using var copy = OpenCopy(t.Directory, to =>
                {
                    using var wal = new FileStream(Path.Combine(to, "gateway.db-wal"), FileMode.Open);
                    wal.SetLength(cut);
                });

                // Cut before the first commit, the tables are missing although the marker says that there is a store: damage, and said so.
                if (copy.Recovery.Report is { } report)
                {
                    Assert.Equal(0, before);
                    Assert.True(report.Epoch > t.Epoch(FeedStream.Summary));
                    continue;
                }

                var n = AssertOneBoundary(copy);
                Assert.True(n >= before, "A longer log never holds less.");
                before = n;
            }
        }

        Assert.Equal(15, before);
    }

    [Fact]
    public void A_log_frame_with_a_flipped_bit_and_commits_behind_it_is_damage_not_an_early_end()
    {
        using var t = new TestStore(budgetBytes: 64 << 20);
        for (var n = 1L; n <= 15; n++)
        {
            CommitNumber(t, n);
        }

        using var copy = OpenCopy(t.Directory, to => Flip(Path.Combine(to, "gateway.db-wal"), 32 + (40 * 4120) + 3000));

        // SQLite alone would go back to the commit before the flipped bit and number the next records like those already sent.
        var report = copy.Recovery.Report;
        Assert.NotNull(report);
        Assert.True(report.Epoch > t.Epoch(FeedStream.Summary));
        Assert.All(copy.Recovery.Heads.Values, h => Assert.Equal((report.Epoch, 1), (h.Epoch, h.Next)));
        Assert.Equal(30, copy.Store.LastRowId);
        var rows = copy.ReadAll();
        Assert.True(rows.Count >= 29, $"{rows.Count} of 30 rows saved; one page was damaged.");
        Assert.True(report.RowsFoundByScan > 0);
        Assert.All(rows, row => Assert.Equal(t.Epoch(FeedStream.Summary), row.Epoch));
    }

    [Fact]
    public void A_second_start_after_damage_is_a_normal_start()
    {
        using var t = new TestStore();
        CommitNumber(t, 1);
        t.Store.Dispose();
        File.WriteAllBytes(t.Database, new byte[10000]);
        t.Reopen();
        var report = t.Recovery.Report;
        Assert.NotNull(report);
        Assert.Contains("not an SQLite database", report.Cause, StringComparison.Ordinal);
        t.Batch.RecoveryReportPublished = true;
        t.Add();
        t.Commit();
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(report.Epoch, t.Recovery.Heads[FeedStream.Summary].Epoch);
        Assert.Equal(2, t.Recovery.Heads[FeedStream.Summary].Next);
        Assert.Equal([report.SetAside], t.Store.Statistics().DamagedSets);
    }

    private static void Flip(string path, long at)
    {
        using var file = new FileStream(path, FileMode.Open);
        file.Position = at;
        var b = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(b ^ 0x10));
    }
}
