using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Integration.Modbus;

/// <summary>The well-known register image with everything else that a unit can have, for clients that others wrote.</summary>
internal sealed class PeerUnit : IModbusUnit
{
    private const int Size = 2000;

    private readonly Lock _gate = new();
    private readonly ushort[][] _tables = [new ushort[Size], new ushort[Size], new ushort[Size], new ushort[Size]];
    private readonly ushort[] _file = new ushort[FileRecord.RecordsInFile];

    public PeerUnit()
    {
        foreach (var block in RegisterImage.Default.Blocks)
        {
            block.Words.CopyTo(_tables[(int)block.Table - 1], block.Address);
        }
    }

    /// <summary>An identification that takes several transactions.</summary>
    public DeviceIdentification Identification { get; } = new()
    {
        VendorName = "Example",
        ProductCode = "EX-1",
        MajorMinorRevision = "V2.11",
        VendorUrl = "https://example.test",
        ProductName = "Meter",
        ModelName = new('m', 200),
        UserApplicationName = new('u', 100),
        Others = new Dictionary<byte, string> { [0x80] = new('x', 200) },
        ConformityLevel = 0x83,
    };

    public ReadOnlyMemory<byte> ServerId { get; } = new byte[] { 0x2A, 0xFF };

    public byte? ExceptionStatus => 0x6D;

    public bool HasDiagnostics => true;

    public ushort[] Words(RegisterTable table, int address, int count) => _tables[(int)table - 1][address..(address + count)];

    public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
    {
        if (address + destination.Length > Size)
        {
            return ModbusExceptionCode.IllegalDataAddress;
        }

        lock (_gate)
        {
            _tables[(int)table - 1].AsSpan(address, destination.Length).CopyTo(destination);
        }

        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values)
    {
        if (address + values.Length > Size)
        {
            return ModbusExceptionCode.IllegalDataAddress;
        }

        lock (_gate)
        {
            values.CopyTo(_tables[(int)table - 1].AsSpan(address));
        }

        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode ReadFile(ushort file, ushort record, Span<ushort> destination)
    {
        _file.AsSpan(record, destination.Length).CopyTo(destination);
        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode WriteFile(ushort file, ushort record, ReadOnlySpan<ushort> values)
    {
        values.CopyTo(_file.AsSpan(record));
        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode ReadFifo(ushort pointer, Span<ushort> destination, out int count)
    {
        count = 2;
        destination[0] = 0x01B8;
        destination[1] = 0x1284;
        return ModbusExceptionCode.None;
    }
}
