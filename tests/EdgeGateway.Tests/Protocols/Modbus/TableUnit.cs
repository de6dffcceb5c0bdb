using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>A unit with four whole tables; what is read can be predicted from table and address.</summary>
internal sealed class TableUnit : IModbusUnit
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(RegisterTable, int), ushort> _written = [];

    public int Exists { get; init; } = 0x10000;

    public static ushort Default(RegisterTable table, int address) =>
        table.IsBits() ? (ushort)((address / 3) & 1) : unchecked((ushort)((address * 7) + ((int)table * 1000)));

    public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
    {
        if (address + destination.Length > Exists)
        {
            return ModbusExceptionCode.IllegalDataAddress;
        }

        lock (_gate)
        {
            for (var i = 0; i < destination.Length; i++)
            {
                destination[i] = _written.TryGetValue((table, address + i), out var value) ? value : Default(table, address + i);
            }
        }

        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values)
    {
        if (address + values.Length > Exists)
        {
            return ModbusExceptionCode.IllegalDataAddress;
        }

        lock (_gate)
        {
            for (var i = 0; i < values.Length; i++)
            {
                _written[(table, address + i)] = values[i];
            }
        }

        return ModbusExceptionCode.None;
    }
}
