using System.Globalization;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>How a full check of the store ended.</summary>
public enum IntegrityState
{
    /// <summary>None has ended since the start.</summary>
    NotYet,

    /// <summary>Every page and every checksum is as it should be.</summary>
    Sound,

    /// <summary>Single rows or batches are not what was written; each was dealt with by itself.</summary>
    Mended,

    /// <summary>The database is damaged: it is set aside and salvaged at the next opening.</summary>
    Damaged,

    /// <summary>All checksums hold; SQLite's own check was always interrupted, because the store had to go on.</summary>
    Partly,
}

/// <summary>The last full check of the store (requirement O-8).</summary>
/// <param name="State">Its end.</param>
/// <param name="Ended">When it ended, by the wall clock; null when none has.</param>
/// <param name="Took">How long it took, pauses included.</param>
/// <param name="Finding">What was found, for people; empty when sound.</param>
public sealed record IntegrityReport(IntegrityState State, DateTimeOffset? Ended, TimeSpan Took, string Finding)
{
    /// <summary>Before the first check.</summary>
    public static IntegrityReport None { get; } = new(IntegrityState.NotYet, null, TimeSpan.Zero, "");
}

// The check at the start has a time limit; this one has none. It reads everything, a little at a time, and keeps no read transaction
// open when the write-ahead log has to be cut (requirements O-5 and O-8).
public sealed partial class SqliteStore
{
    private const int RowsInSlice = 128;
    private const int Attempts = 6;

    /// <summary>Pages that SQLite's own check reads between two looks at whether somebody waits for it.</summary>
    private const int StepsBetweenLooks = 64;

    private static readonly TimeSpan AttemptPause = TimeSpan.FromSeconds(20);

    private volatile IntegrityReport _integrity = IntegrityReport.None;
    private volatile string? _foundDamaged;
    private volatile bool _checkpointAsked;

    /// <summary>The last full check.</summary>
    public IntegrityReport Integrity => _integrity;

    /// <summary>
    /// Checks everything in the store beside its use: the CRC of every row, batch, checkpoint, row of the ledger, head line, and the structure of the database. At most a tenth of
    /// the time is spent reading. A row that is not what was written is set aside with the next commit; for a batch or a checkpoint a new checkpoint
    /// is asked for; damage to the structure is noted, and the next <see cref="Commit"/> throws <see cref="StoreFailure.Damaged"/>.
    /// </summary>
    /// <param name="cancel">Ends the check; the last report stays.</param>
    public async Task<IntegrityReport> CheckIntegrityAsync(CancellationToken cancel)
    {
        var started = _time.GetTimestamp();
        var findings = new List<string>();
        var state = IntegrityState.Sound;
        try
        {
            using var db = Database.OpenReader(_files.Database, _limits.Sqlite);
            await CheckFramesAsync(db, "SELECT id, body, stream, epoch, first, count, class FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2", FrameKind.Row, findings, cancel).ConfigureAwait(false);
            await CheckFramesAsync(db, "SELECT number, body FROM log WHERE number > ?1 ORDER BY number LIMIT ?2", FrameKind.Batch, findings, cancel).ConfigureAwait(false);
            await CheckFramesAsync(db, "SELECT slot + 1, body FROM checkpoint WHERE slot + 1 > ?1 ORDER BY slot LIMIT ?2", FrameKind.Checkpoint, findings, cancel).ConfigureAwait(false);
            await CheckLedgerAsync(db, findings, cancel).ConfigureAwait(false);
            if (HeadTable.FindDamage(db) is { } line)
            {
                throw new StoreException(StoreFailure.Damaged, $"The line {line} of the table head does not have its CRC.");
            }

            CheckLosses(db, findings);
            state = findings.Count > 0 ? IntegrityState.Mended : IntegrityState.Sound;
            if (!await CheckStructureAsync(db, cancel).ConfigureAwait(false))
            {
                state = IntegrityState.Partly;
                findings.Add("SQLite's check of the structure was interrupted each time; the next full check tries again");
            }
        }
        catch (StoreException e) when (e.Failure == StoreFailure.Damaged)
        {
            state = IntegrityState.Damaged;
            findings.Add(e.Message);
            MarkDamaged($"the full check found: {e.Message}");
            _foundDamaged = e.Message;
        }

        return _integrity = new IntegrityReport(state, _time.GetUtcNow(), _time.GetElapsedTime(started), string.Join("; ", findings));
    }

    /// <summary>Checks the CRC of each row of the ledger. One that is not what was written cannot be mended: the ledger says so with the next commit.</summary>
    private async Task CheckLedgerAsync(Database db, List<string> findings, CancellationToken cancel)
    {
        using var one = db.Once($"SELECT {LedgerTable.Columns} FROM ledger WHERE first > ?1 AND packed <> {LedgerTable.Rotten} ORDER BY first LIMIT 1");
        var after = 0L;
        for (var any = true; any;)
        {
            cancel.ThrowIfCancellationRequested();
            var started = _time.GetTimestamp();
            if (any = one.Bind(1, after).Step())
            {
                after = one.Long(0);
                if (!LedgerTable.TryRead(one, out _))
                {
                    findings.Add($"{RottenFrom([after])} in the ledger; a backup may have them");
                    lock (_findingLedger)
                    {
                        _ledgerRotten.Add(after);
                    }
                }
            }

            // A sealed day is inflated in milliseconds; nothing is read while others wait.
            one.Reset();
            await Task.Delay(TimeSpan.FromMilliseconds(1) + (9 * _time.GetElapsedTime(started)), _time, cancel).ConfigureAwait(false);
        }
    }

    private async Task CheckFramesAsync(Database db, string sql, FrameKind kind, List<string> findings, CancellationToken cancel)
    {
        using var slice = db.Once(sql);
        for (var after = 0L; after >= 0;)
        {
            cancel.ThrowIfCancellationRequested();
            var started = _time.GetTimestamp();
            after = CheckSlice(slice, kind, after, findings);
            await Task.Delay(TimeSpan.FromMilliseconds(1) + (9 * _time.GetElapsedTime(started)), _time, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Checks the frames after one; returns the number of the last, or -1 when there are no more.</summary>
    private long CheckSlice(Statement slice, FrameKind kind, long after, List<string> findings)
    {
        var count = 0;
        try
        {
            slice.Bind(1, after).Bind(2, RowsInSlice);
            while (slice.Step())
            {
                count++;
                after = slice.Long(0);
                if (StoredFrame.Open(slice.Bytes(1), kind, out _) != FrameStatus.Intact)
                {
                    Mend(kind, after, findings);
                }
                else if (kind == FrameKind.Row)
                {
                    CheckLabel(slice, after, findings);
                }
            }
        }
        finally
        {
            slice.Reset();
        }

        return count == RowsInSlice ? after : -1;
    }

    /// <summary>
    /// The columns beside a body say again which records it holds; evictions are stated by them. They have no CRC: the body has, and is right.
    /// </summary>
    private void CheckLabel(Statement row, long id, List<string> findings)
    {
        if (OutboxRowFrame.TryReadHead(row.Bytes(1), out var head) != FrameStatus.Intact)
        {
            return;
        }

        lock (_acknowledging)
        {
            if (head.Id != id)
            {
                _unreadable.Add(id);
                findings.Add(string.Create(CultureInfo.InvariantCulture, $"row {id} of the outbox holds row {head.Id} and is set aside"));
            }
            else if (head != Label(row, 2, id) || (RowPlace.Marked(row.Bytes(1), head.Id, head.Stream) ?? row.Long(2)) != row.Long(2))
            {
                _mislabelled.Add(id);
                findings.Add(string.Create(CultureInfo.InvariantCulture, $"the columns of row {id} of the outbox were not what was written and are mended from its body"));
            }
        }
    }

    private static OutboxRowHead Label(Statement row, int at, long id) =>
        new(id, (FeedStream)RowPlace.Stream(row.Long(at)), row.Long(at + 1), row.Long(at + 2), (int)Math.Clamp(row.Long(at + 3), int.MinValue, int.MaxValue), (RowClass)(byte)row.Long(at + 4));

    // Rows whose columns are mended with the next commit. Guarded by _acknowledging.
    private readonly List<long> _mislabelled = [];

    private void Relabel(long id)
    {
        var row = _sql.OneRow.Bind(1, id);
        var found = row.Step() ? AsWritten(new Evictable(id, row.Long(0), row.Long(1), row.Long(2), row.Long(3), 0, (RowClass)(byte)row.Long(4)), row.Bytes(5)) : default;
        var counted = found.Id == id ? row.Long(3) : 0;
        row.Reset();
        if (found.Id == id)
        {
            Relabel(found);
            _work.Records += found.Count - counted;
        }
    }

    /// <summary>Writes the columns of a row anew, and sees to it that it is found where it now stands.</summary>
    private void Relabel(in Evictable row)
    {
        _sql.Relabel.Bind(1, row.Id).Bind(2, row.Place).Bind(3, row.Epoch).Bind(4, row.First).Bind(5, row.Count).Bind(6, (long)row.Class).Run();
        ref var from = ref _work.EvictFrom[RetentionOrder.StepOf(row.Class, RowPlace.Level(row.Place))];
        from = from == 0 ? row.Id : Math.Min(from, row.Id);
    }

    private void Mend(FrameKind kind, long number, List<string> findings)
    {
        switch (kind)
        {
            case FrameKind.Row:
                lock (_acknowledging)
                {
                    _unreadable.Add(number);
                }

                findings.Add(string.Create(CultureInfo.InvariantCulture, $"row {number} of the outbox is not what was written and is set aside"));
                break;
            case FrameKind.Batch:
                _checkpointAsked = true;
                findings.Add(string.Create(CultureInfo.InvariantCulture, $"batch {number} of the sample log is not what was written; a new checkpoint makes a restart independent of it"));
                break;
            default:
                _checkpointAsked = true;
                findings.Add("a checkpoint is not what was written; a new one takes its place");
                break;
        }
    }

    /// <summary>SQLite's own check, as often as it is interrupted; false when it never came to its end.</summary>
    private async Task<bool> CheckStructureAsync(Database db, CancellationToken cancel)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (attempt > 0)
            {
                await Task.Delay(AttemptPause, _time, cancel).ConfigureAwait(false);
            }

            // A thread of its own: it cannot be paused, only ended, and takes seconds.
            var result = await Task.Factory.StartNew(() => CheckStructure(db, cancel), cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            if (result is not null)
            {
                return result == "ok" ? true : throw new StoreException(StoreFailure.Damaged, $"integrity_check says: {result}");
            }
        }

        return false;
    }

    private string? CheckStructure(Database db, CancellationToken cancel)
    {
        db.Watch(() => _cutting || cancel.IsCancellationRequested, StepsBetweenLooks);
        try
        {
            return db.QueryText("PRAGMA integrity_check(1)");
        }
        catch (StoreException) when (db.Interrupted)
        {
            cancel.ThrowIfCancellationRequested();
            return null;
        }
        finally
        {
            db.Watch(null);
        }
    }

    private void ThrowIfFoundDamaged()
    {
        if (_foundDamaged is { } found)
        {
            throw new StoreException(StoreFailure.Damaged, $"{_files.Database} is damaged: {found} The next start sets it aside and salvages what can be read.");
        }
    }
}
