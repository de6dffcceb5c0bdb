using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Storage;

/// <summary>
/// The column <c>stream</c> of the table <c>outbox</c>: bits 0 to 4 the stream, 5 to 9 the level (<see cref="RetentionOrder"/>), from 10 on the seconds of the
/// windows that stand for the row. A program that does not know levels reads the lowest five bits: it goes by the class alone.
/// </summary>
internal static class RowPlace
{
    public static long Pack(OutboxRow row) => Pack(row.Stream, row.Level, row.StandInSeconds);

    /// <summary>The place by the mark in the row's body, whose CRC holds; null where there is none.</summary>
    public static long? Marked(ReadOnlySpan<byte> body, long id, FeedStream stream) =>
        OutboxRowFrame.TryReadMark(body, id, out var level, out var standIn) ? Pack(stream, level, standIn) : null;

    private static long Pack(FeedStream stream, byte level, int standInSeconds) => (byte)stream | ((long)level << 5) | ((long)standInSeconds << 10);

    public static int Stream(long place) => (int)(place & (StoreLedger.Streams - 1));

    public static long WithStream(long place, FeedStream stream) => (place & ~(StoreLedger.Streams - 1L)) | (byte)stream;

    public static byte Level(long place) => (byte)((place >> 5) & (RetentionOrder.Levels - 1));

    public static int StandInSeconds(long place) => (int)(place >> 10);

    /// <summary>Class and level of a row that was found without its line in the table: of its records only the stream is sure, so nothing stands for them.</summary>
    public static long Guess(OutboxRow row) => row.Stream switch
    {
        FeedStream.Summary when row.Class == RowClass.Summary && WidthOf(row.Body.Span) is { } width => Pack(row with { Level = RetentionOrder.LevelOf(width) }),
        FeedStream.Birth or FeedStream.State or FeedStream.Health when row.Class == RowClass.Summary => Pack(row with { Level = RetentionOrder.Events }),
        FeedStream.Anomaly or FeedStream.Health when row.Class == RowClass.Compliance => Pack(row with { Level = RetentionOrder.Findings }),
        FeedStream.Range when row.Class == RowClass.Compliance => Pack(row with { Level = RetentionOrder.Statements }),
        FeedStream.Sample or FeedStream.Summary when row.Class == RowClass.Compliance => Pack(row with { Level = RetentionOrder.Declared }),
        _ => Pack(row),
    };

    // Width of the first record; all of a row have the same.
    private static TimeSpan? WidthOf(ReadOnlySpan<byte> json)
    {
        var name = "\"widthSeconds\":"u8;
        var at = json.IndexOf(name);
        return at >= 0 && System.Buffers.Text.Utf8Parser.TryParse(json[(at + name.Length)..], out double seconds, out _) && seconds is > 0 and < 1e9
            ? TimeSpan.FromSeconds(seconds)
            : null;
    }
}
