using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Integration.Gateway;

/// <summary>
/// Requirements T-2, T-3 and T-5: a computer that does not know the time at its start, and one whose clock is set, on clocks that the test moves. The real commit
/// loop over a real store; a reading each second, whose value is its number.
/// </summary>
public sealed class HeldClockTests : IAsyncLifetime
{
    private static readonly Guid Boot = Guid.Parse("11111111-1111-1111-1111-111111111111");
    private static readonly Guid OtherBoot = Guid.Parse("22222222-2222-2222-2222-222222222222");
    private static readonly DateTimeOffset Truth = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset NeverSet = new(1970, 1, 1, 0, 0, 30, TimeSpan.Zero);
    private GatewaySite _site = null!;
    private LoadedSite _loaded = null!;

    public async Task InitializeAsync()
    {
        _site = await GatewaySite.ServeAsync(
            LoadSite.Configuration(1).Replace("windows: [5s, 15s]", "windows: [1m, 15m]", StringComparison.Ordinal), Mosquitto.FreePort(), profiles: LoadSite.Profile);
        _loaded = _site.Load();
    }

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Fact]
    public async Task T_2_readings_from_before_the_clock_was_set_are_dated_anew_before_they_are_published()
    {
        using var rig = new Rig(_loaded, Boot, NeverSet);
        await rig.ReadAsync(600);
        Assert.Empty(rig.Records(FeedStream.Sample));
        Assert.Empty(rig.Records(FeedStream.Summary));
        Assert.All(rig.Records(FeedStream.Birth).Concat(rig.Records(FeedStream.Health)), r => Assert.Equal("unset", r.GetProperty("timeQuality").GetString()));
        Assert.Equal(600, rig.Loop.Held);

        rig.SetClock(Truth + TimeSpan.FromSeconds(600));
        await rig.ReadAsync(120);
        AreDated(rig, Truth, 720);
        var told = rig.Health("time-quality").Single(r => r.GetProperty("fields").TryGetProperty("heldReadings", out _)).GetProperty("fields");
        Assert.InRange(told.GetProperty("heldReadings").GetInt64(), 600, 605);
        Assert.Equal((Truth - NeverSet).TotalMilliseconds, told.GetProperty("correctionMilliseconds").GetInt64());
        Assert.Empty(rig.Health("clock-step"));
        Assert.All(rig.Records(FeedStream.Summary), r =>
        {
            Assert.Equal("none", r.GetProperty("cut").GetString());
            Assert.Equal(2026, r.GetProperty("start").GetDateTimeOffset().Year);
            Assert.False(r.TryGetProperty("timeQuality", out _));
        });

        // The whole history gives the same again.
        rig.Kill(Boot, Truth + TimeSpan.FromSeconds(720));
        await rig.ReadAsync(10);
        Assert.Null(rig.Salvage);
    }

    [Fact]
    public async Task T_2_a_crash_while_readings_are_held_loses_none_of_them()
    {
        using var rig = new Rig(_loaded, Boot, NeverSet);
        await rig.ReadAsync(300);
        rig.Kill(Boot);
        await rig.ReadAsync(300);
        Assert.Empty(rig.Records(FeedStream.Sample));
        rig.SetClock(Truth + TimeSpan.FromSeconds(600));
        await rig.ReadAsync(1);
        rig.Kill(Boot);
        await rig.ReadAsync(119);
        AreDated(rig, Truth, 720);
        Assert.Null(rig.Salvage);
    }

    [Fact]
    public async Task T_2_a_clock_that_stays_unset_holds_nothing_up_for_longer_than_the_configured_time_and_every_record_says_so()
    {
        using var rig = new Rig(_loaded, Boot, NeverSet);
        await rig.ReadAsync((15 * 60) + 60);
        var samples = rig.Samples();
        Assert.InRange(samples.Count, (15 * 60) + 50, (15 * 60) + 60);
        Assert.All(samples.Concat(rig.Records(FeedStream.Summary)), r => Assert.Equal("unset", r.GetProperty("timeQuality").GetString()));
        Assert.All(samples, r => Assert.Equal(1970, r.GetProperty("time").GetDateTimeOffset().Year));

        // A restart in the same boot does not wait again.
        rig.Kill(Boot);
        await rig.ReadAsync(60);
        Assert.InRange(rig.Samples().Count, (15 * 60) + 110, (15 * 60) + 120);

        // Set at last: a step, and another era, without the mark.
        var before = rig.Samples().Count;
        rig.SetClock(Truth);
        await rig.ReadAsync(120);
        Assert.All(rig.Samples().Skip(before + 5), r => Assert.False(r.TryGetProperty("timeQuality", out _)));
        Assert.Single(rig.Health("clock-step"));
        var eras = rig.Records(FeedStream.Summary).GroupBy(r => r.GetProperty("era").GetInt32()).ToDictionary(e => e.Key, e => e.ToArray());
        Assert.Equal([0, 1], eras.Keys.Order());
        Assert.All(eras[0], r => Assert.True(r.GetProperty("start").GetDateTimeOffset().Year == 1970 && r.TryGetProperty("timeQuality", out _)));
        Assert.All(eras[1], r => Assert.True(r.GetProperty("start").GetDateTimeOffset().Year == 2026 && !r.TryGetProperty("timeQuality", out _)));
        Assert.Contains(eras[0], r => r.GetProperty("cut").GetString() == "clock-step");
        InOrder(rig, 900 + 60 + 60 + 120);
    }

    [Fact]
    public async Task T_2_a_computer_that_comes_back_two_weeks_behind_dates_its_readings_when_the_clock_is_set()
    {
        using var rig = new Rig(_loaded, Boot, Truth, synchronised: true);
        await rig.ReadAsync(120);
        await rig.EndAsync();
        rig.Synchronised = false;
        rig.Kill(OtherBoot, Truth - TimeSpan.FromDays(14), hasChip: true);
        await rig.ReadAsync(600);
        Assert.Equal(120, rig.Samples().Count);

        rig.SetClock(Truth + TimeSpan.FromHours(1) + TimeSpan.FromSeconds(600));
        await rig.ReadAsync(60);
        var times = rig.Samples().Select(r => r.GetProperty("time").GetDateTimeOffset()).ToArray();
        Assert.Equal(780, times.Length);
        Assert.Equal(times.Order(), times);
        Assert.InRange((times[120] - (Truth + TimeSpan.FromHours(1))).TotalSeconds, 0, 2);
        Assert.All(rig.Health("clock-step"), r => Assert.Contains("readings are held", r.GetProperty("text").GetString(), StringComparison.Ordinal));
        Assert.All(rig.Records(FeedStream.Summary), r => Assert.Equal((0, "none"), (r.GetProperty("era").GetInt32(), r.GetProperty("cut").GetString())));
        Assert.DoesNotContain(rig.Records(FeedStream.Summary), r => r.TryGetProperty("timeQuality", out _));
        InOrder(rig, 780);
    }

    [Fact]
    public async Task T_2_readings_that_a_power_cut_left_without_dates_are_published_as_such_in_an_era_of_their_own()
    {
        using var rig = new Rig(_loaded, Boot, NeverSet);
        await rig.ReadAsync(300);
        rig.Synchronised = true;
        rig.Kill(OtherBoot, Truth);
        await rig.ReadAsync(120);
        var samples = rig.Samples();
        Assert.Equal(420, samples.Count);
        Assert.All(samples.Take(300), r => Assert.True(r.GetProperty("timeQuality").GetString() == "unset" && r.GetProperty("time").GetDateTimeOffset().Year == 1970));
        Assert.All(samples.Skip(300), r => Assert.True(!r.TryGetProperty("timeQuality", out _) && r.GetProperty("time").GetDateTimeOffset().Year == 2026));
        Assert.All(rig.Records(FeedStream.Summary), r => Assert.Equal(
            r.GetProperty("start").GetDateTimeOffset().Year == 1970 ? 0 : 1, r.GetProperty("era").GetInt32()));
        InOrder(rig, 420);
        rig.Kill(OtherBoot, Truth + TimeSpan.FromSeconds(120));
        Assert.Null(rig.Salvage);
    }

    [Fact]
    public async Task T_2_a_clock_that_somebody_sets_by_hand_ends_the_waiting()
    {
        using var rig = new Rig(_loaded, Boot, NeverSet);
        await rig.ReadAsync(60);
        rig.SetClock(Truth + TimeSpan.FromSeconds(60), synchronised: false);
        await rig.ReadAsync(60);
        AreDated(rig, Truth, 120);
    }

    [Fact]
    public async Task T_3_a_running_gateway_does_not_follow_its_clock_to_1970()
    {
        using var rig = new Rig(_loaded, Boot, Truth, synchronised: true);
        await rig.ReadAsync(60);
        rig.Synchronised = false;
        rig.SetClock(DateTimeOffset.UnixEpoch, synchronised: false);
        await rig.ReadAsync(120);
        rig.SetClock(Truth + TimeSpan.FromSeconds(180));
        await rig.ReadAsync(60);
        AreDated(rig, Truth, 240);
        var step = Assert.Single(rig.Health("clock-step")).GetProperty("fields");
        Assert.Equal(0, step.GetProperty("stepMilliseconds").GetInt64());
        Assert.InRange(step.GetProperty("refusedMilliseconds").GetInt64(), long.MinValue, -86_400_000L * 365 * 50);
        Assert.All(rig.Records(FeedStream.Summary), r => Assert.Equal("none", r.GetProperty("cut").GetString()));
    }

    [Theory]
    [InlineData(-3600, false)]
    [InlineData(3600, false)]
    [InlineData(-14 * 86_400, false)]
    [InlineData(14 * 86_400, false)]
    [InlineData(-3600, true)]
    [InlineData(3600, true)]
    [InlineData(-14 * 86_400, true)]
    [InlineData(14 * 86_400, true)]
    public async Task T_3_T_5_a_step_evicts_nothing_stalls_nothing_and_cuts_windows_with_a_mark(int seconds, bool whileOff)
    {
        using var rig = new Rig(_loaded, Boot, Truth, synchronised: true);
        await rig.ReadAsync(90);
        var at = Truth + TimeSpan.FromSeconds(90 + seconds);
        if (whileOff)
        {
            await rig.EndAsync();
            rig.Kill(Boot, at);
        }
        else
        {
            rig.SetClock(at);
        }

        await rig.ReadAsync(150);
        InOrder(rig, 240);
        Assert.Equal(0, rig.Store.Statistics().EvictedRecords);

        // A way forward while the gateway was off cannot be told from a long silence: no step, nothing cut.
        var isStep = !whileOff || seconds < 0;
        Assert.Equal(isStep ? 1 : 0, rig.Health("clock-step").Count);
        var cut = rig.Records(FeedStream.Summary).Where(r => r.GetProperty("cut").GetString() == "clock-step").ToArray();
        Assert.Equal(isStep, cut.Length > 0);
        Assert.All(cut, r => Assert.Equal(0, r.GetProperty("era").GetInt32()));
        Assert.All(rig.Samples().TakeLast(100), r => Assert.InRange((r.GetProperty("time").GetDateTimeOffset() - at).TotalSeconds, 0, 200));
        rig.Kill(Boot);
        Assert.Null(rig.Salvage);
    }

    [Fact]
    public async Task T_4_the_last_time_that_was_right_is_kept_and_not_lowered_by_a_clock_that_is_not_set()
    {
        using var rig = new Rig(_loaded, Boot, Truth, synchronised: true);
        await rig.ReadAsync(60);
        await rig.EndAsync();
        rig.Synchronised = false;
        rig.Kill(OtherBoot, NeverSet);
        await rig.ReadAsync(60);
        rig.Kill(OtherBoot, NeverSet + TimeSpan.FromSeconds(60));
        Assert.NotNull(rig.Loop.LastGood);

        // Noted with the first commit and then once an hour: the clock that shows a time before it has not lowered it.
        Assert.InRange((rig.Loop.LastGood.Value.ToDateTimeOffset() - Truth).TotalSeconds, 0, 65);
    }

    /// <summary>Every reading is there once, in order, dated by the true time, and without a mark.</summary>
    private static void AreDated(Rig rig, DateTimeOffset truth, int count)
    {
        InOrder(rig, count);
        var samples = rig.Samples();
        for (var i = 0; i < count; i++)
        {
            Assert.InRange((samples[i].GetProperty("time").GetDateTimeOffset() - truth).TotalSeconds - (i + 1), -0.01, 0.01);
            Assert.False(samples[i].TryGetProperty("timeQuality", out _));
        }
    }

    private static void InOrder(Rig rig, int count)
    {
        Assert.Equal(Enumerable.Range(0, count), rig.Samples().Select(r => r.GetProperty("value").GetInt32()));
        Assert.Equal(count, rig.LastSampleSequence());
    }

    /// <summary>A commit loop over a store, a clock that the test moves, and what the computer says of it.</summary>
    private sealed class Rig : IDisposable, IClockSource
    {
        private const int SecondsOfCommit = 5;

        private readonly LoadedSite _loaded;
        private readonly PointModel _point;
        private ManualTime _time;
        private ReadingQueue _queue = null!;
        private GatewayClock _clock = null!;
        private bool _hasChip;
        private int _next;

        public Rig(LoadedSite loaded, Guid boot, DateTimeOffset clock, bool synchronised = false)
        {
            _loaded = loaded;
            _point = loaded.Model.Points.First(p => p.PublishSamples && p.Kind == PointKind.Gauge);
            _time = new ManualTime(clock);
            Synchronised = synchronised;
            Start(boot);
        }

        public bool Synchronised { get; set; }

        public SqliteStore Store { get; private set; } = null!;

        public CommitLoop Loop { get; private set; } = null!;

        public RecoveryReport? Salvage { get; private set; }

        public ClockFacts Read() => new(Synchronised, _hasChip, null);

        public void SetClock(DateTimeOffset now, bool synchronised = true)
        {
            _time.SetUtcNow(now);
            Synchronised = synchronised;
        }

        public async Task ReadAsync(int seconds)
        {
            for (var second = 1; second <= seconds; second++)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                await _queue.WriteAsync(new Reading(_point.Index, _clock.Monotonic, _next, (ulong)_next, Quality.Good), CancellationToken.None);
                _next++;
                if (second % SecondsOfCommit == 0 || second == seconds)
                {
                    await Loop.CommitAsync(CancellationToken.None);
                }
            }

            // What the end of the last commit noticed of the clock is acted upon by the next.
            await Loop.CommitAsync(CancellationToken.None);
        }

        /// <summary>An orderly stop, with its last commit.</summary>
        public Task EndAsync() => Loop.RunAsync(new CancellationToken(canceled: true));

        /// <summary>Ends without another word and starts again; in the same boot the clocks go on.</summary>
        public void Kill(Guid boot, DateTimeOffset? clock = null, bool hasChip = false)
        {
            _hasChip = hasChip;
            _queue.Dispose();
            Store.Dispose();
            if (clock is { } now)
            {
                _time = boot == Boot ? _time : new ManualTime(now);
                _time.SetUtcNow(now);
            }

            Start(boot);
        }

        public List<JsonElement> Records(FeedStream stream) => [.. Rows().Where(r => r.Stream == stream).SelectMany(r => JsonDocument.Parse(r.Body).RootElement.EnumerateArray())];

        public List<JsonElement> Samples() => Records(FeedStream.Sample);

        public List<JsonElement> Health(string kind) => [.. Records(FeedStream.Health).Where(r => r.GetProperty("kind").GetString() == kind)];

        public long LastSampleSequence() => Rows().Where(r => r.Stream == FeedStream.Sample).Max(r => r.FirstSequence + r.Count - 1);

        public void Dispose()
        {
            _queue.Dispose();
            Store.Dispose();
        }

        private void Start(Guid boot)
        {
            Store = SqliteStore.Open(_loaded.Model.Storage, ["centre"], _time);
            Salvage = Store.Recover().Report;
            _queue = new ReadingQueue(_time);
            _clock = new GatewayClock(_time, this);
            Loop = new CommitLoop(_loaded, Store, _queue, _clock, new RetainedBirths(), NullLogger.Instance, boot);
            Loop.Begin();
        }

        private List<OutboxRow> Rows()
        {
            var rows = new List<OutboxRow>();
            for (var from = 1L; Store.Read(from, Store.LastRowId, 500, 1 << 24, rows) > 0; from = rows[^1].Id + 1)
            {
                if (rows[^1].Id >= Store.LastRowId)
                {
                    break;
                }
            }

            return rows;
        }
    }
}
