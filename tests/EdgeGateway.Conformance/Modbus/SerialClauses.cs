using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>What "MODBUS over Serial Line Specification and Implementation Guide V1.02" asks of an RTU client and server.</summary>
public sealed class SerialClauses
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly SerialSettings Settings = new() { Baud = 19200, Parity = SerialParity.Even };

    private readonly ConformingUnit _unit = new();

    [Fact, Trait("clause", "Serial V1.02 2.1")]
    public async Task A_broadcast_write_is_carried_out_by_all_units_and_answered_by_none()
    {
        MemoryLine line = new();
        ConformingUnit other = new();
        await using var server = ModbusRtuServer.Start(line, id => id == 1 ? _unit : id == 9 ? other : null);
        line.Arrive(Wire.Rtu("00 06 00 01 00 63"));

        // The next request is answered, the broadcast before it was not.
        line.Arrive(Wire.Rtu("01 03 00 01 00 01"));
        Assert.Equal(Wire.Text(Wire.Rtu("01 03 02 00 63")), await line.AnswerAsync());
        Assert.Equal(0x63, other.Holding[1]);
    }

    [Theory, Trait("clause", "Serial V1.02 2.1")]
    [InlineData("00 03 00 01 00 01")]
    [InlineData("00 17 00 00 00 01 00 01 00 01 02 00 63")]
    [InlineData("00 08 00 04 00 00")]
    public async Task A_broadcast_of_anything_but_a_write_does_nothing(string broadcast)
    {
        MemoryLine line = new();
        await using var server = ModbusRtuServer.Start(line, _ => _unit);
        line.Arrive(Wire.Rtu(broadcast));
        line.Arrive(Wire.Rtu("01 03 00 01 00 01"));
        Assert.Equal(Wire.Text(Wire.Rtu("01 03 02 00 01")), await line.AnswerAsync());
    }

    [Fact, Trait("clause", "Serial V1.02 2.1")]
    public async Task A_client_does_not_wait_for_an_answer_to_a_broadcast()
    {
        var (client, line) = ClientOf(_ => null);
        Assert.True((await client.WriteSingleAsync(0, RegisterTable.HoldingRegister, 1, 7, Timeout)).IsOk);
        Assert.Equal(Wire.Text(Wire.Rtu("00 06 00 01 00 07")), Wire.Text(line.Written[0]));
    }

    [Fact, Trait("clause", "Serial V1.02 2.2")]
    public async Task A_client_refuses_to_ask_all_units_for_data()
    {
        var (client, line) = ClientOf(_ => null);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () =>
            await client.ReadAsync(0, RegisterTable.HoldingRegister, 0, 1, new ushort[1], Timeout));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await client.ReportServerIdAsync(0, Timeout));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () =>
            await client.ReadWriteAsync(0, 0, 1, new ushort[1], 0, new ushort[1], Timeout));
        Assert.Empty(line.Written);
    }

    [Fact, Trait("clause", "Serial V1.02 2.2")]
    public async Task A_server_is_silent_about_requests_to_other_units()
    {
        MemoryLine line = new();
        await using var server = ModbusRtuServer.Start(line, id => id == 1 ? _unit : null);
        line.Arrive(Wire.Rtu("02 03 00 01 00 01"));
        line.Arrive(Wire.Rtu("01 03 00 02 00 01"));
        Assert.Equal(Wire.Text(Wire.Rtu("01 03 02 00 02")), await line.AnswerAsync());
    }

    [Fact, Trait("clause", "Serial V1.02 2.3")]
    public async Task The_first_byte_of_an_answer_is_the_unit_that_was_asked()
    {
        MemoryLine line = new();
        await using var server = ModbusRtuServer.Start(line, id => id == 247 ? _unit : null);
        line.Arrive(Wire.Rtu("F7 03 00 01 00 01"));
        Assert.Equal(Wire.Text(Wire.Rtu("F7 03 02 00 01")), await line.AnswerAsync());

        var (client, _) = ClientOf(_ => Wire.Rtu("02 03 02 00 01"));
        Assert.Equal(ModbusStatus.WrongUnit, (await Read(client)).Status);
    }

    [Fact, Trait("clause", "Serial V1.02 2.4.1")]
    public async Task A_client_whose_answer_is_damaged_or_missing_says_so()
    {
        var (silent, _) = ClientOf(_ => null);
        Assert.Equal(ModbusStatus.Timeout, (await Read(silent)).Status);

        var damaged = Wire.Rtu("01 03 02 00 01");
        damaged[^1] ^= 1;
        var (client, _) = ClientOf(_ => damaged);
        Assert.Equal(ModbusStatus.CorruptFrame, (await Read(client)).Status);
    }

    [Fact, Trait("clause", "Serial V1.02 2.4.1")]
    public void Devices_have_100_ms_to_act_on_a_broadcast() => Assert.Equal(TimeSpan.FromMilliseconds(100), new RtuTiming(Settings).TurnaroundDelay);

    [Fact, Trait("clause", "Serial V1.02 2.4.2")]
    public async Task A_server_does_not_answer_a_damaged_request_and_counts_it()
    {
        MemoryLine line = new();
        await using var server = ModbusRtuServer.Start(line, _ => _unit);
        line.Arrive(Wire.Rtu("01 03 00 01 00 01"));
        await line.AnswerAsync();
        var damaged = Wire.Rtu("01 03 00 01 00 01");
        damaged[^1] ^= 1;
        line.Arrive(damaged);

        line.Arrive(Wire.Rtu("01 08 00 0C 00 00"));
        Assert.Equal(Wire.Text(Wire.Rtu("01 08 00 0C 00 01")), await line.AnswerAsync());
    }

    [Theory, Trait("clause", "Serial V1.02 2.4.2")]
    [InlineData("01 41 00", "01 C1 01")]
    [InlineData("01 2B 0D 00 00 00 00", "01 AB 01")]
    [InlineData("01 03 00 01 00 01 00", "01 83 03")]
    public async Task A_request_that_makes_no_sense_but_has_a_right_CRC_is_refused(string request, string answer)
    {
        MemoryLine line = new();
        await using var server = ModbusRtuServer.Start(line, _ => _unit);
        line.Arrive(Wire.Rtu(request));
        Assert.Equal(Wire.Text(Wire.Rtu(answer)), await line.AnswerAsync());
    }

    [Fact, Trait("clause", "Serial V1.02 2.5.1")]
    public void A_character_has_11_bits_with_parity_and_the_standard_s_line_is_19200_8E1()
    {
        Assert.Equal(11, Settings.BitsPerCharacter);
        Assert.Equal("19200 8E1", Settings.ToString());
    }

    [Theory, Trait("clause", "Serial V1.02 2.5.1.1")]
    [InlineData(1200, 32083)]
    [InlineData(9600, 4010)]
    [InlineData(19200, 2005)]
    [InlineData(38400, 1750)]
    [InlineData(115200, 1750)]
    public void Frames_are_parted_by_three_and_a_half_characters_or_1_75_ms_above_19200_baud(int baud, int microseconds) =>
        Assert.Equal(microseconds, new RtuTiming(Settings with { Baud = baud }).Silence.TotalMicroseconds, 1.0);

    [Fact, Trait("clause", "Serial V1.02 2.5.1.1")]
    public async Task The_longest_frame_has_256_bytes()
    {
        MemoryLine line = new();
        Assert.Equal(256, RtuFrame.MaxLength);

        // 256 bytes: 123 registers to write. 10 | address | quantity | count | 246 bytes is a PDU of 252, a frame of 255; 21 fills it.
        await using var server = ModbusRtuServer.Start(line, _ => _unit);
        var longest = Wire.Rtu("01 15 FB 06 00 01 00 00 00 7A" + string.Concat(Enumerable.Repeat(" 00 07", 122)));
        Assert.Equal(256, longest.Length);
        line.Arrive(longest);
        Assert.Equal(Wire.Text(longest), await line.AnswerAsync());
    }

    [Theory]
    [Trait("clause", "Serial V1.02 2.5.1.2")]
    [Trait("clause", "Serial V1.02 6.2.2")]
    [InlineData("02 07", 0x1241)]                   // The example of the appendix: 0x1241, sent as 41 12.
    [InlineData("01 03 00 00 00 0A", 0xCDC5)]
    [InlineData("11 03 00 6B 00 03", 0x8776)]
    public void CRC_of_known_frames(string bytes, int crc) => Assert.Equal(crc, Crc16.Of(Wire.Hex(bytes)));

    [Fact, Trait("clause", "Serial V1.02 2.5.1.2")]
    public void The_low_byte_of_the_CRC_goes_first()
    {
        var frame = Wire.Hex("01 03 00 00 00 0A 00 00");
        Assert.Equal(8, RtuFrame.Finish(frame, 1, 5));
        Assert.Equal(Wire.Hex("01 03 00 00 00 0A C5 CD"), frame);
    }

    [Theory, Trait("clause", "Serial V1.02 2.6.2")]
    [InlineData("01 01 01 05", 6)]
    [InlineData("01 03 02 00 01", 7)]
    [InlineData("01 05 00 01 FF 00", 8)]
    [InlineData("01 07 6D", 5)]
    [InlineData("01 08 00 00 A5 37", 8)]
    [InlineData("01 0B 00 00 00 02", 8)]
    [InlineData("01 0C 08 00 00 01 08 01 21 20 00", 13)]
    [InlineData("01 10 00 01 00 02", 8)]
    [InlineData("01 11 04 2A FF 45 58", 9)]
    [InlineData("01 14 06 05 06 0D FE 00 20", 11)]
    [InlineData("01 15 09 06 00 01 00 02 00 01 00 07", 14)]
    [InlineData("01 16 00 04 00 F2 00 25", 10)]
    [InlineData("01 17 02 00 FE", 7)]
    [InlineData("01 18 00 06 00 02 01 B8 12 84", 12)]
    [InlineData("01 2B 0E 01 01 00 00 02 00 01 41 01 00", 15)]
    [InlineData("01 2B 0E 01 01 00 00 00", 10)]
    [InlineData("01 83 02", 5)]
    [InlineData("01 AB 01", 5)]
    public void The_length_of_every_answer_is_known_from_its_content(string answer, int length)
    {
        var frame = Wire.Rtu(answer);
        Assert.Equal(length, frame.Length);
        Assert.Equal(length, RtuFrame.ResponseLength(frame));
        for (var i = 0; i < frame.Length; i++)
        {
            // No part of it is taken for a whole one.
            Assert.True(RtuFrame.ResponseLength(frame.AsSpan(0, i)) is 0 || RtuFrame.ResponseLength(frame.AsSpan(0, i)) == length);
        }
    }

    [Theory, Trait("clause", "Serial V1.02 2.6.2")]
    [InlineData("01 01 00 00 00 01")]
    [InlineData("01 06 00 01 00 07")]
    [InlineData("01 07")]
    [InlineData("01 08 00 00 A5 37")]
    [InlineData("01 0B")]
    [InlineData("01 0C")]
    [InlineData("01 0F 00 00 00 09 02 FF 01")]
    [InlineData("01 10 00 00 00 01 02 00 01")]
    [InlineData("01 11")]
    [InlineData("01 14 07 06 00 01 00 00 00 01")]
    [InlineData("01 15 09 06 00 01 00 02 00 01 00 07")]
    [InlineData("01 16 00 04 00 F2 00 25")]
    [InlineData("01 17 00 00 00 01 00 00 00 01 02 00 63")]
    [InlineData("01 18 04 DE")]
    [InlineData("01 2B 0E 01 00")]
    public void The_length_of_every_request_is_known_from_its_content(string request)
    {
        var frame = Wire.Rtu(request);
        Assert.Equal(frame.Length, RtuFrame.RequestLength(frame));
        for (var i = 0; i < frame.Length; i++)
        {
            Assert.True(RtuFrame.RequestLength(frame.AsSpan(0, i)) is 0 || RtuFrame.RequestLength(frame.AsSpan(0, i)) == frame.Length);
        }
    }

    [Theory, Trait("clause", "Serial V1.02 2.6.2")]
    [InlineData("01 07 41")]
    [InlineData("01 07 6D")]
    public async Task An_answer_that_begins_with_all_bytes_of_its_request_is_not_taken_for_an_echo(string answer)
    {
        // Unit 1, function 07: the CRC of the request is 41 E2, so status 41 makes the answer 01 07 41 E2 00.
        var (client, _) = ClientOf(_ => Wire.Rtu(answer));
        var (outcome, status) = await client.ReadExceptionStatusAsync(1, Timeout);
        Assert.True(outcome.IsOk, outcome.ToString());
        Assert.Equal(Wire.Hex(answer)[2], status);
        Assert.Equal(0, client.Counters.Echoes);
    }

    [Fact, Trait("clause", "Serial V1.02 2.6.2")]
    public async Task An_echo_of_a_short_request_is_told_from_its_answer()
    {
        var (echoed, _) = ClientOf(request => [.. request, .. Wire.Rtu("01 07 41")]);
        Assert.Equal((ModbusOutcome.Ok, (byte)0x41), await echoed.ReadExceptionStatusAsync(1, Timeout));
        Assert.Equal(1, echoed.Counters.Echoes);

        var (alone, _) = ClientOf(request => request);
        Assert.Equal(ModbusStatus.Timeout, (await alone.ReadExceptionStatusAsync(1, TimeSpan.FromMilliseconds(50))).Outcome.Status);
        Assert.Equal(1, alone.Counters.Echoes);
    }

    private static ValueTask<ModbusOutcome> Read(ModbusRtuClient client) =>
        client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 1, new ushort[1], Timeout);

    private static (ModbusRtuClient Client, AnsweringLine Line) ClientOf(Func<byte[], byte[]?> answer)
    {
        AnsweringLine line = new(answer);
        return (new((_, _) => ValueTask.FromResult<IByteLine>(line), new RtuTiming(Settings), TimeProvider.System), line);
    }
}
