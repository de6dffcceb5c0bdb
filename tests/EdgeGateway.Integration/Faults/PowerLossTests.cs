using System.Diagnostics;
using System.Text.RegularExpressions;
using EdgeGateway.Tests.Shared;
using Xunit.Abstractions;

namespace EdgeGateway.Integration.Faults;

/// <summary>
/// The power goes at random moments, in a virtual machine whose disk loses what was not flushed: nothing that was acknowledged to the caller is missing, nothing that the
/// broker has not acknowledged is gone, the database is sound, and the numbers go on. The power-ledger program says how that is checked.
/// </summary>
public sealed partial class PowerLossTests(ITestOutputHelper output)
{
    private static int Cuts => FaultScene.IsLong ? 50 : 8;

    [MachineFact]
    public Task The_power_goes_with_the_broker_away() => CutAsync(leaving: false, seconds: FaultScene.IsLong ? 30 : 8);

    [MachineFact]
    public Task The_power_goes_while_rows_leave() => CutAsync(leaving: true, seconds: FaultScene.IsLong ? 60 : 15);

    private async Task CutAsync(bool leaving, int seconds)
    {
        var ledger = leaving ? "/disk/store /out/evidence" : "/disk/store";
        var start = new ProcessStartInfo(
            "bash",
            [
                RepositoryFiles.At("tests/hardware-vm/powerloss"), "--seconds", $"{seconds}", "--cuts", $"{Cuts}", "--seed", $"{Random.Shared.Next(1, 32_767)}",
                AppContext.BaseDirectory, $"dotnet /app/power-ledger.dll write {ledger}", $"dotnet /app/power-ledger.dll check {ledger}",
            ]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(FaultScene.IsLong ? 50 : 14));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        output.WriteLine(await text + await errors);
        Assert.True(process.ExitCode == 0, await text + await errors);
        Assert.Equal(Cuts, CutPassed().Count(await text));

        // A store that never came to commit, or that nothing ever left, would pass every check.
        Assert.Matches($@"[1-9]\d+ commits, .* {(leaving ? @"[1-9]\d*" : "0")} records delivered", await text);
    }

    [GeneratedRegex(@"^cut \d+: .*: ok\b", RegexOptions.Multiline)]
    private static partial Regex CutPassed();
}
