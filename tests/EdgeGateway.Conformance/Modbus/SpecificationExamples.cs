using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>The worked examples of "MODBUS Application Protocol Specification V1.1b3", as a client writes and reads them and as a server does.</summary>
public sealed class SpecificationExamples
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly byte[] _pdu = new byte[Pdu.MaxLength];

    private static byte[] Hex(string bytes) => Wire.Hex(bytes);

    private static ushort[] Bits(int from, int count, params int[] on) =>
        [.. Enumerable.Range(from, count).Select(i => on.Contains(i) ? (ushort)1 : (ushort)0)];

    [Fact, Trait("clause", "V1.1b3 6.1")]
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

    [Fact, Trait("clause", "V1.1b3 6.2")]
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

    [Fact, Trait("clause", "V1.1b3 6.3")]
    public void Read_holding_registers_example()
    {
        var length = ReadRegisters.WriteRequest(_pdu, RegisterTable.HoldingRegister, 0x6B, 3);
        Assert.Equal(Hex("03 00 6B 00 03"), _pdu[..length]);

        var values = new ushort[3];
        Assert.True(ReadRegisters.ReadResponse(Hex("03 06 02 2B 00 00 00 64"), RegisterTable.HoldingRegister, values).IsOk);
        Assert.Equal([555, 0, 100], values);
        Assert.Equal(Hex("03 06 02 2B 00 00 00 64"), _pdu[..ReadRegisters.WriteResponse(_pdu, RegisterTable.HoldingRegister, values)]);
    }

    [Fact, Trait("clause", "V1.1b3 6.4")]
    public void Read_input_registers_example()
    {
        var length = ReadRegisters.WriteRequest(_pdu, RegisterTable.InputRegister, 8, 1);
        Assert.Equal(Hex("04 00 08 00 01"), _pdu[..length]);

        var values = new ushort[1];
        Assert.True(ReadRegisters.ReadResponse(Hex("04 02 00 0A"), RegisterTable.InputRegister, values).IsOk);
        Assert.Equal([10], values);
        Assert.Equal(Hex("04 02 00 0A"), _pdu[..ReadRegisters.WriteResponse(_pdu, RegisterTable.InputRegister, values)]);
    }

    [Fact, Trait("clause", "V1.1b3 6.5")]
    public void Write_single_coil_example()
    {
        Assert.Equal(Hex("05 00 AC FF 00"), _pdu[..WriteSingleCoil.WriteRequest(_pdu, 0xAC, true)]);
        Assert.True(WriteSingleCoil.ReadResponse(Hex("05 00 AC FF 00"), 0xAC, true).IsOk);
        Assert.Equal(ModbusStatus.Malformed, WriteSingleCoil.ReadResponse(Hex("05 00 AC 00 00"), 0xAC, true).Status);
    }

    [Fact, Trait("clause", "V1.1b3 6.6")]
    public void Write_single_register_example()
    {
        Assert.Equal(Hex("06 00 01 00 03"), _pdu[..WriteSingleRegister.WriteRequest(_pdu, 1, 3)]);
        Assert.True(WriteSingleRegister.ReadResponse(Hex("06 00 01 00 03"), 1, 3).IsOk);
        Assert.Equal("06 00 01 00 03", Wire.Ask("06 00 01 00 03", new ConformingUnit()));
    }

    [Fact, Trait("clause", "V1.1b3 6.7")]
    public async Task Read_exception_status_example()
    {
        Assert.Equal("07 6D", Wire.Ask("07", new ConformingUnit()));

        var (client, requests) = Wire.ClientOf("07 6D");
        Assert.Equal((ModbusOutcome.Ok, (byte)0x6D), await client.ReadExceptionStatusAsync(1, Timeout));
        Assert.Equal(["07"], requests);
    }

    [Fact, Trait("clause", "V1.1b3 6.8")]
    public async Task Return_query_data_example()
    {
        Assert.Equal("08 00 00 A5 37", Wire.Ask("08 00 00 A5 37", new ConformingUnit(), new()));

        var (client, requests) = Wire.ClientOf("08 00 00 A5 37");
        Assert.Equal((ModbusOutcome.Ok, (ushort)0xA537), await client.DiagnosticsAsync(1, DiagnosticFunction.ReturnQueryData, 0xA537, Timeout));
        Assert.Equal(["08 00 00 A5 37"], requests);
    }

    [Fact, Trait("clause", "V1.1b3 6.9")]
    public async Task Get_comm_event_counter_example()
    {
        // The example's device is still busy with an earlier command: status FFFF.
        var (client, requests) = Wire.ClientOf("0B FF FF 01 08");
        Assert.Equal((ModbusOutcome.Ok, new CommEventCounter(IsBusy: true, 264)), await client.GetCommEventCounterAsync(1, Timeout));
        Assert.Equal(["0B"], requests);
        Assert.Equal("0B FF FF 01 08", Wire.Text(_pdu.AsSpan(0, GetCommEventCounter.WriteResponse(_pdu, new(IsBusy: true, 264)))));
    }

    [Fact, Trait("clause", "V1.1b3 6.10")]
    public async Task Get_comm_event_log_example()
    {
        var (client, requests) = Wire.ClientOf("0C 08 00 00 01 08 01 21 20 00");
        var (outcome, log) = await client.GetCommEventLogAsync(1, Timeout);
        Assert.True(outcome.IsOk);
        Assert.Equal((false, 264, 289), (log!.IsBusy, log.Events, log.Messages));
        Assert.Equal(Hex("20 00"), log.Log.ToArray());
        Assert.Equal(["0C"], requests);
        Assert.Equal("0C 08 00 00 01 08 01 21 20 00", Wire.Text(_pdu.AsSpan(0, GetCommEventLog.WriteResponse(_pdu, isBusy: false, 264, 289, [0x20, 0x00]))));
    }

    [Fact, Trait("clause", "V1.1b3 6.11")]
    public void Write_multiple_coils_example()
    {
        // Ten coils from 20: CD 01.
        var length = WriteMultipleCoils.WriteRequest(_pdu, 0x13, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]);
        Assert.Equal(Hex("0F 00 13 00 0A 02 CD 01"), _pdu[..length]);
        Assert.True(WriteMultipleCoils.ReadResponse(Hex("0F 00 13 00 0A"), 0x13, 10).IsOk);
    }

    [Fact, Trait("clause", "V1.1b3 6.12")]
    public void Write_multiple_registers_example()
    {
        var length = WriteMultipleRegisters.WriteRequest(_pdu, 1, [0x000A, 0x0102]);
        Assert.Equal(Hex("10 00 01 00 02 04 00 0A 01 02"), _pdu[..length]);
        Assert.True(WriteMultipleRegisters.ReadResponse(Hex("10 00 01 00 02"), 1, 2).IsOk);
        Assert.Equal("10 00 01 00 02", Wire.Ask("10 00 01 00 02 04 00 0A 01 02", new ConformingUnit()));
    }

    [Fact, Trait("clause", "V1.1b3 6.13")]
    public async Task Server_id_is_an_id_a_run_indicator_and_what_the_device_likes()
    {
        Assert.Equal("11 04 2A FF 45 58", Wire.Ask("11", new ConformingUnit()));

        var (client, requests) = Wire.ClientOf("11 04 2A FF 45 58");
        var (outcome, id) = await client.ReportServerIdAsync(1, Timeout);
        Assert.True(outcome.IsOk);
        Assert.Equal(("*", true, "EX"), (id!.Id, id.IsRunning, id.Additional));
        Assert.Equal(["11"], requests);
    }

    [Fact, Trait("clause", "V1.1b3 6.14")]
    public async Task Read_file_record_example()
    {
        ConformingUnit unit = new();
        unit.WriteFile(4, 1, [0x0DFE, 0x0020]);
        unit.WriteFile(3, 9, [0x33CD, 0x0040]);
        Assert.Equal(
            "14 0C 05 06 0D FE 00 20 05 06 33 CD 00 40",
            Wire.Ask("14 0E 06 00 04 00 01 00 02 06 00 03 00 09 00 02", unit));

        // A client here asks for one run at a time.
        var values = new ushort[2];
        var (client, requests) = Wire.ClientOf("14 06 05 06 0D FE 00 20");
        Assert.True((await client.ReadFileRecordAsync(1, 4, 1, 2, values, Timeout)).IsOk);
        Assert.Equal([0x0DFE, 0x0020], values);
        Assert.Equal(["14 07 06 00 04 00 01 00 02"], requests);
    }

    [Fact, Trait("clause", "V1.1b3 6.15")]
    public async Task Write_file_record_example()
    {
        const string Example = "15 0D 06 00 04 00 07 00 03 06 AF 04 BE 10 0D";
        ConformingUnit unit = new();
        Assert.Equal(Example, Wire.Ask(Example, unit));
        Assert.Equal([0x06AF, 0x04BE, 0x100D], new[] { unit.Files[(4, 7)], unit.Files[(4, 8)], unit.Files[(4, 9)] });

        var (client, requests) = Wire.ClientOf(Example);
        Assert.True((await client.WriteFileRecordAsync(1, 4, 7, new ushort[] { 0x06AF, 0x04BE, 0x100D }, Timeout)).IsOk);
        Assert.Equal([Example], requests);
    }

    [Fact, Trait("clause", "V1.1b3 6.16")]
    public async Task Mask_write_register_example()
    {
        // 12 with AND mask F2 and OR mask 25 becomes 17.
        ConformingUnit unit = new();
        unit.Holding[4] = 0x12;
        Assert.Equal("16 00 04 00 F2 00 25", Wire.Ask("16 00 04 00 F2 00 25", unit));
        Assert.Equal(0x17, unit.Holding[4]);

        var (client, requests) = Wire.ClientOf("16 00 04 00 F2 00 25");
        Assert.True((await client.MaskWriteAsync(1, 4, 0xF2, 0x25, Timeout)).IsOk);
        Assert.Equal(["16 00 04 00 F2 00 25"], requests);
    }

    [Fact, Trait("clause", "V1.1b3 6.17")]
    public async Task Read_write_multiple_registers_example()
    {
        var values = new ushort[6];
        var (client, requests) = Wire.ClientOf("17 0C 00 FE 0A CD 00 01 00 03 00 0D 00 FF");
        Assert.True((await client.ReadWriteAsync(1, 3, 6, values, 14, new ushort[] { 0xFF, 0xFF, 0xFF }, Timeout)).IsOk);
        Assert.Equal([0x00FE, 0x0ACD, 0x0001, 0x0003, 0x000D, 0x00FF], values);
        Assert.Equal(["17 00 03 00 06 00 0E 00 03 06 00 FF 00 FF 00 FF"], requests);
    }

    [Fact, Trait("clause", "V1.1b3 6.18")]
    public async Task Read_FIFO_queue_example()
    {
        Assert.Equal("18 00 06 00 02 01 B8 12 84", Wire.Ask("18 04 DE", new ConformingUnit()));

        var values = new ushort[ReadFifoQueue.MaxCount];
        var (client, requests) = Wire.ClientOf("18 00 06 00 02 01 B8 12 84");
        Assert.Equal((ModbusOutcome.Ok, 2), await client.ReadFifoQueueAsync(1, 0x04DE, values, Timeout));
        Assert.Equal([0x01B8, 0x1284], values[..2]);
        Assert.Equal(["18 04 DE"], requests);
    }

    [Fact, Trait("clause", "V1.1b3 6.21")]
    public async Task Basic_device_identification_example()
    {
        // As in the example: vendor, product code, revision V2.11; the lengths are those of the texts.
        var response = "2B 0E 01 01 00 00 03 00 07 45 78 61 6D 70 6C 65 01 04 45 58 2D 31 02 05 56 32 2E 31 31";
        ConformingUnit unit = new();
        unit.Identification = unit.Identification! with { ConformityLevel = 1 };
        Assert.Equal(response, Wire.Ask("2B 0E 01 00", unit));

        var (client, requests) = Wire.ClientOf(response);
        var (outcome, identification) = await client.ReadDeviceIdentificationAsync(1, Timeout);
        Assert.True(outcome.IsOk);
        Assert.Equal(("Example", "EX-1", "V2.11"), (identification!.VendorName, identification.ProductCode, identification.MajorMinorRevision));
        Assert.Equal((1, true, null), (identification.ConformityLevel, identification.IsComplete, identification.ModelName));
        Assert.Equal(["2B 0E 01 00"], requests);
    }

    [Theory, Trait("clause", "V1.1b3 7")]
    [InlineData("81 01", ModbusExceptionCode.IllegalFunction)]
    [InlineData("81 02", ModbusExceptionCode.IllegalDataAddress)]
    [InlineData("81 0B", ModbusExceptionCode.GatewayTargetFailedToRespond)]
    public void Exception_response(string response, ModbusExceptionCode code) =>
        Assert.Equal(ModbusOutcome.Refused(code), ReadBits.ReadResponse(Hex(response), RegisterTable.Coil, new ushort[1]));
}
