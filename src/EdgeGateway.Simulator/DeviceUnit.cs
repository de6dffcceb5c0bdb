using EdgeGateway.Protocols.Modbus;
using CoreTable = EdgeGateway.Core.Profiles.RegisterTable;

namespace EdgeGateway.Simulator;

/// <summary>One simulated device as a Modbus server offers it: what its profile declares writable can be written and is kept, and it is as strict about requests as its profile says.</summary>
internal sealed class DeviceUnit(SimulatedSite site, int device) : IModbusUnit
{
    private readonly int _maxRegisters = site.Site.Devices[device].Profile.MaxRegistersPerRead;
    private long _requests;

    /// <summary>Place of the device in the site.</summary>
    public int Device => device;

    /// <summary>Requests received, answered or not.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    public void CountRequest() => Interlocked.Increment(ref _requests);

    public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
    {
        if (!table.IsBits() && destination.Length > _maxRegisters)
        {
            return ModbusExceptionCode.IllegalDataValue;
        }

        return site.TryReadNow(device, TableOf(table), address, destination) ? ModbusExceptionCode.None : ModbusExceptionCode.IllegalDataAddress;
    }

    public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) =>
        site.Site.Devices[device].Writables.Count == 0 ? ModbusExceptionCode.IllegalFunction
        : site.TryWrite(device, TableOf(table), address, values) ? ModbusExceptionCode.None
        : ModbusExceptionCode.IllegalDataAddress;

    private static CoreTable TableOf(RegisterTable table) => table switch
    {
        RegisterTable.Coil => CoreTable.Coil,
        RegisterTable.DiscreteInput => CoreTable.DiscreteInput,
        RegisterTable.InputRegister => CoreTable.InputRegister,
        _ => CoreTable.HoldingRegister,
    };
}
