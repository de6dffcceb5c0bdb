using EdgeGateway.Core.Profiles;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Profiles;

public class RegisterTextTests
{
    [Theory]
    [InlineData(new ushort[] { 0x5375, 0x6E53 }, "SunS")] // the marker of a SunSpec map
    [InlineData(new ushort[] { 0x4142, 0x4300, 0x0000 }, "ABC")]
    [InlineData(new ushort[] { 0x4142, 0x0043, 0x4444 }, "AB")] // what follows the NUL is what was there before
    [InlineData(new ushort[] { 0x2041, 0x4220, 0x2020 }, "AB")]
    [InlineData(new ushort[] { 0xFFFF, 0xFFFF }, "")]
    [InlineData(new ushort[] { 0x411B, 0x5B42 }, @"A\x1B[B")]
    [InlineData(new ushort[] { 0x41E4, 0x0000 }, @"A\xE4")]
    [InlineData(new ushort[] { 0x5C41, 0x0000 }, @"\\A")]
    public void Padding_goes_and_what_cannot_be_printed_is_escaped(ushort[] words, string expected) =>
        Assert.Equal(expected, RegisterText.Decode(Text(words.Length), words));

    [Fact]
    public void Bytes_and_words_may_be_turned_round()
    {
        Assert.Equal("SunS", RegisterText.Decode(Text(2) with { ByteOrder = ByteOrder.Little }, [0x7553, 0x536E]));
        Assert.Equal("SunS", RegisterText.Decode(Text(2) with { WordOrder = WordOrder.LowFirst }, [0x6E53, 0x5375]));
    }

    [Fact]
    public void Utf_8_is_read_where_it_is_declared_and_damage_in_it_shows()
    {
        var encoding = Text(3) with { TextCoding = TextCoding.Utf8 };
        Assert.Equal("电表", RegisterText.Decode(encoding, [0xE794, 0xB5E8, 0xA1A8]));
        Assert.Equal(@"\xE7\x94A", RegisterText.Decode(encoding, [0xE794, 0x4100, 0]));
        Assert.Equal(@"a\u{202E}b", RegisterText.Decode(encoding, [0x61E2, 0x80AE, 0x6200])); // turns the writing direction
    }

    [Fact]
    public void A_text_that_does_not_fit_is_refused()
    {
        Assert.Throws<ArgumentException>(() => RegisterText.Encode(Text(1), "ABC", new ushort[1]));
        Assert.Throws<ArgumentException>(() => RegisterText.Encode(Text(3), "ä", new ushort[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => RegisterText.Decode(Text(3), [1, 2]));
    }

    [Fact]
    public void Printable_texts_survive_and_no_words_throw_or_print_a_control_character()
    {
        var cases =
            from words in Gen.Choose(0, 65_535).ArrayOf(5)
            from bytes in Gen.Elements(ByteOrder.Big, ByteOrder.Little)
            from order in Gen.Elements(WordOrder.HighFirst, WordOrder.LowFirst)
            from coding in Gen.Elements(TextCoding.Ascii, TextCoding.Utf8)
            select (Words: words.Select(w => (ushort)w).ToArray(), Encoding: Text(5) with { ByteOrder = bytes, WordOrder = order, TextCoding = coding });
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var text = RegisterText.Decode(c.Encoding, c.Words);
            Assert.DoesNotContain(text, char.IsControl);
            if (text.Contains('\\', StringComparison.Ordinal))
            {
                return true;
            }

            var again = new ushort[5];
            RegisterText.Encode(c.Encoding, text, again);
            return RegisterText.Decode(c.Encoding, again) == text;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_text_is_no_number()
    {
        Assert.Equal(DecodeStatus.NotANumber, RegisterCodec.Decode(Text(2), [0x3132, 0x3334], out var value, out var raw));
        Assert.True(double.IsNaN(value) && raw == 0);
    }

    private static RegisterEncoding Text(int registers) =>
        new() { Table = RegisterTable.HoldingRegister, Address = 0, Type = RegisterType.Text, Registers = (byte)registers };
}
