namespace EdgeGateway.Protocols.Serial;

/// <summary>Watches the bytes of a client, in the order in which they pass; called by the client's own tasks, so it must be quick.</summary>
public interface ILineTap
{
    /// <summary>A whole frame was handed to the line.</summary>
    void Sent(ReadOnlySpan<byte> frame);

    /// <summary>Bytes came, as the line delivered them: part of a frame, a frame, or several.</summary>
    void Received(ReadOnlySpan<byte> bytes);

    /// <summary>The line was opened or closed; what had come in part will not be completed.</summary>
    void LineChanged(bool isOpen);
}
