using System.Net.Sockets;
using System.Text.Json;
using EdgeGateway.Control;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Writing;

namespace EdgeGateway.Integration.Gateway;

/// <summary>Writing to a device through the running gateway, as the design's invariant 2 says; the device is a simulated relay with eight coils.</summary>
public sealed class WriteTests
{
    private const string Point = "digital_output_3";
    private const int Coil = 3;

    private static readonly int[] Reading = [1, 2, 3, 4];

    [Fact]
    public async Task A_write_is_confirmed_recorded_and_published_and_what_is_not_allowed_is_refused_in_words()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = await GatewaySite.ServeAsync(Configuration(uplink: true), broker.Port);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the relays answer");

        var (code, text, errors) = await WriteAsync(site, "relay", Point, "closed", "--reason", "pump test", "--json");
        Assert.True(code == 0, text + errors + gateway.Log);
        var write = JsonSerializer.Deserialize(text, ControlJson.Default.WriteDocument)!;
        Assert.Equal(("confirmed", 0.0, 1.0, "closed", "pump test", "request"), (write.Outcome, write.Before, write.ReadBack, write.Text, write.Reason, write.Cause));
        Assert.Contains("uid ", write.Who, StringComparison.Ordinal);
        Assert.True(IsClosed(site));
        Assert.Equal(1, site.Functions[5]);

        // The feed has both records, under one id.
        foreach (var kind in new[] { "write-begun", "write-ended" })
        {
            var record = await receiver.GetAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == kind, $"{kind} arrives", () => gateway.Log);
            Assert.Equal(write.Id, record.GetProperty("fields").GetProperty("write").GetString());
            Assert.Equal(write.Who, record.GetProperty("fields").GetProperty("who").GetString());
        }

        var (_, list, _) = await GatewayProcess.CommandAsync("writes", "--config", site.Configuration);
        Assert.Contains($"relay.{Point}: closed by {write.Who}, ", list, StringComparison.Ordinal);
        Assert.Contains(" left, then open", list, StringComparison.Ordinal);
        Assert.Contains("pump test", list, StringComparison.Ordinal);

        // Nobody to ask, and every rule in its words; exit code 2.
        (code, _, errors) = await GatewayProcess.CommandAsync("write", "relay", Point, "open", "--config", site.Configuration);
        Assert.Equal(2, code);
        Assert.Contains($"relay.{Point} (coil 0x0003 of unit 1 on bus io, function 05)", errors, StringComparison.Ordinal);
        Assert.Contains("now      closed", errors, StringComparison.Ordinal);
        Assert.Contains("then     open", errors, StringComparison.Ordinal);
        Assert.Contains("Add --yes to write without asking.", errors, StringComparison.Ordinal);
        await RefusesAsync(site, "Writing to other.digital_output_3 is not allowed at this site. Add 'allowWrites: true'", "other", Point, "closed");
        await RefusesAsync(site, "2 is not among the declared values 0, 1. Allowed: open (0), closed (1).", "relay", Point, "2");
        await RefusesAsync(site, "The device 'relay' has no point 'digital_output_8'. Did you mean 'digital_output_", "relay", "digital_output_8", "closed");
        await RefusesAsync(site, "There is no device 'relai'. Did you mean 'relay'?", "relai", Point, "closed");
        await RefusesAsync(site, "is not allowed at this site", "relay", "digital_output_7", "closed");
        await RefusesAsync(site, "may hold a value for 1h at most", "relay", Point, "closed", "--for", "2h");
        await RefusesAsync(site, "'soon' is no time", "relay", Point, "closed", "--for", "soon");
        Assert.Equal(1, site.Functions[5]);

        // A device that is away is not written to; exit code 1.
        await site.Server.DisposeAsync();
        (code, _, errors) = await WriteAsync(site, "relay", Point, "open");
        Assert.Equal(1, code);
        Assert.Contains("Its present value must be known before a write. Nothing was written", errors, StringComparison.Ordinal);
        Assert.Equal(0, await gateway.StopAsync());
    }

    [Fact]
    public async Task Killed_between_the_write_and_its_expiry_it_writes_the_safe_value_after_the_start()
    {
        await using var site = await GatewaySite.ServeAsync(Configuration(), 1);
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the relays answer");
            var (code, text, errors) = await WriteAsync(site, "relay", Point, "closed", "--for", "2s");
            Assert.True(code == 0, text + errors);
            await gateway.KillAsync();
        }

        await using var again = await GatewayProcess.RunAsync(site);
        await Until.HoldsAsync(() => !IsClosed(site), "the safe value is written", () => again.Log);
        await Until.HoldsAsync(async () => (await ListAsync(site)).Pending.Count == 0, "the expiry is done with", () => again.Log);
        var last = (await ListAsync(site)).Last;
        Assert.Equal(["expiry", "request"], last.Select(w => w.Cause));
        Assert.Equal(("confirmed", "open"), (last[0].Outcome, last[0].Text));
        Assert.Contains("closed was written by", last[0].Reason, StringComparison.Ordinal);
        Assert.Equal(2, site.Functions[5]);

        // It stands in the store now: another death changes nothing.
        await again.KillAsync();
        await using var third = await GatewayProcess.RunAsync(site);
        Assert.Equal(2, (await ListAsync(site)).Last.Count);
        await third.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the relays answer");
        Assert.Equal(2, site.Functions[5]);
    }

    [Fact]
    public async Task A_clean_stop_writes_the_safe_value_first_and_the_default_time_is_that_of_the_site()
    {
        await using var site = await GatewaySite.ServeAsync(Configuration(), 1);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the relays answer");
        Assert.Equal(0, (await WriteAsync(site, "relay", "digital_output_1", "closed")).ExitCode);
        var pending = Assert.Single((await ListAsync(site)).Pending);
        Assert.Equal(("digital_output_1", "closed", "open"), (pending.Point, pending.Value, pending.Safe));
        Assert.InRange(pending.LeftSeconds, 3000, 3600);
        Assert.True(IsClosed(site, 1));
        Assert.Equal(0, await gateway.StopAsync());
        Assert.False(IsClosed(site, 1), gateway.Log);
    }

    [Fact]
    public async Task A_configuration_that_allows_no_writes_lets_no_write_function_onto_the_wire()
    {
        await using var site = await GatewaySite.ServeAsync(Configuration().Replace("allowWrites: true", "allowWrites: false", StringComparison.Ordinal), 1);
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the relays answer");
            foreach (var command in new[] { "status", "outbox", "writes", "check", "read relay", "read other" })
            {
                var (code, text, errors) = await GatewayProcess.CommandAsync([.. command.Split(' '), "--config", site.Configuration]);
                Assert.True(code == 0, command + text + errors);
            }

            await TryEverythingAsync(site);
            Assert.Equal(0, await gateway.StopAsync());
        }

        // And with nobody in between.
        Assert.Equal(0, (await GatewayProcess.CommandAsync("read", "relay", "--config", site.Configuration)).ExitCode);
        await TryEverythingAsync(site);
        Assert.All(site.Functions.Keys, f => Assert.Contains(f, Reading));
        Assert.True(site.Functions[1] > 0);

        // The same commands where it is allowed: what is looked at above is able to see them.
        site.Configure(Configuration());
        await using var allowed = await GatewayProcess.RunAsync(site);
        await TryEverythingAsync(site);
        Assert.True(site.Functions[5] > 0, allowed.Log);

        static async Task TryEverythingAsync(GatewaySite site)
        {
            foreach (var more in new[] { "", "--offline", "--for 1m" })
            {
                await WriteAsync(site, "relay", Point, "closed", [.. more.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
            }
        }
    }

    [Fact]
    public async Task Without_a_gateway_a_write_is_made_on_demand_only_and_published_by_the_next_start()
    {
        await using var site = await GatewaySite.ServeAsync(Configuration(), 1);
        var (code, _, errors) = await WriteAsync(site, "relay", Point, "closed");
        Assert.Equal(1, code);
        Assert.Contains("No gateway is running", errors, StringComparison.Ordinal);
        Assert.Contains("--offline", errors, StringComparison.Ordinal);

        // Nobody would be there to write the safe value.
        (code, _, errors) = await WriteAsync(site, "relay", Point, "closed", "--offline", "--for", "1m");
        Assert.Equal(2, code);
        Assert.Contains("no gateway is running that would write it", errors, StringComparison.Ordinal);
        Assert.Empty(site.Functions);

        (code, var text, errors) = await WriteAsync(site, "relay", Point, "closed", "--offline", "--reason", "by hand", "--json");
        Assert.True(code == 0, text + errors);
        var id = JsonSerializer.Deserialize(text, ControlJson.Default.WriteDocument)!.Id;
        Assert.True(IsClosed(site));
        var file = Path.Combine(site.Store, OfflineWrites.FileName);
        Assert.Equal(2, File.ReadAllLines(file).Length);

        // What is no record is told, and nothing hangs on it.
        await File.AppendAllTextAsync(file, "{\"write\":null}\nnoise\n");
        await using var gateway = await GatewayProcess.RunAsync(site);
        await Until.HoldsAsync(() => !File.Exists(file), "the record is taken over", () => gateway.Log);
        var write = Assert.Single((await ListAsync(site)).Last);
        Assert.Equal((id, "offline", "confirmed", "by hand"), (write.Id, write.Cause, write.Outcome, write.Reason));

        // While it runs, --offline goes through it like any other.
        (code, text, errors) = await WriteAsync(site, "relay", Point, "open", "--offline", "--json");
        Assert.True(code == 0, text + errors);
        Assert.Equal("request", JsonSerializer.Deserialize(text, ControlJson.Default.WriteDocument)!.Cause);
    }

    [Fact]
    public async Task A_record_of_offline_writes_that_cannot_be_read_stops_no_expiry()
    {
        await using var site = await GatewaySite.ServeAsync(Configuration(), 1);
        await WriteAndDieAsync(site, "2s");
        var file = Path.Combine(site.Store, OfflineWrites.FileName);
        await using (new FileStream(file, FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            await using var gateway = await GatewayProcess.RunAsync(site);
            await Until.HoldsAsync(() => !IsClosed(site), "the safe value is written", () => gateway.Log);
            await Until.HoldsAsync(() => gateway.Log.Contains("cannot be taken over", StringComparison.Ordinal), "the log tells", () => gateway.Log);
            Assert.Equal(0, await gateway.StopAsync());
        }

        Assert.True(File.Exists(file));
    }

    [Fact]
    public async Task A_write_without_a_gateway_says_what_it_takes_the_place_of_and_is_not_undone_by_the_next_start()
    {
        await using var site = await GatewaySite.ServeAsync(Configuration(), 1);
        await WriteAndDieAsync(site, "2s");
        var (code, text, errors) = await WriteAsync(site, "relay", Point, "closed", "--offline", "--json");
        Assert.True(code == 0, text + errors);
        Assert.Contains("It takes the place of closed, which ", errors, StringComparison.Ordinal);
        Assert.Contains("no safe value is written any more", errors, StringComparison.Ordinal);

        await using var gateway = await GatewayProcess.RunAsync(site);
        await Until.HoldsAsync(() => !File.Exists(Path.Combine(site.Store, OfflineWrites.FileName)), "the record is taken over", () => gateway.Log);
        Assert.Empty((await ListAsync(site)).Pending);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the relays answer");
        Assert.True(IsClosed(site), gateway.Log);
        Assert.Equal(2, site.Functions[5]);
        Assert.Contains("takes the place of a value that would have given way", gateway.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_that_ends_before_it_answers_leaves_the_asker_in_no_false_belief()
    {
        await using var site = await GatewaySite.ServeAsync(Configuration(), 1);
        Directory.CreateDirectory(site.Store);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(site.Store, ControlServer.SocketName)));
        listener.Listen();
        var asking = WriteAsync(site, "relay", Point, "closed");
        using (await listener.AcceptAsync())
        using (var asker = await listener.AcceptAsync())
        {
            Assert.True(await asker.ReceiveAsync(new byte[1000]) > 0);
        }

        var (code, _, errors) = await asking;
        Assert.Equal(1, code);
        Assert.Contains("The write may still happen, or has happened: see 'edgegateway writes'", errors, StringComparison.Ordinal);
    }

    private static async Task WriteAndDieAsync(GatewaySite site, string hold)
    {
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the relays answer");
        var (code, text, errors) = await WriteAsync(site, "relay", Point, "closed", "--for", hold);
        Assert.True(code == 0, text + errors);
        await gateway.KillAsync();
        Assert.True(IsClosed(site));
    }

    private static string Configuration(bool uplink = false) => $$"""
        {{LoadSite.Head}}buses:
          - { id: io, type: modbus-tcp, host: 127.0.0.1, port: {io}, timeout: 1s }
        devices:
          - id: relay
            profile: waveshare-modbus-rtu-relay
            bus: io
            unit: 1
            allowWrites: true
            points:
              digital_output_1: { write: { expiresAfter: 1h, atStop: safe } }
              digital_output_3: { write: { {{(uplink ? "expiresAfter: 1h" : "safe: open")}} } }
              digital_output_7: { write: { allow: false } }
          - { id: other, profile: waveshare-modbus-rtu-relay, bus: io, unit: 2 }
        {{(uplink ? LoadSite.Uplink : "")}}
        """;

    private static Task<(int ExitCode, string Out, string Errors)> WriteAsync(GatewaySite site, string device, string point, string value, params string[] more) =>
        GatewayProcess.CommandAsync(["write", device, point, value, "--yes", "--config", site.Configuration, .. more]);

    private static async Task RefusesAsync(GatewaySite site, string says, string device, string point, string value, params string[] more)
    {
        var (code, _, errors) = await WriteAsync(site, device, point, value, more);
        Assert.Equal(2, code);
        Assert.Contains(says, errors, StringComparison.Ordinal);
    }

    private static async Task<WritesDocument> ListAsync(GatewaySite site)
    {
        using var client = ControlClient.TryConnect(site.Store);
        return await client!.GetAsync("writes", ControlJson.Default.WritesDocument, CancellationToken.None);
    }

    private static bool IsClosed(GatewaySite site, int coil = Coil)
    {
        var word = new ushort[1];
        Assert.True(site.Simulation.TryRead(0, RegisterTable.Coil, coil, word));
        return word[0] == 1;
    }
}
