using EdgeGateway.Core.Feed;

namespace EdgeGateway.Storage;

// What the store notes about itself with each commit: how far it has come, how full it is, what was lost.
public sealed partial class SqliteStore
{
    /// <summary>Readings that were never accepted: the store could not be written and the queue in memory was full. They have no numbers; missing coverage shows them.</summary>
    public const string NotStored = "not stored";

    private readonly StoreWitness? _witness;
    private string? _witnessProblem;
    private double _inUse;

    /// <summary>
    /// Share of the store that is in use, 0 to 1: what waits, with state and accounts, of the room beside the sample log. Pages that are free inside the
    /// file are not in use, although the file does not shrink. At 1 something goes with every commit. While the file system is full: of the space there is.
    /// </summary>
    public double InUse => Volatile.Read(ref _inUse);

    /// <summary>Records lost since the store was made, by the words of <see cref="RangeState"/> and <see cref="NotStored"/>. Kept over restarts and salvages (requirement R-5).</summary>
    public IReadOnlyDictionary<string, long> LostRecords()
    {
        lock (_writing)
        {
            return CountLost();
        }
    }

    private StoreProgress Progress()
    {
        long epoch = 0;
        foreach (var stream in AllStreams)
        {
            epoch = Math.Max(epoch, _live[stream].Epoch);
        }

        return new StoreProgress(epoch, _live.LastRowId, _live.NextBatch);
    }

    private StoreWitness? OpenWitness()
    {
        try
        {
            return StoreWitness.Open(_files.Witness, Progress());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without it only one kind of damage goes unnoticed; a full disk must not keep the gateway from starting.
            _witnessProblem = $"{_files.Witness} cannot be written: {e.Message}";
            return null;
        }
    }

    private void NoteProgress()
    {
        try
        {
            _witness?.Write(Progress());
            _witnessProblem = _witness is null ? _witnessProblem : null;
        }
        catch (IOException e)
        {
            // The commit is durable: it must not be refused for this.
            _witnessProblem = $"{_files.Witness} cannot be written: {e.Message}";
        }
    }

    private void NoteUse()
    {
        var logBytes = Math.Min(_live.LogBytes, _logShareBytes);
        var most = _limits.Sqlite.MaxPages * Database.PageSize;
        var used = most - (FreePages() * Database.PageSize);
        var room = Math.Max(most - Math.Min(_logShareBytes, most / 2), Database.PageSize);
        Volatile.Write(ref _inUse, Math.Clamp((double)(used - logBytes) / room, 0, 1));
    }

    private Dictionary<string, long> CountLost()
    {
        var lost = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var state = 0; state < _live.Lost.Length; state++)
        {
            if (_live.Lost[state] > 0)
            {
                lost.Add(((RangeState)state).Word(), _live.Lost[state]);
            }
        }

        if (_live.NotStored > 0)
        {
            lost.Add(NotStored, _live.NotStored);
        }

        return lost;
    }
}
