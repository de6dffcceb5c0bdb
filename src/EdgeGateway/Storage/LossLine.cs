using System.Buffers.Binary;
using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>
/// A line of <c>loss</c> or <c>loss_notice</c>: what it says is published, and a flipped bit in it would state as lost what arrived, or explain a gap with the
/// wrong numbers. SQLite does not notice that; each line has its CRC.
/// </summary>
internal readonly record struct LossLine(long Stream, long Epoch, string Reason, string Destination, long First, long Last)
{
    /// <summary>Columns of both tables in the order of <see cref="Read"/>.</summary>
    public const string Columns = "stream, epoch, reason, destination, first, last, crc";

    /// <summary>Takes the parameters of <see cref="BindTo"/>, and the time as ?8.</summary>
    public const string InsertLoss = "INSERT OR REPLACE INTO loss(stream, epoch, reason, destination, first, last, crc, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    /// <inheritdoc cref="InsertLoss"/>
    public const string InsertNotice = "INSERT INTO loss_notice(stream, epoch, reason, destination, first, last, crc, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    /// <summary>The same where the table has no CRC yet.</summary>
    public const string ColumnsBeforeCrc = "stream, epoch, reason, destination, first, last, NULL";

    /// <summary>What a program before the CRC extended has none: it would have the one of the line before.</summary>
    public const string Migration =
        """
        ALTER TABLE loss ADD COLUMN crc INTEGER;
        ALTER TABLE loss_notice ADD COLUMN crc INTEGER;
        ALTER TABLE recovery ADD COLUMN crc INTEGER;
        """ + "\n" + Trigger;

    /// <summary>Also part of a new store.</summary>
    public const string Trigger =
        """
        CREATE TRIGGER loss_extended AFTER UPDATE OF last ON loss WHEN new.last IS NOT old.last AND new.crc IS old.crc BEGIN
            UPDATE loss SET crc = NULL WHERE stream = new.stream AND epoch = new.epoch AND reason = new.reason AND destination = new.destination AND first = new.first;
        END;
        """;

    /// <summary>CRC-32 of the numbers and the words.</summary>
    public long Crc
    {
        get
        {
            Span<byte> numbers = stackalloc byte[32];
            BinaryPrimitives.WriteInt64LittleEndian(numbers, Stream);
            BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], Epoch);
            BinaryPrimitives.WriteInt64LittleEndian(numbers[16..], First);
            BinaryPrimitives.WriteInt64LittleEndian(numbers[24..], Last);
            return Crc32.Of(Encoding.UTF8.GetBytes($"{Reason}\n{Destination}"), Crc32.Of(numbers));
        }
    }

    /// <summary>Reads the line from a statement whose columns from <paramref name="at"/> on are <see cref="Columns"/>; false when it is not what was written.</summary>
    /// <remarks>A line without a CRC was written by a program before it, and is believed when it says something that program can have written.</remarks>
    public static bool Read(Statement row, int at, out LossLine line)
    {
        line = new LossLine(row.Long(at), row.Long(at + 1), row.Text(at + 2) ?? "", row.Text(at + 3) ?? "", row.Long(at + 4), row.Long(at + 5));
        return row.IsNull(at + 6) ? line.IsPossible : row.Long(at + 6) == line.Crc;
    }

    private bool IsPossible =>
        Stream is >= 0 and < StoreLedger.Streams && Enum.IsDefined((FeedStream)Stream) && Epoch > 0 && First > 0 && Last >= First && LossReason.IsKnown(Reason);

    /// <summary>As <see cref="Columns"/>, bound to a statement from ?1 on: stream, epoch, reason, destination, first, last, crc.</summary>
    public Statement BindTo(Statement statement) =>
        statement.Bind(1, Stream).Bind(2, Epoch).Bind(3, Reason).Bind(4, Destination).Bind(5, First).Bind(6, Last).Bind(7, Crc);
}

/// <summary>A line of <c>loss</c> that is not what was written, as it lies there: its words need not even be text.</summary>
internal readonly record struct RottenLossLine(long Stream, long Epoch, byte[] Reason, byte[] Destination, long First, long Last, long? Crc)
{
    /// <summary>Takes the parameters of <see cref="BindTo"/>; a line of the same key that was written since has another CRC, and stays.</summary>
    public const string Delete =
        """
        DELETE FROM loss WHERE stream = ?1 AND epoch = ?2 AND reason = CAST(?3 AS TEXT) AND destination = CAST(?4 AS TEXT) AND first = ?5 AND last = ?6 AND crc IS ?7
        """;

    /// <summary>Reads the line from a statement whose columns are <see cref="LossLine.Columns"/>.</summary>
    public static RottenLossLine Read(Statement row) => new(
        row.Long(0), row.Long(1), row.Bytes(2).ToArray(), row.Bytes(3).ToArray(), row.Long(4), row.Long(5), row.IsNull(6) ? null : row.Long(6));

    /// <summary>Binds the line to <see cref="Delete"/>.</summary>
    public Statement BindTo(Statement statement)
    {
        statement.Bind(1, Stream).Bind(2, Epoch).Bind(3, (ReadOnlySpan<byte>)Reason).Bind(4, (ReadOnlySpan<byte>)Destination).Bind(5, First).Bind(6, Last);
        return Crc is { } crc ? statement.Bind(7, crc) : statement.Bind(7, (string?)null);
    }
}
