using System.Diagnostics;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Storage;

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

/// <summary>A file system of some megabytes.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path) => Path = path;

    public static string? WhyNot { get; } = Probe();

    public string Path { get; }

    public static SmallDisk Mount(string size)
    {
        var path = Directory.CreateTempSubdirectory("edgegateway-disk-").FullName;
        var error = Run("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", path);
        if (error is not null)
        {
            Directory.Delete(path);
            throw new InvalidOperationException(error);
        }

        return new SmallDisk(path);
    }

    public void Remount(string options) => Assert.Null(Run("mount", "-o", "remount," + options, Path));

    public void Dispose()
    {
        Run("umount", Path);
        Directory.Delete(Path);
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

public sealed class DiskFullTests
{
    [MountFact]
    public void A_full_disk_refuses_the_commit_and_the_same_batch_goes_through_when_there_is_space()
    {
        using var disk = SmallDisk.Mount("3m");
        using var t = new TestStore(System.IO.Path.Combine(disk.Path, "store"), 64 << 20, 1 << 20);
        StoreException? failure = null;
        var committed = 0;
        while (failure is null)
        {
            t.Feed(20);
            t.Add(FeedStream.Summary, RowClass.Summary, bytes: 20000);
            try
            {
                t.Commit();
                committed++;
            }
            catch (StoreException e)
            {
                failure = e;
            }
        }

        Assert.Equal(StoreFailure.DiskFull, failure.Failure);
        Assert.True(failure.CanRetry);
        Assert.Contains("space", failure.Message, StringComparison.Ordinal);
        Assert.True(committed > 10);
        Assert.Equal(committed, t.ReadAll().Count);
        Assert.Equal(failure.Failure, Assert.Throws<StoreException>(() => t.Store.Commit(t.Batch)).Failure);

        disk.Remount("size=8m");
        Assert.True(t.Store.Commit(t.Batch).Written);
        Assert.Equal(committed + 1, t.ReadAll().Count);
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(committed + 1, t.ReadAll().Count);
        Assert.Equal(committed + 2, t.Recovery.NextBatchNumber);
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
