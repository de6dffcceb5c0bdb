using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>What "MODBUS Application Protocol Specification V1.1b3" asks of a client: what it may send, and what it takes for an answer.</summary>
public sealed class ClientClauses
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    [Theory]
    [Trait("clause", "V1.1b3 6.1")]
    [Trait("clause", "V1.1b3 6.2")]
    [Trait("clause", "V1.1b3 6.3")]
    [Trait("clause", "V1.1b3 6.4")]
    [InlineData(RegisterTable.Coil, 0, 0)]
    [InlineData(RegisterTable.Coil, 0, 2001)]
    [InlineData(RegisterTable.DiscreteInput, 0, 2001)]
    [InlineData(RegisterTable.HoldingRegister, 0, 0)]
    [InlineData(RegisterTable.HoldingRegister, 0, 126)]
    [InlineData(RegisterTable.InputRegister, 0, 126)]
    [InlineData(RegisterTable.HoldingRegister, 65535, 2)]
    public async Task A_read_beyond_the_limits_is_never_sent(RegisterTable table, int address, int quantity)
    {
        var (client, requests) = Wire.ClientOf();
        await Assert.ThrowsAnyAsync<ArgumentException>(async () =>
            await client.ReadAsync(1, table, (ushort)address, quantity, new ushort[Math.Max(1, quantity)], Timeout));
        Assert.Empty(requests);
    }

    [Theory]
    [Trait("clause", "V1.1b3 6.11")]
    [Trait("clause", "V1.1b3 6.12")]
    [InlineData(RegisterTable.Coil, 0)]
    [InlineData(RegisterTable.Coil, 1969)]
    [InlineData(RegisterTable.HoldingRegister, 0)]
    [InlineData(RegisterTable.HoldingRegister, 124)]
    public async Task A_write_beyond_the_limits_is_never_sent(RegisterTable table, int quantity)
    {
        var (client, requests) = Wire.ClientOf();
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.WriteMultipleAsync(1, table, 0, new ushort[quantity], Timeout));
        Assert.Empty(requests);
    }

    [Theory, Trait("clause", "V1.1b3 6.17")]
    [InlineData(0, 1)]
    [InlineData(126, 1)]
    [InlineData(1, 0)]
    [InlineData(1, 122)]
    public async Task A_read_write_beyond_the_limits_is_never_sent(int toRead, int toWrite)
    {
        var (client, requests) = Wire.ClientOf();
        await Assert.ThrowsAnyAsync<ArgumentException>(async () =>
            await client.ReadWriteAsync(1, 0, toRead, new ushort[200], 0, new ushort[toWrite], Timeout));
        Assert.Empty(requests);
    }

    [Theory, Trait("clause", "V1.1b3 6.14")]
    [InlineData(0, 0, 1)]
    [InlineData(1, 10000, 1)]
    [InlineData(1, 9999, 2)]
    [InlineData(1, 0, 122)]
    [InlineData(1, 0, 0)]
    public async Task A_file_record_that_cannot_be_is_never_asked_for(int file, int record, int quantity)
    {
        var (client, requests) = Wire.ClientOf();
        await Assert.ThrowsAnyAsync<ArgumentException>(async () =>
            await client.ReadFileRecordAsync(1, (ushort)file, (ushort)record, quantity, new ushort[200], Timeout));
        Assert.Empty(requests);
    }

    [Theory, Trait("clause", "V1.1b3 6.3")]
    [InlineData("03 04 00 01 00 02", ModbusStatus.Ok)]
    [InlineData("03 02 00 01", ModbusStatus.ShortReply)]
    [InlineData("03 04 00 01", ModbusStatus.ShortReply)]
    [InlineData("03 06 00 01 00 02 00 03", ModbusStatus.Malformed)]
    [InlineData("04 04 00 01 00 02", ModbusStatus.WrongFunction)]
    [InlineData("83 02", ModbusStatus.Exception)]
    [InlineData("83", ModbusStatus.ShortReply)]
    [InlineData("83 00", ModbusStatus.Malformed)]
    [InlineData("84 02", ModbusStatus.WrongFunction)]
    public async Task Only_an_answer_with_the_function_and_byte_count_of_the_request_gives_values(string response, ModbusStatus expected)
    {
        var values = new ushort[2];
        var (client, _) = Wire.ClientOf(response);
        var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 2, values, Timeout);
        Assert.Equal(expected, outcome.Status);
        Assert.Equal(expected == ModbusStatus.Ok ? [1, 2] : [0, 0], values);
    }

    [Theory]
    [Trait("clause", "V1.1b3 6.5")]
    [Trait("clause", "V1.1b3 6.6")]
    [Trait("clause", "V1.1b3 6.12")]
    [InlineData("06 00 05 00 07", ModbusStatus.Ok)]
    [InlineData("06 00 05 00 08", ModbusStatus.Malformed)]
    [InlineData("06 00 06 00 07", ModbusStatus.Malformed)]
    [InlineData("06 00 05", ModbusStatus.ShortReply)]
    public async Task A_write_is_done_only_when_the_answer_repeats_it(string response, ModbusStatus expected)
    {
        var (client, _) = Wire.ClientOf(response);
        Assert.Equal(expected, (await client.WriteSingleAsync(1, RegisterTable.HoldingRegister, 5, 7, Timeout)).Status);
    }

    [Theory, Trait("clause", "V1.1b3 6.16")]
    [InlineData("16 00 05 00 F2 00 25", ModbusStatus.Ok)]
    [InlineData("16 00 05 00 F2 00 24", ModbusStatus.Malformed)]
    [InlineData("16 00 05 00 F3 00 25", ModbusStatus.Malformed)]
    [InlineData("16 00 05 00 F2", ModbusStatus.ShortReply)]
    public async Task A_mask_write_is_done_only_when_the_answer_repeats_both_masks(string response, ModbusStatus expected)
    {
        var (client, _) = Wire.ClientOf(response);
        Assert.Equal(expected, (await client.MaskWriteAsync(1, 5, 0xF2, 0x25, Timeout)).Status);
    }

    [Theory, Trait("clause", "V1.1b3 6.15")]
    [InlineData("15 09 06 00 01 00 02 00 01 00 07", ModbusStatus.Ok)]
    [InlineData("15 09 06 00 01 00 02 00 01 00 08", ModbusStatus.Malformed)]
    [InlineData("15 09 06 00 02 00 02 00 01 00 07", ModbusStatus.Malformed)]
    [InlineData("15 09 06 00 01 00 02 00 01", ModbusStatus.ShortReply)]
    public async Task A_file_write_is_done_only_when_the_answer_repeats_it_to_the_last_byte(string response, ModbusStatus expected)
    {
        var (client, _) = Wire.ClientOf(response);
        Assert.Equal(expected, (await client.WriteFileRecordAsync(1, 1, 2, new ushort[] { 7 }, Timeout)).Status);
    }

    [Theory, Trait("clause", "V1.1b3 6.8")]
    [InlineData(DiagnosticFunction.ReturnQueryData, "08 00 00 12 34", ModbusStatus.Ok)]
    [InlineData(DiagnosticFunction.ReturnQueryData, "08 00 00 12 35", ModbusStatus.Malformed)]
    [InlineData(DiagnosticFunction.ReturnBusMessageCount, "08 00 0B 12 35", ModbusStatus.Ok)]
    [InlineData(DiagnosticFunction.ReturnBusMessageCount, "08 00 0C 12 35", ModbusStatus.Malformed)]
    [InlineData(DiagnosticFunction.ReturnBusMessageCount, "88 01", ModbusStatus.Exception)]
    public async Task A_diagnostic_answer_repeats_the_sub_function_and_query_data_its_data(DiagnosticFunction function, string response, ModbusStatus expected)
    {
        var (client, _) = Wire.ClientOf(response);
        Assert.Equal(expected, (await client.DiagnosticsAsync(1, function, 0x1234, Timeout)).Outcome.Status);
    }

    [Theory, Trait("clause", "V1.1b3 6.18")]
    [InlineData("18 00 04 00 01 00 07", ModbusStatus.Ok)]
    [InlineData("18 00 04 00 02 00 07", ModbusStatus.Malformed)]
    [InlineData("18 00 42 00 20", ModbusStatus.Malformed)]
    [InlineData("18 00 04 00 01", ModbusStatus.ShortReply)]
    public async Task A_queue_whose_counts_disagree_or_pass_31_is_not_taken(string response, ModbusStatus expected)
    {
        var (client, _) = Wire.ClientOf(response);
        Assert.Equal(expected, (await client.ReadFifoQueueAsync(1, 0, new ushort[31], Timeout)).Outcome.Status);
    }

    [Fact, Trait("clause", "V1.1b3 6.21")]
    public async Task Identification_follows_the_stream_up_to_the_level_that_the_device_has()
    {
        ConformingUnit unit = new() { Identification = ServerClauses.Long() };
        var (client, requests) = ClientOf(unit);
        var (outcome, identification) = await client.ReadDeviceIdentificationAsync(1, Timeout);

        Assert.True(outcome.IsOk);
        Assert.True(identification!.IsComplete);
        Assert.Equal(ServerClauses.Long().ModelName, identification.ModelName);
        Assert.Equal(ServerClauses.Long().Others.OrderBy(o => o.Key), identification.Others.OrderBy(o => o.Key));

        // Basic in one; all three levels in three: vendor to revision, the model, the maker's own, whose last did not fit.
        Assert.Equal(["2B 0E 01 00", "2B 0E 03 00", "2B 0E 03 05", "2B 0E 03 80", "2B 0E 03 FF"], requests);
    }

    [Theory, Trait("clause", "V1.1b3 6.21")]
    [InlineData("2B 0E 01 01 FF 00 01 00 01 41")]
    [InlineData("2B 0E 01 01 FF 01 00")]
    [InlineData("2B 0E 01 01 FF 01 01 00 01 41|AB 04")]
    [InlineData("2B 0E 01 01 FF 01 01 00 01 41|2B 0E 01 01 FF 01 01 01 01 42")]
    public async Task A_device_that_breaks_off_or_goes_in_circles_gives_what_it_gave_so_far(string responses)
    {
        var (client, _) = Wire.ClientOf(responses.Split('|'));
        var (outcome, identification) = await client.ReadDeviceIdentificationAsync(1, Timeout);
        Assert.True(outcome.IsOk);
        Assert.False(identification!.IsComplete);
    }

    [Fact, Trait("clause", "V1.1b3 6.21")]
    public async Task A_stream_without_end_is_left_after_64_requests()
    {
        // A device that announces the next object each time, and whose ids never run out within the bound.
        var asked = 0;
        var (client, _) = Wire.ClientOf([.. Enumerable.Range(1, 200).Select(i => $"2B 0E 01 01 FF {i:X2} 01 {i - 1:X2} 01 41")]);
        client.Tap = new CountingTap(() => asked++);
        var (_, identification) = await client.ReadDeviceIdentificationAsync(1, Timeout);
        Assert.False(identification!.IsComplete);
        Assert.Equal(64, asked);
    }

    [Fact, Trait("clause", "V1.1b3 6.21")]
    public async Task Texts_of_a_device_can_be_printed_whatever_their_bytes()
    {
        var (client, _) = Wire.ClientOf("2B 0E 04 81 00 00 01 00 09 41 1B 5B 0A FF C3 A9 00 00");
        var (outcome, text) = await client.ReadIdentificationObjectAsync(1, 0, Timeout);
        Assert.True(outcome.IsOk);
        Assert.Equal(@"A\x1B[\x0A\xFFé", text);
    }

    [Theory, Trait("clause", "V1.1b3 7")]
    [InlineData("83 01", ModbusExceptionCode.IllegalFunction, "illegal function")]
    [InlineData("83 02", ModbusExceptionCode.IllegalDataAddress, "illegal data address")]
    [InlineData("83 03", ModbusExceptionCode.IllegalDataValue, "illegal data value")]
    [InlineData("83 04", ModbusExceptionCode.ServerDeviceFailure, "device failure")]
    [InlineData("83 05", ModbusExceptionCode.Acknowledge, "needs more time")]
    [InlineData("83 06", ModbusExceptionCode.ServerDeviceBusy, "busy")]
    [InlineData("83 08", ModbusExceptionCode.MemoryParityError, "memory parity")]
    [InlineData("83 0A", ModbusExceptionCode.GatewayPathUnavailable, "no path")]
    [InlineData("83 0B", ModbusExceptionCode.GatewayTargetFailedToRespond, "behind the Modbus gateway")]
    [InlineData("83 7E", (ModbusExceptionCode)0x7E, "does not define")]
    public async Task An_exception_is_told_with_its_code_and_in_words(string response, ModbusExceptionCode code, string words)
    {
        var (client, _) = Wire.ClientOf(response);
        var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 1, new ushort[1], Timeout);
        Assert.Equal(ModbusOutcome.Refused(code), outcome);
        Assert.Contains(words, outcome.Describe(), StringComparison.Ordinal);
    }

    private static (ModbusTcpClient Client, List<string> Requests) ClientOf(ConformingUnit unit)
    {
        List<string> requests = [];
        AnsweringLine line = new(request =>
        {
            requests.Add(Wire.Text(request.AsSpan(MbapHeader.Size)));
            Assert.True(MbapHeader.TryRead(request, out var header));
            var adu = new byte[MbapHeader.Size + Pdu.MaxLength];
            var length = RequestHandler.Handle(request.AsSpan(MbapHeader.Size), unit, adu.AsSpan(MbapHeader.Size));
            new MbapHeader(header.TransactionId, header.Unit, length).Write(adu);
            return adu[..(MbapHeader.Size + length)];
        });
        return (new((_, _) => ValueTask.FromResult<EdgeGateway.Protocols.Serial.IByteLine>(line), TimeProvider.System), requests);
    }

    private sealed class CountingTap(Action sent) : IModbusTap
    {
        public void Sent(ReadOnlySpan<byte> bytes) => sent();

        public void Received(ReadOnlySpan<byte> bytes)
        {
        }

        public void LineChanged(bool isOpen)
        {
        }
    }
}
