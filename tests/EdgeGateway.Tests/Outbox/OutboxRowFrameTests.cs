using System.Buffers;
using System.Text;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Outbox;

public sealed class OutboxRowFrameTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("", true)]
    [InlineData("incomer-主", true)]
    public void Decoding_gives_back_the_row(string? subtopic, bool retain)
    {
        var row = Row(subtopic, retain);
        var frame = Encode(row, 4711);
        Assert.Equal(FrameStatus.Intact, OutboxRowFrame.TryDecode(frame, out var decoded));
        Assert.Equal(row with { Id = 4711, Body = default }, decoded! with { Body = default });
        Assert.Equal(row.Body.ToArray(), decoded.Body.ToArray());
        Assert.Equal(frame.Length, OutboxRowFrame.Length(row));
    }

    [Fact]
    public void Any_flipped_bit_is_noticed()
    {
        var frame = Encode(Row("incomer", true), 1);
        for (var bit = 0; bit < frame.Length * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(FrameStatus.Intact, OutboxRowFrame.TryDecode(frame, out _));
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void No_bytes_make_the_decoder_throw() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            _ = OutboxRowFrame.TryDecode(bytes, out _);
            byte[] sealedBytes = [.. new byte[StoredFrame.HeaderLength], .. bytes];
            StoredFrame.Seal(sealedBytes, FrameKind.Row);
            _ = OutboxRowFrame.TryDecode(sealedBytes, out _);
        }).QuickCheckThrowOnFailure();

    private static OutboxRow Row(string? subtopic, bool retain) => new()
    {
        Stream = FeedStream.Emission,
        Epoch = 1_790_000_000,
        FirstSequence = 12,
        Count = 3,
        Class = RowClass.Compliance,
        Subtopic = subtopic,
        Retain = retain,
        Created = new Instant(1_790_000_000_123),
        Body = Encoding.UTF8.GetBytes("[{\"mg\":1},{\"mg\":2},{\"mg\":3}]"),
    };

    private static byte[] Encode(OutboxRow row, long id)
    {
        var output = new ArrayBufferWriter<byte>();
        OutboxRowFrame.Encode(row, id, output);
        return output.WrittenSpan.ToArray();
    }
}
