using EdgeGateway.Protocols.Modbus;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>Requests of every function, with the shapes that a client keeps of them.</summary>
internal static class Shapes
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(100);

    public static RequestShape[] OfEveryFunction { get; } =
        [.. Enum.GetValues<ModbusFunction>().Where(f => f != ModbusFunction.None).Select(f => new RequestShape(1, f, 1, 3, 2))];

    /// <summary>Requests that a client can make, small enough for collisions to be frequent.</summary>
    public static Arbitrary<Request> Requests { get; } =
        (from function in Gen.Elements(Enum.GetValues<ModbusFunction>().Where(f => f != ModbusFunction.None).ToArray())
         from address in Gen.Choose(0, 3)
         from argument in Gen.Choose(1, 4)
         from extra in Gen.Choose(1, 2)
         select Make(function, (ushort)address, (ushort)argument, (ushort)extra)).ToArbitrary();

    internal sealed record Request(RequestShape Shape, byte[] Pdu)
    {
        public override string ToString() => $"{Shape} {Convert.ToHexString(Pdu)}";
    }

    /// <summary>Asks the client something, by number.</summary>
    public static Task AskAsync(ModbusClient client, int question) => question switch
    {
        0 => client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 3, new ushort[3], Timeout).AsTask(),
        1 => client.MaskWriteAsync(1, 1, 2, 3, Timeout).AsTask(),
        2 => client.ReadWriteAsync(1, 0, 3, new ushort[3], 0, new ushort[2], Timeout).AsTask(),
        3 => client.ReadFileRecordAsync(1, 1, 0, 3, new ushort[3], Timeout).AsTask(),
        4 => client.WriteFileRecordAsync(1, 1, 0, new ushort[2], Timeout).AsTask(),
        5 => client.ReadFifoQueueAsync(1, 0, new ushort[31], Timeout).AsTask(),
        6 => client.ReadExceptionStatusAsync(1, Timeout).AsTask(),
        7 => client.DiagnosticsAsync(1, DiagnosticFunction.ReturnQueryData, 1, Timeout).AsTask(),
        8 => client.GetCommEventCounterAsync(1, Timeout).AsTask(),
        9 => client.GetCommEventLogAsync(1, Timeout).AsTask(),
        10 => client.ReportServerIdAsync(1, Timeout).AsTask(),
        _ => client.ReadDeviceIdentificationAsync(1, Timeout).AsTask(),
    };

    private static Request Make(ModbusFunction function, ushort address, ushort argument, ushort extra)
    {
        var pdu = new byte[Pdu.MaxLength];
        var values = Enumerable.Repeat((ushort)1, argument).ToArray();
        var shape = new RequestShape(1, function, address, argument);
        switch (function)
        {
            case <= ModbusFunction.ReadInputRegisters:
                return new(shape, pdu[..shape.WriteRead(pdu)]);
            case ModbusFunction.WriteSingleCoil:
                shape = shape with { Argument = argument > 2 ? (ushort)0xFF00 : (ushort)0 };
                return new(shape, pdu[..WriteSingleCoil.WriteRequest(pdu, address, argument > 2)]);
            case ModbusFunction.WriteSingleRegister:
                return new(shape, pdu[..WriteSingleRegister.WriteRequest(pdu, address, argument)]);
            case ModbusFunction.WriteMultipleCoils:
                return new(shape, pdu[..WriteMultipleCoils.WriteRequest(pdu, address, values)]);
            case ModbusFunction.WriteMultipleRegisters:
                return new(shape, pdu[..WriteMultipleRegisters.WriteRequest(pdu, address, values)]);
            case ModbusFunction.MaskWriteRegister:
                return new(shape with { Extra = extra }, pdu[..MaskWriteRegister.WriteRequest(pdu, address, argument, extra)]);
            case ModbusFunction.ReadWriteMultipleRegisters:
                return new(shape, pdu[..ReadWriteMultipleRegisters.WriteRequest(pdu, address, argument, extra, [7])]);
            case ModbusFunction.ReadFileRecord:
                return new(shape with { Extra = extra }, pdu[..ReadFileRecord.WriteRequest(pdu, extra, address, argument)]);
            case ModbusFunction.WriteFileRecord:
                return new(shape with { Extra = extra }, pdu[..WriteFileRecord.WriteRequest(pdu, extra, address, values)]);
            case ModbusFunction.ReadFifoQueue:
                return new(shape with { Argument = 0 }, pdu[..ReadFifoQueue.WriteRequest(pdu, address)]);
            case ModbusFunction.Diagnostics:
                // Counters are asked with data 0, query data with any.
                var diagnostic = address == 0 ? DiagnosticFunction.ReturnQueryData : (DiagnosticFunction)(10 + address);
                var data = address == 0 ? argument : (ushort)0;
                return new(new(1, function, (ushort)diagnostic, data), pdu[..Diagnostics.WriteRequest(pdu, diagnostic, data)]);
            case ModbusFunction.EncapsulatedInterface:
                var access = (IdentificationAccess)argument;
                return new(new(1, function, argument, 0), pdu[..ReadDeviceIdentification.WriteRequest(pdu, access, (byte)address)]);
            default:
                pdu[0] = (byte)function;
                return new(new(1, function, 0, 0), pdu[..1]);
        }
    }
}

/// <summary>A unit that has everything.</summary>
internal sealed class WholeUnit : IModbusUnit
{
    public DeviceIdentification Identification { get; } = new()
    {
        VendorName = "vendor",
        ProductCode = "code",
        MajorMinorRevision = "1.0",
        ModelName = new('m', 200),
        Others = new Dictionary<byte, string> { [0x80] = new('x', 240) },
        ConformityLevel = 0x83,
    };

    public ReadOnlyMemory<byte> ServerId { get; } = new byte[] { 1, 0xFF };

    public byte? ExceptionStatus => 0x55;

    public bool HasDiagnostics => true;

    public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination) => ModbusExceptionCode.None;

    public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.None;

    public ModbusExceptionCode ReadFile(ushort file, ushort record, Span<ushort> destination) => ModbusExceptionCode.None;

    public ModbusExceptionCode WriteFile(ushort file, ushort record, ReadOnlySpan<ushort> values) => ModbusExceptionCode.None;

    public ModbusExceptionCode ReadFifo(ushort pointer, Span<ushort> destination, out int count)
    {
        count = pointer % 33;
        return ModbusExceptionCode.None;
    }
}
