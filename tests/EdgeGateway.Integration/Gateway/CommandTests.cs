using System.Text.Json;
using EdgeGateway.Control;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>What people ask the running gateway, and what it does not allow: a second one on its store.</summary>
public sealed class CommandTests
{
    [Fact]
    public async Task The_running_gateway_answers_status_outbox_and_read_and_keeps_a_second_one_out()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var site = await GatewaySite.ServeAsync(LoadSite.Configuration(2), broker.Port, profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.State == "ok" && s.Delivered > 0 && s.Devices.All(d => d.Online), "all is well");

        var (status, table, _) = await GatewayProcess.CommandAsync("status", "--config", site.Configuration);
        Assert.True(status == 0, table);
        Assert.Contains($"Gateway gw-1 of site test: ok", table, StringComparison.Ordinal);
        Assert.Contains($"process {gateway.Id}", table, StringComparison.Ordinal);
        Assert.Contains("uplink centre: connected", table, StringComparison.Ordinal);

        var (_, json, _) = await GatewayProcess.CommandAsync("status", "--json", "--config", site.Configuration);
        var document = JsonSerializer.Deserialize(json, ControlJson.Default.StatusDocument)!;
        Assert.Equal(gateway.Id, document.ProcessId);
        Assert.Equal(["load000", "load001"], document.Devices.Select(d => d.Id));

        var (outbox, waiting, _) = await GatewayProcess.CommandAsync("outbox", "--json", "--config", site.Configuration);
        Assert.Equal(0, outbox);
        Assert.Equal(64L << 20, JsonSerializer.Deserialize(waiting, ControlJson.Default.OutboxDocument)!.BudgetBytes);

        site.Time.Pause();
        var shown = site.Shown()[("load001", "energy")];
        var (read, values, _) = await GatewayProcess.CommandAsync("read", "load001", "--json", "--config", site.Configuration);
        Assert.Equal(0, read);
        var energy = JsonSerializer.Deserialize(values, ControlJson.Default.DeviceReadingDocument)!.Points.Single(p => p.Point == "energy");
        Assert.Equal((double)shown, energy.Value);
        Assert.Equal("good", energy.Quality);

        await using var second = GatewayProcess.Start(site);
        Assert.Equal(1, await second.ExitAsync());
        Assert.Contains($"Another gateway (process {gateway.Id}) uses the store in {site.Store}. Stop it, or give this one its own directory.", second.Log, StringComparison.Ordinal);

        // The first has not noticed.
        Assert.Equal("ok", (await gateway.StatusAsync()).State);
        Assert.Equal(0, await gateway.StopAsync());
    }

    [Fact]
    public async Task The_socket_is_for_its_owner_only_and_health_is_served_where_configured()
    {
        var port = Mosquitto.FreePort();
        using var broker = await Mosquitto.RunAsync();
        await using var site = await GatewaySite.ServeAsync(
            LoadSite.Configuration(1).Replace("health: off", $"health: {{ listen: \"127.0.0.1:{port}\" }}", StringComparison.Ordinal), broker.Port, profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.State == "ok" && s.Devices.All(d => d.Online), "all is well");

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(site.Store, ControlServer.SocketName)));
        }

        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
        using var health = await http.GetAsync(new Uri("health", UriKind.Relative));
        Assert.True(health.IsSuccessStatusCode);
        using var commands = await http.GetAsync(new Uri("status", UriKind.Relative));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, commands.StatusCode);
        Assert.Equal(0, await gateway.StopAsync());
    }
}
