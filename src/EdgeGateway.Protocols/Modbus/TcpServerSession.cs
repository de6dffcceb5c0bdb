using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>One client of a TCP server: takes requests and sends each answer when it is due.</summary>
internal sealed class TcpServerSession : IDisposable
{
    private readonly Socket _client;
    private readonly ServedUnits _units;
    private readonly ModbusServerOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end;
    private readonly SemaphoreSlim _slots;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly Lock _gate = new();
    private readonly Stack<Reply> _free = new();
    private readonly List<Reply> _underWay = [];
    private readonly byte[] _received = new byte[4 * (MbapHeader.Size + Pdu.MaxLength)];
    private Task _lastInOrder = Task.CompletedTask;
    private MbapHeader _newestHeader;
    private int _count;
    private int _taken;

    public TcpServerSession(Socket client, ServedUnits units, ModbusServerOptions options, TimeProvider time, CancellationToken stop)
    {
        _client = client;
        _units = units;
        _options = options;
        _time = time;
        _end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _slots = new(options.MaxInFlight, options.MaxInFlight);
    }

    private enum Frame
    {
        Incomplete,
        Whole,
        Foreign,
    }

    /// <summary>Serves until the client hangs up, sends what is no Modbus frame, or the server stops.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The server stops.</exception>
    public async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var isSecond = false;
                Frame frame;
                while ((frame = Peek(_taken, out var header)) == Frame.Whole)
                {
                    if (!await TakeAsync(header, isSecond).ConfigureAwait(false))
                    {
                        return;
                    }

                    isSecond = true;
                }

                if (_options.Concurrency == ServerConcurrency.NewestFirst && IsAnyDue())
                {
                    await SendAllNewestFirstAsync().ConfigureAwait(false);
                }

                if (frame == Frame.Foreign)
                {
                    return;
                }

                _received.AsSpan(_taken, _count - _taken).CopyTo(_received);
                _count -= _taken;
                _taken = 0;
                var count = await _client.ReceiveAsync(_received.AsMemory(_count), SocketFlags.None, _end.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    return;
                }

                _count += count;
            }
        }
        finally
        {
            await _end.CancelAsync().ConfigureAwait(false);
            DropAll();

            // Every answer under way holds a slot: when all are back, nothing runs any more.
            for (var i = 0; i < _options.MaxInFlight; i++)
            {
                await _slots.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    public void Dispose()
    {
        _end.Dispose();
        _slots.Dispose();
        _sending.Dispose();
    }

    private Frame Peek(int at, out MbapHeader header)
    {
        header = default;
        var bytes = _received.AsSpan(at, _count - at);
        if (bytes.Length < MbapHeader.Size)
        {
            return Frame.Incomplete;
        }

        if (!MbapHeader.TryRead(bytes, out header))
        {
            return Frame.Foreign;
        }

        return bytes.Length < MbapHeader.Size + header.PduLength ? Frame.Incomplete : Frame.Whole;
    }

    /// <summary>Takes one request out of the buffer; false when the connection is to be closed.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> TakeAsync(MbapHeader header, bool isBehindAnother)
    {
        var pdu = _received.AsMemory(_taken + MbapHeader.Size, header.PduLength);
        _taken += MbapHeader.Size + header.PduLength;
        var fault = _units.Receive(header.Unit, pdu.Span);
        var isSecond = isBehindAnother || IsAnyUnderWay();
        switch (_options.Concurrency)
        {
            case ServerConcurrency.DropSecond when isSecond:
                return true;
            case ServerConcurrency.CloseOnSecond when isSecond || Peek(_taken, out _) == Frame.Whole:
                return false;
            case ServerConcurrency.RefuseSecond when isSecond:
                fault = ServerFault.Refuse(ModbusExceptionCode.ServerDeviceBusy);
                break;
            case ServerConcurrency.ForgetFirst when Peek(_taken, out _) == Frame.Whole:
                return true;
            case ServerConcurrency.ForgetFirst:
                DropAll();
                break;
            case ServerConcurrency.NewestFirst when _slots.CurrentCount == 0 && IsAnyDue():
                await SendAllNewestFirstAsync().ConfigureAwait(false);
                break;
        }

        await _slots.WaitAsync(_end.Token).ConfigureAwait(false);
        var reply = Rent();
        reply.Length = MbapReply.Write(_units, _options, header, pdu.Span, fault, reply.Bytes);
        reply.IsDue = fault.Delay <= TimeSpan.Zero;
        switch (_options.Concurrency)
        {
            case ServerConcurrency.NewestFirst:
                if (!reply.IsDue)
                {
                    _ = SendNewestFirstLaterAsync(fault.Delay);
                }

                return true;
            case ServerConcurrency.NewestHeader:
                lock (_gate)
                {
                    _newestHeader = header;
                }

                _lastInOrder = SendUnderNewestHeaderAsync(reply, fault.Delay, _lastInOrder);
                return true;
            case ServerConcurrency.InOrder when !reply.IsDue || !_lastInOrder.IsCompleted:
                _lastInOrder = SendInOrderAsync(reply, fault.Delay, _lastInOrder);
                return true;
            case ServerConcurrency.Serial when !reply.IsDue:
                await SendLaterAsync(reply, fault.Delay).ConfigureAwait(false);
                return true;
            default:
                if (reply.IsDue)
                {
                    await SendAsync(reply).ConfigureAwait(false);
                }
                else
                {
                    _ = SendLaterAsync(reply, fault.Delay);
                }

                return true;
        }
    }

    private async Task SendLaterAsync(Reply reply, TimeSpan delay)
    {
        try
        {
            await Task.Delay(delay, _time, _end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The connection is over, and the answer with it.
            GiveBack(reply);
            return;
        }

        await SendOrCloseAsync(reply).ConfigureAwait(false);
    }

    private async Task SendInOrderAsync(Reply reply, TimeSpan delay, Task before)
    {
        var waiting = delay > TimeSpan.Zero ? Task.Delay(delay, _time, _end.Token) : Task.CompletedTask;
        await before.ConfigureAwait(false);
        try
        {
            await waiting.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The connection is over, and the answer with it.
            GiveBack(reply);
            return;
        }

        await SendOrCloseAsync(reply).ConfigureAwait(false);
    }

    private async Task SendUnderNewestHeaderAsync(Reply reply, TimeSpan delay, Task before)
    {
        await before.ConfigureAwait(false);
        try
        {
            await Task.Delay(delay, _time, _end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The connection is over, and the answer with it.
            GiveBack(reply);
            return;
        }

        if (reply.Length > MbapHeader.Size)
        {
            lock (_gate)
            {
                new MbapHeader(_newestHeader.TransactionId, _newestHeader.Unit, reply.Length - MbapHeader.Size).Write(reply.Bytes);
            }
        }

        await SendOrCloseAsync(reply).ConfigureAwait(false);
    }

    private async Task SendNewestFirstLaterAsync(TimeSpan delay)
    {
        try
        {
            await Task.Delay(delay, _time, _end.Token).ConfigureAwait(false);
            await SendAllNewestFirstAsync().ConfigureAwait(false);
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException)
        {
            // The connection is over; what is still under way is given back when the session ends.
            _client.Dispose();
        }
    }

    private async Task SendAllNewestFirstAsync()
    {
        while (TakeNewest() is { } reply)
        {
            await SendAsync(reply).ConfigureAwait(false);
        }
    }

    /// <summary>Sends from a task that nobody waits for: a connection that breaks is closed, which the receiving loop notices.</summary>
    private async Task SendOrCloseAsync(Reply reply)
    {
        try
        {
            await SendAsync(reply).ConfigureAwait(false);
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            _client.Dispose();
        }
    }

    /// <summary>Sends an answer, unless it was dropped meanwhile, and gives it back whatever happens.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendAsync(Reply reply)
    {
        try
        {
            await _sending.WaitAsync(_end.Token).ConfigureAwait(false);
            try
            {
                for (var rest = Claim(reply); !rest.IsEmpty;)
                {
                    rest = rest[await _client.SendAsync(rest, SocketFlags.None, _end.Token).ConfigureAwait(false)..];
                }
            }
            finally
            {
                _sending.Release();
            }
        }
        finally
        {
            GiveBack(reply);
        }
    }

    private bool IsAnyUnderWay()
    {
        lock (_gate)
        {
            return _underWay.Count > 0;
        }
    }

    private bool IsAnyDue()
    {
        lock (_gate)
        {
            return _underWay.Exists(r => r.IsDue);
        }
    }

    /// <summary>Takes what is to be sent: from now on it cannot be dropped, so no half frame leaves.</summary>
    private ReadOnlyMemory<byte> Claim(Reply reply)
    {
        lock (_gate)
        {
            _underWay.Remove(reply);
            return reply.Bytes.AsMemory(0, reply.Length);
        }
    }

    /// <summary>Takes the newest answer for sending, so that no other task takes it.</summary>
    private Reply? TakeNewest()
    {
        lock (_gate)
        {
            if (_underWay.Count == 0)
            {
                return null;
            }

            var newest = _underWay[^1];
            _underWay.RemoveAt(_underWay.Count - 1);
            return newest;
        }
    }

    /// <summary>Makes all that is under way go nowhere. Answers without a task of their own are given back here.</summary>
    private void DropAll()
    {
        if (_options.Concurrency == ServerConcurrency.NewestFirst)
        {
            while (TakeNewest() is { } reply)
            {
                GiveBack(reply);
            }

            return;
        }

        lock (_gate)
        {
            foreach (var reply in _underWay)
            {
                reply.Length = 0;
            }

            _underWay.Clear();
        }
    }

    private Reply Rent()
    {
        lock (_gate)
        {
            var reply = _free.TryPop(out var free) ? free : new();
            _underWay.Add(reply);
            return reply;
        }
    }

    private void GiveBack(Reply reply)
    {
        lock (_gate)
        {
            _underWay.Remove(reply);
            _free.Push(reply);
        }

        _slots.Release();
    }

    private sealed class Reply
    {
        public byte[] Bytes { get; } = new byte[MbapReply.MaxLength];

        public int Length { get; set; }

        public bool IsDue { get; set; }
    }
}
