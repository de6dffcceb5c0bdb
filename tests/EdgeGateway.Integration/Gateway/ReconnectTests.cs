using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Integration.Storage;
using EdgeGateway.Integration.Uplinks;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Gateway;

/// <summary>Requirement P-4: reconnecting leaks nothing. The real uplink and store, a real broker, and a link that is cut again and again; alone in the process, because it is measured.</summary>
[Collection(nameof(MeasuresTheProcess))]
public sealed class ReconnectTests
{
    private const int Reconnects = 100;
    private const int MostDescriptors = 8;
    private const long MostBytes = 20L << 20;

    [Theory]
    [InlineData("5")]
    [InlineData("3.1.1")]
    public async Task P_4_a_hundred_reconnects_cost_less_than_20_MiB_and_at_most_8_descriptors(string version)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        await using var centre = await MqttCentre.StartAsync(version);
        using var store = new TestStore();
        var uplink = centre.Uplink(store.Store);
        await using var running = new UplinkContract.Running(uplink);
        var feed = new FeedEncoder(ExampleFeed.Site, FeedHeads.From(store.Recovery.Heads[FeedStream.Sample].Epoch, s => store.Recovery.Heads[s].Next), "1.0");

        // The first connections load code and fill pools.
        await ReconnectAsync(centre, store, feed, 10);
        var (bytes, descriptors) = Measure();
        await ReconnectAsync(centre, store, feed, Reconnects);
        var (bytesAfter, descriptorsAfter) = Measure();
        Assert.True(descriptorsAfter - descriptors <= MostDescriptors, $"{descriptors} descriptors became {descriptorsAfter}");
        Assert.True(bytesAfter - bytes < MostBytes, $"{bytes >> 10} KiB became {bytesAfter >> 10} KiB");
    }

    /// <summary>Cuts the link as often, each time when a row has arrived over the connection before.</summary>
    private static async Task ReconnectAsync(MqttCentre centre, TestStore store, FeedEncoder feed, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var before = centre.Received.Count;
            feed.Health(new HealthRecord { Time = ExampleFeed.Noon, Kind = HealthKind.Start, Text = "a row" });
            store.Batch.Rows.AddRange(feed.Flush(ExampleFeed.Noon));
            store.Batch.Heads.AddRange(FeedHeads.Streams.Select(s => new StreamHead(s, feed.Heads.Epoch, feed.Heads[s])));
            store.Commit();
            await UplinkContract.UntilAsync(() => centre.Received.Count > before, $"nothing arrived over connection {i}");
            centre.Cut();
        }
    }

    private static (long Bytes, int Descriptors) Measure()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        var resident = File.ReadLines("/proc/self/status").Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return (long.Parse(resident.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) << 10, Directory.GetFiles("/proc/self/fd").Length);
    }
}
