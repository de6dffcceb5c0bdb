namespace EdgeGateway.Protocols.Modbus;

/// <summary>The four tables of one device, as a server offers them. Calls may come from several connections at once.</summary>
public interface IModbusUnit
{
    /// <summary>Reads a range that the server has checked to lie within the table's address space and the limits of a request.</summary>
    /// <param name="table">Which table.</param>
    /// <param name="address">The first register or bit.</param>
    /// <param name="destination">Receives registers, or bits as 0 or 1; its length is the quantity.</param>
    /// <returns><see cref="ModbusExceptionCode.None"/>, or the refusal, such as <see cref="ModbusExceptionCode.IllegalDataAddress"/>.</returns>
    ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination);

    /// <summary>Writes a range of coils (0 or 1) or holding registers.</summary>
    /// <returns><see cref="ModbusExceptionCode.None"/>, or the refusal.</returns>
    ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values);
}
