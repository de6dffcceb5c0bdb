using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Integration.Storage;
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
    internal static readonly Guid Boot = Guid.Parse("11111111-1111-1111-1111-111111111111");
    private static readonly Guid OtherBoot = Guid.Parse("22222222-2222-2222-2222-222222222222");
    internal static readonly DateTimeOffset Truth = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
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
        await rig.LoseTimeAfterAsync(60);
        rig.Kill(OtherBoot, NeverSet + TimeSpan.FromSeconds(60));
        Assert.NotNull(rig.Loop.LastGood);

        // Noted with the first commit and then once an hour: the clock that shows a time before it has not lowered it.
        Assert.InRange((rig.Loop.LastGood.Value.ToDateTimeOffset() - Truth).TotalSeconds, 0, 65);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Held_readings_that_use_up_the_store_are_published_instead_of_waiting_and_what_gives_way_is_told(bool clockIsSetInTime)
    {
        // The sample log may take all of it, so that its share does not end the wait before.
        using var rig = new Rig(_loaded, Boot, NeverSet, storage: _loaded.Model.Storage with { BudgetBytes = 768 << 10, SampleLogBytes = 768 << 10 });
        var room = 0L;

        // In time: what is held is more than one group of those that are released with one commit.
        var perSecond = clockIsSetInTime ? 75 : 200;
        for (var turn = 0; turn < 160 && !(clockIsSetInTime && room > 300 << 10) && rig.Samples().Count == 0; turn++)
        {
            await rig.ReadAsync(5, perSecond);
            Assert.Null(rig.Loop.Failing);
            room = new FileInfo(Path.Combine(_loaded.Model.Storage.Directory, "gateway.db")).Length;
        }

        Assert.True(clockIsSetInTime == (rig.Samples().Count == 0), "The wait ended early, or not at all.");
        if (clockIsSetInTime)
        {
            rig.SetClock(Truth);
        }

        await rig.ReadAsync(5, perSecond: 200);
        Assert.Null(rig.Loop.Failing);
        Assert.Equal(0, rig.Loop.Held);

        // Each reading was numbered; it waits, or is stated as lost.
        var lost = rig.Store.Statistics().Losses.Where(l => l.Stream == FeedStream.Sample).SelectMany(l => Numbers(l.First, l.Last));
        Assert.Equal(Numbers(1, rig.ReadingsMade), lost.Concat(rig.SampleNumbers()).Order());
        Assert.Equal(Numbers(rig.ReadingsMade - rig.Samples().Count, rig.ReadingsMade - 1), rig.Samples().Select(r => r.GetProperty("value").GetInt64()));
        rig.Kill(Boot);
        Assert.Null(rig.Salvage);
        await rig.ReadAsync(10);
        Assert.Null(rig.Loop.Failing);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_of_configuration_releases_what_is_held_in_steps(bool isDated)
    {
        using var rig = new Rig(_loaded, Boot, NeverSet);
        await rig.ReadAsync(800);
        if (isDated)
        {
            rig.SetClock(Truth + TimeSpan.FromSeconds(800));
        }

        _site.Configure(File.ReadAllText(_site.Configuration).Replace("windows: [1m, 15m]", "windows: [1m, 30m]", StringComparison.Ordinal));
        var changed = _site.Load();
        Assert.NotEqual(_loaded.Model.ConfigurationHash, changed.Model.ConfigurationHash);
        rig.Kill(Boot, site: changed);
        var before = rig.Store.NextBatchNumber;

        // Cut off after the first step.
        var turns = 0;
        rig.Loop.Turned = _ =>
        {
            if (++turns == 2)
            {
                throw new InvalidOperationException("cut off");
            }
        };
        await Assert.ThrowsAsync<InvalidOperationException>(() => rig.ReadAsync(0));
        Assert.Equal(before + 1, rig.Store.NextBatchNumber);
        Assert.InRange(rig.Samples().Count, 250, 350);
        Assert.DoesNotContain(rig.Records(FeedStream.Summary), r => r.GetProperty("cut").GetString() != "none");

        rig.Kill(Boot, site: changed);
        Assert.Null(rig.Salvage);
        await rig.ReadAsync(100);
        if (isDated)
        {
            AreDated(rig, Truth, 900);
        }
        else
        {
            // What is read under the new configuration waits in its turn.
            InOrder(rig, 800);
            Assert.Equal(100, rig.Loop.Held);
        }

        Assert.Equal(isDated ? 0 : 1, rig.Health("time-quality").Count(r => r.GetProperty("fields").TryGetProperty("heldReadings", out _)));
        rig.Kill(Boot, site: changed);
        Assert.Null(rig.Salvage);
    }

    [Fact]
    public async Task A_full_check_that_wants_a_checkpoint_does_not_end_the_wait_for_the_clock()
    {
        using var rig = new Rig(_loaded, Boot, Truth, synchronised: true);
        await rig.LoseTimeAfterAsync(120);
        Sql.Execute(Path.Combine(_loaded.Model.Storage.Directory, "gateway.db"), "UPDATE checkpoint SET body = CAST(substr(body, 1, 60) || x'00' || substr(body, 62) AS BLOB) WHERE log = (SELECT min(log) FROM checkpoint)");
        var check = rig.CheckAsync();
        await rig.PassAsync(check);
        Assert.Equal(IntegrityState.Mended, (await check).State);
        var held = rig.Loop.Held;
        await rig.ReadAsync(60);
        Assert.Equal(held + 60, rig.Loop.Held);
        Assert.Equal(120, rig.Samples().Count);
    }

    [Fact]
    public async Task The_time_between_two_runs_is_told_when_the_clock_is_known_and_not_before()
    {
        using var rig = new Rig(_loaded, Boot, Truth, synchronised: true);
        await rig.LoseTimeAfterAsync(120);
        Assert.Empty(rig.Absences());
        rig.SetClock(Truth + TimeSpan.FromHours(1) + TimeSpan.FromSeconds(60));
        await rig.ReadAsync(60);
        var told = Assert.Single(rig.Absences());
        Assert.InRange((told.GetProperty("from").GetDateTimeOffset() - Truth).TotalSeconds, 119, 121);
        Assert.InRange((told.GetProperty("to").GetDateTimeOffset() - Truth).TotalSeconds, 3599, 3601);
        Assert.Equal("stopped by operator", told.GetProperty("reason").GetString());
        Assert.False(told.TryGetProperty("timeQuality", out _));
    }

    [Fact]
    public async Task What_follows_a_start_that_was_cut_off_before_its_first_commit_was_stopped_by_nobody()
    {
        using var rig = new Rig(_loaded, Boot, Truth, synchronised: true);
        await rig.ReadAsync(60);
        await rig.EndAsync();
        rig.Pass(TimeSpan.FromSeconds(30));
        rig.Kill(Boot);
        rig.Pass(TimeSpan.FromSeconds(40));
        rig.Kill(Boot);
        await rig.ReadAsync(10);
        var told = rig.Absences();
        Assert.Equal(["stopped by operator", "power or process"], told.Select(r => r.GetProperty("reason").GetString()));
        Assert.Equal([30, 40], told.Select(r => (r.GetProperty("to").GetDateTimeOffset() - r.GetProperty("from").GetDateTimeOffset()).TotalSeconds));
        Assert.Equal(told[0].GetProperty("to").GetDateTimeOffset(), told[1].GetProperty("from").GetDateTimeOffset());

        // Told once; and a kill after that is none either.
        rig.Pass(TimeSpan.FromSeconds(5));
        rig.Kill(Boot);
        await rig.ReadAsync(10);
        Assert.Equal("power or process", rig.Absences()[2].GetProperty("reason").GetString());
        Assert.Equal(3, rig.Absences().Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_time_between_two_runs_does_not_claim_readings_that_wait(bool sameBoot)
    {
        using var rig = new Rig(_loaded, Boot, Truth, synchronised: true);
        await rig.ReadAsync(120);
        rig.Synchronised = false;
        rig.Kill(OtherBoot, NeverSet);
        await rig.ReadAsync(60);
        var third = sameBoot ? OtherBoot : Guid.Parse("33333333-3333-3333-3333-333333333333");
        rig.Pass(TimeSpan.FromSeconds(30));
        rig.Kill(third, sameBoot ? null : NeverSet);
        await rig.ReadAsync(60);
        Assert.Empty(rig.Absences());
        rig.SetClock(Truth + TimeSpan.FromHours(1));
        await rig.ReadAsync(10);

        var told = rig.Absences();
        Assert.Equal(2, told.Count);
        Assert.InRange((told[0].GetProperty("from").GetDateTimeOffset() - Truth).TotalSeconds, 119, 121);
        var samples = rig.Samples().Select(r => r.GetProperty("time").GetDateTimeOffset()).ToArray();
        if (sameBoot)
        {
            Assert.All(told, r => Assert.DoesNotContain(samples, t => r.GetProperty("from").GetDateTimeOffset() < t && t < r.GetProperty("to").GetDateTimeOffset()));
            Assert.InRange((told[1].GetProperty("to").GetDateTimeOffset() - told[1].GetProperty("from").GetDateTimeOffset()).TotalSeconds, 29, 32);
        }
        else
        {
            // When the boot in between began and ended nobody ever knows.
            Assert.Contains("how long is not known", told[0].GetProperty("reason").GetString(), StringComparison.Ordinal);
            Assert.Contains("since when is not known", told[1].GetProperty("reason").GetString(), StringComparison.Ordinal);
            Assert.InRange((told[1].GetProperty("to").GetDateTimeOffset() - Truth).TotalSeconds, 3600 - 62, 3600 - 58);
        }

        // Told once.
        rig.Kill(third);
        await rig.ReadAsync(10);
        Assert.Equal(3, rig.Absences().Count);
    }

    private static IEnumerable<long> Numbers(long first, long last)
    {
        for (var n = first; n <= last; n++)
        {
            yield return n;
        }
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
    /// <summary>The real commit loop over a real store, on clocks that the test moves.</summary>
    internal sealed class Rig : IDisposable, IClockSource
    {
        private const int SecondsOfCommit = 5;

        private readonly StorageModel _storage;
        private readonly PointModel _point;
        private LoadedSite _loaded;
        private ManualTime _time;
        private ReadingQueue _queue = null!;
        private GatewayClock _clock = null!;
        private bool _hasChip;
        private int _next;
        private int _minute;

        public Rig(LoadedSite loaded, Guid boot, DateTimeOffset clock, bool synchronised = false, StorageModel? storage = null)
        {
            _loaded = loaded;
            _storage = storage ?? loaded.Model.Storage;
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

        /// <summary>Readings made so far.</summary>
        public long ReadingsMade => _next;

        public async Task ReadAsync(int seconds, int perSecond = 1)
        {
            for (var second = 1; second <= seconds; second++)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                for (var i = 0; i < perSecond; i++)
                {
                    await _queue.WriteAsync(new Reading(_point.Index, _clock.Monotonic, _next, (ulong)_next, Quality.Good), CancellationToken.None);
                    _next++;
                }

                if (second % SecondsOfCommit == 0 || second == seconds)
                {
                    await CommitAsync();
                }
            }

            // What the end of the last commit noticed of the clock is acted upon by the next.
            await CommitAsync();
        }

        /// <summary>Readings of registers each minute, and a commit after each.</summary>
        /// <param name="minutes">How many minutes go by.</param>
        /// <param name="at">The registers at a minute since the rig was made, by point id.</param>
        public async Task FeedAsync(int minutes, Func<int, IEnumerable<(string Point, ulong Raw)>> at)
        {
            for (var end = _minute + minutes; _minute < end; _minute++)
            {
                foreach (var (id, raw) in at(_minute))
                {
                    var point = _loaded.Model.Points.First(p => p.Id == id);
                    await _queue.WriteAsync(new Reading(point.Index, _clock.Monotonic, raw, raw, Quality.Good), CancellationToken.None);
                }

                await CommitAsync();
                _time.Advance(TimeSpan.FromMinutes(1));
            }

            await CommitAsync();
        }

        /// <summary>Does what needs a commit.</summary>
        public async Task<T> DoAsync<T>(Func<CommitLoop, Task<T>> what)
        {
            var done = what(Loop);
            await CommitAsync();
            return await done;
        }

        /// <summary>Runs for so many seconds, is stopped in good order, and comes back for a minute on a computer that does not know the time.</summary>
        public async Task LoseTimeAfterAsync(int seconds)
        {
            await ReadAsync(seconds);
            await EndAsync();
            Synchronised = false;
            Kill(OtherBoot, NeverSet);
            await ReadAsync(60);
        }

        // The clock stands still meanwhile: a loop that waits for the store would wait for ever.
        private ValueTask CommitAsync()
        {
            var commit = Loop.CommitAsync(CancellationToken.None);
            Assert.True(commit.IsCompleted, $"The loop waits: {Loop.Failing}");
            return commit;
        }

        /// <summary>Time goes by and nothing happens.</summary>
        public void Pass(TimeSpan time) => _time.Advance(time);

        /// <summary>Time goes by until something is done.</summary>
        public Task PassAsync(Task task) => _time.AdvanceUntilAsync(task, TimeSpan.FromMilliseconds(10));

        /// <summary>The full check of the store.</summary>
        public Task<IntegrityReport> CheckAsync() => Store.CheckIntegrityAsync(CancellationToken.None);

        /// <summary>What was told of times in which nothing was acquired.</summary>
        public List<JsonElement> Absences() => [.. Records(FeedStream.Range).Where(r => r.GetProperty("state").GetString() == "never-acquired")];

        /// <summary>Numbers of the samples that wait.</summary>
        public IEnumerable<long> SampleNumbers() => Rows().Where(r => r.Stream == FeedStream.Sample).SelectMany(r => Numbers(r.FirstSequence, r.FirstSequence + r.Count - 1));

        /// <summary>An orderly stop, with its last commit.</summary>
        public Task EndAsync()
        {
            Loop.End();
            return Loop.RunAsync(new CancellationToken(canceled: true));
        }

        /// <summary>Ends without another word and starts again; in the same boot the clocks go on.</summary>
        public void Kill(Guid boot, DateTimeOffset? clock = null, bool hasChip = false, LoadedSite? site = null, Action? meanwhile = null)
        {
            _loaded = site ?? _loaded;
            _hasChip = hasChip;
            _queue.Dispose();
            Store.Dispose();
            meanwhile?.Invoke();
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
            Store = SqliteStore.Open(_storage, ["centre"], _time);
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
