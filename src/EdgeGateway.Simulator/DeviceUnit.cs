using System.Text;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;
using CoreTable = EdgeGateway.Core.Profiles.RegisterTable;

namespace EdgeGateway.Simulator;

/// <summary>One simulated device as a Modbus server offers it: what its profile declares writable can be written and is kept, and it is as strict about requests as its profile says.</summary>
internal sealed class DeviceUnit(SimulatedSite site, int device) : IModbusUnit
{
    private readonly int _maxRegisters = site.Site.Devices[device].Profile.MaxRegistersPerRead;
    private readonly Lazy<DeviceIdentification> _identification = new(() => Identify(site.Site.Devices[device]));
    private readonly Lazy<byte[]> _serverId = new(() => [1, 0xFF, .. Encoding.UTF8.GetBytes(ModelOf(site.Site.Devices[device]))]);
    private readonly List<int> _behind = [];
    private long _requests;

    /// <summary>Place of the device in the site.</summary>
    public int Device => device;

    /// <summary>Requests received, answered or not.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    public DeviceIdentification Identification => _identification.Value;

    public ReadOnlyMemory<byte> ServerId => _serverId.Value;

    public void CountRequest() => Interlocked.Increment(ref _requests);

    public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
    {
        if (!table.IsBits() && destination.Length > _maxRegisters)
        {
            return ModbusExceptionCode.IllegalDataValue;
        }

        var found = site.TryReadNow(device, TableOf(table), address, destination);
        for (var i = 0; i < _behind.Count && !found; i++)
        {
            found = site.TryReadNow(_behind[i], TableOf(table), address, destination);
        }

        return found ? ModbusExceptionCode.None : ModbusExceptionCode.IllegalDataAddress;
    }

    /// <summary>Puts the SunSpec model of another device of the same unit behind this one's.</summary>
    public void Chain(DeviceUnit other)
    {
        site.ChainSunSpec(_behind.Count > 0 ? _behind[^1] : device, other.Device);
        _behind.Add(other.Device);
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

    private static string ModelOf(DeviceModel device) => device.Profile.Models.Count > 0 ? device.Profile.Models[0] : device.Profile.Id;

    private static DeviceIdentification Identify(DeviceModel device) => new()
    {
        VendorName = device.Profile.Vendor,
        ProductCode = ModelOf(device),
        MajorMinorRevision = "1.0",
        ProductName = device.Profile.TitleEnglish,
        ModelName = ModelOf(device),
        UserApplicationName = device.Name,
        ConformityLevel = 0x82,
    };
}
