using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A TCP connection as a line of bytes: a Modbus TCP device, or a serial line behind a device server. A write may go on while a read waits.</summary>
public sealed class TcpLine : IByteLine
{
    private readonly SocketLine _line;

    private TcpLine(Socket socket, TimeProvider time) => _line = new(socket, time);

    /// <summary>A connection that a listener has accepted.</summary>
    internal static TcpLine Accepted(Socket socket, TimeProvider time)
    {
        socket.NoDelay = true;
        return new(socket, time);
    }

    /// <summary>Connects.</summary>
    /// <exception cref="IOException">It could not; the message holds the address, the operating system's words and the errno.</exception>
    public static async ValueTask<TcpLine> ConnectAsync(string host, int port, TimeSpan wait, TimeProvider time, CancellationToken cancel)
    {
        var literal = IPAddress.TryParse(host, out var address);
        var socket = literal
            ? new Socket(address!.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var expiry = new CancellationTokenSource(wait, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        try
        {
            socket.NoDelay = true;
            EndPoint remote = literal ? new IPEndPoint(address!, port) : new DnsEndPoint(host, port);
            await socket.ConnectAsync(remote, both.Token).ConfigureAwait(false);
            return new TcpLine(socket, time);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            socket.Dispose();
            throw new IOException($"{host}:{port} did not accept the connection within {wait.TotalMilliseconds:0} ms");
        }
        catch (SocketException refused)
        {
            socket.Dispose();
            throw new IOException($"{host}:{port}: {refused.Message} ({refused.SocketErrorCode}, errno {refused.NativeErrorCode})", refused);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel) => _line.ReadAsync(buffer, wait, cancel);

    /// <inheritdoc/>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel) => _line.WriteAsync(bytes, wait, cancel);

    /// <summary>Closes the connection.</summary>
    public ValueTask DisposeAsync()
    {
        _line.Dispose();
        return ValueTask.CompletedTask;
    }
}
