using System.Collections.Concurrent;
using System.Text.Json;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>A configuration made from a SPEC, run by the real program: what the devices are asked and what the broker gets.</summary>
public sealed class FromExamTests
{
    [Theory]
    [InlineData("3.1.1", "in-order")]
    [InlineData("5", "live-first")]
    public async Task Each_poll_is_one_read_of_four_registers_and_one_object_and_none_is_lost_over_an_outage_and_a_kill(string version, string order)
    {
        using var broker = await Mosquitto.RunAsync();
        await using var link = new TcpRelay(broker.Port);
        await using var receiver = await MqttSite.ConnectAsync(broker.Uri, "receiver", MqttProtocolVersion.V500, subscribe: "exam/#");
        Meter[] meters = [new(), new(), new()];
        await using var first = ModbusTcpServer.Start(unit => unit is 1 or 2 ? meters[unit - 1] : null);
        await using var second = ModbusTcpServer.Start(unit => unit == 1 ? meters[2] : null);
        await using var site = GatewaySite.Write("");
        var spec = site.Configuration + ".json";
        await File.WriteAllTextAsync(spec, $$"""
            {"devices": [{"id": "d0", "host": "127.0.0.1", "port": {{first.EndPoint.Port}}, "unit": 1, "timeout": 20},
                         {"id": "d1", "host": "127.0.0.1", "port": {{first.EndPoint.Port}}, "unit": 2, "timeout": 20},
                         {"id": "d2", "host": "127.0.0.1", "port": {{second.EndPoint.Port}}, "unit": 1, "timeout": 20}],
             "poll_interval_ms": 100, "commit_window_ms": 100, "data_folder": "{{site.Store}}", "order": "{{order}}",
             "mqtt": {"host": "127.0.0.1", "port": {{link.Port}}, "version": "{{version}}", "client_id": "gw", "keepalive": 10, "topic": "exam"} }
            """);
        var made = await GatewayProcess.CommandAsync("config", "from-exam", spec, site.Configuration);
        Assert.True(made.ExitCode == 0, made.Errors);

        await using (var killed = await GatewayProcess.RunAsync(site))
        {
            await ArrivesAsync(receiver, killed, live: 5, history: 0);
            await link.RefuseAsync();
            await killed.StatusHoldsAsync(s => !s.Uplinks[0].Connected && s.Depth > 3, "rows wait");
            await killed.KillAsync();
        }

        // What a device gave and no commit has was never accepted (R-2): the numbers may jump there, once.
        var atKill = meters.Select(m => m.Sequence).ToArray();
        link.Allow();
        await using var gateway = await GatewayProcess.RunAsync(site);
        await ArrivesAsync(receiver, gateway, live: 15, history: 3);
        await Until.HoldsAsync(() => gateway.Log.Contains("STATUS {\"depth\":", StringComparison.Ordinal), "a line of status is printed", () => gateway.Log);
        Assert.Equal(0, await gateway.StopAsync());

        Assert.All(meters, meter => Assert.Equal([(RegisterTable.HoldingRegister, 0, 4)], meter.Asked.Keys));
        foreach (var (i, meter) in meters.Index())
        {
            var samples = Samples(receiver).Where(s => s.Device == $"d{i}").ToArray();
            Assert.All(samples, s => Assert.Equal(s.Sequence * 0.5, s.Value));
            var numbers = samples.Select(s => s.Sequence).Distinct().Order().ToArray();
            Assert.Equal(1, numbers[0]);
            var jumps = numbers.Zip(numbers.Skip(1)).Where(n => n.Second != n.First + 1).ToArray();
            Assert.True(jumps.Length <= 1 && jumps.All(j => j.First <= atKill[i] && j.Second <= atKill[i] + 1), $"d{i} was at {atKill[i]} when killed; jumps: {string.Join(", ", jumps)}");

            // Order: of everything, or of live and history each by itself.
            foreach (var lane in order == "in-order" ? [samples] : samples.GroupBy(s => s.Historical).Select(g => g.ToArray()))
            {
                var firsts = lane.Select(s => s.Sequence).Distinct().ToArray();
                Assert.Equal(firsts.Order(), firsts);
            }
        }

        Assert.All(receiver.Topics, topic => Assert.Equal("exam/exam/exam-gateway/sample", topic));
    }

    private static Task ArrivesAsync(MqttSite receiver, GatewayProcess gateway, int live, int history) => Until.HoldsAsync(
        () =>
        {
            var samples = Samples(receiver);
            return Enumerable.Range(0, 3).All(i =>
                samples.Count(s => s.Device == $"d{i}" && !s.Historical) >= live && samples.Count(s => s.Device == $"d{i}" && s.Historical) >= history);
        },
        $"{live} live and {history} kept samples of each device arrive",
        () => gateway.Log);

    /// <summary>Every object; one without number or value fails here.</summary>
    private static List<(string Device, long Sequence, double Value, bool Historical)> Samples(MqttSite receiver)
    {
        var samples = new List<(string, long, double, bool)>();
        foreach (var payload in receiver.Received)
        {
            using var document = JsonDocument.Parse(payload);
            samples.AddRange(document.RootElement.EnumerateArray().Select(o => (
                o.GetProperty("device").GetString()!, o.GetProperty("seq").GetInt64(), o.GetProperty("value").GetDouble(), o.GetProperty("historical").GetBoolean())));
        }

        return samples;
    }

    /// <summary>Counts each read in its first two registers; the value is half the number.</summary>
    private sealed class Meter : IModbusUnit
    {
        private long _sequence;

        public long Sequence => Interlocked.Read(ref _sequence);

        public ConcurrentDictionary<(RegisterTable Table, int Address, int Count), bool> Asked { get; } = new();

        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            Asked[(table, address, destination.Length)] = true;
            var sequence = Interlocked.Increment(ref _sequence);
            var value = BitConverter.SingleToUInt32Bits(sequence * 0.5f);
            ReadOnlySpan<ushort> registers = [(ushort)(sequence >> 16), (ushort)(sequence & 0xFFFF), (ushort)(value >> 16), (ushort)(value & 0xFFFF)];
            if (address + destination.Length > registers.Length)
            {
                return ModbusExceptionCode.IllegalDataAddress;
            }

            registers.Slice(address, destination.Length).CopyTo(destination);
            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;
    }
}
