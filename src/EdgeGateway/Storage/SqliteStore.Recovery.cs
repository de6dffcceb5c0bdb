using System.Globalization;
using System.IO.Compression;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

public sealed partial class SqliteStore
{
    /// <summary>All notes, by key. One that is not what was written is left out: what it stood for is not known any more.</summary>
    /// <param name="damaged">Receives those that were left out, as they read now.</param>
    public IReadOnlyList<StoreNote> Notes(ICollection<StoreNote>? damaged = null)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return ReadNotes(_writer, damaged);
        }
    }

    /// <summary>The notes of a store that no gateway has open; the caller holds its lock. Changes nothing.</summary>
    /// <exception cref="StoreException">It cannot be read.</exception>
    internal static IReadOnlyList<StoreNote> NotesAt(string directory, ICollection<StoreNote>? damaged)
    {
        var files = new StoreFiles(directory);
        if (!File.Exists(files.Database))
        {
            return [];
        }

        using var db = Database.OpenForSalvage(files.Database);
        return ReadNotes(db, damaged);
    }

    private static List<StoreNote> ReadNotes(Database db, ICollection<StoreNote>? damaged)
    {
        var notes = new List<StoreNote>();
        using var all = db.Once(NoteTable.Select);
        while (all.Step())
        {
            if (NoteTable.TryRead(all, out var note))
            {
                notes.Add(note);
            }
            else
            {
                damaged?.Add(note);
            }
        }

        return notes;
    }

    /// <summary>Where to go on: call once after opening, before the first commit.</summary>
    /// <exception cref="StoreException">When damaged, that has been noted: dispose the store and open it again.</exception>
    public StoreRecovery Recover() => NotingDamage(ReadRecovery);

    private StoreRecovery ReadRecovery()
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);

            // Told from here; a commit must not tell them again.
            _lossesAhead.Clear();
            var newest = _live.CheckpointAt[0] >= _live.CheckpointAt[1] ? 0 : 1;
            var stored = _writer.QueryLong("SELECT max(log) FROM checkpoint");
            var checkpoint = LoadCheckpoint(newest);
            var heads = new Dictionary<FeedStream, StreamHead>();
            foreach (var stream in AllStreams)
            {
                heads[stream] = new StreamHead(stream, _live[stream].Epoch, _live[stream].Next);
            }

            return new StoreRecovery
            {
                FirstStart = _firstStart,
                Checkpoint = checkpoint,
                CheckpointFellBack = stored > (checkpoint?.LogNumber ?? 0),
                NextBatchNumber = _live.NextBatch,
                Heads = heads,
                Counters = LoadCounters(),
                UnpublishedLosses = LoadLosses($"SELECT {LossLine.Columns}, at, id FROM loss_notice ORDER BY id", _rottenNotices),
                Report = LoadReport(),
                RottenLossLines = _rottenLosses.Count + _rottenNotices.Count,
            };
        }
    }

    /// <summary>
    /// The batches of the sample log with numbers above <paramref name="after"/>, one at a time. A batch that is missing or
    /// damaged shows as a gap in the numbers or as a frame that does not decode: call <see cref="MarkDamaged"/>, dispose the store and open it again.
    /// For <see cref="FrameStatus.ValuesDiffer"/> call <see cref="MarkNotReplayable"/>, unless another version of the program wrote it: those bytes are whole, and would be carried over.
    /// </summary>
    /// <exception cref="StoreException">When damaged, that has been noted: dispose the store and open it again.</exception>
    public IEnumerable<StoredBatch> ReadBatches(long after)
    {
        using var db = NotingDamage(() => Database.OpenReader(_files.Database, _limits.Sqlite));
        var next = NotingDamage(() => db.Prepare(
            """
            SELECT number, body, (SELECT hash FROM configuration_use WHERE configuration_use.log <= number ORDER BY configuration_use.log DESC LIMIT 1)
            FROM log WHERE number > ?1 ORDER BY number LIMIT 1
            """));
        while (NotingDamage(() => ReadBatch(next, after)) is { } batch)
        {
            yield return batch;
            after = batch.Number;
        }
    }

    private static StoredBatch? ReadBatch(Statement next, long after)
    {
        StoredBatch? batch = next.Bind(1, after).Step() ? new StoredBatch(next.Long(0), next.Text(2), next.Bytes(1).ToArray()) : null;
        next.Reset();
        return batch;
    }

    /// <summary>Keeps the texts of the configuration that is in force from the next batch on; durable at return. Texts already kept are not written again.</summary>
    /// <param name="hash">Hash of the configuration.</param>
    /// <param name="texts">The texts by name: <c>gateway.yaml</c> and each profile.</param>
    /// <exception cref="StoreException">It could not be written.</exception>
    public void SaveConfiguration(string hash, IReadOnlyDictionary<string, string> texts) => NotingDamage(() => WriteConfiguration(hash, texts));

    private bool WriteConfiguration(string hash, IReadOnlyDictionary<string, string> texts)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using var newest = _writer.Once("SELECT hash FROM configuration_use ORDER BY log DESC LIMIT 1");
            if (newest.Step() && newest.Text(0) == hash)
            {
                return false;
            }

            newest.Reset();
            var now = Now(_time).UnixMilliseconds;
            var packed = Pack(texts);
            var pages = (PageBytes(packed.Length) / Database.PageSize) + SparePages;
            if (IsLarge(pages) || FreePages() < pages)
            {
                MakeRoomAhead(pages);
            }
            else
            {
                MakeLogRoom(pages);
            }

            _sql.Begin.Run();
            try
            {
                using var insert = _writer.Once("INSERT INTO configuration(hash, first_used, texts) VALUES(?1, ?2, ?3) ON CONFLICT(hash) DO NOTHING");
                insert.Bind(1, hash).Bind(2, now).Bind(3, packed).Run();
                using var use = _writer.Once("INSERT OR REPLACE INTO configuration_use(log, hash, at) VALUES(?1, ?2, ?3)");
                use.Bind(1, _live.NextBatch).Bind(2, hash).Bind(3, now).Run();
                ForgetConfigurations(hash);
                _sql.End.Run();
                return true;
            }
            catch
            {
                _writer.Rollback();
                throw;
            }
        }
    }

    /// <summary>The texts of a configuration by name, or null when they are not kept or cannot be read.</summary>
    /// <exception cref="StoreException">When damaged, that has been noted: dispose the store and open it again.</exception>
    public IReadOnlyDictionary<string, string>? LoadConfiguration(string hash) => NotingDamage(() => FindConfiguration(hash));

    private Dictionary<string, string>? FindConfiguration(string hash)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using var find = _writer.Once("SELECT texts FROM configuration WHERE hash = ?1");
            try
            {
                return find.Bind(1, hash).Step() ? Unpack(find.Bytes(0)) : null;
            }
            catch (InvalidDataException)
            {
                // A flipped bit: as good as not kept.
                return null;
            }
        }
    }

    // A configuration is kept while a batch of the log was taken with it or a checkpoint was made under it.
    private void ForgetConfigurations(string current)
    {
        _writer.Execute(string.Create(
            CultureInfo.InvariantCulture,
            $"DELETE FROM configuration_use WHERE log < (SELECT max(log) FROM configuration_use WHERE log <= {_live.FirstBatch})"));
        using var forget = _writer.Once("DELETE FROM configuration WHERE hash NOT IN (SELECT hash FROM configuration_use) AND hash NOT IN (?1, ?2, ?3)");
        forget.Bind(1, current).Bind(2, LoadCheckpoint(0)?.ConfigurationHash ?? "").Bind(3, LoadCheckpoint(1)?.ConfigurationHash ?? "").Run();
    }

    private static byte[] Pack(IReadOnlyDictionary<string, string> texts)
    {
        var writer = new StateWriter();
        writer.Write(texts.Count);
        foreach (var (name, text) in texts.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            writer.Write(name);
            writer.Write(text);
        }

        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Optimal))
        {
            deflate.Write(writer.Written.Span);
        }

        return packed.ToArray();
    }

    /// <summary>The texts of a configuration, by name, as they are kept.</summary>
    internal static Dictionary<string, string> Unpack(ReadOnlySpan<byte> packed)
    {
        using var unpacked = new MemoryStream();
        using (var deflate = new DeflateStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress))
        {
            deflate.CopyTo(unpacked);
        }

        var reader = new StateReader(unpacked.GetBuffer().AsSpan(0, (int)unpacked.Length));
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            var name = reader.ReadString();
            texts[name] = reader.ReadString();
        }

        return texts;
    }

    private Dictionary<string, long> LoadCounters()
    {
        var counters = new Dictionary<string, long>(StringComparer.Ordinal);
        using var all = _writer.Once("SELECT name, a FROM head");
        while (all.Step())
        {
            var name = all.Text(0)!;
            if (name.StartsWith(HeadName.CounterPrefix, StringComparison.Ordinal))
            {
                counters[name[HeadName.CounterPrefix.Length..]] = all.Long(1);
            }
        }

        return counters;
    }

    /// <summary>Reads lines about losses: <see cref="LossLine.Columns"/>, time, id. One that is not what was written is left out.</summary>
    private List<RecordLoss> LoadLosses(string sql, List<long>? rotten = null)
    {
        var losses = new List<RecordLoss>();
        rotten?.Clear();
        using var all = _writer.Once(sql);
        while (all.Step())
        {
            if (LossLine.Read(all, 0, out var line))
            {
                losses.Add(new RecordLoss(all.Long(8), (FeedStream)line.Stream, line.Epoch, line.First, line.Last, line.Reason, line.Destination, new Instant(all.Long(7))));
            }
            else
            {
                rotten?.Add(all.Long(8));
            }
        }

        return losses;
    }

    private RecoveryReport? LoadReport()
    {
        using var newest = _writer.Once(
            """
            SELECT cause, at, set_aside, rows_saved, rows_scanned, rows_not_kept, batches_saved, batches_not_kept, checkpoint_saved, epoch, heads_before, crc
            FROM recovery WHERE told = 0 ORDER BY n DESC LIMIT 1
            """);
        if (!newest.Step())
        {
            return null;
        }

        // Without a CRC: of a program before it.
        var isWhole = newest.IsNull(11) || newest.Long(11) == RecoveryCrc(newest.Text(0)!, newest.Text(2)!, newest.Long(9), newest.Text(10)!);
        return new RecoveryReport
        {
            Cause = isWhole ? newest.Text(0)! : $"{newest.Text(0)}; this account of it is damaged itself",
            When = new Instant(newest.Long(1)),
            SetAside = newest.Text(2)!,
            RowsSaved = newest.Long(3),
            RowsFoundByScan = newest.Long(4),
            RowsNotKept = newest.Long(5),
            BatchesSaved = newest.Long(6),
            BatchesNotKept = newest.Long(7),
            CheckpointSaved = newest.Long(8) != 0,
            Epoch = newest.Long(9),
            HeadsBefore = isWhole ? HeadsText.Parse(newest.Text(10)!) : [],
        };
    }

    /// <summary>CRC of the part of a line of <c>recovery</c> that is published.</summary>
    internal static long RecoveryCrc(string cause, string setAside, long epoch, string headsBefore) =>
        Crc32.Of(System.Text.Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{cause}\n{setAside}\n{epoch}\n{headsBefore}")));
}

/// <summary>Heads of streams as text: <c>2:1767225600:17,3:...</c> (stream, epoch, next).</summary>
internal static class HeadsText
{
    public static string Format(IEnumerable<StreamHead> heads) =>
        string.Join(',', heads.Select(h => string.Create(CultureInfo.InvariantCulture, $"{(byte)h.Stream}:{h.Epoch}:{h.Next}")));

    public static List<StreamHead> Parse(string text) =>
    [
        .. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(h => h.Split(':')).Select(p => new StreamHead(
            (FeedStream)byte.Parse(p[0], CultureInfo.InvariantCulture), long.Parse(p[1], CultureInfo.InvariantCulture), long.Parse(p[2], CultureInfo.InvariantCulture))),
    ];
}
