using System.Runtime.Versioning;
using EdgeGateway.Core.Feed;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

/// <summary>Copies of a store.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class StoreCopyTests
{
    [Fact]
    public async Task A_copy_that_is_made_while_commits_go_on_is_the_store_of_one_moment()
    {
        using var t = new TestStore();
        for (var n = 0; n < 60; n++)
        {
            t.Feed(50);
            t.Add(bytes: 40_000);
            t.Commit();
        }

        var copy = Path.Combine(t.Directory, "copy.db");
        var copying = t.Store.CopyAsync(copy, CancellationToken.None);
        var committed = 60;
        do
        {
            t.Feed(50);
            t.Add(bytes: 1_000);
            t.Commit();
            committed++;
        }
        while (!copying.IsCompleted);
        await copying;

        // All tables say the same: rows, numbers and sample log end at one commit.
        Assert.Equal("ok", Text(copy, "PRAGMA integrity_check"));
        var rows = Sql.Long(copy, "SELECT count(*) FROM outbox");
        Assert.InRange(rows, 60, committed);
        Assert.Equal(rows, Sql.Long(copy, "SELECT max(number) FROM log"));
        Assert.Equal(rows + 1, Sql.Long(copy, $"SELECT b FROM head WHERE name = 'stream/{(byte)FeedStream.Summary}'"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(copy));
    }

    [Fact]
    public void A_copy_that_begins_anew_numbers_nothing_twice_and_its_next_start_tells_it_once()
    {
        using var t = new TestStore();
        t.Feed(20);
        t.Add();
        t.Commit();
        var rows = t.ReadAll().Select(r => r.Id).ToArray();
        var (epoch, next) = (t.Epoch(FeedStream.Summary), t.Next[FeedStream.Summary]);
        t.Store.Dispose();
        var copy = Path.Combine(t.Directory, "copy.db");
        StoreCopy.MakeOf(new StoreFiles(t.Directory), copy);
        var anew = StoreCopy.BeginAnew(copy, epoch + 5, "restored from a backup", t.Clock);
        Assert.True(anew > epoch + 5, $"{anew} is not behind {epoch + 5}");
        var files = new StoreFiles(t.Directory);
        foreach (var file in new[] { files.Log, files.SharedMemory, files.Witness })
        {
            File.Delete(file);
        }

        File.Move(copy, t.Database, overwrite: true);
        new StoreMarker(anew).Write(files.Marker);
        t.Reopen();
        Assert.Equal((anew, 1L), (t.Recovery.Heads[FeedStream.Summary].Epoch, t.Recovery.Heads[FeedStream.Summary].Next));
        var report = t.Recovery.Report;
        Assert.NotNull(report);
        Assert.Equal((true, "restored from a backup"), (report.IsRestore, report.Cause));
        Assert.Contains(report.HeadsBefore, h => h.Stream == FeedStream.Summary && h.Epoch == epoch && h.Next == next);
        Assert.Equal(rows, t.ReadAll().Select(r => r.Id));
        t.Batch.RecoveryReportPublished = true;
        t.Feed(1);
        t.Commit();
        t.Reopen();
        Assert.Null(t.Recovery.Report);
    }

    private static string? Text(string path, string sql)
    {
        using var db = Database.OpenForSalvage(path);
        return db.QueryText(sql);
    }
}
