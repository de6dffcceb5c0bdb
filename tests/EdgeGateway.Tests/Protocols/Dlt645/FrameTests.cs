using EdgeGateway.Protocols.Dlt645;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Dlt645;

/// <summary>Whatever is written is read back, and whatever bytes come, there is an answer.</summary>
public sealed class FrameTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(3000);

    private static readonly Arbitrary<byte[]> Bytes = Gen.OneOf(
        Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(),
        Gen.Elements<byte>(0x68, 0x16, 0xFE, 0x91, 0x00, 0x02, 0x33, 0xD8).ArrayOf()).ToArbitrary();

    private static readonly Arbitrary<(ulong Address, byte Control, byte[] Data, byte WakeUp)> Frames =
        (from address in Gen.Choose(0, int.MaxValue).Two()
         from control in Gen.Choose(0, 255)
         from data in Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf()
         from wakeUp in Gen.Choose(0, 6)
         select (((ulong)address.Item1 << 20) ^ (ulong)address.Item2, (byte)control, data, (byte)wakeUp)).ToArbitrary();

    [Fact]
    public void Every_frame_is_read_back_as_it_was_written_also_behind_noise() =>
        Prop.ForAll(Frames, Bytes, (f, noise) =>
        {
            var address = MeterAddress.Read(BitConverter.GetBytes(f.Address).AsSpan(0, 6));
            var data = f.Data.AsSpan(0, Math.Min(f.Data.Length, 255)).ToArray();
            var frame = new byte[f.WakeUp + Dlt645Frame.MinLength + data.Length];
            Assert.Equal(frame.Length, Dlt645Frame.Write(frame, address, new(f.Control), data, f.WakeUp));
            var found = Dlt645Frame.Find(frame);
            Assert.Equal((Dlt645FoundKind.Frame, (int)f.WakeUp, frame.Length - f.WakeUp), (found.Kind, found.At, found.Length));
            Assert.Equal(f.WakeUp > 4, found.Deviations.HasFlag(Dlt645Deviations.LongWakeUp));
            var read = new byte[255];
            var length = Dlt645Frame.Read(frame.AsSpan(found.At, found.Length), read, out var from, out var control);
            Assert.Equal((address, f.Control), (from, control.Value));
            Assert.Equal(data, read[..length]);

            // Noise may by chance hold a frame or swallow nothing: what is found is always inside and whole.
            byte[] noisy = [.. noise, .. frame, .. noise];
            var behind = Dlt645Frame.Find(noisy);
            Assert.Equal(Dlt645FoundKind.Frame, behind.Kind);
            Assert.InRange(behind.At + behind.Length, Dlt645Frame.MinLength, noisy.Length);
        }).Check(Many);

    [Fact]
    public void No_byte_sequence_makes_a_decoder_throw() =>
        Prop.ForAll(Bytes, bytes =>
        {
            foreach (var strictness in Enum.GetValues<Dlt645Strictness>())
            {
                var found = Dlt645Frame.Find(bytes, strictness);
                if (found.Kind == Dlt645FoundKind.Frame)
                {
                    Dlt645Frame.Read(bytes.AsSpan(found.At, found.Length), new byte[255], out _, out _);
                }
            }

            foreach (var item in DataItems.All)
            {
                _ = item.TryValue(bytes, out _);
            }
        }).Check(Many);

    [Fact]
    public void Every_number_is_read_back_as_it_was_written() =>
        Prop.ForAll(Gen.Choose(-799_999, 799_999).ToArbitrary(), Gen.Choose(3, 8).ToArbitrary(), (number, bytes) =>
        {
            var data = new byte[bytes];
            Bcd.Write(data, number, isSigned: true);
            Assert.True(Bcd.TryRead(data, isSigned: true, out var read));
            Assert.Equal(number, read);
        }).Check(Many);

    [Theory]
    [InlineData("0000000F")]
    [InlineData("A0000000")]
    [InlineData("FFFFFFFF")]
    public void A_digit_above_nine_is_no_number(string hex) => Assert.False(Bcd.TryRead(Convert.FromHexString(hex), isSigned: false, out _));

    [Fact]
    public void The_sign_is_a_bit_and_no_complement()
    {
        Assert.True(Bcd.TryRead([0x01, 0x21, 0x83], isSigned: true, out var number));
        Assert.Equal(-32101, number);
        Assert.False(Bcd.TryRead([0x01, 0x21, 0x9A], isSigned: true, out _));
    }

    [Fact]
    public void A_number_that_does_not_fit_is_refused_by_the_writer()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Bcd.Write(new byte[2], 10_000, isSigned: false));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bcd.Write(new byte[2], 8_000, isSigned: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bcd.Write(new byte[2], -1, isSigned: false));
    }

    [Fact]
    public void A_strict_reader_refuses_what_a_lenient_one_counts()
    {
        var frame = new byte[18];
        Dlt645Frame.Write(frame, MeterAddress.Wildcard, Dlt645Control.Request(Dlt645Function.ReadAddress), [], wakeUp: 6);
        Assert.Equal((Dlt645FoundKind.Frame, Dlt645Deviations.LongWakeUp), (Dlt645Frame.Find(frame).Kind, Dlt645Frame.Find(frame).Deviations));
        Assert.Equal(Dlt645FoundKind.Deviating, Dlt645Frame.Find(frame, Dlt645Strictness.Strict).Kind);
        frame[^1] = 0x17;
        Assert.Equal((Dlt645FoundKind.Deviating, Dlt645Deviations.LongWakeUp | Dlt645Deviations.WrongEnd), (Dlt645Frame.Find(frame).Kind, Dlt645Frame.Find(frame).Deviations));
        Assert.Equal(Dlt645FoundKind.Frame, Dlt645Frame.Find(frame, Dlt645Strictness.Lenient).Kind);
    }

    [Theory]
    [InlineData("000000000161", true)]
    [InlineData("161", true)]
    [InlineData("999999999999", false)]
    [InlineData("AAAAAAAAAAAA", false)]
    [InlineData("1234567890123", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void An_address_is_up_to_twelve_digits_and_no_broadcast(string? text, bool isAddress) => Assert.Equal(isAddress, MeterAddress.TryParse(text, out _));

    [Fact]
    public void Known_items_have_one_identifier_each_and_fit_a_frame()
    {
        Assert.All(DataItems.All, i => Assert.InRange(i.Length, 1, 8));
        Assert.Equal(DataItems.All.Count, DataItems.All.Select(i => i.Identifier).Distinct().Count());
        Assert.Equal(new(new(0x0103_0000 - 0x0002_0000 + 0x0000_0200), DataForm.NumberAndTime, 3, 4, false, "kW", "forward active maximum demand, tariff 2"), DataItems.Find(new(0x0101_0200)));
    }
}
