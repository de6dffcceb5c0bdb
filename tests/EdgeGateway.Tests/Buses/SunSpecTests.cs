using EdgeGateway.Buses;
using EdgeGateway.Commands.Profiles;
using EdgeGateway.Core;
using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Scanning;
using EdgeGateway.Tests.Shared;
using RegisterTable = EdgeGateway.Core.Profiles.RegisterTable;

namespace EdgeGateway.Tests.Buses;

/// <summary>Reads of SunSpec models: found by the device's list, never beyond what the device has of them, and never for ever.</summary>
public class SunSpecTests
{
    private static readonly BusReply Absent = new(QualityReason.DeviceException, 2);
    private static readonly ModbusOutcome Busy = ModbusOutcome.Refused(ModbusExceptionCode.ServerDeviceBusy);

    private readonly ManualTime _time = new();
    private readonly ushort[] _words = new ushort[200];

    [Fact]
    public async Task Registers_behind_the_length_that_the_device_states_are_absent_and_never_those_of_the_next_model()
    {
        var device = new SunSpecDevice().With(40_000, (1, 66), (103, 20), (203, 105));
        var places = Places(device);
        Assert.Equal(BusReply.Good, (await ReadAsync(places, 103, 2, 20)).Reply);
        Assert.Equal([40_072, 40_091], new[] { _words[0], _words[19] });

        var (reply, problem) = await ReadAsync(places, 103, 20, 4);
        Assert.Equal(Absent, reply);
        Assert.Equal("unit 1 has 20 registers in its SunSpec model 103: what the profile names behind them it does not have", problem);
        Assert.DoesNotContain(device.Asked, a => a.Address > 40_002 && a.Address < 40_070 + 22 && a.Address + a.Quantity > 40_070 + 22);
    }

    [Fact]
    public async Task A_model_that_shrinks_while_it_is_polled_is_noticed_by_the_same_reply()
    {
        var device = new SunSpecDevice().With(40_000, (103, 20), (203, 105));
        var places = Places(device);
        Assert.Equal(BusReply.Good, (await ReadAsync(places, 103, 10, 12)).Reply);
        device.Registers.Clear();
        device.With(40_000, (103, 15), (203, 105));
        Assert.Equal(Absent, (await ReadAsync(places, 103, 10, 12)).Reply);
        Assert.Equal(BusReply.Good, (await ReadAsync(places, 103, 10, 7)).Reply);
    }

    [Fact]
    public async Task A_model_that_moves_while_it_is_read_in_two_requests_brings_nothing_of_another()
    {
        var device = new SunSpecDevice { Most = 10 }.With(40_000, (103, 20), (203, 20));
        var places = Places(device);
        Assert.Equal((ushort)40_014, await FirstAsync());
        device.Registers.Clear();
        device.With(40_000, (203, 20), (103, 20));
        Assert.Equal((ushort)40_036, await FirstAsync());

        async Task<ushort> FirstAsync()
        {
            Assert.Equal(BusReply.Good, (await ReadAsync(places, 103, 12, 8, most: 10)).Reply);
            return _words[0];
        }
    }

    [Theory]
    [InlineData((ushort)20)]
    [InlineData((ushort)125)]
    public async Task No_request_is_longer_than_the_profile_or_the_device_allows(ushort stated)
    {
        var device = new SunSpecDevice { Most = 20 }.With(40_000, (1, 66), (103, 100));
        var places = Places(device);
        for (var round = 0; round < 3; round++)
        {
            device.Asked.Clear();
            Assert.Equal(BusReply.Good, (await ReadAsync(places, 103, 60, 15, most: stated)).Reply);
            Assert.Equal(40_130, _words[0]);
        }

        // What the profile does not say is learned once.
        Assert.All(device.Asked, a => Assert.True(a.Quantity <= 20));
    }

    [Fact]
    public async Task A_device_that_leaves_long_requests_unanswered_is_read_in_shorter_ones_after_two_of_them()
    {
        var device = new SunSpecDevice { Most = 20, IsSilentBeyond = true }.With(40_000, (103, 100));
        var places = Places(device);
        var good = 0;
        for (var i = 0; i < 10; i++)
        {
            good += (await ReadAsync(places, 103, 60, 15)).Reply.IsGood ? 1 : 0;
        }

        Assert.Equal((8, 2), (good, device.Asked.Count(a => a.Quantity > 20)));
    }

    [Fact]
    public async Task A_device_that_was_away_is_read_in_one_request_again()
    {
        var device = new SunSpecDevice().With(40_000, (103, 100));
        var places = Places(device);
        for (var outage = 0; outage < 4; outage++)
        {
            device.Instead = _ => SunSpecDevice.Silent;
            Assert.Equal(QualityReason.Timeout, (await ReadAsync(places, 103, 60, 15)).Reply.Reason);
            device.Instead = _ => null;
            Assert.True((await ReadAsync(places, 103, 60, 15)).Reply.IsGood);
            device.Asked.Clear();
            Assert.True((await ReadAsync(places, 103, 60, 15)).Reply.IsGood);
            Assert.Equal([(40_002, 75)], device.Asked);
        }
    }

    [Theory]
    [InlineData("silent")]
    [InlineData("busy")]
    [InlineData("refused")]
    public async Task A_list_that_stands_at_another_place_is_found_behind_one_that_says_nothing(string how)
    {
        var device = new SunSpecDevice { Instead = at => at >= 40_000 ? How(how) : null }.With(0, (103, 20));
        Assert.True((await ReadAsync(Places(device), 103, 2, 10)).Reply.IsGood);
    }

    [Theory]
    [InlineData("silent", QualityReason.Timeout)]
    [InlineData("busy", QualityReason.DeviceException)]
    public async Task A_device_that_is_busy_or_silent_is_not_said_to_be_without_the_model(string how, QualityReason expected)
    {
        // At the marker, and later in the list.
        foreach (var from in new[] { 0, 40_001 })
        {
            var device = new SunSpecDevice { Instead = at => at >= from ? How(how) : null }.With(40_000, (1, 66), (103, 20));
            var places = Places(device);
            var (reply, problem) = await ReadAsync(places, 103, 2, 10);
            Assert.Equal((expected, (string?)null), (reply.Reason, problem));
            device.Instead = _ => null;
            Assert.True((await ReadAsync(places, 103, 2, 10)).Reply.IsGood);
        }
    }

    [Fact]
    public async Task A_model_that_is_not_there_is_not_looked_for_at_every_poll()
    {
        var device = new SunSpecDevice().With(40_000, (1, 66), (103, 20));
        var places = Places(device);
        var (reply, problem) = await ReadAsync(places, 203, 2, 10);
        Assert.Equal(QualityReason.WrongReply, reply.Reason);
        Assert.Equal("unit 1 has no SunSpec model 203; it has 1, 103: choose the profile of one of these", problem);

        var asked = device.Asked.Count;
        Assert.Equal((reply, problem), await ReadAsync(places, 203, 2, 10));
        Assert.Equal(asked, device.Asked.Count);
        _time.Advance(SunSpecPlaces.AbsentFor);
        device.With(40_000, (203, 20));
        Assert.True((await ReadAsync(places, 203, 2, 10)).Reply.IsGood);
    }

    [Theory]
    [InlineData("length 65535", "names a model 64 of 65535 registers")]
    [InlineData("beyond the table", "names a model 64 of 20000 registers")]
    [InlineData("nothing but zeros", "names a model 0 of 0 registers")]
    [InlineData("up to the last register", "runs to 65535 and has no end")]
    [InlineData("empty models for ever", "has no end within 60 models")]
    [InlineData("no end", "it does not show 40022")]
    public async Task A_broken_list_of_models_ends_with_words(string what, string said)
    {
        var device = what switch
        {
            "length 65535" => new SunSpecDevice().With(40_000, (1, 66), (64, 65_535)),
            "beyond the table" => new SunSpecDevice().With(50_000, (1, 66), (64, 20_000)),
            "nothing but zeros" => new SunSpecDevice().With(0, [.. Enumerable.Repeat<(ushort, ushort)>((0, 0), 30_000)]),
            "up to the last register" => new SunSpecDevice().With(50_000, (1, 15_532)),
            "empty models for ever" => new SunSpecDevice().With(0, [.. Enumerable.Repeat<(ushort, ushort)>((7, 0), 30_000)]),
            _ => new SunSpecDevice().With(40_000, (1, 18)),
        };
        if (what == "no end")
        {
            device.Registers.Remove(40_022);
        }

        var (reply, problem) = await ReadAsync(Places(device), 103, 2, 10);
        Assert.Equal(QualityReason.WrongReply, reply.Reason);
        Assert.Contains(said, problem, StringComparison.Ordinal);

        // The same list meets a scan.
        var found = await ScanAsync(device);
        Assert.Contains(found.Notes, n => n.Contains(said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_scan_proposes_the_profiles_of_the_models_in_the_list_and_no_others()
    {
        var device = new SunSpecDevice().With(40_000, (1, 66), (103, 50), (203, 105));
        var found = await ScanAsync(device);
        Assert.Equal(40_000, found.SunSpecAt);
        Assert.Subset(new HashSet<string> { "sunspec-103", "sunspec-203" }, found.Profiles.Where(p => p.Profile.StartsWith("sunspec", StringComparison.Ordinal)).Select(p => p.Profile).ToHashSet());
        Assert.Equal([], found.Notes);
    }

    [Fact]
    public async Task A_scan_takes_no_value_from_behind_a_model_that_the_device_has_in_part()
    {
        var device = new SunSpecDevice().With(40_000, (1, 66), (203, 105));
        device.Registers[40_071] = 10;
        var found = await ScanAsync(device);
        Assert.Equal(40_000, found.SunSpecAt);
        Assert.DoesNotContain(device.Asked, a => a.Address is > 40_070 and < 40_082 && a.Address + a.Quantity > 40_082);

        // The last registers of the table: the profile names some that there are none of.
        device = new SunSpecDevice().With(50_000, (1, 66), (999, 15_430), (203, 20));
        Assert.Equal(50_000, (await ScanAsync(device)).SunSpecAt);
        Assert.Contains(device.Asked, a => a.Address >= 65_504 && a.Address + a.Quantity <= 65_524);
    }

    [Fact]
    public async Task A_trial_tells_every_read_that_failed_and_takes_none_for_a_value_or_a_refusal()
    {
        var profile = Profile("eastron-sdm120");
        var requests = ProfileTrial.Requests(profile, withNeighbours: false);
        foreach (var how in new[] { "silent", "busy" })
        {
            // The first request fails in the first round, the second one always.
            var round = 0;
            var device = new SunSpecDevice { Instead = at => at == requests[1].Address || (at == requests[0].Address && round == 0) ? How(how) : ModbusOutcome.Ok };
            var reader = new TrialReader(device, 1, profile, TimeSpan.FromSeconds(1), _time);
            var first = await reader.ReadAsync(requests, CancellationToken.None);
            round++;
            var second = await reader.ReadAsync(requests, CancellationToken.None);

            string[] both = [.. profile.Points.Where(p => p.Encoding.Span.First >= requests[1].Address && p.Encoding.Span.End <= requests[1].Address + requests[1].Quantity).Select(p => p.Id)];
            Assert.NotEmpty(both);
            Assert.All(both, id => Assert.Equal((2, how == "busy" ? Busy.Describe() : SunSpecDevice.Silent.Describe()), reader.Failures[id]));
            Assert.All(both, id => Assert.Equal(RegisterState.Unknown, second.StateOf(profile.Points.First(p => p.Id == id).Encoding.Table, profile.Points.First(p => p.Id == id).Encoding.Span)));
            Assert.Contains(reader.Failures, f => f.Value.Times == 1);
            Assert.Equal(RegisterState.Unknown, first.StateOf(requests[0].Table, new(requests[0].Address, requests[0].Quantity)));
            Assert.Equal(RegisterState.Read, second.StateOf(requests[0].Table, new(requests[0].Address, requests[0].Quantity)));
        }
    }

    [Fact]
    public async Task A_trial_of_a_device_without_the_model_says_so_although_later_reads_say_nothing()
    {
        var device = new SunSpecDevice().With(40_000, (1, 66));
        var reader = new TrialReader(device, 1, Profile("sunspec-203"), TimeSpan.FromSeconds(1), _time);
        await reader.ReadAsync([new(RegisterTable.HoldingRegister, 2, 10)], CancellationToken.None);
        device.Instead = _ => SunSpecDevice.Silent;
        _time.Advance(SunSpecPlaces.AbsentFor);
        await reader.ReadAsync([new(RegisterTable.HoldingRegister, 2, 10)], CancellationToken.None);
        Assert.Contains("has no SunSpec model 203", reader.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Registers_at_the_end_of_the_table_are_judged_without_a_step_beyond_it()
    {
        var profile = Profile("sunspec-203");
        profile = profile with { Points = [.. profile.Points.Take(4).Select(p => p with { Encoding = p.Encoding.MovedBy(0xFFFF - profile.Points.Take(4).Max(x => x.Encoding.Span.End - 1)) })] };
        var registers = new RegisterSnapshot();
        foreach (var point in profile.Points)
        {
            registers.Put(point.Encoding.Table, point.Encoding.Span.First, Enumerable.Repeat((ushort)9, point.Encoding.Span.Length).ToArray());
        }

        Assert.NotEmpty(ProfileTrial.Judge(profile, [new(TimeSpan.Zero, registers)]).Findings);
    }

    private static ModbusOutcome How(string how) => how switch
    {
        "silent" => SunSpecDevice.Silent,
        "busy" => Busy,
        _ => ModbusOutcome.Refused(ModbusExceptionCode.IllegalDataAddress),
    };

    private static DeviceProfile Profile(string id) => Library.First(p => p.Id == id) with { MinGap = TimeSpan.Zero };

    private static IReadOnlyList<DeviceProfile> Library { get; } = [.. ProfilesOf("sunspec-103", "sunspec-203", "eastron-sdm120")];

    private static IEnumerable<DeviceProfile> ProfilesOf(params string[] ids)
    {
        var files = new SiteFiles([RepositoryFiles.At("device-profiles")]);
        return ids.Select(id => ReadyProfiles.Load(files.Text(id), files.Text));
    }

    private static Task<FoundUnit> ScanAsync(SunSpecDevice device) =>
        new UnitExaminer(Library, TimeSpan.FromSeconds(1), new HastyTime()).ExamineAsync(device, new ScanPlace { Host = "device", TcpPort = 502 }, 1, (_, _) => { }, CancellationToken.None);

    private SunSpecPlaces Places(SunSpecDevice device) => new(device.Exchange, _time);

    private ValueTask<(BusReply Reply, string? Problem)> ReadAsync(SunSpecPlaces places, ushort model, ushort address, ushort quantity, ushort most = 0) =>
        places.ReadAsync(1, new(RegisterTable.HoldingRegister, address, quantity) { SunSpecModel = model, MostRegisters = most }, _words, TimeSpan.FromSeconds(1), CancellationToken.None);

    /// <summary>A clock whose waits are over at once.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
