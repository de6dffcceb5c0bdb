namespace EdgeGateway.Protocols.Modbus;

/// <summary>What a server does wrong on purpose.</summary>
public enum ServerFaultKind
{
    /// <summary>Nothing: the answer is right.</summary>
    None,

    /// <summary>No answer.</summary>
    Silence,

    /// <summary>The answer's CRC is wrong; on TCP, which has none, the MBAP protocol id is.</summary>
    WrongCrc,

    /// <summary>The answer stops after half of it; on TCP the header's length tells the shortened length.</summary>
    ShortReply,

    /// <summary>A refusal with <see cref="ServerFault.ExceptionCode"/>.</summary>
    Exception,

    /// <summary>The answer comes from <see cref="ServerFault.Unit"/>.</summary>
    OtherUnit,

    /// <summary>The answer carries the next transaction id; on a serial line, which has none, it is right.</summary>
    WrongTransactionId,

    /// <summary>The answer comes twice.</summary>
    Duplicate,
}

/// <summary>How one answer of a server is to go wrong.</summary>
public readonly record struct ServerFault
{
    /// <summary>The answer is right and prompt.</summary>
    public static ServerFault None => default;

    /// <summary>No answer.</summary>
    public static ServerFault Silence => new() { Kind = ServerFaultKind.Silence };

    /// <summary>A damaged answer.</summary>
    public static ServerFault WrongCrc => new() { Kind = ServerFaultKind.WrongCrc };

    /// <summary>An answer that breaks off.</summary>
    public static ServerFault ShortReply => new() { Kind = ServerFaultKind.ShortReply };

    /// <summary>An answer with the wrong transaction id.</summary>
    public static ServerFault WrongTransactionId => new() { Kind = ServerFaultKind.WrongTransactionId };

    /// <summary>An answer that comes twice.</summary>
    public static ServerFault Duplicate => new() { Kind = ServerFaultKind.Duplicate };

    /// <summary>What goes wrong.</summary>
    public ServerFaultKind Kind { get; init; }

    /// <summary>How long the server waits before it answers; combines with every kind. On a serial line later requests wait as well; on TCP see <see cref="ModbusServerOptions.Concurrency"/>.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The refusal of <see cref="ServerFaultKind.Exception"/>.</summary>
    public ModbusExceptionCode ExceptionCode { get; init; }

    /// <summary>The unit that <see cref="ServerFaultKind.OtherUnit"/> answers as.</summary>
    public byte Unit { get; init; }

    /// <summary>A right answer that comes late.</summary>
    public static ServerFault DelayBy(TimeSpan delay) => new() { Delay = delay };

    /// <summary>A refusal.</summary>
    public static ServerFault Refuse(ModbusExceptionCode code) => new() { Kind = ServerFaultKind.Exception, ExceptionCode = code };

    /// <summary>An answer in another unit's name.</summary>
    public static ServerFault AnswerAs(byte unit) => new() { Kind = ServerFaultKind.OtherUnit, Unit = unit };
}
