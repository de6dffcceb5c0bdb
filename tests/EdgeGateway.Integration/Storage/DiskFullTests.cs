using System.Diagnostics;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Storage;

/// <summary>A fact that needs a file system of its own; skipped with the reason where this user may not mount one.</summary>
internal sealed class MountFactAttribute : FactAttribute
{
    public MountFactAttribute()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Skip = "Needs root on Linux: mounts a small tmpfs.";
        }
        else if (SmallDisk.WhyNot is { } reason)
        {
            Skip = "Cannot mount a tmpfs here: " + reason;
        }
    }
}

/// <summary>As <see cref="MountFactAttribute"/>, for theories.</summary>
internal sealed class MountTheoryAttribute : TheoryAttribute
{
    public MountTheoryAttribute() => Skip = new MountFactAttribute().Skip;
}

/// <summary>A file system of some megabytes.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly DiskFiller _filler;
    private string? _image;

    private SmallDisk(string path)
    {
        Path = path;
        _filler = new DiskFiller(path);
    }

    public static string? WhyNot { get; } = Probe();

    public string Path { get; }

    /// <summary>Mounts a tmpfs of its own folder, or over a folder that is there.</summary>
    public static SmallDisk Mount(string size, string? over = null)
    {
        var path = over ?? Directory.CreateTempSubdirectory("edgegateway-disk-").FullName;
        var error = Run("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", path);
        if (error is not null)
        {
            Directory.Delete(path);
            throw new InvalidOperationException(error);
        }

        return new SmallDisk(path);
    }

    /// <summary>An ext4 file system in a file, which <see cref="Abort"/> makes read-only as the kernel does after an error.</summary>
    public static SmallDisk MountExt4(string size)
    {
        var image = System.IO.Path.GetTempFileName();
        var path = Directory.CreateTempSubdirectory("edgegateway-disk-").FullName;
        Assert.Null(Run("truncate", "-s", size, image));
        Assert.Null(Run("mkfs.ext4", "-q", "-F", image));
        Assert.Null(Run("mount", "-o", "loop", image, path));
        return new SmallDisk(path) { _image = image };
    }

    /// <summary>Lets a file be read only, by whoever opens it from now on, until the end.</summary>
    public static IDisposable BindReadOnly(string file)
    {
        Assert.Null(Run("mount", "--bind", file, file));
        Assert.Null(Run("mount", "-o", "remount,ro,bind", file));
        return new Binding(file);
    }

    private sealed class Binding(string file) : IDisposable
    {
        public void Dispose() => Assert.Null(Run("umount", "-l", file));
    }

    /// <summary>What the kernel does when the medium fails: everything that is open turns read-only.</summary>
    public void Abort() => Assert.Null(Run("mount", "-o", "remount,abort", Path));

    /// <summary>Unmounts and mounts an ext4 file system again, as a boot does; whether the first succeeds does not matter.</summary>
    public void Renew()
    {
        Assert.Null(Run("umount", Path));
        Run("e2fsck", "-p", _image!);
        Assert.Null(Run("mount", "-o", "loop", _image!, Path));
    }

    /// <summary>Writes a file until there is not one byte left, as a log file of another program does. May be called again and again.</summary>
    public void Fill() => _filler.Fill();

    /// <summary>Takes the file of <see cref="Fill"/> away.</summary>
    public void Free() => _filler.Free();

    public void Remount(string options) => Assert.Null(Run("mount", "-o", "remount," + options, Path));

    public void Dispose()
    {
        Run("umount", Path);
        Directory.Delete(Path);
        if (_image is not null)
        {
            File.Delete(_image);
        }
    }

    private static string? Probe()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            return "not root";
        }

        try
        {
            Mount("1m").Dispose();
            return null;
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }

    private static string? Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : error;
    }
}

/// <summary>Others fill the file system, or the kernel makes it read-only: requirements P-5, E-4, O-11.</summary>
public sealed class DiskFullTests
{
    private const long Budget = 16 << 20;
    private const long BallastBytes = 2 << 20;

    private static TestStore Open(SmallDisk disk, long budget = Budget) => new(System.IO.Path.Combine(disk.Path, "store"), budget, 2 << 20);

    private static string Ballast(TestStore t) => System.IO.Path.Combine(t.Directory, "gateway.ballast");

    private static List<RecordLoss> Commit(TestStore t, int times, int bytes = 3000)
    {
        var told = new List<RecordLoss>();
        for (var i = 0; i < times; i++)
        {
            t.Clock.Advance(TimeSpan.FromSeconds(1));
            t.Feed(50);
            t.Add(FeedStream.Sample, RowClass.Raw, count: 50, bytes: bytes);
            t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 200);
            if (i % 20 == 19)
            {
                t.SetCheckpoint(3000);
            }

            told.AddRange(t.Commit().Losses);
        }

        return told;
    }

    /// <summary>Every record of every stream is in the outbox or in exactly one loss that was told.</summary>
    private static void AssertAccountedFor(TestStore t, List<RecordLoss> told)
    {
        var rows = t.ReadAll();
        foreach (var stream in new[] { FeedStream.Sample, FeedStream.Emission })
        {
            var lost = told.Where(l => l.Stream == stream).SelectMany(l => Numbers(l.First, l.Last));
            var kept = rows.Where(r => r.Stream == stream).SelectMany(r => Numbers(r.FirstSequence, r.FirstSequence + r.Count - 1));
            Assert.Equal(Numbers(1, t.Next[stream] - 1), lost.Concat(kept).Order());
        }

        Assert.DoesNotContain(told, l => l.Stream == FeedStream.Emission);
        Assert.Equal(told.Sum(l => l.Last - l.First + 1), t.Store.LostRecords().GetValueOrDefault(LossReason.Evicted));
    }

    private static IEnumerable<long> Numbers(long first, long last)
    {
        for (var n = first; n <= last; n++)
        {
            yield return n;
        }
    }

    [MountFact]
    public void While_others_fill_the_disk_every_commit_goes_through_and_the_oldest_raw_makes_room()
    {
        using var disk = SmallDisk.Mount("24m");
        using var t = Open(disk);
        Assert.Equal(BallastBytes, new FileInfo(Ballast(t)).Length);
        var told = Commit(t, 700);
        Assert.Null(t.Store.DiskFull);
        Assert.Empty(told);

        for (var i = 0; i < 60; i++)
        {
            // Again and again: whatever is given back for a moment is gone.
            disk.Fill();
            told.AddRange(Commit(t, 20));
            Assert.InRange(t.FileBytes(), 1, Budget);
        }

        Assert.Contains("Free space", t.Store.DiskFull, StringComparison.Ordinal);
        Assert.False(File.Exists(Ballast(t)));
        Assert.NotEmpty(told);
        AssertAccountedFor(t, told);

        disk.Free();
        t.Clock.Advance(TimeSpan.FromSeconds(11));
        told.AddRange(Commit(t, 1));
        Assert.Null(t.Store.DiskFull);
        Assert.Equal(BallastBytes, new FileInfo(Ballast(t)).Length);
        told.AddRange(Commit(t, 200));
        AssertAccountedFor(t, told);
        Assert.InRange(t.FileBytes(), 1, Budget);
        var rows = t.ReadAll().Select(r => r.Id).ToArray();
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(rows, t.ReadAll().Select(r => r.Id));
        AssertAccountedFor(t, told);
    }

    [MountFact]
    public void The_ballast_is_really_there_and_given_back_at_once()
    {
        using var disk = SmallDisk.Mount("24m");
        var before = new DriveInfo(disk.Path).AvailableFreeSpace;
        using var t = Open(disk);
        Assert.True(before - new DriveInfo(disk.Path).AvailableFreeSpace >= BallastBytes);
    }

    [MountFact]
    public void A_store_that_has_nothing_to_evict_yet_goes_on_within_the_ballast()
    {
        using var disk = SmallDisk.Mount("24m");
        using var t = Open(disk);
        Commit(t, 3, bytes: 300);
        for (var i = 0; i < 30; i++)
        {
            disk.Fill();
            Commit(t, 1, bytes: 300);
        }

        Assert.Equal(66, t.ReadAll().Count);
    }

    [MountTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_start_on_a_full_disk_releases_the_ballast_and_goes_on(bool fullBefore)
    {
        using var disk = SmallDisk.Mount("24m");
        using var t = Open(disk);
        var told = Commit(t, 400);
        if (fullBefore)
        {
            disk.Fill();
            told.AddRange(Commit(t, 300));
            Assert.NotNull(t.Store.DiskFull);
        }

        t.Store.Dispose();
        disk.Fill();
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        told.AddRange(t.Recovery.UnpublishedLosses.Where(l => !told.Any(o => o.Id == l.Id)));
        told.AddRange(Commit(t, 300));
        Assert.NotNull(t.Store.DiskFull);
        AssertAccountedFor(t, told);
    }

    [MountFact]
    public void A_disk_too_small_for_the_ballast_is_told_and_the_store_runs_on_it()
    {
        using var disk = SmallDisk.Mount("3m");
        using var t = Open(disk, 64 << 20);
        Assert.NotNull(t.Store.DiskFull);
        Assert.False(File.Exists(Ballast(t)));
        var told = Commit(t, 200);
        Assert.NotNull(t.Store.DiskFull);
        AssertAccountedFor(t, told);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(12345)]
    public void A_ballast_that_was_cut_off_is_made_whole_at_the_next_start(long length)
    {
        using var t = new TestStore();
        t.Add();
        t.Commit();
        t.Store.Dispose();
        if (length < 0)
        {
            File.Delete(Ballast(t));
        }
        else
        {
            using var file = new FileStream(Ballast(t), FileMode.Open);
            file.SetLength(length);
        }

        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(BallastBytes, new FileInfo(Ballast(t)).Length);
        Assert.Null(t.Store.Statistics().Problem);
        Assert.Single(t.ReadAll());
    }

    [MountFact]
    public void A_file_system_that_turns_read_only_refuses_commits_and_loses_nothing_that_was_accepted()
    {
        using var disk = SmallDisk.MountExt4("64m");
        using var t = Open(disk);
        Commit(t, 20);
        var rows = t.ReadAll().Select(r => r.Id).ToArray();
        disk.Abort();
        t.Feed(10);
        t.Add();
        var e = Assert.Throws<StoreException>(() => t.Store.Commit(t.Batch));
        Assert.True(e.CanRetry, e.ToString());
        Assert.True(Assert.Throws<StoreException>(() => t.Store.Commit(t.Batch)).CanRetry);
        Assert.Equal(rows, t.ReadAll().Select(r => r.Id));

        t.Store.Dispose();
        disk.Renew();
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(rows, t.ReadAll().Select(r => r.Id));
        Commit(t, 1);
    }

    [MountFact]
    public void A_start_on_a_read_only_file_system_says_so()
    {
        using var disk = SmallDisk.Mount("3m");
        var directory = System.IO.Path.Combine(disk.Path, "store");
        var t = new TestStore(directory, 4 << 20, 1 << 20);
        t.Add();
        t.Commit();
        t.Store.Dispose();
        disk.Remount("ro");
        var e = Assert.Throws<StoreException>(() => SqliteStore.Open(t.Model, t.Destinations, t.Clock));
        Assert.Equal(StoreFailure.ReadOnly, e.Failure);
        disk.Remount("rw");
        t.Reopen();
        Assert.Single(t.ReadAll());
        t.Dispose();
    }
}
