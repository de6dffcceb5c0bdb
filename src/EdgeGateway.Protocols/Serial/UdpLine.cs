using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A UDP socket towards one peer as a line: each write is one datagram, each read takes one. Datagrams of others are not seen.</summary>
public sealed class UdpLine : IByteLine
{
    private readonly SocketLine _line;

    private UdpLine(Socket socket, TimeProvider time) => _line = new(socket, time);

    /// <summary>Binds a free local port to the peer; nothing travels by it, so a peer that is not there shows only later.</summary>
    /// <exception cref="IOException">The name is unknown or there is no way to it; the message holds the operating system's words.</exception>
    public static async ValueTask<UdpLine> ConnectAsync(string host, int port, TimeSpan wait, TimeProvider time, CancellationToken cancel)
    {
        using var expiry = new CancellationTokenSource(wait, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        Socket? socket = null;
        try
        {
            // A datagram socket has no dual-mode connect by name that tries one address after the other: the first one is taken.
            var address = IPAddress.TryParse(host, out var literal) ? literal : (await Dns.GetHostAddressesAsync(host, both.Token).ConfigureAwait(false))[0];
            socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            await socket.ConnectAsync(new IPEndPoint(address, port), both.Token).ConfigureAwait(false);
            return new(socket, time);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            socket?.Dispose();
            throw new IOException($"{host}:{port}: the name was not resolved within {wait.TotalMilliseconds:0} ms");
        }
        catch (SocketException refused)
        {
            socket?.Dispose();
            throw new IOException($"{host}:{port}: {refused.Message} ({refused.SocketErrorCode}, errno {refused.NativeErrorCode})", refused);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel) => _line.ReadAsync(buffer, wait, cancel);

    /// <inheritdoc/>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel) => _line.WriteAsync(bytes, wait, cancel);

    /// <summary>Closes the socket.</summary>
    public ValueTask DisposeAsync()
    {
        _line.Dispose();
        return ValueTask.CompletedTask;
    }
}
