using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Uplinks;

/// <summary>One outbox, two outlets: a real mosquitto and an HJ 212 platform, each with outages of its own, hold the same hours.</summary>
public sealed class TwoOutletsTests : IDisposable
{
    private const int Days = 4;
    private static readonly TimeSpan Patient = TimeSpan.FromMinutes(3);

    private readonly string _passwordFile = Path.GetTempFileName();

    public TwoOutletsTests() => File.WriteAllText(_passwordFile, "123456\n");

    public void Dispose() => File.Delete(_passwordFile);

    [Fact]
    public async Task The_hours_of_a_stack_are_the_same_by_mqtt_and_by_hj_212_after_outages_of_each()
    {
        var site = StackFeed.Site();
        var (everything, outbox) = (new MemoryOutbox(), new MemoryOutbox());
        StackFeed.Fill(site, Days, everything);

        // The centre refuses anomalies, which is the matter of another test.
        foreach (var row in Rows(everything).Where(r => r.Stream is FeedStream.Summary or FeedStream.Cems))
        {
            outbox.Add(row);
        }

        var packets = 0;
        await using var centre = await MqttCentre.StartAsync("5");
        await using var authority = Hj212Receiver.Start(options: new() { Judge = _ => Interlocked.Increment(ref packets) is 100 or 250 ? Hj212Reception.HangUp : Hj212Reception.Acknowledge });
        using var stop = new CancellationTokenSource();
        var mqtt = centre.Uplink(outbox);
        var hj212 = StackFeed.Uplink(site, outbox, authority, _passwordFile);
        Task[] running = [mqtt.RunAsync(stop.Token), hj212.RunAsync(stop.Token)];
        await UntilAsync(() => centre.Received.Count > 0, "nothing arrived by MQTT");
        centre.HoldAnswers();
        centre.Cut();
        await UntilAsync(() => hj212.Status.Acknowledged >= outbox.LastRowId && outbox.Acknowledged("centre").Distinct().Count() >= outbox.LastRowId, "not all was acknowledged");
        await UntilAsync(() => Records(centre).Count >= StackFeed.RecordsOf(Rows(outbox)).Count(), "not all was handed on by the broker");
        await stop.CancelAsync();
        await Task.WhenAll(running);

        Assert.Empty(outbox.Quarantined);
        Assert.True(authority.Connections >= 3, $"{authority.Connections} connections");
        var byMqtt = StackFeed.ExpectedOf(Records(centre));
        Assert.Equal(Days * 24, byMqtt.Keys.Count(k => k.StartsWith(Hj212Command.Hour, StringComparison.Ordinal) && k.EndsWith("a21026-Flag", StringComparison.Ordinal)));
        Assert.Contains(byMqtt.Keys, k => k.StartsWith(Hj212Command.Hour, StringComparison.Ordinal) && k.EndsWith("a21026-Cou", StringComparison.Ordinal));
        Assert.Equal(byMqtt, StackFeed.HeldBy(authority.Received));
    }

    private static List<Core.Outbox.OutboxRow> Rows(MemoryOutbox outbox)
    {
        List<Core.Outbox.OutboxRow> rows = [];
        outbox.Read(1, outbox.LastRowId, int.MaxValue, int.MaxValue, rows);
        return rows;
    }

    /// <summary>Each record of a window and of the stack once, in the order of their numbers: a message may arrive twice, and what waited comes behind what is new.</summary>
    private static List<JsonElement> Records(MqttCentre centre) =>
    [
        .. centre.Received.Where(m => m.Stream is FeedStream.Summary or FeedStream.Cems)
            .SelectMany(m => m.Records.Select((record, i) => (m.Stream, Number: m.FirstSequence + i, Record: record)))
            .DistinctBy(r => (r.Stream, r.Number)).OrderBy(r => r.Stream).ThenBy(r => r.Number).Select(r => r.Record),
    ];

    private static async Task UntilAsync(Func<bool> holds, string what)
    {
        using var limit = new CancellationTokenSource(Patient);
        while (!holds())
        {
            Assert.False(limit.IsCancellationRequested, what);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}
