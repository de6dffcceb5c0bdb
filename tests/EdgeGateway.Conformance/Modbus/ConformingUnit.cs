using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>A unit that has everything: ten coils, inputs and registers at 0 to 9, two files, queues, identification, diagnostics.</summary>
internal sealed class ConformingUnit : IModbusUnit
{
    private readonly ushort[][] _tables = [new ushort[10], new ushort[10], new ushort[10], new ushort[10]];
    private readonly Dictionary<(ushort File, int Record), ushort> _files = [];

    public ConformingUnit()
    {
        for (ushort i = 0; i < 10; i++)
        {
            _tables[2][i] = i;
            _tables[3][i] = (ushort)(100 + i);
        }
    }

    /// <summary>What every read and write answers; None to do it.</summary>
    public ModbusExceptionCode Refusal { get; set; }

    public List<string> Calls { get; } = [];

    public DeviceIdentification? Identification { get; set; } = new() { VendorName = "Example", ProductCode = "EX-1", MajorMinorRevision = "V2.11" };

    public ReadOnlyMemory<byte> ServerId { get; set; } = new byte[] { 0x2A, 0xFF, 0x45, 0x58 };

    public byte? ExceptionStatus { get; set; } = 0x6D;

    public bool HasDiagnostics { get; set; } = true;

    public ushort DiagnosticRegister => 0xBEEF;

    public ushort[] Holding => _tables[2];

    public ushort[] Coils => _tables[0];

    public Dictionary<(ushort File, int Record), ushort> Files => _files;

    public int QueueCount { get; set; } = 2;

    public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
    {
        Calls.Add($"read {table} {address}+{destination.Length}");
        if (Refusal != ModbusExceptionCode.None || address + destination.Length > 10)
        {
            return Refusal != ModbusExceptionCode.None ? Refusal : ModbusExceptionCode.IllegalDataAddress;
        }

        _tables[(int)table - 1].AsSpan(address, destination.Length).CopyTo(destination);
        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values)
    {
        Calls.Add($"write {table} {address}+{values.Length}");
        if (Refusal != ModbusExceptionCode.None || address + values.Length > 10)
        {
            return Refusal != ModbusExceptionCode.None ? Refusal : ModbusExceptionCode.IllegalDataAddress;
        }

        values.CopyTo(_tables[(int)table - 1].AsSpan(address));
        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode ReadFile(ushort file, ushort record, Span<ushort> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            if (!_files.TryGetValue((file, record + i), out destination[i]))
            {
                return ModbusExceptionCode.IllegalDataAddress;
            }
        }

        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode WriteFile(ushort file, ushort record, ReadOnlySpan<ushort> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            _files[(file, record + i)] = values[i];
        }

        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode ReadFifo(ushort pointer, Span<ushort> destination, out int count)
    {
        count = QueueCount;
        for (var i = 0; i < Math.Min(count, destination.Length); i++)
        {
            destination[i] = i == 0 ? (ushort)0x01B8 : (ushort)0x1284;
        }

        return ModbusExceptionCode.None;
    }
}
