using System.Buffers.Binary;
using System.IO.Compression;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>A checkpoint on disk: log number, configuration hash, time, length of the state and the state, deflated, in a frame with its own CRC.</summary>
/// <remarks>The state of a point is mostly zeros, repeated times and half-filled decimals; deflate makes it a fraction, and flash wears less.</remarks>
internal static class CheckpointFrame
{
    private static readonly byte[] Room = new byte[StoredFrame.HeaderLength];

    /// <summary>Replaces the content of <paramref name="frame"/>, which is kept and used again, by the checkpoint.</summary>
    /// <returns>The bytes of the frame, valid until the stream is used again.</returns>
    public static ReadOnlySpan<byte> Encode(Checkpoint checkpoint, MemoryStream frame)
    {
        var head = new StateWriter();
        head.Write(checkpoint.LogNumber);
        head.Write(checkpoint.ConfigurationHash);
        head.Write(checkpoint.Taken);
        head.Write(checkpoint.State.Length);
        frame.SetLength(0);
        frame.Write(Room);
        frame.Write(head.Written.Span);
        var lengthAt = (int)frame.Position;
        frame.Write(Room.AsSpan(0, sizeof(int)));
        using (var deflate = new DeflateStream(frame, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write(checkpoint.State.Span);
        }

        var bytes = frame.GetBuffer().AsSpan(0, (int)frame.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[lengthAt..], bytes.Length - lengthAt - sizeof(int));
        StoredFrame.Seal(bytes, FrameKind.Checkpoint);
        return bytes;
    }

    /// <summary>The checkpoint, or null when the bytes are not whole.</summary>
    public static Checkpoint? Decode(ReadOnlySpan<byte> frame)
    {
        if (StoredFrame.Open(frame, FrameKind.Checkpoint, out var payload) != FrameStatus.Intact)
        {
            return null;
        }

        try
        {
            var reader = new StateReader(payload);
            var (number, hash, taken, length) = (reader.ReadInt64(), reader.ReadString(), reader.ReadInstant(), reader.ReadInt32());
            return length is < 0 or > StoredFrame.MaxPayload ? null : new Checkpoint(number, hash, taken, Inflate(reader.ReadBytes(), length));
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            // The CRC is right and the content is not: as good as no checkpoint, the one before it is used.
            return null;
        }
    }

    private static byte[] Inflate(ReadOnlySpan<byte> deflated, int length)
    {
        using var inflate = new DeflateStream(new MemoryStream(deflated.ToArray()), CompressionMode.Decompress);
        var state = new byte[length];
        inflate.ReadExactly(state);
        return inflate.ReadByte() < 0 ? state : throw new InvalidDataException("The state is longer than it says.");
    }
}
