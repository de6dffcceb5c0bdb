namespace EdgeGateway.Protocols.Modbus;

/// <summary>What a request asks, as far as it decides how its answer looks.</summary>
/// <param name="Unit">The unit asked.</param>
/// <param name="Function">The function code.</param>
/// <param name="Address">The first register or coil.</param>
/// <param name="Argument">The quantity, or the value of a single write as it travels.</param>
internal readonly record struct RequestShape(byte Unit, ModbusFunction Function, ushort Address, ushort Argument)
{
    /// <summary>Whether the request only reads, so that repeating it does no harm.</summary>
    public bool IsRead => Function is >= ModbusFunction.ReadCoils and <= ModbusFunction.ReadInputRegisters;

    /// <summary>Whether the request reads registers rather than bits.</summary>
    public bool IsBits => Function is ModbusFunction.ReadCoils or ModbusFunction.ReadDiscreteInputs;

    /// <summary>The byte count of the answer to a read.</summary>
    public int ByteCount => IsBits ? ReadBits.ByteCount(Argument) : ReadRegisters.ByteCount(Argument);

    /// <summary>
    /// What, besides unit and function, an answer shows of its request: the byte count of a read, address and argument of a write.
    /// Two requests with the same function and key cannot be told apart by their answers.
    /// </summary>
    public uint ReplyKey => IsRead ? (uint)ByteCount : ((uint)Address << 16) | Argument;

    /// <summary>Writes the request of a read and returns its length in bytes.</summary>
    public int WriteRead(Span<byte> pdu) => IsBits
        ? ReadBits.WriteRequest(pdu, (RegisterTable)Function, Address, Argument)
        : ReadRegisters.WriteRequest(pdu, (RegisterTable)Function, Address, Argument);

    /// <summary>Judges an answer.</summary>
    public ModbusOutcome Check(ReadOnlySpan<byte> pdu) => IsRead
        ? Pdu.CheckRead(pdu, Function, ByteCount)
        : Pdu.CheckWrite(pdu, Function, Address, Argument);
}
