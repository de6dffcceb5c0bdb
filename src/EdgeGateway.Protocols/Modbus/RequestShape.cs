namespace EdgeGateway.Protocols.Modbus;

/// <summary>What a request asks, as far as it decides how its answer looks.</summary>
/// <param name="Unit">The unit asked.</param>
/// <param name="Function">The function code.</param>
/// <param name="Address">
/// The first register, coil or record; the pointer of a queue, the sub-function of diagnostics, the access of device identification; 0
/// where the function has none.
/// </param>
/// <param name="Argument">The quantity to read or write, the value of a single write as it travels, the AND mask, the data of diagnostics.</param>
/// <param name="Extra">The OR mask of a mask write, the file of a file record.</param>
internal readonly record struct RequestShape(byte Unit, ModbusFunction Function, ushort Address, ushort Argument, ushort Extra = 0)
{
    private const int Unknown = -1;

    /// <summary>Whether the request only reads, so that repeating it does no harm.</summary>
    public bool IsRead => Function switch
    {
        >= ModbusFunction.ReadCoils and <= ModbusFunction.ReadInputRegisters => true,
        ModbusFunction.ReadExceptionStatus or ModbusFunction.GetCommEventCounter or ModbusFunction.GetCommEventLog => true,
        ModbusFunction.ReportServerId or ModbusFunction.ReadFileRecord or ModbusFunction.ReadFifoQueue => true,
        ModbusFunction.EncapsulatedInterface => true,
        ModbusFunction.Diagnostics => Diagnostics.IsHarmless((DiagnosticFunction)Address),
        _ => false,
    };

    /// <summary>Whether all units of a serial line can be asked at once: only what has an answer without content. Serial Line V1.02, 2.1.</summary>
    public bool MayBroadcast => IsWriteOnly(Function);

    /// <summary>Whether the request reads bits of a table.</summary>
    public bool IsBits => Function is ModbusFunction.ReadCoils or ModbusFunction.ReadDiscreteInputs;

    /// <summary>The byte count (second byte of the PDU) of an answer with data, where the request decides it; -1 where it does not or there is none.</summary>
    public int ByteCount => Function switch
    {
        ModbusFunction.ReadCoils or ModbusFunction.ReadDiscreteInputs => ReadBits.ByteCount(Argument),
        ModbusFunction.ReadHoldingRegisters or ModbusFunction.ReadInputRegisters or ModbusFunction.ReadWriteMultipleRegisters => ReadRegisters.ByteCount(Argument),
        ModbusFunction.ReadFileRecord => ReadFileRecord.ResponseBytes(Argument),
        ModbusFunction.WriteFileRecord => 7 + (2 * Argument),
        _ => Unknown,
    };

    /// <summary>The length of the PDU of an answer with data; the longest that it may have where the device chooses its length.</summary>
    public int LongestReply => Function switch
    {
        _ when ByteCount != Unknown => 2 + ByteCount,
        ModbusFunction.ReadExceptionStatus => 2,
        ModbusFunction.MaskWriteRegister => MaskWriteRegister.Length,
        ModbusFunction.GetCommEventLog => 2 + GetCommEventLog.HeadBytes + GetCommEventLog.MaxEvents,
        ModbusFunction.ReadFifoQueue => 5 + (2 * ReadFifoQueue.MaxCount),
        ModbusFunction.ReportServerId or ModbusFunction.EncapsulatedInterface => Pdu.MaxLength,
        _ => 5,
    };

    /// <summary>
    /// What, besides unit and function, an answer shows of its request: the byte count of a read, address and argument of a write.
    /// Two requests with the same function and key cannot be told apart by their answers. So it is with all answers whose length and
    /// content are the device's own choice: event counters and logs, queues, server ids, and identification with the same access.
    /// </summary>
    public uint ReplyKey => Function switch
    {
        >= ModbusFunction.ReadCoils and <= ModbusFunction.ReadInputRegisters => (uint)ByteCount,
        ModbusFunction.ReadWriteMultipleRegisters or ModbusFunction.ReadFileRecord => (uint)ByteCount,
        ModbusFunction.Diagnostics => ((uint)Address << 16) | (Diagnostics.RepeatsData((DiagnosticFunction)Address) ? Argument : 0u),
        ModbusFunction.EncapsulatedInterface => Address,
        ModbusFunction.ReadExceptionStatus or ModbusFunction.GetCommEventCounter or ModbusFunction.GetCommEventLog
            or ModbusFunction.ReportServerId or ModbusFunction.ReadFifoQueue => 0,
        _ => ((uint)Address << 16) | Argument,
    };

    /// <summary>The shape whose function and key a whole, normal answer shows; null when it is an answer to a write, which says nothing that could be mistaken for data.</summary>
    public static RequestShape? OfAnswer(byte unit, ReadOnlySpan<byte> pdu)
    {
        var function = pdu.IsEmpty ? ModbusFunction.None : (ModbusFunction)pdu[0];
        return function switch
        {
            ModbusFunction.ReadCoils or ModbusFunction.ReadDiscreteInputs when pdu.Length > 1 => new(unit, function, 0, (ushort)(8 * pdu[1])),
            ModbusFunction.ReadHoldingRegisters or ModbusFunction.ReadInputRegisters or ModbusFunction.ReadWriteMultipleRegisters
                when pdu.Length > 1 => new(unit, function, 0, (ushort)(pdu[1] / 2)),
            ModbusFunction.ReadFileRecord when pdu.Length > 1 => new(unit, function, 0, (ushort)(Math.Max(0, pdu[1] - 2) / 2)),
            ModbusFunction.EncapsulatedInterface when pdu.Length > 2 => new(unit, function, pdu[2], 0),
            ModbusFunction.Diagnostics when pdu.Length >= 5 =>
                new(unit, function, (ushort)((pdu[1] << 8) | pdu[2]), (ushort)((pdu[3] << 8) | pdu[4])),
            ModbusFunction.ReadExceptionStatus or ModbusFunction.GetCommEventCounter or ModbusFunction.GetCommEventLog
                or ModbusFunction.ReportServerId or ModbusFunction.ReadFifoQueue => new(unit, function, 0, 0),
            _ => null,
        };
    }

    /// <summary>Writes the request of a read of one of the four tables and returns its length in bytes.</summary>
    public int WriteRead(Span<byte> pdu) => IsBits
        ? ReadBits.WriteRequest(pdu, (RegisterTable)Function, Address, Argument)
        : ReadRegisters.WriteRequest(pdu, (RegisterTable)Function, Address, Argument);

    /// <summary>Whether an answer, or a refusal, may begin with these bytes of a PDU.</summary>
    public bool MayBegin(ReadOnlySpan<byte> pdu)
    {
        if (pdu.IsEmpty || pdu[0] == ((byte)Function | Pdu.ExceptionFlag))
        {
            return true;
        }

        return pdu[0] == (byte)Function
            && (pdu.Length < 2 || ByteCount == Unknown || pdu[1] == ByteCount)
            && (pdu.Length < 2 || Function != ModbusFunction.EncapsulatedInterface || pdu[1] == ReadDeviceIdentification.MeiType);
    }

    /// <summary>Judges an answer.</summary>
    public ModbusOutcome Check(ReadOnlySpan<byte> pdu) => Function switch
    {
        >= ModbusFunction.ReadCoils and <= ModbusFunction.ReadInputRegisters => Pdu.CheckRead(pdu, Function, ByteCount),
        ModbusFunction.ReadWriteMultipleRegisters => Pdu.CheckRead(pdu, Function, ByteCount),
        ModbusFunction.ReadExceptionStatus => ReadExceptionStatus.ReadResponse(pdu, out _),
        ModbusFunction.Diagnostics => Diagnostics.ReadResponse(pdu, (DiagnosticFunction)Address, Argument, out _),
        ModbusFunction.GetCommEventCounter => GetCommEventCounter.ReadResponse(pdu, out _),
        ModbusFunction.GetCommEventLog => GetCommEventLog.Check(pdu),
        ModbusFunction.ReportServerId => ReportServerId.Check(pdu),
        ModbusFunction.ReadFileRecord => ReadFileRecord.Check(pdu, Argument),
        ModbusFunction.WriteFileRecord => WriteFileRecord.ReadResponse(pdu, new(Extra, Address, Argument)),
        ModbusFunction.MaskWriteRegister => MaskWriteRegister.ReadResponse(pdu, Address, Argument, Extra),
        ModbusFunction.ReadFifoQueue => ReadFifoQueue.Check(pdu, out _),
        ModbusFunction.EncapsulatedInterface => ReadDeviceIdentification.ReadResponse(pdu, (IdentificationAccess)Address, out _, out _),
        _ => Pdu.CheckWrite(pdu, Function, Address, Argument),
    };

    /// <summary>Whether a function writes and answers nothing but what it was asked.</summary>
    internal static bool IsWriteOnly(ModbusFunction function) => function is
        ModbusFunction.WriteSingleCoil or ModbusFunction.WriteSingleRegister or ModbusFunction.WriteMultipleCoils
        or ModbusFunction.WriteMultipleRegisters or ModbusFunction.MaskWriteRegister or ModbusFunction.WriteFileRecord;
}
