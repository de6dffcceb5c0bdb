namespace EdgeGateway.Protocols.Serial;

/// <summary>The check bit of a character.</summary>
public enum SerialParity
{
    None,
    Even,
    Odd,
}

/// <summary>How characters travel on a serial line.</summary>
public sealed record SerialSettings
{
    /// <summary>Bits per second, 50 to 4 000 000; any rate that the hardware can make.</summary>
    public int Baud { get; init; } = 9600;

    /// <summary>The check bit.</summary>
    public SerialParity Parity { get; init; } = SerialParity.None;

    /// <summary>Stop bits, 1 or 2.</summary>
    public int StopBits { get; init; } = 1;

    /// <summary>Data bits, 5 to 8. Modbus RTU needs 8, Modbus ASCII allows 7.</summary>
    public int DataBits { get; init; } = 8;

    /// <summary>Direction of an RS-485 line switched by the kernel; null when the adapter does it, or the line needs none.</summary>
    public Rs485Settings? Rs485 { get; init; }

    /// <summary>Whether the driver is asked to hand over bytes at once, where it knows how (FTDI: otherwise up to 16 ms later).</summary>
    public bool LowLatency { get; init; } = true;

    /// <summary>Bits that one character takes on the wire, start bit included.</summary>
    public int BitsPerCharacter => 1 + DataBits + (Parity == SerialParity.None ? 0 : 1) + StopBits;

    /// <summary>How long this many characters take on the wire.</summary>
    public TimeSpan TimeOf(double characters) => TimeSpan.FromSeconds(characters * BitsPerCharacter / Baud);

    /// <summary>The settings as people write them, such as <c>9600 8N1</c>.</summary>
    public override string ToString() => $"{Baud} {DataBits}{Parity.ToString()[0]}{StopBits}";

    /// <summary>Throws when a value cannot be.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Baud, 50);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Baud, 4_000_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(DataBits, 5);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(DataBits, 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(StopBits, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(StopBits, 2);
        Rs485?.Validate();
    }
}
