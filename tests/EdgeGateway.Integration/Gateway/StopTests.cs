using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Integration.Storage;

namespace EdgeGateway.Integration.Gateway;

/// <summary>SIGTERM: the last readings are committed, what can leave leaves, what cannot waits on disk, and the exit code is 0.</summary>
public sealed class StopTests : IAsyncLifetime, IDisposable
{
    private readonly Mosquitto _broker = new(new MosquittoSettings { Persistent = true });
    private TcpRelay _link = null!;
    private FeedReceiver _receiver = null!;
    private GatewaySite _site = null!;

    public async Task InitializeAsync()
    {
        await _broker.StartAsync();
        _link = new TcpRelay(_broker.Port);
        _receiver = await FeedReceiver.SubscribeAsync(_broker);
        _site = await GatewaySite.ServeAsync(LoadSite.Configuration(3), _link.Port, profiles: LoadSite.Profile);
    }

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _receiver.DisposeAsync();
        await _link.DisposeAsync();
    }

    public void Dispose() => _broker.Dispose();

    [Fact]
    public async Task With_the_broker_up_the_last_record_leaves_before_the_end()
    {
        await using var gateway = await GatewayProcess.RunAsync(_site);
        await SamplesComeAsync(gateway);
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);

        Assert.Contains("Stopped; 0 rows wait in the outbox", gateway.Log, StringComparison.Ordinal);
        await HealthComesAsync("stop", 1, gateway);
        await Until.HoldsAsync(() => _receiver.Status == "offline", "the status topic says offline", () => gateway.Log);
        await EveryStreamIsStatedAsync(gateway);
        _receiver.IsComplete(() => gateway.Log);
    }

    [Fact]
    public async Task Without_a_broker_everything_waits_on_disk_and_leaves_after_the_next_start()
    {
        await _link.RefuseAsync();
        await using (var gateway = await GatewayProcess.RunAsync(_site))
        {
            await gateway.StatusHoldsAsync(s => s.Outbox.Rows > 10, "rows wait");
            var status = await gateway.StatusAsync();
            Assert.Equal("degraded", status.State);
            Assert.Contains(status.Problems, p => p.StartsWith("Uplink centre: ", StringComparison.Ordinal));
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
            Assert.Matches("Stopped; [1-9][0-9]+ rows wait in the outbox", gateway.Log);
        }

        Assert.Equal(0, _receiver.Count);
        _link.Allow();
        await using var next = await GatewayProcess.RunAsync(_site);
        await HealthComesAsync("stop", 1, next);
        await next.HistoryIsThroughAsync();
        var away = await AbsenceAsync("stopped by operator", next);
        Assert.True(away.GetProperty("from").GetDateTimeOffset() <= away.GetProperty("to").GetDateTimeOffset(), $"{away}");
        Assert.True(await next.StopAsync() == 0, next.Log);
        await HealthComesAsync("stop", 2, next);
        await EveryStreamIsStatedAsync(next);
        _receiver.IsComplete(() => next.Log);
    }

    [Fact]
    public async Task A_process_that_was_killed_says_from_when_on_nothing_was_acquired()
    {
        await using (var gateway = await GatewayProcess.RunAsync(_site))
        {
            await SamplesComeAsync(gateway);
            await gateway.KillAsync();
        }

        await using var next = await GatewayProcess.RunAsync(_site);
        var away = await AbsenceAsync("power or process", next);
        var last = _receiver.Of(FeedStream.Sample).Select(s => s.GetProperty("time").GetDateTimeOffset()).Where(t => t <= away.GetProperty("to").GetDateTimeOffset()).Max();
        Assert.True(away.GetProperty("from").GetDateTimeOffset() >= last, $"{away}, last sample {last:O}");
        Assert.True(await next.StopAsync() == 0, next.Log);
        await EveryStreamIsStatedAsync(next);
        _receiver.IsComplete(() => next.Log);
    }

    [Fact]
    public async Task A_link_that_falls_silent_does_not_hold_up_the_stop()
    {
        await using (var gateway = await GatewayProcess.RunAsync(_site))
        {
            await SamplesComeAsync(gateway);
            _link.Stall();

            // Messages that nobody acknowledges are under way.
            await gateway.StatusHoldsAsync(s => s.Uplinks[0].InFlight > 0, "messages are in flight");
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        }

        _link.Resume();
        await using var next = await GatewayProcess.RunAsync(_site);
        await HealthComesAsync("stop", 1, next);
        await next.HistoryIsThroughAsync();
        Assert.True(await next.StopAsync() == 0, next.Log);
        await HealthComesAsync("stop", 2, next);
        await EveryStreamIsStatedAsync(next);
        _receiver.IsComplete(() => next.Log);
    }

    [Fact]
    public async Task A_row_that_rots_on_disk_is_told_to_the_centre_by_its_numbers()
    {
        await _link.RefuseAsync();
        await using (var gateway = await GatewayProcess.RunAsync(_site))
        {
            await gateway.StatusHoldsAsync(s => s.Outbox.Streams.GetValueOrDefault("sample") > 3, "samples wait");
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        }

        // Stream 7 is the samples; the last byte of a body is inside the JSON, or inside its deflated form, which may end in 0.
        Sql.Execute(
            Path.Combine(_site.Store, "gateway.db"),
            "UPDATE outbox SET body = CAST(substr(body, 1, length(body) - 1) || CASE substr(body, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB) WHERE id = (SELECT min(id) FROM outbox WHERE (stream & 31) = 7)");
        _link.Allow();
        await using var next = await GatewayProcess.RunAsync(_site);
        var statement = await _receiver.GetAsync(FeedStream.Range, r => r.GetProperty("state").GetString() is not "issued" and not "never-acquired", "the loss is told", () => next.Log);
        await next.HistoryIsThroughAsync();
        Assert.Equal("unreadable", statement.GetProperty("state").GetString());
        Assert.Equal("sample", statement.GetProperty("stream").GetString());
        Assert.True(await next.StopAsync() == 0, next.Log);
        await HealthComesAsync("stop", 2, next);
        await EveryStreamIsStatedAsync(next);

        var report = _receiver.Report();
        Assert.True(report.Missing == 0 && report.Explained == statement.GetProperty("last").GetInt64() - statement.GetProperty("first").GetInt64() + 1, $"{report}\n{next.Log}");
    }

    private Task SamplesComeAsync(GatewayProcess gateway) =>
        Until.HoldsAsync(() => _receiver.Of(FeedStream.Sample).Count > 50, "samples arrive", () => gateway.Log);

    private Task<System.Text.Json.JsonElement> AbsenceAsync(string reason, GatewayProcess gateway) => _receiver.GetAsync(
        FeedStream.Range,
        r => r.GetProperty("state").GetString() == "never-acquired" && r.GetProperty("reason").GetString() == reason,
        $"it is told that nothing was acquired: {reason}",
        () => gateway.Log);

    private Task HealthComesAsync(string kind, int count, GatewayProcess gateway) => Until.HoldsAsync(
        () => _receiver.Of(FeedStream.Health).Count(r => r.GetProperty("kind").GetString() == kind) >= count,
        $"{kind} arrives for the {count}. time",
        () => $"{_receiver.Report()}\n{gateway.Log}");

    /// <summary>Waits for the statements of the last stop, and for everything that they speak of.</summary>
    private Task EveryStreamIsStatedAsync(GatewayProcess gateway) => Until.HoldsAsync(
        () =>
        {
            var issued = _receiver.Of(FeedStream.Range).Where(r => r.GetProperty("state").GetString() == "issued")
                .GroupBy(r => r.GetProperty("stream").GetString()!).ToDictionary(g => g.Key, g => g.Max(r => r.GetProperty("last").GetInt64()));
            return _receiver.Last().All(s => s.Key == FeedStream.Range || issued.GetValueOrDefault(s.Key.Word()) == s.Value);
        },
        "all that was issued has arrived",
        () => $"{_receiver.Report()}\n{gateway.Log}");
}
