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
    /// <summary>Most rows and bytes of bodies in a page.</summary>
    public const int PageRows = 64;

    public const int PageBytes = 1024 * 1024;

    private readonly IOutbox _outbox;
    private readonly DeliveryCursor _done;
    private readonly Lane _history = new();
    private readonly Lane _live = new();
    private readonly List<OutboxRow> _page = new(PageRows);

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
        _history.Start(_done.Floor + 1);
        _live.Start(Boundary + 1);
    }

    /// <summary>The next row of a lane, without taking it.</summary>
    /// <param name="lane">Which lane.</param>
    /// <param name="isHeld">True for rows that are under way already.</param>
    /// <returns>Null when the lane has none now.</returns>
    public OutboxRow? Peek(FeedLane lane, Func<long, bool> isHeld)
    {
        ArgumentNullException.ThrowIfNull(isHeld);
        var rows = lane == FeedLane.Live ? _live : _history;
        while (true)
        {
            while (rows.Page.TryPeek(out var row))
            {
                if (!_done.Contains(row.Id) && !isHeld(row.Id))
                {
                    return row;
                }

                rows.Page.Dequeue();
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
    public OutboxRow Take(FeedLane lane) => (lane == FeedLane.Live ? _live : _history).Page.Dequeue();

    private void Load(Lane lane, long end)
    {
        _page.Clear();
        var count = _outbox.Read(lane.Next, end, PageRows, PageBytes, _page);
        for (var i = 0; i < count; i++)
        {
            var row = _page[i];
            if (row.Id > lane.Next)
            {
                _done.Acknowledge(lane.Next, row.Id - 1);
            }

            lane.Next = row.Id + 1;
            lane.Page.Enqueue(row);
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
        public Queue<OutboxRow> Page { get; } = new(PageRows);

        /// <summary>First id that has not been read.</summary>
        public long Next { get; set; }

        public void Start(long next)
        {
            Page.Clear();
            Next = next;
        }
    }
}
