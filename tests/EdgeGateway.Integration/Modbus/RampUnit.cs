using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Integration.Modbus;

/// <summary>A unit whose registers hold their address.</summary>
internal sealed class RampUnit : IModbusUnit
{
    public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = (ushort)(address + i);
        }

        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;
}
