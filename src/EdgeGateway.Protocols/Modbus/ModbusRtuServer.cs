using System.Runtime.CompilerServices;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Serves units over Modbus RTU on one line, on which no other device answers. MODBUS over Serial Line V1.02.</summary>
/// <remarks>
/// A request ends where its function and byte count say; one with a function not known here ends with a pause. Bytes with a wrong
/// CRC are not answered, as the standard asks.
/// </remarks>
public sealed class ModbusRtuServer : IModbusServer
{
    private static readonly TimeSpan WriteLimit = TimeSpan.FromSeconds(5);

    // Far more than 3.5 characters, since adapters and pseudo-terminals hand bytes over in lumps.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(30);

    private readonly IByteLine _line;
    private readonly ServedUnits _units;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;
    private readonly byte[] _request = new byte[2 * RtuFrame.MaxLength];
    private readonly byte[] _frame = new byte[RtuFrame.MaxLength];
    private readonly byte[] _response = new byte[2 * RtuFrame.MaxLength];
    private int _length;

    private ModbusRtuServer(IByteLine line, Func<byte, IModbusUnit?> units, ModbusServerOptions options, TimeProvider time)
    {
        _line = line;
        _units = new(units, options);
        _time = time;
        _serving = Task.Run(ServeAsync);
    }

    /// <summary>Requests with a correct CRC received so far.</summary>
    public long Requests => _units.Requests;

    /// <inheritdoc/>
    public Exception? LastError => _units.LastError;

    /// <summary>Opens a serial port and serves on it.</summary>
    /// <exception cref="SerialPortException">The port cannot be had; the message says what to do.</exception>
    public static ModbusRtuServer Start(
        string path, SerialSettings settings, Func<byte, IModbusUnit?> units, ModbusServerOptions? options = null, TimeProvider? time = null) =>
        Start(SerialPort.Open(path, settings, time), units, options, time);

    /// <summary>Serves on an open line, which the server then owns.</summary>
    /// <param name="line">The line.</param>
    /// <param name="units">Finds a unit by its id; null for one that is not there, which is silent. Broadcast writes go to unit 0 if there is one, else to all units.</param>
    /// <param name="options">Faults.</param>
    /// <param name="time">The clock for delays.</param>
    public static ModbusRtuServer Start(
        IByteLine line, Func<byte, IModbusUnit?> units, ModbusServerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(units);
        return new(line, units, options ?? new(), time ?? TimeProvider.System);
    }

    /// <summary>Ends when the line is lost or the server is disposed of.</summary>
    public Task Completion => _serving;

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
                var wait = _length == 0 ? TimeSpan.FromMinutes(1) : Pause;
                var count = await _line.ReadAsync(_request.AsMemory(_length), wait, _stop.Token).ConfigureAwait(false);
                if (count < 0)
                {
                    return;
                }

                _length += count;
                while (TakeRequest(isPause: count == 0, out var length))
                {
                    if (!await AnswerAsync(length).ConfigureAwait(false))
                    {
                        return;
                    }
                }

                if (count == 0 || _length == _request.Length)
                {
                    if (_length > 0)
                    {
                        _units.Seen(isDamaged: true);
                    }

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

    /// <summary>Finds the first whole request; what stands before it is noise.</summary>
    private bool TakeRequest(bool isPause, out int frameLength)
    {
        for (var at = 0; at <= _length - RtuFrame.MinLength; at++)
        {
            var bytes = _request.AsSpan(at, _length - at);
            var length = RtuFrame.RequestLength(bytes);
            var isWhole = length > 0 && length <= Math.Min(bytes.Length, RtuFrame.MaxLength) && RtuFrame.HasValidCrc(bytes[..length]);
            if (!isWhole && isPause && bytes.Length <= RtuFrame.MaxLength && RtuFrame.HasValidCrc(bytes))
            {
                // A function not known here, or a known one with more or less behind it than the standard says: refused, not ignored.
                isWhole = true;
                length = bytes.Length;
            }

            if (isWhole)
            {
                if (at >= RtuFrame.MinLength)
                {
                    _units.Seen(isDamaged: true);
                }

                bytes[..length].CopyTo(_frame);
                frameLength = length;
                bytes[length..].CopyTo(_request);
                _length = bytes.Length - length;
                return true;
            }
        }

        frameLength = 0;
        return false;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> AnswerAsync(int frameLength)
    {
        _units.Seen(isDamaged: false);
        var fault = _units.Receive(_frame[0], _frame.AsSpan(1, frameLength - 3));
        var length = Respond(_frame[0], _frame.AsSpan(1, frameLength - 3), fault, _response);
        if (fault.Delay > TimeSpan.Zero)
        {
            await Task.Delay(fault.Delay, _time, _stop.Token).ConfigureAwait(false);
        }

        return length == 0 || await _line.WriteAsync(_response.AsMemory(0, length), WriteLimit, _stop.Token).ConfigureAwait(false);
    }

    private int Respond(byte unitId, ReadOnlySpan<byte> pdu, ServerFault fault, Span<byte> response)
    {
        if (unitId == 0)
        {
            _units.Broadcast(pdu, response.Slice(1, Pdu.MaxLength));
            return 0;
        }

        var length = _units.Respond(unitId, pdu, fault, response.Slice(1, Pdu.MaxLength));
        if (length == 0)
        {
            return 0;
        }

        var total = RtuFrame.Finish(response, fault.Kind == ServerFaultKind.OtherUnit ? fault.Unit : unitId, length);
        switch (fault.Kind)
        {
            case ServerFaultKind.WrongCrc:
                response[total - 1] ^= 0xFF;
                break;
            case ServerFaultKind.ShortReply:
                total /= 2;
                break;
            case ServerFaultKind.Duplicate:
                response[..total].CopyTo(response[total..]);
                total *= 2;
                break;
        }

        return total;
    }
}
