using System.Runtime.CompilerServices;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>A client for Modbus TCP. MODBUS Messaging on TCP/IP V1.0b.</summary>
/// <remarks>
/// Connects on demand. An answer counts only when transaction id, unit, function and byte count are those of the request; one with
/// another transaction id is late or doubled, is discarded and counted. After a timeout the connection stays open, since a late
/// answer does no harm; after three timeouts in a row without a byte it is closed, and the next request connects anew. Bytes that
/// are no Modbus frame, or half a frame at the end of the time, close it at once, since nothing after them can be trusted.
/// </remarks>
public sealed class ModbusTcpClient : ModbusClient
{
    /// <summary>The port that IANA assigned to Modbus TCP.</summary>
    public const int DefaultPort = 502;

    private const int SilentTimeoutsBeforeReconnect = 3;
    private const string NotSent = "the device had closed the connection";
    private const string ClosedMeanwhile = "the device closed the connection instead of answering";

    private readonly LineOpener _opener;
    private readonly byte[] _send = new byte[MbapHeader.Size + Pdu.MaxLength];
    private readonly byte[] _receive = new byte[4 * (MbapHeader.Size + Pdu.MaxLength)];
    private int _received;
    private int _taken;
    private ushort _transaction;
    private int _silentTimeouts;

    /// <summary>A client for this endpoint; nothing is sent before the first request.</summary>
    public ModbusTcpClient(string host, int port, TimeProvider time)
        : this(async (wait, cancel) => await TcpLine.ConnectAsync(host, port, wait, time, cancel).ConfigureAwait(false), time)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
    }

    /// <summary>A client that gets its connections elsewhere.</summary>
    public ModbusTcpClient(OpenByteLine open, TimeProvider time)
        : base(time)
    {
        ArgumentNullException.ThrowIfNull(open);
        _opener = new(open, time);
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _opener.DisposeAsync();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private protected override async ValueTask<ModbusOutcome> ExchangeAsync(ModbusExchange exchange, TimeSpan timeout, CancellationToken cancel)
    {
        var shape = exchange.Shape;
        var deadline = new Deadline(Time, timeout);
        for (var isFirst = true; ; isFirst = false)
        {
            var wasOpen = _opener.Line is not null;
            if (!wasOpen)
            {
                var opened = await _opener.OpenAsync(deadline.Left, cancel).ConfigureAwait(false);
                if (!opened.IsOk)
                {
                    return opened;
                }

                Count.Connects++;
                Tap?.LineChanged(isOpen: true);
                _received = _taken = _silentTimeouts = 0;
            }

            var outcome = await TransactAsync(_opener.Line!, exchange, deadline, cancel).ConfigureAwait(false);
            var isOutOfStep = outcome.Status == ModbusStatus.CorruptFrame || (outcome.Status == ModbusStatus.ShortReply && _received != _taken);
            if (isOutOfStep || outcome.Status == ModbusStatus.NotConnected || _silentTimeouts >= SilentTimeoutsBeforeReconnect)
            {
                Tap?.LineChanged(isOpen: false);
                await _opener.CloseAsync().ConfigureAwait(false);
            }

            // Devices close connections that idle, and that shows only now. Asking again does no harm when it was a read.
            if (outcome.Status == ModbusStatus.NotConnected && wasOpen && isFirst && (shape.IsRead || outcome.Detail == NotSent))
            {
                continue;
            }

            return outcome;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ModbusOutcome> TransactAsync(
        IByteLine line, ModbusExchange exchange, Deadline deadline, CancellationToken cancel)
    {
        var (shape, pdu) = (exchange.Shape, exchange.RequestPdu);
        unchecked
        {
            _transaction++;
        }

        // What came since the last answer can only be late; this also shows whether the peer has closed the connection.
        while (true)
        {
            var stale = TakeReply(exchange, isSent: false, out _);
            if (stale.Status == ModbusStatus.CorruptFrame)
            {
                return stale;
            }

            var count = await line.ReadAsync(FreeSpace(), TimeSpan.Zero, cancel).ConfigureAwait(false);
            if (count < 0)
            {
                return new(ModbusStatus.NotConnected, Detail: NotSent);
            }

            if (count == 0)
            {
                break;
            }

            Heard(count);
            _silentTimeouts = 0;
            if (deadline.Left <= TimeSpan.Zero)
            {
                return new(ModbusStatus.CorruptFrame, Detail: "the peer sends without being asked and does not stop");
            }
        }

        new MbapHeader(_transaction, shape.Unit, pdu.Length).Write(_send);
        pdu.CopyTo(_send.AsMemory(MbapHeader.Size));
        Tap?.Sent(_send.AsSpan(0, MbapHeader.Size + pdu.Length));
        if (!await SendAsync(line, _send.AsMemory(0, MbapHeader.Size + pdu.Length), deadline.Left, cancel).ConfigureAwait(false))
        {
            return new(ModbusStatus.NotConnected, Detail: ClosedMeanwhile);
        }

        var heard = false;
        while (true)
        {
            var outcome = TakeReply(exchange, isSent: true, out var isReply);
            if (isReply)
            {
                _silentTimeouts = 0;
                return outcome;
            }

            var left = deadline.Left;
            var count = left > TimeSpan.Zero ? await line.ReadAsync(FreeSpace(), left, cancel).ConfigureAwait(false) : 0;
            if (count < 0)
            {
                return new(ModbusStatus.NotConnected, Detail: ClosedMeanwhile);
            }

            if (count == 0)
            {
                _silentTimeouts = heard ? 0 : _silentTimeouts + 1;
                return new(_received == _taken ? ModbusStatus.Timeout : ModbusStatus.ShortReply);
            }

            heard = true;
            Heard(count);
        }
    }

    private async ValueTask<bool> SendSlowlyAsync(ValueTask<bool> sending)
    {
        try
        {
            return await sending.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Half a frame may have left: the connection is of no further use.
            await _opener.CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    private ValueTask<bool> SendAsync(IByteLine line, ReadOnlyMemory<byte> adu, TimeSpan wait, CancellationToken cancel)
    {
        var sending = line.WriteAsync(adu, wait, cancel);
        return sending.IsCompletedSuccessfully ? sending : SendSlowlyAsync(sending);
    }

    private void Heard(int count)
    {
        Tap?.Received(_receive.AsSpan(_received, count));
        _received += count;
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

    /// <summary>Takes whole frames out of what has been received, up to the answer to the request under way.</summary>
    private ModbusOutcome TakeReply(ModbusExchange exchange, bool isSent, out bool isReply)
    {
        isReply = false;
        while (_received - _taken >= MbapHeader.Size)
        {
            var bytes = _receive.AsMemory(_taken, _received - _taken);
            if (!MbapHeader.TryRead(bytes.Span, out var header))
            {
                isReply = true;
                return new(ModbusStatus.CorruptFrame, Detail: "the MBAP header is not that of Modbus TCP; the connection was closed");
            }

            if (bytes.Length < MbapHeader.Size + header.PduLength)
            {
                return default;
            }

            _taken += MbapHeader.Size + header.PduLength;
            if (!isSent || header.TransactionId != _transaction)
            {
                Count.LateDiscarded++;
                continue;
            }

            isReply = true;
            exchange.Answer(bytes.Span.Slice(MbapHeader.Size, header.PduLength));
            return header.Unit == exchange.Shape.Unit
                ? exchange.Shape.Check(exchange.ReplyPdu)
                : new(ModbusStatus.WrongUnit, Detail: $"asked {exchange.Shape.Unit}, answered {header.Unit}");
        }

        return default;
    }
}
