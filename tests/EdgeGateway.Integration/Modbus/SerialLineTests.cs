using EdgeGateway.Integration.Gateway;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Integration.Modbus;

/// <summary>The serial port itself: silence on a paced line, adapters that come and go, and what drivers refuse.</summary>
public sealed class SerialLineTests
{
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(10);

    private readonly ushort[] _values = new ushort[10];

    // A sender that is held up is late, never early: this cannot fail because the machine is busy.
    [Theory]
    [InlineData(9_600, 1, 12)]
    [InlineData(19_200, 1, 20)]
    [InlineData(115_200, 1, 60)]
    [InlineData(115_200, 8, 60)]
    [Trait("clause", "MODBUS over Serial Line V1.02 2.5.1.1")]
    public async Task The_silence_between_frames_is_never_broken(int baud, int lump, int requests)
    {
        SerialSettings settings = new() { Baud = baud };
        await using var line = await PacedLine.CreateAsync(baud, lump);
        await using (var client = new ModbusRtuClient(line.Port, settings, TimeProvider.System))
        {
            for (var i = 0; i < requests; i++)
            {
                var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, (ushort)i, 10, _values, Patient);
                Assert.True(outcome.IsOk, outcome.ToString());
                Assert.Equal(i + 10, _values[9]);
            }
        }

        var count = await line.EndAsync();
        Assert.Equal((requests, requests, 0), (count.Requests, count.Answered, count.Dropped));
        Assert.True(count.LeastSilence >= new RtuTiming(settings).Silence - TimeSpan.FromMicroseconds(1), $"{count.LeastSilence.TotalMicroseconds} us");
    }

    [Fact]
    public async Task An_adapter_that_is_pulled_and_plugged_in_again_is_found_by_the_next_requests()
    {
        SerialSettings settings = new() { Baud = 115_200 };
        var folder = Directory.CreateTempSubdirectory("edgegateway-plug-").FullName;
        var (ours, theirs) = (Path.Combine(folder, "ours"), Path.Combine(folder, "theirs"));
        try
        {
            await using var client = new ModbusRtuClient(ours, settings, TimeProvider.System);
            await using (await PtyPair.PlugInAsync(ours, theirs))
            await using (ModbusRtuServer.Start(theirs, settings, _ => new RampUnit()))
            {
                Assert.Equal(ModbusOutcome.Ok, await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 10, _values, Patient));
            }

            var gone = await ReadAsync(client);
            Assert.Equal(ModbusStatus.NotConnected, gone.Status);
            Assert.Contains("does not exist", gone.Describe(), StringComparison.Ordinal);

            await using (await PtyPair.PlugInAsync(ours, theirs))
            await using (ModbusRtuServer.Start(theirs, settings, _ => new RampUnit()))
            {
                var started = TimeProvider.System.GetTimestamp();
                ModbusOutcome outcome;
                do
                {
                    outcome = await ReadAsync(client);
                }
                while (!outcome.IsOk && TimeProvider.System.GetElapsedTime(started) < Until.Limit);

                Assert.Equal(ModbusOutcome.Ok, outcome);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task An_adapter_that_hangs_is_told_and_asked_once()
    {
        // So fast that what fills the buffer counts as sent soon.
        SerialSettings settings = new() { Baud = 4_000_000 };
        await using var pair = await PtyPair.CreateAsync();
        await pair.HangAsync();
        await using var client = new ModbusRtuClient(
            async (_, _) =>
            {
                var port = SerialPort.Open(pair.Ours, settings);
                Assert.False(await port.WriteAsync(new byte[1_000_000], TimeSpan.FromMilliseconds(100), CancellationToken.None));
                return port;
            },
            new RtuTiming(settings),
            TimeProvider.System);

        var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 10, _values, TimeSpan.FromSeconds(1));

        Assert.Equal(ModbusStatus.NotConnected, outcome.Status);
        Assert.Contains("did not take the request in time", outcome.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_driver_without_RS_485_says_what_to_do()
    {
        await using var pair = await PtyPair.CreateAsync();

        var refused = Assert.Throws<SerialPortException>(() => SerialPort.Open(pair.Ours, new SerialSettings { Rs485 = new() }));

        Assert.Contains("does not switch the direction", refused.Message, StringComparison.Ordinal);
        Assert.Contains("rs485: adapter", refused.Message, StringComparison.Ordinal);
    }

    private ValueTask<ModbusOutcome> ReadAsync(ModbusClient client) =>
        client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 10, _values, TimeSpan.FromSeconds(2));
}
