using System.Runtime.CompilerServices;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>What clients on a line have in common, in RTU and in ASCII mode. MODBUS over Serial Line V1.02.</summary>
/// <remarks>
/// Before each request the line must have been silent for 3.5 characters; whatever came meanwhile is thrown away, and counted where
/// it was a whole frame. An answer is recognised by unit, function, byte count and check sum. Bytes in front of it are skipped as noise; the
/// own request heard back (two-wire adapters without echo suppression) is skipped and counted. An answer to a write of a single
/// value equals its own echo: whether the line echoes is learned from reads, so read before you write.
///
/// <b>Late answers.</b> A frame holds no transaction id, so the answer to an abandoned request could be taken for that to a later
/// one. How that is ruled out is told at <see cref="RtuFence"/>: after a failure, the next request to the same unit either cannot be
/// confused with the abandoned one, or a short read goes ahead whose answer proves that the line is clear. Other units are not
/// delayed by it. It rests on one assumption: a device answers in the order it was asked, each answer in one go (copies of it, as
/// some converters make them, follow without a pause).
/// </remarks>
public abstract class ModbusLineClient : ModbusClient
{
    private const int Units = 256;

    // Unit, function, exception code, CRC.
    private const int ShortestReply = 5;

    private readonly LineOpener _opener;
    private readonly LineFraming _framing;
    private readonly RtuTiming _timing;
    private readonly byte[] _request = new byte[RtuFrame.MaxLength];
    private readonly byte[] _send;
    private readonly byte[] _fencePdu = new byte[5];
    private readonly byte[] _wire = new byte[512];
    private readonly byte[] _buffer = new byte[1536];
    private readonly byte[] _reply = new byte[Pdu.MaxLength];
    private readonly RtuFence?[] _fences = new RtuFence?[Units];
    private readonly long[] _lastSent = new long[Units];
    private int _length;
    private int _replyLength;
    private long _lastActivity;
    private bool _heardAnything;
    private bool? _lineEchoes;

    // What comes after an answer that was damaged or did not come may be the rest of it.
    private bool _isAnswered = true;

    private protected ModbusLineClient(OpenByteLine open, LineFraming framing, RtuTiming timing, TimeProvider time)
        : base(time)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(timing);
        _opener = new(open, time);
        _framing = framing;
        _timing = timing;
        _send = new byte[framing.MaxWireLength];
    }

    private enum Match
    {
        None,
        Reply,
        AmbiguousException,
        NotSent,
    }

    private enum Sending
    {
        Sent,

        /// <summary>Bytes came while the line had to be silent; nothing was sent.</summary>
        Heard,
        Lost,

        /// <summary>The line is there, and did not take the request in time.</summary>
        Stuck,
    }

    /// <summary>Room for what the line hands over next.</summary>
    private Memory<byte> WireRoom => _wire.AsMemory(0, Math.Min(_wire.Length, _buffer.Length - _length - RtuFrame.MaxLength));

    private static ModbusOutcome LineLost => new(ModbusStatus.NotConnected, Detail: "the line was closed or broke: was the adapter unplugged?");

    private static ModbusOutcome LineStuck => new(
        ModbusStatus.NotConnected,
        Detail: "the port did not take the request in time: flow control stops it, or the adapter hangs. Pull the adapter out and plug it in again, and see that nothing else drives the line");

    private static ModbusOutcome Closed => LineOpener.Refusal;

    private protected ValueTask DisposeLineAsync() => _opener.DisposeAsync();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private protected override async ValueTask<ModbusOutcome> ExchangeAsync(ModbusExchange exchange, TimeSpan timeout, CancellationToken cancel)
    {
        var (shape, pdu) = (exchange.Shape, exchange.RequestPdu);
        if (shape.Unit == 0 && !shape.MayBroadcast)
        {
            throw new ArgumentOutOfRangeException(nameof(exchange), "unit 0 addresses all devices on a serial line, none of which answers: give a unit id of 1 to 247");
        }

        var deadline = new Deadline(Time, timeout);
        var wasOpen = _opener.Line is not null;
        if (!wasOpen)
        {
            var opened = await OpenAsync(timeout, cancel).ConfigureAwait(false);
            if (!opened.IsOk)
            {
                return opened;
            }
        }

        if (shape.Unit == 0)
        {
            return await BroadcastAsync(pdu, timeout, cancel).ConfigureAwait(false);
        }

        while (true)
        {
            // Disposing of the client takes the line away under a request.
            if (_opener.Line is not { } line)
            {
                return Closed;
            }

            // A line that never falls silent is a broken one: the request is sent in the end, and the outcome will tell.
            if (!await SilenceAsync(line, deadline.Left, cancel).ConfigureAwait(false))
            {
                await CloseAsync().ConfigureAwait(false);
                if (!wasOpen)
                {
                    return LineLost;
                }

                // A device server closed an idle connection, or an adapter was plugged in anew: it shows only now, and nothing was asked yet.
                wasOpen = false;
                var opened = await OpenAsync(deadline.Left, cancel).ConfigureAwait(false);
                if (!opened.IsOk)
                {
                    return opened;
                }

                continue;
            }

            var step = _fences[shape.Unit]?.Plan(shape, out var fence) ?? PlanClear(out fence);
            if (step == RtuFence.Step.Hold)
            {
                var left = _timing.LateReplyHorizon - Time.GetElapsedTime(_lastSent[shape.Unit]);
                if (left > TimeSpan.Zero)
                {
                    return new(ModbusStatus.Timeout, Detail: $"unit {shape.Unit} is left alone for {left.TotalSeconds:0.0} s more, so that a late answer cannot be taken for a later one");
                }

                _fences[shape.Unit]!.Clear();
                continue;
            }

            var isFence = step == RtuFence.Step.Fence;
            var asked = isFence ? fence : shape;
            var askedPdu = isFence ? _fencePdu.AsMemory(0, fence.WriteRead(_fencePdu)) : pdu;
            var (outcome, match) = await TransactAsync(line, asked, askedPdu, deadline, cancel).ConfigureAwait(false);
            if (match == Match.NotSent)
            {
                continue;
            }

            if (isFence)
            {
                Count.Fences++;
            }

            _isAnswered = match == Match.Reply;
            switch (match)
            {
                case Match.Reply:
                    _fences[shape.Unit]?.Answered(asked);
                    exchange.Answer(_reply.AsSpan(0, _replyLength));
                    break;
                case Match.AmbiguousException:
                    Fence(shape.Unit).Abandoned(asked);
                    Fence(shape.Unit).RefusedAmbiguously();
                    break;
                default:
                    Fence(shape.Unit).Abandoned(asked);
                    if (isFence)
                    {
                        Fence(shape.Unit).FenceUnanswered(fence, shape);
                    }

                    break;
            }

            if (outcome.Status == ModbusStatus.NotConnected)
            {
                await CloseAsync().ConfigureAwait(false);
                return outcome;
            }

            var isDone = match == Match.Reply ? !isFence : match == Match.None;
            if (isDone)
            {
                return outcome;
            }

            if (deadline.Left == TimeSpan.Zero)
            {
                return new(ModbusStatus.Timeout, Detail: match == Match.Reply
                    ? "the unit answered, but there was no time left to ask the question itself"
                    : "what the unit answered may belong to an earlier request");
            }
        }
    }

    private static RtuFence.Step PlanClear(out RequestShape fence)
    {
        fence = default;
        return RtuFence.Step.Request;
    }

    private ValueTask CloseAsync()
    {
        Tap?.LineChanged(isOpen: false);
        return _opener.CloseAsync();
    }

    private RtuFence Fence(byte unit) => _fences[unit] ??= new();

    private async ValueTask<ModbusOutcome> OpenAsync(TimeSpan wait, CancellationToken cancel)
    {
        var opened = await _opener.OpenAsync(wait, cancel).ConfigureAwait(false);
        if (opened.IsOk)
        {
            Count.Connects++;
            Tap?.LineChanged(isOpen: true);
            _length = 0;
            _framing.Reset();
            _heardAnything = false;
            _lineEchoes = null;
        }

        return opened;
    }

    private async ValueTask<ModbusOutcome> BroadcastAsync(ReadOnlyMemory<byte> pdu, TimeSpan timeout, CancellationToken cancel)
    {
        if (_opener.Line is not { } line)
        {
            return Closed;
        }

        var deadline = new Deadline(Time, timeout);
        Sending sending;
        do
        {
            sending = await SilenceAsync(line, deadline.Left, cancel).ConfigureAwait(false)
                ? await SendAsync(line, 0, pdu, deadline.Left, timeout, cancel).ConfigureAwait(false)
                : Sending.Lost;
        }
        while (sending == Sending.Heard);

        if (sending != Sending.Sent)
        {
            await CloseAsync().ConfigureAwait(false);
            return sending == Sending.Stuck ? LineStuck : LineLost;
        }

        // No device answers a broadcast; all need time to act on it, once it has travelled, before the next request.
        await Task.Delay(_timing.TurnaroundDelay + _timing.SwitchTime + _timing.TimeOf(_framing.WireLength(pdu.Length + 3)), Time, cancel).ConfigureAwait(false);
        return ModbusOutcome.Ok;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<(ModbusOutcome Outcome, Match Match)> TransactAsync(
        IByteLine line, RequestShape shape, ReadOnlyMemory<byte> pdu, Deadline deadline, CancellationToken cancel)
    {
        var requestLength = pdu.Length + 3;
        var replyLength = 3 + shape.ShortestReply;
        _lastSent[shape.Unit] = Time.GetTimestamp();
        try
        {
            var wireTime = _timing.TimeOf(_framing.WireLength(requestLength + replyLength)) + _timing.SwitchTime;
            switch (await SendAsync(line, shape.Unit, pdu, deadline.Left, deadline.Left + wireTime, cancel).ConfigureAwait(false))
            {
                case Sending.Heard:
                    return (default, Match.NotSent);
                case Sending.Lost:
                    return (LineLost, Match.None);
                case Sending.Stuck:
                    return (LineStuck, Match.None);
            }

            // The kernel takes the request at once and sends it at the pace of the line; the answer has to travel as well.
            var reply = new Deadline(Time, deadline.Left + wireTime);
            var longer = _timing.TimeOf(_framing.WireLength(3 + shape.LongestReply) - _framing.WireLength(replyLength));
            var state = new Reception { MayEcho = true, DamagedBefore = _framing.Damaged };
            while (true)
            {
                var match = Examine(shape, requestLength, ref state);
                if (match != Match.None)
                {
                    return (state.Outcome, match);
                }

                if (longer > TimeSpan.Zero && _length > 0 && IsStartOfReply(_buffer.AsSpan(0, _length), shape))
                {
                    // It has begun, and may be as long as the device likes.
                    reply = new(Time, reply.Left + longer);
                    longer = TimeSpan.Zero;
                }

                var wait = reply.Left;
                if (!IsOwnRequest(requestLength) && GapThatEndsReply(shape, replyLength, state) is { } gap && gap < wait)
                {
                    wait = gap;
                }

                var count = wait > TimeSpan.Zero
                    ? await ReceiveAsync(line, Missing(shape), wait, cancel).ConfigureAwait(false)
                    : 0;
                if (count < 0)
                {
                    return (LineLost, Match.None);
                }

                if (count == 0)
                {
                    if (state.MayEcho && IsOwnRequest(requestLength))
                    {
                        TakeEcho(0, requestLength, ref state);
                    }

                    return (Conclude(shape, state), Match.None);
                }

                var before = _length;
                Heard(count);

                // A framing with a start and an end leaves out what stands between frames.
                state.HasNoise |= _length == before && !_framing.IsInsideFrame;
            }
        }
        catch (OperationCanceledException)
        {
            Fence(shape.Unit).Abandoned(shape);
            throw;
        }
    }

    private ValueTask<int> ReceiveAsync(IByteLine line, int atLeast, TimeSpan wait, CancellationToken cancel) => line is IPacedLine paced
        ? paced.ReadAsync(WireRoom, atLeast, wait, _timing.ReplyGap, cancel)
        : line.ReadAsync(WireRoom, wait, cancel);

    /// <summary>How many bytes have to come before there can be anything to say: what makes it worth to be woken.</summary>
    private int Missing(RequestShape shape)
    {
        var bytes = _length > 0 ? _buffer.AsSpan(0, _length) : _framing.Pending;
        if (bytes.IsEmpty)
        {
            return _framing.WireLength(ShortestReply);
        }

        var missing = IsStartOfReply(bytes, shape) ? RtuFrame.ResponseLength(bytes) - bytes.Length : 0;
        return missing > 0 ? _framing.WireLength(missing) : 1;
    }

    /// <summary>Whether nothing but the own request has been heard. On a line known not to echo, so short a request is the start of an answer.</summary>
    private bool IsOwnRequest(int requestLength) => !(requestLength == RtuFrame.MinLength && _lineEchoes == false) && _length == requestLength && _buffer.AsSpan(0, _length).SequenceEqual(_request.AsSpan(0, requestLength));

    /// <summary>
    /// The pause after which what has come is all that there will be; null when it is too little to tell. A stray byte or two is: drivers
    /// make them when they switch direction, long before a slow device answers.
    /// </summary>
    private TimeSpan? GapThatEndsReply(RequestShape shape, int replyLength, in Reception state)
    {
        if (_framing.IsInsideFrame)
        {
            return _framing.CharacterGap;
        }

        return state.Outcome.Status != ModbusStatus.Ok
            || _framing.Damaged != state.DamagedBefore
            || (_length > 0 && (_length >= replyLength || IsStartOfReply(_buffer.AsSpan(0, _length), shape)))
            ? _timing.ReplyGap
            : null;
    }

    /// <summary>What to say of an answer that did not come, or not whole.</summary>
    private ModbusOutcome Conclude(RequestShape shape, in Reception state)
    {
        if (state.Outcome.Status != ModbusStatus.Ok)
        {
            return state.Outcome;
        }

        _length += _framing.Flush(_buffer.AsSpan(_length));
        if (_length == 0)
        {
            return new(state.HasNoise ? ModbusStatus.CorruptFrame : ModbusStatus.Timeout);
        }

        var bytes = _buffer.AsSpan(0, _length);
        var length = RtuFrame.ResponseLength(bytes);
        return IsStartOfReply(bytes, shape) && (length == 0 || length > _length)
            ? new(ModbusStatus.ShortReply)
            : new(ModbusStatus.CorruptFrame);
    }

    /// <summary>
    /// Throws away what has come. On a line that does not keep time itself, waits until nothing has come for long enough; a paced
    /// line does that when it sends. False when the line is lost.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> SilenceAsync(IByteLine line, TimeSpan most, CancellationToken cancel)
    {
        var limit = new Deadline(Time, most);
        var silence = line is IPacedLine ? TimeSpan.Zero : _timing.Silence;
        while (true)
        {
            var since = _heardAnything ? silence - Time.GetElapsedTime(_lastActivity) : TimeSpan.Zero;
            var wait = since > TimeSpan.Zero ? since : TimeSpan.Zero;
            if (WireRoom.IsEmpty)
            {
                DiscardStale();
            }

            var count = await line.ReadAsync(WireRoom, wait, cancel).ConfigureAwait(false);
            if (count < 0)
            {
                return false;
            }

            if (count == 0)
            {
                // A wait may end a little early by another clock than ours; ask again until ours agrees.
                if (_heardAnything && Time.GetElapsedTime(_lastActivity) < silence && limit.Left > TimeSpan.Zero)
                {
                    continue;
                }

                DiscardStale();
                return true;
            }

            Heard(count);
            if (limit.Left == TimeSpan.Zero)
            {
                DiscardStale();
                return true;
            }
        }
    }

    /// <summary>Sends a request.</summary>
    /// <param name="line">The line.</param>
    /// <param name="unit">The unit asked.</param>
    /// <param name="pdu">What is asked.</param>
    /// <param name="patience">What is left of the time in which silence is waited for; without any it is sent at once.</param>
    /// <param name="wait">How long the line may take to accept it.</param>
    /// <param name="cancel">Ends the attempt.</param>
    private ValueTask<Sending> SendAsync(IByteLine line, byte unit, ReadOnlyMemory<byte> pdu, TimeSpan patience, TimeSpan wait, CancellationToken cancel)
    {
        pdu.CopyTo(_request.AsMemory(1));
        var length = RtuFrame.Finish(_request, unit, pdu.Length);
        var wire = _framing.Encode(_request.AsMemory(0, length), _send);
        return line is IPacedLine paced && patience > TimeSpan.Zero
            ? SendPacedAsync(paced, wire, wait, cancel)
            : SendNowAsync(line, wire, wait, cancel);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Sending> SendPacedAsync(IPacedLine line, ReadOnlyMemory<byte> wire, TimeSpan wait, CancellationToken cancel)
    {
        var taken = await line.WriteAfterSilenceAsync(wire, _timing.Silence, cancel).ConfigureAwait(false);
        if (taken < 0)
        {
            return taken == IPacedLine.Heard ? Sending.Heard : Sending.Lost;
        }

        Tap?.Sent(wire.Span);
        var sending = taken == wire.Length ? Sending.Sent : await WriteAsync(line, wire[taken..], wait, cancel).ConfigureAwait(false);
        Sent();
        return sending;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Sending> SendNowAsync(IByteLine line, ReadOnlyMemory<byte> wire, TimeSpan wait, CancellationToken cancel)
    {
        Tap?.Sent(wire.Span);
        var sending = await WriteAsync(line, wire, wait, cancel).ConfigureAwait(false);
        Sent();
        return sending;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Sending> WriteAsync(IByteLine line, ReadOnlyMemory<byte> wire, TimeSpan wait, CancellationToken cancel)
    {
        var limit = new Deadline(Time, wait);
        return await line.WriteAsync(wire, wait, cancel).ConfigureAwait(false) ? Sending.Sent
            : limit.Left > TimeSpan.Zero ? Sending.Lost
            : Sending.Stuck;
    }

    private void Sent()
    {
        _lastActivity = Time.GetTimestamp();
        _heardAnything = true;
    }

    private void Heard(int count)
    {
        var bytes = _wire.AsSpan(0, count);
        Tap?.Received(bytes);
        _length += _framing.Decode(bytes, _buffer.AsSpan(_length));
        Sent();
    }

    /// <summary>Throws away what came between requests. Whole answers among it were late or doubled; their units are fenced.</summary>
    private void DiscardStale()
    {
        var bytes = _buffer.AsSpan(0, _length);
        var strange = 0;
        while (bytes.Length >= RtuFrame.MinLength)
        {
            var length = RtuFrame.ResponseLength(bytes);
            if (length > 0 && length <= bytes.Length && RtuFrame.HasValidCrc(bytes[..length]))
            {
                Count.LateDiscarded++;
                if (RequestShape.OfAnswer(bytes[0], bytes[1..(length - 2)]) is { } answered)
                {
                    Fence(bytes[0]).Abandoned(answered);
                }

                bytes = bytes[length..];
            }
            else
            {
                strange++;
                bytes = bytes[1..];
            }
        }

        // A stray byte or two are of drivers that switch direction.
        if (_isAnswered && strange + bytes.Length >= RtuFrame.MinLength)
        {
            Count.Unasked++;
        }

        _length = 0;
    }

    private static bool IsStartOfReply(ReadOnlySpan<byte> bytes, RequestShape shape) => bytes[0] == shape.Unit && shape.MayBegin(bytes[1..]);

    /// <summary>Looks for the answer in what has come; frames that are not it are taken out.</summary>
    private Match Examine(RequestShape shape, int requestLength, ref Reception state)
    {
        while (_length > 0)
        {
            var bytes = _buffer.AsSpan(0, _length);
            if (state.MayEcho)
            {
                if (IsEcho(bytes, shape, requestLength, out var isPartial))
                {
                    TakeEcho(0, requestLength, ref state);
                    continue;
                }

                if (isPartial)
                {
                    return Match.None;
                }
            }

            int at;
            var length = RtuFrame.ResponseLength(bytes);
            var isWhole = length > 0 && length <= bytes.Length && RtuFrame.HasValidCrc(bytes[..length]);
            if (IsStartOfReply(bytes, shape))
            {
                // This is how the answer must begin: it is whole, or still coming, or damaged.
                if (!isWhole && (length == 0 || length > bytes.Length))
                {
                    return Match.None;
                }

                at = isWhole ? 0 : FindBehindNoise(shape);
            }
            else if (isWhole)
            {
                SetAside(shape, bytes[..length], ref state);
                Drop(length);
                continue;
            }
            else
            {
                at = FindBehindNoise(shape);
            }

            if (at < 0)
            {
                return Match.None;
            }

            var match = Accept(shape, at, requestLength, ref state);
            if (match != Match.None)
            {
                return match;
            }
        }

        return Match.None;
    }

    /// <summary>Whether the own request was heard, or (<paramref name="isPartial"/>) may be on its way.</summary>
    private bool IsEcho(ReadOnlySpan<byte> bytes, RequestShape shape, int requestLength, out bool isPartial)
    {
        isPartial = false;
        var request = _request.AsSpan(0, requestLength);
        if (bytes.Length < requestLength)
        {
            // Fewer bytes than any answer has cannot be one either way, so waiting for more loses nothing.
            isPartial = bytes.Length < 5 && request.StartsWith(bytes);
            return false;
        }

        if (!bytes.StartsWith(request))
        {
            return false;
        }

        if (requestLength == RtuFrame.MinLength && _lineEchoes != true)
        {
            if (_lineEchoes == false)
            {
                return false;
            }

            // An answer may begin with all bytes of so short a request: that of function 07 does for one status in 256. Which of
            // the two it is shows only when a whole answer has come, from the first byte on or behind the echo.
            isPartial = bytes.Length == requestLength;
            return !IsWholeReply(bytes, shape) && IsWholeReply(bytes[requestLength..], shape);
        }

        // Some answers equal their request; for those it must be known already whether this line echoes.
        return _lineEchoes == true || !shape.Check(request[1..^2]).IsOk;
    }

    private static bool IsWholeReply(ReadOnlySpan<byte> bytes, RequestShape shape)
    {
        var length = bytes.Length >= ShortestReply && IsStartOfReply(bytes, shape) ? RtuFrame.ResponseLength(bytes) : 0;
        return length > 0 && length <= bytes.Length && RtuFrame.HasValidCrc(bytes[..length]);
    }

    /// <summary>Where the answer begins behind noise, -1 when it is not there: only what was asked for counts, with a correct CRC.</summary>
    private int FindBehindNoise(RequestShape shape)
    {
        for (var at = 1; at <= _length - RtuFrame.MinLength; at++)
        {
            var bytes = _buffer.AsSpan(at, _length - at);
            var length = IsStartOfReply(bytes, shape) ? RtuFrame.ResponseLength(bytes) : 0;
            if (length > 0 && length <= bytes.Length && RtuFrame.HasValidCrc(bytes[..length]))
            {
                return at;
            }
        }

        if (WireRoom.IsEmpty)
        {
            // A line that chatters without end: keep what could still be the start of an answer.
            Drop(_length - RtuFrame.MaxLength);
        }

        return -1;
    }

    /// <summary>Judges a whole frame of the right unit and function, and takes it out of the buffer.</summary>
    private Match Accept(RequestShape shape, int at, int requestLength, ref Reception state)
    {
        var length = RtuFrame.ResponseLength(_buffer.AsSpan(at, _length - at));
        var frame = _buffer.AsSpan(at, length);
        var equalsRequest = frame.SequenceEqual(_request.AsSpan(0, requestLength));
        if (equalsRequest && state.MayEcho && _lineEchoes == true)
        {
            TakeEcho(at, length, ref state);
            return Match.None;
        }

        var outcome = shape.Check(frame[1..^2]);
        if (outcome.Status == ModbusStatus.Malformed)
        {
            // The acknowledgement of another write.
            SetAside(shape, frame, ref state);
            Drop(at + length);
            return Match.None;
        }

        if (outcome.Status == ModbusStatus.Exception && _fences[shape.Unit]?.ConfusesException(shape.Function) == true)
        {
            Count.LateDiscarded++;
            Drop(at + length);
            return Match.AmbiguousException;
        }

        if (shape.IsRead && !equalsRequest && state.MayEcho)
        {
            // Answered, and the request was not heard before.
            _lineEchoes = false;
        }

        frame[1..^2].CopyTo(_reply);
        _replyLength = length - 3;
        Drop(at + length);
        state.Outcome = outcome;
        return Match.Reply;
    }

    private void TakeEcho(int at, int length, ref Reception state)
    {
        Count.Echoes++;
        _lineEchoes = true;
        state.MayEcho = false;
        Drop(at + length);
    }

    /// <summary>A whole frame that does not answer the request: late if it may be, otherwise worth telling.</summary>
    private void SetAside(RequestShape shape, ReadOnlySpan<byte> frame, ref Reception state)
    {
        if (_fences[frame[0]] is { IsClear: false })
        {
            Count.LateDiscarded++;
            return;
        }

        state.Outcome = frame[0] != shape.Unit
            ? ModbusOutcome.FromUnit(shape.Unit, frame[0])
            : shape.Check(frame[1..^2]);
    }

    private void Drop(int count)
    {
        _buffer.AsSpan(count, _length - count).CopyTo(_buffer);
        _length -= count;
    }

    private struct Reception
    {
        public bool MayEcho;
        public bool HasNoise;
        public long DamagedBefore;
        public ModbusOutcome Outcome;
    }
}
