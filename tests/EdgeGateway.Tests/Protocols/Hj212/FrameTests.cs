using System.Text;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Hj212;

/// <summary>Whatever is written is read back, and whatever bytes come, there is an answer.</summary>
public sealed class FrameTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(3000);

    private static readonly Arbitrary<byte[]> Bytes = Gen.OneOf(
        Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(),
        Gen.Elements<byte>((byte)'#', (byte)'0', (byte)'1', (byte)'=', (byte)';', (byte)'&', (byte)',', (byte)'\r', (byte)'\n', (byte)'C', (byte)'P', 0xFF).ArrayOf()).ToArbitrary();

    private static readonly Gen<string> Word = Gen.Elements("a05001-Rtd", "a19001-Flag", "DataTime", "N", "1.5", "-3", "20250301120000", "温度", "x").Select(w => w);

    private static readonly Arbitrary<Hj212Packet> Packets =
        (from header in Field().ArrayOf(6)
         from groups in Field().NonEmptyListOf().ArrayOf()
         select new Hj212Packet(header, [.. groups.Take(8).Select(g => (IReadOnlyList<Hj212Field>)[.. g.Take(4)])])).ToArbitrary();

    private static Gen<Hj212Field> Field() => from key in Word from value in Word select new Hj212Field(key, value);

    [Fact]
    public void Every_packet_is_read_back_as_it_was_written() =>
        Prop.ForAll(Packets, packet =>
        {
            var bytes = Hj212Frame.Write(packet);
            var found = Hj212Frame.Find(bytes);
            Assert.Equal((Hj212FoundKind.Packet, 0, bytes.Length), (found.Kind, found.At, found.Length));
            var read = Hj212Packet.Parse(Hj212Frame.SegmentOf(bytes), out _);
            Assert.Equal(packet.ToString(), read.ToString());
            Assert.Equal(packet.Groups.Count, read.Groups.Count);
        }).Check(Many);

    [Fact]
    public void No_byte_sequence_makes_a_decoder_throw_or_hang() =>
        Prop.ForAll(Bytes, bytes =>
        {
            var rest = bytes.AsSpan();
            for (var turn = 0; ; turn++)
            {
                Assert.True(turn <= 2 * bytes.Length, "no end");
                var found = Hj212Frame.Find(rest);
                if (found.Kind is Hj212FoundKind.Nothing or Hj212FoundKind.Incomplete)
                {
                    break;
                }

                rest = rest[(found.At + (found.IsRefused ? 1 : found.Length))..];
            }

            _ = Hj212Packet.Parse(bytes, out _).ToString();
        }).Check(Many);

    [Fact]
    public void Every_single_changed_byte_is_noticed()
    {
        var good = Hj212Frame.Write("QN=20250301120000123;ST=31;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&a05001-Rtd=1.5&&"u8);
        for (var i = 0; i < good.Length; i++)
        {
            var damaged = good.ToArray();
            damaged[i] ^= 0x04;
            Assert.NotEqual(Hj212FoundKind.Packet, Hj212Frame.Find(damaged).Kind);
        }
    }

    [Fact]
    public void Noise_that_ends_in_a_mark_does_not_take_the_packet_away()
    {
        byte[] bytes = [.. "xx#"u8, .. Hj212Frame.Write("QN=1;CP=&&&&"u8)];
        var found = Hj212Frame.Find(bytes);

        // The mark of the noise and the first of the packet look like a header; the search goes on one byte behind.
        Assert.Equal((Hj212FoundKind.WrongLength, 2), (found.Kind, found.At));
        Assert.Equal((Hj212FoundKind.Packet, 0), (Hj212Frame.Find(bytes.AsSpan(3)).Kind, Hj212Frame.Find(bytes.AsSpan(3)).At));
    }

    [Theory]
    [InlineData("QN=1;CP=&&", Hj212Deviations.OpenData)]
    [InlineData("QN=1;ST=31", Hj212Deviations.NoData)]
    [InlineData("CP=&&a=1,a=2&&", Hj212Deviations.Doubled)]
    [InlineData("CP=&&a&&", Hj212Deviations.EmptyField)]
    [InlineData("CP=&&a=1;;b=2&&", Hj212Deviations.EmptyField)]
    [InlineData("CP=&&a=1&&x", Hj212Deviations.Trailing)]
    [InlineData("MN=882020;CP=&&&&", Hj212Deviations.Device)]
    [InlineData("Flag=8;CP=&&&&", Hj212Deviations.Version)]
    [InlineData("Flag=x;CP=&&&&", Hj212Deviations.Flag)]
    [InlineData("Flag=7;PNUM=2;PNO=3;CP=&&&&", Hj212Deviations.Split)]
    [InlineData("QN=20251301120000123;CP=&&&&", Hj212Deviations.Number)]
    public void Deviations_are_told_and_what_can_be_read_is_read(string segment, Hj212Deviations expected)
    {
        var packet = Hj212Packet.Parse(Encoding.UTF8.GetBytes(segment), out var deviations);
        Assert.True(deviations.HasFlag(expected), $"{deviations}");
        Assert.NotNull(packet.ToString());
    }

    [Fact]
    public void Keys_and_groups_that_are_not_known_are_kept()
    {
        const string Segment = "QN=20250301120000123;ST=31;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;New=1;CP=&&z99999-Strange=1,Other=2;Info=x&&";
        Assert.Equal(Segment, Hj212Packet.Parse(Encoding.ASCII.GetBytes(Segment), out var deviations).ToString());

        // A packet of 2025 is taken: the link stays.
        Assert.Equal(Hj212Deviations.Version, deviations);
    }

    [Fact]
    public void What_does_not_fit_is_split_and_comes_together_again_in_any_order()
    {
        var groups = Enumerable.Range(0, 60).Select(i => (IReadOnlyList<Hj212Field>)[new($"a{i:00000}-Avg", "123.456"), new($"a{i:00000}-Flag", "N")]);
        var packet = Hj212Packet.Make("20250301130000001", "31", "2061", "123456", "010000A8900016F000169DC0", Hj212Flag.Of(wantsAnswer: true), [[new("DataTime", "20250301120000")], .. groups]);
        var number = 1;
        var parts = Hj212Split.Split(packet, () => $"2025030113000{++number:0000}");
        Assert.True(parts.Count > 1);
        Assert.All(parts, p => Assert.True(Hj212Frame.Write(p).Length <= Hj212Frame.MaxLength));
        Assert.All(parts, p => Assert.Equal((true, true, parts.Count, "20250301120000"), (p.Flag.IsSplit, p.Flag.WantsAnswer, p.Parts, p.Value("DataTime"))));
        Assert.Equal(parts.Count, parts.Select(p => p.Number).Distinct().Count());

        var assembly = new Hj212Assembly(new ManualTime());
        Hj212Packet? whole = null;
        foreach (var part in parts.Reverse())
        {
            Assert.Null(whole);
            whole = assembly.Take(part);
        }

        Assert.Equal(packet.Groups.Select(g => string.Join(',', g)), whole!.Groups.Select(g => string.Join(',', g)));
    }

    [Fact]
    public void Parts_whose_fellows_do_not_come_are_forgotten_after_a_minute()
    {
        var time = new ManualTime();
        var assembly = new Hj212Assembly(time);
        var part = Hj212Packet.Parse("QN=1;CN=2061;MN=x;Flag=7;PNUM=2;PNO=1;CP=&&DataTime=20250301120000;a=1&&"u8, out _);
        Assert.Null(assembly.Take(part));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(assembly.Take(Hj212Packet.Parse("QN=2;CN=2061;MN=x;Flag=7;PNUM=2;PNO=2;CP=&&DataTime=20250301120000;b=1&&"u8, out _)));
        Assert.Equal(1, assembly.Incomplete);
    }

    [Fact]
    public void A_group_larger_than_a_packet_is_a_mistake_that_is_told() =>
        Assert.Throws<ArgumentException>(() => Hj212Split.Split(Hj212Packet.Make("1", "31", "2061", "1", "m", Hj212Flag.Of(true), [[new("Info", new('x', 2000))]]), () => "2"));

    [Fact]
    public void Numbers_grow_also_within_one_millisecond_and_when_the_clock_goes_back()
    {
        var now = new DateTime(2025, 3, 1, 12, 0, 0, 123, DateTimeKind.Unspecified);
        var numbers = new Hj212Numbers(() => now);
        Assert.Equal(("20250301120000123", "20250301120000124"), (numbers.Next(), numbers.Next()));
        now = now.AddHours(-1);
        Assert.Equal("20250301120000125", numbers.Next());
    }
}
