using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Storage;

namespace EdgeGateway.Tests.Shared;

/// <summary>An outbox in memory, for tests: rows and cursors as the store keeps them, without the disk.</summary>
public sealed class MemoryOutbox : IOutbox
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, OutboxRow> _rows = [];
    private readonly Dictionary<string, DeliveryCursor> _durable = [];
    private readonly List<(string Destination, long Row)> _noted = [];
    private readonly List<(string Destination, long Row, string Reason)> _quarantined = [];
    private readonly Dictionary<FeedStream, long> _sequences = [];
    private TaskCompletionSource _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastRowId;

    public long LastRowId { get { lock (_gate) { return _lastRowId; } } }

    /// <summary>Largest number of rows and bytes that one read gave.</summary>
    public (int Rows, int Bytes) LargestRead { get; private set; }

    public IReadOnlyList<(string Destination, long Row, string Reason)> Quarantined { get { lock (_gate) { return [.. _quarantined]; } } }

    /// <summary>Rows that the destination has acknowledged, committed or not, in the order of the acknowledgements.</summary>
    public IReadOnlyList<long> Acknowledged(string destination)
    {
        lock (_gate) { return [.. _noted.Where(n => n.Destination == destination).Select(n => n.Row)]; }
    }

    /// <summary>Commits a row of <paramref name="records"/> records, numbered on, each filled up by <paramref name="bytes"/> bytes.</summary>
    public OutboxRow Add(FeedStream stream = FeedStream.Summary, int bytes = 0, string? subtopic = null, bool retain = false, int records = 1)
    {
        lock (_gate)
        {
            var sequence = _sequences.GetValueOrDefault(stream) + 1;
            var fill = new string('x', bytes);
            var body = $"[{string.Join(',', Enumerable.Range(0, records).Select(i => $"{{\"n\":{sequence + i},\"fill\":\"{fill}\"}}"))}]";
            _sequences[stream] = sequence + records - 1;
            return Add(new OutboxRow
            {
                Stream = stream,
                Epoch = 1,
                FirstSequence = sequence,
                Count = records,
                Class = RowClass.Summary,
                Subtopic = subtopic,
                Retain = retain,
                Created = Instant.UnixEpoch,
                Body = System.Text.Encoding.UTF8.GetBytes(body),
            });
        }
    }

    /// <summary>Commits a row; acknowledgements noted before become durable with it.</summary>
    public OutboxRow Add(OutboxRow row)
    {
        TaskCompletionSource committed;
        lock (_gate)
        {
            row = row with { Id = ++_lastRowId };
            _rows.Add(row.Id, row);
            Commit();
            committed = _committed;
            _committed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        committed.SetResult();
        return row;
    }

    public void Commit()
    {
        lock (_gate)
        {
            foreach (var (destination, row) in _noted)
            {
                Durable(destination).Acknowledge(row);
            }
        }
    }

    /// <summary>Takes a row away, as the retention rule does.</summary>
    public void Evict(long row)
    {
        lock (_gate) { _rows.Remove(row); }
    }

    /// <summary>What is found on disk after a crash: the rows, and the acknowledgements of the last commit.</summary>
    public MemoryOutbox AfterCrash()
    {
        lock (_gate)
        {
            var other = new MemoryOutbox { _lastRowId = _lastRowId };
            foreach (var (id, row) in _rows)
            {
                other._rows.Add(id, row);
            }

            foreach (var (destination, cursor) in _durable)
            {
                other._durable.Add(destination, Copy(cursor));
            }

            foreach (var (stream, sequence) in _sequences)
            {
                other._sequences.Add(stream, sequence);
            }

            return other;
        }
    }

    public async ValueTask WaitForRowAfterAsync(long rowId, CancellationToken cancel)
    {
        while (true)
        {
            Task committed;
            lock (_gate)
            {
                if (_lastRowId > rowId)
                {
                    return;
                }

                committed = _committed.Task;
            }

            await committed.WaitAsync(cancel);
        }
    }

    public int Read(long first, long last, int maxRows, int maxBytes, IList<OutboxRow> rows)
    {
        lock (_gate)
        {
            var (count, bytes) = (0, 0);
            foreach (var row in _rows.Values.Where(r => r.Id >= first && r.Id <= last))
            {
                if (count > 0 && (count == maxRows || bytes + row.Body.Length > maxBytes))
                {
                    break;
                }

                rows.Add(row);
                count++;
                bytes += row.Body.Length;
            }

            LargestRead = (Math.Max(count, LargestRead.Rows), Math.Max(bytes, LargestRead.Bytes));
            return count;
        }
    }

    public DeliveryCursor OpenCursor(string destination)
    {
        lock (_gate) { return Copy(Durable(destination)); }
    }

    public void Acknowledge(string destination, long rowId)
    {
        lock (_gate) { _noted.Add((destination, rowId)); }
    }

    public void Quarantine(string destination, long rowId, string reason)
    {
        lock (_gate) { _quarantined.Add((destination, rowId, reason)); }
    }

    private DeliveryCursor Durable(string destination)
    {
        if (!_durable.TryGetValue(destination, out var cursor))
        {
            _durable.Add(destination, cursor = new DeliveryCursor());
        }

        return cursor;
    }

    private static DeliveryCursor Copy(DeliveryCursor cursor)
    {
        var copy = new DeliveryCursor(cursor.Floor);
        foreach (var (first, last) in cursor.Runs)
        {
            copy.Acknowledge(first, last);
        }

        return copy;
    }
}
