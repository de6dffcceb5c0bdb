using System.Net;
using System.Net.Sockets;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Dlt645;

/// <summary>A meter as a server offers it.</summary>
public interface IDlt645Meter
{
    /// <summary>Its address.</summary>
    MeterAddress Address { get; }

    /// <summary>Gives the data of an identifier. May be called from several connections at once.</summary>
    /// <param name="identifier">What is asked.</param>
    /// <param name="data">Receives the data, least significant byte first.</param>
    /// <returns>Bytes of data, 0 for a known item without a value now, -1 when the meter does not offer it.</returns>
    int Read(DataIdentifier identifier, Span<byte> data);
}

/// <summary>How one answer of a server is to go wrong.</summary>
public enum Dlt645FaultKind
{
    /// <summary>Nothing: the answer is right.</summary>
    None,

    /// <summary>No answer.</summary>
    Silence,

    /// <summary>The check sum is wrong.</summary>
    WrongCheckSum,

    /// <summary>The answer stops after half of it.</summary>
    ShortReply,

    /// <summary>The answer carries another address.</summary>
    OtherAddress,

    /// <summary>A refusal: another error.</summary>
    Refuse,

    /// <summary>The answer comes twice.</summary>
    Duplicate,
}

/// <summary>A fault of one answer.</summary>
/// <param name="Kind">What goes wrong.</param>
/// <param name="Delay">How long the server waits before it answers; with every kind.</param>
public readonly record struct Dlt645Fault(Dlt645FaultKind Kind, TimeSpan Delay = default);

/// <summary>How a server behaves.</summary>
public sealed record Dlt645ServerOptions
{
    /// <summary>Asked for each question to a meter that is there; null for a server without faults. Called from several connections at once.</summary>
    public Func<IDlt645Meter, DataIdentifier, Dlt645Fault>? Faults { get; init; }

    /// <summary>Most bytes of data in one frame, identifier included; what is more goes into further frames. 6 to 200.</summary>
    public int MaxData { get; init; } = Dlt645Frame.MaxReadData;

    /// <summary>FE bytes before each answer.</summary>
    public int WakeUp { get; init; } = Dlt645Frame.MostWakeUp;

    /// <summary>Most connections at once.</summary>
    public int MaxClients { get; init; } = 16;
}

/// <summary>Serves meters on one line, on which nobody else answers: functions 11, 12 and 13. DL/T 645-2007. Everything else is refused, broadcasts are ignored.</summary>
public sealed class Dlt645Server : IAsyncDisposable
{
    private const int MostData = 4096;

    private static readonly TimeSpan WriteLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Forever = TimeSpan.FromMinutes(1);

    private readonly IByteLine _line;
    private readonly IReadOnlyList<IDlt645Meter> _meters;
    private readonly Dlt645ServerOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;
    private readonly byte[] _buffer = new byte[1024];
    private readonly byte[] _asked = new byte[byte.MaxValue];
    private int _length;
    private long _requests;

    private Dlt645Server(IByteLine line, IReadOnlyList<IDlt645Meter> meters, Dlt645ServerOptions options, TimeProvider time)
    {
        (_line, _meters, _options, _time) = (line, meters, options, time);
        _serving = Task.Run(ServeAsync);
    }

    /// <summary>Questions with a right check sum so far.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>What a meter threw last, which is a mistake of the program that serves it: the question was refused.</summary>
    public Exception? LastError { get; private set; }

    /// <summary>Ends when the line is lost or the server is disposed of.</summary>
    public Task Completion => _serving;

    /// <summary>Serves on an open line, which the server then owns.</summary>
    /// <param name="line">The line.</param>
    /// <param name="meters">The meters; addresses may repeat, then both answer at once and damage one another's answers.</param>
    /// <param name="options">Faults and limits.</param>
    /// <param name="time">The clock for delays.</param>
    public static Dlt645Server Start(IByteLine line, IReadOnlyList<IDlt645Meter> meters, Dlt645ServerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(meters);
        return new(line, meters, options ?? new(), time ?? TimeProvider.System);
    }

    /// <summary>Stops serving and closes the line.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _serving.ConfigureAwait(false);
        await _line.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var count = await _line.ReadAsync(_buffer.AsMemory(_length), _length == 0 ? Forever : Pause, _stop.Token).ConfigureAwait(false);
                if (count < 0)
                {
                    return;
                }

                _length += count;
                while (Dlt645Frame.Find(_buffer.AsSpan(0, _length)) is { Kind: Dlt645FoundKind.Frame } found)
                {
                    var frame = _buffer.AsSpan(found.At, found.Length).ToArray();
                    var end = found.At + found.Length;
                    _buffer.AsSpan(end, _length - end).CopyTo(_buffer);
                    _length -= end;
                    Interlocked.Increment(ref _requests);
                    if (!await AnswerAsync(frame).ConfigureAwait(false))
                    {
                        return;
                    }
                }

                if (count == 0 || _length == _buffer.Length)
                {
                    _length = 0;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // DisposeAsync asked for it.
            return;
        }
    }

    private async ValueTask<bool> AnswerAsync(byte[] frame)
    {
        var length = Dlt645Frame.Read(frame, _asked, out var address, out var control);
        if (control.IsReply || address.IsBroadcast)
        {
            return true;
        }

        byte[]? together = null;
        var delay = TimeSpan.Zero;
        foreach (var meter in _meters.Where(m => address.IsWildcard || m.Address == address))
        {
            var identifier = length >= DataIdentifier.Length ? DataIdentifier.Read(_asked) : default;
            var fault = _options.Faults?.Invoke(meter, identifier) ?? default;
            delay = fault.Delay > delay ? fault.Delay : delay;
            together = Together(together, Damage(Answer(meter, control.Function, _asked.AsSpan(0, length), fault), fault));
        }

        if (delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, _time, _stop.Token).ConfigureAwait(false);
        }

        return together is not { Length: > 0 } || await _line.WriteAsync(together, WriteLimit, _stop.Token).ConfigureAwait(false);
    }

    /// <summary>What a receiver hears of two that send at once: a bit that either pulls low is low.</summary>
    private static byte[] Together(byte[]? first, byte[] second)
    {
        if (first is not { Length: > 0 } || second.Length == 0)
        {
            return second.Length > 0 ? second : first ?? [];
        }

        var (shorter, longer) = first.Length < second.Length ? (first, second) : (second, first);
        return [.. longer.Select((b, i) => i < shorter.Length ? (byte)(b & shorter[i]) : b)];
    }

    private static byte[] Damage(byte[] answer, Dlt645Fault fault)
    {
        switch (fault.Kind)
        {
            case Dlt645FaultKind.Silence:
                return [];
            case Dlt645FaultKind.WrongCheckSum when answer.Length > 1:
                answer[^2] ^= 0x55;
                return answer;
            case Dlt645FaultKind.ShortReply:
                return answer[..(answer.Length / 2)];
            case Dlt645FaultKind.Duplicate:
                return [.. answer, .. answer];
            default:
                return answer;
        }
    }

    private byte[] Answer(IDlt645Meter meter, Dlt645Function function, ReadOnlySpan<byte> asked, Dlt645Fault fault)
    {
        var from = meter.Address;
        if (fault.Kind == Dlt645FaultKind.OtherAddress && MeterAddress.TryParse(meter.Address.ToString() == "000000000001" ? "000000000002" : "000000000001", out var other))
        {
            from = other;
        }

        if (fault.Kind == Dlt645FaultKind.Refuse)
        {
            return Refuse(from, function, Dlt645Refusals.Other);
        }

        switch (function)
        {
            case Dlt645Function.ReadAddress:
                var address = new byte[MeterAddress.Length];
                meter.Address.Write(address);
                return Write(from, Dlt645Control.Reply(function), address);
            case Dlt645Function.Read when asked.Length == DataIdentifier.Length:
                return Part(meter, from, function, asked, 0);
            case Dlt645Function.ReadNext when asked.Length == DataIdentifier.Length + 1 && asked[^1] > 0:
                return Part(meter, from, function, asked, asked[^1]);
            default:
                return Refuse(from, function, Dlt645Refusals.Other);
        }
    }

    /// <summary>The part of the data that goes into the frame of this number, the first of which is 0.</summary>
    private byte[] Part(IDlt645Meter meter, MeterAddress from, Dlt645Function function, ReadOnlySpan<byte> asked, int number)
    {
        var all = new byte[MostData];
        int length;
        try
        {
            length = meter.Read(DataIdentifier.Read(asked), all);
        }
        catch (Exception broken)
        {
            LastError = broken;
            return Refuse(from, function, Dlt645Refusals.Other);
        }

        var first = _options.MaxData - DataIdentifier.Length;
        var further = first - 1;
        var at = number == 0 ? 0 : first + ((number - 1) * further);
        if (length < 0 || (number > 0 && at >= length))
        {
            return Refuse(from, function, Dlt645Refusals.NoSuchData);
        }

        var here = Math.Min(number == 0 ? first : further, length - at);
        byte[] data = [.. asked[..DataIdentifier.Length], .. all.AsSpan(at, here), .. number == 0 ? [] : (ReadOnlySpan<byte>)[(byte)number]];
        return Write(from, Dlt645Control.Reply(function, hasMore: at + here < length), data);
    }

    private byte[] Refuse(MeterAddress from, Dlt645Function function, Dlt645Refusals why) => Write(from, Dlt645Control.Refuse(function), [(byte)why]);

    private byte[] Write(MeterAddress from, Dlt645Control control, ReadOnlySpan<byte> data)
    {
        var frame = new byte[_options.WakeUp + Dlt645Frame.MinLength + data.Length];
        Dlt645Frame.Write(frame, from, control, data, _options.WakeUp);
        return frame;
    }
}

/// <summary>Serves meters in TCP connections, like a device server with a line of meters behind it.</summary>
public sealed class Dlt645TcpServer : IAsyncDisposable
{
    private readonly IReadOnlyList<IDlt645Meter> _meters;
    private readonly Dlt645ServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ClientListener _listener;

    private Dlt645TcpServer(IReadOnlyList<IDlt645Meter> meters, IPEndPoint? endPoint, Dlt645ServerOptions options, TimeProvider time)
    {
        (_meters, _options, _time) = (meters, options, time);
        _listener = new(endPoint, options.MaxClients, time, ServeAsync);
    }

    /// <summary>Where it listens; the port is the one the system chose when 0 was asked for.</summary>
    public IPEndPoint EndPoint => _listener.EndPoint;

    /// <summary>Starts a server.</summary>
    /// <param name="meters">The meters behind it.</param>
    /// <param name="endPoint">Where to listen; null for a free port on the loopback address.</param>
    /// <param name="options">Faults and limits.</param>
    /// <param name="time">The clock for delays.</param>
    /// <exception cref="IOException">The endpoint cannot be had; the message says why.</exception>
    public static Dlt645TcpServer Start(IReadOnlyList<IDlt645Meter> meters, IPEndPoint? endPoint = null, Dlt645ServerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(meters);
        return new(meters, endPoint, options ?? new(), time ?? TimeProvider.System);
    }

    /// <summary>Closes the listener and all connections.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        var server = Dlt645Server.Start(TcpLine.Accepted(client, _time), _meters, _options, _time);
        try
        {
            await server.Completion.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            await server.DisposeAsync().ConfigureAwait(false);
        }
    }
}
