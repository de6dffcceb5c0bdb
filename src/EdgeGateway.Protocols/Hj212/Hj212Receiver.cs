using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Hj212;

/// <summary>What a receiver does with a packet of data.</summary>
public enum Hj212Reception
{
    /// <summary>It keeps it, and acknowledges it when the flag wants that.</summary>
    Acknowledge,

    /// <summary>It keeps it, and its acknowledgement is lost on the way.</summary>
    LoseAnswer,

    /// <summary>It refuses it: 9011 with QnRtn 2, when the flag wants an answer.</summary>
    Refuse,

    /// <summary>It hangs up without an answer.</summary>
    HangUp,
}

/// <summary>The upper side for tests and simulations: takes packets on a TCP port, acknowledges them, and can send requests.</summary>
/// <remarks>It believes every MN and password that <see cref="Hj212ReceiverOptions.Judge"/> does not refuse: it is no platform.</remarks>
public sealed class Hj212Receiver : IAsyncDisposable
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(50);

    private readonly Hj212ReceiverOptions _options;
    private readonly TimeProvider _time;
    private readonly ClientListener _listener;
    private readonly Lock _gate = new();
    private readonly Queue<Hj212Packet> _requests = new();
    private readonly List<Hj212Packet> _received = [];
    private readonly Hj212Counters _counters = new();
    private long _connections;
    private long _hangUps;

    private Hj212Receiver(IPEndPoint? endPoint, Hj212ReceiverOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _listener = new(endPoint, options.MaxClients, time, ServeAsync);
    }

    /// <summary>Where it listens; the port is the one the system chose when 0 was asked for.</summary>
    public IPEndPoint EndPoint => _listener.EndPoint;

    /// <summary>What all its links have seen; not exact while packets are coming.</summary>
    public Hj212Counters Counters => _counters;

    /// <summary>Connections so far.</summary>
    public long Connections => Interlocked.Read(ref _connections);

    /// <summary>Starts a receiver.</summary>
    /// <param name="endPoint">Where to listen; null for a free port on the loopback address.</param>
    /// <param name="options">What it does with packets.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">The endpoint cannot be had; the message says why.</exception>
    public static Hj212Receiver Start(IPEndPoint? endPoint = null, Hj212ReceiverOptions? options = null, TimeProvider? time = null) =>
        new(endPoint, options ?? new(), time ?? TimeProvider.System);

    /// <summary>All packets that came, in their order, copies of repeated ones included.</summary>
    public IReadOnlyList<Hj212Packet> Received
    {
        get
        {
            lock (_gate)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>Sends a request on the connection that comes next to its turn; what comes back stands in <see cref="Received"/>.</summary>
    public void Ask(Hj212Packet request)
    {
        lock (_gate)
        {
            _requests.Enqueue(request);
        }
    }

    /// <summary>Closes the connections there are; new ones are taken.</summary>
    public void HangUp() => Interlocked.Increment(ref _hangUps);

    /// <summary>Closes the listener and all connections.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        Interlocked.Increment(ref _connections);
        var hangUps = Interlocked.Read(ref _hangUps);
        var link = new Hj212Link(TcpLine.Accepted(client, _time), _options.IsStrict, _time) { Counters = _counters };
        await using (link.ConfigureAwait(false))
        {
            while (!stop.IsCancellationRequested && Interlocked.Read(ref _hangUps) == hangUps)
            {
                var (heard, packet) = await link.ReceiveAsync(Turn, stop).ConfigureAwait(false);
                if (heard == Hj212Event.Closed || (packet is not null && !await TakeAsync(link, packet, stop).ConfigureAwait(false)))
                {
                    return;
                }

                if (NextRequest() is { } request && !await link.SendAsync(request, TimeSpan.FromSeconds(5), stop).ConfigureAwait(false))
                {
                    return;
                }
            }
        }
    }

    private async ValueTask<bool> TakeAsync(Hj212Link link, Hj212Packet packet, CancellationToken stop)
    {
        var reception = _options.Judge?.Invoke(packet) ?? Hj212Reception.Acknowledge;
        if (reception == Hj212Reception.HangUp)
        {
            return false;
        }

        if (reception != Hj212Reception.Refuse)
        {
            lock (_gate)
            {
                _received.Add(packet);
            }
        }

        if (!packet.Flag.WantsAnswer || reception == Hj212Reception.LoseAnswer || Hj212Command.IsAnswer(packet.Command))
        {
            return true;
        }

        var answer = reception == Hj212Reception.Refuse
            ? Hj212Packet.Answer(packet, Hj212Command.RequestAnswer, new Hj212Field("QnRtn", ((int)Hj212Answer.Refused).ToString(CultureInfo.InvariantCulture)))
            : Hj212Packet.Receipt(packet);
        return await link.SendAsync(answer, TimeSpan.FromSeconds(5), stop).ConfigureAwait(false);
    }

    private Hj212Packet? NextRequest()
    {
        lock (_gate)
        {
            return _requests.TryDequeue(out var request) ? request : null;
        }
    }
}

/// <summary>How a receiver behaves.</summary>
public sealed record Hj212ReceiverOptions
{
    /// <summary>Asked for each packet; null keeps and acknowledges all. Called from several connections at once.</summary>
    public Func<Hj212Packet, Hj212Reception>? Judge { get; init; }

    /// <summary>Whether packets that deviate from the standard are refused.</summary>
    public bool IsStrict { get; init; }

    /// <summary>Most connections at once.</summary>
    public int MaxClients { get; init; } = 16;
}
