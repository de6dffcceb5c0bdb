using System.Net;
using System.Net.Sockets;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Hj212;

/// <summary>How a station takes packets.</summary>
public sealed record Hj212StationOptions
{
    /// <summary>Whether packets that deviate from the standard are refused, or taken and counted.</summary>
    public bool IsStrict { get; init; }

    /// <summary>Most connections at once where it listens.</summary>
    public int MaxClients { get; init; } = 16;

    /// <summary>Where it listens: a connection on which no packet came for so long is closed. Real-time data come once an hour at least (RtdInterval, HJ 212-2017).</summary>
    public TimeSpan IdleLimit { get; init; } = TimeSpan.FromMinutes(61);

    /// <summary>Where it listens and all places are taken: the connection that was silent longest gives way, if that was for so long. The least RtdInterval is 30 s.</summary>
    public TimeSpan GivesWayAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest pause between two attempts to open a line, or to listen.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// The upper side of data loggers: takes what they send by themselves over a line that it opens, or on a port where they connect, and acknowledges it (9014, 9013). It asks for
/// nothing. Lines that break are opened anew; what is damaged is counted and not answered.
/// </summary>
public sealed class Hj212Station : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OpenTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WriteTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);

    private readonly Hj212StationOptions _options;
    private readonly Func<Hj212Packet, bool> _take;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Hj212Counters _counters = new();
    private readonly Lock _gate = new();
    private readonly Task _running;
    private readonly Lock _places = new();
    private readonly List<Connection> _connections = [];
    private long _connects;
    private long _idle;
    private long _gaveWay;
    private long _turnedAway;
    private int _open;
    private string? _problem;

    private Hj212Station(Func<Hj212Station, CancellationToken, Task> run, Func<Hj212Packet, bool> take, Hj212StationOptions options, TimeProvider time)
    {
        (_take, _options, _time) = (take, options, time);
        var stop = _stop.Token;
        _running = Task.Run(() => run(this, stop), CancellationToken.None);
    }

    /// <summary>What all its links have seen; not exact while packets are coming.</summary>
    public Hj212Counters Counters => _counters;

    /// <summary>Lines opened, or connections accepted, so far.</summary>
    public long Connects => Interlocked.Read(ref _connects);

    /// <summary>Connections closed because nothing came over them for the idle limit.</summary>
    public long Idle => Interlocked.Read(ref _idle);

    /// <summary>Connections closed for a new one, as all places were taken and they were silent longest.</summary>
    public long GaveWay => Interlocked.Read(ref _gaveWay);

    /// <summary>Connections refused, as all places were taken by others that send.</summary>
    public long TurnedAway => Interlocked.Read(ref _turnedAway);

    /// <summary>Whether a line is open or a logger connected.</summary>
    public bool IsConnected => Volatile.Read(ref _open) > 0;

    /// <summary>Why there is no line, in words; null when there is one, or a logger may connect.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>Takes packets from a line.</summary>
    /// <param name="open">Opens the line, again and again.</param>
    /// <param name="take">Given each packet that is no answer; true when it is taken, and acknowledged if it wants that. One call at a time. Must not throw.</param>
    /// <param name="options">How.</param>
    /// <param name="time">The clock.</param>
    public static Hj212Station Open(OpenByteLine open, Func<Hj212Packet, bool> take, Hj212StationOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(take);
        ArgumentNullException.ThrowIfNull(options);
        return new((station, stop) => station.RunLineAsync(open, stop), take, options, time);
    }

    /// <summary>Takes packets from loggers that connect.</summary>
    /// <param name="endPoint">Where it listens.</param>
    /// <param name="take">As of <see cref="Open"/>.</param>
    /// <param name="options">How.</param>
    /// <param name="time">The clock.</param>
    public static Hj212Station Listen(IPEndPoint endPoint, Func<Hj212Packet, bool> take, Hj212StationOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(take);
        ArgumentNullException.ThrowIfNull(options);
        return new((station, stop) => station.RunListenerAsync(endPoint, stop), take, options, time);
    }

    /// <summary>Closes all lines.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        try
        {
            await _running.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // That is how it is told to end.
        }

        _stop.Dispose();
    }

    private async Task RunLineAsync(OpenByteLine open, CancellationToken stop)
    {
        var pause = FirstPause;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var line = await open(OpenTime, stop).ConfigureAwait(false);
                Volatile.Write(ref _problem, null);
                pause = await ServeAsync(line, stop).ConfigureAwait(false) ? FirstPause : pause;
                Volatile.Write(ref _problem, "the logger has closed the connection, or the port is gone");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Volatile.Write(ref _problem, e.Message);
            }

            await Task.Delay(pause, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < _options.LongestPause ? pause * 2 : _options.LongestPause;
        }
    }

    private async Task RunListenerAsync(IPEndPoint endPoint, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var listener = new ClientListener(endPoint, _options.MaxClients, _time, ServeClientAsync, GiveWay);
                await using (listener.ConfigureAwait(false))
                {
                    Volatile.Write(ref _problem, null);
                    await Task.Delay(Timeout.InfiniteTimeSpan, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
            catch (IOException e)
            {
                Volatile.Write(ref _problem, e.Message);
                await Task.Delay(_options.LongestPause, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeClientAsync(Socket client, CancellationToken stop)
    {
        KeepAlive(client);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var connection = new Connection(end, _time.GetTimestamp());
        lock (_places)
        {
            _connections.Add(connection);
        }

        try
        {
            await ServeAsync(TcpLine.Accepted(client, _time), end.Token, connection).ConfigureAwait(false);
        }
        finally
        {
            lock (_places)
            {
                _connections.Remove(connection);
            }
        }
    }

    /// <summary>A peer that is gone without a word is found within two minutes, though nothing is ever sent to it.</summary>
    private static void KeepAlive(Socket client)
    {
        client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
        client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 6);
    }

    /// <summary>Ends the connection that was silent longest, unless it has sent of late.</summary>
    private bool GiveWay()
    {
        lock (_places)
        {
            var oldest = _connections.MinBy(c => c.Heard);
            if (oldest is null || _time.GetElapsedTime(oldest.Heard) < _options.GivesWayAfter)
            {
                Interlocked.Increment(ref _turnedAway);
                return false;
            }

            _connections.Remove(oldest);
            Interlocked.Increment(ref _gaveWay);
            oldest.End.Cancel();
            return true;
        }
    }

    /// <summary>One line, until it is closed; true when a packet came over it.</summary>
    private async Task<bool> ServeAsync(IByteLine line, CancellationToken stop, Connection? connection = null)
    {
        var link = new Hj212Link(line, _options.IsStrict, _time) { Counters = _counters };
        var hasTaken = false;
        await using (link.ConfigureAwait(false))
        {
            Interlocked.Increment(ref _connects);
            Interlocked.Increment(ref _open);
            try
            {
                while (true)
                {
                    var (heard, packet) = await link.ReceiveAsync(Turn, stop).ConfigureAwait(false);
                    if (heard == Hj212Event.Closed || (packet is not null && !await TakeAsync(link, packet, stop).ConfigureAwait(false)))
                    {
                        return hasTaken;
                    }

                    hasTaken |= packet is not null;
                    if (connection is not null && packet is not null)
                    {
                        connection.Heard = _time.GetTimestamp();
                    }
                    else if (connection is not null && _time.GetElapsedTime(connection.Heard) >= _options.IdleLimit)
                    {
                        Interlocked.Increment(ref _idle);
                        return hasTaken;
                    }
                }
            }
            finally
            {
                Interlocked.Decrement(ref _open);
            }
        }
    }

    /// <summary>False when the link is closed.</summary>
    private async ValueTask<bool> TakeAsync(Hj212Link link, Hj212Packet packet, CancellationToken stop)
    {
        // What can be nobody's, its fields being longer than any of the standard, gets no answer either.
        if (Hj212Command.IsAnswer(packet.Command) || !packet.IsAnswerable)
        {
            return true;
        }

        bool isTaken;
        lock (_gate)
        {
            isTaken = _take(packet);
        }

        return !isTaken || !packet.Flag.WantsAnswer
            || await link.SendAsync(Hj212Packet.Receipt(packet), WriteTime, stop).ConfigureAwait(false);
    }

    /// <summary>A connection that was accepted.</summary>
    private sealed class Connection(CancellationTokenSource end, long accepted)
    {
        private long _heard = accepted;

        /// <summary>Ends it; under the lock of the list while it stands in there.</summary>
        public CancellationTokenSource End => end;

        /// <summary>Time stamp of its last packet, or of its begin.</summary>
        public long Heard
        {
            get => Interlocked.Read(ref _heard);
            set => Interlocked.Exchange(ref _heard, value);
        }
    }
}
