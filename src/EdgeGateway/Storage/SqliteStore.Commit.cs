using System.Buffers;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

public sealed partial class SqliteStore
{
    // Acknowledged rows beyond these wait for the next commit, so that no commit takes long or fills the write-ahead log.
    private const int MaxDeletedRows = 4000;

    private static readonly TimeSpan PassiveCheckpointInterval = TimeSpan.FromSeconds(60);

    private readonly CommitStatements _sql;
    private readonly NoteTable _notes;
    private readonly List<RecordLoss> _losses = [];
    private readonly List<RecordLoss> _lossesAhead = [];
    private bool _rowsGone;
    private readonly List<Refusal> _refusalsWriting = [];
    private readonly List<long> _unreadableWriting = [];
    private readonly MemoryStream _checkpointFrame = new();
    private readonly ArrayBufferWriter<byte> _rowFrames = new(64 * 1024);
    private readonly List<int> _rowLengths = [];
    private long _lastCheckpoint;
    private bool _moreToDelete;
    private bool _moreToDeleteAfter;

    /// <summary>Makes everything in <paramref name="batch"/> and all acknowledgements noted so far durable in one transaction; when nothing has changed, writes nothing.</summary>
    /// <exception cref="StoreException">
    /// Nothing of the batch was committed. When <see cref="StoreException.CanRetry"/>, keep the batch and commit it again later;
    /// when damaged, dispose the store and open it again; when the budget is exhausted, commit less at once, or the same with a checkpoint.
    /// </exception>
    /// <exception cref="ArgumentException">The batch contradicts the store: a wrong batch number, an unknown stream.</exception>
    public CommitResult Commit(CommitBatch batch)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            ThrowIfFoundDamaged();
            Validate(batch);
            try
            {
                return Store(batch);
            }
            catch (StoreException e) when (e.Failure == StoreFailure.DiskFull)
            {
                if (!FitIntoFullDisk())
                {
                    throw;
                }

                return Store(batch);
            }
            catch (StoreException e) when (e.Failure == StoreFailure.BudgetExhausted && DiskFull is not null)
            {
                // The room that a full disk leaves is too small for this batch: has it become more meanwhile?
                LookForSpace();
                if (DiskFull is not null)
                {
                    throw;
                }

                return Store(batch);
            }
        }
    }

    private CommitResult Store(CommitBatch batch)
    {
        var acknowledged = CollectAcknowledgements();
        if (batch.IsEmpty && !acknowledged)
        {
            LookForSpace();
            return new CommitResult(Written: false, 0, [], LogIsFull || _checkpointAsked, LogIsFull);
        }

        var started = _time.GetTimestamp();
        try
        {
            EncodeInput(batch);
            EncodeRows(batch);
            var state = batch.Checkpoint is null ? default : CheckpointFrame.Encode(batch.Checkpoint, _checkpointFrame);
            var pages = EstimatePages(batch, state);
            if (IsLarge(pages))
            {
                MakeRoomAhead(pages);
                acknowledged = false;
            }
            else
            {
                MakeLogRoom(pages);
            }

            BeginWork();
            Write(batch, state, pages, acknowledged);
        }
        catch (StoreException e)
        {
            RollBack();
            if (e.Failure == StoreFailure.Damaged)
            {
                NoteDamage(e);
            }

            throw;
        }
        catch
        {
            RollBack();
            throw;
        }

        var first = batch.Rows.Count > 0 ? _work.LastRowId - batch.Rows.Count + 1 : 0;
        Interlocked.Exchange(ref _live.NextBatch, _work.NextBatch);
        EndWork();
        ForgetRotten();
        _checkpointAsked &= batch.Checkpoint is null;
        NoteLatency(started);
        NoteProgress();
        RecordLoss[] losses = [.. _lossesAhead, .. _losses];
        if (losses.Length > 0)
        {
            _recent.Clear();
        }

        if (batch.Rows.Count > 0)
        {
            _recent.Add(batch.Rows, first);
            Arrived();
        }

        _lossesAhead.Clear();
        try
        {
            MoveLogToMainFile();
            LookForSpace();
            NoteUse();
        }
        catch (Exception e) when (e is IOException or StoreException { Failure: not StoreFailure.Damaged })
        {
            // What was to be committed is: the caller must not commit it again. The next commit meets the same fault, if it lasts.
            _lastCheckpointFailure = e.Message;
        }

        return new CommitResult(Written: true, first, losses, LogIsFull || _checkpointAsked, LogIsFull);
    }

    private void RollBack()
    {
        _writer.Rollback();
        ForgetRuns();
    }

    private void BeginWork()
    {
        _runsChanged.Clear();
        _work.CopyFrom(_live);
        _losses.Clear();
        _rowsGone = false;
        _aside.Clear();
        _moreToDeleteAfter = _moreToDelete;
    }

    private void EndWork()
    {
        _runsChanged.Clear();
        _live.CopyFrom(_work);
        _moreToDelete = _moreToDeleteAfter;
        CloseAcknowledgements();
    }

    private void Validate(CommitBatch batch)
    {
        if (batch.Input is { } input && input.Number != _live.NextBatch)
        {
            throw new ArgumentException($"The batch has number {input.Number}, the next one is {_live.NextBatch}.", nameof(batch));
        }

        var last = _live.NextBatch - (batch.Input is null ? 1 : 0);
        if (batch.Checkpoint is { } checkpoint && checkpoint.LogNumber != last)
        {
            throw new ArgumentException($"The checkpoint is of batch {checkpoint.LogNumber}, the last one is {last}.", nameof(batch));
        }

        foreach (var row in batch.Rows)
        {
            if ((byte)row.Stream >= StoreLedger.Streams || (byte)row.Class > (byte)RowClass.Compliance || row.Level >= RetentionOrder.Levels || row.StandInSeconds < 0 || row.Count <= 0 || row.FirstSequence <= 0)
            {
                throw new ArgumentException($"A row of stream {row.Stream}, class {row.Class}, with {row.Count} records from {row.FirstSequence} cannot be stored.", nameof(batch));
            }
        }

        foreach (var head in batch.Heads)
        {
            if ((byte)head.Stream >= StoreLedger.Streams || head.Next < _live[head.Stream].Next || head.Epoch != _live[head.Stream].Epoch)
            {
                throw new ArgumentException($"The head of {head.Stream} cannot go to epoch {head.Epoch}, sequence {head.Next}; it is at {_live[head.Stream].Epoch}, {_live[head.Stream].Next}.", nameof(batch));
            }
        }
    }

    private void Write(CommitBatch batch, ReadOnlySpan<byte> state, long pages, bool acknowledged)
    {
        _sql.Begin.Run();
        if (batch.LossesPublishedThrough > 0)
        {
            _sql.DeleteNotices.Bind(1, batch.LossesPublishedThrough).Run();
        }

        DeleteRotten();
        if (batch.RecoveryReportPublished)
        {
            _sql.ReportTold.Run();
        }

        // First of all: what the new checkpoint covers may go in this very commit.
        var slot = _work.CheckpointAt[0] <= _work.CheckpointAt[1] ? 0 : 1;
        if (!state.IsEmpty)
        {
            _work.CheckpointAt[slot] = batch.Checkpoint!.LogNumber;
        }

        Tidy(acknowledged);

        // Before room is looked for: a ledger that has grown too large may be what fills it.
        if (batch.LedgerRemovedThrough > 0)
        {
            _ledger.RemoveThrough(batch.LedgerRemovedThrough);
        }

        MakeRoom(pages);
        KeepWithinOtherLimits(batch);
        KeepAside(pages);
        foreach (var (of, numbers) in batch.GivenUp)
        {
            foreach (var (first, last) in numbers.Runs)
            {
                AddLoss(of.Stream, of.Epoch, first, last - first + 1, of.Reason, "");
            }
        }

        if (!state.IsEmpty)
        {
            _sql.SaveCheckpoint.Bind(1, slot).Bind(2, batch.Checkpoint!.LogNumber).Bind(3, state).Run();
        }

        if (batch.Input is { } input)
        {
            _sql.InsertBatch.Bind(1, input.Number).Bind(2, _frame.WrittenSpan).Run();
            _work.NextBatch = input.Number + 1;
            _work.LogBytes += PageBytes(_frame.WrittenCount);
        }

        var at = 0;
        for (var i = 0; i < batch.Rows.Count; i++)
        {
            Insert(batch.Rows[i], _rowFrames.WrittenSpan.Slice(at, _rowLengths[i]));
            at += _rowLengths[i];
        }

        foreach (var head in batch.Heads)
        {
            ref var tally = ref _work[head.Stream];
            tally.Epoch = head.Epoch;
            tally.Next = head.Next;
        }

        foreach (var (name, value) in batch.Counters)
        {
            SaveHead(HeadName.CounterPrefix + name, value);
        }

        SaveAges(withCheckpoint: !state.IsEmpty);

        foreach (var note in batch.Notes)
        {
            _notes.Save(note);
        }

        SaveLedgerRows(batch);

        if (batch.ReadingsNotStored > 0)
        {
            _work.NotStored += batch.ReadingsNotStored;
            SaveHead(HeadName.NotStored, _work.NotStored);
        }

        SaveLosses();
        SaveCursors();
        SaveLedger();
        _sql.End.Run();
    }

    /// <summary>Deletes what is done with: rows all destinations have, the sample log above its share.</summary>
    private void Tidy(bool acknowledged)
    {
        if (acknowledged)
        {
            ReadAside();
            DeleteAcknowledged();
        }

        TrimSampleLog(_logShareBytes, Covered(fallBack: true));
    }

    private void EncodeInput(CommitBatch batch)
    {
        _frame.ResetWrittenCount();
        if (batch.Input is { } input)
        {
            InputBatchCodec.Encode(input, batch.ValueOf, _frame);
        }
    }

    /// <summary>Encodes the rows under the ids they will get, before anything is written: only now is known how many pages they take.</summary>
    private void EncodeRows(CommitBatch batch)
    {
        _rowFrames.ResetWrittenCount();
        _rowLengths.Clear();
        var id = _live.LastRowId;
        foreach (var row in batch.Rows)
        {
            var start = _rowFrames.WrittenCount;
            OutboxRowFrame.Encode(row, ++id, _rowFrames);
            _rowLengths.Add(_rowFrames.WrittenCount - start);
        }
    }

    private void Insert(OutboxRow row, ReadOnlySpan<byte> frame)
    {
        _sql.InsertRow.Bind(1, ++_work.LastRowId).Bind(2, (long)row.Class).Bind(3, RowPlace.Pack(row)).Bind(4, row.Epoch).Bind(5, row.FirstSequence).Bind(6, row.Count)
            .Bind(7, frame).Run();
        ref var tally = ref _work[row.Stream];
        tally.Rows++;
        tally.Bytes += frame.Length;
        _work.Records += row.Count;
        ref var from = ref _work.EvictFrom[RetentionOrder.StepOf(row.Class, row.Level)];
        from = from == 0 ? _work.LastRowId : from;
    }

    /// <summary>Takes a copy of what is acknowledged and set aside so far; what comes while the commit runs belongs to the next.</summary>
    private bool CollectAcknowledgements()
    {
        lock (_acknowledging)
        {
            _refusalsWriting.Clear();
            _refusalsWriting.AddRange(_refusals);
            _unreadableWriting.Clear();
            _unreadableWriting.AddRange(_unreadable);
            var any = _refusalsWriting.Count > 0 || _unreadableWriting.Count > 0 || _moreToDelete;
            foreach (var d in _destinations)
            {
                any |= d.Noted != d.Saved;

                // At once: a refusal that comes later must not be in the cursor before its loss is noted.
                d.Writing = d.Working.Copy();
                d.NotedInWriting = d.Noted;
            }

            if (!any)
            {
                ForgetCursors();
            }

            return any;
        }
    }

    private void ForgetCursors()
    {
        foreach (var d in _destinations)
        {
            d.Writing = null;
        }
    }

    private void ForgetAcknowledgements()
    {
        lock (_acknowledging)
        {
            _refusalsWriting.Clear();
            _unreadableWriting.Clear();
            ForgetCursors();
        }
    }

    /// <summary>Copies of all cursors as last committed, for a commit that has no acknowledgements and must save them because rows died.</summary>
    private void TakeCursors()
    {
        lock (_acknowledging)
        {
            foreach (var d in _destinations)
            {
                if (d.Writing is null)
                {
                    d.Writing = d.Committed.Copy();
                    d.NotedInWriting = d.Saved;
                }
            }
        }
    }

    private void CloseAcknowledgements()
    {
        lock (_acknowledging)
        {
            _refusals.RemoveRange(0, _refusalsWriting.Count);
            _unreadable.ExceptWith(_unreadableWriting);
            _refusalsWriting.Clear();
            _unreadableWriting.Clear();
            foreach (var d in _destinations)
            {
                if (d.Writing is not { } written)
                {
                    continue;
                }

                // Rows that are gone count as done once all before them are.
                if (written.Floor > d.Working.Floor)
                {
                    d.Working.Acknowledge(d.Working.Floor + 1, written.Floor);
                }

                d.Committed = written;
                d.Saved = d.NotedInWriting;
                d.Writing = null;
            }
        }
    }

    /// <summary>Deletes rows that every destination has, oldest first, in runs.</summary>
    private void DeleteAcknowledged()
    {
        _moreToDeleteAfter = false;
        if (_destinations.Count == 0)
        {
            return;
        }

        long budget = MaxDeletedRows;
        var first = _destinations[0].Writing!;
        budget -= DeleteIfDoneByAll(1, first.Floor, 1, budget);
        foreach (var (from, to) in first.Runs)
        {
            budget -= DeleteIfDoneByAll(from, to, 1, budget);
        }
    }

    /// <summary>
    /// What is below the oldest row is done with. Evicted rows above it are not noted one by one: each between two rows that stay would be a run
    /// of its own in the cursor, and the cursor is written with each commit.
    /// </summary>
    private void RaiseFloors()
    {
        var oldest = _work.LastRowId + 1;
        _sql.OldestRow.Step();
        if (!_sql.OldestRow.IsNull(0))
        {
            oldest = _sql.OldestRow.Long(0);
        }

        _sql.OldestRow.Reset();
        foreach (var d in _destinations)
        {
            if (d.Writing is { } cursor && cursor.Floor < oldest - 1)
            {
                cursor.Acknowledge(cursor.Floor + 1, oldest - 1);
            }
        }
    }

    /// <summary>Deletes the part of a run that the destinations from <paramref name="next"/> on have too; returns the number of rows.</summary>
    private long DeleteIfDoneByAll(long from, long to, int next, long budget)
    {
        if (from > to)
        {
            return 0;
        }

        if (next == _destinations.Count)
        {
            return DeleteRun(from, to, budget);
        }

        var cursor = _destinations[next].Writing!;
        var deleted = DeleteIfDoneByAll(from, Math.Min(to, cursor.Floor), next + 1, budget);
        foreach (var (first, last) in cursor.Runs)
        {
            deleted += DeleteIfDoneByAll(Math.Max(from, first), Math.Min(to, last), next + 1, budget - deleted);
        }

        return deleted;
    }

    private long DeleteRun(long from, long to, long budget)
    {
        if (budget <= 0)
        {
            _moreToDeleteAfter = true;
            return 0;
        }

        long deleted = 0;
        _sql.DeleteRun.Bind(1, from).Bind(2, to).Bind(3, budget);
        while (_sql.DeleteRun.Step())
        {
            ref var tally = ref _work.Tallies[RowPlace.Stream(_sql.DeleteRun.Long(0))];
            tally.Rows--;
            tally.Bytes -= _sql.DeleteRun.Long(1);
            _work.Records -= _sql.DeleteRun.Long(2);
            _rowsGone = true;
            deleted++;
        }

        _sql.DeleteRun.Reset();
        _moreToDeleteAfter |= deleted == budget;
        return deleted;
    }

    private void SaveCursors()
    {
        if (_rowsGone)
        {
            TakeCursors();
        }

        RaiseFloors();

        foreach (var d in _destinations)
        {
            if (d.Writing is not { } cursor)
            {
                continue;
            }

            SaveHead(d.HeadName, cursor.Floor, text: CursorText.Format(cursor));
        }
    }

    private void SaveLedger()
    {
        if (_work.LastRowId != _live.LastRowId)
        {
            SaveHead(HeadName.Row, _work.LastRowId);
        }

        if (_work.NextBatch != _live.NextBatch || _work.LogBytes != _live.LogBytes || _work.FirstBatch != _live.FirstBatch)
        {
            SaveHead(HeadName.Log, _work.NextBatch, _work.LogBytes, _work.FirstBatch);
        }

        var steps = _work.EvictFrom.AsSpan();
        if (_work.Records != _live.Records || _work.LastRowId != _live.LastRowId || !steps.SequenceEqual(_live.EvictFrom))
        {
            SaveHead(HeadName.Waiting, _work.Records, _work.LastRowId, text: EvictionText.Format(steps));
        }

        for (var state = 0; state < _work.Lost.Length; state++)
        {
            if (_work.Lost[state] != _live.Lost[state])
            {
                SaveHead(HeadName.LostPrefix + ((RangeState)state).Word(), _work.Lost[state]);
            }
        }

        for (var i = 0; i < StoreLedger.Streams; i++)
        {
            ref var tally = ref _work.Tallies[i];
            ref var before = ref _live.Tallies[i];
            if (tally.Epoch != before.Epoch || tally.Next != before.Next || tally.Rows != before.Rows || tally.Bytes != before.Bytes)
            {
                SaveHead(HeadName.Streams[i], tally.Epoch, tally.Next, tally.Rows, tally.Bytes);
            }
        }
    }

    private void SaveHead(string name, long a, long b = 0, long c = 0, long d = 0, string? text = null) =>
        _sql.Head.Save(new HeadEntry(name, a, b, c, d, text));
}
