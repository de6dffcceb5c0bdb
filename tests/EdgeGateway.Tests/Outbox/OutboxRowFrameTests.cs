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
        Assert.Equal(frame.Length, OutboxRowFrame.MaxLength(row));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(65_536)]
    public void Long_bodies_that_deflate_are_stored_shorter_and_come_back_whole(int length)
    {
        var body = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, (length / 16) + 1).Select(i => $"{{\"point\":{i:00000}}},"))[..length]);
        var row = Row("incomer", true) with { Body = body };
        var frame = Encode(row, 9);
        Assert.Equal(length >= 1024, frame.Length < OutboxRowFrame.MaxLength(row));
        Assert.Equal(FrameStatus.Intact, OutboxRowFrame.TryDecode(frame, out var decoded));
        Assert.Equal(body, decoded!.Body.ToArray());
    }

    [Fact]
    public void A_long_body_that_does_not_deflate_is_stored_as_it_is()
    {
        var body = new byte[10_000];
        new Random(1).NextBytes(body);
        var row = Row(null, false) with { Body = body };
        var frame = Encode(row, 9);
        Assert.Equal(OutboxRowFrame.MaxLength(row) - OutboxRowFrame.MarkLength, frame.Length);
        Assert.Equal(FrameStatus.Intact, OutboxRowFrame.TryDecode(frame, out var decoded));
        Assert.Equal(body, decoded!.Body.ToArray());
        Assert.False(OutboxRowFrame.TryReadMark(frame, 9, out _, out _));
    }

    [Theory]
    [InlineData(100, false)]
    [InlineData(5000, true)]
    public void The_place_of_a_row_is_marked_where_a_program_before_it_does_not_look(int length, bool isInside)
    {
        var row = Row("incomer", true) with { Body = Encoding.UTF8.GetBytes(new string(' ', length)), Level = 17, StandInSeconds = 604_800 };
        var stored = Encode(row, 4711);
        Assert.True(OutboxRowFrame.TryReadMark(stored, 4711, out var level, out var standIn));
        Assert.Equal((17, 604_800), (level, standIn));
        Assert.False(OutboxRowFrame.TryReadMark(stored, 4712, out _, out _));
        Assert.Equal(FrameStatus.Intact, OutboxRowFrame.TryDecode(stored, out var decoded));
        Assert.Equal(length, decoded!.Body.Length);

        // A raw scan reckons that a frame which leaves its page is the last of its line.
        Assert.Equal(FrameStatus.Intact, StoredFrame.Measure(stored, FrameKind.Row, out var frame));
        Assert.Equal(isInside ? stored.Length : stored.Length - OutboxRowFrame.MarkLength, frame);
        for (var bit = (stored.Length - OutboxRowFrame.MarkLength) * 8; bit < stored.Length * 8; bit++)
        {
            stored[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(OutboxRowFrame.TryReadMark(stored, 4711, out _, out _));
            stored[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_deflated_body_that_is_not_what_it_says_is_malformed_and_does_not_throw()
    {
        var whole = Encode(Row(null, false) with { Body = new byte[5000] }, 1);
        byte[] longer = [.. whole];
        longer[StoredFrame.HeaderLength + 39]++;
        StoredFrame.Seal(longer, FrameKind.Row);
        Assert.Equal(FrameStatus.Malformed, OutboxRowFrame.TryDecode(longer, out _));

        byte[] huge = [.. whole];
        huge.AsSpan(StoredFrame.HeaderLength + 39, 4).Fill(0x7F);
        StoredFrame.Seal(huge, FrameKind.Row);
        Assert.Equal(FrameStatus.Malformed, OutboxRowFrame.TryDecode(huge, out _));

        for (var at = StoredFrame.HeaderLength + 43; at < whole.Length - OutboxRowFrame.MarkLength; at++)
        {
            byte[] cut = [.. whole.AsSpan(0, at)];
            StoredFrame.Seal(cut, FrameKind.Row);
            Assert.Equal(FrameStatus.Malformed, OutboxRowFrame.TryDecode(cut, out _));
        }
    }

    [Fact]
    public void Any_flipped_bit_is_noticed()
    {
        var frame = Encode(Row("incomer", true), 1);
        for (var bit = 0; bit < (frame.Length - OutboxRowFrame.MarkLength) * 8; bit++)
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
