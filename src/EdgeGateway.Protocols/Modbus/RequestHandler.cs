using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Answers request PDUs from the tables of a unit, with the checks in the order of the standard's state diagrams.</summary>
/// <remarks>MODBUS V1.1b3, 6.1 to 6.12: function (01), quantity and byte count (03), address range (02), then the unit itself.</remarks>
public static class RequestHandler
{
    /// <summary>Writes the response to a request, whatever its bytes; returns the length in bytes.</summary>
    /// <param name="request">The request PDU, not empty.</param>
    /// <param name="unit">The unit asked.</param>
    /// <param name="response">Receives the response; <see cref="Pdu.MaxLength"/> bytes.</param>
    public static int Handle(ReadOnlySpan<byte> request, IModbusUnit unit, Span<byte> response)
    {
        ArgumentNullException.ThrowIfNull(unit);
        ArgumentOutOfRangeException.ThrowIfZero(request.Length, nameof(request));
        return (ModbusFunction)request[0] switch
        {
            ModbusFunction.ReadCoils or ModbusFunction.ReadDiscreteInputs
                or ModbusFunction.ReadHoldingRegisters or ModbusFunction.ReadInputRegisters => Read(request, unit, response),
            ModbusFunction.WriteSingleCoil => WriteCoil(request, unit, response),
            ModbusFunction.WriteSingleRegister => WriteRegister(request, unit, response),
            ModbusFunction.WriteMultipleCoils => WriteCoils(request, unit, response),
            ModbusFunction.WriteMultipleRegisters => WriteRegisters(request, unit, response),
            _ => Refuse(request, response, ModbusExceptionCode.IllegalFunction),
        };
    }

    /// <summary>What a request asks, for the fault hook.</summary>
    internal static ServerRequest Summarise(long number, byte unit, ReadOnlySpan<byte> request)
    {
        var function = request[0];
        if (request.Length < 5 || function is not ((>= 1 and <= 6) or 15 or 16))
        {
            return new(number, unit, function, 0, 0);
        }

        var quantity = function is 5 or 6 ? (ushort)1 : BinaryPrimitives.ReadUInt16BigEndian(request[3..]);
        return new(number, unit, function, BinaryPrimitives.ReadUInt16BigEndian(request[1..]), quantity);
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
}
