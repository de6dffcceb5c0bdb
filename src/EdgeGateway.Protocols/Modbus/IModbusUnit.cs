namespace EdgeGateway.Protocols.Modbus;

/// <summary>One device as a server offers it: four tables, and what else it chooses to have. Calls may come from several connections at once.</summary>
/// <remarks>What a unit does not have it refuses with <see cref="ModbusExceptionCode.IllegalFunction"/>, which is what these defaults do.</remarks>
public interface IModbusUnit
{
    /// <summary>What functions 43/14 answers; null refuses it. Texts longer than 244 bytes are cut.</summary>
    DeviceIdentification? Identification => null;

    /// <summary>The bytes that function 17 answers: an id, a run indicator (00 or FF), additional data; at most 251. Empty refuses it.</summary>
    ReadOnlyMemory<byte> ServerId => default;

    /// <summary>The status bits that function 07 answers; null refuses it.</summary>
    byte? ExceptionStatus => null;

    /// <summary>Whether functions 08, 11 and 12 are answered, from counters that the server keeps.</summary>
    bool HasDiagnostics => false;

    /// <summary>What function 08/02 answers.</summary>
    ushort DiagnosticRegister => 0;

    /// <summary>Reads a range that the server has checked to lie within the table's address space and the limits of a request.</summary>
    /// <param name="table">Which table.</param>
    /// <param name="address">The first register or bit.</param>
    /// <param name="destination">Receives registers, or bits as 0 or 1; its length is the quantity.</param>
    /// <returns><see cref="ModbusExceptionCode.None"/>, or the refusal, such as <see cref="ModbusExceptionCode.IllegalDataAddress"/>.</returns>
    ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination);

    /// <summary>Writes a range of coils (0 or 1) or holding registers.</summary>
    /// <returns><see cref="ModbusExceptionCode.None"/>, or the refusal.</returns>
    ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values);

    /// <summary>Changes bits of a holding register. By default it is read and written; a unit with several writers does both under its own lock.</summary>
    ModbusExceptionCode MaskWrite(ushort address, ushort andMask, ushort orMask)
    {
        Span<ushort> value = [0];
        var code = Read(RegisterTable.HoldingRegister, address, value);
        return code != ModbusExceptionCode.None ? code : Write(RegisterTable.HoldingRegister, address, [MaskWriteRegister.Apply(value[0], andMask, orMask)]);
    }

    /// <summary>Writes holding registers, then reads some. By default it is done by <see cref="Write"/> and <see cref="Read"/>, so that a refused read leaves the write done.</summary>
    ModbusExceptionCode ReadWrite(ushort readAddress, Span<ushort> destination, ushort writeAddress, ReadOnlySpan<ushort> values)
    {
        var code = Write(RegisterTable.HoldingRegister, writeAddress, values);
        return code != ModbusExceptionCode.None ? code : Read(RegisterTable.HoldingRegister, readAddress, destination);
    }

    /// <summary>Reads records of a file; <paramref name="destination"/> holds one register for each.</summary>
    ModbusExceptionCode ReadFile(ushort file, ushort record, Span<ushort> destination) => ModbusExceptionCode.IllegalFunction;

    /// <summary>Writes records of a file.</summary>
    ModbusExceptionCode WriteFile(ushort file, ushort record, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;

    /// <summary>Reads a queue of registers without emptying it.</summary>
    /// <param name="pointer">The address of the queue.</param>
    /// <param name="destination">Receives the registers; 31 words.</param>
    /// <param name="count">How many are in the queue; more than 31 is answered by exception 03.</param>
    ModbusExceptionCode ReadFifo(ushort pointer, Span<ushort> destination, out int count)
    {
        count = 0;
        return ModbusExceptionCode.IllegalFunction;
    }
}
