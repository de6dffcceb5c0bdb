using System.IO.Compression;
using System.Text;
using EdgeGateway.Core.Feed;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Feed;

public class FeedPayloadTests
{
    private static readonly byte[] Json = Encoding.UTF8.GetBytes($"{{\"records\":[{string.Join(',', Enumerable.Range(0, 100).Select(i => $"{{\"value\":{i}}}"))}]}}");

    [Theory]
    [InlineData(FeedCompression.Gzip, "application/json+gzip")]
    [InlineData(FeedCompression.Deflate, "application/json+deflate")]
    public void What_was_packed_is_known_by_its_first_bytes_and_comes_out_again(FeedCompression compression, string contentType)
    {
        using var packed = new MemoryStream();
        Assert.True(FeedPayload.TryPack(Json, compression, packed));
        Assert.True(packed.Length < Json.Length / 2);
        Assert.Equal(compression, FeedPayload.Of(packed.ToArray()));
        Assert.Equal(contentType, FeedPayload.ContentType(compression));
        Assert.Equal(Json, FeedPayload.Unpack(packed.ToArray())!.Value.ToArray());
        Assert.Null(FeedPayload.Unpack(packed.ToArray(), Json.Length - 1));
    }

    [Fact]
    public void Plain_messages_stay_what_they_are()
    {
        using var packed = new MemoryStream();
        Assert.False(FeedPayload.TryPack(Json, FeedCompression.None, packed));
        Assert.False(FeedPayload.TryPack(Json.AsSpan(0, FeedPayload.PackFrom - 1), FeedCompression.Gzip, packed));
        Assert.Equal(FeedCompression.None, FeedPayload.Of(Json));
        Assert.Equal(Json, FeedPayload.Unpack(Json)!.Value.ToArray());
    }

    [Fact]
    public void What_would_not_become_shorter_by_a_tenth_stays_plain()
    {
        var noise = new byte[4_000];
        new System.Random(7).NextBytes(noise);
        using var packed = new MemoryStream();
        Assert.False(FeedPayload.TryPack(noise, FeedCompression.Gzip, packed));
    }

    [Fact]
    public void A_stream_used_again_holds_nothing_of_the_message_before()
    {
        using var packed = new MemoryStream();
        FeedPayload.TryPack(Json, FeedCompression.Gzip, packed);
        var second = Json.AsSpan(0, 700).ToArray();
        Assert.True(FeedPayload.TryPack(second, FeedCompression.Gzip, packed));
        Assert.Equal(second, FeedPayload.Unpack(packed.ToArray())!.Value.ToArray());
    }

    [Fact]
    public void No_bytes_make_the_unpacking_throw_or_exceed_its_limit() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), Gen.Choose(0, 3).ToArbitrary(), (bytes, start) =>
        {
            byte[] payload = start switch { 0 => [0x1F, 0x8B, 8, 0, .. bytes], 1 => [0x78, 0x9C, .. bytes], 2 => [0x78, .. bytes], _ => bytes };
            Assert.InRange(FeedPayload.Unpack(payload, 1_000)?.Length ?? 0, 0, 1_000);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(FeedCompression.Gzip)]
    [InlineData(FeedCompression.Deflate)]
    public void A_small_payload_that_claims_to_be_huge_is_given_up_at_the_limit(FeedCompression compression)
    {
        using var packed = new MemoryStream();
        using (Stream pack = compression == FeedCompression.Gzip ? new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true) : new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            pack.Write(new byte[50_000_000]);
        }

        Assert.Null(FeedPayload.Unpack(packed.ToArray()));
    }

    [Fact]
    public void A_message_is_read_packed_as_well_as_plain()
    {
        var message = Encoding.UTF8.GetBytes($$"""{"v":1,"site":"s","gateway":"g","stream":"sample","epoch":1,"seq":5,"count":1,"lane":"live","records":[{"text":"{{new string('x', 600)}}"}]}""");
        using var packed = new MemoryStream();
        FeedPayload.TryPack(message, FeedCompression.Deflate, packed);
        Assert.True(FeedMessage.TryParse(packed.ToArray(), out var read, out _));
        Assert.Equal(5, read.FirstSequence);
        Assert.False(FeedMessage.TryParse(packed.ToArray().AsSpan(0, 20), out _, out var problem));
        Assert.NotEmpty(problem);
    }
}
