using System.Diagnostics;
using System.Text.RegularExpressions;
using EdgeGateway.Tests.Shared;
using Xunit.Abstractions;

namespace EdgeGateway.Integration.Faults;

/// <summary>A fact that needs the prepared virtual machine; skipped with the reason where it was never prepared, unless the long repetitions are asked for.</summary>
internal sealed class PowerFactAttribute : FactAttribute
{
    /// <param name="longOnly">True for a run of minutes.</param>
    public PowerFactAttribute(bool longOnly = false)
    {
        var cache = Environment.GetEnvironmentVariable("HWVM_CACHE")
            ?? Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "hardware-vm");
        if (!OperatingSystem.IsLinux())
        {
            Skip = "Needs Linux: boots Debian's kernel in QEMU.";
        }
        else if (longOnly && !FaultScene.IsLong)
        {
            Skip = "Minutes long: set EDGEGATEWAY_LONG=1.";
        }
        else if (!FaultScene.IsLong && !(Directory.Exists(cache) && Directory.EnumerateFiles(cache, "ready", SearchOption.AllDirectories).Any()))
        {
            Skip = "The virtual machine is not prepared (280 MB to download): run tests/hardware-vm/run - /bin/true once, or the long suite.";
        }
    }
}

/// <summary>
/// The power goes at random moments, in a virtual machine whose disk loses what was not flushed: nothing that was acknowledged to the caller is missing, nothing that the
/// broker has not acknowledged is gone, the database is sound, and the numbers go on. The power-ledger program says how that is checked.
/// </summary>
public sealed partial class PowerLossTests(ITestOutputHelper output)
{
    [PowerFact]
    public Task The_power_goes_with_the_broker_away() => CutAsync(
        "dotnet /app/power-ledger.dll write /disk/store", "dotnet /app/power-ledger.dll check /disk/store", seconds: FaultScene.IsLong ? 30 : 12, cuts: FaultScene.IsLong ? 50 : 6);

    // The quick suite has time for one of the two.
    [PowerFact(longOnly: true)]
    public Task The_power_goes_while_rows_leave() => CutAsync(
        "dotnet /app/power-ledger.dll write /disk/store /out/evidence", "dotnet /app/power-ledger.dll check /disk/store /out/evidence", seconds: 60, cuts: 50);

    private async Task CutAsync(string writer, string checker, int seconds, int cuts)
    {
        var start = new ProcessStartInfo(
            "bash",
            [
                RepositoryFiles.At("tests/hardware-vm/powerloss"), "--seconds", $"{seconds}", "--cuts", $"{cuts}", "--seed", $"{Random.Shared.Next(1, 32_767)}", AppContext.BaseDirectory, writer, checker,
            ]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(FaultScene.IsLong ? 40 : 10));
        output.WriteLine(await text + await errors);
        if (process.ExitCode == 77)
        {
            output.WriteLine("This machine cannot run it; see above.");
            return;
        }

        Assert.True(process.ExitCode == 0, await text + await errors);
        Assert.Equal(cuts, CutPassed().Count(await text));

        // A store that never came to commit would pass every check.
        Assert.Matches(@"[1-9]\d+ commits", await text);
    }

    [GeneratedRegex(@"^cut \d+: .*: ok\b", RegexOptions.Multiline)]
    private static partial Regex CutPassed();
}
