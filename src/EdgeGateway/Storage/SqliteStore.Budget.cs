using System.Globalization;
using EdgeGateway.Core.Feed;

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

        return (bytes / Database.PageSize) + SparePages;
    }

    private long FreePages()
    {
        _sql.PageCount.Step();
        var pages = _sql.PageCount.Long(0);
        _sql.PageCount.Reset();
        _sql.FreePages.Step();
        var free = _sql.FreePages.Long(0);
        _sql.FreePages.Reset();
        return _limits.Sqlite.MaxPages - pages + free;
    }

    /// <summary>Newest batch that is not needed for a restart.</summary>
    /// <param name="fallBack">True: a restart must also be possible from the older checkpoint, should the newer be damaged.</param>
    private long Covered(bool fallBack)
    {
        var (a, b) = (_work.CheckpointAt[0], _work.CheckpointAt[1]);
        return Math.Max(0, fallBack ? Math.Min(a, b) : Math.Max(a, b));
    }

    private bool CheckpointWanted() => _live.LogBytes > _logShareBytes;

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

    /// <summary>Frees pages for this commit: uncovered surplus of the log first, then rows by class, last the covered log.</summary>
    private void MakeRoom(long pages)
    {
        if (FreePages() >= pages)
        {
            return;
        }

        TrimSampleLog(_logShareBytes, Covered(fallBack: false));
        if (FreePages() >= pages || Evict(pages + SparePages))
        {
            return;
        }

        while (_work.FirstBatch <= Covered(fallBack: false))
        {
            var before = _work.LogBytes;
            TrimSampleLog(Math.Max(0, before - (16 * Database.PageSize)), Covered(fallBack: false));
            if (FreePages() >= pages)
            {
                return;
            }
        }

        throw new StoreException(
            StoreFailure.BudgetExhausted,
            string.Create(
                CultureInfo.InvariantCulture,
                $"The storage budget is used up: this commit needs about {pages} pages of {Database.PageSize} bytes and {FreePages()} are free, with nothing left to evict. Give the gateway a larger storage budget."));
    }

    /// <summary>After a start with a smaller budget than before: evicts what is too much and gives the free pages back.</summary>
    private void ShrinkToBudget()
    {
        var maxPages = _limits.Sqlite.MaxPages;
        if (_writer.QueryLong("PRAGMA page_count") <= maxPages)
        {
            return;
        }

        // Room for what the free pages of partly filled leaves will not give back, and for the first commits.
        var wanted = maxPages / 8;
        for (var enough = false; !enough;)
        {
            _work.CopyFrom(_live);
            _losses.Clear();
            _dead.Clear();
            CollectAcknowledgements();
            _sql.Begin.Run();
            try
            {
                TrimSampleLog(_logShareBytes, Covered(fallBack: false));
                enough = FreePages() >= wanted || Evict(wanted, mostRows: 500) || _dead.Count == 0;
                SaveLosses();
                SaveCursors();
                SaveLedger();
                _sql.End.Run();
            }
            catch
            {
                _writer.Rollback();
                throw;
            }

            _live.CopyFrom(_work);
            CloseAcknowledgements();
            CutLog();
        }

        _writer.Shrink(maxPages);
    }

    /// <summary>Deletes the oldest rows of the least class until so many pages are free; each is counted as lost.</summary>
    private bool Evict(long pages, int mostRows = int.MaxValue)
    {
        for (var rowClass = 0; rowClass < _work.EvictFrom.Length; rowClass++)
        {
            while (TakeOldest(rowClass))
            {
                foreach (var row in _evicting)
                {
                    _sql.DeleteRow.Bind(1, row.Id).Run();
                    ref var tally = ref _work.Tallies[row.Stream];
                    tally.Rows--;
                    tally.Bytes -= row.Bytes;
                    _work.EvictFrom[rowClass] = row.Id + 1;
                    _dead.Add(row.Id);
                    AddLoss((FeedStream)row.Stream, row.Epoch, row.First, row.Count, LossReason.Evicted, "");
                    if (FreePages() >= pages)
                    {
                        return true;
                    }

                    if (--mostRows == 0)
                    {
                        return false;
                    }
                }
            }
        }

        return false;
    }

    private bool TakeOldest(int rowClass)
    {
        _evicting.Clear();
        var find = _sql.Evictable;
        find.Bind(1, _work.EvictFrom[rowClass]).Bind(2, rowClass);
        while (find.Step())
        {
            _evicting.Add(new Evictable(find.Long(0), (int)(find.Long(1) & (StoreLedger.Streams - 1)), find.Long(2), find.Long(3), find.Long(4), find.Long(5)));
        }

        find.Reset();
        if (_evicting.Count == 0)
        {
            _work.EvictFrom[rowClass] = _work.LastRowId + 1;
        }

        return _evicting.Count > 0;
    }

    private readonly List<Evictable> _evicting = [];

    private readonly record struct Evictable(long Id, int Stream, long Epoch, long First, long Count, long Bytes);

    /// <summary>Sees to it that the transaction to come fits into the write-ahead log's share.</summary>
    private void MakeLogRoom(long pages)
    {
        // Twice: evictions and splits touch about as many pages again.
        var needed = 2 * pages * StoreLimits.FrameBytes;
        if (_files.LogBytes() + needed > _limits.LogReserveBytes)
        {
            CutLog();
        }

        if (_files.LogBytes() + needed > _limits.LogReserveBytes && pages * StoreLimits.FrameBytes > _limits.LogReserveBytes)
        {
            throw new StoreException(
                StoreFailure.BudgetExhausted,
                string.Create(CultureInfo.InvariantCulture, $"One commit of about {pages} pages does not fit into the write-ahead log's share of {_limits.LogReserveBytes} bytes. Give the gateway a larger storage budget."));
        }
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

    private void CutLog()
    {
        _writer.QueryLong("PRAGMA wal_checkpoint(TRUNCATE)");
        _lastCheckpoint = _time.GetTimestamp();
    }
}
