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

    /// <summary>The first of some successive TCP ports on loopback that were free a moment ago, below those that the kernel gives to clients.</summary>
    public static int First(int count)
    {
        for (var first = Random.Shared.Next(15_000, 25_000); ; first += count)
        {
            if (Enumerable.Range(first, count).All(IsFree))
            {
                return first;
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
