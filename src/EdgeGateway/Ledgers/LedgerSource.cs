using EdgeGateway.Core.Ledger;
using EdgeGateway.Storage;

namespace EdgeGateway.Ledgers;

/// <summary>A ledger that a command reads: an export, or the store of a gateway, which may be running.</summary>
internal abstract class LedgerSource
{
    /// <summary>Where it lies.</summary>
    public required string Path { get; init; }

    /// <summary>What comes before the first record.</summary>
    /// <exception cref="InvalidDataException">It is no ledger.</exception>
    public abstract LedgerHeader Header { get; }

    /// <summary>Directory of the store; null for an export.</summary>
    public virtual string? StoreDirectory => null;

    /// <summary>The records in order; each call begins at the first.</summary>
    /// <exception cref="InvalidDataException">A part of it is not what was written; the message names it.</exception>
    public abstract IEnumerable<LedgerLine> Lines();

    /// <summary>Opens what a person names: an export, a directory with a store, or its <c>gateway.db</c>.</summary>
    /// <exception cref="InvalidDataException">It is neither.</exception>
    public static LedgerSource Open(string path)
    {
        if (Directory.Exists(path))
        {
            path = new StoreFiles(path).Database;
        }

        if (!File.Exists(path))
        {
            throw new InvalidDataException($"there is no file {path}");
        }

        Span<byte> start = stackalloc byte[16];
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1))
        {
            start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        }

        return start.StartsWith("SQLite format 3"u8) ? new StoredLedger { Path = path } : new ExportedLedger { Path = path };
    }
}

/// <summary>An export.</summary>
internal sealed class ExportedLedger : LedgerSource
{
    /// <inheritdoc/>
    public override LedgerHeader Header
    {
        get
        {
            using var file = File.OpenRead(Path);
            return LedgerExport.ReadHeader(file) ?? throw new InvalidDataException($"{Path} is neither an export of 'edgegateway ledger export' nor a store");
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<LedgerLine> Lines()
    {
        using var file = File.OpenRead(Path);
        foreach (var line in LedgerExport.ReadLines(file))
        {
            yield return line;
        }
    }
}

/// <summary>The ledger in a store. It is only read, row by row, so that nothing keeps a running gateway from cutting its write-ahead log.</summary>
internal sealed class StoredLedger : LedgerSource
{
    /// <inheritdoc/>
    public override string StoreDirectory => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;

    /// <inheritdoc/>
    public override LedgerHeader Header
    {
        get
        {
            foreach (var row in Rows())
            {
                var (gateway, key) = ("", "");
                var changedFrom = (string?)null;
                foreach (var line in Lines())
                {
                    // The key in force at the first record: of the opening, or, when that was removed, the one in force now unless it was changed since.
                    switch (line.Is(LedgerKind.Opening) || line.Is(LedgerKind.Seal) || line.Is(LedgerKind.Key) ? line.Record.Content : null)
                    {
                        case OpeningContent opening:
                            return new(opening.Gateway, opening.PublicKey, row.First - 1, LedgerLink.Text(row.Before.Span));
                        case SealContent seal when gateway.Length == 0:
                            gateway = seal.Gateway;
                            break;
                        case KeyContent when changedFrom is null:
                            changedFrom = "";
                            break;
                    }
                }

                using var db = Database.OpenForSalvage(Path);
                var inForce = LedgerInForce.Parse((db.QueryText("SELECT text FROM head WHERE name = 'ledger'") ?? "").Split('\n').ElementAtOrDefault(1) ?? "");
                key = changedFrom is null ? inForce.PublicKey : throw new InvalidDataException("the ledger begins before its key was changed, and the key before that is not in it any more");
                return new(gateway, key, row.First - 1, LedgerLink.Text(row.Before.Span));
            }

            throw new InvalidDataException($"there is no ledger in {Path} yet: it begins with the first commit of a gateway of this version");
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<LedgerLine> Lines() => Rows().SelectMany(row => LedgerLine.Split(row.Lines));

    private IEnumerable<StoredLedgerRow> Rows()
    {
        using var db = Database.OpenForSalvage(Path);
        if (db.QueryLong("SELECT count(*) FROM sqlite_schema WHERE name = 'ledger'") == 0)
        {
            yield break;
        }

        var next = db.Prepare($"SELECT {LedgerTable.Columns} FROM ledger WHERE first > ?1 ORDER BY first LIMIT 1");
        var holding = db.Prepare($"SELECT {LedgerTable.Columns} FROM ledger WHERE first <= ?1 AND last >= ?1 ORDER BY first DESC LIMIT 1");
        var (after, link) = (0L, Array.Empty<byte>());
        while (true)
        {
            var statement = next.Bind(1, after);
            if (!next.Step())
            {
                yield break;
            }

            if (after > 0 && next.Long(0) > after + 1)
            {
                // A running gateway has sealed the day meanwhile, and made one row of several: what was given already is left out of it.
                next.Reset();
                statement = holding.Bind(1, after + 1).Step() ? holding : next.Bind(1, after).Step() ? next : throw new InvalidDataException($"{Path}: the ledger changed while it was read; try again");
            }

            var first = statement.Long(0);
            if (!LedgerTable.TryRead(statement, out var row))
            {
                throw new InvalidDataException($"{Path}: the records of the ledger from {first} on are not what was written (CRC)");
            }

            statement.Reset();
            next.Reset();
            if (row.First <= after)
            {
                var output = new System.Buffers.ArrayBufferWriter<byte>();
                foreach (var line in LedgerLine.Split(row.Lines).Skip((int)(after - row.First + 1)))
                {
                    line.Write([], output);
                }

                row = new(after + 1, row.Last, row.At, link, output.WrittenMemory);
            }

            link = row.Before.ToArray();
            foreach (var line in LedgerLine.Split(row.Lines))
            {
                link = LedgerLink.Of(link, line.Body.Span);
            }

            after = row.Last;
            yield return row;
        }
    }
}
