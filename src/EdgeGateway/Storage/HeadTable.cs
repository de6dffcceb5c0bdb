using System.Buffers.Binary;
using System.Text;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>A line of the table <c>head</c>; see <see cref="HeadName"/> for what the numbers mean.</summary>
internal readonly record struct HeadEntry(string Name, long A, long B, long C, long D, string? Text);

/// <summary>The table <c>head</c>. SQLite does not notice a flipped bit in a number, and these numbers decide everything: each line has its CRC.</summary>
internal sealed class HeadTable(Database db)
{
    private readonly Statement _save = db.Prepare(
        """
        INSERT INTO head(name, a, b, c, d, text, crc) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT(name) DO UPDATE SET a = ?2, b = ?3, c = ?4, d = ?5, text = ?6, crc = ?7
        """);

    public const string Select = "SELECT name, a, b, c, d, text, crc FROM head";

    public void Save(in HeadEntry entry) =>
        _save.Bind(1, entry.Name).Bind(2, entry.A).Bind(3, entry.B).Bind(4, entry.C).Bind(5, entry.D).Bind(6, entry.Text).Bind(7, Crc(entry)).Run();

    /// <summary>Reads a line of <see cref="Select"/>; false when it is not what was written.</summary>
    public static bool TryRead(Statement row, out HeadEntry entry)
    {
        entry = new HeadEntry(row.Text(0) ?? "", row.Long(1), row.Long(2), row.Long(3), row.Long(4), row.Text(5));
        return row.Long(6) == Crc(entry);
    }

    /// <summary>Name of the first line that is not what was written, or null.</summary>
    public static string? FindDamage(Database db)
    {
        using var all = db.Once(Select);
        while (all.Step())
        {
            if (!TryRead(all, out var entry))
            {
                return entry.Name;
            }
        }

        return null;
    }

    private static long Crc(in HeadEntry entry)
    {
        Span<byte> numbers = stackalloc byte[32];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, entry.A);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], entry.B);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[16..], entry.C);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[24..], entry.D);
        var crc = Add(entry.Text ?? "", Add(entry.Name, Crc32.Of(numbers)));
        return crc;
    }

    private static uint Add(string text, uint crc)
    {
        Span<byte> few = stackalloc byte[256];
        return Encoding.UTF8.TryGetBytes(text, few, out var length) ? Crc32.Of(few[..length], crc) : Crc32.Of(Encoding.UTF8.GetBytes(text), crc);
    }
}
