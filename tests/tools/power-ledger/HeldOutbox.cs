using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Storage;

namespace EdgeGateway.PowerLedger;

/// <summary>The outbox as the uplink sees it. Acknowledgements reach the store only between two commits, once all records of the row are in evidence.</summary>
internal sealed class HeldOutbox(SqliteStore store) : IOutbox
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, OutboxRow> _read = [];
    private readonly List<long> _acknowledged = [];
    private readonly HashSet<(FeedStream, long)> _arrived = [];

    public long LastRowId => store.LastRowId;

    /// <summary>Rows whose acknowledgement the store has.</summary>
    public long Forwarded { get; private set; }

    /// <summary>Rows that were refused: none should be.</summary>
    public int Refused { get; private set; }

    public ValueTask WaitForRowAfterAsync(long rowId, CancellationToken cancel) => store.WaitForRowAfterAsync(rowId, cancel);

    public DeliveryCursor OpenCursor(string destination) => store.OpenCursor(destination);

    public int Read(long first, long last, int maxRows, int maxBytes, IList<OutboxRow> rows)
    {
        var before = rows.Count;
        var count = store.Read(first, last, maxRows, maxBytes, rows);
        lock (_gate)
        {
            for (var i = before; i < rows.Count; i++)
            {
                _read[rows[i].Id] = rows[i];
            }
        }

        return count;
    }

    public void Acknowledge(string destination, long rowId)
    {
        lock (_gate)
        {
            _acknowledged.Add(rowId);
        }
    }

    public void Quarantine(string destination, long rowId, string reason)
    {
        lock (_gate)
        {
            Refused++;
        }
    }

    /// <summary>Passes on what the broker has acknowledged and the centre has in evidence.</summary>
    public void Forward(IEnumerable<FeedMessage> arrived)
    {
        lock (_gate)
        {
            foreach (var message in arrived)
            {
                for (var i = message.FirstSequence; i <= message.LastSequence; i++)
                {
                    _arrived.Add((message.Stream, i));
                }
            }

            _acknowledged.RemoveAll(id =>
            {
                var row = _read[id];
                for (var i = 0; i < row.Count; i++)
                {
                    if (!_arrived.Contains((row.Stream, row.FirstSequence + i)))
                    {
                        return false;
                    }
                }

                for (var i = 0; i < row.Count; i++)
                {
                    _arrived.Remove((row.Stream, row.FirstSequence + i));
                }

                _read.Remove(id);
                store.Acknowledge(Book.Destination, id);
                Forwarded++;
                return true;
            });
        }
    }
}
