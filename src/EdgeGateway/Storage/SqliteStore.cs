using System.Buffers;
using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Storage;

/// <summary>
/// The one store of the gateway: sample log, checkpoints, outbox and stream heads in one SQLite database, so that what must
/// agree is committed together (invariant 3). One thread at a time commits; uplinks read and acknowledge from any thread.
/// </summary>
public sealed partial class SqliteStore : IOutbox, IDisposable
{
    private readonly StoreFiles _files;
    private StoreLimits _limits;
    private readonly StorageModel _storage;
    private readonly long _budgetBytes;
    private readonly long _logShareBytes;
    private readonly TimeProvider _time;
    private readonly StoreLock _lock;
    private readonly Database _writer;
    private readonly bool _firstStart;

    private readonly Lock _writing = new();
    private readonly StoreLedger _live = new();
    private readonly StoreLedger _work = new();
    private readonly ArrayBufferWriter<byte> _frame = new(64 * 1024);

    private readonly Lock _acknowledging = new();
    private readonly List<Destination> _destinations = [];
    private readonly List<Refusal> _refusals = [];
    private readonly HashSet<long> _unreadable = [];

    private readonly Lock _reading = new();
    private readonly Stack<OutboxReader> _readers = new();
    private readonly RecentRows _recent = new();
    private readonly Func<long, bool> _isDelivered;

    private readonly Lock _waiting = new();
    private TaskCompletionSource? _arrival;
    private long _lastRowId;
    private bool _disposed;

    private SqliteStore(
        StoreFiles files, StoreLimits limits, StorageModel storage, IReadOnlyList<string> destinations, TimeProvider time, StoreLock @lock, Database writer, SafeFileHandle mainFile, bool firstStart)
    {
        _files = files;
        _limits = limits;
        _ownLimits = limits;
        _ballast = new Ballast(files.Ballast, limits.BallastBytes);
        _storage = storage;
        _budgetBytes = storage.BudgetBytes;
        _logShareBytes = storage.SampleLogBytes;
        _time = time;
        _lock = @lock;
        _writer = writer;
        _firstStart = firstStart;
        _sql = new CommitStatements(writer);
        _notes = new NoteTable(writer);
        _ledger = new LedgerTable(writer);
        _isDelivered = IsDelivered;
        _lastCheckpoint = time.GetTimestamp();
        _mainFile = mainFile;
        LoadLedger();
        OpenLimits();
        foreach (var name in destinations)
        {
            _destinations.Add(LoadDestination(name));
        }

        // Last: who makes the store closes what it is given, and this is made here.
        _witness = OpenWitness();
    }

    /// <summary>Number of the next input batch.</summary>
    public long NextBatchNumber => Interlocked.Read(ref _live.NextBatch);

    /// <inheritdoc/>
    public long LastRowId => Interlocked.Read(ref _lastRowId);

    /// <summary>Opens the store in the directory of <paramref name="storage"/>, makes it when there was none, and salvages it when it is damaged.</summary>
    /// <param name="storage">Directory and budget.</param>
    /// <param name="destinations">Names of all uplinks that must have a row before it is deleted.</param>
    /// <param name="time">Clock.</param>
    /// <exception cref="StoreException">Another process uses it, it is of a newer program, or the file system cannot be trusted with it.</exception>
    public static SqliteStore Open(StorageModel storage, IReadOnlyList<string> destinations, TimeProvider time)
    {
        var files = new StoreFiles(Path.GetFullPath(storage.Directory));
        try
        {
            Directory.CreateDirectory(files.Directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(StoreFailure.ReadOnly, $"Cannot make the directory {files.Directory}: {e.Message}", e);
        }

        var @lock = StoreLock.Take(files.Directory);
        try
        {
            // Before the budget is chosen by the free space. The files' times are the kernel's, whatever clock the store is given.
            StoreCopy.DeleteStale(files, TimeProvider.System);
            storage = StorageBudget.Resolve(storage, files);
            var limits = StoreLimits.For(storage.BudgetBytes);
            try
            {
                return Open(files, limits, storage, destinations, time, @lock);
            }
            catch (StoreException e) when (e.Failure is StoreFailure.DiskFull or StoreFailure.Io && File.Exists(files.Ballast))
            {
                // A full disk does not even have room for the index of the write-ahead log.
                new Ballast(files.Ballast, limits.BallastBytes).Release();
                return Open(files, limits, storage, destinations, time, @lock);
            }
            catch (StoreException e) when (e.Failure == StoreFailure.Damaged)
            {
                // Damage that the check did not see and the first use did: once more, with a salvage.
                WriteSuspicion(files, new StoreSuspicion(e.Message, null, null), e);
                return Open(files, limits, storage, destinations, time, @lock);
            }
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException and not StoreException)
        {
            // A file of the store that another user owns, say: SQLite opens what can only be read.
            @lock.Dispose();
            throw new StoreException(
                e is UnauthorizedAccessException ? StoreFailure.ReadOnly : StoreFailure.Io,
                $"Cannot open the store in {files.Directory}: {e.Message} Check the owner and the mode of its files, and the mount.", e);
        }
        catch
        {
            @lock.Dispose();
            throw;
        }
    }

    private static SqliteStore Open(
        StoreFiles files, StoreLimits limits, StorageModel storage, IReadOnlyList<string> destinations, TimeProvider time, StoreLock @lock)
    {
        var writer = StoreOpening.Open(files, limits, destinations, time, out var firstStart);
        SafeFileHandle? mainFile = null;
        SqliteStore? store = null;
        try
        {
            mainFile = File.OpenHandle(files.Database, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            store = new SqliteStore(files, limits, storage, destinations, time, @lock, writer, mainFile, firstStart);
            store.ShrinkToBudget();
            store.TakeBallast();
            store.NoteUse();
            return store;
        }
        catch
        {
            // In this order, and now: a handle that is left to its finalizer would take the locks of the next connection with it (POSIX).
            writer.Dispose();
            mainFile?.Dispose();
            store?._witness?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask WaitForRowAfterAsync(long rowId, CancellationToken cancel)
    {
        Task arrival;
        lock (_waiting)
        {
            if (LastRowId > rowId)
            {
                return;
            }

            arrival = (_arrival ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        await arrival.WaitAsync(cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public int Read(long first, long last, int maxRows, int maxBytes, IList<OutboxRow> rows)
    {
        OutboxReader? reader;
        lock (_reading)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_recent.Read(first, last, maxRows, maxBytes, _isDelivered, rows) is { } found)
            {
                return found;
            }

            _readers.TryPop(out reader);
        }

        reader ??= new OutboxReader(_files.Database, _limits.Sqlite);
        List<long>? unreadable = null;
        try
        {
            return reader.Read(first, last, maxRows, maxBytes, rows, ref unreadable);
        }
        catch (StoreException e) when (e.Failure == StoreFailure.Damaged)
        {
            NoteDamage(e);
            throw;
        }
        finally
        {
            if (unreadable is not null)
            {
                lock (_acknowledging)
                {
                    _unreadable.UnionWith(unreadable);
                }
            }

            Return(reader);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The destination is not among those the store was opened with.</exception>
    public DeliveryCursor OpenCursor(string destination)
    {
        lock (_acknowledging)
        {
            return Find(destination).Committed.Copy();
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The destination is unknown, or no row of this id was ever committed.</exception>
    public void Acknowledge(string destination, long rowId)
    {
        ThrowIfNeverCommitted(rowId);
        lock (_acknowledging)
        {
            var d = Find(destination);
            if (!d.Working.Contains(rowId))
            {
                d.Working.Acknowledge(rowId);
                d.Noted++;
                NoteDelivery();
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The destination is unknown, or no row of this id was ever committed.</exception>
    public void Quarantine(string destination, long rowId, string reason)
    {
        ThrowIfNeverCommitted(rowId);
        lock (_acknowledging)
        {
            var d = Find(destination);
            if (!d.Working.Contains(rowId))
            {
                d.Working.Acknowledge(rowId);
                d.Noted++;
                _refusals.Add(new Refusal(destination, rowId, reason));
            }
        }
    }

    /// <summary>Closes all files. What was acknowledged since the last commit is sent again after the next start: commit an empty batch before.</summary>
    public void Dispose()
    {
        lock (_writing)
        {
            lock (_reading)
            {
                if (_disposed)
                {
                    return;
                }

                _disposed = true;
                while (_readers.TryPop(out var reader))
                {
                    reader.Dispose();
                }
            }

            if (_diskFull is not null)
            {
                // The space of the log is needed to open the store again.
                _writer.KeepLogOnClose();
            }

            _writer.Dispose();
            _mainFile.Dispose();
            _witness?.Dispose();
            _lock.Dispose();
        }
    }

    private void ThrowIfNeverCommitted(long rowId)
    {
        if (rowId <= 0 || rowId > LastRowId)
        {
            throw new ArgumentOutOfRangeException(nameof(rowId), rowId, "No row of this id was ever committed.");
        }
    }

    /// <summary>True when every destination has the row, as committed: it is deleted, or will be with one of the next commits.</summary>
    private bool IsDelivered(long rowId)
    {
        lock (_acknowledging)
        {
            foreach (var d in _destinations)
            {
                if (!d.Committed.Contains(rowId))
                {
                    return false;
                }
            }

            return _destinations.Count > 0;
        }
    }

    private Destination Find(string name)
    {
        foreach (var d in _destinations)
        {
            if (string.Equals(d.Name, name, StringComparison.Ordinal))
            {
                return d;
            }
        }

        throw new ArgumentException($"The destination {name} is not configured.", nameof(name));
    }

    private void Return(OutboxReader reader)
    {
        lock (_reading)
        {
            if (!_disposed && _readers.Count < 4)
            {
                _readers.Push(reader);
                return;
            }
        }

        reader.Dispose();
    }

    private void Arrived()
    {
        TaskCompletionSource? arrival;
        lock (_waiting)
        {
            Interlocked.Exchange(ref _lastRowId, _live.LastRowId);
            (arrival, _arrival) = (_arrival, null);
        }

        arrival?.SetResult();
    }

    /// <summary>An uplink's acknowledgements: as committed, and as noted since.</summary>
    private sealed class Destination(string name, DeliveryCursor committed)
    {
        public string Name { get; } = name;

        public string HeadName { get; } = "cursor/" + name;

        public DeliveryCursor Committed { get; set; } = committed;

        public DeliveryCursor Working { get; } = committed.Copy();

        /// <summary>What the commit under way writes.</summary>
        public DeliveryCursor? Writing { get; set; }

        /// <summary>Grows with each acknowledgement.</summary>
        public long Noted { get; set; }

        /// <summary><see cref="Noted"/> as it was for the cursor being written.</summary>
        public long NotedInWriting { get; set; }

        /// <summary><see cref="Noted"/> as it was for the last cursor committed.</summary>
        public long Saved { get; set; }
    }

    private readonly record struct Refusal(string Destination, long RowId, string Reason);

    private void LoadLedger()
    {
        var counted = -1L;
        using var head = _writer.Once(HeadTable.Select);
        while (head.Step())
        {
            var name = head.Text(0)!;
            if (name == HeadName.Row)
            {
                _live.LastRowId = head.Long(1);
            }
            else if (name == HeadName.Log)
            {
                (_live.NextBatch, _live.LogBytes, _live.FirstBatch) = (head.Long(1), head.Long(2), head.Long(3));
            }
            else if (name == HeadName.NotStored)
            {
                _live.NotStored = head.Long(1);
            }
            else if (name.StartsWith(HeadName.LostPrefix, StringComparison.Ordinal) && FeedWords.TryRangeState(name[HeadName.LostPrefix.Length..], out var state))
            {
                _live.Lost[(int)state] = head.Long(1);
            }
            else if (name == HeadName.Waiting && EvictionText.TryParse(head.Text(5), _live.EvictFrom))
            {
                (_live.Records, counted) = (head.Long(1), head.Long(2));
            }
            else if (name.StartsWith(HeadName.StreamPrefix, StringComparison.Ordinal))
            {
                var stream = int.Parse(name.AsSpan(HeadName.StreamPrefix.Length), CultureInfo.InvariantCulture);
                _live.Tallies[stream] = new StreamTally { Epoch = head.Long(1), Next = head.Long(2), Rows = head.Long(3), Bytes = head.Long(4) };
            }
        }

        // A stream that the program which made the store did not know begins in the epoch of the others.
        var epoch = _live.Tallies.Max(t => t.Epoch);
        foreach (var stream in AllStreams)
        {
            if (_live[stream].Epoch == 0)
            {
                _live[stream] = new StreamTally { Epoch = epoch, Next = 1 };
            }
        }

        if (counted != _live.LastRowId)
        {
            CountWaiting();
        }

        LoadLossAccount();
        for (var slot = 0; slot < 2; slot++)
        {
            _live.CheckpointAt[slot] = LoadCheckpoint(slot)?.LogNumber ?? -1;
        }

        _lastRowId = _live.LastRowId;
    }

    /// <summary>Reads all rows that wait, once: the line about them is not there (a new or salvaged store), or a program that does not know it has added rows.</summary>
    private void CountWaiting()
    {
        _live.Records = 0;
        Array.Clear(_live.EvictFrom);
        using var rows = _writer.Once("SELECT id, class, stream, count FROM outbox ORDER BY id");
        while (rows.Step())
        {
            ref var from = ref _live.EvictFrom[RetentionOrder.StepOf((RowClass)rows.Long(1), RowPlace.Level(rows.Long(2)))];
            from = from == 0 ? rows.Long(0) : from;
            _live.Records += rows.Long(3);
        }
    }

    private Destination LoadDestination(string name)
    {
        using var statement = _writer.Once("SELECT a, text FROM head WHERE name = ?1");
        statement.Bind(1, "cursor/" + name);
        return new Destination(name, statement.Step() ? CursorText.Parse(statement.Long(0), statement.Text(1)) : new DeliveryCursor());
    }

    private Checkpoint? LoadCheckpoint(int slot)
    {
        using var statement = _writer.Once("SELECT body FROM checkpoint WHERE slot = ?1");
        statement.Bind(1, slot);
        return statement.Step() ? CheckpointFrame.Decode(statement.Bytes(0)) : null;
    }

    private static Instant Now(TimeProvider time) => Instant.From(time.GetUtcNow());

    /// <summary>All streams there are, for the initial heads.</summary>
    internal static readonly FeedStream[] AllStreams = Enum.GetValues<FeedStream>();
}
