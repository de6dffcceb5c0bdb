using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>A checkpoint on disk: log number, configuration hash, time and state in a frame with its own CRC.</summary>
internal static class CheckpointFrame
{
    public static byte[] Encode(Checkpoint checkpoint)
    {
        var writer = new StateWriter();
        writer.Write(checkpoint.LogNumber);
        writer.Write(checkpoint.ConfigurationHash);
        writer.Write(checkpoint.Taken);
        writer.Write(checkpoint.State.Span);
        var frame = new byte[StoredFrame.HeaderLength + writer.Written.Length];
        writer.Written.Span.CopyTo(frame.AsSpan(StoredFrame.HeaderLength));
        StoredFrame.Seal(frame, FrameKind.Checkpoint);
        return frame;
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
            return new Checkpoint(reader.ReadInt64(), reader.ReadString(), reader.ReadInstant(), reader.ReadBytes().ToArray());
        }
        catch (InvalidDataException)
        {
            // The CRC is right and the content is not: as good as no checkpoint, the one before it is used.
            return null;
        }
    }
}
