using System.Globalization;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>A fact that needs the C library's clock to be faked for a program; skipped with the reason where the library for it is missing.</summary>
internal sealed class FakeTimeFactAttribute : FactAttribute
{
    public FakeTimeFactAttribute() => Skip = Library is null ? "Needs libfaketime (Debian: faketime)." : null;

    /// <summary>Path of the library, or null.</summary>
    public static string? Library { get; } = !OperatingSystem.IsLinux() || !Directory.Exists("/usr/lib") ? null
        : Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu").Append("/usr/lib").Select(d => Path.Combine(d, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists);
}

/// <summary>Requirement T-2 with the real program: its computer starts in 1970, and somebody sets the clock.</summary>
public sealed class UnsetClockTests
{
    [FakeTimeFact]
    public async Task T_2_the_program_dates_what_it_read_before_the_clock_was_set()
    {
        using var broker = await Mosquitto.RunAsync(new MosquittoSettings { Persistent = true });
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = await GatewaySite.ServeAsync(LoadSite.Configuration(1), broker.Port, profiles: LoadSite.Profile);
        var clock = Path.Combine(Path.GetDirectoryName(site.Configuration)!, "clock");
        await File.WriteAllTextAsync(clock, "@1970-01-01 00:00:30\n");
        await using var gateway = await GatewayProcess.RunAsync(site, new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = FakeTimeFactAttribute.Library!,
            ["FAKETIME_TIMESTAMP_FILE"] = clock,
            ["FAKETIME_NO_CACHE"] = "1",
            ["TZ"] = "UTC",

            // The monotonic clock and waits for it stay those of the kernel.
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
        });
        await gateway.StatusHoldsAsync(s => s.Clock is { Quality: "unset", HeldReadings: > 20 }, "readings are held");
        Assert.Empty(receiver.Of(FeedStream.Sample));

        var set = TimeProvider.System.GetUtcNow();
        await File.WriteAllTextAsync(clock, set.ToString("'@'yyyy-MM-dd HH:mm:ss'\n'", CultureInfo.InvariantCulture));
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Sample).Count > 40, "samples arrive", () => gateway.Log);
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Health).Any(r => r.GetProperty("kind").GetString() == "stop"), "the stop is told", () => gateway.Log);

        // Those that were held came before, and none is dated by the clock that was not set.
        var samples = receiver.Of(FeedStream.Sample);
        Assert.True(samples[0].GetProperty("time").GetDateTimeOffset() < set);
        Assert.All(samples, r => Assert.True(r.GetProperty("time").GetDateTimeOffset() > set.AddHours(-1) && !r.TryGetProperty("timeQuality", out _)));
        Assert.All(receiver.Of(FeedStream.Summary), r => Assert.True(r.GetProperty("start").GetDateTimeOffset() > set.AddHours(-1) && r.GetProperty("era").GetInt32() == 0));
        Assert.Contains(receiver.Of(FeedStream.Health), r => r.GetProperty("kind").GetString() == "time-quality" && r.GetProperty("fields").TryGetProperty("heldReadings", out var held) && held.GetInt64() > 20);
        receiver.IsComplete(() => gateway.Log);
    }
}
