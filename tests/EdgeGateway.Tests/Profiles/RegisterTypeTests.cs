using EdgeGateway.Core.Profiles;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Profiles;

/// <summary>The types beyond integers and floats, each with worked examples from a published document.</summary>
public class RegisterTypeTests
{
    // Some 17 types in four orders, with and without a scale register or bits: enough to meet each many times.
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(4000);

    private static readonly WordOrder[] WordOrders = [WordOrder.HighFirst, WordOrder.LowFirst];
    private static readonly ByteOrder[] ByteOrders = [ByteOrder.Big, ByteOrder.Little];

    public static TheoryData<RegisterType, int, WordOrder, ushort[], double> Examples => new()
    {
        // IEEE 754-2019, binary16: sign, 5 bits of exponent (bias 15), 10 bits of significand.
        { RegisterType.Float16, 0, WordOrder.HighFirst, [0x3C00], 1 },
        { RegisterType.Float16, 0, WordOrder.HighFirst, [0xC000], -2 },
        { RegisterType.Float16, 0, WordOrder.HighFirst, [0x7BFF], 65_504 },
        { RegisterType.Float16, 0, WordOrder.HighFirst, [0x0001], 5.960464477539063e-08 },

        // Packed BCD (8421): a digit in four bits.
        { RegisterType.Bcd16, 0, WordOrder.HighFirst, [0x1234], 1234 },
        { RegisterType.Bcd32, 0, WordOrder.HighFirst, [0x0012, 0x3456], 123_456 },
        { RegisterType.Bcd32, 0, WordOrder.LowFirst, [0x3456, 0x0012], 123_456 },
        { RegisterType.Bcd64, 0, WordOrder.HighFirst, [0x0000, 0x1234, 0x5678, 0x9012], 123_456_789_012 },

        // Schneider Electric FA212766: R4 x 10,000^3 + R3 x 10,000^2 + R2 x 10,000 + R1, R1 the first register; each -9,999 to 9,999.
        { RegisterType.Mod10, 4, WordOrder.LowFirst, [264, 6356, 43, 0], 4_363_560_264 },
        { RegisterType.Mod10, 3, WordOrder.LowFirst, [5678, 1234, 9], 912_345_678 },
        { RegisterType.Mod10, 3, WordOrder.LowFirst, [0xE9D2, 0xFB2E, 0xFFF7], -912_345_678 },
        { RegisterType.Mod10, 2, WordOrder.HighFirst, [1234, 5678], 12_345_678 },
    };

    [Theory, MemberData(nameof(Examples))]
    public void Words_become_the_number_of_the_document_and_back(RegisterType type, int registers, WordOrder order, ushort[] words, double expected)
    {
        var encoding = Encoding(type) with { Registers = (byte)registers, WordOrder = order };
        Assert.Equal(words.Length, encoding.Length);
        Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(encoding, words, out var value, out var raw));
        Assert.Equal(expected, value);
        Assert.Equal((decimal)expected, RegisterCodec.ReadingOf(encoding, raw), 15);

        var encoded = new ushort[words.Length];
        RegisterCodec.Encode(encoding, expected, encoded);
        Assert.Equal(words, encoded);
    }

    public static TheoryData<TimeForm, ushort[], string> Times => new()
    {
        // Schneider Electric 63230-300-212, appendix A, table A2: 01/25/00 at 11:06:59.122.
        { TimeForm.PowerLogic4, [0x0119, 0x640B, 0x063B, 0x007A], "2000-01-25T11:06:59.122Z" },
        { TimeForm.PowerLogic3, [0x0119, 0x640B, 0x063B], "2000-01-25T11:06:59Z" },

        // IEC 60870-5-4 in four registers: year | month, day | hour, minute | millisecond.
        { TimeForm.Iec, [26, 0x0B16, 0x1015, 26_500], "2026-11-22T16:21:26.5Z" },
        { TimeForm.Bytes, [0x1A0B, 0x1610, 0x151A], "2026-11-22T16:21:26Z" },
        { TimeForm.Bcd, [0x2611, 0x2216, 0x2126], "2026-11-22T16:21:26Z" },
        { TimeForm.Parts, [2026, 11, 22, 16, 21, 26], "2026-11-22T16:21:26Z" },
    };

    [Theory, MemberData(nameof(Times))]
    public void Date_and_time_are_seconds_since_1970(TimeForm form, ushort[] words, string expected)
    {
        var encoding = Encoding(RegisterType.DateTime) with { TimeForm = form };
        var seconds = DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds() / 1000.0;
        Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(encoding, words, out var value, out _));
        Assert.Equal(seconds, value);

        var encoded = new ushort[words.Length];
        RegisterCodec.Encode(encoding, seconds, encoded);
        Assert.Equal(words, encoded);
    }

    [Fact]
    public void Day_of_the_week_summer_time_and_reserved_bits_do_not_disturb_an_iec_date()
    {
        var encoding = Encoding(RegisterType.DateTime);
        RegisterCodec.Decode(encoding, [26, 0x0B16, 0x1015, 0], out var plain, out _);
        RegisterCodec.Decode(encoding, [0xFF80 | 26, 0xFBF6, 0x9055, 0], out var marked, out _);
        Assert.Equal(plain, marked);
    }

    [Theory]
    [InlineData(TimeForm.Iec, new ushort[] { 26, 0x0B16, 0x1095, 0 }, DecodeStatus.Invalid)] // iV, bit 7 of the third register
    [InlineData(TimeForm.Iec, new ushort[] { 26, 0x0D16, 0x1015, 0 }, DecodeStatus.BadDate)] // month 13
    [InlineData(TimeForm.Iec, new ushort[] { 26, 0x021E, 0x1015, 0 }, DecodeStatus.BadDate)] // 30 February
    [InlineData(TimeForm.Iec, new ushort[] { 26, 0x0B16, 0x1015, 60_000 }, DecodeStatus.BadDate)]
    [InlineData(TimeForm.Bytes, new ushort[] { 0, 0, 0 }, DecodeStatus.BadDate)] // a clock that was never set
    [InlineData(TimeForm.Bcd, new ushort[] { 0x261A, 0x2216, 0x2126 }, DecodeStatus.BadDigits)]
    [InlineData(TimeForm.Parts, new ushort[] { 2026, 256, 22, 16, 21, 26 }, DecodeStatus.BadDate)]
    [InlineData(TimeForm.Parts, new ushort[] { 2026, 11, 22, 24, 0, 0 }, DecodeStatus.BadDate)]
    public void What_is_no_date_is_said_so(TimeForm form, ushort[] words, DecodeStatus expected)
    {
        Assert.Equal(expected, RegisterCodec.Decode(Encoding(RegisterType.DateTime) with { TimeForm = form }, words, out var value, out _));
        Assert.True(double.IsNaN(value));
    }

    [Theory]
    [InlineData(RegisterType.Bcd16, 0, new ushort[] { 0x12A4 })]
    [InlineData(RegisterType.Bcd32, 0, new ushort[] { 0xFFFF, 0xFFFF })]
    [InlineData(RegisterType.Mod10, 2, new ushort[] { 10_000, 0 })]
    [InlineData(RegisterType.Mod10, 2, new ushort[] { 1, 0xFFFF })] // 1 and -1: signs contradict
    [InlineData(RegisterType.Mod10, 3, new ushort[] { 0, 0, 0x8000 })]
    public void Digits_that_are_not_decimal_are_no_number(RegisterType type, int registers, ushort[] words)
    {
        var encoding = Encoding(type) with { Registers = (byte)registers };
        Assert.Equal(DecodeStatus.BadDigits, RegisterCodec.Decode(encoding, words, out var value, out var raw));
        Assert.True(double.IsNaN(value));
        Assert.Equal(0, RegisterCodec.ReadingOf(encoding, raw));
    }

    [Fact]
    public void Sixteen_decimal_digits_are_counted_exactly()
    {
        Assert.Equal(99_999_999_999_999.99m, RegisterCodec.ReadingOf(Encoding(RegisterType.Bcd64) with { Scale = 0.01m }, 0x9999_9999_9999_9999));
        RegisterCodec.Decode(Encoding(RegisterType.Mod10) with { Registers = 4 }, [9999, 9999, 9999, 9999], out _, out var raw);
        Assert.Equal(9_999_999_999_999_999m, RegisterCodec.ReadingOf(Encoding(RegisterType.Mod10) with { Registers = 4 }, raw));
    }

    [Fact]
    public void A_bit_field_is_a_number_of_its_own_and_leaves_its_neighbours_alone()
    {
        var encoding = Encoding(RegisterType.UInt32) with { Bit = 12, BitCount = 8 };
        RegisterCodec.Decode(encoding, [0x000A, 0xB123], out var value, out var raw);
        Assert.Equal((0xAB, 0xABUL), ((int)value, raw));

        ushort[] words = [0xFFF0, 0x0FFF];
        RegisterCodec.Encode(encoding, 0x5A, words);
        Assert.Equal([0xFFF5, 0xAFFF], words);
        Assert.Throws<ArgumentOutOfRangeException>(() => RegisterCodec.Encode(encoding, 256, words));
    }

    // SunSpec Device Information Model Specification, sunssf: a signed power of ten from -10 to 10; 0x8000 when it is not implemented.
    [Theory]
    [InlineData(2305, -1, 230.5)]
    [InlineData(2305, 0, 2305)]
    [InlineData(2305, 2, 230_500)]
    [InlineData(57, -3, 0.057)]
    [InlineData(32767, 10, 327_670_000_000_000)]
    public void A_scale_register_is_a_power_of_ten(int number, int power, double expected)
    {
        var encoding = Scaled(RegisterType.Int16, at: 5, scaleAt: 9);
        Assert.Equal(new RegisterSpan(5, 5), encoding.Span);
        ushort[] words = [(ushort)number, 0xDEAD, 0xDEAD, 0xDEAD, unchecked((ushort)power)];
        Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(encoding, words, out var value, out var raw));
        Assert.Equal(expected, value);
        Assert.Equal((decimal)expected, RegisterCodec.ReadingOf(encoding, raw));
        Assert.Equal(RegisterCodec.StepOf(encoding, raw), (decimal)Math.Pow(10, power));
    }

    [Fact]
    public void A_scale_register_may_stand_before_the_value_and_scales_beside_the_profile_s_own_factor()
    {
        var encoding = Scaled(RegisterType.UInt32, at: 9, scaleAt: 5) with { Scale = 0.5m, Offset = 10, WordOrder = WordOrder.LowFirst };
        ushort[] words = [0xFFFE, 0, 0, 0, 0x86A0, 0x0001];
        Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(encoding, words, out var value, out var raw));
        Assert.Equal((510.0, 510m), (value, RegisterCodec.ReadingOf(encoding, raw)));

        RegisterCodec.Encode(encoding, 520, words);
        Assert.Equal([0xFFFE, 0, 0, 0, 102_000 & 0xFFFF, 1], words);
    }

    [Theory]
    [InlineData(0x8000, DecodeStatus.Invalid)]
    [InlineData(11, DecodeStatus.BadScale)]
    [InlineData(0xFFF5, DecodeStatus.BadScale)] // -11
    [InlineData(0x7FFF, DecodeStatus.BadScale)]
    public void A_scale_that_is_none_leaves_no_value(int power, DecodeStatus expected)
    {
        foreach (var type in (RegisterType[])[RegisterType.UInt16, RegisterType.Int32, RegisterType.UInt64, RegisterType.Int64])
        {
            var encoding = Scaled(type, at: 0, scaleAt: 4);
            Assert.Equal(expected, RegisterCodec.Decode(encoding, [0, 0, 0, 1, (ushort)power], out var value, out var raw));
            Assert.True(double.IsNaN(value));
            Assert.Equal(0, RegisterCodec.ReadingOf(encoding, raw));
            Assert.Throws<ArgumentOutOfRangeException>(() => RegisterCodec.Encode(encoding, 1, new ushort[] { 0, 0, 0, 0, (ushort)power }));
        }
    }

    [Fact]
    public void A_code_for_not_available_is_seen_beside_a_good_scale()
    {
        foreach (var (type, code) in ((RegisterType, ulong)[])[(RegisterType.Int16, 0x8000), (RegisterType.UInt32, 0xFFFF_FFFF), (RegisterType.Int64, 0x8000_0000_0000_0000), (RegisterType.UInt64, 0)])
        {
            var encoding = Scaled(type, at: 0, scaleAt: 4) with { Invalid = [code] };
            var words = new ushort[5];
            RegisterCodec.EncodeRaw(encoding with { ScaleAt = null }, code, words);
            words[4] = 2;
            Assert.Equal(DecodeStatus.Invalid, RegisterCodec.Decode(encoding, words, out _, out _));
        }
    }

    [Fact]
    public void Sixty_four_bits_and_a_scale_register_are_exact_to_59_bits_and_no_number_beyond()
    {
        var encoding = Scaled(RegisterType.UInt64, at: 0, scaleAt: 4) with { Scale = 0.001m };
        Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(encoding, [0x07FF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], out _, out var raw));
        Assert.Equal(57_646_075_230_342.3487m, RegisterCodec.ReadingOf(encoding, raw));
        Assert.Equal(DecodeStatus.NotANumber, RegisterCodec.Decode(encoding, [0x0800, 0, 0, 0, 0], out _, out _));

        var signed = Scaled(RegisterType.Int64, at: 0, scaleAt: 4);
        RegisterCodec.Decode(signed, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE, 1], out var value, out raw);
        Assert.Equal((-20.0, -20m), (value, RegisterCodec.ReadingOf(signed, raw)));
    }

    [Fact]
    public void A_scale_that_changes_between_two_reads_makes_no_jump_in_the_reading()
    {
        var encoding = Scaled(RegisterType.UInt32, at: 0, scaleAt: 2);
        RegisterCodec.Decode(encoding, [0x0001, 0x86A0, 0], out _, out var before);       // 100,000 x 1
        RegisterCodec.Decode(encoding, [0x0000, 0x2710, 1], out _, out var after);        // 10,000 x 10
        Assert.NotEqual(before, after);
        Assert.Equal(RegisterCodec.ReadingOf(encoding, before), RegisterCodec.ReadingOf(encoding, after));
    }

    [Fact]
    public void Every_image_of_every_type_order_and_scale_survives_and_nothing_throws()
    {
        var cases =
            from encoding in Encodings
            from image in Gen.OneOf(Gen.Choose(0, 65_535), Gen.Choose(0, 20), Gen.Elements(0xFFFF, 0x8000, 0x9999, 0x7FFF)).ArrayOf(8)
            select (encoding, Image: image.Select(w => (ushort)w).ToArray());
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var (encoding, image) = c;
            var status = RegisterCodec.Decode(encoding, image, out var value, out var raw);
            Assert.Equal(status == DecodeStatus.Ok, double.IsFinite(value));
            Assert.Equal(status, RegisterCodec.DecodeRaw(encoding, raw, out var again));
            Assert.Equal(value, again);
            var reading = RegisterCodec.ReadingOf(encoding, raw);
            if (status != DecodeStatus.Ok)
            {
                return true;
            }

            if (Math.Abs(value) < 1e18)
            {
                Assert.Equal(value, (double)reading, (Math.Abs(value) * 1e-12) + 1e-12);
            }

            var words = (ushort[])image.Clone();
            RegisterCodec.EncodeRaw(encoding, raw, words);
            RegisterCodec.Decode(encoding, words, out _, out var same);
            return same == raw && (encoding.Type == RegisterType.DateTime || words.SequenceEqual(image));
        }).Check(Many);
    }

    [Fact]
    public void Every_value_that_was_decoded_encodes_to_the_same_value_in_every_type_and_order()
    {
        var cases =
            from encoding in Encodings
            from image in Gen.OneOf(Gen.Choose(0, 12), Gen.Choose(0, 9_999)).ArrayOf(8)
            select (encoding, Image: image.Select(w => (ushort)w).ToArray());
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var (encoding, image) = c;

            // Beyond 2^53 several raw values are one number.
            if (RegisterCodec.Decode(encoding, image, out var value, out _) != DecodeStatus.Ok || Math.Abs(value) > 1e15 * Math.Min(1, Math.Abs((double)encoding.Scale)))
            {
                return true;
            }

            RegisterCodec.Encode(encoding, value, image);
            return RegisterCodec.Decode(encoding, image, out var again, out _) == DecodeStatus.Ok && again == value;
        }).Check(Many);
    }

    [Fact]
    public void No_raw_makes_the_decoder_throw()
    {
        var cases = from encoding in Encodings from high in Gen.Choose(int.MinValue, int.MaxValue) from low in Gen.Choose(int.MinValue, int.MaxValue) select (encoding, high, low);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var raw = unchecked(((ulong)(uint)c.high << 32) | (uint)c.low);
            RegisterCodec.DecodeRaw(c.encoding, raw, out _);
            RegisterCodec.ReadingOf(c.encoding, raw);
            RegisterCodec.StepOf(c.encoding, raw);
            RegisterCodec.Parts(c.encoding, raw);
        }).Check(Many);
    }

    [Fact]
    public void Decoding_any_type_of_number_allocates_nothing()
    {
        RegisterEncoding[] encodings =
        [
            Encoding(RegisterType.Float16), Encoding(RegisterType.Bcd64), Encoding(RegisterType.Mod10) with { Registers = 3 }, Encoding(RegisterType.DateTime),
            Encoding(RegisterType.UInt16) with { Bit = 4, BitCount = 4 }, Scaled(RegisterType.Int16, 0, 5), Scaled(RegisterType.UInt64, 0, 5),
        ];
        var words = new ushort[8];
        Decode(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Decode(200);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Decode(int times)
        {
            for (var i = 0; i < times; i++)
            {
                foreach (var encoding in encodings)
                {
                    RegisterCodec.Decode(encoding, words, out _, out var raw);
                    RegisterCodec.ReadingOf(encoding, raw);
                }
            }
        }
    }

    private static Gen<RegisterEncoding> Encodings =>
        from type in Gen.Elements(Enum.GetValues<RegisterType>().Where(t => t != RegisterType.Text).ToArray())
        from words in Gen.Elements(WordOrders)
        from bytes in Gen.Elements(ByteOrders)
        from registers in Gen.Choose(2, 4)
        from form in Gen.Elements(Enum.GetValues<TimeForm>())
        from scale in Gen.Elements(1m, 0.1m, 0.001m, 40m)
        from isScaled in Gen.Elements(true, false)
        from isField in Gen.Elements(true, false)
        from place in Gen.Elements(0, 7)
        select Encoding(type) with
        {
            WordOrder = words,
            ByteOrder = bytes,
            Registers = (byte)(type == RegisterType.Mod10 ? registers : 0),
            TimeForm = form,
            Scale = type == RegisterType.DateTime ? 1 : scale,
            Address = (ushort)(isScaled && Scalable(type) && place == 0 ? 1 : 0),
            ScaleAt = isScaled && Scalable(type) ? (ushort)place == 0 ? (ushort)0 : (ushort)7 : null,
            Bit = (byte)(isField && !isScaled && Field(type) ? 3 : 0),
            BitCount = (byte)(isField && !isScaled && Field(type) ? 9 : 0),
        };

    private static bool Scalable(RegisterType type) => type is >= RegisterType.UInt16 and <= RegisterType.Int64;

    private static bool Field(RegisterType type) => type is RegisterType.UInt16 or RegisterType.UInt32 or RegisterType.UInt64;

    private static RegisterEncoding Scaled(RegisterType type, ushort at, ushort scaleAt) => Encoding(type) with { Address = at, ScaleAt = scaleAt };

    private static RegisterEncoding Encoding(RegisterType type) => new() { Table = RegisterTable.HoldingRegister, Address = 0, Type = type };
}
