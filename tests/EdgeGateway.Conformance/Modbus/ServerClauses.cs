using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>
/// What "MODBUS Application Protocol Specification V1.1b3" asks of a server. The unit has ten of everything at 0 to 9. The order of checks is that
/// of the state diagrams, so a request that is wrong in two ways shows which check comes first.
/// </summary>
public sealed class ServerClauses
{
    private readonly ConformingUnit _unit = new();
    private readonly UnitCounters _counters = new();

    private string Ask(string request) => Wire.Ask(request, _unit, _counters);

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(" " + text, count));

    [Fact, Trait("clause", "V1.1b3 4.1")]
    public void A_normal_response_repeats_the_function_code_and_an_exception_sets_its_highest_bit()
    {
        Assert.StartsWith("03 ", Ask("03 00 00 00 01"), StringComparison.Ordinal);
        Assert.StartsWith("83 ", Ask("03 00 00 00 00"), StringComparison.Ordinal);
    }

    [Fact, Trait("clause", "V1.1b3 4.1")]
    public void No_response_is_longer_than_253_bytes()
    {
        PlentyOfRegisters unit = new();
        Assert.Equal(252, Wire.Hex(Wire.Ask("03 00 00 00 7D", unit)).Length);
        Assert.Equal(252, Wire.Hex(Wire.Ask("01 00 00 07 D0", unit)).Length);
    }

    [Fact, Trait("clause", "V1.1b3 4.2")]
    public void Numbers_travel_high_byte_first()
    {
        _unit.Holding[0] = 0x1234;
        Assert.Equal("03 02 12 34", Ask("03 00 00 00 01"));
    }

    [Fact, Trait("clause", "V1.1b3 4.3")]
    public void The_four_tables_are_told_apart_by_the_function_code()
    {
        Ask("01 00 00 00 01");
        Ask("02 00 00 00 01");
        Ask("03 00 00 00 01");
        Ask("04 00 00 00 01");
        Assert.Equal(["read Coil 0+1", "read DiscreteInput 0+1", "read HoldingRegister 0+1", "read InputRegister 0+1"], _unit.Calls);
    }

    [Fact, Trait("clause", "V1.1b3 4.4")]
    public void Addresses_on_the_wire_count_from_0_to_65535()
    {
        PlentyOfRegisters unit = new();
        Assert.Equal("03 02 00 00", Wire.Ask("03 00 00 00 01", unit));
        Assert.Equal("03 02 FF FF", Wire.Ask("03 FF FF 00 01", unit));
    }

    [Theory, Trait("clause", "V1.1b3 4.5")]
    [InlineData("03 00 00 00 01", "83 04", ModbusExceptionCode.ServerDeviceFailure)]
    [InlineData("10 00 00 00 01 02 00 01", "90 06", ModbusExceptionCode.ServerDeviceBusy)]
    public void A_failure_while_working_is_answered_by_the_unit_s_own_code(string request, string response, ModbusExceptionCode code)
    {
        _unit.Refusal = code;
        Assert.Equal(response, Ask(request));
    }

    [Theory, Trait("clause", "V1.1b3 5")]
    [InlineData("00", "80 01")]
    [InlineData("09", "89 01")]
    [InlineData("41 01 02", "C1 01")]
    [InlineData("63 00 00 00 01", "E3 01")]
    [InlineData("7F", "FF 01")]
    public void A_function_that_the_server_does_not_know_is_refused_with_01(string request, string response) => Assert.Equal(response, Ask(request));

    [Theory, Trait("clause", "V1.1b3 5.1")]
    [InlineData("07", "87 01")]
    [InlineData("08 00 00 A5 37", "88 01")]
    [InlineData("0B", "8B 01")]
    [InlineData("0C", "8C 01")]
    [InlineData("11", "91 01")]
    [InlineData("14 07 06 00 01 00 00 00 01", "94 01")]
    [InlineData("15 09 06 00 01 00 00 00 01 00 00", "95 01")]
    [InlineData("18 00 00", "98 01")]
    [InlineData("2B 0E 01 00", "AB 01")]
    public void A_public_function_that_the_unit_does_not_have_is_refused_with_01(string request, string response) =>
        Assert.Equal(response, Wire.Ask(request, new PlentyOfRegisters(), _counters));

    [Theory, Trait("clause", "V1.1b3 6.1")]
    [InlineData("01 00 00 00 0A", "01 02 00 00")]
    [InlineData("01 00 00 00 00", "81 03")]
    [InlineData("01 00 00 07 D1", "81 03")]
    [InlineData("01 FF FF 07 D1", "81 03")]
    [InlineData("01 00 09 00 02", "81 02")]
    [InlineData("01 FF FF 00 02", "81 02")]
    [InlineData("01 00 00 00", "81 03")]
    public void Read_coils_checks_quantity_1_to_2000_then_the_addresses(string request, string response) => Assert.Equal(response, Ask(request));

    [Fact, Trait("clause", "V1.1b3 6.1")]
    public void Coils_are_packed_from_the_lowest_bit_and_the_rest_of_the_last_byte_is_zero()
    {
        _unit.Coils[0] = _unit.Coils[3] = _unit.Coils[8] = 1;
        Assert.Equal("01 02 09 01", Ask("01 00 00 00 0A"));
        Assert.Equal("01 01 01", Ask("01 00 00 00 03"));
    }

    [Theory, Trait("clause", "V1.1b3 6.2")]
    [InlineData("02 00 00 00 0A", "02 02 00 00")]
    [InlineData("02 00 00 00 00", "82 03")]
    [InlineData("02 00 00 07 D1", "82 03")]
    [InlineData("02 FF FF 07 D1", "82 03")]
    [InlineData("02 00 0A 00 01", "82 02")]
    public void Read_discrete_inputs_checks_quantity_1_to_2000_then_the_addresses(string request, string response) => Assert.Equal(response, Ask(request));

    [Theory, Trait("clause", "V1.1b3 6.3")]
    [InlineData("03 00 00 00 02", "03 04 00 00 00 01")]
    [InlineData("03 00 00 00 00", "83 03")]
    [InlineData("03 00 00 00 7E", "83 03")]
    [InlineData("03 FF FF 00 7E", "83 03")]
    [InlineData("03 00 09 00 02", "83 02")]
    [InlineData("03 FF FF 00 02", "83 02")]
    [InlineData("03 00 00 00 01 00", "83 03")]
    public void Read_holding_registers_checks_quantity_1_to_125_then_the_addresses(string request, string response) => Assert.Equal(response, Ask(request));

    [Theory, Trait("clause", "V1.1b3 6.4")]
    [InlineData("04 00 00 00 02", "04 04 00 64 00 65")]
    [InlineData("04 00 00 00 00", "84 03")]
    [InlineData("04 00 00 00 7E", "84 03")]
    [InlineData("04 FF FF 00 7E", "84 03")]
    [InlineData("04 00 0A 00 01", "84 02")]
    public void Read_input_registers_checks_quantity_1_to_125_then_the_addresses(string request, string response) => Assert.Equal(response, Ask(request));

    [Theory, Trait("clause", "V1.1b3 6.5")]
    [InlineData("05 00 01 FF 00", "05 00 01 FF 00", 1)]
    [InlineData("05 00 01 00 00", "05 00 01 00 00", 0)]
    [InlineData("05 00 01 12 34", "85 03", 7)]
    [InlineData("05 00 01 FF 01", "85 03", 7)]
    [InlineData("05 FF FF 12 34", "85 03", 7)]
    [InlineData("05 00 0A FF 00", "85 02", 7)]
    public void Write_single_coil_checks_the_value_FF00_or_0000_then_the_address(string request, string response, int coil)
    {
        _unit.Coils[1] = 7;
        Assert.Equal(response, Ask(request));
        Assert.Equal(coil, _unit.Coils[1]);
    }

    [Theory, Trait("clause", "V1.1b3 6.6")]
    [InlineData("06 00 01 FF FF", "06 00 01 FF FF", 0xFFFF)]
    [InlineData("06 00 0A 00 01", "86 02", 1)]
    [InlineData("06 00 01 00", "86 03", 1)]
    public void Write_single_register_checks_the_address_and_takes_any_value(string request, string response, int register)
    {
        Assert.Equal(response, Ask(request));
        Assert.Equal(register, _unit.Holding[1]);
    }

    [Theory, Trait("clause", "V1.1b3 6.8")]
    [InlineData("08 00 15 00 00", "88 01")]
    [InlineData("08 00 05 00 00", "88 01")]
    [InlineData("08 FF FF 00 00", "88 01")]
    [InlineData("08 00 02 00 01", "88 03")]
    [InlineData("08 00 01 12 34", "88 03")]
    [InlineData("08 00 03 0A 01", "88 03")]
    [InlineData("08 00", "88 03")]
    [InlineData("08 00 0B", "88 03")]
    public void Diagnostics_checks_the_sub_function_then_its_data(string request, string response) => Assert.Equal(response, Ask(request));

    [Fact, Trait("clause", "V1.1b3 6.8.1 sub-function 00")]
    public void Query_data_of_any_length_comes_back()
    {
        Assert.Equal("08 00 00 01 02 03 04 05 06", Ask("08 00 00 01 02 03 04 05 06"));
        Assert.Equal("08 00 00", Ask("08 00 00"));
    }

    [Theory, Trait("clause", "V1.1b3 6.8.1 sub-function 01")]
    [InlineData("08 00 01 00 00", "80 40 00 80 40 80")]
    [InlineData("08 00 01 FF 00", "80 40 00")]
    public void A_restart_clears_the_counters_and_with_FF00_the_event_log_too(string restart, string log)
    {
        Ask("03 00 00 00 01");
        Assert.Equal(restart, Ask(restart));

        // The newest first: this request came, the restart was answered, restart (00), then what was before it.
        Assert.Equal(log, Ask("0C")[24..]);
        Assert.Equal("08 00 0E 00 02", Ask("08 00 0E 00 00"));
    }

    [Fact, Trait("clause", "V1.1b3 6.8.1 sub-function 02")]
    public void The_diagnostic_register_is_the_unit_s_own() => Assert.Equal("08 00 02 BE EF", Ask("08 00 02 00 00"));

    [Fact, Trait("clause", "V1.1b3 6.8.1 sub-function 03")]
    public void The_ASCII_delimiter_is_acknowledged() => Assert.Equal("08 00 03 0D 00", Ask("08 00 03 0D 00"));

    [Fact, Trait("clause", "V1.1b3 6.8.1 sub-function 04")]
    public void A_unit_in_listen_only_mode_answers_and_does_nothing_until_it_is_restarted()
    {
        Assert.Equal("", Ask("08 00 04 00 00"));
        Assert.True(_counters.IsListenOnly);
        Assert.Equal("", Ask("06 00 01 00 63"));
        Assert.Equal("", Ask("03 00 00 00 01"));
        Assert.Equal(1, _unit.Holding[1]);

        // The restart is not answered either, but ends the mode.
        Assert.Equal("", Ask("08 00 01 00 00"));
        Assert.Equal("03 02 00 01", Ask("03 00 01 00 01"));
    }

    [Theory]
    [Trait("clause", "V1.1b3 6.8.1 sub-functions 0A to 14")]
    [InlineData("08 00 0B 00 00", "08 00 0B 00 05")]
    [InlineData("08 00 0C 00 00", "08 00 0C 00 01")]
    [InlineData("08 00 0D 00 00", "08 00 0D 00 01")]
    [InlineData("08 00 0E 00 00", "08 00 0E 00 04")]
    [InlineData("08 00 0F 00 00", "08 00 0F 00 00")]
    [InlineData("08 00 10 00 00", "08 00 10 00 00")]
    [InlineData("08 00 11 00 00", "08 00 11 00 01")]
    [InlineData("08 00 12 00 00", "08 00 12 00 00")]
    [InlineData("08 00 14 00 00", "08 00 14 00 00")]
    public void Counters_tell_what_the_unit_has_seen_and_are_cleared_on_request(string request, string response)
    {
        for (var i = 0; i < 5; i++)
        {
            _counters.Seen(isDamaged: false);
        }

        _counters.Seen(isDamaged: true);
        Ask("03 00 00 00 01");
        Ask("06 00 01 00 63");
        _unit.Refusal = ModbusExceptionCode.ServerDeviceBusy;
        Ask("03 00 00 00 01");
        Assert.Equal(response, Ask(request));

        Assert.Equal("08 00 0A 00 00", Ask("08 00 0A 00 00"));
        Assert.Equal("08 00 0D 00 00", Ask("08 00 0D 00 00"));
    }

    [Fact, Trait("clause", "V1.1b3 6.9")]
    public void The_event_counter_counts_neither_refusals_nor_its_own_reading()
    {
        Ask("03 00 00 00 01");
        Ask("06 00 01 00 63");
        Ask("03 00 00 00 00");
        Assert.Equal("0B 00 00 00 02", Ask("0B"));
        Assert.Equal("0B 00 00 00 02", Ask("0B"));
        Assert.Equal("8B 03", Ask("0B 00"));
    }

    [Fact, Trait("clause", "V1.1b3 6.10")]
    public void The_event_log_keeps_the_64_newest_events_the_newest_first()
    {
        Ask("03 00 00 00 01");
        Ask("03 00 00 00 00");

        // This request's own reception, the refusal sent (bit 0: codes 01 to 03), its request, the answer, its request.
        Assert.Equal("0C 0B 00 00 00 01 00 03 80 41 80 40 80", Ask("0C"));
        for (var i = 0; i < 100; i++)
        {
            Ask("03 00 00 00 01");
        }

        Assert.Equal(2 + 6 + 64, Wire.Hex(Ask("0C")).Length);
    }

    [Theory, Trait("clause", "V1.1b3 6.11")]
    [InlineData("0F 00 00 00 09 02 FF 01", "0F 00 00 00 09")]
    [InlineData("0F 00 00 00 00 00", "8F 03")]
    [InlineData("0F 00 00 07 B1 01 00", "8F 03")]
    [InlineData("0F 00 00 00 09 01 00", "8F 03")]
    [InlineData("0F FF FF 00 09 01 00", "8F 03")]
    [InlineData("0F 00 09 00 02 01 00", "8F 02")]
    [InlineData("0F FF FF 00 02 01 00", "8F 02")]
    public void Write_multiple_coils_checks_quantity_1_to_1968_and_byte_count_then_the_addresses(string request, string response) =>
        Assert.Equal(response, Ask(request));

    [Fact, Trait("clause", "V1.1b3 6.11")]
    public void Write_multiple_coils_takes_1968_coils()
    {
        PlentyOfRegisters unit = new();
        Assert.Equal("0F 00 00 07 B0", Wire.Ask("0F 00 00 07 B0 F6" + Repeat("FF", 246), unit));
        Assert.Equal(1968, unit.Written);
    }

    [Theory, Trait("clause", "V1.1b3 6.12")]
    [InlineData("10 00 00 00 01 02 00 01", "10 00 00 00 01")]
    [InlineData("10 00 00 00 00 00", "90 03")]
    [InlineData("10 00 00 00 7C 01 00", "90 03")]
    [InlineData("10 00 00 00 01 03 00 00 00", "90 03")]
    [InlineData("10 FF FF 00 02 02 00 00", "90 03")]
    [InlineData("10 00 09 00 02 04 00 00 00 00", "90 02")]
    [InlineData("10 FF FF 00 02 04 00 00 00 00", "90 02")]
    public void Write_multiple_registers_checks_quantity_1_to_123_and_byte_count_then_the_addresses(string request, string response) =>
        Assert.Equal(response, Ask(request));

    [Fact, Trait("clause", "V1.1b3 6.12")]
    public void Write_multiple_registers_takes_123_registers()
    {
        PlentyOfRegisters unit = new();
        Assert.Equal("10 00 00 00 7B", Wire.Ask("10 00 00 00 7B F6" + Repeat("00 01", 123), unit));
        Assert.Equal(123, unit.Written);
    }

    [Theory, Trait("clause", "V1.1b3 6.14")]
    [InlineData("14 00", "94 03")]
    [InlineData("14 06 06 00 01 00 00 00", "94 03")]
    [InlineData("14 07 07 00 01 00 00 00 01", "94 02")]
    [InlineData("14 07 06 00 00 00 00 00 01", "94 02")]
    [InlineData("14 07 06 00 01 27 10 00 01", "94 02")]
    [InlineData("14 07 06 00 01 27 0F 00 02", "94 02")]
    [InlineData("14 07 06 00 01 00 00 00 01", "94 02")]
    [InlineData("14 07 06 00 02 27 0F 00 01", "14 04 03 06 00 07")]
    [InlineData("14 07 06 00 02 00 00 00 7A", "94 03")]
    public void Read_file_record_checks_the_byte_count_then_reference_file_and_records(string request, string response)
    {
        _unit.WriteFile(2, 9999, [7]);
        Assert.Equal(response, Ask(request));
    }

    [Fact, Trait("clause", "V1.1b3 6.14")]
    public void Read_file_record_refuses_more_runs_than_one_response_holds()
    {
        _unit.WriteFile(1, 0, new ushort[121]);
        Assert.Equal(2 + 244, Wire.Hex(Ask("14 07 06 00 01 00 00 00 79")).Length);
        Assert.Equal("94 03", Ask("14 0E 06 00 01 00 00 00 79 06 00 01 00 00 00 01"));
        Assert.Equal("94 03", Ask("14 FC" + Repeat("06 00 01 00 00 00 01", 36)));
    }

    [Theory, Trait("clause", "V1.1b3 6.15")]
    [InlineData("15 07 06 00 01 00 00 00 00", "95 03")]
    [InlineData("15 09 06 00 01 00 00 00 02 00 00", "95 03")]
    [InlineData("15 09 07 00 01 00 00 00 01 00 00", "95 02")]
    [InlineData("15 09 06 00 00 00 00 00 01 00 00", "95 02")]
    [InlineData("15 09 06 00 01 27 10 00 01 00 00", "95 02")]
    [InlineData("15 12 06 00 01 00 00 00 01 00 05 06 00 01 27 10 00 01 00 00", "95 02")]
    public void Write_file_record_checks_everything_before_it_writes_anything(string request, string response)
    {
        Assert.Equal(response, Ask(request));
        Assert.Empty(_unit.Files);
    }

    [Theory, Trait("clause", "V1.1b3 6.16")]
    [InlineData("16 00 0A 00 00 00 00", "96 02")]
    [InlineData("16 00 01 00 00 00", "96 03")]
    [InlineData("16 00 01 00 00 00 55", "16 00 01 00 00 00 55")]
    public void Mask_write_register_checks_the_address(string request, string response) => Assert.Equal(response, Ask(request));

    [Theory, Trait("clause", "V1.1b3 6.16")]
    [InlineData(0xABCD, 0x0000, 0x1234, 0x1234)]
    [InlineData(0xABCD, 0xFFFF, 0x1234, 0xABCD)]
    [InlineData(0xABCD, 0xFF00, 0x0034, 0xAB34)]
    [InlineData(0x0012, 0x00F2, 0x0025, 0x0017)]
    public void Mask_write_register_keeps_the_bits_of_the_AND_mask_and_sets_the_others_from_the_OR_mask(int old, int and, int or, int result) =>
        Assert.Equal(result, MaskWriteRegister.Apply((ushort)old, (ushort)and, (ushort)or));

    [Theory, Trait("clause", "V1.1b3 6.17")]
    [InlineData("17 00 00 00 00 00 00 00 01 02 00 00", "97 03")]
    [InlineData("17 00 00 00 7E 00 00 00 01 02 00 00", "97 03")]
    [InlineData("17 00 00 00 01 00 00 00 00 00", "97 03")]
    [InlineData("17 00 00 00 01 00 00 00 02 02 00 00", "97 03")]
    [InlineData("17 FF FF 00 02 00 00 00 01 03 00 00 00", "97 03")]
    [InlineData("17 FF FF 00 02 00 00 00 01 02 00 00", "97 02")]
    [InlineData("17 00 00 00 01 FF FF 00 02 04 00 00 00 00", "97 02")]
    [InlineData("17 00 00 00 01 00 0A 00 01 02 00 00", "97 02")]
    public void Read_write_checks_quantities_1_to_125_and_1_to_121_and_byte_count_then_the_addresses(string request, string response) =>
        Assert.Equal(response, Ask(request));

    [Fact, Trait("clause", "V1.1b3 6.17")]
    public void Read_write_refuses_122_registers_to_write_and_takes_121()
    {
        PlentyOfRegisters unit = new();
        Assert.Equal("97 03", Wire.Ask("17 00 00 00 01 00 00 00 7A F4" + Repeat("00 01", 122), unit));
        Assert.Equal("17 02 00 00", Wire.Ask("17 00 00 00 01 00 00 00 79 F2" + Repeat("00 01", 121), unit));
        Assert.Equal(121, unit.Written);
    }

    [Fact, Trait("clause", "V1.1b3 6.17")]
    public void Read_write_writes_before_it_reads()
    {
        Assert.Equal("17 04 00 63 00 02", Ask("17 00 01 00 02 00 01 00 01 02 00 63"));
        Assert.Equal(["write HoldingRegister 1+1", "read HoldingRegister 1+2"], _unit.Calls);
    }

    [Theory, Trait("clause", "V1.1b3 6.18")]
    [InlineData(0, "18 00 02 00 00")]
    [InlineData(1, "18 00 04 00 01 01 B8")]
    [InlineData(32, "98 03")]
    public void A_queue_of_more_than_31_registers_is_refused_with_03(int count, string response)
    {
        _unit.QueueCount = count;
        Assert.Equal(response, Ask("18 04 DE"));
        Assert.Equal("98 03", Ask("18 04"));
    }

    [Theory, Trait("clause", "V1.1b3 6.19")]
    [InlineData("2B", "AB 01")]
    [InlineData("2B 0D 00 00", "AB 01")]
    [InlineData("2B FF", "AB 01")]
    public void An_MEI_type_that_the_server_does_not_know_is_refused_with_01(string request, string response) => Assert.Equal(response, Ask(request));

    [Theory, Trait("clause", "V1.1b3 6.21")]
    [InlineData("2B 0E 00 00", "AB 03")]
    [InlineData("2B 0E 05 00", "AB 03")]
    [InlineData("2B 0E 01", "AB 03")]
    [InlineData("2B 0E 04 05", "AB 02")]
    [InlineData("2B 0E 04 01", "2B 0E 04 81 00 00 01 01 04 45 58 2D 31")]
    public void Identification_refuses_an_unknown_access_with_03_and_an_unknown_object_with_02(string request, string response) =>
        Assert.Equal(response, Ask(request));

    [Fact, Trait("clause", "V1.1b3 6.21")]
    public void A_stream_that_begins_at_an_unknown_object_begins_at_the_first() => Assert.Equal(Ask("2B 0E 01 00"), Ask("2B 0E 01 47"));

    [Fact, Trait("clause", "V1.1b3 6.21")]
    public void A_level_above_the_device_s_own_is_answered_at_its_own()
    {
        Assert.Equal(Ask("2B 0E 01 00")[8..], Ask("2B 0E 03 00")[8..]);
        Assert.StartsWith("2B 0E 03 81 00 00 03", Ask("2B 0E 03 00"), StringComparison.Ordinal);
    }

    [Fact, Trait("clause", "V1.1b3 6.21")]
    public void Objects_that_do_not_fit_follow_in_further_transactions()
    {
        _unit.Identification = Long();
        var first = Wire.Hex(Ask("2B 0E 03 00"));
        Assert.True(first.Length <= Pdu.MaxLength);
        Assert.Equal(0xFF, first[4]);
        Assert.Equal("2B 0E 03 83 FF", Wire.Text(first.AsSpan(0, 5)));

        // The next transaction begins with the object that the first one names.
        var second = Wire.Hex(Ask($"2B 0E 03 {first[5]:X2}"));
        Assert.Equal(first[5], second[7]);
    }

    [Theory, Trait("clause", "V1.1b3 7")]
    [InlineData(ModbusExceptionCode.IllegalFunction, "83 01")]
    [InlineData(ModbusExceptionCode.IllegalDataAddress, "83 02")]
    [InlineData(ModbusExceptionCode.IllegalDataValue, "83 03")]
    [InlineData(ModbusExceptionCode.ServerDeviceFailure, "83 04")]
    [InlineData(ModbusExceptionCode.Acknowledge, "83 05")]
    [InlineData(ModbusExceptionCode.ServerDeviceBusy, "83 06")]
    [InlineData(ModbusExceptionCode.MemoryParityError, "83 08")]
    [InlineData(ModbusExceptionCode.GatewayPathUnavailable, "83 0A")]
    [InlineData(ModbusExceptionCode.GatewayTargetFailedToRespond, "83 0B")]
    public void Every_exception_code_can_be_answered(ModbusExceptionCode code, string response)
    {
        _unit.Refusal = code;
        Assert.Equal(response, Ask("03 00 00 00 01"));
    }

    /// <summary>An identification of more bytes than one response holds.</summary>
    internal static DeviceIdentification Long() => new()
    {
        VendorName = new('v', 100),
        ProductCode = "code",
        MajorMinorRevision = "1.2",
        ModelName = new('m', 200),
        Others = new Dictionary<byte, string> { [0x80] = new('x', 240), [0xFF] = "last" },
        ConformityLevel = 0x83,
    };

    /// <summary>A unit with nothing but its tables, which are whole: a register holds its own address.</summary>
    private sealed class PlentyOfRegisters : IModbusUnit
    {
        public int Written { get; private set; }

        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            for (var i = 0; i < destination.Length; i++)
            {
                destination[i] = (ushort)(address + i);
            }

            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values)
        {
            Written += values.Length;
            return ModbusExceptionCode.None;
        }
    }
}
