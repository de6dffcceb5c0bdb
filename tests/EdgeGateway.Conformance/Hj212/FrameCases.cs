using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeGateway.Protocols.Hj212;

namespace EdgeGateway.Conformance.Hj212;

/// <summary>The worked packets of HJ 212-2017.</summary>
public class FrameCases
{
    private const string File = "hj212-frames.json";

    public static TheoryData<string> Ids => CaseFile.Ids(File);

    [Theory, MemberData(nameof(Ids))]
    public void Is_built_and_read_as_worked(string id)
    {
        var worked = CaseFile.Find(File, id);
        var (inputs, expected) = (worked.GetProperty("inputs"), worked.GetProperty("expected"));
        switch (worked.GetProperty("op").GetString())
        {
            case "hj212.crc":
                var segment = Encoding.UTF8.GetBytes(inputs.GetProperty("segment").GetString()!);
                Assert.Equal(expected.GetProperty("length").GetInt32(), segment.Length);
                Assert.Equal(expected.GetProperty("crc").GetString(), Hj212Crc.Of(segment).ToString("X4", CultureInfo.InvariantCulture));
                break;
            case "hj212.build":
                var header = inputs.GetProperty("header").EnumerateArray().Select(f => new Hj212Field(f[0].GetString()!, f[1].GetString()!));
                var groups = inputs.GetProperty("groups").EnumerateArray().Select(g => (IReadOnlyList<Hj212Field>)[.. g.GetString()!.Split(',').Select(f => new Hj212Field(f.Split('=')[0], f.Split('=')[1]))]);
                Assert.Equal(expected.GetProperty("frame").GetString(), Encoding.UTF8.GetString(Hj212Frame.Write(new Hj212Packet([.. header], [.. groups]))));
                break;
            case "hj212.parse":
                Parse(Encoding.UTF8.GetBytes(inputs.GetProperty("frame").GetString()!), expected);
                break;
            case var op:
                Assert.Fail($"{op} is not run");
                break;
        }
    }

    [Fact]
    public void The_shortest_packet_has_the_bytes_of_the_reference()
    {
        // 23 23 30 30 31 32 51 4E 3D 31 3B 43 50 3D 26 26 26 26 36 39 30 30 0D 0A
        Assert.Equal("##0012QN=1;CP=&&&&6900\r\n", Encoding.ASCII.GetString(Hj212Frame.Write("QN=1;CP=&&&&"u8)));
    }

    [Fact]
    public void An_acknowledgement_keeps_number_password_and_device()
    {
        var found = Hj212Packet.Parse("QN=20250301120000123;ST=31;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&DataTime=20250301120000&&"u8, out _);
        Assert.Equal(
            "##0087QN=20250301120000123;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&ACC1\r\n",
            Encoding.ASCII.GetString(Hj212Frame.Write(Hj212Packet.Answer(found, Hj212Command.DataAck))));
    }

    [Fact]
    public void The_trace_of_the_check_sum_is_that_of_the_reference()
    {
        Assert.Equal([0xBC81, 0x8581, 0x7200], new[] { "Q", "QN", "QN=" }.Select(t => (int)Hj212Crc.Of(Encoding.ASCII.GetBytes(t))));
    }

    private static void Parse(byte[] bytes, JsonElement expected)
    {
        var found = Hj212Frame.Find(bytes);
        if (expected.TryGetProperty("error", out var error))
        {
            var refused = found.Kind switch { Hj212FoundKind.WrongCrc => "crc", Hj212FoundKind.WrongLength => "length", Hj212FoundKind.Packet => "none", _ => "framing" };
            Assert.Equal(error.GetString(), refused);
            return;
        }

        Assert.Equal(Hj212FoundKind.Packet, found.Kind);
        if (expected.TryGetProperty("remaining", out var remaining))
        {
            Assert.Equal(remaining.GetInt32(), bytes.Length - found.At - found.Length);
        }

        var packet = Hj212Packet.Parse(Hj212Frame.SegmentOf(bytes.AsSpan(found.At, found.Length)), out var deviations);
        Assert.Equal(Hj212Deviations.None, deviations);
        Assert.Equal(expected.GetProperty("header").EnumerateObject().Select(p => new Hj212Field(p.Name, p.Value.GetString()!)), packet.Header);
        var flags = expected.GetProperty("flags");
        Assert.Equal(
            (flags.GetProperty("ack").GetBoolean(), flags.GetProperty("split").GetBoolean(), flags.GetProperty("version").GetInt32()),
            (packet.Flag.WantsAnswer, packet.Flag.IsSplit, packet.Flag.Version));
        Assert.Equal(
            expected.GetProperty("groups").EnumerateArray().Select(g => string.Join(',', g.EnumerateObject().Select(p => $"{p.Name}={p.Value.GetString()}"))),
            packet.Groups.Select(g => string.Join(',', g)));
    }
}
