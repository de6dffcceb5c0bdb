using System.Globalization;
using System.Text.Json;
using EdgeGateway.Protocols.Dlt645;

namespace EdgeGateway.Conformance.Dlt645;

/// <summary>The worked frames of DL/T 645-2007.</summary>
public class FrameCases
{
    private const string File = "dlt645-frames.json";

    public static TheoryData<string> Ids => CaseFile.Ids(File);

    [Theory, MemberData(nameof(Ids))]
    public void Is_built_and_read_as_worked(string id)
    {
        var worked = CaseFile.Find(File, id);
        var (inputs, expected) = (worked.GetProperty("inputs"), worked.GetProperty("expected"));
        switch (worked.GetProperty("op").GetString())
        {
            case "dlt645.build_read":
                Assert.True(MeterAddress.TryParse(inputs.GetProperty("address").GetString(), out var address));
                Assert.True(DataIdentifier.TryParse(inputs.GetProperty("di").GetString(), out var identifier));
                var data = new byte[DataIdentifier.Length];
                identifier.Write(data);
                var frame = new byte[64];
                var length = Dlt645Frame.Write(frame, address, Dlt645Control.Request(Dlt645Function.Read), data, inputs.GetProperty("preamble").GetInt32());
                Assert.Equal(expected.GetProperty("frame_hex").GetString(), Text(frame.AsSpan(0, length)));
                break;
            case "dlt645.parse":
                Parse(Bytes(inputs.GetProperty("frame_hex").GetString()!), expected);
                break;
            case var op:
                Assert.Fail($"{op} is not run");
                break;
        }
    }

    private static void Parse(byte[] bytes, JsonElement expected)
    {
        var found = Dlt645Frame.Find(bytes, Dlt645Strictness.Strict);
        if (expected.TryGetProperty("error", out var error))
        {
            var refused = found.Kind switch
            {
                Dlt645FoundKind.WrongCheckSum => "checksum",
                Dlt645FoundKind.Frame when Refuses(bytes.AsSpan(found.At, found.Length)) => "meter-error",
                Dlt645FoundKind.Frame => "none",
                _ => "framing",
            };
            Assert.Equal(error.GetString(), refused);
            return;
        }

        Assert.Equal((Dlt645FoundKind.Frame, 0, bytes.Length), (found.Kind, found.At, found.Length));
        var data = new byte[255];
        var length = Dlt645Frame.Read(bytes, data, out var address, out var control);
        var identifier = DataIdentifier.Read(data);
        Assert.Equal(expected.GetProperty("address").GetString(), address.ToString());
        Assert.Equal(expected.GetProperty("control").GetString(), control.ToString());
        Assert.Equal(expected.GetProperty("di").GetString(), identifier.ToString());
        var item = DataItems.Find(identifier);
        Assert.NotNull(item);
        Assert.True(item.TryValue(data.AsSpan(DataIdentifier.Length, length - DataIdentifier.Length), out var value));
        Assert.Equal((expected.GetProperty("value").GetDecimal(), expected.GetProperty("unit").GetString()), (value, item.Unit));
    }

    private static bool Refuses(ReadOnlySpan<byte> frame)
    {
        Dlt645Frame.Read(frame, new byte[255], out _, out var control);
        return control.IsRefusal;
    }

    private static byte[] Bytes(string text) => [.. text.Split(' ').Select(b => byte.Parse(b, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];

    private static string Text(ReadOnlySpan<byte> bytes) => string.Join(' ', bytes.ToArray().Select(b => b.ToString("X2", CultureInfo.InvariantCulture)));

    // Frames printed in public sources or computed from the layout, beyond the worked cases; the sources are those of docs/dlt645.md.
    [Theory]
    [InlineData("68 00 51 44 18 11 17 68 91 06 35 33 B3 35 36 83 45 16", "171118445100", "50.03")] // published: frequency
    [InlineData("68 37 03 00 92 81 39 68 91 08 33 33 34 33 37 33 33 33 8C 16", "398192000337", "0.04")] // published: forward energy
    public void Reads_published_answers(string frame, string meter, string value)
    {
        var data = new byte[255];
        var length = Dlt645Frame.Read(Bytes(frame), data, out var address, out _);
        Assert.Equal(Dlt645FoundKind.Frame, Dlt645Frame.Find(Bytes(frame), Dlt645Strictness.Strict).Kind);
        Assert.Equal(meter, address.ToString());
        Assert.True(DataItems.Find(DataIdentifier.Read(data))!.TryValue(data.AsSpan(4, length - 4), out var read));
        Assert.Equal(decimal.Parse(value, CultureInfo.InvariantCulture), read);
    }

    [Fact]
    public void Asks_for_the_address_as_published()
    {
        var frame = new byte[12];
        Dlt645Frame.Write(frame, MeterAddress.Wildcard, Dlt645Control.Request(Dlt645Function.ReadAddress), []);
        Assert.Equal("68 AA AA AA AA AA AA 68 13 00 DF 16", Text(frame));
    }

    [Fact]
    public void A_broadcast_of_the_time_is_built_as_computed()
    {
        // 2025-03-01 12:00:00: second first, without the day of the week.
        var frame = new byte[18];
        Dlt645Frame.Write(frame, MeterAddress.Broadcast, Dlt645Control.Request(Dlt645Function.BroadcastTime), [0x00, 0x00, 0x12, 0x01, 0x03, 0x25]);
        Assert.Equal("68 99 99 99 99 99 99 68 08 06 33 33 45 34 36 58 E1 16", Text(frame));
    }

    [Fact]
    public void A_meter_says_its_address_as_computed()
    {
        var frame = Bytes("68 61 01 00 00 00 00 68 93 06 94 34 33 33 33 33 5F 16");
        Assert.Equal(Dlt645FoundKind.Frame, Dlt645Frame.Find(frame, Dlt645Strictness.Strict).Kind);
        var data = new byte[255];
        Assert.Equal(6, Dlt645Frame.Read(frame, data, out var from, out _));
        Assert.Equal(("000000000161", from), (MeterAddress.Read(data).ToString(), MeterAddress.Read(data)));
    }

    [Fact]
    public void A_printed_frequency_read_whose_sum_does_not_fit_is_refused()
    {
        // A tutorial prints 85 where the bytes sum to 80.
        var frame = new byte[16];
        var data = new byte[4];
        new DataIdentifier(0x0280_0002).Write(data);
        Assert.True(MeterAddress.TryParse("171118445100", out var address));
        Dlt645Frame.Write(frame, address, Dlt645Control.Request(Dlt645Function.Read), data);
        frame[^2] ^= 0x05;
        Assert.Equal(Dlt645FoundKind.WrongCheckSum, Dlt645Frame.Find(frame).Kind);
    }
}
