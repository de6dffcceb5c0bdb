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
public sealed class StallTests : IAsyncLifetime, IDisposable
{
    private readonly ManualTime _time = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private GatewaySite _site = null!;
    private LoadedSite _loaded = null!;
    private SqliteStore _store = null!;
    private ReadingQueue _queue = null!;
    private GatewayClock _clock = null!;
    private CommitLoop _loop = null!;

    /// <summary>A gateway that has committed its start.</summary>
    public async Task InitializeAsync()
    {
        _site = await GatewaySite.ServeAsync(
            LoadSite.Configuration(1, moreDevices: "  - { id: meter, profile: abb-b21, bus: bus, unit: 77 }\n").Replace("windows: [5s, 15s]", "windows: [1m, 15m]", StringComparison.Ordinal), Mosquitto.FreePort(), profiles: LoadSite.Profile);
        _loaded = _site.Load();
        _store = SqliteStore.Open(_loaded.Model.Storage, ["centre"], _time);
        _queue = new ReadingQueue(_time);
        _clock = new GatewayClock(_time);
        _loop = new CommitLoop(_loaded, _store, _queue, _clock, new RetainedBirths(), NullLogger.Instance);
        _loop.Begin();
        await CommitAsync();
    }

    public async Task DisposeAsync() => await _site.DisposeAsync();

    public void Dispose()
    {
        _queue.Dispose();
        _store.Dispose();
    }

    [Fact]
    public async Task Readings_that_waited_for_the_store_keep_their_own_times()
    {
        // Ten minutes of readings, one a second, while nothing is committed.
        var point = _loaded.Model.Points.First(p => p.PublishSamples);
        var expected = new List<string>();
        for (var second = 0; second < 600; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await _queue.WriteAsync(new Reading(point.Index, _clock.Monotonic, second, (ulong)second, Quality.Good), CancellationToken.None);
            expected.Add(_clock.At(_clock.Monotonic).ToString());
        }

        await CommitAsync();

        Assert.Equal(expected, Records(FeedStream.Sample).Select(r => r.GetProperty("time").GetString()!));
    }

    [Fact]
    public async Task A_time_without_anything_is_told_in_steps_so_that_no_commit_grows_with_it()
    {
        var batches = _store.NextBatchNumber;

        _time.Advance(TimeSpan.FromMinutes(30));
        await CommitAsync();

        Assert.InRange(_store.NextBatchNumber - batches, 25, 32);
    }

    [Fact]
    public async Task The_stop_says_how_many_births_there_are_also_when_its_own_commit_makes_one()
    {
        // A text that was read just before the stop announces its device anew.
        var text = _loaded.Model.Points.First(p => p.Kind == PointKind.Text);
        await _queue.WriteAsync(new Reading(text.Index, _clock.Monotonic, double.NaN, 0, Quality.Good) { Text = "S-1" }, CancellationToken.None);
        _loop.End();
        await CommitAsync();

        Assert.Equal(_loaded.Model.Devices.Count + 1, Records(FeedStream.Birth).Count);
        var issued = Records(FeedStream.Range).Last(r => r.GetProperty("stream").GetString() == "birth");
        Assert.Equal(_loaded.Model.Devices.Count + 1, issued.GetProperty("last").GetInt64());
        Assert.Equal("stop", Records(FeedStream.Health)[^1].GetProperty("kind").GetString());
    }

    /// <summary>The loop commits what there is and ends.</summary>
    private Task CommitAsync() => _loop.RunAsync(new CancellationToken(canceled: true));

    private List<JsonElement> Records(FeedStream stream)
    {
        var rows = new List<OutboxRow>();
        for (var from = 1L; _store.Read(from, _store.LastRowId, 500, 1 << 24, rows) > 0; from = rows[^1].Id + 1)
        {
            if (rows[^1].Id >= _store.LastRowId)
            {
                break;
            }
        }

        return [.. rows.Where(r => r.Stream == stream).SelectMany(r => JsonDocument.Parse(r.Body).RootElement.EnumerateArray())];
    }
}
