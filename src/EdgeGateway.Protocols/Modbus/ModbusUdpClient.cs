using System.Runtime.CompilerServices;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>A client for Modbus in UDP datagrams: each holds one frame with the MBAP header of Modbus TCP.</summary>
/// <remarks>
/// UDP is not part of the standard; devices that offer it use the frames of MODBUS Messaging on TCP/IP V1.0b unchanged. Datagrams may be
/// lost, doubled and overtake each other: an answer counts only when it is one whole frame whose transaction id, unit, function and
/// byte count are those of the request. Others are discarded, those with another transaction id counted as late. A lost request or
/// answer is a timeout; the request is not sent again by itself, because it may have been a write.
/// </remarks>
public sealed class ModbusUdpClient : ModbusClient
{
    private readonly LineOpener _opener;
    private readonly byte[] _send = new byte[MbapHeader.Size + Pdu.MaxLength];

    // One byte more than any frame: a datagram that fills it is too long.
    private readonly byte[] _receive = new byte[MbapHeader.Size + Pdu.MaxLength + 1];
    private ushort _transaction;

    /// <summary>A client for this endpoint; nothing is sent before the first request.</summary>
    public ModbusUdpClient(string host, int port, TimeProvider time)
        : this(async (wait, cancel) => await UdpLine.ConnectAsync(host, port, wait, time, cancel).ConfigureAwait(false), time)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
    }

    /// <summary>A client that gets its line elsewhere; each read of it must take one datagram.</summary>
    public ModbusUdpClient(OpenByteLine open, TimeProvider time)
        : base(time)
    {
        ArgumentNullException.ThrowIfNull(open);
        _opener = new(open, time);
    }

    private static ModbusOutcome Unreachable =>
        new(ModbusStatus.NotConnected, Detail: "the datagram was refused or has no way to the device: is the port right, does the device speak Modbus UDP?");

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _opener.DisposeAsync();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private protected override async ValueTask<ModbusOutcome> ExchangeAsync(ModbusExchange exchange, TimeSpan timeout, CancellationToken cancel)
    {
        var deadline = new Deadline(Time, timeout);
        if (_opener.Line is null)
        {
            var opened = await _opener.OpenAsync(timeout, cancel).ConfigureAwait(false);
            if (!opened.IsOk)
            {
                return opened;
            }

            Count.Connects++;
            Tap?.LineChanged(isOpen: true);
        }

        var outcome = await TransactAsync(_opener.Line!, exchange, deadline, cancel).ConfigureAwait(false);
        if (outcome.Status == ModbusStatus.NotConnected)
        {
            Tap?.LineChanged(isOpen: false);
            await _opener.CloseAsync().ConfigureAwait(false);
        }

        return outcome;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ModbusOutcome> TransactAsync(IByteLine line, ModbusExchange exchange, Deadline deadline, CancellationToken cancel)
    {
        unchecked
        {
            _transaction++;
        }

        var pdu = exchange.RequestPdu;
        new MbapHeader(_transaction, exchange.Shape.Unit, pdu.Length).Write(_send);
        pdu.CopyTo(_send.AsMemory(MbapHeader.Size));
        var adu = _send.AsMemory(0, MbapHeader.Size + pdu.Length);
        Tap?.Sent(adu.Span);

        // A refusal of an earlier datagram (the device was restarting) shows at the next call; it says nothing of this one.
        if (!await line.WriteAsync(adu, deadline.Left, cancel).ConfigureAwait(false)
            && !await line.WriteAsync(adu, deadline.Left, cancel).ConfigureAwait(false))
        {
            return Unreachable;
        }

        var other = ModbusOutcome.Ok;
        while (true)
        {
            var left = deadline.Left;
            var count = left > TimeSpan.Zero ? await line.ReadAsync(_receive, left, cancel).ConfigureAwait(false) : 0;
            if (count < 0)
            {
                return Unreachable;
            }

            if (count == 0)
            {
                if (deadline.Left > TimeSpan.Zero)
                {
                    continue;
                }

                return other.IsOk ? new(ModbusStatus.Timeout) : other;
            }

            Tap?.Received(_receive.AsSpan(0, count));
            if (IsReply(exchange, count, ref other, out var outcome))
            {
                return outcome;
            }
        }
    }

    /// <summary>Whether a datagram answers the request; what else came is told when nothing better comes.</summary>
    private bool IsReply(ModbusExchange exchange, int count, ref ModbusOutcome other, out ModbusOutcome outcome)
    {
        outcome = default;
        var datagram = _receive.AsSpan(0, count);
        if (!MbapHeader.TryRead(datagram, out var header))
        {
            other = new(ModbusStatus.CorruptFrame, Detail: "a datagram came that is no Modbus frame");
            return false;
        }

        if (header.TransactionId != _transaction)
        {
            Count.LateDiscarded++;
            return false;
        }

        if (datagram.Length != MbapHeader.Size + header.PduLength)
        {
            other = new(datagram.Length < MbapHeader.Size + header.PduLength ? ModbusStatus.ShortReply : ModbusStatus.CorruptFrame, Detail: "the datagram does not have the length that its header tells");
            return false;
        }

        exchange.Answer(datagram[MbapHeader.Size..]);
        outcome = header.Unit == exchange.Shape.Unit
            ? exchange.Shape.Check(exchange.ReplyPdu)
            : ModbusOutcome.FromUnit(exchange.Shape.Unit, header.Unit);
        return true;
    }
}
