namespace EdgeGateway.Protocols.Modbus;

/// <summary>ASCII mode: frames between ':' and CR LF, with an LRC. MODBUS over Serial Line V1.02, 2.5.2.</summary>
internal sealed class AsciiFraming : LineFraming
{
    private readonly byte[] _content = new byte[RtuFrame.MaxLength];
    private int _length;
    private int _highDigit = -1;
    private State _state;
    private bool _isDamaged;
    private long _damaged;

    private enum State
    {
        Outside,
        Inside,
        AfterCarriageReturn,
    }

    public override int MaxWireLength => AsciiFrame.MaxLength;

    public override long Damaged => _damaged;

    public override bool IsInsideFrame => _state != State.Outside;

    // V1.02, 2.5.2.1: up to one second may pass between two characters of a message.
    public override TimeSpan? CharacterGap => TimeSpan.FromSeconds(1);

    // One digit of the next byte may have come already.
    public override int WireLength(int frameBytes) => (2 * frameBytes) - 1;

    public override ReadOnlySpan<byte> Pending => _content.AsSpan(0, _length);

    public override ReadOnlyMemory<byte> Encode(ReadOnlyMemory<byte> frame, Memory<byte> room) =>
        room[..AsciiFrame.Write(room.Span, frame.Span[..^Crc16.Size])];

    public override int Decode(ReadOnlySpan<byte> wire, Span<byte> frames)
    {
        var written = 0;
        foreach (var character in wire)
        {
            written += Take(character, frames[written..]);
        }

        return written;
    }

    public override int Flush(Span<byte> frames)
    {
        var length = IsInsideFrame ? _length : 0;
        _content.AsSpan(0, length).CopyTo(frames);
        Reset();
        return length;
    }

    public override void Reset()
    {
        _state = State.Outside;
        _length = 0;
        _highDigit = -1;
        _isDamaged = false;
    }

    private int Take(byte character, Span<byte> frames)
    {
        if (character == AsciiFrame.Start)
        {
            // Whatever was before it is void: V1.02, 2.5.2.1.
            Reset();
            _state = State.Inside;
            return 0;
        }

        switch (_state)
        {
            case State.Inside when character == AsciiFrame.CarriageReturn:
                _state = State.AfterCarriageReturn;
                return 0;
            case State.AfterCarriageReturn when character == AsciiFrame.LineFeed:
                return Finish(frames);
            case State.Inside when AsciiFrame.ValueOf(character) is >= 0 and var digit:
                TakeDigit(digit);
                return 0;
            case State.Outside:
                // Noise between frames, or the rest of a frame whose start was lost.
                return 0;
            default:
                _state = State.Inside;
                _isDamaged = true;
                return 0;
        }
    }

    private void TakeDigit(int digit)
    {
        if (_highDigit < 0)
        {
            _highDigit = digit;
        }
        else if (_length == _content.Length - 1)
        {
            // Longer than any frame: the rest is only counted out until the next ':'.
            Reset();
        }
        else
        {
            _content[_length++] = (byte)((_highDigit << 4) | digit);
            _highDigit = -1;
        }
    }

    /// <summary>Unit, PDU and LRC have come whole; a CRC takes the place of the LRC.</summary>
    private int Finish(Span<byte> frames)
    {
        var content = _content.AsSpan(0, _length);
        var written = 0;
        if (!_isDamaged && _highDigit < 0 && content.Length >= 3 && AsciiFrame.Lrc(content) == 0)
        {
            content[..^1].CopyTo(frames);
            written = RtuFrame.Finish(frames, content[0], content.Length - 2);
        }
        else
        {
            _damaged++;
        }

        Reset();
        return written;
    }
}
