using System.Globalization;
using System.Net;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Hj212;

/// <summary>How a simulated logger behaves.</summary>
public sealed record Hj212LoggerOptions
{
    /// <summary>Time between two sendings.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Asked before each packet; true damages its check sum on the wire. Null damages none.</summary>
    public Func<Hj212Packet, bool>? Damages { get; init; }

    /// <summary>How long it waits for receipts, and how often it sends.</summary>
    public Hj212Patience Patience { get; init; } = new();
}

/// <summary>The lower side for tests and simulations: sends packets at its interval, refuses what it is asked, and repeats what nobody acknowledges.</summary>
public sealed class Hj212Logger : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OpenTime = TimeSpan.FromSeconds(10);

    private readonly Func<IReadOnlyList<Hj212Packet>> _packets;
    private readonly Hj212LoggerOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly ClientListener? _listener;
    private readonly Task _running = Task.CompletedTask;
    private long _acknowledged;
    private long _refused;

    private Hj212Logger(IPEndPoint? endPoint, OpenByteLine? open, Func<IReadOnlyList<Hj212Packet>> packets, Hj212LoggerOptions options, TimeProvider time)
    {
        (_packets, _options, _time) = (packets, options, time);
        if (open is null)
        {
            _listener = new(endPoint, 16, time, (client, stop) => ServeAsync(TcpLine.Accepted(client, time), stop));
        }
        else
        {
            var stop = _stop.Token;
            _running = Task.Run(() => RunAsync(open, stop), CancellationToken.None);
        }
    }

    /// <summary>Where it listens; null when it opens its line by itself.</summary>
    public IPEndPoint? EndPoint => _listener?.EndPoint;

    /// <summary>Packets that were acknowledged.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Requests that it refused.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>A logger to which the upper side connects.</summary>
    /// <param name="packets">Gives what is sent now; called at each interval, by each connection.</param>
    /// <param name="endPoint">Where to listen; null for a free port on the loopback address.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">The endpoint cannot be had; the message says why.</exception>
    public static Hj212Logger Listen(Func<IReadOnlyList<Hj212Packet>> packets, IPEndPoint? endPoint = null, Hj212LoggerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(packets);
        return new(endPoint, null, packets, options ?? new(), time ?? TimeProvider.System);
    }

    /// <summary>A logger that opens its line: a serial port, or a connection to the upper side.</summary>
    /// <param name="packets">As of <see cref="Listen"/>.</param>
    /// <param name="open">Opens the line, again after it was lost.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="time">The clock.</param>
    public static Hj212Logger Open(Func<IReadOnlyList<Hj212Packet>> packets, OpenByteLine open, Hj212LoggerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(packets);
        ArgumentNullException.ThrowIfNull(open);
        return new(null, open, packets, options ?? new(), time ?? TimeProvider.System);
    }

    /// <summary>Stops sending and closes its lines.</summary>
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
            // That is how it was told to end.
        }

        if (_listener is not null)
        {
            await _listener.DisposeAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private async Task RunAsync(OpenByteLine open, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ServeAsync(await open(OpenTime, stop).ConfigureAwait(false), stop).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // Nobody is there yet, or not any more: the next attempt tells.
            }

            await Task.Delay(Pause, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(IByteLine line, CancellationToken stop)
    {
        var wire = new DamagingLine(line);
        var session = new Hj212Session(new(wire, isStrict: false, _time), Refuse, _time) { Patience = _options.Patience };
        await using (session.ConfigureAwait(false))
        {
            while (!stop.IsCancellationRequested)
            {
                foreach (var packet in _packets())
                {
                    wire.IsDamaging = _options.Damages?.Invoke(packet) ?? false;
                    var (delivery, _) = await session.SendAsync(packet, stop).ConfigureAwait(false);
                    if (delivery == Hj212Delivery.Closed)
                    {
                        return;
                    }

                    Interlocked.Add(ref _acknowledged, delivery == Hj212Delivery.Done ? 1 : 0);
                }

                wire.IsDamaging = false;
                if (!await session.ListenAsync(_options.Interval, stop).ConfigureAwait(false))
                {
                    return;
                }
            }
        }
    }

    private IReadOnlyList<Hj212Packet> Refuse(Hj212Packet request)
    {
        Interlocked.Increment(ref _refused);
        return request.Flag.WantsAnswer ? [Hj212Packet.Answer(request, Hj212Command.RequestAnswer, new Hj212Field("QnRtn", ((int)Hj212Answer.Refused).ToString(CultureInfo.InvariantCulture)))] : [];
    }

    /// <summary>A line on which the last digit of a check sum can be hit by noise.</summary>
    private sealed class DamagingLine(IByteLine line) : IByteLine
    {
        public bool IsDamaging { get; set; }

        public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel) => line.ReadAsync(buffer, wait, cancel);

        public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
        {
            if (!IsDamaging || bytes.Length < 3)
            {
                return line.WriteAsync(bytes, wait, cancel);
            }

            var damaged = bytes.ToArray();
            damaged[^3] = (byte)(damaged[^3] == '0' ? '1' : '0');
            return line.WriteAsync(damaged, wait, cancel);
        }

        public ValueTask DisposeAsync() => line.DisposeAsync();
    }
}
