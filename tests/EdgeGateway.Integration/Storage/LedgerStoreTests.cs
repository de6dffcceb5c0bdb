using System.Runtime.Versioning;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

/// <summary>The ledger in the store: packed by day, closed after its years, carried over by a salvage, with a key that nobody else can read.</summary>
public sealed class LedgerStoreTests
{
    private const long Hour = 3_600_000;

    private static void Fill(TestStore t, int days)
    {
        for (var hour = 0; hour < days * 24; hour++)
        {
            t.Enter(new(hour * Hour), $"hour {hour}");
            t.Commit();
        }
    }

    [Fact]
    public void A_sealed_day_is_one_row_and_is_read_as_it_was_written()
    {
        using var t = new TestStore();
        Fill(t, 3);
        Assert.Equal(2, Sql.Long(t.Database, "SELECT count(*) FROM ledger WHERE packed = 1"));
        Assert.Equal(24, Sql.Long(t.Database, "SELECT count(*) FROM ledger WHERE packed = 0"));
        var (verdict, records) = TestStore.Ledger(t.Directory);
        Assert.Null(verdict.Fault);
        Assert.Equal((75L, 2L), (verdict.Records, verdict.Seals)); // the opening, 72 hours, two seals

        // It goes on after a restart with the same chain.
        t.Reopen();
        t.Enter(new(72 * Hour), "hour 72");
        t.Commit();
        Assert.Equal((77L, 3L), TestStore.Ledger(t.Directory).Verdict is { Fault: null } v ? (v.Records, v.Seals) : default);
        Assert.Equal(Enumerable.Range(0, 72).Select(h => $"hour {h}"), records.Select(r => r.Content).OfType<GapContent>().Select(c => c.Cause));
    }

    [Fact]
    public void A_commit_that_fails_leaves_the_ledger_as_it_was_and_succeeds_as_it_is()
    {
        using var t = new TestStore();
        Fill(t, 1);
        t.Enter(new(24 * Hour), "hour 24");
        t.Batch.Heads.Add(new StreamHead(Core.Feed.FeedStream.Emission, 0, 0));
        Assert.Throws<ArgumentException>(() => t.Store.Commit(t.Batch));
        Assert.Equal(25, TestStore.Ledger(t.Directory).Verdict.Records);
        t.Batch.Heads.Clear();
        t.Commit();
        Assert.Null(TestStore.Ledger(t.Directory).Verdict.Fault);
        Assert.Equal(27, TestStore.Ledger(t.Directory).Verdict.Records);
    }

    [Fact]
    public void A_clock_that_steps_for_a_while_closes_nothing()
    {
        using var t = new TestStore();
        Fill(t, 4);

        // Ahead: all but a day or two is over. Back: the newest alone is.
        Assert.Null(t.Store.FindExpiredLedger(new(49 * Hour)));
        t.Enter(new(-500 * Hour), "long ago");
        t.Enter(new(-470 * Hour), "long ago");
        t.Commit();
        Assert.Null(t.Store.FindExpiredLedger(new(-100 * Hour)));
    }

    [Fact]
    public void What_is_closed_is_removed_and_the_rest_is_whole_with_the_link_it_goes_on_from()
    {
        using var t = new TestStore();
        Fill(t, 10);
        Assert.Null(t.Store.FindExpiredLedger(new(0)));
        var expiry = t.Store.FindExpiredLedger(new(49 * Hour))!;
        Assert.False(expiry.IsForRoom);
        t.Chain.Append(new(240 * Hour), new ClosingContent("gw", expiry.Through, expiry.Head, "their 10 years are over"));
        t.Batch.LedgerRemovedThrough = expiry.Through;
        t.Enter(new(240 * Hour), "hour 240");
        t.Commit();
        var (verdict, records) = TestStore.Ledger(t.Directory);
        Assert.Null(verdict.Fault);
        Assert.Equal((expiry.Through, expiry.Head), (verdict.Header!.After, verdict.Header.Head));
        Assert.Equal(expiry.Through + 1, records[0].Number);
        Assert.Equal(records.Single(r => r.Content is ClosingContent).Number, verdict.ClosedBy);

        // One that ends with another link than the closing says is not what was closed.
        var lines = LedgerSourceLines(t);
        using var forged = new MemoryStream();
        LedgerExport.Write(verdict.Header with { Head = new string('a', 64) }, lines, TestStore.LedgerKey, forged);
        forged.Position = 0;
        Assert.NotNull(new LedgerVerifier(TestStore.LedgerKey.PublicKey).Verify(forged).Fault);
    }

    private static List<LedgerLine> LedgerSourceLines(TestStore t) => [.. Ledgers.LedgerSource.Open(t.Directory).Lines()];

    [Fact]
    public void A_row_that_rotted_is_named_and_what_is_whole_survives_a_salvage()
    {
        using var t = new TestStore();
        Fill(t, 3);
        t.Store.MarkDamaged("a test");
        t.Reopen();
        Assert.NotNull(t.Recovery.Report);
        Assert.Equal(75, TestStore.Ledger(t.Directory).Verdict.Records);

        // The last rows are gone: the number goes on behind what was given, and the store says so.
        t.Store.Dispose();
        Sql.Execute(t.Database, "DELETE FROM ledger WHERE first >= 70");
        t.Reopen();
        var found = t.Store.RecoverLedger();
        Assert.Equal((76L, true), (found.State!.Next, found.Damage!.Contains("the last records are gone", StringComparison.Ordinal)));
        t.Store.Dispose();
        Sql.Execute(t.Database, "UPDATE ledger SET body = x'00' WHERE first = 1");
        t.Reopen();
        Assert.Contains("not what was written", Assert.Throws<InvalidDataException>(() => LedgerSourceLines(t)).Message, StringComparison.Ordinal);
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public void The_device_key_is_made_once_and_only_its_owner_reads_it()
    {
        var directory = Directory.CreateTempSubdirectory("edgegateway-key-").FullName;
        try
        {
            var key = LedgerKeyFile.LoadOrMake(directory, out var problem);
            var path = Path.Combine(directory, LedgerKeyFile.Name);
            Assert.Null(problem);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            Assert.Equal(key.PublicKey, LedgerKeyFile.LoadOrMake(directory, out _).PublicKey);
            Assert.Equal(key.PublicKey, DeviceKey.ReadPublic(File.ReadAllText(Path.Combine(directory, LedgerKeyFile.PublicName))));
            File.WriteAllText(path, "nothing");
            Assert.NotEqual(key.PublicKey, LedgerKeyFile.LoadOrMake(directory, out problem).PublicKey);
            Assert.Contains("cannot be used", problem, StringComparison.Ordinal);
            Assert.True(File.Exists(path + ".damaged"));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
