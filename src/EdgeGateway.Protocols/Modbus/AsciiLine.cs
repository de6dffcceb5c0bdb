using System.Runtime.CompilerServices;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>A line in ASCII mode, seen as one in RTU mode: what makes a <see cref="ModbusRtuServer"/> serve Modbus ASCII.</summary>
/// <remarks>
/// Frames that come are handed over with a CRC in place of the LRC; damaged ones are left out, as nobody answers them. What is written
/// travels in ASCII; a frame that pauses for more than a second is void (V1.02, 2.5.2.1); a frame with a wrong CRC gets a wrong LRC, and what is no whole frame breaks off.
/// </remarks>
public sealed class AsciiLine(IByteLine line) : IByteLine
{
    private readonly AsciiFraming _incoming = new();
    private readonly AsciiFraming _outgoing = new();
    private readonly byte[] _characters = new byte[AsciiFrame.MaxLength];
    private readonly byte[] _frames = new byte[AsciiFrame.MaxLength + RtuFrame.MaxLength];
    private readonly byte[] _frame = new byte[AsciiFrame.MaxLength];
    private readonly byte[] _send = new byte[2 * AsciiFrame.MaxLength];
    private TimeSpan _pause;
    private int _start;
    private int _end;

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        while (_start == _end)
        {
            var most = wait;
            if (_incoming.IsInsideFrame && _incoming.CharacterGap - _pause is { } left && left < wait)
            {
                most = left;
            }

            var count = await line.ReadAsync(_characters, most, cancel).ConfigureAwait(false);
            if (count < 0)
            {
                return count;
            }

            if (count == 0)
            {
                NothingCame(most);
                wait -= most;
                if (wait <= TimeSpan.Zero)
                {
                    return 0;
                }

                continue;
            }

            _pause = TimeSpan.Zero;
            _start = 0;
            _end = _incoming.Decode(_characters.AsSpan(0, count), _frames);
        }

        var taken = Math.Min(buffer.Length, _end - _start);
        _frames.AsSpan(_start, taken).CopyTo(buffer.Span);
        _start += taken;
        return taken;
    }

    /// <inheritdoc/>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        var length = 0;
        while (!bytes.IsEmpty)
        {
            var frame = RtuFrame.ResponseLength(bytes.Span);
            if (frame <= 0 || frame > bytes.Length)
            {
                frame = bytes.Length;
            }

            length += Encode(bytes[..frame], _send.AsSpan(length));
            bytes = bytes[frame..];
        }

        return line.WriteAsync(_send.AsMemory(0, length), wait, cancel);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => line.DisposeAsync();

    /// <summary>The rest of a frame that has paused for too long is not awaited any more.</summary>
    private void NothingCame(TimeSpan time)
    {
        _pause += time;
        if (!_incoming.IsInsideFrame || _pause >= _incoming.CharacterGap)
        {
            _incoming.Reset();
            _pause = TimeSpan.Zero;
        }
    }

    private int Encode(ReadOnlyMemory<byte> frame, Span<byte> send)
    {
        const int Tail = 4;
        var span = frame.Span;
        var isWhole = RtuFrame.ResponseLength(span) is var length && (length == span.Length || length < 0);
        var characters = _outgoing.Encode(isWhole ? frame : Padded(frame), _frame);
        characters.Span.CopyTo(send);
        if (!isWhole)
        {
            return characters.Length - Tail;
        }

        if (!RtuFrame.HasValidCrc(span))
        {
            send[characters.Length - 3] = send[characters.Length - 3] == (byte)'0' ? (byte)'1' : (byte)'0';
        }

        return characters.Length;
    }

    /// <summary>Room for a CRC behind what is no whole frame, since an encoding leaves the last two bytes out.</summary>
    private static ReadOnlyMemory<byte> Padded(ReadOnlyMemory<byte> part)
    {
        var padded = new byte[part.Length + Crc16.Size];
        part.CopyTo(padded);
        return padded;
    }
}
