using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Commands.Demo;

/// <summary>Chooses ports for servers that cannot choose their own.</summary>
internal static class FreePort
{
    /// <summary>A TCP port on loopback that was free a moment ago.</summary>
    public static int Choose()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
