using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>
/// A server that keeps a session and cuts the connection once, at a chosen point: when it has read a packet and before it knows of it, when it
/// knows of it and before it answers, or inside its answer. It counts what it was given.
/// </summary>
internal sealed class CuttingBroker(Bench bench, int cutAt, bool keepsSession)
{
    private readonly HashSet<string> _qos2 = [];
    private int _points;
    private bool _cut;
    private bool _hasSession;

    /// <summary>Topics in the order in which they were taken over.</summary>
    public List<string> Taken { get; } = [];

    /// <summary>True when there was such a point.</summary>
    public bool Cut => _cut;

    /// <summary>Plays until the task is done.</summary>
    public async Task ServeAsync(Task until)
    {
        while (!until.IsCompleted)
        {
            var dialed = bench.Broker.NextAsync();
            await bench.Time.AdvanceUntilAsync(Task.WhenAny(dialed, until), TimeSpan.FromMilliseconds(500));
            if (until.IsCompleted)
            {
                break;
            }

            await ServeOneAsync(await dialed, until);
        }
    }

    private async Task ServeOneAsync(Wire wire, Task until)
    {
        while (true)
        {
            var reading = wire.ReadAsync();
            await Task.WhenAny(reading, until);
            if (!reading.IsCompleted)
            {
                return;
            }

            var packet = await reading;
            if (packet.Length == 0 || packet[0] == 'E' || IsThePoint())
            {
                await wire.CloseAsync();
                return;
            }

            var answer = Take(packet);
            if (IsThePoint())
            {
                await wire.CloseAsync();
                return;
            }

            if (IsThePoint())
            {
                await wire.SendAsync(answer[..2]);
                await wire.CloseAsync();
                return;
            }

            await wire.SendAsync(answer);
        }
    }

    private bool IsThePoint()
    {
        var here = ++_points == cutAt;
        _cut |= here;
        return here;
    }

    private string Take(string packet)
    {
        var version = bench.Version;
        var body = Hex.Bytes(packet)[2..];
        if (packet[0] == '1')
        {
            var clean = (body[7] & 0x02) != 0;
            var present = _hasSession && keepsSession && !clean;
            if (!present)
            {
                _qos2.Clear();
            }

            _hasSession = !clean || version == MqttProtocolVersion.V500;
            return Hex.ConnAck(version, present);
        }

        switch (packet[0])
        {
            case '3':
                var length = (body[0] << 8) | body[1];
                var topic = System.Text.Encoding.UTF8.GetString(body, 2, length);
                var id = Hex.Of(body.AsSpan(2 + length, 2));
                if (packet[1] is '2' or 'A')
                {
                    Taken.Add(topic);
                    return "4002" + id;
                }

                if (_qos2.Add(id))
                {
                    Taken.Add(topic);
                }

                return "5002" + id;
            case '6':
                _qos2.Remove(Hex.Of(body.AsSpan(0, 2)));
                return "7002" + Hex.Of(body.AsSpan(0, 2));
            default:
                return "D000";
        }
    }
}
