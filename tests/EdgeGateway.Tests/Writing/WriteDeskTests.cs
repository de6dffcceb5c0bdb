using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Configuration;
using EdgeGateway.Writing;

namespace EdgeGateway.Tests.Writing;

/// <summary>Design, invariant 2: recorded, sent once, read back, and given up to the safe value in time.</summary>
public sealed class WriteDeskTests
{
    private const string SafeAtStop = "allowWrites: true, points: { setpoint: { write: { atStop: safe } } }";

    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);

    private static RegisterTable Holding => RegisterTable.HoldingRegister;

    [Fact]
    public async Task The_intent_is_on_the_disk_before_the_wire_is_touched_and_the_outcome_afterwards()
    {
        await using var rig = new WriteRig();
        rig.Bus[Holding, 1] = 1000;

        // The polls at the start are through.
        await rig.UntilAsync(() => rig.Snapshot().Count(e => e == "read HoldingRegister 10") == 2, TimeSpan.FromSeconds(10));
        var write = await rig.WriteAsync("setpoint", "42.5");
        Assert.Equal(
            ["read HoldingRegister 1", "record write-begun", "write single HoldingRegister 1: 4250", "read HoldingRegister 1", "record write-ended"],
            rig.Snapshot()[^5..]);
        Assert.Equal(("confirmed", 10.0, 42.5, 42.5, "maria (uid 1000)"), (write.Outcome, write.Before, write.Value, write.ReadBack, write.Who));

        var (begun, ended) = (rig.Records[0].GetProperty("fields"), rig.Records[1].GetProperty("fields"));
        Assert.Equal(write.Id, begun.GetProperty("write").GetString());
        Assert.Equal(write.Id, ended.GetProperty("write").GetString());
        Assert.Equal((10.0, 42.5, "Hz", "test"), (begun.GetProperty("before").GetDouble(), begun.GetProperty("value").GetDouble(), begun.GetProperty("unit").GetString(), begun.GetProperty("reason").GetString()));
        Assert.Equal("confirmed", ended.GetProperty("outcome").GetString());
    }

    [Theory]
    [InlineData("ramp", "1.5", "write multiple HoldingRegister 3: 0 16320")]
    [InlineData("relay", "on", "write multiple Coil 0: 1")]
    [InlineData("command", "run", "write single HoldingRegister 2: 1")]
    public async Task A_value_goes_in_one_request_with_the_declared_function(string point, string value, string wire)
    {
        await using var rig = new WriteRig();
        Assert.Equal("confirmed", (await rig.WriteAsync(point, value)).Outcome);
        Assert.Equal([wire], rig.OnTheWire());
    }

    [Fact]
    public async Task The_effect_is_read_where_the_profile_says_and_when_it_says()
    {
        await using var rig = new WriteRig();
        rig.Bus.Follows[9] = 10;
        var write = await rig.WriteAsync("start", "on");
        Assert.Equal(("confirmed", 1.0), (write.Outcome, write.ReadBack));
        Assert.Equal(["read HoldingRegister 10", "record write-begun", "write single HoldingRegister 9: 1", "read HoldingRegister 10", "record write-ended"], rig.Snapshot()[^5..]);

        // Read back only after the declared time.
        Assert.True(rig.Time.GetElapsedTime(0) >= TimeSpan.FromMilliseconds(200));
    }

    // How the write is answered, whether it takes effect, how it is read back, the outcome and its words.
    public static TheoryData<QualityReason, byte, bool, QualityReason, string, string> Ends => new()
    {
        { QualityReason.None, 0, true, QualityReason.None, "confirmed", "" },
        { QualityReason.None, 0, false, QualityReason.None, "not-confirmed", "the device shows 10 Hz" },
        { QualityReason.None, 0, true, QualityReason.Timeout, "not-confirmed", "could not be read back: no answer" },
        { QualityReason.DeviceException, 2, false, QualityReason.None, "refused-by-device", "exception 2 (no such register)" },
        { QualityReason.DeviceException, 6, false, QualityReason.None, "refused-by-device", "device busy" },
        { QualityReason.DeviceException, 5, true, QualityReason.None, "confirmed", "but the device shows the value" },
        { QualityReason.DeviceException, 11, false, QualityReason.None, "not-confirmed", "the device shows 10 Hz" },
        { QualityReason.Timeout, 0, true, QualityReason.None, "confirmed", "no reply to the write (no answer), but the device shows the value" },
        { QualityReason.Timeout, 0, false, QualityReason.None, "not-confirmed", "no reply to the write (no answer); the device shows 10 Hz" },
        { QualityReason.Timeout, 0, true, QualityReason.Timeout, "unknown", "it may have happened" },
        { QualityReason.CorruptFrame, 0, false, QualityReason.CorruptFrame, "unknown", "it may have happened" },
    };

    [Theory, MemberData(nameof(Ends))]
    public async Task The_read_back_decides_what_is_told_and_nothing_is_repeated(
        QualityReason written, byte detail, bool takesEffect, QualityReason readBack, string outcome, string says)
    {
        await using var rig = new WriteRig();
        rig.Bus[Holding, 1] = 1000;
        rig.Bus.TakesEffect = () => takesEffect;
        rig.Bus.OnWrite = () =>
        {
            rig.Bus.OnRead = new BusReply(readBack);
            return new BusReply(written, detail);
        };
        var write = await rig.WriteAsync("setpoint", "42.5");
        Assert.Equal(outcome, write.Outcome);
        Assert.Contains(says, write.Detail, StringComparison.Ordinal);

        rig.Bus.OnRead = BusReply.Good;
        await rig.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Single(rig.OnTheWire());
        Assert.Equal(["write-begun", "write-ended"], rig.Records.Select(r => r.GetProperty("kind").GetString()!).ToArray());
    }

    [Fact]
    public async Task A_device_that_does_not_answer_is_not_written_to()
    {
        await using var rig = new WriteRig();
        rig.Bus.OnRead = new BusReply(QualityReason.Timeout);
        var (write, refusal) = await rig.TryWriteAsync("setpoint", "42.5");
        Assert.Null(write);
        Assert.False(refusal!.ByRule);
        Assert.Contains("d1: no answer. Its present value must be known before a write. Nothing was written", refusal.Text, StringComparison.Ordinal);
        Assert.Empty(rig.OnTheWire());
        Assert.Empty(rig.Records);
    }

    [Fact]
    public async Task Nothing_is_written_while_the_store_fails()
    {
        await using var rig = new WriteRig();
        rig.Failing = "no space left";
        var (write, refusal) = await rig.TryWriteAsync("setpoint", "42.5");
        Assert.Null(write);
        Assert.Contains("The write cannot be recorded, so it is not made: no space left", refusal!.Text, StringComparison.Ordinal);

        rig.Failing = null;
        rig.Recorded = () => Task.FromException(new StoreException(StoreFailure.Io, "the disk is gone"));
        (_, refusal) = await rig.TryWriteAsync("setpoint", "42.5");
        Assert.Contains("so it is not made: the disk is gone", refusal!.Text, StringComparison.Ordinal);
        Assert.Empty(rig.OnTheWire());
    }

    [Fact]
    public async Task A_record_that_comes_too_late_is_followed_by_what_did_not_happen()
    {
        await using var rig = new WriteRig();
        var disk = new TaskCompletionSource();
        rig.Recorded = () => disk.Task;
        var (_, refusal) = await rig.TryWriteAsync("setpoint", "42.5");
        Assert.Contains("could not be recorded within 10 s, so it is not made", refusal!.Text, StringComparison.Ordinal);
        disk.SetResult();
        await rig.UntilAsync(() => rig.Snapshot().Contains("record write-ended"), Quarter);
        Assert.Equal("not-attempted", rig.Records[^1].GetProperty("fields").GetProperty("outcome").GetString());
        Assert.Empty(rig.OnTheWire());
    }

    [Fact]
    public async Task What_the_site_does_not_allow_never_reaches_the_wire()
    {
        await using var rig = new WriteRig();
        foreach (var (device, point, value) in new[] { ("d2", "setpoint", "1"), ("d1", "setpoint", "51"), ("d1", "frequency", "1"), ("d9", "x", "1") })
        {
            var (write, refusal) = await rig.TryWriteAsync(point, value, device: device);
            Assert.Null(write);
            Assert.True(refusal!.ByRule);
        }

        Assert.Empty(rig.OnTheWire());
        Assert.Empty(rig.Records);
    }

    [Fact]
    public async Task When_the_time_is_over_the_safe_value_is_written()
    {
        await using var rig = new WriteRig();
        var write = await rig.WriteAsync("setpoint", "42.5", Quarter);
        Assert.NotNull(write.Expires);
        var pending = Assert.Single(rig.Desk.List().Pending);
        Assert.Equal(("setpoint", "42.5 Hz", "5 Hz"), (pending.Point, pending.Value, pending.Safe));

        // A step of the wall clock changes nothing.
        rig.Time.SetUtcNow(rig.Time.GetUtcNow().AddDays(-1));
        await rig.PassAsync(Quarter - TimeSpan.FromMinutes(1));
        Assert.Single(rig.OnTheWire());
        await rig.UntilAsync(() => rig.Desk.List().Pending.Count == 0, TimeSpan.FromMinutes(2));
        Assert.Equal("write single HoldingRegister 1: 500", rig.OnTheWire()[^1]);
        Assert.Equal(500, rig.Bus[Holding, 1]);

        var last = rig.Desk.List().Last[0];
        Assert.Equal(("expiry", "confirmed", "the gateway"), (last.Cause, last.Outcome, last.Who));
        Assert.Contains("42.5 Hz was written by maria (uid 1000)", last.Reason, StringComparison.Ordinal);
        Assert.Equal(2, rig.OnTheWire().Length);
    }

    [Fact]
    public async Task A_second_write_takes_the_place_of_what_would_expire()
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", Quarter);
        await rig.WriteAsync("setpoint", "30", TimeSpan.FromHours(1));
        await rig.PassAsync(Quarter + TimeSpan.FromMinutes(1));
        Assert.Equal(3000, rig.Bus[Holding, 1]);

        await rig.WriteAsync("setpoint", "20");
        Assert.Empty(rig.Desk.List().Pending);
        await rig.PassAsync(TimeSpan.FromHours(2));
        Assert.Equal(2000, rig.Bus[Holding, 1]);
        Assert.Equal(3, rig.OnTheWire().Length);
    }

    [Fact]
    public async Task A_refused_second_write_leaves_the_expiry_of_the_first()
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", Quarter);
        (rig.Bus.OnWrite, rig.Bus.TakesEffect) = (() => new BusReply(QualityReason.DeviceException, 4), () => false);
        Assert.Equal("refused-by-device", (await rig.WriteAsync("setpoint", "30")).Outcome);
        (rig.Bus.OnWrite, rig.Bus.TakesEffect) = (() => BusReply.Good, () => true);
        await rig.UntilAsync(() => rig.Bus[Holding, 1] == 500, Quarter + TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_dead_device_gets_its_safe_value_when_it_is_back()
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", TimeSpan.FromMinutes(1));
        rig.Bus.OnRead = new BusReply(QualityReason.Timeout);
        rig.Bus.TakesEffect = () => false;
        rig.Bus.OnWrite = () => new BusReply(QualityReason.Timeout);
        await rig.PassAsync(TimeSpan.FromMinutes(10));
        Assert.Contains("no answer", Assert.Single(rig.Desk.List().Pending).Problem, StringComparison.Ordinal);

        rig.Bus.OnRead = BusReply.Good;
        (rig.Bus.TakesEffect, rig.Bus.OnWrite) = (() => true, () => BusReply.Good);
        await rig.UntilAsync(() => rig.Bus[Holding, 1] == 500, TimeSpan.FromMinutes(6));
        await rig.UntilAsync(() => rig.Desk.List().Pending.Count == 0, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_device_that_stays_one_step_away_is_not_confirmed_and_its_value_still_gives_way()
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", Quarter);
        rig.Bus[Holding, 1] = 501;
        (rig.Bus.OnWrite, rig.Bus.TakesEffect) = (() => new BusReply(QualityReason.Timeout), () => false);
        var write = await rig.WriteAsync("setpoint", "5");
        Assert.Equal("not-confirmed", write.Outcome);
        Assert.Contains("the device shows 5.01 Hz, as before", write.Detail, StringComparison.Ordinal);
        Assert.Single(rig.Desk.List().Pending);
    }

    // Before, asked, after; the declared tolerance is 0.5 Hz.
    [Theory]
    [InlineData(530, "5", 530, "not-confirmed")]
    [InlineData(1000, "5", 530, "confirmed")]
    [InlineData(500, "5", 500, "confirmed")]
    [InlineData(1000, "5", 551, "not-confirmed")]
    public async Task A_declared_tolerance_confirms_nothing_that_did_not_move(int before, string asked, int after, string outcome)
    {
        await using var rig = new WriteRig(profile: WriteTexts.Profile.With("step: 0.1, safe: 5", "step: 0.1, safe: 5, readBack: { tolerance: 0.5 }"));
        rig.Bus[Holding, 1] = (ushort)before;
        rig.Bus.TakesEffect = () => false;
        rig.Bus.OnWrite = () =>
        {
            rig.Bus[Holding, 1] = (ushort)after;
            return BusReply.Good;
        };
        Assert.Equal(outcome, (await rig.WriteAsync("setpoint", asked)).Outcome);
    }

    [Fact]
    public async Task After_a_kill_and_a_reboot_the_sooner_end_of_a_cut_off_write_counts()
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "40", TimeSpan.FromHours(10));
        var cut = new TaskCompletionSource();
        rig.Bus.OnWrite = () =>
        {
            rig.Recorded = () => cut.Task;
            return BusReply.Good;
        };
        var writing = rig.Desk.WriteAsync(WriteTexts.Ask("setpoint", "45", TimeSpan.FromMinutes(5)));
        await rig.UntilAsync(() => rig.OnTheWire().Length == 2, TimeSpan.FromSeconds(10));
        await rig.DieAsync();
        rig.Recorded = () => Task.CompletedTask;
        rig.Bus.OnWrite = () => BusReply.Good;
        rig.CurrentBoot = Guid.NewGuid();
        rig.Start();
        await rig.UntilAsync(() => rig.Bus[Holding, 1] == 500, TimeSpan.FromMinutes(6));
        await rig.UntilAsync(() => rig.Desk.List().Pending.Count == 0, TimeSpan.FromSeconds(10));
        cut.SetException(new StoreException(StoreFailure.Io, "dead"));
        await writing;
    }

    [Theory]
    [InlineData(QualityReason.DeviceException, 2)]
    [InlineData(QualityReason.Timeout, 0)]
    public async Task The_safe_value_is_sent_although_nothing_can_be_read(QualityReason reason, byte detail)
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", TimeSpan.FromMinutes(1));
        rig.Bus.OnRead = new BusReply(reason, detail);
        await rig.UntilAsync(() => rig.Bus[Holding, 1] == 500, TimeSpan.FromMinutes(2));

        // Not seen yet: it is sent until it shows.
        await rig.UntilAsync(() => rig.OnTheWire().Length == 4, TimeSpan.FromMinutes(3));
        Assert.Single(rig.Desk.List().Pending);
        rig.Bus.OnRead = BusReply.Good;
        await rig.UntilAsync(() => rig.Desk.List().Pending.Count == 0, TimeSpan.FromMinutes(6));

        // Of the tries the last is kept; the feed has them all.
        Assert.True(rig.Records.Count >= 8);
        Assert.Equal(["confirmed", "confirmed"], rig.Desk.List().Last.Select(w => w.Outcome));
    }

    [Fact]
    public async Task A_bus_that_fails_after_the_wait_was_over_holds_up_nobody()
    {
        await using var rig = new WriteRig();
        rig.Bus.Holding = async () =>
        {
            await Task.Delay(TimeSpan.FromSeconds(40), rig.Time);
            throw new IOException("the port is gone");
        };
        var write = await rig.WriteAsync("setpoint", "42.5");
        Assert.Equal("unknown", write.Outcome);
        Assert.Contains("the bus ended by a fault (the port is gone)", write.Detail, StringComparison.Ordinal);
        rig.Bus.Holding = () => Task.CompletedTask;
        Assert.Equal("confirmed", (await rig.WriteAsync("setpoint", "30")).Outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_safe_value_does_not_wait_for_a_store_that_cannot_be_written_and_is_recorded_when_it_can(bool said)
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", TimeSpan.FromMinutes(1));
        var disk = new TaskCompletionSource();
        rig.Recorded = () => disk.Task;
        rig.Failing = said ? "no space left" : null;
        await rig.UntilAsync(() => rig.Bus[Holding, 1] == 500, TimeSpan.FromMinutes(2));
        await rig.UntilAsync(() => rig.Desk.List().Pending.Count == 0, TimeSpan.FromMinutes(1));
        Assert.Equal(2, rig.Records.Count);

        // An operator's write is refused all the while.
        Assert.NotNull((await rig.TryWriteAsync("setpoint", "30")).Refusal);
        disk.SetResult();
        await rig.UntilAsync(() => rig.Records.Count >= 4, TimeSpan.FromMinutes(1));
        Assert.Equal("expiry", rig.Records[2].GetProperty("fields").GetProperty("cause").GetString());
        var ended = rig.Records.First(r => r.GetProperty("kind").GetString() == "write-ended" && r.GetProperty("fields").GetProperty("cause").GetString() == "expiry");
        Assert.Contains("sent before it was recorded", ended.GetProperty("fields").GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, rig.OnTheWire().Length);
    }

    [Fact]
    public async Task While_the_store_cannot_be_written_the_tries_at_a_dead_device_do_not_pile_up()
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", TimeSpan.FromMinutes(1));
        var (disk, waiting) = (new TaskCompletionSource(), 0);
        rig.Recorded = () =>
        {
            Interlocked.Increment(ref waiting);
            return disk.Task;
        };
        rig.Failing = "no space left";
        rig.Bus.OnRead = new BusReply(QualityReason.Timeout);
        await rig.UntilAsync(() => rig.OnTheWire().Length == 6, TimeSpan.FromHours(1));
        Assert.Equal(2, Volatile.Read(ref waiting));
        rig.Bus.OnRead = BusReply.Good;
        await rig.UntilAsync(() => rig.Desk.List().Pending.Count == 0, TimeSpan.FromHours(1));
        Assert.Equal(4, Volatile.Read(ref waiting));
        (rig.Failing, rig.Recorded) = (null, () => Task.CompletedTask);
        disk.SetResult();
        await rig.UntilAsync(() => rig.Records.Count == 6, TimeSpan.FromMinutes(1));
        Assert.Equal("confirmed", rig.Records[^1].GetProperty("fields").GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task After_a_start_the_safe_value_that_is_overdue_does_not_wait_for_the_store()
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", TimeSpan.FromMinutes(1));
        await rig.DieAsync();
        rig.Time.Advance(TimeSpan.FromMinutes(2));
        rig.CurrentBoot = Guid.NewGuid();
        var disk = new TaskCompletionSource();
        (rig.Recorded, rig.Failing) = (() => disk.Task, "no space left");
        rig.Start();
        await rig.UntilAsync(() => rig.Bus[Holding, 1] == 500, TimeSpan.FromMinutes(1));
        disk.SetResult();
        await rig.UntilAsync(() => rig.Records.Count == 4, TimeSpan.FromMinutes(1));

        // And it is done with, also for the next start.
        await rig.DieAsync();
        rig.Failing = null;
        rig.Start();
        Assert.Empty(rig.Desk.List().Pending);
    }

    [Fact]
    public async Task A_damaged_note_of_an_expiry_is_published_once_with_what_to_do()
    {
        await using var rig = new WriteRig(start: false);
        rig.Damaged = [new StoreNote("expiry/d1/setpoint", "{ broken"), new StoreNote(StoreNote.LostTable, "a page is damaged")];
        rig.Start();
        await rig.UntilAsync(() => rig.Records.Count == 2, TimeSpan.FromSeconds(10));
        Assert.All(rig.Records, r => Assert.Equal("write-record-lost", r.GetProperty("kind").GetString()));
        Assert.StartsWith("The record of when d1.setpoint gives way to its safe value is damaged", rig.Records[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("look at the devices", rig.Records[1].GetProperty("text").GetString(), StringComparison.Ordinal);
        await rig.UntilAsync(() => rig.Journal.Damaged.Count == 0, TimeSpan.FromSeconds(10));
        Assert.Equal("confirmed", (await rig.WriteAsync("setpoint", "30")).Outcome);
        Assert.Equal("write-begun", rig.Records[2].GetProperty("kind").GetString());
    }

    [Fact]
    public async Task A_note_that_has_its_CRC_and_says_nothing_is_published_too()
    {
        await using var rig = new WriteRig(start: false);
        rig.Keep("expiry/d1/setpoint", "{}");
        rig.Keep("other/thing", "{}");
        rig.Start();
        await rig.UntilAsync(() => rig.Records.Count == 1, TimeSpan.FromSeconds(10));
        Assert.Equal("write-record-lost", rig.Records[0].GetProperty("kind").GetString());
        await rig.DieAsync();
        rig.Start();
        await rig.WriteAsync("setpoint", "30");
        Assert.Equal("write-begun", rig.Records[1].GetProperty("kind").GetString());
    }

    // Whether it knew of the expiry, how the offline write ended, whether the older value still gives way.
    [Theory]
    [InlineData(true, "confirmed", false)]
    [InlineData(true, "not-confirmed", true)]
    [InlineData(true, "unknown", true)]
    [InlineData(false, "confirmed", true)]
    public async Task A_write_without_a_gateway_takes_the_place_of_the_expiry_it_was_told_of(bool knew, string outcome, bool stands)
    {
        await using var rig = new WriteRig();
        var first = await rig.WriteAsync("setpoint", "42.5", Quarter);
        await rig.DieAsync();
        rig.Bus[Holding, 1] = 3000;
        var offline = new StoredWrite(
            first with { Id = "offline1", Cause = WriteCause.Offline, Value = 30, Text = "30 Hz", ForSeconds = null, Expires = null, Outcome = outcome },
            new StoredClock(Guid.Empty, 0, 0, false),
            knew ? first.Id : null);
        rig.TakeOver = now => rig.Journal.ImportAsync([offline], now);
        rig.Start();
        await rig.UntilAsync(() => rig.Desk.List().Last.Count == 2, TimeSpan.FromSeconds(10));
        Assert.Equal(stands, rig.Desk.List().Pending.Count == 1);

        // And so it is on the disk.
        rig.TakeOver = null;
        await rig.DieAsync();
        rig.Start();
        await rig.PassAsync(Quarter + TimeSpan.FromMinutes(1));
        Assert.Equal(stands ? 500 : 3000, rig.Bus[Holding, 1]);
    }

    [Fact]
    public async Task Without_a_gateway_a_full_disk_after_the_wire_is_told_and_before_it_keeps_the_wire_untouched()
    {
        var bus = new WritableBus([]);
        var plan = EdgeGateway.Core.Writing.WriteRules.Decide(WriteTexts.Site(), WriteTexts.Ask("setpoint", "30"), out _)!;
        var clock = new BootClock(TimeProvider.System, Guid.NewGuid(), () => true);
        var lines = new List<StoredWrite>();
        void Append(StoredWrite line)
        {
            if (lines.Count == 1)
            {
                throw new IOException("No space left on device");
            }

            lines.Add(line);
        }

        var (write, problem) = await OfflineWrites.WriteAsync(bus, plan, 10, null, clock, TimeProvider.System, Append);
        Assert.Equal(("confirmed", "No space left on device"), (write.Outcome, problem));
        Assert.Single(bus.Writes);
        Assert.Null(lines[0].Write.Outcome);
        await Assert.ThrowsAsync<IOException>(() => OfflineWrites.WriteAsync(bus, plan, 10, null, clock, TimeProvider.System, Append));
        Assert.Single(bus.Writes);
    }

    [Fact]
    public void A_command_waits_longer_for_a_write_than_it_can_take()
    {
        // 10 s until the desk is ready, three times 30 s for the bus, the requests, 10 s for each of two records.
        var site = WriteTexts.Site(WriteTexts.Gateway.With("allowWrites: true", "allowWrites: true, timeout: 20s"));
        Assert.True(WriteDesk.Longest(site.Devices[0]) >= TimeSpan.FromSeconds(10 + (3 * 30) + (3 * 20) + 20));
        Assert.True(Commands.WriteCommand.Patience(site, "d1") > WriteDesk.Longest(site.Devices[0]));
    }

    [Fact]
    public async Task Killed_and_started_again_it_writes_the_safe_value_that_is_overdue_at_once()
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", Quarter);
        await rig.DieAsync();
        rig.Time.Advance(TimeSpan.FromMinutes(20));
        rig.Start();
        await rig.UntilAsync(() => rig.Desk.List().Pending.Count == 0, TimeSpan.FromSeconds(10));
        Assert.Equal(500, rig.Bus[Holding, 1]);
        Assert.Contains("overdue; 42.5 Hz was written", rig.Desk.List().Last[0].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 10, true)]
    [InlineData(false, 0, false)]
    public async Task After_a_reboot_the_time_goes_on_only_when_the_clock_can_be_trusted(bool trusted, int minutesLeft, bool holds)
    {
        await using var rig = new WriteRig();
        await rig.WriteAsync("setpoint", "42.5", Quarter);
        await rig.DieAsync();
        rig.Time.SetUtcNow(rig.Time.GetUtcNow().AddMinutes(5));
        rig.CurrentBoot = Guid.NewGuid();
        rig.WallIsTrusted = trusted;
        rig.Start();
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(holds ? 4250 : 500, rig.Bus[Holding, 1]);

        // From here on a step of the wall clock prolongs nothing.
        rig.Time.SetUtcNow(rig.Time.GetUtcNow().AddDays(-10));
        await rig.UntilAsync(() => rig.Bus[Holding, 1] == 500, TimeSpan.FromMinutes(minutesLeft + 1));
    }

    [Fact]
    public async Task A_write_that_was_cut_off_is_unknown_and_expires_all_the_same()
    {
        await using var rig = new WriteRig();
        var cut = new TaskCompletionSource();
        rig.Bus.OnWrite = () =>
        {
            // Dead between the wire and the record of the outcome.
            rig.Recorded = () => cut.Task;
            return BusReply.Good;
        };
        var writing = rig.Desk.WriteAsync(WriteTexts.Ask("setpoint", "42.5", Quarter));
        await rig.UntilAsync(() => rig.OnTheWire().Length == 1, TimeSpan.FromSeconds(10));
        await rig.DieAsync();
        rig.Recorded = () => Task.CompletedTask;
        rig.Bus.OnWrite = () => BusReply.Good;
        rig.Start();
        await rig.UntilAsync(() => rig.Desk.List().Last is [{ Outcome: "unknown" }], TimeSpan.FromSeconds(10));
        Assert.Contains("it may have happened", rig.Desk.List().Last[0].Detail, StringComparison.Ordinal);
        await rig.UntilAsync(() => rig.Bus[Holding, 1] == 500, Quarter + TimeSpan.FromMinutes(1));
        cut.SetException(new StoreException(StoreFailure.Io, "dead"));
        Assert.Equal("confirmed", (await writing).Write!.Outcome);
    }

    [Fact]
    public async Task A_clean_stop_writes_the_safe_value_first_where_the_site_says_so()
    {
        await using var rig = new WriteRig(WriteTexts.Gateway.With("allowWrites: true", SafeAtStop));
        await rig.WriteAsync("setpoint", "42.5", Quarter);
        await rig.WriteAsync("command", "run", Quarter);
        await rig.Time.AdvanceUntilAsync(rig.Desk.CloseAsync(TimeSpan.FromSeconds(2)), TimeSpan.FromMilliseconds(100));
        Assert.Equal((500, 1), (rig.Bus[Holding, 1], rig.Bus[Holding, 2]));
        Assert.Equal("stop", rig.Desk.List().Last[0].Cause);
        Assert.Equal(["command"], rig.Desk.List().Pending.Select(p => p.Point));

        var (write, refusal) = await rig.TryWriteAsync("relay", "on");
        Assert.Null(write);
        Assert.NotNull(refusal);
    }

    [Fact]
    public async Task A_dead_device_does_not_hold_up_a_stop()
    {
        await using var rig = new WriteRig(WriteTexts.Gateway.With("allowWrites: true", SafeAtStop));
        await rig.WriteAsync("setpoint", "42.5", Quarter);
        rig.Bus.OnRead = new BusReply(QualityReason.Timeout);
        var started = rig.Time.GetElapsedTime(0);
        await rig.Time.AdvanceUntilAsync(rig.Desk.CloseAsync(TimeSpan.FromSeconds(2)), TimeSpan.FromMilliseconds(100));
        Assert.True(rig.Time.GetElapsedTime(0) - started <= TimeSpan.FromSeconds(3));

        // Sent before anything is read: it may hear and not be heard.
        Assert.Equal("write single HoldingRegister 1: 500", rig.OnTheWire()[^1]);

        // Not forgotten: the next start finds it.
        await rig.DieAsync();
        rig.Bus.OnRead = BusReply.Good;
        rig.Start();
        await rig.UntilAsync(() => rig.Bus[Holding, 1] == 500, Quarter + TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task The_last_writes_are_kept_within_a_bound()
    {
        await using var rig = new WriteRig();
        for (var i = 0; i < WriteJournal.MaxKept + 5; i++)
        {
            await rig.WriteAsync("setpoint", $"{i % 50}");
        }

        Assert.Equal(WriteJournal.MaxKept, rig.Desk.List().Last.Count);
        await rig.DieAsync();
        rig.Start();
        Assert.Equal(WriteJournal.MaxKept, rig.Desk.List().Last.Count);
    }

    [Fact]
    public async Task A_check_reads_and_writes_nothing()
    {
        await using var rig = new WriteRig();
        rig.Bus[Holding, 1] = 1000;
        var checking = rig.Desk.CheckAsync(WriteTexts.Ask("setpoint", "42.5", Quarter));
        await rig.Time.AdvanceUntilAsync(checking, TimeSpan.FromMilliseconds(100));
        var (check, _) = await checking;
        Assert.Equal(("10 Hz", "42.5 Hz", "5 Hz", 900.0), (check!.Present, check.Value, check.Safe, check.ForSeconds));
        Assert.Equal("holding register 0x0001 of unit 1 on bus line, function 06", check.Place);
        Assert.Equal("Allowed: 0 to 50 Hz in steps of 0.1.", check.Limits);
        Assert.Empty(rig.OnTheWire());
        Assert.Empty(rig.Records);
    }
}
