using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>A frame on a serial line. MODBUS over Serial Line V1.02, 2.5.1.</summary>
/// <remarks>
/// ADU:  unit | PDU | CRC lo hi
/// The standard ends a frame by 3.5 characters of silence, which no operating system reports. So the length is taken from the
/// content: function and byte count say how long a frame must be, and the CRC says whether that was so.
/// </remarks>
public static class RtuFrame
{
    /// <summary>The longest frame in bytes.</summary>
    public const int MaxLength = 256;

    /// <summary>The shortest frame in bytes: unit, function, CRC.</summary>
    public const int MinLength = 4;

    /// <summary>Unit and CRC.</summary>
    private const int Around = 3;

    /// <summary>Completes a frame whose PDU is already in place at <c>adu[1..]</c>; returns its length in bytes.</summary>
    public static int Finish(Span<byte> adu, byte unit, int pduLength)
    {
        adu[0] = unit;
        BinaryPrimitives.WriteUInt16LittleEndian(adu[(1 + pduLength)..], Crc16.Of(adu[..(1 + pduLength)]));
        return pduLength + 3;
    }

    /// <summary>Whether the bytes end with the CRC of what stands before it.</summary>
    public static bool HasValidCrc(ReadOnlySpan<byte> frame) => frame.Length >= MinLength && Crc16.Of(frame) == 0;

    /// <summary>
    /// The length that a response starting with these bytes must have; 0 when more bytes are needed to tell, -1 when no response of
    /// a function known here starts so.
    /// </summary>
    public static int ResponseLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        if ((bytes[1] & Pdu.ExceptionFlag) != 0)
        {
            return IsKnown(bytes[1] & ~Pdu.ExceptionFlag) ? 5 : -1;
        }

        return (ModbusFunction)bytes[1] switch
        {
            >= ModbusFunction.ReadCoils and <= ModbusFunction.ReadInputRegisters => Counted(bytes, 1, 250),
            ModbusFunction.WriteSingleCoil or ModbusFunction.WriteSingleRegister => 8,
            ModbusFunction.WriteMultipleCoils or ModbusFunction.WriteMultipleRegisters => 8,
            ModbusFunction.ReadExceptionStatus => 5,
            ModbusFunction.Diagnostics or ModbusFunction.GetCommEventCounter => 8,
            ModbusFunction.GetCommEventLog => Counted(bytes, GetCommEventLog.HeadBytes, GetCommEventLog.HeadBytes + GetCommEventLog.MaxEvents),
            ModbusFunction.ReportServerId => Counted(bytes, 1, ReportServerId.MaxBytes),
            ModbusFunction.ReadFileRecord => Counted(bytes, ReadFileRecord.ResponseBytes(1), ReadFileRecord.MaxByteCount),
            ModbusFunction.WriteFileRecord => Counted(bytes, WriteFileRecord.MinByteCount, WriteFileRecord.MaxByteCount),
            ModbusFunction.MaskWriteRegister => Around + MaskWriteRegister.Length,
            ModbusFunction.ReadWriteMultipleRegisters => Counted(bytes, 2, 250),
            ModbusFunction.ReadFifoQueue => bytes.Length < 4 ? 0 : FifoLength((bytes[2] << 8) | bytes[3]),
            ModbusFunction.EncapsulatedInterface => ReadDeviceIdentification.ResponseLength(bytes[1..]) is > 0 and var length ? Around + length
                : ReadDeviceIdentification.ResponseLength(bytes[1..]),
            _ => -1,
        };
    }

    /// <summary>
    /// The length that a request starting with these bytes must have; 0 when more bytes are needed to tell, -1 when the function is
    /// not known here, so that only silence ends the frame.
    /// </summary>
    public static int RequestLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        return (ModbusFunction)bytes[1] switch
        {
            >= ModbusFunction.ReadCoils and <= ModbusFunction.WriteSingleRegister => 8,
            ModbusFunction.WriteMultipleCoils or ModbusFunction.WriteMultipleRegisters => bytes.Length < 7 ? 0 : bytes[6] <= 247 ? 9 + bytes[6] : -1,
            ModbusFunction.ReadExceptionStatus or ModbusFunction.GetCommEventCounter
                or ModbusFunction.GetCommEventLog or ModbusFunction.ReportServerId => 4,
            ModbusFunction.Diagnostics => 8,
            ModbusFunction.ReadFileRecord or ModbusFunction.WriteFileRecord => Counted(bytes, 0, MaxLength - 5),
            ModbusFunction.MaskWriteRegister => Around + MaskWriteRegister.Length,
            ModbusFunction.ReadWriteMultipleRegisters => bytes.Length < 11 ? 0 : bytes[10] <= MaxLength - 13 ? 13 + bytes[10] : -1,
            ModbusFunction.ReadFifoQueue => 6,
            ModbusFunction.EncapsulatedInterface => bytes.Length < 3 ? 0 : bytes[2] == ReadDeviceIdentification.MeiType ? 7 : -1,
            _ => -1,
        };
    }

    /// <summary>Whether the function is one of those known here.</summary>
    internal static bool IsKnown(int function) => Enum.IsDefined((ModbusFunction)function) && function != 0;

    private static int Counted(ReadOnlySpan<byte> bytes, int least, int most) =>
        bytes.Length < 3 ? 0 : bytes[2] >= least && bytes[2] <= most ? 5 + bytes[2] : -1;

    private static int FifoLength(int byteCount) => byteCount is >= 2 and <= 2 + (2 * ReadFifoQueue.MaxCount) ? 6 + byteCount : -1;
}
