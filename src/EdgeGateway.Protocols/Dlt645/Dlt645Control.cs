namespace EdgeGateway.Protocols.Dlt645;

/// <summary>The control byte: function, direction, refusal and whether more follows. DL/T 645-2007, 5.2.3.</summary>
/// <remarks>D7 from the meter | D6 refusal | D5 more frames follow | D4 to D0 function</remarks>
public readonly record struct Dlt645Control(byte Value)
{
    private const byte FromMeter = 0x80;
    private const byte Refusal = 0x40;
    private const byte More = 0x20;
    private const byte FunctionMask = 0x1F;

    /// <summary>What is asked.</summary>
    public Dlt645Function Function => (Dlt645Function)(Value & FunctionMask);

    /// <summary>Whether a meter sent it.</summary>
    public bool IsReply => (Value & FromMeter) != 0;

    /// <summary>Whether the meter refuses.</summary>
    public bool IsRefusal => IsReply && (Value & Refusal) != 0;

    /// <summary>Whether the rest of the data has to be asked for by <see cref="Dlt645Function.ReadNext"/>.</summary>
    public bool HasMore => IsReply && (Value & More) != 0;

    /// <summary>The control byte of a request.</summary>
    public static Dlt645Control Request(Dlt645Function function) => new((byte)function);

    /// <summary>The control byte of an answer.</summary>
    public static Dlt645Control Reply(Dlt645Function function, bool hasMore = false) => new((byte)((byte)function | FromMeter | (hasMore ? More : 0)));

    /// <summary>The control byte of a refusal.</summary>
    public static Dlt645Control Refuse(Dlt645Function function) => new((byte)((byte)function | FromMeter | Refusal));

    /// <summary>Two hexadecimal digits.</summary>
    public override string ToString() => Value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>What can be asked of a meter. DL/T 645-2007, 7.1. The client of this library sends only those that read.</summary>
public enum Dlt645Function : byte
{
    /// <summary>Sets the clocks of all meters; nobody answers.</summary>
    BroadcastTime = 0x08,

    /// <summary>Reads the data of one identifier.</summary>
    Read = 0x11,

    /// <summary>Reads the next frame of data that do not fit one.</summary>
    ReadNext = 0x12,

    /// <summary>Reads the address of the only meter on the line.</summary>
    ReadAddress = 0x13,

    /// <summary>Writes data; needs a password.</summary>
    Write = 0x14,

    /// <summary>Writes the address.</summary>
    WriteAddress = 0x15,

    /// <summary>Freezes the present values.</summary>
    Freeze = 0x16,

    /// <summary>Changes the rate of the line.</summary>
    ChangeBaud = 0x17,

    /// <summary>Changes a password.</summary>
    ChangePassword = 0x18,

    /// <summary>Clears the maximum demand.</summary>
    ClearDemand = 0x19,

    /// <summary>Clears the meter.</summary>
    ClearMeter = 0x1A,

    /// <summary>Clears the records of events.</summary>
    ClearEvents = 0x1B,
}

/// <summary>Why a meter refuses: the bits of its error byte. DL/T 645-2007, 7.1.1.</summary>
[Flags]
public enum Dlt645Refusals : byte
{
    /// <summary>Nothing is said.</summary>
    None = 0,

    /// <summary>Another error.</summary>
    Other = 0x01,

    /// <summary>The meter has no such data.</summary>
    NoSuchData = 0x02,

    /// <summary>The password is wrong or may not do this.</summary>
    Password = 0x04,

    /// <summary>The rate cannot be changed.</summary>
    Baud = 0x08,

    /// <summary>Too many zones of the year.</summary>
    YearZones = 0x10,

    /// <summary>Too many slots of the day.</summary>
    DaySlots = 0x20,

    /// <summary>Too many tariffs.</summary>
    Tariffs = 0x40,
}
