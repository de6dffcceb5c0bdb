namespace EdgeGateway.Protocols.Modbus;

/// <summary>How a request ended: what a device may legally do is a value, never an exception.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="ExceptionCode">The device's refusal when <paramref name="Status"/> is <see cref="ModbusStatus.Exception"/>.</param>
/// <param name="Detail">What more is known, such as the operating system's words; null when the status says it all.</param>
public readonly record struct ModbusOutcome(
    ModbusStatus Status,
    ModbusExceptionCode ExceptionCode = ModbusExceptionCode.None,
    string? Detail = null)
{
    /// <summary>The unit that answered in place of the one asked, when <see cref="Status"/> is <see cref="ModbusStatus.WrongUnit"/>; else null.</summary>
    public byte? AnsweredBy { get; init; }

    /// <summary>The device answered.</summary>
    public static ModbusOutcome Ok => default;

    /// <summary>How long the request waited in the client before it was first sent, which the device has no part in. Not compared.</summary>
    public TimeSpan Queued { get; init; }

    /// <summary>Whether the device answered this request and the values may be used.</summary>
    public bool IsOk => Status == ModbusStatus.Ok;

    /// <summary>Another unit answered than the one asked.</summary>
    public static ModbusOutcome FromUnit(byte asked, byte answered) => new(ModbusStatus.WrongUnit, Detail: $"asked {asked}, answered {answered}") { AnsweredBy = answered };

    /// <summary>A refusal by the device.</summary>
    public static ModbusOutcome Refused(ModbusExceptionCode code) => new(ModbusStatus.Exception, code);

    /// <summary>Whether both ended alike, however long they waited before.</summary>
    public bool Equals(ModbusOutcome other) => (Status, ExceptionCode, Detail) == (other.Status, other.ExceptionCode, other.Detail);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Status, ExceptionCode, Detail);

    /// <summary>One sentence for a person: what happened, and the likely cure.</summary>
    public string Describe()
    {
        var sentence = Status switch
        {
            ModbusStatus.Ok => "the device answered",
            ModbusStatus.Exception => DescribeException(),
            ModbusStatus.Timeout => "no answer in time: check that the device has power, its unit id, baud rate and parity, the wiring (A/B swapped?), or allow more time",
            ModbusStatus.NotConnected => "no connection: check the address, the cable and that the device is on",
            ModbusStatus.CorruptFrame => "the answer was damaged: check termination, shielding, baud rate and parity, and that only one client uses the line",
            ModbusStatus.ShortReply => "the answer broke off before all registers had come: read fewer registers at once, or check the line",
            ModbusStatus.WrongUnit => "another unit answered: two devices may share a unit id, or a gateway maps unit ids",
            ModbusStatus.WrongFunction => "the answer carries another function code: another client may be using the line, or the device is faulty",
            ModbusStatus.Malformed => "the answer does not fit the request: the device does not follow the standard here; check model and firmware",
            _ => "unknown outcome",
        };
        return Detail is null ? sentence : $"{sentence} ({Detail})";
    }

    /// <inheritdoc cref="Describe"/>
    public override string ToString() => Describe();

    private string DescribeException() => ExceptionCode switch
    {
        ModbusExceptionCode.IllegalFunction => "the device refused (exception 01, illegal function): it does not offer this table; try input instead of holding registers or the reverse",
        ModbusExceptionCode.IllegalDataAddress => "the device refused (exception 02, illegal data address): a register in the range does not exist; check the profile for off-by-one and model variant",
        ModbusExceptionCode.IllegalDataValue => "the device refused (exception 03, illegal data value): the quantity or the value is not allowed; read fewer registers at once",
        ModbusExceptionCode.ServerDeviceFailure => "the device refused (exception 04, device failure): it failed while working on the request; look at its own display",
        ModbusExceptionCode.Acknowledge => "the device needs more time (exception 05, acknowledge): ask again later",
        ModbusExceptionCode.ServerDeviceBusy => "the device is busy (exception 06): ask less often",
        ModbusExceptionCode.NegativeAcknowledge => "the device refused (exception 07, negative acknowledge): it cannot do what was asked; see its manual",
        ModbusExceptionCode.MemoryParityError => "the device refused (exception 08, memory parity error): its memory is faulty, have it serviced",
        ModbusExceptionCode.GatewayPathUnavailable => "the Modbus gateway has no path to the unit (exception 0A): check the gateway's configuration",
        ModbusExceptionCode.GatewayTargetFailedToRespond => "the unit behind the Modbus gateway does not answer (exception 0B): check the unit id and the line behind the gateway",
        _ => $"the device refused with exception code {(byte)ExceptionCode:X2}, which the standard does not define: see its manual",
    };
}
