namespace EdgeGateway.Core.Outbox;

/// <summary>
/// Which rows a destination has acknowledged: everything up to a floor, and single runs above it. Runs arise because live rows
/// overtake history; once the history is through they melt into the floor. A handful of runs, whatever the backlog.
/// </summary>
public sealed class DeliveryCursor
{
    // Sorted, disjoint, not adjacent runs above the floor; both ends inclusive.
    private readonly List<(long First, long Last)> _runs = [];

    public DeliveryCursor(long floor = 0) => Floor = floor;

    /// <summary>All rows up to this id are done.</summary>
    public long Floor { get; private set; }

    /// <summary>Acknowledged runs above the floor, ascending.</summary>
    public IReadOnlyList<(long First, long Last)> Runs => _runs;

    /// <summary>True when the row has been acknowledged.</summary>
    public bool Contains(long rowId)
    {
        if (rowId <= Floor)
        {
            return true;
        }

        var i = FirstEndingAtOrAfter(rowId);
        return i < _runs.Count && rowId >= _runs[i].First;
    }

    /// <summary>Marks the rows from <paramref name="first"/> to <paramref name="last"/> (inclusive) as done.</summary>
    public void Acknowledge(long first, long last)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, last);
        var i = FirstEndingAtOrAfter(first - 1);
        while (i < _runs.Count && _runs[i].First <= last + 1)
        {
            first = Math.Min(first, _runs[i].First);
            last = Math.Max(last, _runs[i].Last);
            _runs.RemoveAt(i);
        }

        _runs.Insert(i, (first, last));
        if (_runs[0].First <= Floor + 1)
        {
            Floor = Math.Max(Floor, _runs[0].Last);
            _runs.RemoveAt(0);
        }
    }

    /// <summary>A cursor with the same content that changes by itself.</summary>
    public DeliveryCursor Copy()
    {
        var copy = new DeliveryCursor(Floor);
        copy._runs.AddRange(_runs);
        return copy;
    }

    /// <summary>Marks one row as done.</summary>
    public void Acknowledge(long rowId) => Acknowledge(rowId, rowId);

    // Evicted rows leave holes in the ids, and each hole makes a run until the store has deleted what lies before it: thousands while a backlog drains.
    private int FirstEndingAtOrAfter(long rowId)
    {
        var (low, high) = (0, _runs.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_runs[middle].Last < rowId)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
