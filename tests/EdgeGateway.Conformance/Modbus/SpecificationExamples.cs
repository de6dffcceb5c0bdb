using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>The examples and limits of "MODBUS Application Protocol Specification V1.1b3" and of "MODBUS over Serial Line V1.02".</summary>
public sealed class SpecificationExamples
{
    private readonly byte[] _pdu = new byte[Pdu.MaxLength];

    private static byte[] Hex(string bytes) => Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal));

    private static ushort[] Bits(int from, int count, params int[] on) =>
        [.. Enumerable.Range(from, count).Select(i => on.Contains(i) ? (ushort)1 : (ushort)0)];

    [Fact, Trait("clause", "MODBUS V1.1b3 6.1")]
    public void Read_coils_example()
    {
        var length = ReadBits.WriteRequest(_pdu, RegisterTable.Coil, 0x13, 0x13);
        Assert.Equal(Hex("01 00 13 00 13"), _pdu[..length]);

        // Coils 20 to 38: CD 6B 05.
        var values = new ushort[19];
        Assert.True(ReadBits.ReadResponse(Hex("01 03 CD 6B 05"), RegisterTable.Coil, values).IsOk);
        Assert.Equal(Bits(20, 19, 20, 22, 23, 26, 27, 28, 29, 31, 33, 34, 36, 38), values);
        Assert.Equal(Hex("01 03 CD 6B 05"), _pdu[..ReadBits.WriteResponse(_pdu, RegisterTable.Coil, values)]);
    }

    [Fact, Trait("clause", "MODBUS V1.1b3 6.2")]
    public void Read_discrete_inputs_example()
    {
        var length = ReadBits.WriteRequest(_pdu, RegisterTable.DiscreteInput, 0xC4, 0x16);
        Assert.Equal(Hex("02 00 C4 00 16"), _pdu[..length]);

        // Inputs 197 to 218: AC DB 35.
        var values = new ushort[22];
        Assert.True(ReadBits.ReadResponse(Hex("02 03 AC DB 35"), RegisterTable.DiscreteInput, values).IsOk);
        Assert.Equal(Bits(197, 22, 199, 200, 202, 204, 205, 206, 208, 209, 211, 212, 213, 215, 217, 218), values);
        Assert.Equal(Hex("02 03 AC DB 35"), _pdu[..ReadBits.WriteResponse(_pdu, RegisterTable.DiscreteInput, values)]);
    }

    [Fact, Trait("clause", "MODBUS V1.1b3 6.3")]
    public void Read_holding_registers_example()
    {
        var length = ReadRegisters.WriteRequest(_pdu, RegisterTable.HoldingRegister, 0x6B, 3);
        Assert.Equal(Hex("03 00 6B 00 03"), _pdu[..length]);

        var values = new ushort[3];
        Assert.True(ReadRegisters.ReadResponse(Hex("03 06 02 2B 00 00 00 64"), RegisterTable.HoldingRegister, values).IsOk);
        Assert.Equal([555, 0, 100], values);
        Assert.Equal(Hex("03 06 02 2B 00 00 00 64"), _pdu[..ReadRegisters.WriteResponse(_pdu, RegisterTable.HoldingRegister, values)]);
    }

    [Fact, Trait("clause", "MODBUS V1.1b3 6.4")]
    public void Read_input_registers_example()
    {
        var length = ReadRegisters.WriteRequest(_pdu, RegisterTable.InputRegister, 8, 1);
        Assert.Equal(Hex("04 00 08 00 01"), _pdu[..length]);

        var values = new ushort[1];
        Assert.True(ReadRegisters.ReadResponse(Hex("04 02 00 0A"), RegisterTable.InputRegister, values).IsOk);
        Assert.Equal([10], values);
    }

    [Fact, Trait("clause", "MODBUS V1.1b3 6.5")]
    public void Write_single_coil_example()
    {
        Assert.Equal(Hex("05 00 AC FF 00"), _pdu[..WriteSingleCoil.WriteRequest(_pdu, 0xAC, true)]);
        Assert.True(WriteSingleCoil.ReadResponse(Hex("05 00 AC FF 00"), 0xAC, true).IsOk);
        Assert.Equal(ModbusStatus.Malformed, WriteSingleCoil.ReadResponse(Hex("05 00 AC 00 00"), 0xAC, true).Status);
    }

    [Fact, Trait("clause", "MODBUS V1.1b3 6.6")]
    public void Write_single_register_example()
    {
        Assert.Equal(Hex("06 00 01 00 03"), _pdu[..WriteSingleRegister.WriteRequest(_pdu, 1, 3)]);
        Assert.True(WriteSingleRegister.ReadResponse(Hex("06 00 01 00 03"), 1, 3).IsOk);
    }

    [Fact, Trait("clause", "MODBUS V1.1b3 6.11")]
    public void Write_multiple_coils_example()
    {
        // Ten coils from 20: CD 01.
        var length = WriteMultipleCoils.WriteRequest(_pdu, 0x13, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]);
        Assert.Equal(Hex("0F 00 13 00 0A 02 CD 01"), _pdu[..length]);
        Assert.True(WriteMultipleCoils.ReadResponse(Hex("0F 00 13 00 0A"), 0x13, 10).IsOk);
    }

    [Fact, Trait("clause", "MODBUS V1.1b3 6.12")]
    public void Write_multiple_registers_example()
    {
        var length = WriteMultipleRegisters.WriteRequest(_pdu, 1, [0x000A, 0x0102]);
        Assert.Equal(Hex("10 00 01 00 02 04 00 0A 01 02"), _pdu[..length]);
        Assert.True(WriteMultipleRegisters.ReadResponse(Hex("10 00 01 00 02"), 1, 2).IsOk);
    }

    [Theory, Trait("clause", "MODBUS V1.1b3 7")]
    [InlineData("81 01", ModbusExceptionCode.IllegalFunction)]
    [InlineData("81 02", ModbusExceptionCode.IllegalDataAddress)]
    [InlineData("81 0B", ModbusExceptionCode.GatewayTargetFailedToRespond)]
    public void Exception_response(string response, ModbusExceptionCode code) =>
        Assert.Equal(ModbusOutcome.Refused(code), ReadBits.ReadResponse(Hex(response), RegisterTable.Coil, new ushort[1]));

    // What a server must refuse, in the order of the state diagrams: function, quantity, address.
    [Theory]
    [Trait("clause", "MODBUS V1.1b3 6.1-6.12")]
    [InlineData("07", "87 01")]
    [InlineData("2B 0E 01 00", "AB 01")]
    [InlineData("01 00 00 00 00", "81 03")]
    [InlineData("01 00 00 07 D1", "81 03")]
    [InlineData("02 00 00 07 D1", "82 03")]
    [InlineData("03 00 00 00 00", "83 03")]
    [InlineData("03 00 00 00 7E", "83 03")]
    [InlineData("04 00 00 00 7E", "84 03")]
    [InlineData("03 FF FF 00 02", "83 02")]
    [InlineData("04 00 0A 00 01", "84 02")]
    [InlineData("05 00 00 12 34", "85 03")]
    [InlineData("05 00 0A FF 00", "85 02")]
    [InlineData("06 00 0A 00 01", "86 02")]
    [InlineData("0F 00 00 07 B1 01 00", "8F 03")]
    [InlineData("0F 00 00 00 09 01 00", "8F 03")]
    [InlineData("10 00 00 00 7C 01 00", "90 03")]
    [InlineData("10 00 00 00 01 03 00 00 00", "90 03")]
    [InlineData("10 00 00 00 00 00", "90 03")]
    [InlineData("10 FF FF 00 02 04 00 00 00 00", "90 02")]
    [InlineData("03 00 00 00 02", "03 04 00 00 00 01")]
    public void Server_refuses_what_the_specification_says(string request, string response)
    {
        var length = RequestHandler.Handle(Hex(request), new TenRegisters(), _pdu);
        Assert.Equal(Hex(response), _pdu[..length]);
    }

    [Theory, Trait("clause", "MODBUS over Serial Line V1.02 6.2.2")]
    [InlineData("02 07", 0x1241)]                   // The example of the appendix: 0x1241, sent as 41 12.
    [InlineData("01 03 00 00 00 0A", 0xCDC5)]
    [InlineData("11 03 00 6B 00 03", 0x8776)]
    public void CRC_of_known_frames(string bytes, int crc) => Assert.Equal(crc, Crc16.Of(Hex(bytes)));

    [Fact, Trait("clause", "MODBUS over Serial Line V1.02 2.5.1.2")]
    public void The_low_byte_of_the_CRC_goes_first()
    {
        var frame = Hex("01 03 00 00 00 0A 00 00");
        Assert.Equal(8, RtuFrame.Finish(frame, 1, 5));
        Assert.Equal(Hex("01 03 00 00 00 0A C5 CD"), frame);
    }

    private sealed class TenRegisters : IModbusUnit
    {
        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            for (var i = 0; i < destination.Length; i++)
            {
                destination[i] = (ushort)(address + i);
            }

            return Check(address, destination.Length);
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => Check(address, values.Length);

        private static ModbusExceptionCode Check(int address, int count) =>
            address + count > 10 ? ModbusExceptionCode.IllegalDataAddress : ModbusExceptionCode.None;
    }
}
