using System.Text;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>The table <c>note</c>: small texts by key, each with its CRC, because what they say may move machines.</summary>
internal sealed class NoteTable
{
    /// <summary>Also run on stores of programs before this table (<see cref="Schema.Migrate"/>); they go on without it.</summary>
    public const string Create = "CREATE TABLE IF NOT EXISTS note(key TEXT PRIMARY KEY, text TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;";

    public const string Select = "SELECT key, text, crc FROM note ORDER BY key";

    /// <summary>The same from the other end, for what a damaged page hides.</summary>
    public const string SelectBackwards = "SELECT key, text, crc FROM note ORDER BY key DESC";

    private readonly Statement _save;
    private readonly Statement _delete;

    public NoteTable(Database db)
    {
        _save = db.Prepare("INSERT INTO note(key, text, crc) VALUES(?1, ?2, ?3) ON CONFLICT(key) DO UPDATE SET text = ?2, crc = ?3");
        _delete = db.Prepare("DELETE FROM note WHERE key = ?1");
    }

    /// <summary>Writes the note, or takes it away when it has no text.</summary>
    public void Save(in StoreNote note)
    {
        if (note.Text is { } text)
        {
            _save.Bind(1, note.Key).Bind(2, text).Bind(3, Crc(note.Key, text)).Run();
        }
        else
        {
            _delete.Bind(1, note.Key).Run();
        }
    }

    /// <summary>Carries a line of <see cref="Select"/> over as it is, damaged or not: who opens the store sees it, and tells.</summary>
    public void Copy(Statement row) => _save.Bind(1, row.Text(0) ?? "").Bind(2, row.Text(1) ?? "").Bind(3, row.Long(2)).Run();

    /// <summary>Reads a line of <see cref="Select"/>; false when it is not what was written.</summary>
    public static bool TryRead(Statement row, out StoreNote note)
    {
        note = new StoreNote(row.Text(0) ?? "", row.Text(1) ?? "");
        return row.Long(2) == Crc(note.Key, note.Text!);
    }

    private static long Crc(string key, string text) => Crc32.Of(Encoding.UTF8.GetBytes(text), Crc32.Of(Encoding.UTF8.GetBytes(key)));
}
