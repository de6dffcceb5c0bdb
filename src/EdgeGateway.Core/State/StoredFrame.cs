using System.Buffers.Binary;

namespace EdgeGateway.Core.State;

/// <summary>What a frame in the store holds. The letters are stored: never change them.</summary>
public enum FrameKind : byte
{
    /// <summary>A row of the outbox.</summary>
    Row = (byte)'R',

    /// <summary>An input batch of the sample log.</summary>
    Batch = (byte)'B',

    /// <summary>A checkpoint of the pipeline's state.</summary>
    Checkpoint = (byte)'C',
}

/// <summary>Whether bytes from the disk are what was written.</summary>
public enum FrameStatus : byte
{
    /// <summary>Whole and as written.</summary>
    Intact,

    /// <summary>Fewer bytes than the frame says it has.</summary>
    Short,

    /// <summary>No frame of this kind begins here.</summary>
    NotAFrame,

    /// <summary>A frame of a version this program does not know.</summary>
    UnknownVersion,

    /// <summary>The bytes do not have the CRC they were written with.</summary>
    CrcMismatch,

    /// <summary>The CRC is right and the content is not: written by a faulty program.</summary>
    Malformed,

    /// <summary>The values derived from the raw registers are not the ones that were recorded: decoded under another configuration.</summary>
    ValuesDiffer,
}

/// <summary>The envelope of everything the store keeps, so that it proves itself and can be found by a raw scan of a damaged file (requirement O-10).</summary>
/// <remarks>
/// <c>'E' 'G' kind version | payload length, 4 bytes | CRC-32 of the 8 bytes before and the payload, 4 bytes | payload</c>; little-endian.
/// </remarks>
public static class StoredFrame
{
    /// <summary>Bytes before the payload.</summary>
    public const int HeaderLength = 12;

    /// <summary>Largest payload that is believed, in bytes.</summary>
    public const int MaxPayload = 64 << 20;

    private const byte Version = 1;

    /// <summary>Fills in the header of a frame whose payload already stands at <see cref="HeaderLength"/>.</summary>
    public static void Seal(Span<byte> frame, FrameKind kind)
    {
        frame[0] = (byte)'E';
        frame[1] = (byte)'G';
        frame[2] = (byte)kind;
        frame[3] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], frame.Length - HeaderLength);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], Checksum(frame));
    }

    /// <summary>Checks the frame that begins at the start of <paramref name="bytes"/> (more may follow) and finds its payload.</summary>
    public static FrameStatus Open(ReadOnlySpan<byte> bytes, FrameKind kind, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        var status = Measure(bytes, kind, out var length);
        if (status != FrameStatus.Intact)
        {
            return status;
        }

        if (bytes.Length < length)
        {
            return FrameStatus.Short;
        }

        var frame = bytes[..length];
        if (BinaryPrimitives.ReadUInt32LittleEndian(frame[8..]) != Checksum(frame))
        {
            return FrameStatus.CrcMismatch;
        }

        payload = frame[HeaderLength..];
        return FrameStatus.Intact;
    }

    /// <summary>Reads the length in bytes of the whole frame from its header, without checking its content.</summary>
    public static FrameStatus Measure(ReadOnlySpan<byte> bytes, FrameKind kind, out int length)
    {
        length = 0;
        if (bytes.Length < HeaderLength)
        {
            return FrameStatus.Short;
        }

        if (bytes[0] != (byte)'E' || bytes[1] != (byte)'G' || bytes[2] != (byte)kind)
        {
            return FrameStatus.NotAFrame;
        }

        if (bytes[3] != Version)
        {
            return FrameStatus.UnknownVersion;
        }

        var payload = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (payload is < 0 or > MaxPayload)
        {
            return FrameStatus.Malformed;
        }

        length = HeaderLength + payload;
        return FrameStatus.Intact;
    }

    private static uint Checksum(ReadOnlySpan<byte> frame) => Crc32.Of(frame[HeaderLength..], Crc32.Of(frame[..8]));
}
