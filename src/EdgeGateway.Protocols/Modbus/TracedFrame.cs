namespace EdgeGateway.Protocols.Modbus;

/// <summary>How frames are told apart on a line.</summary>
public enum FrameFormat
{
    /// <summary>MODBUS over Serial Line V1.02, 2.5.1: unit, PDU, CRC. Also RTU over TCP.</summary>
    Rtu,

    /// <summary>MODBUS over Serial Line V1.02, 2.5.2: a colon, hexadecimal digits, LRC, carriage return and line feed.</summary>
    Ascii,

    /// <summary>MODBUS Messaging on TCP/IP V1.0b, 3.1.3: MBAP header and PDU, on TCP or UDP.</summary>
    Tcp,
}

/// <summary>What was seen on a line.</summary>
public enum TraceKind
{
    /// <summary>A request: ours when it was sent, that of another client when it was heard.</summary>
    Request,

    /// <summary>An answer with data.</summary>
    Reply,

    /// <summary>A refusal.</summary>
    Exception,

    /// <summary>Our own request, heard back.</summary>
    Echo,

    /// <summary>The beginning or the body of a frame that is not whole or whose check sum is wrong.</summary>
    Damaged,

    /// <summary>Bytes that belong to no frame.</summary>
    Noise,

    /// <summary>The line was opened or closed.</summary>
    Line,
}

/// <summary>The verdict on a check sum: CRC in RTU, LRC in ASCII.</summary>
public enum CheckSum
{
    /// <summary>The format has none, or too little has come.</summary>
    None,

    /// <summary>Right.</summary>
    Good,

    /// <summary>Wrong.</summary>
    Wrong,
}

/// <summary>One frame, or bytes that are none, in words.</summary>
/// <param name="At">When its first byte came, on the clock that the tracer is given.</param>
/// <param name="IsSent">Whether this side sent it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Text">What it says, for people.</param>
/// <param name="Bytes">The bytes as they travelled.</param>
public sealed record TracedFrame(TimeSpan At, bool IsSent, TraceKind Kind, string Text, IReadOnlyList<byte> Bytes)
{
    /// <summary>The unit id in the frame; null when there is none.</summary>
    public int? Unit { get; init; }

    /// <summary>The unit that the request under way was for; differs from <see cref="Unit"/> when another unit answers.</summary>
    public int? AskedUnit { get; init; }

    /// <summary>The function code without the exception flag; 0 when there is none.</summary>
    public byte Function { get; init; }

    /// <summary>The first register or bit that is asked for.</summary>
    public int? Address { get; init; }

    /// <summary>How many are asked for.</summary>
    public int? Quantity { get; init; }

    /// <summary>The exception code of a refusal, else 0.</summary>
    public byte ExceptionCode { get; init; }

    /// <summary>The verdict on the check sum.</summary>
    public CheckSum Check { get; init; }

    /// <summary>Time since the request that this answers; null when it answers none that is known.</summary>
    public TimeSpan? Latency { get; init; }

    /// <summary>What is odd about it; empty when nothing is.</summary>
    public string Note { get; init; } = "";
}
