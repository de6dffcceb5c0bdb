using EdgeGateway.Core.Profiles;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Profiles;

public class RegisterCodecTests
{
    public static TheoryData<RegisterType, WordOrder, ByteOrder, ushort[], double> Vectors => new()
    {
        { RegisterType.UInt16, WordOrder.HighFirst, ByteOrder.Big, [0xFFFE], 65534 },
        { RegisterType.UInt16, WordOrder.HighFirst, ByteOrder.Little, [0x0100], 1 },
        { RegisterType.Int16, WordOrder.HighFirst, ByteOrder.Big, [0xFFFE], -2 },
        { RegisterType.UInt32, WordOrder.HighFirst, ByteOrder.Big, [0x0001, 0x86A0], 100_000 },
        { RegisterType.UInt32, WordOrder.LowFirst, ByteOrder.Big, [0x86A0, 0x0001], 100_000 },
        { RegisterType.UInt32, WordOrder.LowFirst, ByteOrder.Little, [0xA086, 0x0100], 100_000 },
        { RegisterType.Int32, WordOrder.HighFirst, ByteOrder.Big, [0xFFFF, 0xFC18], -1000 },
        { RegisterType.Int32, WordOrder.LowFirst, ByteOrder.Big, [0xFC18, 0xFFFF], -1000 },
        { RegisterType.UInt64, WordOrder.HighFirst, ByteOrder.Big, [0, 0, 1, 0x86A0], 100_000 },
        { RegisterType.UInt64, WordOrder.LowFirst, ByteOrder.Big, [0x86A0, 1, 0, 0], 100_000 },
        { RegisterType.Int64, WordOrder.HighFirst, ByteOrder.Big, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], -1 },
        { RegisterType.Float32, WordOrder.HighFirst, ByteOrder.Big, [0x4366, 0x8000], 230.5 },
        { RegisterType.Float32, WordOrder.LowFirst, ByteOrder.Big, [0x8000, 0x4366], 230.5 },
        { RegisterType.Float64, WordOrder.HighFirst, ByteOrder.Big, [0x406C, 0xD000, 0, 0], 230.5 },
        { RegisterType.Float64, WordOrder.LowFirst, ByteOrder.Big, [0, 0, 0xD000, 0x406C], 230.5 },
    };

    [Theory, MemberData(nameof(Vectors))]
    public void Words_become_the_number_and_the_number_the_words(
        RegisterType type, WordOrder words, ByteOrder bytes, ushort[] image, double expected)
    {
        var encoding = Encoding(type) with { WordOrder = words, ByteOrder = bytes };

        Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(encoding, image, out var value, out _));
        Assert.Equal(expected, value);

        var encoded = new ushort[image.Length];
        RegisterCodec.Encode(encoding, expected, encoded);
        Assert.Equal(image, encoded);
    }

    [Theory]
    [InlineData(2305, 0.1, 230.5)]
    [InlineData(3, 0.1, 0.3)]
    [InlineData(29, 0.01, 0.29)]
    [InlineData(57, 0.001, 0.057)]
    [InlineData(7, 40, 280)]
    public void Decimal_scales_round_as_a_person_writes_the_number(int raw, double scale, double expected)
    {
        var encoding = Encoding(RegisterType.UInt16) with { Scale = (decimal)scale };
        RegisterCodec.Decode(encoding, [(ushort)raw], out var value, out _);
        Assert.Equal(expected, value);
    }

    [Fact]
    public void Offset_is_added_after_scaling_in_whichever_order_they_are_declared()
    {
        var first = Encoding(RegisterType.UInt16) with { Scale = 0.1m, Offset = -40m };
        var second = Encoding(RegisterType.UInt16) with { Offset = -40m, Scale = 0.1m };
        foreach (var encoding in new[] { first, second })
        {
            RegisterCodec.Decode(encoding, [253], out var value, out _);
            Assert.Equal(-14.7, value);
            Assert.Equal(-14.7m, RegisterCodec.ReadingOf(encoding, 253));
        }
    }

    [Fact]
    public void A_ratio_without_a_finite_decimal_form_still_scales()
    {
        var encoding = Encoding(RegisterType.UInt16) with { Scale = 110m / 3m };
        RegisterCodec.Decode(encoding, [3], out var value, out _);
        Assert.Equal(110, value, 10);
    }

    [Fact]
    public void A_declared_code_means_not_available_and_keeps_its_raw_bits()
    {
        var encoding = Encoding(RegisterType.Int16) with { Invalid = [0x7FFF, 0x8000] };
        Assert.Equal(DecodeStatus.Invalid, RegisterCodec.Decode(encoding, [0x7FFF], out var value, out var raw));
        Assert.True(double.IsNaN(value));
        Assert.Equal(0x7FFFUL, raw);
        Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(encoding, [0x7FFE], out _, out _));
    }

    [Theory]
    [InlineData(0x7FC0, 0x0000)]
    [InlineData(0xFFFF, 0xFFFF)]
    [InlineData(0x7F80, 0x0000)]
    [InlineData(0xFF80, 0x0000)]
    public void Floats_that_are_no_numbers_say_so(int high, int low)
    {
        var status = RegisterCodec.Decode(Encoding(RegisterType.Float32), [(ushort)high, (ushort)low], out var value, out _);
        Assert.Equal(DecodeStatus.NotANumber, status);
        Assert.True(double.IsNaN(value));
    }

    [Fact]
    public void A_bit_comes_from_its_place_in_the_register_and_leaves_its_neighbours_alone()
    {
        var encoding = Encoding(RegisterType.Bit) with { Bit = 9 };
        RegisterCodec.Decode(encoding, [0x0200], out var on, out _);
        RegisterCodec.Decode(encoding, [0xFDFF], out var off, out _);
        Assert.Equal((1, 0), (on, off));

        ushort[] words = [0x8001];
        RegisterCodec.Encode(encoding, 1, words);
        Assert.Equal(0x8201, words[0]);
        RegisterCodec.Encode(encoding, 0, words);
        Assert.Equal(0x8001, words[0]);
    }

    [Fact]
    public void A_coil_is_one_word_of_0_or_1()
    {
        var encoding = Encoding(RegisterType.Bit) with { Table = RegisterTable.Coil };
        RegisterCodec.Decode(encoding, [1], out var value, out var raw);
        Assert.Equal((1, 1UL), (value, raw));
    }

    [Theory]
    [InlineData(RegisterType.UInt16, -1)]
    [InlineData(RegisterType.UInt16, 65_536)]
    [InlineData(RegisterType.Int16, 32_768)]
    [InlineData(RegisterType.UInt32, 4_294_967_296)]
    [InlineData(RegisterType.Int64, 9.3e18)]
    [InlineData(RegisterType.UInt64, 1.9e19)]
    [InlineData(RegisterType.Float32, 1e39)]
    [InlineData(RegisterType.Float64, double.NaN)]
    [InlineData(RegisterType.Bit, 2)]
    public void A_value_that_the_type_cannot_express_is_refused(RegisterType type, double value) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => RegisterCodec.Encode(Encoding(type), value, new ushort[4]));

    [Fact]
    public void Too_few_words_are_our_mistake_and_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => RegisterCodec.Decode(Encoding(RegisterType.UInt32), [1], out _, out _));

    [Fact]
    public void Counter_readings_are_exact_beyond_the_reach_of_a_double()
    {
        var encoding = Encoding(RegisterType.UInt64) with { Scale = 0.01m };
        Assert.Equal(90_071_992_547_409.93m, RegisterCodec.ReadingOf(encoding, 9_007_199_254_740_993));
        Assert.Equal(184_467_440_737_095_516.15m, RegisterCodec.ReadingOf(encoding, ulong.MaxValue));
    }

    [Fact]
    public void A_float_reading_without_meaning_never_throws()
    {
        var encoding = Encoding(RegisterType.Float64) with { Scale = 1000m };
        Assert.Equal(0, RegisterCodec.ReadingOf(encoding, BitConverter.DoubleToUInt64Bits(double.NaN)));
        Assert.Equal(1e24m, RegisterCodec.ReadingOf(encoding, BitConverter.DoubleToUInt64Bits(double.PositiveInfinity)));
        Assert.Equal(-1e24m, RegisterCodec.ReadingOf(encoding, BitConverter.DoubleToUInt64Bits(-1e300)));
    }

    [Fact]
    public void Every_image_survives_decoding_to_raw_and_encoding_again()
    {
        var cases =
            from type in Gen.Elements(Enum.GetValues<RegisterType>().Where(t => t != RegisterType.Text).ToArray())
            from words in Gen.Elements(WordOrder.HighFirst, WordOrder.LowFirst)
            from bytes in Gen.Elements(ByteOrder.Big, ByteOrder.Little)
            from image in Gen.Choose(0, 65_535).ArrayOf(4)
            select (Encoding: Encoding(type) with { WordOrder = words, ByteOrder = bytes }, Image: image.Select(w => (ushort)w).ToArray());

        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var image = c.Image[..c.Encoding.Length];
            RegisterCodec.Decode(c.Encoding, image, out _, out var raw);
            var again = (ushort[])image.Clone();
            RegisterCodec.EncodeRaw(c.Encoding, raw, again);
            return again.SequenceEqual(image);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Every_value_that_was_decoded_encodes_to_the_same_raw_bits()
    {
        var cases =
            from type in Gen.Elements(RegisterType.UInt16, RegisterType.Int16, RegisterType.UInt32, RegisterType.Int32, RegisterType.Float32, RegisterType.Float64)
            from scale in Gen.Elements(1m, 0.1m, 0.01m, 0.001m, 10m, 40m, 0.04m)
            from offset in Gen.Elements(0m, -40m, 0.5m)
            from number in Gen.Choose(int.MinValue, int.MaxValue)
            select (Encoding: Encoding(type) with { Scale = IsFloat(type) ? 1m : scale, Offset = IsFloat(type) ? 0m : offset }, Number: number);

        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var words = new ushort[4];
            var bits = 16 * c.Encoding.Length;
            var raw = c.Encoding.Type == RegisterType.Float64
                ? BitConverter.DoubleToUInt64Bits(c.Number / 7.0)
                : unchecked((ulong)c.Number) & ((1UL << bits) - 1);
            RegisterCodec.EncodeRaw(c.Encoding, raw, words);
            if (RegisterCodec.Decode(c.Encoding, words, out var value, out _) != DecodeStatus.Ok)
            {
                return true; // An image of NaN: there is no value to encode.
            }

            RegisterCodec.Encode(c.Encoding, value, words);
            RegisterCodec.Decode(c.Encoding, words, out _, out var again);
            return again == raw;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Decoding_allocates_nothing()
    {
        var encoding = Encoding(RegisterType.UInt32) with { Scale = 0.1m, Invalid = [0xFFFFFFFF] };
        ushort[] words = [0, 2305];
        RegisterCodec.Decode(encoding, words, out _, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            RegisterCodec.Decode(encoding, words, out _, out _);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static bool IsFloat(RegisterType type) => type is RegisterType.Float32 or RegisterType.Float64;

    private static RegisterEncoding Encoding(RegisterType type) =>
        new() { Table = RegisterTable.HoldingRegister, Address = 0, Type = type };
}
