using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Simulator.Faults;

namespace EdgeGateway.Integration.Gateway;

/// <summary>What a wire can do to a reply: each fault is named, harms its own device only, and never brings a wrong value.</summary>
public sealed class WireFaultTests
{
    private static readonly TimeSpan MuchTooLate = TimeSpan.FromSeconds(2);

    // transport, fault, reason in the feed, words in the status
    public static TheoryData<string, string, string, string> Faults => new()
    {
        { "rtu", nameof(ServerFault.WrongCrc), "corrupt-frame", "damaged frame (wrong check sum)" },
        { "rtu", nameof(ServerFault.ShortReply), "short-reply", "reply too short" },
        { "rtu", nameof(ServerFault.AnswerAs), "wrong-reply", "reply to another request" },
        { "tcp", nameof(ServerFault.ShortReply), "short-reply", "reply too short" },
        { "tcp", nameof(ServerFault.AnswerAs), "wrong-reply", "reply to another request" },
        { "tcp", nameof(ServerFault.Silence), "timeout", "no answer" },
    };

    [Theory, MemberData(nameof(Faults))]
    public async Task A_spoiled_reply_is_named_and_harms_its_own_device_only(string transport, string fault, string reason, string words)
    {
        using var broker = await Mosquitto.RunAsync();
        await using var line = await FaultyLine.StartAsync(transport);
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = Site(line, broker);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await ValuesComeAsync(receiver, gateway);

        // Connecting may have taken longer than the limit of a request on a machine that has just started a process.
        var start = receiver.Of(FeedStream.Sample, "load001").Count;
        line.Fault = (unit, _) => unit == 1 ? Make(fault) : ServerFault.None;
        await receiver.GetAsync(
            FeedStream.Sample, r => Device(r) == "load000" && HasNoValue(r) && r.GetProperty("reason").GetString() == reason, $"a sample without a value says {reason}", () => gateway.Log);

        // The record says why the first of the failed replies failed; on a machine that stands still for a moment that can be the time limit, or the connection that is made anew.
        var gone = await receiver.GetAsync(FeedStream.State, r => Device(r) == "load000" && !Online(r), "the device is said to be away", () => gateway.Log);
        Assert.Contains(gone.GetProperty("reason").GetString(), (string[])[reason, "timeout", "not-connected"]);
        await gateway.StatusHoldsAsync(
            s => s.Problems.Any(p => p.Contains("load000", StringComparison.Ordinal) && p.Contains(words, StringComparison.Ordinal)), $"the status says '{words}'");
        Assert.True((await gateway.StatusAsync()).Devices[1].Online);

        var before = Replies.Of(receiver, "load001").Count;
        await Until.HoldsAsync(() => Replies.Of(receiver, "load001").Count >= before + 5, "the other device goes on", () => gateway.Log);
        line.Fault = (_, _) => ServerFault.None;
        await receiver.GetAsync(FeedStream.State, r => Device(r) == "load000" && Online(r) && Time(r) > Time(gone), "the device is said to be back", () => gateway.Log);

        Assert.Equal(0, await gateway.StopAsync());
        Assert.DoesNotContain(receiver.Of(FeedStream.Sample, "load001").Skip(start), HasNoValue);
        Assert.Empty(Replies.Of(receiver, "load000").Intersect(line.Spoiled));
        receiver.IsComplete(() => gateway.Log);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("rtu")]
    public async Task A_device_that_refuses_is_alive_and_says_why(string transport)
    {
        using var broker = await Mosquitto.RunAsync();
        await using var line = await FaultyLine.StartAsync(transport);
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = Site(line, broker, limit: "10s");
        await using var gateway = await GatewayProcess.RunAsync(site);
        await ValuesComeAsync(receiver, gateway);

        line.Fault = (unit, _) => unit == 1 ? ServerFault.Refuse(ModbusExceptionCode.ServerDeviceFailure) : ServerFault.None;
        foreach (var stream in (FeedStream[])[FeedStream.Sample, FeedStream.State])
        {
            await receiver.GetAsync(
                stream,
                r => Device(r) == "load000" && r.TryGetProperty("reason", out var reason) && reason.GetString() == "device-exception" && r.GetProperty("detail").GetInt32() == 4,
                $"a record of {stream} says device-exception 4",
                () => gateway.Log);
        }

        var refused = (await gateway.StatusAsync()).Devices[0].Exceptions;
        await gateway.StatusHoldsAsync(s => s.Devices[0].Exceptions > refused + 2, "it is asked again and again");
        var (_, text, _) = await GatewayProcess.CommandAsync("read", "load000", "--config", site.Configuration);
        Assert.Contains("device refuses: exception 4 (device failure)", text, StringComparison.Ordinal);
        Assert.Equal(0, await gateway.StopAsync());
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("rtu")]
    public async Task A_late_reply_is_never_taken_for_the_current_one(string transport)
    {
        using var broker = await Mosquitto.RunAsync();
        await using var line = await FaultyLine.StartAsync(transport);
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = Site(line, broker);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await ValuesComeAsync(receiver, gateway);

        // The limit of a request is 300 ms: these replies come when the next requests, of both devices, have long been sent.
        line.Fault = (unit, number) => unit == 1 && number % 3 == 0 ? ServerFault.DelayBy(MuchTooLate) : ServerFault.None;
        await Until.HoldsAsync(() => line.Spoiled.Count >= 3, "three replies were late", () => gateway.Log);
        line.Fault = (_, _) => ServerFault.None;
        var newest = line.Spoiled.Max();
        await Until.HoldsAsync(
            () => Replies.Of(receiver, "load000").Count(n => n > newest) >= 3 && Replies.Of(receiver, "load001").Count >= 3, "good replies come again", () => gateway.Log);
        Assert.Equal(0, await gateway.StopAsync());

        var first = Replies.Of(receiver, "load000");
        var second = Replies.Of(receiver, "load001");
        Assert.Empty(first.Concat(second).Intersect(line.Spoiled));
        Assert.All(first, n => Assert.InRange(n, 1, FaultyLine.SecondDevice - 1));
        Assert.All(second, n => Assert.InRange(n, FaultyLine.SecondDevice + 1, long.MaxValue));
        Assert.Equal(first.Order().Distinct(), first);
        Assert.Equal(second.Order().Distinct(), second);
        Assert.Contains(receiver.Of(FeedStream.Sample, "load000"), r => HasNoValue(r) && r.GetProperty("reason").GetString() == "timeout");
        receiver.IsComplete(() => gateway.Log);
    }

    [Fact]
    public async Task Dead_meters_on_a_bus_leave_the_healthy_ones_their_rate()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);

        // The same devices behind another endpoint, all healthy, show what this machine can do: no clock is compared.
        var control = LoadSite.Device(10, "control") + LoadSite.Device(11, "control");
        await using var site = await GatewaySite.ServeAsync(
            LoadSite.Configuration(4, "  - { id: control, type: modbus-tcp, host: 127.0.0.1, port: {control}, timeout: 1s }\n", control), broker.Port, profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "all devices answer");
        Assert.True((await gateway.StatusAsync()).Devices.Count == 6);

        site.Simulation.Inject(new Fault { Kind = FaultKind.DeadMeter, Device = "load000" });
        site.Simulation.Inject(new Fault { Kind = FaultKind.DeadMeter, Device = "load002" });
        // Counted by the gateway: at the devices the reads arrive as well by which a connection is tried for several requests at once.
        var began = (await gateway.StatusAsync()).Devices;
        await gateway.StatusHoldsAsync(s => s.Devices[4].Requests >= began[4].Requests + 20 && s.Devices[5].Requests >= began[5].Requests + 20, "the control devices were polled twenty times");
        var now = (await gateway.StatusAsync()).Devices;
        long Since(int device) => now[device].Requests - began[device].Requests;

        // Each dead meter may cost its two first time limits of a second. Waiting for both in every round would halve the rate.
        var (healthy, expected) = (Math.Min(Since(1), Since(3)), Math.Max(Since(4), Since(5)));
        Assert.True(healthy >= expected - 6, $"healthy meters beside dead ones were asked {healthy} times, without dead ones {expected} times");
        Assert.True(Since(0) < expected / 2 && Since(2) < expected / 2, $"dead meters were asked {Since(0)} and {Since(2)} times");
        foreach (var dead in (string[])["load000", "load002"])
        {
            var gone = await receiver.GetAsync(FeedStream.State, r => Device(r) == dead && !Online(r), $"{dead} is said to be away", () => gateway.Log);
            Assert.Equal("timeout", gone.GetProperty("reason").GetString());
        }

        Assert.Equal(0, await gateway.StopAsync());
        Assert.DoesNotContain(receiver.Of(FeedStream.State, "load001").Concat(receiver.Of(FeedStream.State, "load003")), r => !Online(r));
    }

    [Fact]
    public async Task A_bus_that_cannot_be_reached_stops_nothing_and_is_said_with_its_reason()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = await GatewaySite.ServeAsync(
            LoadSite.Configuration(1, "  - { id: nowhere, type: modbus-tcp, host: 127.0.0.1, port: {none}, timeout: 1s }\n", LoadSite.Device(1, "nowhere")),
            broker.Port,
            profiles: LoadSite.Profile);
        site.SetPort("nowhere", Mosquitto.FreePort());
        site.Configure(LoadSite.Configuration(1, "  - { id: nowhere, type: modbus-tcp, host: 127.0.0.1, port: {nowhere}, timeout: 1s }\n", LoadSite.Device(1, "nowhere")));
        await using var gateway = await GatewayProcess.RunAsync(site);

        var gone = await receiver.GetAsync(FeedStream.State, r => Device(r) == "load001", "the device is said to be away", () => gateway.Log);
        Assert.False(Online(gone));
        Assert.Equal("not-connected", gone.GetProperty("reason").GetString());
        await gateway.StatusHoldsAsync(
            s => s.State == "degraded" && s.Problems.Any(p => p.Contains("load001 on bus nowhere (127.0.0.1:", StringComparison.Ordinal) && p.Contains("no connection", StringComparison.Ordinal)),
            "the status says why");
        await Until.HoldsAsync(() => Replies.Of(receiver, "load000").Count >= 3, "the other bus is polled", () => gateway.Log);
        var (code, text, _) = await GatewayProcess.CommandAsync("status", "--config", site.Configuration);
        Assert.Equal(1, code);
        Assert.Contains("no connection", text, StringComparison.Ordinal);
        Assert.Equal(0, await gateway.StopAsync());
    }

    private static GatewaySite Site(FaultyLine line, Mosquitto broker, string limit = "300ms")
    {
        var text = $"{LoadSite.Head}buses:\n{line.Bus}devices:\n{LoadSite.Device(0, more: $", timeout: {limit}")}{LoadSite.Device(1, more: ", timeout: 10s")}{LoadSite.Uplink}";
        var site = GatewaySite.Write(text, ("broker", broker.Port));
        site.Add(LoadSite.Profile);
        return site;
    }

    private static async Task ValuesComeAsync(FeedReceiver receiver, GatewayProcess gateway)
    {
        foreach (var device in (string[])["load000", "load001"])
        {
            await receiver.GetAsync(FeedStream.Sample, r => Device(r) == device && !HasNoValue(r), $"values of {device} arrive", () => gateway.Log);
        }
    }

    private static ServerFault Make(string fault) => fault switch
    {
        nameof(ServerFault.WrongCrc) => ServerFault.WrongCrc,
        nameof(ServerFault.ShortReply) => ServerFault.ShortReply,
        nameof(ServerFault.AnswerAs) => ServerFault.AnswerAs(2),
        nameof(ServerFault.Silence) => ServerFault.Silence,
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    private static string? Device(JsonElement record) => record.GetProperty("device").GetString();

    private static bool Online(JsonElement record) => record.GetProperty("online").GetBoolean();

    private static bool HasNoValue(JsonElement record) => record.GetProperty("value").ValueKind == JsonValueKind.Null;

    private static DateTimeOffset Time(JsonElement record) => record.GetProperty("time").GetDateTimeOffset();
}
