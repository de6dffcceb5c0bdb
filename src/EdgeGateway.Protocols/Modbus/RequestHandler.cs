using System.Buffers.Binary;
using System.Text.Unicode;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Answers request PDUs from what a unit has, with the checks in the order of the standard's state diagrams.</summary>
/// <remarks>
/// MODBUS V1.1b3, 6: function (01), then quantity and byte count (03), then the address range (02), then the unit itself. Diagnostics: sub-function (01),
/// then data (03). File records: byte count (03), then file and record (02). Identification: MEI type (01), access (03), object (02).
/// </remarks>
public static class RequestHandler
{
    private const int IndividualAccess = 0x80;

    // The last object of the basic, regular and extended identification.
    private static readonly int[] LastObjects = [0x02, 0x7F, 0xFF];

    /// <summary>Writes the response to a request, whatever its bytes; returns the length in bytes, 0 when the standard asks for silence.</summary>
    /// <param name="request">The request PDU, not empty.</param>
    /// <param name="unit">The unit asked.</param>
    /// <param name="response">Receives the response; <see cref="Pdu.MaxLength"/> bytes.</param>
    /// <param name="counters">What the server has counted for this unit, for units with <see cref="IModbusUnit.HasDiagnostics"/>; null refuses functions 08, 11 and 12.</param>
    public static int Handle(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response, UnitCounters? counters = null)
    {
        ArgumentNullException.ThrowIfNull(unit);
        ArgumentOutOfRangeException.ThrowIfZero(request.Length, nameof(request));
        counters = unit.HasDiagnostics ? counters : null;
        if (counters?.IsListenOnly == true && !IsRestart(request))
        {
            counters.Unanswered();
            return 0;
        }

        counters?.Received();
        var length = (ModbusFunction)request[0] switch
        {
            ModbusFunction.ReadCoils or ModbusFunction.ReadDiscreteInputs
                or ModbusFunction.ReadHoldingRegisters or ModbusFunction.ReadInputRegisters => Read(request, unit, response),
            ModbusFunction.WriteSingleCoil => WriteCoil(request, unit, response),
            ModbusFunction.WriteSingleRegister => WriteRegister(request, unit, response),
            ModbusFunction.WriteMultipleCoils => WriteCoils(request, unit, response),
            ModbusFunction.WriteMultipleRegisters => WriteRegisters(request, unit, response),
            ModbusFunction.MaskWriteRegister => MaskWrite(request, unit, response),
            ModbusFunction.ReadWriteMultipleRegisters => ReadWrite(request, unit, response),
            ModbusFunction.ReadExceptionStatus => ExceptionStatus(request, unit, response),
            ModbusFunction.ReportServerId => ServerId(request, unit, response),
            ModbusFunction.ReadFileRecord => ReadFile(request, unit, response),
            ModbusFunction.WriteFileRecord => WriteFile(request, unit, response),
            ModbusFunction.ReadFifoQueue => ReadFifo(request, unit, response),
            ModbusFunction.EncapsulatedInterface => Identification(request, unit, response),
            ModbusFunction.Diagnostics when counters is not null => Diagnose(request, unit, counters, response),
            ModbusFunction.GetCommEventCounter when counters is not null => EventCounter(request, counters, response),
            ModbusFunction.GetCommEventLog when counters is not null => EventLog(request, counters, response),
            _ => Refuse(request, response, ModbusExceptionCode.IllegalFunction),
        };
        counters?.Answered(response[..length], request[0]);
        return length;
    }

    /// <summary>What a request asks, for the fault hook.</summary>
    internal static ServerRequest Summarise(long number, byte unit, ReadOnlySpan<byte> request)
    {
        var function = (ModbusFunction)request[0];
        var isPlain = function is (>= ModbusFunction.ReadCoils and <= ModbusFunction.WriteSingleRegister)
            or ModbusFunction.WriteMultipleCoils or ModbusFunction.WriteMultipleRegisters
            or ModbusFunction.MaskWriteRegister or ModbusFunction.ReadWriteMultipleRegisters;
        if (request.Length < 5 || !isPlain)
        {
            return new(number, unit, request[0], 0, 0);
        }

        var isSingle = function is ModbusFunction.WriteSingleCoil or ModbusFunction.WriteSingleRegister or ModbusFunction.MaskWriteRegister;
        var quantity = isSingle ? (ushort)1 : BinaryPrimitives.ReadUInt16BigEndian(request[3..]);
        return new(number, unit, request[0], BinaryPrimitives.ReadUInt16BigEndian(request[1..]), quantity);
    }

    private static int Refuse(ReadOnlySpan<byte> request, Span<byte> response, ModbusExceptionCode code) =>
        Pdu.WriteException(response, request[0], code);

    private static int Read(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        var table = (RegisterTable)request[0];
        var isRequest = table.IsBits()
            ? ReadBits.TryReadRequest(request, table, out var address, out var quantity)
            : ReadRegisters.TryReadRequest(request, table, out address, out quantity);
        if (!isRequest || quantity == 0 || quantity > table.MaxReadQuantity())
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        if (address + quantity > 0x10000)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataAddress);
        }

        Span<ushort> values = stackalloc ushort[quantity];
        var code = unit.Read(table, address, values);
        if (code != ModbusExceptionCode.None)
        {
            return Refuse(request, response, code);
        }

        return table.IsBits()
            ? ReadBits.WriteResponse(response, table, values)
            : ReadRegisters.WriteResponse(response, table, values);
    }

    private static int WriteCoil(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (!WriteSingleCoil.TryReadRequest(request, out var address, out var on) || on is null)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        var code = unit.Write(RegisterTable.Coil, address, [on.Value ? (ushort)1 : (ushort)0]);
        return code == ModbusExceptionCode.None
            ? WriteSingleCoil.WriteRequest(response, address, on.Value)
            : Refuse(request, response, code);
    }

    private static int WriteRegister(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (!WriteSingleRegister.TryReadRequest(request, out var address, out var value))
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        var code = unit.Write(RegisterTable.HoldingRegister, address, [value]);
        return code == ModbusExceptionCode.None
            ? WriteSingleRegister.WriteRequest(response, address, value)
            : Refuse(request, response, code);
    }

    private static int WriteCoils(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (!WriteMultipleCoils.TryReadRequest(request, out var address, out var quantity, out var data)
            || quantity is 0 or > WriteMultipleCoils.MaxQuantity
            || data.Length != WriteMultipleCoils.ByteCount(quantity))
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        if (address + quantity > 0x10000)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataAddress);
        }

        Span<ushort> values = stackalloc ushort[quantity];
        WriteMultipleCoils.ReadValues(data, values);
        var code = unit.Write(RegisterTable.Coil, address, values);
        return code == ModbusExceptionCode.None
            ? WriteMultipleCoils.WriteResponse(response, address, quantity)
            : Refuse(request, response, code);
    }

    private static int WriteRegisters(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (!WriteMultipleRegisters.TryReadRequest(request, out var address, out var quantity, out var data)
            || quantity is 0 or > WriteMultipleRegisters.MaxQuantity
            || data.Length != WriteMultipleRegisters.ByteCount(quantity))
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        if (address + quantity > 0x10000)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataAddress);
        }

        Span<ushort> values = stackalloc ushort[quantity];
        WriteMultipleRegisters.ReadValues(data, values);
        var code = unit.Write(RegisterTable.HoldingRegister, address, values);
        return code == ModbusExceptionCode.None
            ? WriteMultipleRegisters.WriteResponse(response, address, quantity)
            : Refuse(request, response, code);
    }

    private static int MaskWrite(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (!MaskWriteRegister.TryReadRequest(request, out var address, out var andMask, out var orMask))
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        var code = unit.MaskWrite(address, andMask, orMask);
        return code == ModbusExceptionCode.None
            ? MaskWriteRegister.WriteRequest(response, address, andMask, orMask)
            : Refuse(request, response, code);
    }

    private static int ReadWrite(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (!ReadWriteMultipleRegisters.TryReadRequest(request, out var readAddress, out var readQuantity, out var writeAddress, out var writeQuantity, out var data)
            || readQuantity is 0 or > ReadWriteMultipleRegisters.MaxReadQuantity
            || writeQuantity is 0 or > ReadWriteMultipleRegisters.MaxWriteQuantity
            || data.Length != 2 * writeQuantity)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        if (readAddress + readQuantity > 0x10000 || writeAddress + writeQuantity > 0x10000)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataAddress);
        }

        Span<ushort> values = stackalloc ushort[writeQuantity];
        Span<ushort> read = stackalloc ushort[readQuantity];
        ReadWriteMultipleRegisters.ReadValues(data, values);
        var code = unit.ReadWrite(readAddress, read, writeAddress, values);
        return code == ModbusExceptionCode.None ? ReadWriteMultipleRegisters.WriteResponse(response, read) : Refuse(request, response, code);
    }

    private static int ExceptionStatus(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response) =>
        unit.ExceptionStatus is not { } status ? Refuse(request, response, ModbusExceptionCode.IllegalFunction)
        : request.Length != 1 ? Refuse(request, response, ModbusExceptionCode.IllegalDataValue)
        : ReadExceptionStatus.WriteResponse(response, status);

    private static int ServerId(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        var id = unit.ServerId.Span;
        return id.IsEmpty ? Refuse(request, response, ModbusExceptionCode.IllegalFunction)
            : request.Length != 1 ? Refuse(request, response, ModbusExceptionCode.IllegalDataValue)
            : ReportServerId.WriteResponse(response, id[..Math.Min(id.Length, ReportServerId.MaxBytes)]);
    }

    private static int ReadFile(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (!ReadFileRecord.TryReadRequest(request, out var runs)
            || request[1] is < ReadFileRecord.MinByteCount or > ReadFileRecord.MaxByteCount)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        // What cannot be answered in one response is refused as a whole, before the unit is asked for anything.
        var bytes = 0;
        for (var i = 0; i < runs; i++)
        {
            if (!ReadFileRecord.TryReadRun(request, i, out var place) || !place.IsInFile)
            {
                return Refuse(request, response, ModbusExceptionCode.IllegalDataAddress);
            }

            bytes += ReadFileRecord.ResponseBytes(place.Length);
        }

        if (bytes > ReadFileRecord.MaxByteCount)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        Span<ushort> values = stackalloc ushort[ReadFileRecord.MaxQuantity];
        var length = ReadFileRecord.StartResponse(response);
        for (var i = 0; i < runs; i++)
        {
            _ = ReadFileRecord.TryReadRun(request, i, out var place);
            var code = unit.ReadFile(place.File, place.Record, values[..place.Length]);
            if (code != ModbusExceptionCode.None)
            {
                return Refuse(request, response, code);
            }

            length = ReadFileRecord.AddRun(response, length, values[..place.Length]);
        }

        return length;
    }

    private static int WriteFile(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (!WriteFileRecord.TryReadRequest(request, out var runs) || request[1] is < WriteFileRecord.MinByteCount or > WriteFileRecord.MaxByteCount)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        for (var rest = runs; !rest.IsEmpty;)
        {
            if (!WriteFileRecord.TakeRun(ref rest, out var place, out _) || !place.IsInFile)
            {
                return Refuse(request, response, ModbusExceptionCode.IllegalDataAddress);
            }
        }

        Span<ushort> values = stackalloc ushort[WriteFileRecord.MaxQuantity];
        while (!runs.IsEmpty)
        {
            _ = WriteFileRecord.TakeRun(ref runs, out var place, out var data);
            WriteFileRecord.ReadValues(data, values[..place.Length]);
            var code = unit.WriteFile(place.File, place.Record, values[..place.Length]);
            if (code != ModbusExceptionCode.None)
            {
                return Refuse(request, response, code);
            }
        }

        request.CopyTo(response);
        return request.Length;
    }

    private static int ReadFifo(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (!ReadFifoQueue.TryReadRequest(request, out var pointer))
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        Span<ushort> values = stackalloc ushort[ReadFifoQueue.MaxCount];
        var code = unit.ReadFifo(pointer, values, out var count);
        return code != ModbusExceptionCode.None ? Refuse(request, response, code)
            : count > ReadFifoQueue.MaxCount ? Refuse(request, response, ModbusExceptionCode.IllegalDataValue)
            : ReadFifoQueue.WriteResponse(response, values[..count]);
    }

    private static int Identification(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        if (unit.Identification is not { } identification || request.Length < 2 || request[1] != ReadDeviceIdentification.MeiType)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalFunction);
        }

        if (!ReadDeviceIdentification.TryReadRequest(request, out var access, out var objectId)
            || access is < IdentificationAccess.Basic or > IdentificationAccess.Individual)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        var length = ReadDeviceIdentification.StartResponse(response, access, identification.ConformityLevel);
        Span<byte> text = stackalloc byte[ReadDeviceIdentification.MaxObjectLength];
        if (access == IdentificationAccess.Individual)
        {
            if ((identification.ConformityLevel & IndividualAccess) == 0)
            {
                return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
            }

            if (identification[objectId] is not { } asked)
            {
                return Refuse(request, response, ModbusExceptionCode.IllegalDataAddress);
            }

            _ = ReadDeviceIdentification.TryAddObject(response, ref length, objectId, Encode(asked, text));
            return length;
        }

        // A level above the device's own is answered at its own, and a stream that begins at no object begins at the first.
        var level = Math.Min((int)access, Math.Max(1, identification.ConformityLevel & ~IndividualAccess));
        var last = level >= LastObjects.Length ? LastObjects[^1] : LastObjects[level - 1];
        var first = objectId <= last && identification[objectId] is not null ? objectId : 0;
        for (var id = first; id <= last; id++)
        {
            if (identification[(byte)id] is { } value && !ReadDeviceIdentification.TryAddObject(response, ref length, (byte)id, Encode(value, text)))
            {
                break;
            }
        }

        return length;
    }

    /// <summary>The text as UTF-8, cut to what fits into a response at the end of a character.</summary>
    private static ReadOnlySpan<byte> Encode(string text, Span<byte> bytes)
    {
        _ = Utf8.FromUtf16(text, bytes, out _, out var written);
        return bytes[..written];
    }

    private static bool IsRestart(ReadOnlySpan<byte> request) =>
        Diagnostics.TryReadRequest(request, out var function, out _) && function == DiagnosticFunction.RestartCommunications;

    private static int Diagnose(ReadOnlySpan<byte> request, IModbusUnit unit, UnitCounters counters, Span<byte> response)
    {
        if (!Diagnostics.TryReadRequest(request, out var function, out var data))
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        if (function == DiagnosticFunction.ReturnQueryData)
        {
            request.CopyTo(response);
            return request.Length;
        }

        var sent = data.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(data) : (ushort)0;
        var isDataRight = data.Length == 2 && function switch
        {
            DiagnosticFunction.RestartCommunications => sent is 0 or Diagnostics.ClearEventLog,
            DiagnosticFunction.ChangeAsciiInputDelimiter => (sent & 0xFF) == 0,
            _ => sent == 0,
        };
        if (!Enum.IsDefined(function))
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalFunction);
        }

        if (!isDataRight)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        return counters.Act(function, sent, unit.DiagnosticRegister) is { } answer ? Diagnostics.WriteRequest(response, function, answer) : 0;
    }

    private static int EventCounter(ReadOnlySpan<byte> request, UnitCounters counters, Span<byte> response) => request.Length == 1
        ? GetCommEventCounter.WriteResponse(response, new(IsBusy: false, counters.Events))
        : Refuse(request, response, ModbusExceptionCode.IllegalDataValue);

    private static int EventLog(ReadOnlySpan<byte> request, UnitCounters counters, Span<byte> response)
    {
        if (request.Length != 1)
        {
            return Refuse(request, response, ModbusExceptionCode.IllegalDataValue);
        }

        Span<byte> log = stackalloc byte[GetCommEventLog.MaxEvents];
        return GetCommEventLog.WriteResponse(response, isBusy: false, counters.Events, counters.Messages, log[..counters.CopyLog(log)]);
    }
}
