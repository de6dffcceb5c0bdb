using System.Globalization;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

// How the store stays within its budget: SQLite itself is told the largest file (max_page_count); before a commit adds pages, the
// oldest of what may go makes room, in the same transaction; the write-ahead log is moved and cut before it can outgrow its share.
public sealed partial class SqliteStore
{
    // Pages for splits of the trees, the loss account and the head; also keeps evictions from happening in each commit.
    private const int SparePages = 12;

    /// <summary>Bytes of pages that a record of this length takes, at worst on average.</summary>
    internal static long PageBytes(int length) => length switch
    {
        <= 1300 => (length + 40) * 5L / 4,
        <= 4000 => 4096,
        _ => (((length + 4091L) / 4092) + 1) * 4096,
    };

    private long EstimatePages(CommitBatch batch, ReadOnlySpan<byte> state)
    {
        long bytes = 0;
        if (batch.Input is not null)
        {
            bytes += PageBytes(_frame.WrittenCount);
        }

        foreach (var length in _rowLengths)
        {
            bytes += PageBytes(length + 40);
        }

        if (!state.IsEmpty)
        {
            bytes += PageBytes(state.Length);
        }

        foreach (var note in batch.Notes)
        {
            bytes += note.Text is null ? 0 : PageBytes(note.Key.Length + (note.Text.Length * 3));
        }

        bytes += LedgerBytes(batch);
        return (bytes / Database.PageSize) + SparePages + AsidePages();
    }

    private long FreePages()
    {
        _sql.FreePages.Step();
        var free = _sql.FreePages.Long(0);
        _sql.FreePages.Reset();
        return _limits.Sqlite.MaxPages - PageCount() + free;
    }

    private long PageCount()
    {
        _sql.PageCount.Step();
        var pages = _sql.PageCount.Long(0);
        _sql.PageCount.Reset();
        return pages;
    }

    /// <summary>Newest batch that is not needed for a restart.</summary>
    /// <param name="fallBack">True: a restart must also be possible from the older checkpoint, should the newer be damaged.</param>
    private long Covered(bool fallBack) => Covered(fallBack, _work);

    private static long Covered(bool fallBack, StoreLedger ledger)
    {
        var (a, b) = (ledger.CheckpointAt[0], ledger.CheckpointAt[1]);
        return Math.Max(0, fallBack ? Math.Min(a, b) : Math.Max(a, b));
    }

    private bool LogIsFull => _live.LogBytes > _logShareBytes;

    /// <summary>Deletes the oldest batches up to <paramref name="through"/> until the log takes at most <paramref name="bytes"/>.</summary>
    private void TrimSampleLog(long bytes, long through)
    {
        for (var group = 0; group < 64 && _work.LogBytes > bytes && _work.FirstBatch <= through && _work.FirstBatch < _work.NextBatch; group++)
        {
            var last = Math.Min(Math.Min(_work.FirstBatch + 7, through), _work.NextBatch - 1);
            _sql.DeleteBatches.Bind(1, _work.FirstBatch).Bind(2, last);
            while (_sql.DeleteBatches.Step())
            {
                _work.LogBytes -= PageBytes((int)_sql.DeleteBatches.Long(0));
            }

            _sql.DeleteBatches.Reset();
            _work.FirstBatch = last + 1;
        }
    }

    /// <summary>Frees pages for this commit.</summary>
    private void MakeRoom(long pages)
    {
        if (FreePages() < pages && MakeRoom(pages, pages + SparePages, long.MaxValue) != RoomMade.Enough)
        {
            throw new StoreException(
                StoreFailure.BudgetExhausted,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The storage budget of {_budgetBytes} bytes is used up: this commit needs about {pages * Database.PageSize} bytes, {FreePages() * Database.PageSize} are allowed, and nothing is left to evict but samples that no checkpoint covers. Raise storage.budget."));
        }
    }

    /// <summary>Frees pages, the least valuable first, until <paramref name="enough"/> are free; rows are deleted until <paramref name="wanted"/> are.</summary>
    /// <param name="enough">Pages that must be free.</param>
    /// <param name="wanted">Pages that shall be free when rows must go, so that rows do not have to go in each commit.</param>
    /// <param name="mostRows">Most rows to be deleted.</param>
    private RoomMade MakeRoom(long enough, long wanted, long mostRows)
    {
        for (var step = 0; step < RetentionOrder.FirstAccounted; step++)
        {
            // Samples that were evaluated and that no restart needs are samples, too: no summary goes before them.
            if (step == RetentionOrder.AfterSamples && TrimUntilFree(enough, Covered(fallBack: true)))
            {
                return RoomMade.Enough;
            }

            if (EvictForRoom(step, wanted, ref mostRows) || mostRows <= 0)
            {
                return FreePages() >= enough ? RoomMade.Enough : RoomMade.Some;
            }
        }

        // Before what must be accounted for also the samples without which only the newer checkpoint allows a restart.
        if (TrimUntilFree(enough, Covered(fallBack: false)))
        {
            return RoomMade.Enough;
        }

        _sql.ClearQuarantine.Run();
        if (FreePages() >= enough)
        {
            return RoomMade.Enough;
        }

        for (var step = RetentionOrder.FirstAccounted; step < RetentionOrder.Steps.Length; step++)
        {
            if (EvictForRoom(step, wanted, ref mostRows))
            {
                return RoomMade.Enough;
            }
        }

        return FreePages() >= enough ? RoomMade.Enough : mostRows <= 0 ? RoomMade.Some : RoomMade.NothingLeft;
    }

    private enum RoomMade
    {
        Enough,

        /// <summary>The most rows for one transaction are deleted, and there are more.</summary>
        Some,

        NothingLeft,
    }

    private bool TrimUntilFree(long pages, long through)
    {
        while (FreePages() < pages && _work.FirstBatch <= through && _work.FirstBatch < _work.NextBatch)
        {
            TrimSampleLog(Math.Max(0, _work.LogBytes - (16 * Database.PageSize)), through);
            if (_work.LogBytes <= 0)
            {
                // The bytes are an estimate: when it says that nothing is left, what is left goes by number.
                TrimSampleLog(long.MinValue, through);
            }
        }

        return FreePages() >= pages;
    }

    /// <summary>Makes room in transactions of their own; what they lose is told with the next commit that succeeds.</summary>
    /// <param name="pages">Pages that must be free.</param>
    /// <param name="mostRows">Most rows to be deleted in one transaction, so that it fits into the write-ahead log's share.</param>
    /// <returns>False when nothing is left to evict.</returns>
    private bool FreeAhead(long pages, long mostRows)
    {
        while (true)
        {
            CutLog();
            var acknowledged = CollectAcknowledgements();
            if (FreePages() >= pages && !acknowledged)
            {
                return true;
            }

            BeginWork();
            RoomMade made;
            _sql.Begin.Run();
            try
            {
                Tidy(acknowledged);
                made = FreePages() >= pages ? RoomMade.Enough : _moreToDeleteAfter ? RoomMade.Some : MakeRoom(pages, pages, mostRows);
                KeepAside(pages);
                SaveLosses();
                SaveCursors();
                SaveLedger();
                _sql.End.Run();
            }
            catch
            {
                RollBack();
                throw;
            }

            EndWork();
            if (_losses.Count > 0)
            {
                _recent.Clear();
            }

            _lossesAhead.AddRange(_losses);
            if (made != RoomMade.Some)
            {
                CutLog();
                return made == RoomMade.Enough;
            }
        }
    }

    /// <summary>After a start with a smaller budget than before: evicts what is too much and gives the free pages back.</summary>
    private void ShrinkToBudget()
    {
        var maxPages = _limits.Sqlite.MaxPages;
        if (PageCount() <= maxPages)
        {
            if (RandomAccess.GetLength(_mainFile) > maxPages * Database.PageSize)
            {
                // This was cut off after the file had been rewritten: what is shorter lies in the write-ahead log still.
                CutLog();
            }

            return;
        }

        // Room for what the free pages of partly filled leaves will not give back, and for the first commits.
        FreeAhead(maxPages / 8, mostRows: 500);
        _writer.Shrink(maxPages);
    }

    private bool EvictForRoom(int step, long pages, ref long mostRows) => Evict(step, EvictionCause.Budget, pages, long.MaxValue, long.MaxValue, ref mostRows);

    /// <summary>Deletes the oldest rows of a step until so many pages are free and no more than so many records wait; each is counted as lost.</summary>
    /// <param name="step">Place in <see cref="RetentionOrder.Steps"/>.</param>
    /// <param name="cause">Why.</param>
    /// <param name="pages">Pages that shall be free.</param>
    /// <param name="records">Most records that shall wait.</param>
    /// <param name="lastId">Younger rows stay.</param>
    /// <param name="mostRows">Most rows to be deleted; less those that were.</param>
    /// <returns>True when that is so.</returns>
    private bool Evict(int step, EvictionCause cause, long pages, long records, long lastId, ref long mostRows)
    {
        // Few at first: what is read and not deleted now is read again next time.
        for (var atOnce = 4; mostRows > 0 && TakeOldest(step, lastId, atOnce); atOnce = Math.Min(2 * atOnce, 64))
        {
            foreach (var labelled in _evicting)
            {
                if (FreePages() >= pages && _work.Records <= records)
                {
                    return true;
                }

                if (mostRows-- <= 0)
                {
                    return false;
                }

                var row = AsWritten(labelled);
                if (RetentionOrder.StepOf(row.Class, RowPlace.Level(row.Place)) != step)
                {
                    // By columns that rotted it would go before its turn.
                    Relabel(row);
                    continue;
                }

                _sql.DeleteRow.Bind(1, row.Id).Run();
                var stream = RowPlace.Stream(row.Place);
                ref var tally = ref _work.Tallies[stream];
                tally.Rows--;
                tally.Bytes -= row.Bytes;
                _work.Records -= row.Count;
                _work.EvictFrom[step] = row.Id + 1;
                _rowsGone = true;
                AddLoss((FeedStream)stream, row.Epoch, row.First, row.Count, LossReason.Of(RowPlace.StandInSeconds(row.Place), cause), "");
            }
        }

        return FreePages() >= pages && _work.Records <= records;
    }

    /// <summary>A row by its body, whose CRC holds, not by the columns beside it: what is evicted is stated, and a wrong number would leave a gap that nothing explains.</summary>
    private Evictable AsWritten(Evictable row)
    {
        var one = _sql.OneRow.Bind(1, row.Id);
        row = one.Step() ? AsWritten(row, one.Bytes(5)) : row;
        one.Reset();
        return row;
    }

    private static Evictable AsWritten(Evictable row, ReadOnlySpan<byte> body) =>
        OutboxRowFrame.TryReadHead(body, out var head) == FrameStatus.Intact && head.Id == row.Id
            ? row with
            {
                Place = RowPlace.Marked(body, head.Id, head.Stream) ?? RowPlace.WithStream(row.Place, head.Stream), Epoch = head.Epoch, First = head.First, Count = head.Count, Class = head.Class,
            }
            : row;

    private bool TakeOldest(int step, long lastId, int most)
    {
        _evicting.Clear();
        ref var from = ref _work.EvictFrom[step];
        var last = Math.Min(lastId, _work.LastRowId);
        if (from == 0 || from > last)
        {
            return false;
        }

        var find = _sql.Evictable;
        var (rowClass, level) = RetentionOrder.Steps[step];
        find.Bind(1, from).Bind(2, (long)rowClass).Bind(3, level).Bind(4, last).Bind(5, most);
        while (find.Step())
        {
            _evicting.Add(new Evictable(find.Long(0), find.Long(1), find.Long(2), find.Long(3), find.Long(4), find.Long(5), (RowClass)(byte)find.Long(6)));
        }

        find.Reset();
        from = _evicting.Count > 0 ? _evicting[0].Id : last + 1;
        return _evicting.Count > 0;
    }

    private readonly List<Evictable> _evicting = [];

    private readonly record struct Evictable(long Id, long Place, long Epoch, long First, long Count, long Bytes, RowClass Class);

    // Twice: evictions and splits touch about as many pages again.
    private static long LogBytesFor(long pages) => 2 * pages * StoreLimits.FrameBytes;

    /// <summary>True for a commit that does not fit into the share that the write-ahead log always has: <see cref="MakeRoomAhead"/>.</summary>
    private bool IsLarge(long pages) => LogBytesFor(pages) > _limits.LogReserveBytes;

    /// <summary>Sees to it that the transaction to come fits into the write-ahead log's share.</summary>
    private void MakeLogRoom(long pages)
    {
        var aside = _refusalsWriting.Count + _unreadableWriting.Count > 0 ? _limits.AsideBytes : 0;
        if (_files.LogBytes() + LogBytesFor(pages) + aside + OtherLimitsLogBytes > _limits.LogReserveBytes)
        {
            CutLog();
        }
    }

    /// <summary>
    /// Makes room for a large commit, for which the budget must hold its pages twice: in the main file, and in the write-ahead log until that is
    /// moved. What goes goes before, in transactions that fit, so that the commit itself adds nothing but its own pages; and where the
    /// main file has grown too long for the log it is made shorter.
    /// </summary>
    /// <exception cref="StoreException"><see cref="StoreFailure.BudgetExhausted"/>: it will never fit.</exception>
    private void MakeRoomAhead(long pages)
    {
        // Inner pages of the trees, and those that say where each page belongs.
        var logBytes = WalInspection.HeaderLength + ((pages + (pages / 8) + SparePages) * StoreLimits.FrameBytes);
        var mostInFile = Math.Min(_limits.Sqlite.MaxPages, (_limits.TotalBytes - logBytes) / Database.PageSize);
        var mostBeside = mostInFile - pages;
        _sql.BytesToKeep.Bind(1, Covered(fallBack: false, _live)).Step();
        var kept = _sql.BytesToKeep.Long(0);
        _sql.BytesToKeep.Reset();
        var tooLong = PageCount() > mostInFile && !_writer.CanGiveBack;
        if (tooLong || kept / Database.PageSize > mostBeside || !FreeAhead(_limits.Sqlite.MaxPages - mostBeside, _limits.RowsToDeleteAtOnce) || !ShortenFile(mostInFile))
        {
            throw new StoreException(
                StoreFailure.BudgetExhausted,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"One commit is too large for the storage budget of {_budgetBytes} bytes: it needs about {(pages * Database.PageSize) + logBytes} bytes while it is written, beside {kept} that cannot be evicted, and {_limits.TotalBytes} are allowed. Raise storage.budget."));
        }

        ForgetAcknowledgements();
        if (_files.LogBytes() > 0 && _diskFull is null)
        {
            throw new StoreException(StoreFailure.Io, $"{_files.Log} cannot be cut: another program holds a transaction on the store open. End it; the gateway goes on by itself.");
        }
    }

    /// <summary>Makes the main file at most so many pages long, in steps that fit into the write-ahead log's share; false when it has no free pages to give.</summary>
    private bool ShortenFile(long mostPages)
    {
        // A page that moves touches the one that points to it, and both of their entries.
        var step = Math.Max(1, _limits.LogReserveBytes / StoreLimits.FrameBytes / 6);
        for (var pages = PageCount(); pages > mostPages;)
        {
            _writer.GiveBack(Math.Min(step, pages - mostPages));
            CutLog();
            var now = PageCount();
            if (now >= pages)
            {
                return false;
            }

            pages = now;
        }

        return true;
    }

    /// <summary>After a commit: cuts the log when it is long, and moves it to the main file at least once a minute (requirement O-1).</summary>
    private void MoveLogToMainFile()
    {
        try
        {
            if (_files.LogBytes() >= _limits.TruncateAtBytes)
            {
                CutLog();
            }
            else if (_time.GetElapsedTime(_lastCheckpoint) >= PassiveCheckpointInterval)
            {
                _writer.QueryLong("PRAGMA wal_checkpoint(PASSIVE)");
                _lastCheckpoint = _time.GetTimestamp();
            }

            _lastCheckpointFailure = null;
        }
        catch (StoreException e)
        {
            // What was committed lies safe in the log; the next commit meets the cause again and reports it if it stays.
            _lastCheckpointFailure = e.Message;
        }
    }

    private string? _lastCheckpointFailure;
}
