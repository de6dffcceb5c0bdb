using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>Waits for brokers that say nothing when they are ready.</summary>
internal static class BrokerPorts
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Waits until something accepts connections on a loopback port.</summary>
    /// <param name="port">The port.</param>
    /// <param name="state">What the broker said so far, for the message of a failure.</param>
    public static async Task OpenAsync(int port, Func<string?> state)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, $"nothing listens on port {port}: {state()}");
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
    }
}
