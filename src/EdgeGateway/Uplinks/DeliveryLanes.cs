using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Storage;

namespace EdgeGateway.Uplinks;

/// <summary>
/// The rows of the outbox as two ordered lanes: what was committed up to a boundary and is not acknowledged is history, what came
/// later is live. Holds at most one page of each lane, whatever the backlog.
/// </summary>
public sealed class DeliveryLanes
{
    /// <summary>Most rows and bytes of bodies in a page: enough small rows for a full message.</summary>
    public const int PageRows = 512;

    public const int PageBytes = 1024 * 1024;

    private readonly IOutbox _outbox;
    private readonly DeliveryCursor _done;
    private readonly Lane _history = new();
    private readonly Lane _live = new();
    private long _oldestFrom;
    private Instant? _oldest;
    private readonly List<OutboxRow> _page = [];

    /// <param name="outbox">Where the rows are.</param>
    /// <param name="done">What is acknowledged; the lanes note in it the ids that are not there any more.</param>
    public DeliveryLanes(IOutbox outbox, DeliveryCursor done)
    {
        _outbox = outbox;
        _done = done;
        Begin();
    }

    /// <summary>Id of the newest row that counts as history.</summary>
    public long Boundary { get; private set; }

    /// <summary>Rows not acknowledged; at most this many, because evicted rows are noticed only when they are reached.</summary>
    public long Backlog
    {
        get
        {
            var backlog = _outbox.LastRowId - _done.Floor;
            foreach (var (first, last) in _done.Runs)
            {
                backlog -= last - first + 1;
            }

            return Math.Max(0, backlog);
        }
    }

    /// <summary>Draws the boundary here and starts both lanes anew: all that is not acknowledged is history.</summary>
    public void Begin()
    {
        Boundary = _outbox.LastRowId;
        _history.Begin(_done.Floor + 1);
        _live.Begin(Boundary + 1);
    }

    /// <summary>The next row of a lane, without taking it.</summary>
    /// <param name="lane">Which lane.</param>
    /// <param name="isHeld">True for rows that are under way already.</param>
    /// <returns>Null when the lane has none now.</returns>
    public OutboxRow? Peek(FeedLane lane, Func<long, bool> isHeld)
    {
        ArgumentNullException.ThrowIfNull(isHeld);
        var rows = Of(lane);
        while (true)
        {
            while (rows.First is { } row)
            {
                if (!_done.Contains(row.Id) && !isHeld(row.Id))
                {
                    return row;
                }

                rows.TakeFirst();
            }

            // The end is taken before the rows are read: an id below it that is not read does not exist any more and never will.
            var end = lane == FeedLane.Live ? _outbox.LastRowId : Boundary;
            if (rows.Next > end)
            {
                return null;
            }

            Load(rows, end);
        }
    }

    /// <summary>Takes the row that <see cref="Peek"/> gave.</summary>
    public OutboxRow Take(FeedLane lane) => Of(lane).TakeFirst();

    /// <summary>Takes a row of the page whose records are numbered on from those of <paramref name="row"/>, to be joined with it.</summary>
    /// <param name="lane">Which lane.</param>
    /// <param name="row">The row taken last.</param>
    /// <param name="maxRecords">Most records it may hold.</param>
    /// <param name="maxBytes">Most bytes its body may have.</param>
    /// <param name="nextOnly">True when no row of another stream may be overtaken.</param>
    /// <param name="isHeld">True for rows that are under way already.</param>
    /// <returns>Null when there is none, or it is too large.</returns>
    public OutboxRow? TakeFollower(FeedLane lane, OutboxRow row, int maxRecords, int maxBytes, bool nextOnly, Func<long, bool> isHeld)
    {
        ArgumentNullException.ThrowIfNull(isHeld);
        var rows = Of(lane);
        for (var i = rows.Start; i < rows.Page.Count; i++)
        {
            if (rows.Page[i] is not { } candidate)
            {
                continue;
            }

            if (RowParts.Follows(candidate, row))
            {
                if (candidate.Count > maxRecords || candidate.Body.Length > maxBytes || _done.Contains(candidate.Id) || isHeld(candidate.Id))
                {
                    return null;
                }

                rows.TakeAt(i);
                return candidate;
            }

            if (nextOnly)
            {
                return null;
            }
        }

        return null;
    }

    /// <summary>When the oldest row that is neither acknowledged nor among <paramref name="held"/> was made; null when there is none, or it cannot be read now.</summary>
    public Instant? OldestWaiting(Func<long, bool> held)
    {
        ArgumentNullException.ThrowIfNull(held);
        if (_history.First is { } row && !_done.Contains(row.Id) && !held(row.Id))
        {
            return row.Created;
        }

        if (_history.Next <= Boundary)
        {
            // Not read yet, as before the first connection: one row, and only once for each place of the cursor.
            if (_oldestFrom != _history.Next)
            {
                _page.Clear();
                _outbox.Read(_history.Next, Boundary, 1, 1, _page);
                _oldest = _page.Count > 0 ? _page[0].Created : null;
                _oldestFrom = _history.Next;
                _page.Clear();
            }

            return _oldest;
        }

        return _live.First is { } live && !_done.Contains(live.Id) && !held(live.Id) ? live.Created : null;
    }

    private Lane Of(FeedLane lane) => lane == FeedLane.Live ? _live : _history;

    private void Load(Lane lane, long end)
    {
        _page.Clear();
        lane.Clear();
        var count = _outbox.Read(lane.Next, end, PageRows, PageBytes, _page);
        for (var i = 0; i < count; i++)
        {
            var row = _page[i];
            if (row.Id > lane.Next)
            {
                _done.Acknowledge(lane.Next, row.Id - 1);
            }

            lane.Next = row.Id + 1;
            lane.Page.Add(row);
        }

        if (count == 0)
        {
            _done.Acknowledge(lane.Next, end);
            lane.Next = end + 1;
        }

        _page.Clear();
    }

    private sealed class Lane
    {
        /// <summary>Rows in order; null where one was taken out of turn. What stands before <see cref="Start"/> is taken.</summary>
        public List<OutboxRow?> Page { get; } = [];

        public int Start { get; private set; }

        /// <summary>First id that has not been read.</summary>
        public long Next { get; set; }

        /// <summary>The first row that is left of the page.</summary>
        public OutboxRow? First
        {
            get
            {
                while (Start < Page.Count)
                {
                    if (Page[Start] is { } row)
                    {
                        return row;
                    }

                    Start++;
                }

                return null;
            }
        }

        public OutboxRow TakeFirst()
        {
            var row = First ?? throw new InvalidOperationException("The lane has no row.");
            TakeAt(Start);
            return row;
        }

        public void TakeAt(int index) => Page[index] = null;

        public void Begin(long next)
        {
            Clear();
            Next = next;
        }

        public void Clear()
        {
            Page.Clear();
            Start = 0;
        }
    }
}
