using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Outbox;

/// <summary>Which records a row holds.</summary>
/// <param name="Id">Its place in the order of delivery.</param>
/// <param name="Stream">The stream.</param>
/// <param name="Epoch">The epoch of their numbers.</param>
/// <param name="First">Number of the first record.</param>
/// <param name="Count">Number of records.</param>
/// <param name="Class">What goes first when space runs out.</param>
public readonly record struct OutboxRowHead(long Id, FeedStream Stream, long Epoch, long First, int Count, RowClass Class);

/// <summary>The form of an outbox row on disk; it names itself completely, so that it can be found and proven without the database around it (requirement O-10).</summary>
/// <remarks>
/// Payload, little-endian: <c>id 8 | stream 1 | class 1 | flags 1 (1 retain, 2 subtopic, 4 deflated) | epoch 8 | first sequence 8 | count 4 |
/// created, ms 8 [| subtopic length 2 | subtopic] | JSON</c>, or with the last flag <c>| length of the JSON 4 | deflated JSON</c>: the names
/// that each record repeats are most of a long body, so flash wears less and an outage may last longer.
/// <para>
/// Where the row stands in <see cref="RetentionOrder"/> is a mark of its own, which a program before it does not see: <c>level 1 | stand-in, s 3 | CRC-32 of the id and
/// these 4</c>. It follows deflated JSON inside the frame, where inflating has ended, and a short body behind the frame; a long body that does not deflate has none.
/// </para>
/// </remarks>
public static class OutboxRowFrame
{
    private const int FixedLength = 39;
    private const byte RetainFlag = 1;
    private const byte SubtopicFlag = 2;
    private const byte DeflatedFlag = 4;

    /// <summary>Bytes of the mark that says where the row stands in <see cref="RetentionOrder"/>.</summary>
    internal const int MarkLength = 8;

    /// <summary>
    /// Shorter bodies stay as they are, and people can read them in the database. From here on a body as it is would take a large part of a page of the store: a
    /// commit that begins a page writes it, the page above it, the map of pages and the file's first page, and the new page once more when the log is moved.
    /// </summary>
    internal const int DeflateFrom = 1024;

    // Deflate cannot do better than 1032:1 (RFC 1951); a longer body was never behind these bytes.
    private const int LargestRatio = 1040;

    [ThreadStatic]
    private static MemoryStream? t_deflated;

    /// <summary>Most bytes the frame of <paramref name="row"/> takes; exact while its body is short.</summary>
    public static int MaxLength(OutboxRow row) =>
        StoredFrame.HeaderLength + FixedLength + (row.Subtopic is null ? 0 : 2 + Encoding.UTF8.GetByteCount(row.Subtopic)) + row.Body.Length + MarkLength;

    /// <summary>Appends the frame of <paramref name="row"/> under <paramref name="id"/>, and the mark of its place, to <paramref name="output"/>.</summary>
    /// <exception cref="ArgumentException">The subtopic is longer than 65,535 bytes.</exception>
    public static void Encode(OutboxRow row, long id, IBufferWriter<byte> output)
    {
        var length = MaxLength(row);
        var isShort = row.Body.Length < DeflateFrom;
        var deflated = isShort ? null : Deflate(row.Body.Span);
        if (deflated is not null)
        {
            length += sizeof(int) + (int)deflated.Length - row.Body.Length;
        }
        else if (!isShort)
        {
            length -= MarkLength;
        }

        var stored = output.GetSpan(length)[..length];
        var frame = isShort ? stored[..^MarkLength] : stored;
        var p = frame[StoredFrame.HeaderLength..];
        BinaryPrimitives.WriteInt64LittleEndian(p, id);
        p[8] = (byte)row.Stream;
        p[9] = (byte)row.Class;
        p[10] = (byte)((row.Retain ? RetainFlag : 0) | (row.Subtopic is null ? 0 : SubtopicFlag) | (deflated is null ? 0 : DeflatedFlag));
        BinaryPrimitives.WriteInt64LittleEndian(p[11..], row.Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(p[19..], row.FirstSequence);
        BinaryPrimitives.WriteInt32LittleEndian(p[27..], row.Count);
        BinaryPrimitives.WriteInt64LittleEndian(p[31..], row.Created.UnixMilliseconds);
        p = p[FixedLength..];
        if (row.Subtopic is not null)
        {
            var subtopic = Encoding.UTF8.GetBytes(row.Subtopic, p[2..]);
            if (subtopic > ushort.MaxValue)
            {
                throw new ArgumentException($"The subtopic has {subtopic} bytes, more than 65535.", nameof(row));
            }

            BinaryPrimitives.WriteUInt16LittleEndian(p, (ushort)subtopic);
            p = p[(2 + subtopic)..];
        }

        if (deflated is null)
        {
            row.Body.Span.CopyTo(p);
        }
        else
        {
            BinaryPrimitives.WriteInt32LittleEndian(p, row.Body.Length);
            deflated.GetBuffer().AsSpan(0, (int)deflated.Length).CopyTo(p[sizeof(int)..]);
        }

        if (isShort || deflated is not null)
        {
            var mark = stored[^MarkLength..];
            BinaryPrimitives.WriteInt32LittleEndian(mark, row.Level | (row.StandInSeconds << 8));
            BinaryPrimitives.WriteUInt32LittleEndian(mark[4..], MarkCrc(id, mark[..4]));
        }

        StoredFrame.Seal(frame, FrameKind.Row);
        output.Advance(length);
    }

    /// <summary>Reads which records a frame holds, and checks all of it, without making a copy of the body.</summary>
    public static FrameStatus TryReadHead(ReadOnlySpan<byte> frame, out OutboxRowHead head)
    {
        head = default;
        var status = StoredFrame.Open(frame, FrameKind.Row, out var p);
        if (status != FrameStatus.Intact || p.Length < FixedLength)
        {
            return status == FrameStatus.Intact ? FrameStatus.Malformed : status;
        }

        head = ReadHead(p);
        return FrameStatus.Intact;
    }

    /// <summary>What a frame that is not what was written says of its records; null when it is too short for that. Nothing proves it.</summary>
    public static OutboxRowHead? ReadUnprovenHead(ReadOnlySpan<byte> frame) =>
        frame.Length < StoredFrame.HeaderLength + FixedLength ? null : ReadHead(frame[StoredFrame.HeaderLength..]);

    /// <summary>Where the row stands in <see cref="RetentionOrder"/>; false where no mark says it: a program before it wrote the row.</summary>
    /// <param name="stored">What was appended by <see cref="Encode"/>, to its end.</param>
    /// <param name="id">Id of the row.</param>
    /// <param name="level">As <see cref="OutboxRow.Level"/>.</param>
    /// <param name="standInSeconds">As <see cref="OutboxRow.StandInSeconds"/>.</param>
    public static bool TryReadMark(ReadOnlySpan<byte> stored, long id, out byte level, out int standInSeconds)
    {
        (level, standInSeconds) = (0, 0);
        if (stored.Length < StoredFrame.HeaderLength + FixedLength + MarkLength)
        {
            return false;
        }

        var mark = stored[^MarkLength..];
        if (BinaryPrimitives.ReadUInt32LittleEndian(mark[4..]) != MarkCrc(id, mark[..4]))
        {
            return false;
        }

        (level, standInSeconds) = (mark[0], BinaryPrimitives.ReadInt32LittleEndian(mark) >> 8);
        return true;
    }

    private static uint MarkCrc(long id, ReadOnlySpan<byte> place)
    {
        Span<byte> of = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(of, id);
        return Crc32.Of(place, Crc32.Of(of));
    }

    private static OutboxRowHead ReadHead(ReadOnlySpan<byte> payload) => new(
        BinaryPrimitives.ReadInt64LittleEndian(payload), (FeedStream)payload[8], BinaryPrimitives.ReadInt64LittleEndian(payload[11..]),
        BinaryPrimitives.ReadInt64LittleEndian(payload[19..]), BinaryPrimitives.ReadInt32LittleEndian(payload[27..]), (RowClass)payload[9]);

    /// <summary>Decodes a frame. No bytes make it throw.</summary>
    /// <param name="frame">The bytes; more may follow the frame. The row keeps a copy of its body.</param>
    /// <param name="row">The row, or null when the status is not <see cref="FrameStatus.Intact"/>.</param>
    public static FrameStatus TryDecode(ReadOnlySpan<byte> frame, out OutboxRow? row)
    {
        row = null;
        var status = StoredFrame.Open(frame, FrameKind.Row, out var p);
        if (status != FrameStatus.Intact)
        {
            return status;
        }

        if (p.Length < FixedLength || (p[10] & ~(RetainFlag | SubtopicFlag | DeflatedFlag)) != 0)
        {
            return FrameStatus.Malformed;
        }

        var rest = p[FixedLength..];
        string? subtopic = null;
        byte[] body;
        if ((p[10] & SubtopicFlag) != 0)
        {
            if (rest.Length < 2 || rest.Length - 2 < BinaryPrimitives.ReadUInt16LittleEndian(rest))
            {
                return FrameStatus.Malformed;
            }

            var length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
            subtopic = Encoding.UTF8.GetString(rest.Slice(2, length));
            rest = rest[(2 + length)..];
        }

        if ((p[10] & DeflatedFlag) == 0)
        {
            body = rest.ToArray();
        }
        else if (rest.Length < sizeof(int) || Inflate(rest[sizeof(int)..], BinaryPrimitives.ReadInt32LittleEndian(rest)) is not { } inflated)
        {
            return FrameStatus.Malformed;
        }
        else
        {
            body = inflated;
        }

        row = new OutboxRow
        {
            Id = BinaryPrimitives.ReadInt64LittleEndian(p),
            Stream = (FeedStream)p[8],
            Class = (RowClass)p[9],
            Retain = (p[10] & RetainFlag) != 0,
            Epoch = BinaryPrimitives.ReadInt64LittleEndian(p[11..]),
            FirstSequence = BinaryPrimitives.ReadInt64LittleEndian(p[19..]),
            Count = BinaryPrimitives.ReadInt32LittleEndian(p[27..]),
            Created = new Instant(BinaryPrimitives.ReadInt64LittleEndian(p[31..])),
            Subtopic = subtopic,
            Body = body,
        };
        return FrameStatus.Intact;
    }

    /// <summary>The body deflated, or null when that would not make it shorter.</summary>
    private static MemoryStream? Deflate(ReadOnlySpan<byte> body)
    {
        // One for each thread that stores: it grows to the largest body and stays.
        var deflated = t_deflated ??= new MemoryStream();
        deflated.SetLength(0);
        using (var deflate = new DeflateStream(deflated, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write(body);
        }

        return deflated.Length + sizeof(int) < body.Length ? deflated : null;
    }

    private static byte[]? Inflate(ReadOnlySpan<byte> deflated, int length)
    {
        if (length < 0 || length > (long)deflated.Length * LargestRatio)
        {
            return null;
        }

        try
        {
            using var inflate = new DeflateStream(new MemoryStream(deflated.ToArray()), CompressionMode.Decompress);
            var body = GC.AllocateUninitializedArray<byte>(length);
            inflate.ReadExactly(body);
            return inflate.ReadByte() < 0 ? body : null;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            // The CRC is right and the content is not: the caller reports the row as unreadable.
            return null;
        }
    }
}
