using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Integration.Faults;

/// <summary>How bad a link is.</summary>
/// <param name="MostDelay">Each piece is held up to this long.</param>
/// <param name="MostBytes">Each piece has up to this many bytes.</param>
/// <param name="Breaks">How often a piece is cut at a random byte and the connection reset.</param>
/// <param name="HalfCloses">How often one direction ends while the other stays open.</param>
internal sealed record Roughness(TimeSpan MostDelay, int MostBytes, double Breaks, double HalfCloses);

/// <summary>Stands before the broker: delays, cuts into pieces, breaks at random bytes and half-closes as told, and shows the judge what was acknowledged.</summary>
internal sealed class RoughRelay : IAsyncDisposable
{
    private readonly int _target;
    private readonly FeedJudge _judge;
    private readonly Random _random;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;
    private int _breaks;

    public RoughRelay(int target, FeedJudge judge, int seed)
    {
        _target = target;
        _judge = judge;
        _random = new Random(seed);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Null: a good link.</summary>
    public Roughness? Rough { get; set; }

    /// <summary>Connections that it broke or half-closed.</summary>
    public int Breaks => Volatile.Read(ref _breaks);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync());
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var near = client;
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        var tap = new AcknowledgedPublishes(_judge);
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
            var up = PassAsync(near, far, bytes => tap.Up(bytes.Span));
            var down = PassAsync(far, near, bytes => tap.Down(bytes.Span));

            // A direction that ended by itself ends the other; one that was half-closed leaves it to the ends to notice.
            if (await await Task.WhenAny(up, down))
            {
                await Task.WhenAll(up, down);
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // A broken link is what a relay is for.
        }
    }

    /// <returns>True when only this direction ended.</returns>
    private async Task<bool> PassAsync(Socket from, Socket to, Action<ReadOnlyMemory<byte>> see)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var rough = Rough;
                var count = await from.ReceiveAsync(buffer.AsMemory(0, rough is null ? buffer.Length : 1 + Draw(rough.MostBytes)), _end.Token);
                if (count == 0)
                {
                    return false;
                }

                if (rough is not null)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(Draw((int)rough.MostDelay.TotalMilliseconds + 1)), TimeProvider.System, _end.Token);
                    var chance = Draw(1_000_000) / 1e6;
                    if (chance < rough.Breaks)
                    {
                        await SendAsync(to, buffer.AsMemory(0, Draw(count)), see);
                        Interlocked.Increment(ref _breaks);
                        from.LingerState = to.LingerState = new LingerOption(true, 0);
                        from.Dispose();
                        to.Dispose();
                        return false;
                    }

                    if (chance < rough.Breaks + rough.HalfCloses)
                    {
                        Interlocked.Increment(ref _breaks);
                        to.Shutdown(SocketShutdown.Send);
                        return true;
                    }
                }

                await SendAsync(to, buffer.AsMemory(0, count), see);
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes, Action<ReadOnlyMemory<byte>> see)
    {
        // Seen before it is passed on: what reaches the gateway as acknowledged is never unknown to the judge.
        see(bytes);
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += await to.SendAsync(bytes[sent..], _end.Token);
        }
    }

    private int Draw(int limit)
    {
        lock (_random)
        {
            return _random.Next(Math.Max(1, limit));
        }
    }
}
