using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A TCP connection as a line of bytes: a Modbus TCP device, or a serial line behind a device server. A write may go on while a read waits.</summary>
public sealed class TcpLine : IByteLine
{
    private readonly SocketLine _line;

    private TcpLine(SocketLine line) => _line = line;

    /// <summary>A connection that a listener has accepted.</summary>
    internal static TcpLine Accepted(Socket socket, TimeProvider time)
    {
        socket.NoDelay = true;
        return new(new(socket, time));
    }

    /// <summary>Connects; a name with several addresses is tried one address after the other.</summary>
    /// <exception cref="IOException">It could not; the message holds the address, the operating system's words and the errno.</exception>
    public static async ValueTask<TcpLine> ConnectAsync(string host, int port, TimeSpan wait, TimeProvider time, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        using var expiry = new CancellationTokenSource(wait, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        try
        {
            IPAddress[] addresses = IPAddress.TryParse(host, out var literal)
                ? [literal]
                : await Dns.GetHostAddressesAsync(host, both.Token).ConfigureAwait(false);
            SocketException? refused = null;
            foreach (var address in addresses)
            {
                try
                {
                    if (await ConnectAsync(new(address, port), wait - time.GetElapsedTime(began), time, cancel).ConfigureAwait(false) is { } line)
                    {
                        return line;
                    }

                    break;
                }
                catch (SocketException e)
                {
                    refused = e;
                }
            }

            throw refused is null ? TooLate() : Refused(refused);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw TooLate();
        }
        catch (SocketException unknown)
        {
            throw Refused(unknown);
        }

        IOException Refused(SocketException e) => new($"{host}:{port}: {e.Message} ({e.SocketErrorCode}, errno {e.NativeErrorCode})", e);
        IOException TooLate() => new($"{host}:{port} did not accept the connection within {wait.TotalMilliseconds:0} ms");
    }

    private static async ValueTask<TcpLine?> ConnectAsync(IPEndPoint remote, TimeSpan wait, TimeProvider time, CancellationToken cancel)
    {
        var socket = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        SocketLine? line = null;
        try
        {
            socket.NoDelay = true;
            line = new(socket, time);
            if (await line.ConnectAsync(remote, wait, cancel).ConfigureAwait(false))
            {
                var connected = line;
                line = null;
                return new(connected);
            }

            return null;
        }
        catch when (line is null)
        {
            socket.Dispose();
            throw;
        }
        finally
        {
            line?.Dispose();
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
