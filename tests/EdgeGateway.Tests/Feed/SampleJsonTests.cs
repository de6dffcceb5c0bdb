using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Feed;

public class SampleJsonTests
{
    private static readonly RecordJson.PointText Point = new(
        JsonEncodedText.Encode("Förderband \"3\""), JsonEncodedText.Encode("flöde"), JsonEncodedText.Encode("t/h"), IsCounter: false, Symbols: null);

    private readonly SampleJson _quick = new();

    [Fact]
    public void Every_record_has_the_same_bytes_as_the_general_writer_gives_it() =>
        Prop.ForAll(Values.ToArbitrary(), Gen.Choose(0, 2).ToArbitrary(), ArbMap.Default.ArbFor<ulong>(), (value, status, raw) =>
        {
            var quality = status == 1 ? new Quality(QualityStatus.Uncertain, QualityReason.None) : Quality.Good;
            var sample = new Sample(0, new Instant((long)(raw % 4_000_000_000_000)), value, status == 2 ? 0 : raw, quality);
            Assert.Equal(General(sample), Quick(sample));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Numbers_have_the_shortest_digits_that_give_them_back()
    {
        var bytes = new byte[40];
        var random = new System.Random(20_251_122);
        double[] edges = [0, -0.0, 0.001, 0.0005, 0.0001, 0.1, 0.12, 0.123, 0.1234, 1e12, 999_999_999_999.999, 1e15, 1e16, -1.005, 5e-324, double.MaxValue, 230.2f, 0.1 + 0.2, 1 / 3.0];
        var values = edges.Concat(Enumerable.Range(0, 200_000).Select(i => (i % 4) switch
        {
            0 => random.Next(-2_000_000_000, 2_000_000_000) / 1000.0,
            1 => random.NextInt64(-1_000_000_000_000_000, 1_000_000_000_000_000) / 1000.0,
            2 => Math.BitIncrement(random.Next(-2_000_000_000, 2_000_000_000) / 1000.0),
            _ => BitConverter.Int64BitsToDouble(random.NextInt64()),
        })).Where(double.IsFinite);
        foreach (var value in values)
        {
            var expected = new byte[40];
            Utf8Formatter.TryFormat(value, expected, out var length);
            Assert.Equal(Encoding.ASCII.GetString(expected, 0, length), Encoding.ASCII.GetString(bytes, 0, SampleJson.Number(value, bytes)));
        }
    }

    [Theory]
    [InlineData(QualityStatus.Bad, QualityReason.Timeout, 1)]
    [InlineData(QualityStatus.Uncertain, QualityReason.OutOfRange, 1)]
    [InlineData(QualityStatus.Good, QualityReason.None, double.NaN)]
    public void What_needs_more_fields_is_left_to_the_general_writer(QualityStatus status, QualityReason reason, double value)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.False(_quick.TryWrite(output, Point, new Sample(0, new Instant(1), value, 1, new Quality(status, reason))));
        Assert.False(_quick.TryWrite(output, Point with { Symbols = new Dictionary<long, string>() }, new Sample(0, new Instant(1), 1, 1, Quality.Good)));
        Assert.Equal(0, output.WrittenCount);
    }

    private static Gen<double> Values => Gen.OneOf(
        ArbMap.Default.GeneratorFor<double>().Where(double.IsFinite),
        Gen.Choose(-1_000_000, 1_000_000).Select(i => i / 8.0),
        Gen.Choose(-1_000_000, 1_000_000).Select(i => i / 100.0),
        Gen.Choose(0, 100_000).Select(i => (double)(i / 10.0f)));

    private static string General(in Sample sample)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            RecordJson.Sample(json, Point, sample);
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private string Quick(in Sample sample)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.True(_quick.TryWrite(output, Point, sample));
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
