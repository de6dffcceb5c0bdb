using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Storage;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Uplinks;

/// <summary>The feed from encoder through the real store to a real broker, over a lost connection and a restart.</summary>
public sealed class MqttUplinkStoreTests
{
    private const int SamplesPerCommit = 20;

    private long _sample;

    [Fact]
    public async Task What_was_committed_arrives_once_over_cuts_and_a_restart_of_the_program()
    {
        await using var centre = await MqttCentre.StartAsync("5");
        using var store = new TestStore();
        await using (var first = new UplinkContract.Running(centre.Uplink(store.Store)))
        {
            var feed = Encoder(store);
            for (var i = 0; i < 40; i++)
            {
                Commit(store, feed);
                if (i % 10 == 9)
                {
                    await UplinkContract.UntilAsync(() => centre.Received.Sum(m => m.Records.Count) > i / 2 * SamplesPerCommit, "nothing arrives");
                    centre.Cut();
                }
            }

            // What is committed after the last cut arrives over a connection that stands again. The answer to its beginning must not be among those that are held.
            Commit(store, feed);
            await LastSampleArrivedAsync(centre);
            await UplinkContract.UntilAsync(() => first.Uplink.Status is { Connected: true, BacklogRows: 0 }, "not all is acknowledged");
            centre.HoldAnswers();
            Commit(store, feed);
            await LastSampleArrivedAsync(centre);
            centre.Refuse();
        }

        // Acknowledgements that no commit made durable are forgotten here, as by a crash.
        store.Reopen();
        centre.Allow();
        await using var run = new UplinkContract.Running(centre.Uplink(store.Store));
        var again = Encoder(store);
        for (var i = 0; i < 10; i++)
        {
            Commit(store, again);
        }

        again.StateIssued(ExampleFeed.Noon, "the test ends");
        Commit(store, again);
        Assert.Equal(53 * SamplesPerCommit, _sample);
        await UplinkContract.UntilAsync(
            () =>
            {
                store.Commit();
                return store.Store.OpenCursor(TestStore.Destination).Floor == store.Store.LastRowId;
            },
            "not all rows were acknowledged");

        await UplinkContract.ProofAsync(centre);
        Assert.Equal(_sample, centre.Received.Where(m => m.Stream == FeedStream.Sample).SelectMany(m => m.Records).Select(r => r.GetRawText()).Distinct().Count());
    }

    private static FeedEncoder Encoder(TestStore store) =>
        new(ExampleFeed.Site, FeedHeads.From(store.Recovery.Heads[FeedStream.Sample].Epoch, s => store.Recovery.Heads[s].Next), "1.0");

    private Task LastSampleArrivedAsync(MqttCentre centre) =>
        UplinkContract.UntilAsync(() => centre.Received.Any(m => m.Stream == FeedStream.Sample && m.LastSequence == _sample), "the last sample did not arrive");

    private void Commit(TestStore store, FeedEncoder feed)
    {
        for (var i = 0; i < SamplesPerCommit; i++)
        {
            feed.Sample(ExampleFeed.GoodSample with { Time = ExampleFeed.Noon + TimeSpan.FromSeconds(_sample++) });
        }

        store.Batch.Rows.AddRange(feed.Flush(Instant.From(store.Clock.GetUtcNow())));
        store.Batch.Heads.AddRange(FeedHeads.Streams.Select(s => new StreamHead(s, feed.Heads.Epoch, feed.Heads[s])));
        store.Commit();
    }
}
