namespace EdgeGateway.Protocols.Modbus;

/// <summary>Turns the bytes of a line into frames in words. Pure: it has no clock and no line; it is told what passed and when.</summary>
/// <remarks>Bounded whatever comes: it keeps <see cref="BufferSize"/> bytes of what may become a frame. What a frame is and says, the protocol knows.</remarks>
/// <param name="report">Receives each frame, in order.</param>
public abstract class LineTracer(Action<TracedFrame> report)
{
    /// <summary>Most bytes that wait for their rest; longer than any frame.</summary>
    private const int BufferSize = 1024;

    private readonly byte[] _buffer = new byte[BufferSize];
    private int _length;

    /// <summary>A pause inside a frame after which the rest is not awaited.</summary>
    public abstract TimeSpan Gap { get; init; }

    /// <summary>What came and is not reported yet.</summary>
    protected Span<byte> Waiting => _buffer.AsSpan(0, _length);

    /// <summary>When the first byte of <see cref="Waiting"/> came.</summary>
    protected TimeSpan Started { get; set; }

    /// <summary>When the last byte came.</summary>
    protected TimeSpan Last { get; private set; }

    /// <summary>A whole frame was sent by this side.</summary>
    public abstract void Sent(TimeSpan at, ReadOnlySpan<byte> frame);

    /// <summary>Bytes came.</summary>
    public void Received(TimeSpan at, ReadOnlySpan<byte> bytes)
    {
        Pass(at);
        while (!bytes.IsEmpty)
        {
            Started = _length == 0 ? at : Started;
            var count = Math.Min(bytes.Length, BufferSize - _length);
            bytes[..count].CopyTo(_buffer.AsSpan(_length));
            _length += count;
            bytes = bytes[count..];
            Last = at;
            Examine(at);
            if (_length == BufferSize)
            {
                Flush();
            }
        }
    }

    /// <summary>Time passed: what has waited for its rest for longer than <see cref="Gap"/> is reported as it is.</summary>
    public void Pass(TimeSpan at)
    {
        if (_length > 0 && at - Last > Gap)
        {
            Flush();
        }
    }

    /// <summary>The line was opened or closed, or bytes were lost: nothing that came in part will be completed.</summary>
    public void LineChanged(TimeSpan at, bool isOpen)
    {
        Break();
        Report(new(at, false, TraceKind.Line, isOpen ? "line opened" : "line closed", []));
    }

    /// <summary>Some of what passed was not seen: forgets what came in part and what was asked.</summary>
    public void Break()
    {
        Flush();
        ForgetAsked();
    }

    /// <summary>Reports what has come in part as damaged or noise.</summary>
    public abstract void Flush();

    /// <summary>Reports all frames that came whole, damaged or not, and takes them from <see cref="Waiting"/>.</summary>
    /// <param name="at">When the last of their bytes came.</param>
    protected abstract void Examine(TimeSpan at);

    /// <summary>Forgets what was asked: an answer to it may have passed unseen.</summary>
    protected abstract void ForgetAsked();

    /// <summary>Reports a frame.</summary>
    protected void Report(TracedFrame frame) => report(frame);

    /// <summary>Takes the first bytes from <see cref="Waiting"/>.</summary>
    protected void Remove(int length)
    {
        _buffer.AsSpan(length, _length - length).CopyTo(_buffer);
        _length -= length;
    }
}
