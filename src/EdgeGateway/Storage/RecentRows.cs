using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Storage;

/// <summary>
/// The rows committed last, in memory: an uplink that is up to date takes each row a moment after its commit, and need not read and inflate what was just
/// deflated and written. Bounded, and nothing but a copy: a row leaves the store on its acknowledgement, as ever. Thread-safe.
/// </summary>
internal sealed class RecentRows
{
    /// <summary>Most bytes of bodies: what an uplink reads at once.</summary>
    public const int MaxBytes = 1024 * 1024;

    public const int MaxRows = 512;

    private readonly Lock _gate = new();

    // Ascending and without gaps, up to the newest row of the store.
    private readonly Queue<OutboxRow> _rows = new();
    private long _bytes;
    private long _first;

    /// <summary>Rows were committed under ids from <paramref name="firstId"/> on.</summary>
    public void Add(IReadOnlyList<OutboxRow> rows, long firstId)
    {
        lock (_gate)
        {
            for (var i = 0; i < rows.Count; i++)
            {
                _rows.Enqueue(rows[i] with { Id = firstId + i });
                _bytes += rows[i].Body.Length;
            }

            while (_bytes > MaxBytes || _rows.Count > MaxRows)
            {
                _bytes -= _rows.Dequeue().Body.Length;
            }

            _first = firstId + rows.Count - _rows.Count;
        }
    }

    /// <summary>Rows were taken out of the store before they were delivered: what is left is read from there.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _rows.Clear();
            _bytes = 0;
        }
    }

    /// <summary>As <see cref="IOutbox.Read"/>.</summary>
    /// <param name="first">First id.</param>
    /// <param name="last">Last id, inclusive.</param>
    /// <param name="maxRows">Most rows.</param>
    /// <param name="maxBytes">Most bytes of bodies, but at least one row.</param>
    /// <param name="isDeleted">True for rows that are not in the store any more.</param>
    /// <param name="rows">Receives the rows.</param>
    /// <returns>Number of rows, or null when not all of them are here.</returns>
    public int? Read(long first, long last, int maxRows, int maxBytes, Func<long, bool> isDeleted, IList<OutboxRow> rows)
    {
        lock (_gate)
        {
            if (_rows.Count == 0 || first < _first)
            {
                return null;
            }

            var (count, bytes) = (0, 0L);
            foreach (var row in _rows)
            {
                if (row.Id < first || isDeleted(row.Id))
                {
                    continue;
                }

                if (row.Id > last || count == maxRows || (count > 0 && bytes + row.Body.Length > maxBytes))
                {
                    break;
                }

                rows.Add(row);
                count++;
                bytes += row.Body.Length;
            }

            return count;
        }
    }
}
