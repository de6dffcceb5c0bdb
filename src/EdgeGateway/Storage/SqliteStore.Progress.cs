namespace EdgeGateway.Storage;

// What the store notes about itself with each commit: how far it has come, how full it is, what was lost.
public sealed partial class SqliteStore
{
    private readonly StoreWitness? _witness;
    private string? _witnessProblem;
    private double _inUse;

    /// <summary>
    /// Share of the store that is in use, 0 to 1: what waits, with state and accounts, of the room beside the sample log. Pages that are free inside the
    /// file are not in use, although the file does not shrink. At 1 something goes with every commit. While the file system is full: of the space there is.
    /// </summary>
    public double InUse => Volatile.Read(ref _inUse);

    /// <summary>Records lost since the store was made, by cause: see <see cref="LossReason"/>. Kept over restarts and salvages (requirement R-5).</summary>
    public IReadOnlyDictionary<string, long> LostRecords()
    {
        lock (_writing)
        {
            return new Dictionary<string, long>(_live.Lost, StringComparer.Ordinal);
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

    /// <summary>Takes the counts of programs that kept none, and of an older program that went on meanwhile, from the account of all losses.</summary>
    private void LoadLostCounts()
    {
        using var sums = _writer.Once("SELECT reason, sum(last - first + 1) FROM loss GROUP BY reason");
        while (sums.Step())
        {
            var reason = sums.Text(0)!;
            _live.Lost[reason] = Math.Max(_live.Lost.GetValueOrDefault(reason), sums.Long(1));
        }
    }

    private void SaveLostCounts()
    {
        foreach (var (reason, records) in _work.Lost)
        {
            if (_live.Lost.GetValueOrDefault(reason) != records)
            {
                SaveHead(HeadName.LostPrefix + reason, records);
            }
        }
    }
}
