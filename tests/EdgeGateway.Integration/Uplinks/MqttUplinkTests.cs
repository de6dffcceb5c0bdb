using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Uplinks.Mqtt;

namespace EdgeGateway.Integration.Uplinks;

/// <summary>The contract over MQTT 5.0 with a real mosquitto, and what is particular to MQTT.</summary>
public sealed class MqttUplinkTests : UplinkContract
{
    [Fact]
    public async Task The_contract_holds_over_version_3_1_1_too()
    {
        await using var centre = await MqttCentre.StartAsync("3.1.1");
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox));
        Add(outbox, 100);
        await UntilAsync(() => outbox.Acknowledged("centre").Count > 10, "nothing was acknowledged");
        centre.HoldAnswers();
        Add(outbox, 5);
        centre.Cut();

        await UntilAcknowledgedAsync(outbox, 105);
        await ProofAsync(centre);
    }

    [Theory]
    [InlineData("3.1.1")]
    [InlineData("5")]
    public async Task With_QoS_2_a_link_cut_again_and_again_loses_nothing_and_doubles_nothing(string version)
    {
        await using var centre = await MqttCentre.StartAsync(version);
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox, new UplinkWishes { ExactlyOnce = true }));
        for (var round = 1; round <= 6; round++)
        {
            if (round % 2 == 0)
            {
                // The broker has what it answers to, and we do not hear it.
                centre.HoldAnswers();
            }

            Add(outbox, 40);
            await UntilAsync(() => round % 2 == 0 || centre.Received.Sum(m => m.Records.Count) >= (round - 1) * 40, "no progress between two cuts");
            centre.Cut();
        }

        await UntilAcknowledgedAsync(outbox, 240);

        // The broker acknowledges before it hands on.
        await UntilAsync(() => centre.Received.Sum(m => m.Records.Count) >= 240, "not all arrived");
        await ProofAsync(centre);
        Assert.Equal(240, centre.Received.Sum(m => m.Records.Count));
    }

    [Fact]
    public async Task Status_is_online_while_connected_and_offline_after_a_clean_stop_and_after_a_cut()
    {
        await using var centre = await MqttCentre.StartAsync("5");
        var outbox = new MemoryOutbox();
        await using (Run(centre.Uplink(outbox)))
        {
            await UntilAsync(() => centre.Statuses.Count == 1, "nobody said online");
            centre.Cut();
            await UntilAsync(() => centre.Statuses.Count >= 3, "the will did not speak");
        }

        await UntilAsync(() => centre.Statuses.Count >= 4, "nobody said offline");
        Assert.Equal(["online", "offline", "online", "offline"], centre.Statuses.Select(s => s.Text));
        Assert.All(centre.Statuses, s => Assert.Equal("edgegateway/v1/mine-7/gw-1/status", s.Topic));
    }

    [Theory]
    [InlineData("3.1.1")]
    [InlineData("5")]
    public async Task A_server_that_is_left_for_a_better_one_keeps_no_online(string version)
    {
        using var better = new Mosquitto();
        using var worse = await Mosquitto.RunAsync();
        var model = CentreUplink.Model with
        {
            Servers = [better.Uri.ToString(), worse.Uri.ToString()],
            Version = version,
            ReturnToPreferredAfter = TimeSpan.FromMilliseconds(100),
        };
        await using var run = Run(new MqttUplink(model, CentreUplink.Context(new MemoryOutbox())));
        await KeepsAsync(worse, "online");
        await better.StartAsync();
        await KeepsAsync(better, "online");
        await KeepsAsync(worse, "offline");

        static async Task KeepsAsync(Mosquitto broker, string expected)
        {
            await using var reader = await MqttSite.ConnectAsync(broker.Uri, "reader", MqttProtocolVersion.V500, "edgegateway/v1/mine-7/gw-1/status");
            await UntilAsync(() => reader.Received.LastOrDefault() == expected, $"{broker.Uri} does not keep {expected}");
        }
    }

    [Fact]
    public async Task Births_are_announced_again_when_the_broker_has_forgotten_the_session_and_not_when_it_has_not()
    {
        await using var centre = await MqttCentre.StartAsync("5");
        var outbox = new MemoryOutbox();
        var birth = outbox.Add(FeedStream.Birth, subtopic: "incomer", retain: true);
        await using var run = Run(centre.Uplink(outbox, new UplinkWishes { Births = [birth] }));
        await UntilAsync(() => Births() == 2, "the birth did not come from the outbox and as an announcement");

        centre.Cut();
        Add(outbox, 1);
        await UntilAcknowledgedAsync(outbox, 2);
        Assert.Equal(2, Births());

        // The subscriber's session is forgotten as well: only after it has subscribed again does it hear the next announcement.
        await centre.ForgetAsync();
        await UntilAsync(() => Births() >= 3, "the birth was not announced again, nor retained");
        Assert.All(centre.Received.Where(m => m.Stream == FeedStream.Birth), m => Assert.Equal(1, m.FirstSequence));

        int Births() => centre.Received.Count(m => m.Stream == FeedStream.Birth);
    }

    [Fact]
    public async Task A_broker_that_forgets_the_session_gets_every_row_that_it_had_not_acknowledged()
    {
        await using var centre = await MqttCentre.StartAsync("5");
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox));
        for (var round = 1; round <= 3; round++)
        {
            Add(outbox, 200);
            await UntilAsync(() => outbox.Acknowledged("centre").Count > (round - 1) * 200, "no progress");
            await centre.ForgetAsync();
        }

        // What a broker without a disk had acknowledged and not passed on dies with it; the outbox has done its part.
        await UntilAcknowledgedAsync(outbox, 600);
        Assert.Equal(Enumerable.Range(1, 600).Select(i => (long)i), outbox.Acknowledged("centre").Distinct().Order());
        Assert.Equal(0, run.Uplink.Status.Quarantined);
    }

    [Fact]
    public async Task A_row_larger_than_the_broker_takes_is_set_aside_with_the_reason()
    {
        await using var centre = await MqttCentre.StartAsync("5", "max_packet_size 20000");
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox));
        outbox.Add(FeedStream.Health, bytes: 30_000);
        Add(outbox, 2);

        await UntilAcknowledgedAsync(outbox, 2);
        await UntilAsync(() => outbox.Quarantined.Count == 1, "the row was not set aside");
        Assert.Contains("too large", outbox.Quarantined[0].Reason, StringComparison.Ordinal);
        await ProofAsync(centre);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_larger_than_the_broker_takes_arrives_in_parts_in_order_and_is_acknowledged_once(bool inOrder)
    {
        await using var centre = await MqttCentre.StartAsync("5", "max_packet_size 20000");
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox, new UplinkWishes { InOrder = inOrder }));
        Add(outbox, 1);
        outbox.Add(bytes: 600, records: 100);
        Add(outbox, 1);
        outbox.Add(FeedStream.Emission, bytes: 5_000, records: 13);

        await UntilAcknowledgedAsync(outbox, 4);
        await ProofAsync(centre);
        Assert.Empty(outbox.Quarantined);
        Assert.Equal([1L, 2, 3, 4], outbox.Acknowledged("centre").Order());
        var summaries = centre.Received.Where(m => m.Stream == FeedStream.Summary).ToList();
        Assert.Equal(summaries.Select(m => m.FirstSequence).Order(), summaries.Select(m => m.FirstSequence));
        Assert.Equal(102, summaries.Sum(m => m.Records.Count));
        Assert.InRange(summaries.Count, 6, 8);
        Assert.Equal((0, null), (run.Uplink.Status.Quarantined, run.Uplink.Status.LastError));
    }

    [Fact]
    public async Task A_broker_that_keeps_no_messages_gets_them_all_and_the_status_says_what_is_missing()
    {
        await using var centre = await MqttCentre.StartAsync("5", "retain_available false");
        var outbox = new MemoryOutbox();
        var birth = outbox.Add(FeedStream.Birth, subtopic: "incomer", retain: true);
        await using var run = Run(centre.Uplink(outbox, new UplinkWishes { Births = [birth] }));
        outbox.Add(FeedStream.State, subtopic: "incomer", retain: true);
        Add(outbox, 2);

        await UntilAcknowledgedAsync(outbox, 4);
        await ProofAsync(centre);
        Assert.Empty(outbox.Quarantined);
        Assert.Contains("retained", run.Uplink.Status.LastError, StringComparison.Ordinal);
        await UntilAsync(() => centre.Statuses.Count == 1, "nobody said online");

        centre.Cut();
        await UntilAsync(() => centre.Statuses.Count >= 3, "the will did not speak");
        Assert.Equal(["online", "offline", "online"], centre.Statuses.Select(s => s.Text));
    }

    [Theory]
    [InlineData("5", FeedCompression.Gzip, "application/json+gzip")]
    [InlineData("5", FeedCompression.Deflate, "application/json+deflate")]
    [InlineData("3.1.1", FeedCompression.Gzip, null)]
    public async Task A_centre_that_can_unpack_gets_large_messages_packed_and_is_told_how(string version, FeedCompression compression, string? contentType)
    {
        await using var centre = await MqttCentre.StartAsync(version);
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox, new UplinkWishes { Compression = compression }));
        outbox.Add(bytes: 100, records: 100);
        outbox.Add(FeedStream.State, subtopic: "incomer", retain: true);

        await UntilAcknowledgedAsync(outbox, 2);
        await ProofAsync(centre);
        var plainType = contentType is null ? null : "application/json";
        Assert.Equal(
            [(FeedCompression.None, plainType, contentType is null ? (bool?)null : true), (compression, contentType, null)],
            centre.Forms.Distinct().OrderBy(f => f.Packed));
    }

    protected override async Task<UplinkCentre> CentreAsync() => await MqttCentre.StartAsync("5");
}
