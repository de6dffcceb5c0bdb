using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;

namespace EdgeGateway.Exam;

/// <summary>
/// The gateway's own store with one row for each message. Acknowledged rows leave it; the session of the client, the progress of the import and the length
/// of the received file are notes of the same database, so that what must agree is committed together.
/// </summary>
internal sealed class ExamOutbox : IDisposable
{
    /// <summary>Beyond any scenario: here nothing is evicted.</summary>
    private const long BudgetBytes = 256L << 30;

    private const int GroupRows = 500;
    private const int GroupBytes = 1 << 20;
    private const string Destination = "broker";
    private const string ImportNote = "exam/import";
    private const string Imported = "done";
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly SqliteStore _store;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, string> _notes;
    private StreamHead _head;

    private ExamOutbox(SqliteStore store, TimeProvider time)
    {
        _store = store;
        _time = time;
        _head = store.Recover().Heads[FeedStream.Sample];
        _notes = store.Notes().ToDictionary(n => n.Key, n => n.Text!, StringComparer.Ordinal);
        IsImported = _notes.GetValueOrDefault(ImportNote) == Imported;
    }

    /// <summary>Id of the newest row.</summary>
    public long LastRowId => _store.LastRowId;

    /// <summary>True when all lines of messages.ndjson are rows, or were.</summary>
    public bool IsImported { get; private set; }

    /// <summary>Opens the store of a state folder, or makes it.</summary>
    /// <exception cref="StoreException">It cannot be used.</exception>
    public static ExamOutbox Open(string folder, TimeProvider time)
    {
        var model = new StorageModel
        {
            Directory = Path.GetFullPath(folder),
            BudgetBytes = BudgetBytes,
            SampleLogBytes = 1 << 20,
            CommitWindow = TimeSpan.FromSeconds(1),
            CheckpointInterval = TimeSpan.FromMinutes(1),
        };
        var store = SqliteStore.Open(model, [Destination], time);
        try
        {
            return new ExamOutbox(store, time);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>A note as it was when the store was opened; null when there was none.</summary>
    public string? Note(string key) => _notes.GetValueOrDefault(key);

    /// <summary>Makes notes and all acknowledgements so far durable, in one transaction.</summary>
    /// <exception cref="StoreException">Nothing of it was written.</exception>
    public void Save(params ReadOnlySpan<StoreNote> notes)
    {
        var batch = NewBatch();
        batch.Notes.AddRange(notes);
        _store.Commit(batch);
    }

    /// <summary>As <see cref="Save"/>, again and again until it is written.</summary>
    public async Task SaveSurelyAsync(params StoreNote[] notes)
    {
        while (true)
        {
            try
            {
                Save(notes);
                return;
            }
            catch (StoreException e) when (e.CanRetry)
            {
                await Console.Error.WriteLineAsync($"mqtt-exam: {e.Message}").ConfigureAwait(false);
                await Task.Delay(RetryDelay, _time).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Turns the lines of messages.ndjson into rows, once; after a crash it goes on behind the last line that was committed.</summary>
    /// <exception cref="ExamException">A line is not a message.</exception>
    public async Task ImportAsync(string path, CancellationToken cancel)
    {
        if (IsImported || !File.Exists(path))
        {
            IsImported = true;
            return;
        }

        var progress = (Note(ImportNote) ?? "0 0").Split(' ');
        var (offset, lines) = (long.Parse(progress[0], CultureInfo.InvariantCulture), long.Parse(progress[1], CultureInfo.InvariantCulture));
        var file = File.OpenRead(path);
        file.Seek(offset, SeekOrigin.Begin);
        var reader = PipeReader.Create(file);
        var batch = NewBatch();
        var bytes = 0;
        while (true)
        {
            var read = await reader.ReadAsync(cancel).ConfigureAwait(false);
            var rest = read.Buffer;
            while (TakeLine(ref rest, read.IsCompleted, out var line))
            {
                offset += line.Length;
                lines++;
                if (ContentOf(line) is { Length: > 0 } content)
                {
                    var message = ExamMessage.Parse(content, lines);
                    bytes += Add(batch, message);
                }

                if (batch.Rows.Count >= GroupRows || bytes >= GroupBytes)
                {
                    await CommitAsync(batch, string.Create(CultureInfo.InvariantCulture, $"{offset} {lines}")).ConfigureAwait(false);
                    bytes = 0;
                }
            }

            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        await reader.CompleteAsync().ConfigureAwait(false);
        await CommitAsync(batch, Imported).ConfigureAwait(false);
        IsImported = true;
    }

    /// <summary>What is delivered or set aside already.</summary>
    public DeliveryCursor OpenCursor() => _store.OpenCursor(Destination);

    /// <summary>Reads rows from <paramref name="first"/> on, at most a mebibyte of them, at least one when there is any.</summary>
    public void Read(long first, List<OutboxRow> page) => _store.Read(first, long.MaxValue, 64, GroupBytes, page);

    /// <summary>The message of a row that waits; null when there is no such row any more.</summary>
    public ExamMessage? Find(long row)
    {
        var page = new List<OutboxRow>(1);
        return _store.Read(row, row, 1, int.MaxValue, page) == 1 ? ExamMessage.FromBody(page[0].Body) : null;
    }

    /// <summary>Completes when there is a row behind this one.</summary>
    public ValueTask WaitForRowAfterAsync(long row, CancellationToken cancel) => _store.WaitForRowAfterAsync(row, cancel);

    /// <summary>The row is delivered; durable with the next save.</summary>
    public void Acknowledge(long row) => _store.Acknowledge(Destination, row);

    /// <summary>The row is refused for good; durable with the next save.</summary>
    public void SetAside(long row, string reason) => _store.Quarantine(Destination, row, reason);

    public void Dispose() => _store.Dispose();

    private static CommitBatch NewBatch() => new() { ValueOf = static (_, _) => 0 };

    /// <summary>Takes the next line, its end included; the last one may have none.</summary>
    private static bool TakeLine(ref ReadOnlySequence<byte> rest, bool isEnd, out ReadOnlySequence<byte> line)
    {
        if (rest.PositionOf((byte)'\n') is { } end)
        {
            line = rest.Slice(0, rest.GetPosition(1, end));
        }
        else if (isEnd && !rest.IsEmpty)
        {
            line = rest;
        }
        else
        {
            line = default;
            return false;
        }

        rest = rest.Slice(line.End);
        return true;
    }

    private static byte[] ContentOf(in ReadOnlySequence<byte> line) => line.ToArray().AsSpan().Trim(" \t\r\n"u8).ToArray();

    private int Add(CommitBatch batch, ExamMessage message)
    {
        var row = new OutboxRow
        {
            Stream = FeedStream.Sample,
            Epoch = _head.Epoch,
            FirstSequence = _head.Next,
            Count = 1,
            Class = RowClass.Compliance,
            Retain = message.Retain,
            Created = Instant.From(_time.GetUtcNow()),
            Body = message.ToBody(),
        };
        _head = _head with { Next = _head.Next + 1 };
        batch.Rows.Add(row);
        return row.Body.Length;
    }

    private async Task CommitAsync(CommitBatch batch, string progress)
    {
        batch.Heads.Add(_head);
        batch.Notes.Add(new StoreNote(ImportNote, progress));
        while (true)
        {
            try
            {
                _store.Commit(batch);
                batch.Clear();
                return;
            }
            catch (StoreException e) when (e.CanRetry)
            {
                await Console.Error.WriteLineAsync($"mqtt-exam: {e.Message}").ConfigureAwait(false);
                await Task.Delay(RetryDelay, _time).ConfigureAwait(false);
            }
        }
    }
}
