using System.Buffers.Binary;
using System.IO.Compression;
using EdgeGateway.Core;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>A row of the ledger as it is kept.</summary>
/// <param name="First">Number of its first record.</param>
/// <param name="Last">Number of its last record.</param>
/// <param name="At">When its last record was appended.</param>
/// <param name="Before">Link before its first record.</param>
/// <param name="Lines">Its lines, without links.</param>
internal readonly record struct StoredLedgerRow(long First, long Last, Instant At, ReadOnlyMemory<byte> Before, ReadOnlyMemory<byte> Lines);

/// <summary>
/// The table <c>ledger</c>: what was appended by one commit is a row; when a day is sealed its rows become one, deflated. Each row has its CRC-32 over all of it.
/// </summary>
internal sealed class LedgerTable
{
    /// <summary>Also run on stores of programs before this table; they go on without it, and the ledger then says what it lacks.</summary>
    public const string Create =
        "CREATE TABLE IF NOT EXISTS ledger(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, at INTEGER NOT NULL, packed INTEGER NOT NULL, before BLOB NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL);";

    /// <summary>Value of <c>packed</c> in a row that is not what was written, once the ledger itself says so: it is told once. Its bytes stay for people to look at.</summary>
    public const int Rotten = 2;

    /// <summary>Columns in the order of <see cref="TryRead"/>.</summary>
    public const string Columns = "first, last, at, packed, before, body, crc";

    private readonly Statement _insert;
    private readonly Statement _from;
    private readonly Statement _deleteFrom;
    private readonly Statement _deleteThrough;
    private readonly Statement _setAside;

    public LedgerTable(Database db)
    {
        _insert = db.Prepare($"INSERT INTO ledger({Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        _from = db.Prepare($"SELECT {Columns} FROM ledger WHERE first >= ?1 ORDER BY first");
        _deleteFrom = db.Prepare("DELETE FROM ledger WHERE first >= ?1");
        _deleteThrough = db.Prepare("DELETE FROM ledger WHERE last <= ?1");
        _setAside = db.Prepare($"UPDATE ledger SET packed = {Rotten} WHERE first = ?1");
    }

    /// <summary>Adds a row; with a seal, the rows under it become one with it.</summary>
    public void Append(LedgerRow row)
    {
        if (row.SealedFrom == 0)
        {
            Insert(row.First, row.Last, row.Time, isPacked: false, row.Before.Span, row.Lines.Span);
            return;
        }

        using var packed = new MemoryStream();
        var isWhole = true;
        var (first, before) = (row.First, row.Before);
        using (var deflate = new DeflateStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            _from.Bind(1, row.SealedFrom);
            try
            {
                while (_from.Step())
                {
                    // A row that rotted stays what it is: what it held is told by who verifies the ledger, not lost with its neighbours.
                    if (!TryRead(_from, out var open))
                    {
                        isWhole = false;
                        break;
                    }

                    if (open.First < first)
                    {
                        (first, before) = (open.First, open.Before);
                    }

                    deflate.Write(open.Lines.Span);
                }
            }
            finally
            {
                _from.Reset();
            }

            deflate.Write(row.Lines.Span);
        }

        if (!isWhole)
        {
            Insert(row.First, row.Last, row.Time, isPacked: false, row.Before.Span, row.Lines.Span);
            return;
        }

        _deleteFrom.Bind(1, row.SealedFrom).Run();
        Insert(first, row.Last, row.Time, isPacked: true, before.Span, packed.ToArray());
    }

    /// <summary>Removes what was closed.</summary>
    public void RemoveThrough(long number) => _deleteThrough.Bind(1, number).Run();

    /// <summary>Marks a row that is not what was written as told.</summary>
    public void SetAside(long first) => _setAside.Bind(1, first).Run();

    /// <summary>Carries a row of another store over as it is, whole or not.</summary>
    public void Copy(Statement row) => _insert.Bind(1, row.Long(0)).Bind(2, row.Long(1)).Bind(3, row.Long(2)).Bind(4, row.Long(3)).Bind(5, row.Bytes(4)).Bind(6, row.Bytes(5)).Bind(7, row.Long(6)).Run();

    /// <summary>Reads a row of <see cref="Columns"/>; false when it is not what was written.</summary>
    public static bool TryRead(Statement row, out StoredLedgerRow stored)
    {
        stored = default;
        var (first, last, at, isPacked) = (row.Long(0), row.Long(1), row.Long(2), row.Long(3) != 0);
        if (row.Long(6) != Crc(first, last, at, isPacked, row.Bytes(4), row.Bytes(5)))
        {
            return false;
        }

        var before = row.Bytes(4).ToArray();
        stored = new(first, last, new(at), before, isPacked ? Unpack(row.Bytes(5)) : row.Bytes(5).ToArray());
        return true;
    }

    private void Insert(long first, long last, Instant at, bool isPacked, ReadOnlySpan<byte> before, ReadOnlySpan<byte> body) =>
        _insert.Bind(1, first).Bind(2, last).Bind(3, at.UnixMilliseconds).Bind(4, isPacked ? 1 : 0).Bind(5, before).Bind(6, body).Bind(7, Crc(first, last, at.UnixMilliseconds, isPacked, before, body)).Run();

    private static byte[] Unpack(ReadOnlySpan<byte> body)
    {
        using var from = new MemoryStream(body.ToArray());
        using var inflate = new DeflateStream(from, CompressionMode.Decompress);
        using var to = new MemoryStream();
        inflate.CopyTo(to);
        return to.ToArray();
    }

    private static long Crc(long first, long last, long at, bool isPacked, ReadOnlySpan<byte> before, ReadOnlySpan<byte> body)
    {
        Span<byte> numbers = stackalloc byte[25];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, first);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], last);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[16..], at);
        numbers[24] = isPacked ? (byte)1 : (byte)0;
        return Crc32.Of(body, Crc32.Of(before, Crc32.Of(numbers)));
    }
}
