using System.Net;
using System.Net.Sockets;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>What waits for sockets, over the loopback: with epoll, and the portable way that other systems take.</summary>
public sealed class SocketLineTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_wait_ends_with_what_comes_and_at_the_end_with_the_connection(bool isPortable)
    {
        using var pair = await Pair.ConnectAsync(isPortable);
        var buffer = new byte[16];
        for (byte i = 1; i < 100; i++)
        {
            var reading = pair.Line.ReadAsync(buffer, Long, CancellationToken.None);
            pair.Peer.Send([i, i]);
            Assert.Equal(2, await reading.AsTask().WaitAsync(Until.Limit));
            Assert.Equal(i, buffer[1]);
        }

        var last = pair.Line.ReadAsync(buffer, Long, CancellationToken.None);
        pair.Peer.Close();
        Assert.Equal(-1, await last.AsTask().WaitAsync(Until.Limit));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_wait_that_has_had_its_time_ends_with_nothing_and_the_next_gets_what_comes(bool isPortable)
    {
        var time = new ManualTime();
        using var pair = await Pair.ConnectAsync(isPortable, time);
        var buffer = new byte[16];
        for (var i = 0; i < 3; i++)
        {
            var late = pair.Line.ReadAsync(buffer, TimeSpan.FromSeconds(1), CancellationToken.None).AsTask();
            time.Advance(TimeSpan.FromMilliseconds(999));
            Assert.False(late.IsCompleted);
            time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(0, await late.WaitAsync(Until.Limit));

            var reading = pair.Line.ReadAsync(buffer, TimeSpan.FromSeconds(1), CancellationToken.None).AsTask();
            pair.Peer.Send([7]);
            Assert.Equal(1, await reading.WaitAsync(Until.Limit));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_wait_that_is_cancelled_or_closed_ends_and_a_second_reader_is_refused(bool isPortable)
    {
        using var pair = await Pair.ConnectAsync(isPortable);
        var buffer = new byte[16];
        using var cancel = new CancellationTokenSource();
        var cancelled = pair.Line.ReadAsync(buffer, Long, cancel.Token).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(() => pair.Line.ReadAsync(new byte[1], Long, CancellationToken.None).AsTask());
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled.WaitAsync(Until.Limit));

        var reading = pair.Line.ReadAsync(buffer, Long, CancellationToken.None).AsTask();
        pair.Peer.Send([1]);
        Assert.Equal(1, await reading.WaitAsync(Until.Limit));

        var closed = pair.Line.ReadAsync(buffer, Long, CancellationToken.None).AsTask();
        pair.Line.Dispose();
        Assert.Equal(-1, await closed.WaitAsync(Until.Limit));
        Assert.Equal(-1, await pair.Line.ReadAsync(buffer, Long, CancellationToken.None));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_is_refused_says_so(bool isPortable)
    {
        using var holder = Bound();
        using var socket = Unbound();
        using var line = new SocketLine(socket, TimeProvider.System, isPortable);
        var refused = await Assert.ThrowsAsync<SocketException>(() => line.ConnectAsync(holder.LocalEndPoint!, Long, CancellationToken.None).AsTask());
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    [Fact]
    public async Task A_listener_whose_queue_is_full_is_waited_for_no_longer_than_asked()
    {
        using var listener = Bound();
        listener.Listen(0);
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        List<TcpLine> taken = [];
        try
        {
            var late = await Assert.ThrowsAsync<IOException>(async () =>
            {
                for (var i = 0; i < 8; i++)
                {
                    taken.Add(await TcpLine.ConnectAsync("127.0.0.1", port, TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None));
                }
            });
            Assert.Equal($"127.0.0.1:{port} did not accept the connection within 200 ms", late.Message);
        }
        finally
        {
            foreach (var line in taken)
            {
                await line.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task A_name_with_several_addresses_is_reached_at_the_one_that_listens()
    {
        using var listener = Bound();
        listener.Listen();
        await using var line = await TcpLine.ConnectAsync("localhost", ((IPEndPoint)listener.LocalEndPoint!).Port, Long, TimeProvider.System, CancellationToken.None);
        using var peer = await listener.AcceptAsync();
        Assert.True(await line.WriteAsync(new byte[] { 42 }, Long, CancellationToken.None));
        var buffer = new byte[4];
        Assert.Equal(1, await peer.ReceiveAsync(buffer));
        Assert.Equal(42, buffer[0]);
    }

    private static Socket Unbound() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private static Socket Bound()
    {
        var socket = Unbound();
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    /// <summary>A line and the socket at its other end.</summary>
    private sealed class Pair(SocketLine line, Socket peer) : IDisposable
    {
        public SocketLine Line { get; } = line;

        public Socket Peer { get; } = peer;

        public static async Task<Pair> ConnectAsync(bool isPortable, TimeProvider? time = null)
        {
            using var listener = Bound();
            listener.Listen();
            var line = new SocketLine(Unbound(), time ?? TimeProvider.System, isPortable);
            Assert.True(await line.ConnectAsync(listener.LocalEndPoint!, Long, CancellationToken.None));
            return new(line, await listener.AcceptAsync());
        }

        public void Dispose()
        {
            Line.Dispose();
            Peer.Dispose();
        }
    }
}
