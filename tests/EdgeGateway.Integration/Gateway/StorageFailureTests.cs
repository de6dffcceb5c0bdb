using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Integration.Storage;

namespace EdgeGateway.Integration.Gateway;

/// <summary>The running gateway on a disk that others fill, or that turns read-only (requirements P-5, O-11, R-5).</summary>
public sealed class StorageFailureTests : IAsyncLifetime, IDisposable
{
    private readonly Mosquitto _broker = new(new MosquittoSettings { Persistent = true });
    private FeedReceiver _receiver = null!;
    private GatewaySite _site = null!;

    public async Task InitializeAsync()
    {
        await _broker.StartAsync();
        _receiver = await FeedReceiver.SubscribeAsync(_broker);
        _site = await GatewaySite.ServeAsync(LoadSite.Configuration(2), _broker.Port, profiles: LoadSite.Profile);
        Directory.CreateDirectory(_site.Store);
    }

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    public void Dispose() => _broker.Dispose();

    private static bool IsHealth(JsonElement record, string kind) => record.GetProperty("kind").GetString() == kind;

    [MountFact]
    public async Task On_a_full_disk_live_data_flow_numbered_and_stored_and_it_goes_back_by_itself()
    {
        using var disk = SmallDisk.Mount("48m", over: _site.Store);
        await using var gateway = await GatewayProcess.RunAsync(_site);
        await Until.HoldsAsync(() => _receiver.Of(FeedStream.Sample).Count > 100, "samples arrive", () => gateway.Log);
        disk.Fill();
        var polls = 0;
        await Until.HoldsAsync(
            async () =>
            {
                // What the gateway itself makes free goes to the filler now and then; at every turn it would take the reserve, too, in the moment of its release.
                var state = (await gateway.StatusAsync()).Storage!.State;
                if (state == "ok" && ++polls % 20 == 0)
                {
                    disk.Fill();
                }

                return state == "disk-full";
            },
            "the gateway notices that the disk is full",
            () => gateway.Log);
        var status = await gateway.StatusAsync();
        Assert.True(status.Degraded);
        Assert.Contains(status.Problems, p => p.Contains("is full", StringComparison.Ordinal));
        var before = _receiver.Of(FeedStream.Sample).Count;
        await Until.HoldsAsync(
            () =>
            {
                disk.Fill();
                return _receiver.Of(FeedStream.Sample).Count > before + 300;
            },
            "samples flow on the full disk",
            () => gateway.Log);
        Assert.Empty(_receiver.Volatile);
        await _receiver.GetAsync(FeedStream.Health, r => IsHealth(r, "storage-degraded"), "the full disk is told", () => gateway.Log);

        // Also a death and a start on the full disk.
        await gateway.KillAsync();
        await using var next = await GatewayProcess.RunAsync(_site);
        before = _receiver.Of(FeedStream.Sample).Count;
        await Until.HoldsAsync(() => _receiver.Of(FeedStream.Sample).Count > before + 100, "samples flow after a start on the full disk", () => next.Log);
        disk.Fill();
        await next.StatusHoldsAsync(s => s.Storage!.State is "disk-full" or "ok", "the gateway answers");
        disk.Free();
        await next.StatusHoldsAsync(s => s is { Degraded: false, Storage.State: "ok" }, "the gateway is back to its budget");
        await next.HistoryIsThroughAsync();
        Assert.True(await next.StopAsync() == 0, next.Log);
        _receiver.IsComplete(() => next.Log);
    }

    [MountFact]
    public async Task On_a_read_only_disk_the_newest_values_flow_unnumbered_and_after_the_repair_numbering_goes_on()
    {
        using var disk = SmallDisk.MountExt4("64m");
        _site.Configure(LoadSite.Configuration(2).Replace("directory: data", $"directory: {disk.Path}/data", StringComparison.Ordinal));
        var numbered = 0;
        await using (var gateway = GatewayProcess.Start(_site, store: Path.Combine(disk.Path, "data")))
        {
            await gateway.ReadyAsync();
            await Until.HoldsAsync(() => _receiver.Of(FeedStream.Sample).Count > 100, "samples arrive", () => gateway.Log);
            disk.Abort();
            await gateway.StatusHoldsAsync(s => s is { Degraded: true, Storage.State: "failing" }, "the gateway says that it cannot store");
            await Until.HoldsAsync(() => _receiver.Volatile.Count >= 3, "unstored values arrive", () => gateway.Log);
            var message = _receiver.Volatile[^1];
            Assert.Equal(("volatile", "volatile", 1), (message.GetProperty("lane").GetString(), message.GetProperty("stream").GetString(), message.GetProperty("v").GetInt32()));
            Assert.False(message.TryGetProperty("seq", out _));
            Assert.NotEmpty(message.GetProperty("records").EnumerateArray());
            var points = message.GetProperty("records").EnumerateArray().Select(r => $"{r.GetProperty("device")}.{r.GetProperty("point")}").ToList();
            Assert.Equal(points.Distinct(), points);

            // What is numbered is stored: nothing of it left meanwhile. (What had been committed before may still have been on its way.)
            await Until.HoldsAsync(async () => (await gateway.StatusAsync()).Uplinks.All(u => u.InFlight == 0), "what was in flight is settled", () => gateway.Log);
            numbered = _receiver.Count;
            var seen = _receiver.Volatile.Count;
            await Until.HoldsAsync(() => _receiver.Volatile.Count >= seen + 3, "more unstored values arrive", () => gateway.Log);
            Assert.Equal(numbered, _receiver.Count);
            await gateway.KillAsync();
        }

        disk.Renew();
        await using var next = GatewayProcess.Start(_site, store: Path.Combine(disk.Path, "data"));
        await next.ReadyAsync();
        await Until.HoldsAsync(() => _receiver.Count > numbered + 200, "numbered records go on", () => next.Log);
        await next.HistoryIsThroughAsync();
        Assert.True(await next.StopAsync() == 0, next.Log);
        _receiver.IsComplete(() => next.Log);
    }

    [MountFact]
    public async Task A_start_on_a_read_only_disk_shows_the_newest_values_and_stores_as_soon_as_it_can()
    {
        using var disk = SmallDisk.Mount("64m");
        var health = Mosquitto.FreePort();
        _site.Configure(LoadSite.Configuration(2)
            .Replace("directory: data", $"directory: {disk.Path}/data", StringComparison.Ordinal)
            .Replace("health: off", $"health: {{ listen: \"127.0.0.1:{health}\" }}", StringComparison.Ordinal));
        var store = Path.Combine(disk.Path, "data");
        await using (var first = GatewayProcess.Start(_site, store: store))
        {
            await first.ReadyAsync();
            await Until.HoldsAsync(() => _receiver.Of(FeedStream.Sample).Count > 100, "samples arrive", () => first.Log);
            await first.KillAsync();
        }

        disk.Remount("ro");
        var numbered = _receiver.Count;
        await using var gateway = GatewayProcess.Start(_site, store: store);
        await Until.HoldsAsync(() => _receiver.Volatile.Count >= 5, "unstored values arrive", () => gateway.Log);
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{health}/health"));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        using var status = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("degraded", status.RootElement.GetProperty("state").GetString());
        Assert.Contains("The store cannot be opened", status.RootElement.GetProperty("problems")[0].GetString(), StringComparison.Ordinal);
        Assert.Contains("The store cannot be opened", gateway.Log, StringComparison.Ordinal);
        Assert.Contains("read-only", gateway.Log, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(numbered, _receiver.Count);

        // And to whoever asks on the computer, although the directory takes no socket; commands are refused in words.
        var (code, shown, _) = await GatewayProcess.CommandAsync("status", "--config", _site.Configuration, "--json");
        Assert.Equal(1, code);
        Assert.Equal("failing", JsonDocument.Parse(shown).RootElement.GetProperty("storage").GetProperty("state").GetString());
        Assert.Contains("The store cannot be opened", shown, StringComparison.Ordinal);
        (code, _, var errors) = await GatewayProcess.CommandAsync("read", "load001", "--config", _site.Configuration);
        Assert.NotEqual(0, code);
        Assert.Contains("runs without its store", errors, StringComparison.Ordinal);
        Assert.False(gateway.HasExited, gateway.Log);

        disk.Remount("rw");
        await Until.HoldsAsync(() => _receiver.Count > numbered + 200, "numbered records go on", () => gateway.Log);
        await _receiver.GetAsync(FeedStream.Health, r => IsHealth(r, "storage-recovered"), "the end is told", () => gateway.Log);

        // What was read meanwhile was kept in memory and is stored: it is no time in which nothing was acquired.
        var absence = await _receiver.GetAsync(FeedStream.Range, r => r.GetProperty("state").GetString() == "never-acquired", "the time before is told", () => gateway.Log);
        var to = absence.GetProperty("to").GetDateTimeOffset();
        var newest = _receiver.Volatile.SelectMany(m => m.GetProperty("records").EnumerateArray()).Max(r => r.GetProperty("time").GetDateTimeOffset());
        Assert.Contains(_receiver.Of(FeedStream.Sample), r => r.GetProperty("time").GetDateTimeOffset() is var t && t >= to && t <= newest);
        await gateway.HistoryIsThroughAsync();
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        _receiver.IsComplete(() => gateway.Log);
    }

    [MountFact]
    public async Task A_configuration_that_takes_over_while_the_store_cannot_be_opened_is_in_force_and_the_log_says_once_what_is_wrong()
    {
        await using var gateway = await GatewayProcess.RunAsync(_site);
        await Until.HoldsAsync(() => _receiver.Of(FeedStream.Sample).Count > 100, "samples arrive", () => gateway.Log);

        // Of the store's own files, which stay open, only what is opened anew notices it.
        var database = Path.Combine(_site.Store, "gateway.db");
        using (SmallDisk.BindReadOnly(database))
        {
            _site.Configure(LoadSite.Configuration(2).Replace("checkpoint: 2s", "checkpoint: 3s", StringComparison.Ordinal));
            var (code, _, errors) = await GatewayProcess.CommandAsync("reload", "--config", _site.Configuration);
            Assert.True(code == 0, errors);
            await gateway.StatusHoldsAsync(s => s is { Storage.State: "failing", Reload.State: "in-force" }, "the new configuration polls without the store");
            var seen = _receiver.Volatile.Count;
            await Until.HoldsAsync(() => _receiver.Volatile.Count >= seen + 12, "unstored values arrive", () => gateway.Log);
            Assert.True(gateway.Log.Split("The store cannot be opened: ").Length == 2, gateway.Log);
        }

        await gateway.StatusHoldsAsync(s => s is { Degraded: false, Storage.State: "ok" }, "the gateway has its store again");
        await gateway.HistoryIsThroughAsync();
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        _receiver.IsComplete(() => gateway.Log);
    }

    [MountFact]
    public async Task A_start_on_a_read_only_disk_without_a_store_says_what_is_wrong_and_ends()
    {
        using var disk = SmallDisk.Mount("8m");
        _site.Configure(LoadSite.Configuration(2).Replace("directory: data", $"directory: {disk.Path}/data", StringComparison.Ordinal));
        disk.Remount("ro");
        await using var gateway = GatewayProcess.Start(_site, store: Path.Combine(disk.Path, "data"));
        Assert.Equal(1, await gateway.ExitAsync());
        Assert.Contains("Read-only", gateway.Log, StringComparison.OrdinalIgnoreCase);
    }

    [MountFact]
    public async Task A_stop_while_the_disk_is_read_only_is_a_clean_one()
    {
        using var disk = SmallDisk.Mount("64m");
        _site.Configure(LoadSite.Configuration(2).Replace("directory: data", $"directory: {disk.Path}/data", StringComparison.Ordinal));
        var store = Path.Combine(disk.Path, "data");
        await using (var first = GatewayProcess.Start(_site, store: store))
        {
            await first.ReadyAsync();
            Assert.Equal(0, await first.StopAsync());
        }

        disk.Remount("ro");
        await using var gateway = GatewayProcess.Start(_site, store: store);
        await Until.HoldsAsync(() => _receiver.Volatile.Count > 0, "it runs without its store", () => gateway.Log);
        var code = await gateway.StopAsync();
        Assert.True(code == 0, $"Exit code {code}\n{gateway.Log}");
    }
}
