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

/// <summary>The commit loop after a time in which it could not commit, on a clock that the test moves.</summary>
public sealed class StallTests : IAsyncLifetime
{
    private readonly ManualTime _time = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private GatewaySite _site = null!;
    private LoadedSite _loaded = null!;

    public async Task InitializeAsync()
    {
        _site = await GatewaySite.ServeAsync(
            LoadSite.Configuration(1, moreDevices: "  - { id: meter, profile: abb-b21, bus: bus, unit: 77 }\n").Replace("windows: [5s, 15s]", "windows: [1m, 15m]", StringComparison.Ordinal), Mosquitto.FreePort(), profiles: LoadSite.Profile);
        _loaded = _site.Load();
    }

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Fact]
    public async Task Readings_that_waited_for_the_store_keep_their_own_times()
    {
        using var store = SqliteStore.Open(_loaded.Model.Storage, ["centre"], _time);
        using var queue = new ReadingQueue(_time);
        var clock = new GatewayClock(_time);
        var loop = new CommitLoop(_loaded, store, queue, clock, new RetainedBirths(), NullLogger.Instance);
        loop.Begin();
        await CommitAsync(loop);

        // Ten minutes of readings, one a second, while nothing is committed.
        var point = _loaded.Model.Points.First(p => p.PublishSamples);
        var expected = new List<string>();
        for (var second = 0; second < 600; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await queue.WriteAsync(new Reading(point.Index, clock.Monotonic, second, (ulong)second, Quality.Good), CancellationToken.None);
            expected.Add(clock.At(clock.Monotonic).ToString());
        }

        await CommitAsync(loop);

        Assert.Equal(expected, Records(store, FeedStream.Sample).Select(r => r.GetProperty("time").GetString()!));
    }

    [Fact]
    public async Task A_time_without_anything_is_told_in_steps_so_that_no_commit_grows_with_it()
    {
        using var store = SqliteStore.Open(_loaded.Model.Storage, ["centre"], _time);
        using var queue = new ReadingQueue(_time);
        var clock = new GatewayClock(_time);
        var loop = new CommitLoop(_loaded, store, queue, clock, new RetainedBirths(), NullLogger.Instance);
        loop.Begin();
        await CommitAsync(loop);
        var batches = store.NextBatchNumber;

        _time.Advance(TimeSpan.FromMinutes(30));
        await CommitAsync(loop);

        Assert.InRange(store.NextBatchNumber - batches, 25, 32);
    }

    [Fact]
    public async Task The_stop_says_how_many_births_there_are_also_when_its_own_commit_makes_one()
    {
        using var store = SqliteStore.Open(_loaded.Model.Storage, ["centre"], _time);
        using var queue = new ReadingQueue(_time);
        var clock = new GatewayClock(_time);
        var loop = new CommitLoop(_loaded, store, queue, clock, new RetainedBirths(), NullLogger.Instance);
        loop.Begin();
        await CommitAsync(loop);

        // A text that was read just before the stop announces its device anew.
        var text = _loaded.Model.Points.First(p => p.Kind == PointKind.Text);
        await queue.WriteAsync(new Reading(text.Index, clock.Monotonic, double.NaN, 0, Quality.Good) { Text = "S-1" }, CancellationToken.None);
        loop.End();
        await CommitAsync(loop);

        Assert.Equal(_loaded.Model.Devices.Count + 1, Records(store, FeedStream.Birth).Count);
        var issued = Records(store, FeedStream.Range).Last(r => r.GetProperty("stream").GetString() == "birth");
        Assert.Equal(_loaded.Model.Devices.Count + 1, issued.GetProperty("last").GetInt64());
        Assert.Equal("stop", Records(store, FeedStream.Health)[^1].GetProperty("kind").GetString());
    }

    /// <summary>The loop commits what there is and ends.</summary>
    private static Task CommitAsync(CommitLoop loop) => loop.RunAsync(new CancellationToken(canceled: true));

    private static List<JsonElement> Records(SqliteStore store, FeedStream stream)
    {
        var rows = new List<OutboxRow>();
        for (var from = 1L; store.Read(from, store.LastRowId, 500, 1 << 24, rows) > 0; from = rows[^1].Id + 1)
        {
            if (rows[^1].Id >= store.LastRowId)
            {
                break;
            }
        }

        return [.. rows.Where(r => r.Stream == stream).SelectMany(r => JsonDocument.Parse(r.Body).RootElement.EnumerateArray())];
    }
}
