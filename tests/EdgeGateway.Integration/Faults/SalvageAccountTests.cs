using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Integration.Storage;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Faults;

/// <summary>After any damage every record of the old epoch was delivered, is saved, or is stated as lost: no gap is left unexplained.</summary>
public sealed class SalvageAccountTests
{
    private const int PageSize = 4096;
    private const int Commits = 60;

    [Fact]
    public void Whatever_pages_are_damaged_each_record_was_delivered_is_saved_or_is_stated()
    {
        var salvages = 0;
        var stated = 0L;
        var rounds = FaultScene.IsLong ? 400 : 12;
        for (var seed = 1; seed <= rounds; seed++)
        {
            var (salvaged, lost) = Damage(seed);
            salvages += salvaged ? 1 : 0;
            stated += lost;
        }

        Assert.True(salvages > rounds / 4 && stated > 0, $"{salvages} salvages, {stated} records lost: nothing was proved");
    }

    private static (bool Salvaged, long Lost) Damage(int seed)
    {
        var random = new Random(seed);
        using var t = new TestStore(budgetBytes: 64 << 20);
        var epoch = t.Epoch(FeedStream.Summary);
        var delivered = new Dictionary<FeedStream, SequenceSet>();
        var rows = new Dictionary<long, OutboxRow>();
        for (var n = 1; n <= Commits; n++)
        {
            foreach (var (stream, kind) in (ReadOnlySpan<(FeedStream, RowClass)>)[(FeedStream.Sample, RowClass.Raw), (FeedStream.Summary, RowClass.Summary), (FeedStream.Emission, RowClass.Compliance), (FeedStream.Range, RowClass.Compliance)])
            {
                var row = t.Add(stream, kind, count: 1 + random.Next(5), bytes: random.Next(3_000));
                rows[rows.Count + 1] = row;
            }

            t.Feed(20);
            if (n == Commits / 2)
            {
                // Half of it is delivered, and the store knows.
                for (var id = 1; id <= t.Store.LastRowId; id++)
                {
                    t.Store.Acknowledge(TestStore.Destination, id);
                    var row = rows[id];
                    if (!delivered.TryGetValue(row.Stream, out var set))
                    {
                        delivered[row.Stream] = set = new SequenceSet();
                    }

                    set.Add(row.FirstSequence, row.FirstSequence + row.Count - 1);
                }
            }

            t.Commit();
        }

        // In half of the cases all lies in the database, in the others most of it in the write-ahead log.
        if (random.Next(2) == 0)
        {
            t.Reopen();
        }

        var to = Directory.CreateTempSubdirectory("edgegateway-account-").FullName;
        foreach (var name in (string[])["gateway.db", "gateway.db-wal", "gateway.store"])
        {
            if (File.Exists(Path.Combine(t.Directory, name)))
            {
                File.Copy(Path.Combine(t.Directory, name), Path.Combine(to, name));
            }
        }

        var victim = new FileInfo(Path.Combine(to, "gateway.db-wal")) is { Exists: true, Length: > 10 * PageSize } log ? log : new FileInfo(Path.Combine(to, "gateway.db"));
        using (var file = victim.OpenWrite())
        {
            var noise = new byte[PageSize * (1 + random.Next(6))];
            random.NextBytes(noise);
            file.Position = random.NextInt64(Math.Max(1, file.Length - noise.Length));
            file.Write(noise.AsSpan(0, (int)Math.Min(noise.Length, file.Length - file.Position)));
        }

        using var damaged = new TestStore(to, budgetBytes: 64 << 20);
        if (damaged.Recovery.Report is not { } report)
        {
            // Not met at the start: a page that is free, or a body that its reader will report.
            return (false, 0);
        }

        var saved = damaged.ReadAll();
        var lost = damaged.Recovery.UnpublishedLosses;
        Assert.All(lost, l => Assert.Equal((LossReason.Unreadable, epoch), (l.Reason, l.Epoch)));
        foreach (var head in report.HeadsBefore.Where(h => h.Epoch == epoch))
        {
            var known = new SequenceSet();
            foreach (var row in saved.Where(r => r.Stream == head.Stream && r.Epoch == epoch))
            {
                known.Add(row.FirstSequence, row.FirstSequence + row.Count - 1);
            }

            // What is saved is not lost.
            foreach (var loss in lost.Where(l => l.Stream == head.Stream))
            {
                Assert.True(known.Add(loss.First, loss.Last) == loss.Last - loss.First + 1, $"seed {seed}: {loss} is saved as well; {report.Cause}");
            }

            foreach (var (first, last) in delivered.GetValueOrDefault(head.Stream)?.Runs ?? [])
            {
                known.Add(first, last);
            }

            Assert.True(!known.Gaps(1, head.Next - 1).Any(), $"seed {seed}: {head.Stream} {string.Join(", ", known.Gaps(1, head.Next - 1))} of {head.Next - 1} is neither delivered nor saved nor stated; {report.Cause}");
        }

        return (true, lost.Sum(l => l.Last - l.First + 1));
    }
}
