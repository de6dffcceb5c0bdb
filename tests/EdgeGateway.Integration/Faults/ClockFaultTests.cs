using System.Globalization;
using System.Runtime.InteropServices;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Gateway;

namespace EdgeGateway.Integration.Faults;

/// <summary>The wall clock of the whole process is set while it runs, by libfaketime; its monotonic clock stays what it is.</summary>
public sealed class ClockFaultTests
{
    private static readonly string Library = $"/usr/lib/{(RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64")}-linux-gnu/faketime/libfaketimeMT.so.1";

    [Fact]
    public async Task Steps_of_an_hour_two_weeks_and_to_1970_cost_no_record_no_order_and_no_watt_hour()
    {
        Assert.True(File.Exists(Library), $"{Library} is missing: install the Debian package 'libfaketime'");
        await using var scene = await FaultScene.BeginAsync(persistent: true, seed: 3);
        var file = Path.Combine(Path.GetDirectoryName(scene.Site.Configuration)!, "clock");
        Set(file, 0);
        await using var gateway = await scene.FirstAsync(new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = Library,
            ["FAKETIME_TIMESTAMP_FILE"] = file,
            ["FAKETIME_NO_CACHE"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
        });
        const long Hour = 3600;
        long[] offsets = [Hour, Hour - (14 * 24 * Hour), 14 * 24 * Hour, 600 - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), 0];
        var steps = 0;
        foreach (var offset in offsets)
        {
            Set(file, offset);
            steps++;
            await Until.HoldsAsync(
                () => scene.Judge.Of(FeedStream.Health).Count(r => r.GetProperty("kind").GetString() == "clock-step") >= steps, $"step {steps} is told", () => gateway.Log);
            await scene.MoreArrivesAsync(FaultScene.IsLong ? 1000 : 100, gateway);
        }

        await scene.FinishAsync(gateway);
    }

    private static void Set(string file, long offset)
    {
        var next = file + ".next";
        File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $"{(offset < 0 ? "" : "+")}{offset}\n"));
        File.Move(next, file, overwrite: true);
    }
}
