using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>A packet as it passed.</summary>
/// <param name="Connection">Counts the connections from 1 on.</param>
/// <param name="FromClient">Its direction.</param>
/// <param name="Type">The number of the packet type, such as 3 for PUBLISH.</param>
/// <param name="Flags">The lower half of the first byte.</param>
/// <param name="PacketId">Of PUBLISH and its acknowledgements; 0 else.</param>
/// <param name="Topic">Of a PUBLISH, else empty.</param>
/// <param name="Payload">Of a PUBLISH, as text, else empty.</param>
internal readonly record struct TappedPacket(int Connection, bool FromClient, int Type, int Flags, int PacketId, string Topic, string Payload)
{
    public const int Publish = 3;
    public const int PubRec = 5;
    public const int PubRel = 6;
}

/// <summary>
/// Stands between a client and a broker and writes down each packet, read by its own small reader and not by the product's. It may change what the client
/// sends, and hang up at it.
/// </summary>
internal sealed class WireTap : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly List<TappedPacket> _packets = [];
    private readonly int _brokerPort;
    private readonly bool _is5;
    private readonly Task _accepting;
    private int _connections;

    public WireTap(int brokerPort, string version)
    {
        (_brokerPort, _is5) = (brokerPort, version == "5");
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>True: each CONNECT asks for a new session, whatever the client wrote, so that the broker forgets the one before.</summary>
    public bool ForgetsSessions { get; init; }

    /// <summary>The connection ends at a PUBLISH for which this is true; the broker does not get it.</summary>
    public Func<TappedPacket, bool> HangsUpAt { get; init; } = _ => false;

    /// <summary>What passed so far, in the order in which it passed.</summary>
    public IReadOnlyList<TappedPacket> Packets { get { lock (_packets) { return [.. _packets]; } } }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_end.Token);
            _ = ServeAsync(client, Interlocked.Increment(ref _connections));
        }
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        using var _ = client;
        using var broker = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        try
        {
            await broker.ConnectAsync(IPAddress.Loopback, _brokerPort, _end.Token);
            await Task.WhenAny(PassAsync(client, broker, number, fromClient: true), PassAsync(broker, client, number, fromClient: false));
        }
        catch (Exception broken) when (broken is SocketException or IOException or OperationCanceledException)
        {
            // A broker that is away: the client sees its connection end.
        }
    }

    private async Task PassAsync(TcpClient from, TcpClient to, int number, bool fromClient)
    {
        try
        {
            var (input, output) = (from.GetStream(), to.GetStream());
            var header = new byte[5];
            while (true)
            {
                await input.ReadExactlyAsync(header.AsMemory(0, 1), _end.Token);
                var (length, size) = (0, 1);
                do
                {
                    await input.ReadExactlyAsync(header.AsMemory(size, 1), _end.Token);
                    length |= (header[size] & 0x7F) << (7 * (size - 1));
                }
                while (header[size++] >= 0x80);

                var packet = new byte[size + length];
                header.AsSpan(0, size).CopyTo(packet);
                await input.ReadExactlyAsync(packet.AsMemory(size), _end.Token);
                var tapped = Read(number, fromClient, packet, size);
                lock (_packets)
                {
                    _packets.Add(tapped);
                }

                if (fromClient && tapped.Type == TappedPacket.Publish && HangsUpAt(tapped))
                {
                    return;
                }

                if (fromClient && tapped.Type == 1 && ForgetsSessions)
                {
                    // The byte behind protocol name and level; Clean Start is its second bit.
                    packet[size + 7] |= 2;
                }

                await output.WriteAsync(packet, _end.Token);
            }
        }
        catch (Exception broken) when (broken is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The end of the connection.
        }
    }

    private TappedPacket Read(int number, bool fromClient, byte[] packet, int at)
    {
        var (type, flags) = (packet[0] >> 4, packet[0] & 0x0F);
        if (type is >= 4 and <= 7)
        {
            return new(number, fromClient, type, flags, BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(at)), "", "");
        }

        if (type != TappedPacket.Publish)
        {
            return new(number, fromClient, type, flags, 0, "", "");
        }

        var topicLength = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(at));
        var topic = Encoding.UTF8.GetString(packet, at + 2, topicLength);
        at += 2 + topicLength;
        var id = 0;
        if ((flags & 6) != 0)
        {
            id = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(at));
            at += 2;
        }

        if (_is5)
        {
            // Shorter than 128 bytes here: one byte says how long the properties are.
            at += 1 + packet[at];
        }

        return new(number, fromClient, type, flags, id, topic, Encoding.UTF8.GetString(packet, at, packet.Length - at));
    }
}
