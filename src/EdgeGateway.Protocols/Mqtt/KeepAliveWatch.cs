using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>Judges a connection by bytes received while it is read, and keeps the server's own timer from running out. MQTT 5.0, 3.1.2.10; requirement M-6.</summary>
internal static class KeepAliveWatch
{
    /// <summary>Timers may fire a little early; shorter waits than this are not worth a turn.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    /// <summary>Pings when it must and ends when nothing was heard for one and a half times the keep alive; zero only waits for the end.</summary>
    public static async Task<ConnectionLoss> RunAsync(MqttConnection connection, TimeSpan keepAlive, TimeProvider time, CancellationToken cancel)
    {
        var dead = keepAlive * 1.5;
        var lastPing = time.GetTimestamp();
        try
        {
            if (keepAlive == TimeSpan.Zero)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, time, cancel).ConfigureAwait(false);
            }

            while (true)
            {
                var received = connection.LastReceived;
                var silence = connection.Silence;
                var idle = time.GetElapsedTime(Math.Max(connection.LastSent, lastPing));
                if (silence >= dead)
                {
                    return new(MqttLossCause.KeepAlive, $"nothing was heard from the server for {silence.TotalSeconds:0.#} s: check the network");
                }

                if (idle >= keepAlive || (silence >= keepAlive && lastPing <= received))
                {
                    connection.Send(new PingPacket(PacketType.PingReq));
                    lastPing = time.GetTimestamp();
                    idle = TimeSpan.Zero;
                }

                var next = Shorter(dead - silence, keepAlive - idle);
                next = silence < keepAlive ? Shorter(next, keepAlive - silence) : next;
                await Task.Delay(next < Tick ? Tick : next, time, cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return ConnectionLoss.Stopped;
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
