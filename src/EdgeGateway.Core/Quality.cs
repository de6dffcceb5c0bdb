namespace EdgeGateway.Core;

/// <summary>How far a value can be trusted.</summary>
public enum QualityStatus : byte
{
    /// <summary>Measured and plausible.</summary>
    Good,

    /// <summary>A value is there, and a rule has doubts about it (<see cref="QualityReason"/> says which).</summary>
    Uncertain,

    /// <summary>There is no value, or it must not be used.</summary>
    Bad,
}

/// <summary>Why a sample is not simply good. The numbers are stored and published: never renumber.</summary>
public enum QualityReason : byte
{
    None = 0,

    // No value: the wire.
    NotConnected = 1,
    Timeout = 2,
    CorruptFrame = 3,
    ShortReply = 4,
    WrongReply = 5,
    DeviceException = 6,
    BusStopped = 7,

    // No value: the device says so.
    InvalidCode = 20,
    NotANumber = 21,

    // A value with a doubt.
    OutOfRange = 40,
    RateOfChange = 41,
    Stuck = 42,
    Spike = 43,
    Stale = 44,

    // Counters.
    CounterReset = 60,
    CounterJump = 61,
    CounterRollback = 62,

    // Time.
    ClockUnset = 80,
    ClockStepped = 81,

    // Operation.
    Calibrating = 100,
    Maintenance = 101,
    Substituted = 102,
}

/// <summary>Trust in a value and the reason for any doubt.</summary>
/// <param name="Status">Good, uncertain or bad.</param>
/// <param name="Reason">Why it is not simply good.</param>
/// <param name="Detail">
/// A number that belongs to the reason: the Modbus exception code for <see cref="QualityReason.DeviceException"/>; what the registers hold instead of a number for
/// <see cref="QualityReason.NotANumber"/> (0: NaN or infinity); else 0.
/// </param>
public readonly record struct Quality(QualityStatus Status, QualityReason Reason = QualityReason.None, byte Detail = 0)
{
    /// <summary>Detail of <see cref="QualityReason.NotANumber"/>: digits that are not decimal.</summary>
    public const byte NotDecimal = 1;

    /// <summary>Detail of <see cref="QualityReason.NotANumber"/>: no date of the calendar.</summary>
    public const byte NotADate = 2;

    /// <summary>Detail of <see cref="QualityReason.NotANumber"/>: a scale register without a power of ten.</summary>
    public const byte NotAScale = 3;

    /// <summary>A measured and plausible value.</summary>
    public static readonly Quality Good;

    /// <summary>No usable value.</summary>
    public static Quality Bad(QualityReason reason, byte detail = 0) => new(QualityStatus.Bad, reason, detail);

    /// <summary>A value with a doubt.</summary>
    public static Quality Uncertain(QualityReason reason) => new(QualityStatus.Uncertain, reason);

    /// <summary>True when the quality is good.</summary>
    public bool IsGood => Status == QualityStatus.Good;

    /// <summary>True when there is a value, good or uncertain.</summary>
    public bool HasValue => Status != QualityStatus.Bad;
}
