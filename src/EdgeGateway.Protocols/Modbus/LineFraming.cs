namespace EdgeGateway.Protocols.Modbus;

/// <summary>
/// How frames stand in the bytes of a line. Inside, client and server know one form only, that of RTU (unit, PDU, CRC); a framing
/// turns it into what travels, and back. One object for each direction of each line: it remembers what has come in part.
/// </summary>
internal abstract class LineFraming
{
    /// <summary>Room that <see cref="Encode"/> needs for the longest frame, in bytes.</summary>
    public abstract int MaxWireLength { get; }

    /// <summary>Whether the start of a frame has come and its end has not, so far as the bytes themselves tell.</summary>
    public abstract bool IsInsideFrame { get; }

    /// <summary>How long the rest of a frame is awaited whose start has come; null when the line's own reply gap decides.</summary>
    public abstract TimeSpan? CharacterGap { get; }

    /// <summary>The frame that has come in part, without what is not whole yet; empty where frames are not held back.</summary>
    public virtual ReadOnlySpan<byte> Pending => [];

    /// <summary>Frames left out because they came whole but damaged.</summary>
    public virtual long Damaged => 0;

    /// <summary>How many bytes have to come, at least, for this many bytes of an RTU frame.</summary>
    public abstract int WireLength(int frameBytes);

    /// <summary>What travels for a frame.</summary>
    /// <param name="frame">A whole RTU frame; its CRC is taken for right.</param>
    /// <param name="room">May be used for the result; <see cref="MaxWireLength"/> bytes.</param>
    public abstract ReadOnlyMemory<byte> Encode(ReadOnlyMemory<byte> frame, Memory<byte> room);

    /// <summary>
    /// Takes bytes as they came. Whole frames appear in <paramref name="frames"/> as RTU frames; a framing that can tell damaged ones
    /// leaves them out and counts them.
    /// </summary>
    /// <param name="wire">What came.</param>
    /// <param name="frames">Receives them; room for what came and <see cref="RtuFrame.MaxLength"/> bytes more.</param>
    /// <returns>Bytes written into <paramref name="frames"/>.</returns>
    public abstract int Decode(ReadOnlySpan<byte> wire, Span<byte> frames);

    /// <summary>Hands over the frame that has come in part and is not awaited any more; it has no CRC.</summary>
    /// <returns>Bytes written into <paramref name="frames"/>, at most <see cref="RtuFrame.MaxLength"/>; 0 when there is none.</returns>
    public abstract int Flush(Span<byte> frames);

    /// <summary>Forgets what has come in part.</summary>
    public abstract void Reset();
}

/// <summary>RTU: what travels is the frame itself. MODBUS over Serial Line V1.02, 2.5.1.</summary>
internal sealed class RtuFraming : LineFraming
{
    public override int MaxWireLength => RtuFrame.MaxLength;

    public override bool IsInsideFrame => false;

    public override TimeSpan? CharacterGap => null;

    public override int WireLength(int frameBytes) => frameBytes;

    public override ReadOnlyMemory<byte> Encode(ReadOnlyMemory<byte> frame, Memory<byte> room) => frame;

    public override int Decode(ReadOnlySpan<byte> wire, Span<byte> frames)
    {
        wire.CopyTo(frames);
        return wire.Length;
    }

    public override int Flush(Span<byte> frames) => 0;

    public override void Reset()
    {
    }
}
