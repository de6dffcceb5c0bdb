using System.Diagnostics;
using System.Globalization;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Integration.Storage;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Faults;

/// <summary>
/// <c>kill -9</c> before each change of a file that the ballast's turns make: released for a full disk, put back, made shorter for a smaller budget. Whatever
/// is left opens by itself as one whole commit, on the disk as full as it was, and goes on.
/// </summary>
public sealed class BallastKillTests
{
    private const int QuickKills = 10;

    /// <summary>The killer, compiled: a library to be loaded before the program's own.</summary>
    internal static readonly Lazy<string> Killer = new(Compile);

    [MountTheory]
    [InlineData("release", 12, 16 << 20)]
    [InlineData("restore", 12, 16 << 20)]
    [InlineData("shrink-ballast", 24, 16 << 20)]
    [InlineData("shrink-store", 12, 1 << 20)]
    public async Task A_kill_in_the_middle_leaves_a_sound_store(string turn, int diskMegabytes, int budget)
    {
        var (_, changes) = await RunAsync(turn, diskMegabytes, budget, killAt: 0);
        Assert.True(changes > 8, $"Only {changes} changes were counted: the killer does not see the program's calls.");

        // The first and the last ones, and evenly between; in the long suite each.
        var at = FaultScene.IsLong ? Enumerable.Range(1, changes) : Enumerable.Range(0, QuickKills).Select(i => 1 + (i * (changes - 1) / (QuickKills - 1))).Distinct();
        var killed = 0;
        foreach (var kill in at)
        {
            killed += (await RunAsync(turn, diskMegabytes, budget, kill)).WasKilled ? 1 : 0;
        }

        Assert.True(killed >= 5, $"Only {killed} runs were killed in the turn.");
    }

    private static async Task<(bool WasKilled, int Changes)> RunAsync(string turn, int diskMegabytes, long budget, int killAt)
    {
        using var disk = SmallDisk.Mount($"{diskMegabytes}m");
        var directory = Path.Combine(disk.Path, "store");
        var count = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "power-ledger.dll"), "turn", turn, directory])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["LD_PRELOAD"] = Killer.Value;
            start.Environment["KILL_AT"] = killAt.ToString(CultureInfo.InvariantCulture);
            start.Environment["KILL_COUNT"] = count;
            using var program = Process.Start(start)!;
            var (output, errors) = (program.StandardOutput.ReadToEndAsync(), program.StandardError.ReadToEndAsync());
            await program.WaitForExitAsync();
            const int Killed = 128 + 9;
            Assert.True(program.ExitCode is 0 or Killed, $"{turn}, kill {killAt}: exit code {program.ExitCode}: {await errors}");
            var acknowledged = (await output).Split('\n').Where(l => l.StartsWith("ack ", StringComparison.Ordinal)).Select(l => long.Parse(l.AsSpan(4), CultureInfo.InvariantCulture)).LastOrDefault();
            await AssertSoundAsync($"{turn}, kill {killAt}", directory, budget, acknowledged);
            var text = await File.ReadAllTextAsync(count);
            return (program.ExitCode == Killed, text.Length > 0 ? int.Parse(text, CultureInfo.InvariantCulture) : 0);
        }
        finally
        {
            File.Delete(count);
        }
    }

    private static async Task AssertSoundAsync(string what, string directory, long budget, long acknowledged)
    {
        var model = new StorageModel
        {
            Directory = directory,
            BudgetBytes = budget,
            SampleLogBytes = budget / 4,
            CommitWindow = TimeSpan.FromSeconds(1),
            CheckpointInterval = TimeSpan.FromMinutes(1),
        };
        for (var start = 1; start <= 2; start++)
        {
            using var store = SqliteStore.Open(model, ["centre"], TimeProvider.System);
            var found = store.Recover();
            Assert.True(found.Report is null, $"{what}: taken for damaged: {found.Report?.Cause}");
            var commits = found.Counters.GetValueOrDefault("commits");
            Assert.True(commits == acknowledged || commits == acknowledged + 1, $"{what}: commit {acknowledged} was acknowledged, the store ends with {commits}");
            Assert.Equal(commits + 1, found.NextBatchNumber);

            // Every number is in the outbox or stated as lost, once.
            var rows = new List<OutboxRow>();
            for (var from = 1L; store.Read(from, long.MaxValue, 500, 1 << 24, rows) > 0; from = rows[^1].Id + 1)
            {
            }

            foreach (var (stream, head) in found.Heads)
            {
                var kept = rows.Where(r => r.Stream == stream).SelectMany(r => Numbers(r.FirstSequence, r.FirstSequence + r.Count - 1));
                var lost = store.Statistics().Losses.Where(l => l.Stream == stream).SelectMany(l => Numbers(l.First, l.Last));
                Assert.Equal(Numbers(1, head.Next - 1), kept.Concat(lost).Order());
            }

            Assert.True(new DirectoryInfo(directory).EnumerateFiles().Sum(f => f.Length) <= budget, $"{what}: more than the budget");
            var report = await store.CheckIntegrityAsync(CancellationToken.None);
            Assert.True(report.State == IntegrityState.Sound, $"{what}: {report.Finding}");

            // And it goes on, from here to the next start.
            store.Commit(new CommitBatch { ValueOf = static (_, raw) => raw, Notes = { new StoreNote("test/start", $"{start}") } });
            Assert.Contains(new StoreNote("test/start", $"{start}"), store.Notes());
        }
    }

    private static IEnumerable<long> Numbers(long first, long last)
    {
        for (var n = first; n <= last; n++)
        {
            yield return n;
        }
    }

    private static string Compile()
    {
        var made = Path.Combine(AppContext.BaseDirectory, "kill_at.so");
        using var compiler = Process.Start(new ProcessStartInfo(
            "cc", ["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", made, RepositoryFiles.At("tests/tools/kill-at/kill_at.c"), "-ldl"]) { RedirectStandardError = true })!;
        var errors = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        Assert.True(compiler.ExitCode == 0, $"kill_at.c does not compile: {errors} Is gcc installed?");
        return made;
    }
}
