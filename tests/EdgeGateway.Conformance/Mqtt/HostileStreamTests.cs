using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>Bytes against the real client: whatever comes, it reports, comes back, and keeps to its limits.</summary>
public sealed class HostileStreamTests
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1" ? 5_000 : 60;

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task Random_bytes_instead_of_an_answer_or_after_it_never_end_the_client(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version, options => options with { MaxIncomingPacketSize = 4096 });
        var random = new Random(20261122 + (int)version);
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        for (var round = 0; round < Rounds; round++)
        {
            await wire.ReadAsync();
            var answered = random.Next(3) > 0;
            if (answered)
            {
                await wire.SendAsync(Hex.ConnAck(version));
                await bench.ConnectedAsync();
            }

            var noise = new byte[random.Next(1, 3000)];
            random.NextBytes(noise);
            if (random.Next(2) == 0)
            {
                // A first byte that is a packet, so that the parsers see the rest.
                noise[0] = (byte)(random.Next(2) == 0 ? 0x30 : 0x90);
            }

            await wire.SendAsync(noise);
            await wire.CloseAsync();
            var loss = await bench.LostAsync();
            Assert.Equal(answered, loss.WasConnected);
            Assert.Contains(loss.Cause, new[] { MqttLossCause.ProtocolBreach, MqttLossCause.ClosedByServer, MqttLossCause.Refused });
            wire = await bench.NextWireAsync();
        }

        await bench.AcceptAsync(wire, sessionPresent: false);
        Assert.False(bench.Running.IsCompleted);
    }

    [Fact]
    public async Task A_claimed_length_costs_nothing_until_the_bytes_arrive()
    {
        const int Limit = 8 * 1024 * 1024;
        var header = Hex.Bytes("30" + Hex.Variable(Limit - 5));
        foreach (var arrived in new[] { 0, 1, 1000, 100_000 })
        {
            var bytes = new byte[header.Length + arrived];
            header.CopyTo(bytes, 0);
            using var stream = new MemoryStream(bytes);
            await using var connection = new MqttConnection(stream, MqttProtocolVersion.V500, Limit, TimeProvider.System, new());
            var before = GC.GetAllocatedBytesForCurrentThread();
            var read = connection.ReadAsync(CancellationToken.None);
            Assert.True(read.IsCompleted, "a memory stream answers at once, so all of this is one thread's work");
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True((await read).AtEnd);
            Assert.InRange(allocated, 0, 16_384 + (4 * arrived));
        }
    }

    [Fact]
    public async Task A_server_that_only_sends_and_never_reads_does_not_grow_the_client()
    {
        await using var bench = new Bench(MqttProtocolVersion.V500, options => options with { ReceiveMaximum = 10 });
        var wire = await bench.ConnectAsync();

        // Each PUBREL is answered; nobody takes the answers. The client stops reading at a megabyte of them.
        var burst = string.Concat(Enumerable.Range(1, 10_000).Select(id => Hex.Ack("62", id)));
        var bytes = Hex.Bytes(burst);
        var taken = 0;
        for (; taken < 200; taken++)
        {
            var sending = wire.SendAsync(bytes);
            if (await Task.WhenAny(sending, Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System)) != sending)
            {
                break;
            }

            await sending;
        }

        // 200 bursts are 8 MB in and 10 MB out: 1 MiB of answers and 4 MiB in the pipe are the most.
        Assert.InRange(taken, 1, 180);
        Assert.True(bench.Client.IsConnected);
    }
}
