using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Mqtt;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Integration.Gateway;

/// <summary>The wall clock is set back an hour, then forward two weeks, under a running gateway: no window is lost or repeated, no energy either.</summary>
public sealed class ClockStepTests
{
    private const int Window = 5;

    [Fact]
    public async Task Steps_of_the_wall_clock_cut_windows_and_lose_or_repeat_nothing()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = await GatewaySite.ServeAsync(LoadSite.Configuration(2), broker.Port, profiles: LoadSite.Profile);
        site.Time.Pause();
        var first = site.Shown();

        // A quarter of an hour ends soon after the start.
        var clock = new SteppedTime(new DateTimeOffset(2026, 6, 1, 10, 14, 50, TimeSpan.Zero));
        await using var gateway = GatewayRuntime.Open(site.Load(), clock, NullLoggerFactory.Instance);
        using var stop = new CancellationTokenSource();
        var running = gateway.RunAsync(stop.Token);
        string State() => $"{string.Join('\n', gateway.Status().Problems)} {running.Exception}";

        await SampleAsync(receiver, 0, State);
        site.Time.Go();
        await receiver.GetAsync(FeedStream.Emission, r => r.GetProperty("cut").GetString() == "none" && r.GetProperty("account").GetString() == "device", "an entry is made", State);

        clock.Step(TimeSpan.FromHours(-1));
        await StepIsToldAsync(receiver, 1, -3600, State);
        await WindowAsync(receiver, 1, State);

        clock.Step(TimeSpan.FromDays(14));
        await StepIsToldAsync(receiver, 2, 14 * 86_400, State);
        await WindowAsync(receiver, 2, State);

        // The machines stand still; the last step closes what is open, so that everything is told.
        site.Time.Pause();
        var end = site.Shown();
        await Until.HoldsAsync(() => LastReading(receiver, "load000") == end[("load000", "energy")] && LastReading(receiver, "load001") == end[("load001", "energy")], "the last readings arrive", State);
        clock.Step(TimeSpan.FromMinutes(1));
        await StepIsToldAsync(receiver, 3, 60, State);
        await WindowAsync(receiver, 3, State);
        var dropped = gateway.Status().Dropped;
        await stop.CancelAsync();
        await running;
        await receiver.GetAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == "stop", "the stop is told", State);

        receiver.IsComplete();
        Assert.Equal(0, dropped);
        foreach (var device in (string[])["load000", "load001"])
        {
            var growth = end[(device, "energy")] - first[(device, "energy")];
            Assert.True(growth > 0);
            Assert.Equal(growth, receiver.Growth(device, "energy", Window));
            Assert.Equal(growth, 1000 * receiver.Of(FeedStream.Emission)
                .Where(r => r.GetProperty("account").GetString() == "device" && r.GetProperty("device").GetString() == device)
                .Sum(r => r.GetProperty("activityKWh").GetDecimal()));
            WindowsAreWhole(receiver, device);
        }
    }

    [Fact]
    public async Task A_clock_that_was_set_back_while_the_gateway_was_off_is_a_step_like_any_other()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = await GatewaySite.ServeAsync(LoadSite.Configuration(1), broker.Port, profiles: LoadSite.Profile);
        site.Time.Pause();
        var first = site.Shown();
        var clock = new SteppedTime(new DateTimeOffset(2026, 6, 1, 10, 2, 0, TimeSpan.Zero));
        static string State() => "";

        for (var era = 0; era < 2; era++)
        {
            await using var gateway = GatewayRuntime.Open(site.Load(), clock, NullLoggerFactory.Instance);
            using var stop = new CancellationTokenSource();
            var running = gateway.RunAsync(stop.Token);
            await SampleAsync(receiver, 0, State);
            site.Time.Go();
            await WindowAsync(receiver, era, State);
            if (era == 1)
            {
                // As above: the last step closes what is open.
                site.Time.Pause();
                await Until.HoldsAsync(() => LastReading(receiver, "load000") == site.Shown()[("load000", "energy")], "the last reading arrives");
                clock.Step(TimeSpan.FromMinutes(1));
                await StepIsToldAsync(receiver, 2, 60, State);
                await WindowAsync(receiver, 2, State);
            }

            await stop.CancelAsync();
            await running;
            clock.Step(TimeSpan.FromHours(-1));
        }

        Assert.InRange(Steps(receiver)[0], -3_600_000, -3_500_000);
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Health).Count(r => r.GetProperty("kind").GetString() == "stop") == 2, "both stops are told");
        receiver.IsComplete();
        Assert.Equal(site.Shown()[("load000", "energy")] - first[("load000", "energy")], receiver.Growth("load000", "energy", Window));
        WindowsAreWhole(receiver, "load000", eras: 3);
    }

    /// <summary>In each era the base windows follow on each other without a hole, the last is cut, and none lies between the eras.</summary>
    private static void WindowsAreWhole(FeedReceiver receiver, string device, int eras = 4)
    {
        var windows = receiver.Of(FeedStream.Summary, device)
            .Where(r => r.GetProperty("point").GetString() == "energy" && r.GetProperty("widthSeconds").GetInt32() == Window)
            .Select(r => (Era: r.GetProperty("era").GetInt32(), Start: r.GetProperty("start").GetDateTimeOffset(), Cut: r.GetProperty("cut").GetString()))
            .ToArray();
        Assert.Equal(Enumerable.Range(0, eras), windows.Select(w => w.Era).Distinct());
        foreach (var era in windows.GroupBy(w => w.Era))
        {
            var starts = era.Select(w => w.Start).ToArray();
            Assert.Equal(Enumerable.Range(0, starts.Length).Select(i => starts[0].AddSeconds(i * Window)), starts);
            Assert.All(era.SkipLast(1), w => Assert.Equal("none", w.Cut));
            Assert.Equal(era.Key == eras - 1 ? "none" : "clock-step", era.Last().Cut);
        }
    }

    private static Task<JsonElement> SampleAsync(FeedReceiver receiver, int device, Func<string> state) => receiver.GetAsync(
        FeedStream.Sample, r => r.GetProperty("device").GetString() == $"load{device:000}" && r.GetProperty("point").GetString() == "energy", "the first reading arrives", state);

    private static async Task StepIsToldAsync(FeedReceiver receiver, int steps, int seconds, Func<string> state)
    {
        await Until.HoldsAsync(() => Steps(receiver).Length >= steps, $"step {steps} is told", state);
        Assert.InRange(Steps(receiver)[steps - 1] - (seconds * 1000L), -500, 500);
    }

    private static long[] Steps(FeedReceiver receiver) =>
    [
        .. receiver.Of(FeedStream.Health).Where(r => r.GetProperty("kind").GetString() == "clock-step")
            .Select(r => r.GetProperty("fields").GetProperty("stepMilliseconds").GetInt64()),
    ];

    private static Task<JsonElement> WindowAsync(FeedReceiver receiver, int era, Func<string> state) => receiver.GetAsync(
        FeedStream.Summary,
        r => r.GetProperty("era").GetInt32() == era && r.GetProperty("cut").GetString() == "none" && r.GetProperty("widthSeconds").GetInt32() == Window && r.GetProperty("count").GetInt32() > 0,
        $"a window of era {era} arrives",
        state);

    private static decimal? LastReading(FeedReceiver receiver, string device) =>
        receiver.Of(FeedStream.Sample, device).LastOrDefault(r => r.GetProperty("point").GetString() == "energy") is { ValueKind: JsonValueKind.Object } sample
            ? (decimal)sample.GetProperty("value").GetDouble()
            : null;

    /// <summary>The system's monotonic clock and timers, and a wall clock that a test can set.</summary>
    private sealed class SteppedTime : TimeProvider
    {
        private long _offset;

        public SteppedTime(DateTimeOffset now) => _offset = (now - System.GetUtcNow()).Ticks;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _offset));

        public void Step(TimeSpan by) => Interlocked.Add(ref _offset, by.Ticks);
    }
}
