using EdgeGateway.Core.Site;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Uplinks;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.PowerLedger;

/// <summary>Commits as fast as the disk allows until the power goes.</summary>
internal static class Writer
{
    private const int RunOfTheWriter = 1;

    public static async Task<int> RunAsync(string directory, string? evidence)
    {
        using var book = new Book(directory, RunOfTheWriter);
        if (evidence is null)
        {
            while (true)
            {
                book.Commit();
                Say(book.Commits);
            }
        }

        await using var centre = await Centre.StartAsync().ConfigureAwait(false);
        using var proof = new Evidence(evidence);
        var outbox = new HeldOutbox(book.Store);
        var uplink = UplinkTable.Create(
            new MqttUplinkModel
            {
                Id = Book.Destination,
                Servers = [centre.Server.OriginalString],
                Version = "5",
                ClientId = "power-ledger",
                KeepAlive = TimeSpan.FromSeconds(30),
                TopicRoot = "edgegateway/v1",
                IsBackfillUnpaced = true,
            },
            new UplinkContext
            {
                SiteId = ExampleFeed.Site.SiteId,
                GatewayId = ExampleFeed.Site.GatewayId,
                Outbox = outbox,
                Births = static () => [],
                Time = TimeProvider.System,
                Logger = NullLogger.Instance,
            });
        var running = uplink.RunAsync(CancellationToken.None);
        var last = 0L;
        while (!running.IsCompleted)
        {
            var came = centre.Take();
            foreach (var (topic, payload) in came)
            {
                proof.Write(book.Commits + 1, topic, payload);
            }

            proof.Flush();
            outbox.Forward(came.Select(m => Centre.Message(m.Payload)).OfType<Core.Feed.FeedMessage>());
            book.Commit();
            Say(book.Commits);
            if (outbox.Forwarded > last && outbox.Forwarded / 100 > last / 100)
            {
                Console.WriteLine($"{outbox.Forwarded} rows have left");
            }

            last = outbox.Forwarded;

            // The uplink and the broker share one emulated processor with this loop.
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System).ConfigureAwait(false);
        }

        await running.ConfigureAwait(false);
        return 1;
    }

    private static void Say(long commit)
    {
        Console.WriteLine($"ack {commit}");
        Console.Out.Flush();
    }
}
