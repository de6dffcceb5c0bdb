namespace EdgeGateway.Protocols.Modbus;

/// <summary>Turns the bytes of a line into frames in words. Pure: it has no clock and no line; it is told what passed and when.</summary>
public interface IFrameTracer
{
    /// <summary>A whole frame was sent by this side.</summary>
    void Sent(TimeSpan at, ReadOnlySpan<byte> frame);

    /// <summary>Bytes came.</summary>
    void Received(TimeSpan at, ReadOnlySpan<byte> bytes);

    /// <summary>Time passed: what has waited too long for its rest is reported as it is.</summary>
    void Pass(TimeSpan at);

    /// <summary>The line was opened or closed, or bytes were lost: nothing that came in part will be completed.</summary>
    void LineChanged(TimeSpan at, bool isOpen);

    /// <summary>Some of what passed was not seen: forgets what came in part and what was asked.</summary>
    void Break();

    /// <summary>Reports what has come in part as damaged or noise.</summary>
    void Flush();
}
