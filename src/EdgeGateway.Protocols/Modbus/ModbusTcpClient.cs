using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>A client for Modbus TCP. MODBUS Messaging on TCP/IP V1.0b.</summary>
/// <remarks>
/// Connects on demand. An answer counts only when transaction id, unit, function and byte count are those of a request under way; one
/// with another transaction id is late or doubled, is discarded and counted. After a timeout the connection stays open, since a late
/// answer does no harm; after three timeouts in a row without a byte it is closed, and the next request connects anew. Bytes that
/// are no Modbus frame, or half a frame at the end of the time, close it at once, since nothing after them can be trusted.
///
/// <b>Several at once.</b> Before reads of the owner share a connection, the client asks as many short reads of its own at once, of registers that
/// it has just read, and looks only at the lengths of the answers, see <see cref="PipelineTrial"/>: a server that puts the wrong transaction
/// id on an answer shows itself there, at the cost of no value. The owner may start up to <see cref="ModbusClient.Capacity"/> requests; those beyond what the server has
/// proved to take (<see cref="Depth"/>) wait for their turn, which does not count as the device's silence: a request may take its own
/// timeout after those before it have ended. How many a server takes is found out by itself, see <see cref="PipelineDepth"/>. When one
/// of several comes to grief (connection closed, no answer, exception 06, damaged or wrong answers), nothing more is sent until
/// the others have ended; then the connection is closed, and the reads that were lost are repeated on a new one, once and one at a time,
/// within their time. An answer that is not that of its request closes the connection at once. Only when the repeat brings the
/// answer was the number of requests to blame. A write is sent alone and never repeated. A unit that stays silent while
/// a server that has proved to take several answers the others does not hold them up: it no longer counts as under way.
///
/// What a caller does after its answer came runs on the client's receive loop: do not block there.
/// </remarks>
public sealed class ModbusTcpClient : ModbusClient
{
    /// <summary>The port that IANA assigned to Modbus TCP.</summary>
    public const int DefaultPort = 502;

    /// <summary>The most requests under way at once, unless the owner wants fewer.</summary>
    public const int DefaultCapacity = 32;

    private const int SilentTimeoutsBeforeReconnect = 3;
    private const int SlownessDecay = 16;
    private const int UsualPatience = 4;
    private const double SafePatience = 1.5;

    private const int MostReadsInCall = 64;

    private static readonly TimeSpan LeastSlice = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LeastPatience = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly Lock _tapGate = new();
    private readonly LineOpener _opener;
    private readonly WorkSignal _work = new();
    private readonly TransactionTable _table;
    private readonly PipelineDepth _depth;
    private readonly ExchangeQueue _waiting;
    private readonly ExchangeQueue _repeats;
    private readonly ModbusExchange[] _ended;
    private readonly ModbusExchange[] _expired;
    private readonly PipelineTrial _trial;
    private readonly CancellationTokenSource _disposed = new();
    private readonly CancellationToken _stop;
    private readonly byte[] _send = new byte[MbapHeader.Size + Pdu.MaxLength];
    private readonly byte[] _receive = new byte[8 * (MbapHeader.Size + Pdu.MaxLength)];

    // The longest that each unit took lately, in milliseconds; 0 while it does not answer.
    private readonly ushort[] _slowness = new ushort[256];

    private IByteLine? _line;
    private Exception? _fault;
    private bool _isClosed;
    private bool _isStarted;
    private bool _isIdle;
    private bool _isSending;
    private bool _isBroken;
    private bool _isAlone;
    private bool _isUsed;
    private bool _isSuspected;
    private bool _isTainted;
    private bool _isForeign;
    private long _taintedAt;
    private TimeSpan _grace;
    private int _missing;
    private int _received;
    private int _taken;
    private int _silentTimeouts;
    private long _lastHeard;
    private TimeSpan _slice = TimeSpan.MaxValue;

    /// <summary>A client for this endpoint; nothing is sent before the first request.</summary>
    /// <param name="host">Name or address.</param>
    /// <param name="port">Port, mostly <see cref="DefaultPort"/>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="capacity">The most requests that the owner may start at once; 1 never tries more than one.</param>
    public ModbusTcpClient(string host, int port, TimeProvider time, int capacity = DefaultCapacity)
        : this(async (wait, cancel) => await TcpLine.ConnectAsync(host, port, wait, time, cancel).ConfigureAwait(false), time, capacity)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
    }

    /// <summary>A client that gets its connections elsewhere: lines that take a write while a read is under way.</summary>
    public ModbusTcpClient(OpenByteLine open, TimeProvider time, int capacity = DefaultCapacity)
        : base(time, capacity)
    {
        ArgumentNullException.ThrowIfNull(open);
        _opener = new(open, time);
        _table = new(capacity);
        _depth = new(capacity, time);
        _trial = new(capacity, time);
        _stop = _disposed.Token;
        _waiting = new(capacity);
        _repeats = new(capacity);
        _ended = new ModbusExchange[capacity];
        _expired = new ModbusExchange[capacity];
        Count.Depth = 1;
    }

    private static ModbusOutcome Lost => new(ModbusStatus.NotConnected, Detail: "the device closed the connection instead of answering");

    private static ModbusOutcome NotModbus => new(ModbusStatus.CorruptFrame, Detail: "the MBAP header is not that of Modbus TCP; the connection was closed");

    /// <summary>How many requests at once the server has proved to take.</summary>
    public int Depth
    {
        get
        {
            lock (_gate)
            {
                return _depth.Depth;
            }
        }
    }

    /// <summary>How many requests the owner should keep under way, so that the server is used as well as it allows; at least 1.</summary>
    public int Wanted
    {
        get
        {
            lock (_gate)
            {
                return Math.Min(_depth.Wanted + CountLeftBehind(Time.GetTimestamp()), Capacity);
            }
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        ValueTask closing;
        bool wake;
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            wake = _isIdle;
            _isIdle = false;
            closing = CloseLine();
        }

        // Those who wait are told first: whatever a line does while it is closed, nobody hangs.
        EndAll(new(ModbusStatus.NotConnected, Detail: "the client was closed"));
        await _disposed.CancelAsync().ConfigureAwait(false);
        if (wake)
        {
            _work.Set();
        }

        await closing.ConfigureAwait(false);
        _disposed.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private protected override async ValueTask<ModbusOutcome> ExchangeAsync(ModbusExchange exchange, TimeSpan timeout, CancellationToken cancel)
    {
        exchange.Owner = this;
        exchange.Start(timeout);
        exchange.AskedAt = Time.GetTimestamp();
        var done = exchange.WaitAsync();
        bool wake;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            _waiting.Add(exchange);
            var slice = timeout / 2 > LeastSlice ? timeout / 2 : LeastSlice;
            _slice = slice < _slice ? slice : _slice;

            if (_table.Count - CountLeftBehind(exchange.AskedAt) >= _depth.Limit)
            {
                _depth.Waited();
            }

            wake = _isIdle;
            _isIdle = false;
        }

        // A caller that has given up already is told so by this call.
        var registration = cancel.CanBeCanceled
            ? cancel.UnsafeRegister(static (state, token) => GiveUp((ModbusExchange)state!, token), exchange)
            : default;
        try
        {
            if (wake)
            {
                _work.Set();
            }
            else
            {
                Start();
            }

            var outcome = await done.ConfigureAwait(false);
            return outcome with { Queued = exchange.Queued };
        }
        finally
        {
            await registration.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static void GiveUp(ModbusExchange exchange, CancellationToken cancel)
    {
        var client = exchange.Owner!;
        lock (client._gate)
        {
            if (exchange.IsDone)
            {
                return;
            }

            exchange.IsDone = true;
            if (!client._waiting.Remove(exchange) && !client._repeats.Remove(exchange))
            {
                client._table.Abandon(exchange, client.Time.GetTimestamp());
            }

            client.Exonerate(exchange);
        }

        client.Dispatch();
        exchange.Fail(new OperationCanceledException(cancel));
    }

    private void Start()
    {
        bool start;
        lock (_gate)
        {
            start = !_isStarted;
            _isStarted = true;
        }

        if (start)
        {
            // It ends when the client is disposed of; what goes wrong in it is told to those who wait for answers.
            _ = RunAsync();
        }
        else
        {
            Dispatch();
        }
    }

    /// <summary>Connects, receives, and judges what came and what did not. One loop for the life of the client.</summary>
    private async Task RunAsync()
    {
        while (!_isClosed)
        {
            try
            {
                await ServeAsync().ConfigureAwait(false);
            }
            catch (Exception fault) when (!_isClosed)
            {
                // A mistake in the program or its setting, such as an address that cannot be: the callers get it.
                EndAll(default, fault);
                await CloseAsync(Lost).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_isClosed)
            {
                // Disposed of while it was connecting: those who wait have been told.
            }
        }
    }

    private async Task ServeAsync()
    {
        var isCurrent = true;
        var readsInCall = 0;
        while (!_isClosed)
        {
            if (BecomeIdle())
            {
                await _work.WaitAsync().ConfigureAwait(false);
                isCurrent = false;
                readsInCall = 0;
                continue;
            }

            var line = _line;
            if (line is null)
            {
                if (!await OpenAsync().ConfigureAwait(false))
                {
                    continue;
                }

                line = _line;
            }
            else if (!isCurrent && !await CatchUpAsync(line).ConfigureAwait(false))
            {
                continue;
            }

            isCurrent = true;
            Dispatch();
            if (_isBroken || line is null)
            {
                if (Interlocked.Exchange(ref _fault, null) is { } fault)
                {
                    ExceptionDispatchInfo.Throw(fault);
                }

                await CloseAsync(Lost).ConfigureAwait(false);
                continue;
            }

            if (MustClose())
            {
                await CloseAsync(new(ModbusStatus.Timeout)).ConfigureAwait(false);
                continue;
            }

            var wait = TimeToWait();
            if (wait is null)
            {
                continue;
            }

            // This may run inside the call of whoever made a request, and must not keep it for long.
            if (readsInCall < MostReadsInCall && ++readsInCall == MostReadsInCall)
            {
                await Task.Yield();
            }

            var reading = wait > TimeSpan.Zero ? line.ReadAsync(FreeSpace(), wait.Value, CancellationToken.None) : ValueTask.FromResult(0);
            readsInCall = reading.IsCompleted ? readsInCall : MostReadsInCall;
            var count = await reading.ConfigureAwait(false);
            if (count < 0)
            {
                await CloseAsync(Lost).ConfigureAwait(false);
                continue;
            }

            if (count > 0)
            {
                Heard(count);
                if (!TakeAnswers())
                {
                    await CloseAsync(NotModbus).ConfigureAwait(false);
                    continue;
                }
            }

            var expired = Expire(out var outcome, out var isUseless);
            if (isUseless)
            {
                // Before anything else is sent on it.
                await CloseAsync(new(ModbusStatus.Timeout)).ConfigureAwait(false);
            }
            else if (expired > 0)
            {
                Dispatch();
            }

            for (var i = 0; i < expired; i++)
            {
                _expired[i].Complete(outcome);
            }
        }
    }

    private bool BecomeIdle()
    {
        lock (_gate)
        {
            // While a request is on its way out and no answer is due there is nothing to do either: its end wakes the loop.
            var isSendingOnly = _isSending && !_isBroken && !_isTainted;
            _isIdle = _table.Count == 0 && !_isClosed && (isSendingOnly || (_waiting.Count == 0 && _repeats.Count == 0));
            if (_isIdle)
            {
                _work.Reset();
            }

            return _isIdle;
        }
    }

    private async ValueTask<bool> OpenAsync()
    {
        var wait = TimeSpan.Zero;
        lock (_gate)
        {
            for (var i = 0; i < _waiting.Count; i++)
            {
                wait = _waiting[i].Timeout > wait ? _waiting[i].Timeout : wait;
            }

            for (var i = 0; i < _repeats.Count; i++)
            {
                wait = _repeats[i].Budget > wait ? _repeats[i].Budget : wait;
            }
        }

        if (wait == TimeSpan.Zero)
        {
            return false;
        }

        var opened = await _opener.OpenAsync(wait, _stop).ConfigureAwait(false);
        if (!opened.IsOk)
        {
            EndAll(opened);
            return false;
        }

        var unwanted = ValueTask.CompletedTask;
        var isClosed = false;
        lock (_gate)
        {
            isClosed = _isClosed;
            if (isClosed)
            {
                unwanted = _opener.CloseAsync();
            }
            else
            {
                _line = _opener.Line;
                Count.Connects++;
                _received = _taken = _silentTimeouts = 0;
                _isUsed = _isBroken = _isAlone = _isTainted = _isForeign = false;
                _table.Clear();
                _trial.Connected();
            }
        }

        if (isClosed)
        {
            await unwanted.ConfigureAwait(false);
            return false;
        }

        Watch(static (tap, _, _) => tap.LineChanged(isOpen: true));
        return true;
    }

    /// <summary>After a pause: what has come meanwhile can only be late; this also shows whether the peer has closed the connection.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> CatchUpAsync(IByteLine line)
    {
        var started = Time.GetTimestamp();
        while (true)
        {
            var count = await line.ReadAsync(FreeSpace(), TimeSpan.Zero, CancellationToken.None).ConfigureAwait(false);
            if (count == 0)
            {
                return true;
            }

            if (count < 0)
            {
                await CloseAsync(Lost).ConfigureAwait(false);
                return false;
            }

            Heard(count);
            _silentTimeouts = 0;
            if (!TakeAnswers())
            {
                await CloseAsync(NotModbus).ConfigureAwait(false);
                return false;
            }

            if (_isForeign)
            {
                return true;
            }

            if (Time.GetElapsedTime(started) > _slice)
            {
                var flood = new ModbusOutcome(ModbusStatus.CorruptFrame, Detail: "the peer sends without being asked and does not stop; the connection was closed");
                EndAll(flood);
                await CloseAsync(flood).ConfigureAwait(false);
                return false;
            }
        }
    }

    /// <summary>Sends what may be sent now. Any thread may call; one at a time sends.</summary>
    private void Dispatch()
    {
        while (true)
        {
            IByteLine line;
            int length;
            TimeSpan wait;
            lock (_gate)
            {
                if (_isSending || _line is null || _isBroken || Next() is not { } exchange)
                {
                    return;
                }

                line = _line;
                length = Prepare(exchange);
                wait = exchange.Budget;
                _isSending = true;
            }

            try
            {
                Watch(static (tap, client, size) => tap.Sent(client._send.AsSpan(0, size)), length);
                var sending = line.WriteAsync(_send.AsMemory(0, length), wait, CancellationToken.None);
                if (!sending.IsCompletedSuccessfully)
                {
                    _ = FinishSendingAsync(line, sending);
                    return;
                }

                Sent(line, sending.Result);
            }
            catch (Exception fault)
            {
                // Whose request happens to be sent here may be anybody's: the loop tells all of them.
                _fault = fault;
                Sent(line, isWhole: false);
            }
        }
    }

    private async Task FinishSendingAsync(IByteLine line, ValueTask<bool> sending)
    {
        try
        {
            Sent(line, await sending.ConfigureAwait(false));
        }
        catch (Exception fault)
        {
            _fault = fault;
            Sent(line, isWhole: false);
        }

        Dispatch();
    }

    private void Sent(IByteLine line, bool isWhole)
    {
        bool wake;
        bool isBroken;
        lock (_gate)
        {
            _isSending = false;
            isBroken = !isWhole && line == _line;
            _isBroken |= isBroken;
            wake = _isIdle;
            _isIdle = false;
        }

        if (isBroken)
        {
            // The loop may be waiting for bytes: without its line it stops waiting.
            _ = line.DisposeAsync().AsTask();
        }

        if (wake)
        {
            _work.Set();
        }
    }

    /// <summary>What is to be sent next, if anything may be; it is taken out of its queue.</summary>
    private ModbusExchange? Next()
    {
        var underWay = _table.Count;
        if (underWay == 0)
        {
            _isAlone = false;
            if (_isTainted && !_isForeign && _missing == 0 && _repeats.Count == 0)
            {
                // All that was missing came late, each under its own id: the connection can be trusted.
                _isTainted = false;
            }
        }

        if (_isAlone || _isTainted || _table.IsWorn || (_isSuspected && underWay > 0))
        {
            return null;
        }

        if (_repeats.Count > 0)
        {
            if (underWay > 0)
            {
                return null;
            }

            _isAlone = true;
            return _repeats.Take();
        }

        if (_isSuspected)
        {
            Conclude();
        }

        if (_trial.IsUnderWay || (_trial.IsDue && underWay == 0))
        {
            return _trial.Next(_depth.Limit);
        }

        if (_waiting.Count == 0 || _trial.IsDue)
        {
            return null;
        }

        if (underWay == 0)
        {
            _isAlone = !_waiting[0].Shape.IsRead;
            return _waiting.Take();
        }

        // More than the server has proved to take is tried only with devices that answer, and fast enough to be asked again.
        var room = _table.Count - CountLeftBehind(Time.GetTimestamp());
        if (!_waiting[0].Shape.IsRead || room >= _depth.Limit || (room >= _depth.Depth && Patience(_waiting[0]) >= _waiting[0].Timeout))
        {
            return null;
        }

        if (_trial.MayShare(_depth.Limit))
        {
            return _waiting.Take();
        }

        _trial.Demand();
        return null;
    }

    private int Prepare(ModbusExchange exchange)
    {
        var now = Time.GetTimestamp();
        if (exchange.Sendings > 0)
        {
            var left = exchange.Budget - Time.GetElapsedTime(exchange.ClockStart, now);
            exchange.Budget = left > exchange.Timeout / 2 ? left : exchange.Timeout / 2;
        }

        else
        {
            exchange.Queued = Time.GetElapsedTime(exchange.AskedAt, now);
        }

        exchange.Sendings++;
        exchange.WasCrowded = false;
        exchange.IsOnUsedLine = _isUsed;
        _isUsed = true;
        _table.Add(exchange, now);
        exchange.Crowd -= CountLeftBehind(now);
        if (_table.Count > Count.MostInFlight)
        {
            Count.MostInFlight = _table.Count;
        }

        var pdu = exchange.RequestPdu;
        new MbapHeader(exchange.TransactionId, exchange.Shape.Unit, pdu.Length).Write(_send);
        pdu.Span.CopyTo(_send.AsSpan(MbapHeader.Size));
        return MbapHeader.Size + pdu.Length;
    }

    /// <summary>How long an answer may be missing before one of several is taken for lost; the whole time for devices that are slow or silent.</summary>
    private TimeSpan Patience(ModbusExchange exchange)
    {
        var slowness = TimeSpan.FromMilliseconds(_slowness[exchange.Shape.Unit]);
        var most = exchange.Timeout / 2;

        // A tight time limit that was learned from the unit's answers still leaves half of it for a second try.
        if (slowness == TimeSpan.Zero || slowness * SafePatience > most)
        {
            return exchange.Timeout;
        }

        var patience = LeastPatience + (slowness * UsualPatience);
        return patience < most ? patience : most;
    }

    /// <summary>
    /// How many of those under way take up no room: units that have not answered lately and that the server has left behind while it
    /// answered others. Only for a server that has proved to take several; one that works on one after the other does not get there.
    /// </summary>
    private int CountLeftBehind(long now)
    {
        var count = 0;
        if (_depth.Depth > 1)
        {
            for (var i = 0; i < _table.Count; i++)
            {
                count += IsSilentSoFar(_table[i]) && Time.GetElapsedTime(_table[i].SentAt, now) >= LeastPatience ? 1 : 0;
            }
        }

        return count;
    }

    private bool IsSilentSoFar(ModbusExchange exchange) => exchange.IsOvertaken && _slowness[exchange.Shape.Unit] == 0;

    private static bool MayBeLost(ModbusExchange exchange) => exchange.WasCrowded && exchange.Sendings == 1 && exchange.Shape.IsRead;

    private TimeSpan? TimeToWait()
    {
        lock (_gate)
        {
            if (_table.Count == 0 && !_isTainted)
            {
                return null;
            }

            var now = Time.GetTimestamp();
            var wait = _table.Count > 0 ? _slice : _grace - Time.GetElapsedTime(_taintedAt, now);
            for (var i = 0; i < _table.Count; i++)
            {
                if (i == 0 || _table[i].IsOvertaken)
                {
                    var left = Limit(_table[i]) - Time.GetElapsedTime(_table[i].ClockStart, now);
                    wait = left < wait ? left : wait;
                }

                if (IsSilentSoFar(_table[i]) && LeastPatience - Time.GetElapsedTime(_table[i].SentAt, now) is var room && room > TimeSpan.Zero)
                {
                    // From then on it takes up no room: the next one may go.
                    wait = room < wait ? room : wait;
                }
            }

            return wait;
        }
    }

    private TimeSpan Limit(ModbusExchange exchange) => !MayBeLost(exchange) ? exchange.Budget
        : exchange.IsWitness ? exchange.Timeout / 2 : Patience(exchange);

    /// <summary>Whether the connection is of no further use: nothing is sent on it any more.</summary>
    private bool MustClose()
    {
        lock (_gate)
        {
            return _isForeign || (_table.Count == 0 && (_table.IsWorn || (_isTainted && Time.GetElapsedTime(_taintedAt) >= _grace)));
        }
    }

    private void Heard(int count)
    {
        Watch(static (tap, client, size) => tap.Received(client._receive.AsSpan(client._received, size)), count);
        _received += count;
        _lastHeard = Time.GetTimestamp();
    }

    private Memory<byte> FreeSpace()
    {
        if (_taken == _received)
        {
            _taken = _received = 0;
        }
        else if (_taken > 0)
        {
            _receive.AsSpan(_taken, _received - _taken).CopyTo(_receive);
            _received -= _taken;
            _taken = 0;
        }

        return _receive.AsMemory(_received);
    }

    /// <summary>Takes whole frames out of what has been received. False when it is no Modbus.</summary>
    private bool TakeAnswers()
    {
        while (!_isForeign && _received - _taken >= MbapHeader.Size)
        {
            var bytes = _receive.AsSpan(_taken, _received - _taken);
            if (!MbapHeader.TryRead(bytes, out var header))
            {
                return false;
            }

            if (bytes.Length < MbapHeader.Size + header.PduLength)
            {
                return true;
            }

            _taken += MbapHeader.Size + header.PduLength;
            ModbusExchange? exchange;
            ModbusOutcome outcome;
            lock (_gate)
            {
                exchange = Match(header, bytes.Slice(MbapHeader.Size, header.PduLength), out outcome);
            }

            // The wire first: what the caller does with its answer may take a while.
            Dispatch();
            exchange?.Complete(outcome);
        }

        return true;
    }

    /// <summary>Finds whose answer this is and judges it. Null when the answer, or the request, is not at its end yet.</summary>
    private ModbusExchange? Match(MbapHeader header, ReadOnlySpan<byte> pdu, out ModbusOutcome outcome)
    {
        outcome = default;
        var now = _lastHeard;
        var exchange = _table.Take(header.TransactionId, now);
        if (exchange is null)
        {
            exchange = _repeats.Take(header.TransactionId);
            if (exchange is null)
            {
                Count.LateDiscarded++;
                if (!_table.Settle(header.TransactionId, out _) && _table.Count > 1)
                {
                    Suspect(isForeign: true);
                }

                return null;
            }

            // Slow, not lost: the answer came while the request waited to be repeated.
            _table.Settle(header.TransactionId, out _);
            Exonerate(exchange);
        }

        _silentTimeouts = 0;
        exchange.Answer(pdu);
        outcome = header.Unit == exchange.Shape.Unit
            ? exchange.Shape.Check(exchange.ReplyPdu)
            : ModbusOutcome.FromUnit(exchange.Shape.Unit, header.Unit);
        var isBusy = outcome is { Status: ModbusStatus.Exception, ExceptionCode: ModbusExceptionCode.ServerDeviceBusy };
        var isSound = outcome.Status is ModbusStatus.Ok or ModbusStatus.Exception && !isBusy;
        if (isSound)
        {
            Learn(exchange, outcome.IsOk, now);
        }
        else if (MayBeLost(exchange))
        {
            Suspect(isForeign: !isBusy);
            Miss(exchange);
            Repeat(exchange);
            return null;
        }
        else
        {
            // Alone it fares no better: several at once were not to blame.
            Exonerate(exchange);
        }

        exchange.IsDone = true;
        return exchange;
    }

    private void Learn(ModbusExchange exchange, bool isOk, long now)
    {
        var latency = now - exchange.SentAt;
        ref var slowness = ref _slowness[exchange.Shape.Unit];
        var took = (ushort)Math.Clamp(Math.Ceiling(Time.GetElapsedTime(exchange.SentAt, now).TotalMilliseconds), 1, ushort.MaxValue);
        slowness = (ushort)Math.Max(took, slowness - (slowness / SlownessDecay));
        if (exchange.IsWitness)
        {
            if (exchange.Sendings == 1 && !_trial.Answered(isOk))
            {
                // The device refuses a part of what it gives as a whole: nothing can be proved with it.
                _depth.Unprovable();
            }
        }
        else if (exchange.Sendings == 1)
        {
            _depth.Answered(latency, exchange.Crowd);
            if (isOk)
            {
                _trial.Learn(exchange);
            }
        }

        Count.Depth = _depth.Depth;
    }

    /// <summary>Finds what has had its time, and whether the connection is of no further use.</summary>
    private int Expire(out ModbusOutcome outcome, out bool isUseless)
    {
        var ended = 0;
        outcome = new(_received == _taken ? ModbusStatus.Timeout : ModbusStatus.ShortReply);
        isUseless = false;
        lock (_gate)
        {
            var now = Time.GetTimestamp();
            for (var i = 0; i < _table.Count; i++)
            {
                var exchange = _table[i];
                var waited = Time.GetElapsedTime(exchange.ClockStart, now);
                if ((i > 0 && !exchange.IsOvertaken) || waited < Limit(exchange))
                {
                    continue;
                }

                _table.Abandon(exchange, now);
                i--;
                if (MayBeLost(exchange) && waited < exchange.Budget)
                {
                    // A server that fell silent altogether when it was tried may have choked: it is asked again on a new connection.
                    if (_depth.IsProbing && _lastHeard <= exchange.SentAt)
                    {
                        isUseless = true;
                    }

                    Suspect(grace: exchange.IsWitness ? TimeSpan.Zero : exchange.Timeout / 4);
                    Miss(exchange);
                    Repeat(exchange);
                    continue;
                }

                Exonerate(exchange);

                if (exchange.WasCrowded && _slowness[exchange.Shape.Unit] > 0)
                {
                    _depth.Doubted();
                }

                _slowness[exchange.Shape.Unit] = 0;
                _trial.Forget(exchange.Shape.Unit);
                _silentTimeouts = _lastHeard > exchange.SentAt ? 0 : _silentTimeouts + 1;
                isUseless |= _silentTimeouts >= SilentTimeoutsBeforeReconnect || outcome.Status == ModbusStatus.ShortReply;
                exchange.IsDone = true;
                _expired[ended++] = exchange;
            }

            isUseless |= _table.IsWorn && _table.Count == 0;
        }

        return ended;
    }

    private void Repeat(ModbusExchange exchange)
    {
        Count.Repeats++;
        _repeats.Add(exchange);
    }

    /// <summary>One of several came to grief: no more than one at a time until the reason is known.</summary>
    /// <param name="isForeign">An answer was not that of its request: nothing else that comes on this connection can be believed.</param>
    /// <param name="grace">How long late answers are waited for when nothing else is under way, before the connection is closed.</param>
    private void Suspect(bool isForeign = false, TimeSpan grace = default)
    {
        if (!_isSuspected)
        {
            _isSuspected = true;
            _missing = 0;
        }

        _trial.Cancel();
        _isTainted = true;
        _isForeign |= isForeign;
        _taintedAt = Time.GetTimestamp();
        _grace = grace;
    }

    private void Miss(ModbusExchange exchange)
    {
        exchange.IsMissing = true;
        _missing++;
    }

    /// <summary>That this one was not answered has another reason, or will not be known.</summary>
    private void Exonerate(ModbusExchange exchange)
    {
        if (exchange.IsMissing)
        {
            exchange.IsMissing = false;
            _missing--;
        }
    }

    /// <summary>All that was lost has been repeated: was it the number of requests?</summary>
    private void Conclude()
    {
        _isSuspected = false;
        if (_missing > 0)
        {
            _depth.Objected();
        }
        else
        {
            _depth.Acquitted();
        }

        Count.Depth = _depth.Depth;
        Count.Objections = _depth.Objections;
    }

    /// <summary>Closes the connection. Reads that may be repeated wait for the next one; the others end with the outcome.</summary>
    private async ValueTask CloseAsync(ModbusOutcome outcome)
    {
        ValueTask closing;
        var ended = 0;
        lock (_gate)
        {
            while (_table.Count > 0)
            {
                var exchange = _table[0];
                _table.Abandon(exchange, Time.GetTimestamp());

                // Devices close connections that idle, and that shows only now. Asking again does no harm when it was a read.
                var wasLost = MayBeLost(exchange);
                if (wasLost || (outcome.Status == ModbusStatus.NotConnected && exchange is { IsOnUsedLine: true, Sendings: 1, Shape.IsRead: true }))
                {
                    if (wasLost && outcome.Status != ModbusStatus.Timeout)
                    {
                        Suspect();
                        Miss(exchange);
                    }

                    Repeat(exchange);
                    continue;
                }

                Exonerate(exchange);
                exchange.IsDone = true;
                _ended[ended++] = exchange;
            }

            _table.Clear();
            _trial.Cancel();
            _isTainted = _isForeign = false;
            closing = CloseLine();
        }

        await closing.ConfigureAwait(false);
        for (var i = 0; i < ended; i++)
        {
            _ended[i].Complete(outcome);
        }
    }

    private ValueTask CloseLine()
    {
        if (_line is null)
        {
            return ValueTask.CompletedTask;
        }

        _line = null;
        Watch(static (tap, _, _) => tap.LineChanged(isOpen: false));
        return _opener.CloseAsync();
    }

    private void EndAll(ModbusOutcome outcome, Exception? fault = null)
    {
        while (true)
        {
            ModbusExchange exchange;
            lock (_gate)
            {
                _missing = 0;
                _trial.Cancel();
                if (_table.Count > 0)
                {
                    exchange = _table[0];
                    _table.Abandon(exchange, Time.GetTimestamp());
                }
                else if (_repeats.Count + _waiting.Count > 0)
                {
                    exchange = _repeats.Count > 0 ? _repeats.Take() : _waiting.Take();
                }
                else
                {
                    return;
                }

                exchange.IsDone = true;
                exchange.IsMissing = false;
            }

            if (fault is null)
            {
                exchange.Complete(outcome);
            }
            else
            {
                exchange.Fail(fault);
            }
        }
    }

    private void Watch(Action<IModbusTap, ModbusTcpClient, int> tell, int size = 0)
    {
        if (Tap is { } tap)
        {
            lock (_tapGate)
            {
                tell(tap, this, size);
            }
        }
    }
}
