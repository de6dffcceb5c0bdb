using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>Sets a damaged database aside and carries over what can be read (requirement O-9).</summary>
/// <remarks>
/// Order of the steps, so that a power cut between any two of them goes on where it was:
/// the log, then the database become <c>*.salvaging-UTC</c>; what is readable goes into <c>gateway.db.salvage</c>; that is renamed to <c>gateway.db</c>;
/// the log, then the database of the old set become <c>*.damaged-UTC</c>. A salvaging set with a <c>gateway.db</c> beside it is finished.
/// </remarks>
internal sealed class Salvage(StoreFiles files, StoreLimits limits, IReadOnlyList<string> destinations, TimeProvider time)
{
    private const int MostSetsKept = 2;

    /// <summary>Finishes a salvage that was cut off.</summary>
    /// <returns>True when there was one.</returns>
    public bool Resume(StoreMarker? marker)
    {
        var set = Sets(files, StoreFiles.SalvagingInfix).LastOrDefault();
        if (set is null)
        {
            File.Delete(files.Salvage);
            return false;
        }

        var path = Path.Combine(files.Directory, set);
        if (File.Exists(path) && File.Exists(files.Database))
        {
            Finish(path);
            return true;
        }

        TakeAway(path);
        CarryOver(path, "an earlier start found the database damaged and was cut off while it salvaged it", marker);
        Finish(path);
        return true;
    }

    /// <summary>Replaces the damaged database by a new one with everything that could be read.</summary>
    public void Run(string cause, StoreMarker? marker)
    {
        var stamp = time.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var path = files.Database + StoreFiles.SalvagingInfix + stamp;

        // A clock that was set back, or two starts within a second, must not meet an older set of the same name.
        for (var again = 2; File.Exists(path.Replace(StoreFiles.SalvagingInfix, StoreFiles.DamagedInfix, StringComparison.Ordinal)); again++)
        {
            path = string.Create(CultureInfo.InvariantCulture, $"{files.Database}{StoreFiles.SalvagingInfix}{stamp}.{again}");
        }

        TakeAway(path);
        CarryOver(path, cause, marker);
        Finish(path);
    }

    /// <summary>Names of the damaged sets that are kept, oldest first.</summary>
    public static IReadOnlyList<string> DamagedSets(StoreFiles files) => Sets(files, StoreFiles.DamagedInfix);

    private static List<string> Sets(StoreFiles files, string infix) =>
    [
        .. Directory.EnumerateFiles(files.Directory, Path.GetFileName(files.Database) + infix + "*")
            .Select(f => Path.GetFileName(f)!)
            .Select(f => f.EndsWith("-wal", StringComparison.Ordinal) || f.EndsWith("-shm", StringComparison.Ordinal) ? f[..^4] : f)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    private void TakeAway(string path)
    {
        MoveIfThere(files.Log, path + "-wal");

        // Only an index of the log, which SQLite makes anew; the old one could mislead it.
        File.Delete(files.SharedMemory);
        MoveIfThere(files.Database, path);
        if (!File.Exists(path))
        {
            File.Create(path).Dispose();
        }

        Durable.FlushDirectory(files.Directory);
    }

    private static void MoveIfThere(string from, string to)
    {
        if (File.Exists(from) && !File.Exists(to))
        {
            File.Move(from, to);
        }
    }

    private void Finish(string path)
    {
        var kept = path.Replace(StoreFiles.SalvagingInfix, StoreFiles.DamagedInfix, StringComparison.Ordinal);
        File.Delete(path + "-shm");
        MoveIfThere(path + "-wal", kept + "-wal");
        MoveIfThere(path, kept);
        File.Delete(files.Suspect);
        Durable.FlushDirectory(files.Directory);
        var sets = Sets(files, StoreFiles.DamagedInfix);
        foreach (var old in sets.Take(Math.Max(0, sets.Count - MostSetsKept)))
        {
            File.Delete(Path.Combine(files.Directory, old + "-wal"));
            File.Delete(Path.Combine(files.Directory, old));
        }
    }

    private void CarryOver(string path, string cause, StoreMarker? marker)
    {
        foreach (var left in new[] { files.Salvage, files.Salvage + "-wal", files.Salvage + "-shm" })
        {
            File.Delete(left);
        }

        long epoch;
        using (var to = Database.OpenWriter(files.Salvage, limits.Sqlite))
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            Schema.Create(to, now, marker?.Epoch ?? 0);

            // What is taken in and not kept must not be found by the raw scan of a later salvage: the numbers of batches that are dropped are used again.
            to.Execute("PRAGMA secure_delete = ON");
            using var scan = new FrameScan(path, path + "-wal");
            var transfer = new SalvageTransfer(to, destinations, StoreSuspicion.Read(files.Suspect));
            if (StoreWitness.Read(files.Witness) is { } witness)
            {
                transfer.See(witness);
            }

            ReadBySql(path, transfer);
            transfer.ScanCheckpoints(scan);
            transfer.ScanRows(scan);
            transfer.TakeBatches(scan);
            epoch = StoreOpening.NextEpoch(Math.Max(marker?.Epoch ?? 0, transfer.LastEpoch), time);
            transfer.Finish(cause, Path.GetFileName(path).Replace(StoreFiles.SalvagingInfix, StoreFiles.DamagedInfix, StringComparison.Ordinal), epoch, now);
            to.QueryLong("PRAGMA wal_checkpoint(TRUNCATE)");
        }

        // The epoch first: if the power goes here, the next attempt takes a still newer one.
        new StoreMarker(epoch).Write(files.Marker);
        File.Move(files.Salvage, files.Database);
        Durable.FlushDirectory(files.Directory);
    }

    /// <summary>What SQLite itself can still read. Each table on its own, from both ends: one damaged page hides only what hangs on it.</summary>
    private static void ReadBySql(string path, SalvageTransfer transfer)
    {
        Database from;
        try
        {
            from = Database.OpenForSalvage(path);
        }
        catch (StoreException)
        {
            // Not even a database any more: the raw scan reads it.
            return;
        }

        using (from)
        {
            transfer.CopySmallTables(from);
            transfer.RowsComplete = Walk(from, "SELECT body, stream, epoch, first, count FROM outbox ORDER BY id", transfer.TakeRow) && IsSound(from, "outbox");
            if (!transfer.RowsComplete)
            {
                Walk(from, "SELECT body, stream, epoch, first, count FROM outbox ORDER BY id DESC", transfer.TakeRow);
            }

            _ = Walk(from, "SELECT body FROM checkpoint", s => transfer.TakeCheckpoint(s.Bytes(0)))
                || Walk(from, "SELECT body FROM checkpoint ORDER BY slot DESC", s => transfer.TakeCheckpoint(s.Bytes(0)));
            _ = Walk(from, "SELECT body FROM log ORDER BY number", s => transfer.StageBatch(s.Bytes(0)))
                || Walk(from, "SELECT body FROM log ORDER BY number DESC", s => transfer.StageBatch(s.Bytes(0)));
        }
    }

    /// <summary>
    /// True when all lines of a table hang on its tree: a page whose count of cells or whose pointers rotted is read without complaint, and lines are missing or other bytes
    /// come instead of them.
    /// </summary>
    private static bool IsSound(Database from, string table)
    {
        var verdict = "";
        return Walk(from, $"PRAGMA quick_check({table})", s => verdict = s.Text(0)) && verdict == "ok";
    }

    /// <summary>Steps through a query until it ends or meets damage; true when it ended.</summary>
    internal static bool Walk(Database from, string sql, Action<Statement> take)
    {
        Statement statement;
        try
        {
            statement = from.Once(sql);
        }
        catch (StoreException)
        {
            // The table is not to be found in what is left of the schema.
            return false;
        }

        using (statement)
        {
            while (true)
            {
                try
                {
                    if (!statement.Step())
                    {
                        return true;
                    }
                }
                catch (StoreException)
                {
                    // Damage; the caller tries from the other end, and the raw scan finds what neither reaches.
                    return false;
                }

                take(statement);
            }
        }
    }
}

/// <summary>Collects what was read from a damaged store in a new one.</summary>
internal sealed class SalvageTransfer
{
    private const int GroupSize = 500;
    private readonly Database _to;
    private readonly StoreSuspicion? _suspicion;
    private Sample[] _samples = new Sample[1024];
    private readonly List<(string Name, DeliveryCursor Cursor)> _cursors = [];
    private readonly IReadOnlyList<string> _destinations;
    private readonly Dictionary<FeedStream, StreamHead> _heads = [];
    private readonly SalvageAccount _account = new();
    private readonly Statement _row;
    private readonly Statement _batch;
    private Checkpoint? _checkpoint;
    private long _rowsBySql;
    private long _rowsByScan;
    private long _rowsNotKept;
    private long _lastRowId;
    private long _lastIdBySql;
    private long _firstKept = 1;
    private long _batchesSaved;
    private long _batchesNotKept;
    private int _inGroup;
    private bool _notesComplete;
    private readonly HeadTable _head;
    private readonly Statement _pages;
    private readonly long _mostPages;

    public SalvageTransfer(Database to, IReadOnlyList<string> destinations, StoreSuspicion? suspicion)
    {
        _to = to;
        _suspicion = suspicion;
        _destinations = destinations;
        _row = to.Prepare("INSERT OR IGNORE INTO outbox(id, class, stream, epoch, first, count, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING 1");
        _batch = to.Prepare("INSERT OR IGNORE INTO log(number, body) VALUES(?1, ?2) RETURNING 1");
        _head = new HeadTable(to);
        _pages = to.Prepare("PRAGMA page_count");
        var limit = to.QueryLong("PRAGMA max_page_count");
        _mostPages = limit - Math.Max(24, limit / 8);
        to.Execute("BEGIN IMMEDIATE");
    }

    /// <summary>Newest epoch that was seen anywhere.</summary>
    public long LastEpoch { get; private set; }

    /// <summary>True when SQLite read the outbox from end to end, from a tree that is sound: what only the raw scan finds before its end are deleted rows.</summary>
    public bool RowsComplete { get; set; }

    public void CopySmallTables(Database from)
    {
        Salvage.Walk(from, HeadTable.Select, TakeHead);
        using var loss = _to.Once(LossLine.InsertLoss);
        WalkLosses(from, "loss", (line, s) =>
        {
            _account.Accounted((FeedStream)line.Stream, line.Epoch, line.First, line.Last);
            line.BindTo(loss).Bind(8, s.Long(7)).Run();
        });
        using var notice = _to.Once("INSERT OR IGNORE INTO loss_notice(stream, epoch, reason, destination, first, last, crc, at, id) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
        WalkLosses(from, "loss_notice", (line, s) => line.BindTo(notice).Bind(8, s.Long(7)).Bind(9, s.Long(8)).Run());
        using var configuration = _to.Once("INSERT OR IGNORE INTO configuration(hash, first_used, texts) VALUES(?1, ?2, ?3)");
        Salvage.Walk(from, "SELECT hash, first_used, texts FROM configuration", s => configuration.Bind(1, s.Text(0)).Bind(2, s.Long(1)).Bind(3, s.Bytes(2)).Run());
        using var use = _to.Once("INSERT OR IGNORE INTO configuration_use(log, hash, at) VALUES(?1, ?2, ?3)");
        Salvage.Walk(from, "SELECT log, hash, at FROM configuration_use", s => use.Bind(1, s.Long(0)).Bind(2, s.Text(1)).Bind(3, s.Long(2)).Run());
        var notes = new NoteTable(_to);
        _notesComplete = Salvage.Walk(from, NoteTable.Select, notes.Copy);
        if (!_notesComplete)
        {
            Salvage.Walk(from, NoteTable.SelectBackwards, notes.Copy);
        }

        var ledger = new LedgerTable(_to);
        var rows = new HashSet<long>();
        void CopyLedger(Statement s)
        {
            if (LedgerTable.TryRead(s, out var row) && HasRoom(s.Bytes(5).Length) && rows.Add(row.First))
            {
                ledger.Copy(s);
            }
        }

        // A row that rotted is left out: the records after it say that some are missing.
        _ = Salvage.Walk(from, $"SELECT {LedgerTable.Columns} FROM ledger ORDER BY first", CopyLedger)
            || Salvage.Walk(from, $"SELECT {LedgerTable.Columns} FROM ledger ORDER BY first DESC", CopyLedger);

        using var quarantine = _to.Once("INSERT OR IGNORE INTO quarantine(n, id, destination, reason, at, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
        Salvage.Walk(from, "SELECT n, id, destination, reason, at, body FROM quarantine", s =>
            quarantine.Bind(1, s.Long(0)).Bind(2, s.Long(1)).Bind(3, s.Text(2)).Bind(4, s.Text(3)).Bind(5, s.Long(4)).Bind(6, s.Bytes(5)).Run());
    }

    // A line that is not what was written stays in the files set aside: it would state what never was. Only a store of a version before has no CRC there; that the
    // lines cannot all be read is no reason to believe them without it.
    private static void WalkLosses(Database from, string table, Action<LossLine, Statement> take)
    {
        var (id, backwards) = table == "loss"
            ? ("0", "stream DESC, epoch DESC, reason DESC, destination DESC, first DESC")
            : ("id", "id DESC");
        List<string?> names = [];
        Salvage.Walk(from, $"SELECT name FROM pragma_table_info('{table}')", s => names.Add(s.Text(0)));
        if (names.Count == 0)
        {
            return;
        }

        var lines = $"SELECT {(names.Contains("crc") ? LossLine.Columns : LossLine.ColumnsBeforeCrc)}, at, {id} FROM {table}";
        _ = Salvage.Walk(from, lines, Take) || Salvage.Walk(from, $"{lines} ORDER BY {backwards}", Take);

        void Take(Statement s)
        {
            if (LossLine.Read(s, 0, out var line))
            {
                take(line, s);
            }
        }
    }

    private void TakeHead(Statement s)
    {
        if (!HeadTable.TryRead(s, out var entry))
        {
            return;
        }

        var name = entry.Name;
        if (name == HeadName.Row)
        {
            _lastRowId = Math.Max(_lastRowId, entry.A);
        }
        else if (name.StartsWith(HeadName.CursorPrefix, StringComparison.Ordinal))
        {
            var cursor = CursorText.Parse(entry.A, entry.Text);
            _cursors.Add((name[HeadName.CursorPrefix.Length..], cursor));
            _lastRowId = Math.Max(_lastRowId, cursor.Runs.Count > 0 ? cursor.Runs[^1].Last : cursor.Floor);
        }
        else if (name == HeadName.Ledger || name.StartsWith(HeadName.CounterPrefix, StringComparison.Ordinal))
        {
            _head.Save(entry);
        }
        else if (name.StartsWith(HeadName.StreamPrefix, StringComparison.Ordinal)
            && byte.TryParse(name.AsSpan(HeadName.StreamPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var stream))
        {
            See((FeedStream)stream, entry.A, entry.B);
            _account.Head((FeedStream)stream, entry.A, entry.B, entry.C);
        }
    }

    /// <summary>Takes a line of the table: body, stream, epoch, first, count.</summary>
    public void TakeRow(Statement s)
    {
        if (!TakeRow(s.Bytes(0), byScan: false, s.Long(1)))
        {
            // The columns have no CRC: a number that makes no sense is left out, and the receiver sees a gap.
            var (stream, epoch, first, count) = ((FeedStream)RowPlace.Stream(s.Long(1)), s.Long(2), s.Long(3), s.Long(4));
            if (first > 0 && count is > 0 and <= int.MaxValue && first <= long.MaxValue - count && Enum.IsDefined(stream))
            {
                _account.Broken(stream, epoch, first, first + count - 1);
            }
        }
    }

    /// <summary>Keeps a row under its own id, unless it is known to be delivered everywhere.</summary>
    /// <param name="frame">Its body.</param>
    /// <param name="byScan">True when it was found without the table.</param>
    /// <param name="place">The column <c>stream</c> (<see cref="RowPlace"/>); null when it is not known.</param>
    /// <returns>False when the body cannot be read.</returns>
    public bool TakeRow(ReadOnlySpan<byte> frame, bool byScan, long? place = null)
    {
        if (OutboxRowFrame.TryDecode(frame, out var row) != FrameStatus.Intact || row!.Id <= 0 || (byte)row.Stream >= StoreLedger.Streams)
        {
            return false;
        }

        _lastRowId = Math.Max(_lastRowId, row.Id);
        See(row.Stream, row.Epoch, row.FirstSequence + row.Count);
        if (!byScan)
        {
            _lastIdBySql = Math.Max(_lastIdBySql, row.Id);
        }

        var last = row.FirstSequence + row.Count - 1;
        if ((byScan && RowsComplete && row.Id <= _lastIdBySql) || DeliveredEverywhere(row.Id))
        {
            _account.Accounted(row.Stream, row.Epoch, row.FirstSequence, last);
            if (row.Id <= LowestFloor())
            {
                _account.DeliveredThrough(row.Stream, row.Epoch, last);
            }

            return true;
        }

        if (!HasRoom(frame.Length))
        {
            _rowsNotKept++;
            _account.Broken(row.Stream, row.Epoch, row.FirstSequence, last);
            return true;
        }

        _row.Bind(1, row.Id).Bind(2, (long)row.Class).Bind(3, PlaceOf(row, frame, place)).Bind(4, row.Epoch).Bind(5, row.FirstSequence).Bind(6, row.Count).Bind(7, frame);
        var isNew = _row.Step();
        _row.Reset();
        if (isNew)
        {
            _account.Saved(row.Stream, row.Epoch, row.FirstSequence, last);
            _ = byScan ? _rowsByScan++ : _rowsBySql++;
            EndGroup();
        }

        return true;
    }

    // The column has no CRC; the stream in the body and the mark have.
    private static long PlaceOf(OutboxRow row, ReadOnlySpan<byte> frame, long? place) =>
        RowPlace.Marked(frame, row.Id, row.Stream) is { } marked ? marked
        : place is { } known && RowPlace.Stream(known) == (byte)row.Stream && RowPlace.StandInSeconds(known) is >= 0 and <= 86_400 * 7 ? known : RowPlace.Guess(row);

    public void ScanRows(FrameScan scan)
    {
        foreach (var frame in scan.Frames(FrameKind.Row))
        {
            TakeRow(frame, byScan: true);
        }
    }

    public void TakeCheckpoint(ReadOnlySpan<byte> frame)
    {
        if (CheckpointFrame.Decode(frame) is { } checkpoint
            && checkpoint.LogNumber > (_checkpoint?.LogNumber ?? -1)
            && !(checkpoint.LogNumber >= _suspicion?.Checkpoint))
        {
            _checkpoint = checkpoint;
        }
    }

    public void ScanCheckpoints(FrameScan scan)
    {
        foreach (var frame in scan.Frames(FrameKind.Checkpoint))
        {
            TakeCheckpoint(frame);
        }
    }

    public void StageBatch(ReadOnlySpan<byte> frame)
    {
        // Decoded, so that what is kept can be replayed; only whether the values are the same is left to whoever knows the configuration.
        if (InputBatchCodec.TryDecode(frame, static (_, _) => 0, ref _samples, out var batch) is not (FrameStatus.Intact or FrameStatus.ValuesDiffer) || batch.Number <= 0)
        {
            return;
        }

        var number = batch.Number;

        if (!HasRoom(frame.Length))
        {
            _batchesNotKept++;
            return;
        }

        _batch.Bind(1, number).Bind(2, frame);
        _batch.Step();
        _batch.Reset();
        EndGroup();
    }

    /// <summary>Adds the batches the scan finds, then keeps the unbroken run that continues the checkpoint.</summary>
    public void TakeBatches(FrameScan scan)
    {
        foreach (var frame in scan.Frames(FrameKind.Batch))
        {
            StageBatch(frame);
        }

        // Without a checkpoint the log can be replayed from its start, and only from there.
        var covered = _checkpoint?.LogNumber ?? 0;
        var last = covered;
        var end = _suspicion?.Batch ?? long.MaxValue;
        using (var next = _to.Once("SELECT number FROM log WHERE number > ?1 ORDER BY number"))
        {
            next.Bind(1, covered);
            while (next.Step() && next.Long(0) == last + 1 && last + 1 < end)
            {
                last++;
            }
        }

        _firstKept = covered + 1;
        using (var earlier = _to.Once("SELECT number FROM log WHERE number <= ?1 ORDER BY number DESC"))
        {
            earlier.Bind(1, covered);
            while (earlier.Step() && earlier.Long(0) == _firstKept - 1)
            {
                _firstKept--;
            }
        }

        _batchesNotKept += _to.QueryLong(string.Create(CultureInfo.InvariantCulture, $"SELECT count(*) FROM log WHERE number NOT BETWEEN {_firstKept} AND {last}"));
        _to.Execute(string.Create(CultureInfo.InvariantCulture, $"DELETE FROM log WHERE number NOT BETWEEN {_firstKept} AND {last}"));

        // The numbers of the batches that are not kept are used again, under whatever configuration is then in force.
        _to.Execute(string.Create(CultureInfo.InvariantCulture, $"DELETE FROM configuration_use WHERE log > {last}"));
        _batchesSaved = last - _firstKept + 1;
        _head.Save(new HeadEntry(HeadName.Log, last + 1, LogBytes(), _firstKept, 0, null));
    }

    /// <summary>Writes heads, cursors, checkpoint and report, and ends the transaction.</summary>
    public void Finish(string cause, string setAside, long epoch, long now)
    {
        StoreOpening.BeginEpoch(_to, epoch);
        if (!_notesComplete)
        {
            new NoteTable(_to).Save(new StoreNote(StoreNote.LostTable, cause));
        }

        _head.Save(new HeadEntry(HeadName.Row, _lastRowId, 0, 0, 0, null));
        foreach (var (name, cursor) in _cursors)
        {
            _head.Save(new HeadEntry(HeadName.CursorPrefix + name, cursor.Floor, 0, 0, 0, CursorText.Format(cursor)));
        }

        if (_checkpoint is not null)
        {
            using var save = _to.Once("INSERT INTO checkpoint(slot, log, body) VALUES(0, ?1, ?2)");
            using var frame = new MemoryStream();
            save.Bind(1, _checkpoint.LogNumber).Bind(2, CheckpointFrame.Encode(_checkpoint, frame)).Run();
        }

        SaveUnreadable(now);
        var heads = HeadsText.Format(_heads.Values);
        using var report = _to.Once("INSERT INTO recovery VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12)");
        report.Bind(1, now).Bind(2, cause).Bind(3, setAside).Bind(4, _rowsBySql + _rowsByScan).Bind(5, _rowsByScan).Bind(6, _rowsNotKept)
            .Bind(7, _batchesSaved).Bind(8, _batchesNotKept).Bind(9, _checkpoint is null ? 0 : 1).Bind(10, epoch).Bind(11, heads)
            .Bind(12, SqliteStore.RecoveryCrc(cause, setAside, epoch, heads)).Run();
        _to.Execute("COMMIT");
    }

    /// <summary>Writes what the damage took into the account of losses, and as notices until they are published.</summary>
    private void SaveUnreadable(long now)
    {
        using var loss = _to.Once(LossLine.InsertLoss);
        using var notice = _to.Once(LossLine.InsertNotice);
        foreach (var (stream, epoch, first, last) in _account.Unreadable(_heads.Values, RowsComplete))
        {
            foreach (var statement in (Statement[])[loss, notice])
            {
                new LossLine((long)stream, epoch, LossReason.Unreadable, "", first, last).BindTo(statement).Bind(8, now).Run();
            }
        }
    }

    /// <summary>All rows up to this id are known to be delivered everywhere.</summary>
    private long LowestFloor() => _destinations.Count == 0 ? 0 : _destinations.Min(d => _cursors.Where(c => c.Name == d).Select(c => c.Cursor.Floor).DefaultIfEmpty(0).Max());

    /// <summary>Takes note of how far the store had come, by what was written beside it: no row id is handed out twice.</summary>
    public void See(in StoreProgress witness)
    {
        LastEpoch = Math.Max(LastEpoch, witness.Epoch);
        _lastRowId = Math.Max(_lastRowId, witness.LastRowId);
    }

    private void See(FeedStream stream, long epoch, long next)
    {
        LastEpoch = Math.Max(LastEpoch, epoch);
        if (!_heads.TryGetValue(stream, out var known) || epoch > known.Epoch || (epoch == known.Epoch && next > known.Next))
        {
            _heads[stream] = new StreamHead(stream, epoch, next);
        }
    }

    private bool DeliveredEverywhere(long id)
    {
        foreach (var destination in _destinations)
        {
            var has = false;
            foreach (var (name, cursor) in _cursors)
            {
                has |= name == destination && cursor.Contains(id);
            }

            if (!has)
            {
                return false;
            }
        }

        return _destinations.Count > 0;
    }

    // A part is left free for the checkpoint, the head and the first commits: what does not fit stays in the files set aside.
    private bool HasRoom(int bytes)
    {
        _pages.Step();
        var pages = _pages.Long(0);
        _pages.Reset();
        return pages + (SqliteStore.PageBytes(bytes) / Database.PageSize) < _mostPages;
    }

    private long LogBytes()
    {
        long bytes = 0;
        using var all = _to.Once("SELECT length(body) FROM log");
        while (all.Step())
        {
            bytes += SqliteStore.PageBytes((int)all.Long(0));
        }

        return bytes;
    }

    private void EndGroup()
    {
        if (++_inGroup == GroupSize)
        {
            _inGroup = 0;
            _to.Execute("COMMIT; BEGIN IMMEDIATE");
        }
    }
}
