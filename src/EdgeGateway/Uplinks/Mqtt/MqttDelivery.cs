using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>
/// Decides what leaves next and what becomes of it, without a connection of its own: births first in a new session, then what is due
/// again, then live rows, then history at its pace. Called by one loop; times are monotonic.
/// </summary>
internal sealed class MqttDelivery
{
    /// <summary>A row that is refused this often goes to quarantine (requirement M-4).</summary>
    public const int MaxRefusals = 3;

    /// <summary>
    /// A message at which the connection ends this often, alone each time and after something else was acknowledged on the same connection, is what the server
    /// does not survive (requirement M-5).
    /// </summary>
    public const int MaxProvenDrops = 3;

    /// <summary>Bytes of a packet that may be something else than records: topic, properties and envelope.</summary>
    public const int RoomAroundRecords = 1024;

    /// <summary>Rows that arrive one by one before a suspicion that nothing confirmed is forgotten: twice what can have been in flight with the one suspected.</summary>
    private const int CarefulRows = 2 * MqttUplinkOptions.MaxInFlight;

    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(60);

    /// <summary>How long a suspect waits for a live row that tells a sick server from a bad row, when there is nothing to probe with.</summary>
    private static readonly TimeSpan LongestWaitForWitness = TimeSpan.FromMinutes(1);

    private readonly UplinkContext _context;
    private readonly string _destination;
    private readonly bool _inOrder;
    private readonly DeliveryCursor _done;
    private readonly DeliveryLanes _lanes;
    private readonly Queue<Held> _births = new();

    // What is left of the row that each lane is sending in parts.
    private readonly Queue<Held> _liveParts = new();
    private readonly Queue<Held> _historyParts = new();
    private readonly List<Held> _again = [];
    private readonly HashSet<Held> _inFlight = [];
    private readonly Dictionary<long, HeldRow> _held = [];
    private readonly Func<long, bool> _isHeld;
    private readonly BackfillWindow _historyWindow = new();
    private readonly List<OutboxRow> _run = [];

    // Keys of messages at which the server closed the connection again and again, with the drops that prove it. They go alone, in the sessions that follow, too.
    private readonly Dictionary<long, int> _suspects = [];

    // The last message of each stream that was acknowledged. Sent again before a suspect of its stream, it tells a sick server from a bad row: a copy that the
    // receiver knows by its numbers, and that overtakes nothing.
    private readonly Dictionary<FeedStream, (OutboxRow Row, FeedLane Lane)> _lastTaken = [];

    // Streams of which something was acknowledged on this connection.
    private readonly HashSet<FeedStream> _taken = [];

    // Keys of births that the server does not survive: they are not announced again.
    private readonly HashSet<long> _unannounced = [];
    private readonly Func<long, bool> _isApart;
    private readonly DropWatch _drops = new();

    // Goes as soon as nothing else is under way.
    private Held? _alone;
    private bool _wasLive;
    private int _carefulRows;
    private bool _isProbed;

    // The connection ended at the probe again and again: the next goes without. What was taken once may be too much for another server of the list.
    private bool _isProbeSuspect;

    // A suspect went once more although nothing could speak for or against it, and the connection ended: the same again would tell as little.
    private bool _isBlind;
    private bool _awaitsSession;
    private int _window;
    private long _historyInFlight;
    private long _historyRows;
    private long _historyRowBytes;
    private long _sentBodyBytes;
    private int _maxBody = int.MaxValue;
    private TimeSpan _historyNotBefore;

    public MqttDelivery(MqttUplinkModel model, UplinkContext context)
    {
        _context = context;
        _destination = model.Id;
        _inOrder = model.InOrder;
        _done = context.Outbox.OpenCursor(model.Id);
        _lanes = new DeliveryLanes(context.Outbox, _done);
        _isHeld = _held.ContainsKey;
        _isApart = id => _held.ContainsKey(id) || _suspects.ContainsKey(id);
        Pace = new BackfillPace(model.BackfillBytesPerSecond, model.IsBackfillUnpaced);
    }

    public BackfillPace Pace { get; }

    /// <summary>True once the program stops: history stays where it is.</summary>
    public bool IsStopping { get; set; }

    public int InFlight => _inFlight.Count;

    public long Backlog => _lanes.Backlog;

    /// <summary>Mean bytes that a row of the history takes on its way, to foretell the end; 0 before the first.</summary>
    public double MeanHistoryBytes => _historyRows == 0 || _sentBodyBytes == 0 ? 0 : (double)_historyRowBytes / _historyRows * SentBytes / _sentBodyBytes;

    /// <summary>When the oldest row that is not acknowledged was made; null when there is none, or it cannot be read now (requirement B-4).</summary>
    public Instant? Oldest
    {
        get
        {
            if (Backlog == 0)
            {
                return null;
            }

            // What is under way is older than what has not been read yet.
            var oldest = _lanes.OldestWaiting(_isHeld, mayRead: _held.Count == 0);
            foreach (var row in _held.Values)
            {
                if (oldest is null || row.Row.Created < oldest)
                {
                    oldest = row.Row.Created;
                }
            }

            return oldest;
        }
    }

    public long Sent { get; private set; }

    public long SentBytes { get; private set; }

    public long Acknowledged { get; private set; }

    public long Quarantined { get; private set; }

    /// <summary>True while rows older than the boundary are not acknowledged.</summary>
    public bool HasHistory => _done.Floor < _lanes.Boundary;

    /// <summary>True while a message is looked for that the server does not survive: one is under way at a time.</summary>
    public bool IsCareful => _suspects.Count > 0 || _carefulRows > 0;

    /// <summary>True while messages go alone, so that nothing else may be under way beside them.</summary>
    public bool NeedsQuiet => IsCareful || _drops.IsLooking;

    /// <summary>True when the server has acknowledged a row or a birth on this connection.</summary>
    public bool IsTaking => _taken.Count > 0;

    /// <summary>True when nothing is under way and no live row may leave, also because history is before it and order is wanted.</summary>
    public bool IsIdle => _inFlight.Count == 0 && _again.Count == 0 && _alone is null
        && ((_inOrder && Has(FeedLane.History)) || !Has(FeedLane.Live));

    /// <summary>A connection stands. Without a resumed session nothing may be in flight any more.</summary>
    /// <param name="resumed">The server still has the session.</param>
    /// <param name="window">Messages that it allows in flight.</param>
    /// <param name="historyNotBefore">Monotonic time before which no history leaves.</param>
    /// <param name="maxPacket">Largest packet that it takes, in bytes; larger rows leave in parts.</param>
    public void Begin(bool resumed, int window, TimeSpan historyNotBefore, uint maxPacket = uint.MaxValue)
    {
        _window = Math.Min(window, MqttUplinkOptions.MaxInFlight);
        _maxBody = (int)Math.Min(int.MaxValue, maxPacket > 2 * RoomAroundRecords ? maxPacket - RoomAroundRecords : maxPacket / 2);
        _historyNotBefore = historyNotBefore;
        _awaitsSession = false;
        (_isProbed, _isProbeSuspect) = (_isProbeSuspect, false);
        _wasLive = false;
        _taken.Clear();
        _drops.Began();
        if (!resumed)
        {
            _again.Clear();
            _alone = null;
            _held.Clear();
            _liveParts.Clear();
            _historyParts.Clear();
            Announce();
        }

        // What is in flight was handed over to a connection that is gone.
        foreach (var held in _inFlight)
        {
            held.Handed = null;
            ClearOthers(held);
        }

        _historyWindow.Begin();
        _lanes.Begin();
    }

    /// <summary>What may leave now.</summary>
    /// <param name="now">Monotonic time.</param>
    /// <param name="wait">When nothing may leave: how long until that can change by itself; null when only an event changes it.</param>
    public Held? Next(TimeSpan now, out TimeSpan? wait)
    {
        wait = null;
        foreach (var key in _suspects.Keys)
        {
            if (key > 0 && _done.Contains(key))
            {
                // What retention took away needs no more care.
                _suspects.Remove(key);
            }
        }

        // One at a time while a culprit is looked for, so that nothing else can be blamed if the connection breaks once more.
        if (_awaitsSession || _inFlight.Count >= (IsCareful ? 1 : _window) || IsKeptAlone)
        {
            return null;
        }

        var next = _alone ?? Choose(now, ref wait);
        _alone = null;
        if (next is not null && _inFlight.Count > 0 && _drops.GoesAlone(next))
        {
            _alone = next;
            return null;
        }

        if (next is null || !IsSuspect(next) || IsWitnessed(next))
        {
            return next;
        }

        if (Probe(next) is { } probe)
        {
            _again.Add(next);
            return probe;
        }

        if (!_isBlind || _inOrder || next.AwaitsWitness || next.Lane != FeedLane.History)
        {
            return next;
        }

        // Nothing of its lane may go before it; a live row may, and comes sooner or later.
        next.AwaitsWitness = true;
        next.Due = now + LongestWaitForWitness;
        _again.Add(next);
        wait = null;
        return Choose(now, ref wait);
    }

    /// <summary>The message was handed to the client.</summary>
    public void Handed(Held held, int bytes, TimeSpan now)
    {
        Sent++;
        SentBytes += bytes;
        _sentBodyBytes += held.Row.Body.Length;
        held.Handed = now;
        held.Bytes = bytes;
        held.IsAlone = _inFlight.Count == 0 && (IsCareful || _drops.GoesAlone(held));
        _wasLive = held.Lane == FeedLane.Live && held.Wholes.Count > 0;
        if (held.Lane == FeedLane.History)
        {
            _historyInFlight += bytes;
            Pace.HistorySent(bytes, now);
        }
        else
        {
            Pace.LiveSent(bytes, now);
        }

        _inFlight.Add(held);
        if (_context.Follower?.Current is { } follow)
        {
            foreach (var whole in held.Wholes)
            {
                follow.Published(_destination, whole.Row.Id, bytes);
            }
        }
    }

    /// <summary>The message could not be handed over: it goes before all others as soon as that is possible.</summary>
    public void NotHanded(Held held) => _again.Add(held);

    /// <summary>The outcome of a message is known.</summary>
    /// <returns>What went wrong, for a person, or null.</returns>
    public string? Settled(Held held, PublishOutcome outcome, TimeSpan now)
    {
        if (_inFlight.Remove(held) && held.Lane == FeedLane.History)
        {
            _historyInFlight -= held.Bytes;
        }

        if (outcome.Status is PublishStatus.SessionLost or PublishStatus.Suspect)
        {
            _drops.WasUnderWay(held);
        }

        if (held.IsProbe && !outcome.IsDelivered)
        {
            Unproven(held, outcome);
            return null;
        }

        switch (outcome.Status)
        {
            case PublishStatus.TooLarge or PublishStatus.Refused or PublishStatus.Suspect when held.Wholes.Count > 1 && outcome.Code != MqttReasonCode.RetainNotSupported:
                return Disjoin(held, outcome, now);
            case PublishStatus.Delivered:
                Delivered(held, now);
                return null;
            case PublishStatus.SessionLost:
                ClearOthers(held);
                held.Due = now;
                _again.Add(held);
                return null;
            case PublishStatus.TooLarge when Halve(held, now):
                return null;
            case PublishStatus.TooLarge:
                return Quarantine(held, $"record {held.Row.FirstSequence} alone is too large for the server: {outcome.Reason}");
            case PublishStatus.Suspect:
                return Suspect(held, outcome.Reason);
            case PublishStatus.Refused when outcome.Code == MqttReasonCode.RetainNotSupported && held.Row.Retain && !held.IsUnretained:
                // Chosen for a server that keeps messages, sent to one that does not: another server of the list took the connection.
                held.IsUnretained = true;
                held.Due = now;
                _again.Add(held);
                return null;
            case PublishStatus.Refused:
                if (++held.Refusals >= MaxRefusals)
                {
                    return Quarantine(held, $"refused {held.Refusals} times: {outcome.Reason}");
                }

                Later(held, held.Refusals, now);
                return outcome.Reason;
            default:
                Later(held, ++held.Retries, now);
                if (outcome.Code is MqttReasonCode.QuotaExceeded or MqttReasonCode.MessageRateTooHigh or MqttReasonCode.ServerBusy)
                {
                    Pace.PushedBack(now);
                }

                return outcome.Reason;
        }
    }

    /// <summary>The server closed the connection again and again, and it is not known at what.</summary>
    public void BeCareful() => _carefulRows = CarefulRows;

    /// <summary>The server ended the connection for which <see cref="Begin"/> was called last, and may have done so because of what was under way.</summary>
    public void Dropped()
    {
        foreach (var held in _inFlight)
        {
            _drops.WasUnderWay(held);
        }

        _drops.Ended();
    }

    /// <summary>The devices are announced in each new session; a birth that is suspected is the last of them.</summary>
    private void Announce()
    {
        _births.Clear();
        var births = _context.Births().Select(static birth => new Held(birth, FeedLane.Live, [])).Where(held => !_unannounced.Contains(held.Key)).ToList();
        foreach (var birth in births.OrderBy(IsSuspect))
        {
            _births.Enqueue(birth);
        }

        foreach (var key in _suspects.Keys)
        {
            if (key < 0 && !births.Exists(birth => birth.Key == key))
            {
                _suspects.Remove(key);
            }
        }
    }

    private Held? Choose(TimeSpan now, ref TimeSpan? wait)
    {
        // A birth that is suspected lets others go first, so that something else is acknowledged before it.
        if (_births.TryPeek(out var birth) && (!IsSuspect(birth) || IsWitnessed(birth)))
        {
            return _births.Dequeue();
        }

        if (_again.Count > 0)
        {
            var due = _again.Where(held => held.Due <= now || (held.AwaitsWitness && IsWitnessed(held))).MinBy(held => (held.Row.Id, held.Row.FirstSequence));
            if (due is not null)
            {
                return Take(due);
            }

            wait = _again.Min(held => held.Due) - now;

            // What waits for another try counts as held, so that a server that takes nothing does not fill the memory.
            if (_inOrder || _again.Count(static held => !held.AwaitsWitness) + _inFlight.Count >= _window)
            {
                return null;
            }
        }

        return Fresh(now, ref wait) ?? (wait is null && _births.TryDequeue(out birth) ? birth : null);
    }

    private Held? Fresh(TimeSpan now, ref TimeSpan? wait)
    {
        if (_inOrder)
        {
            if (Has(FeedLane.History))
            {
                return HistoryAtItsPace(now, ref wait);
            }

            return Has(FeedLane.Live) ? New(FeedLane.Live) : null;
        }

        if (IsCareful && _wasLive && FreshHistory(now, ref wait) is { } turn)
        {
            // Live rows may come faster than they can leave one at a time. What is suspected is history, and would never have its turn.
            return turn;
        }

        return Has(FeedLane.Live) && !IsHeldUp(FeedLane.Live) ? New(FeedLane.Live) : FreshHistory(now, ref wait);
    }

    private Held? FreshHistory(TimeSpan now, ref TimeSpan? wait) =>
        Has(FeedLane.History) && !IsHeldUp(FeedLane.History) ? HistoryAtItsPace(now, ref wait) : null;

    /// <summary>True while a message is under way that nothing else may be under way with, or waits for that.</summary>
    private bool IsKeptAlone
    {
        get
        {
            if (_alone is not null)
            {
                return _inFlight.Count > 0;
            }

            if (_drops.IsLooking)
            {
                foreach (var held in _inFlight)
                {
                    if (_drops.GoesAlone(held))
                    {
                        return true;
                    }
                }
            }

            return false;
        }
    }

    /// <summary>True while a suspect of the lane waits for another try: until it is settled nothing behind it may overtake it.</summary>
    private bool IsHeldUp(FeedLane lane) => _again.Exists(held => held.Lane == lane && IsSuspect(held));

    private bool IsSuspect(Held held) => _suspects.ContainsKey(held.Key);

    /// <summary>
    /// True when the connection has been seen to work for such a message: one of the same stream was acknowledged on it, or any, if none of the stream ever was.
    /// </summary>
    private bool IsWitnessed(Held suspect) => _lastTaken.ContainsKey(suspect.Row.Stream) ? _taken.Contains(suspect.Row.Stream) : IsTaking;

    /// <summary>What the server took before, to be sent once more ahead of a suspect; null when there is nothing, or it was sent on this connection.</summary>
    private Held? Probe(Held suspect)
    {
        if (_isProbed || _lastTaken.Count == 0)
        {
            return null;
        }

        _isProbed = true;
        var (row, lane) = _lastTaken.TryGetValue(suspect.Row.Stream, out var same) ? same : _lastTaken.Values.First();
        return new Held(row, lane, []) { IsProbe = true };
    }

    /// <summary>A probe that was not acknowledged proves nothing against the suspect, and needs no other try.</summary>
    private void Unproven(Held probe, PublishOutcome outcome)
    {
        ClearOthers(probe);
        _isProbeSuspect = outcome.Status == PublishStatus.Suspect;
        _awaitsSession |= _isProbeSuspect;
        if (outcome.Status is PublishStatus.TooLarge or PublishStatus.Refused)
        {
            // Another server of the list, or other limits since: what was taken once is no measure any more.
            _lastTaken.Remove(probe.Row.Stream);
        }
    }

    /// <summary>The connection ended at a message that went alone: if the server does not survive it either, no suspect is to blame.</summary>
    private void ClearOthers(Held held)
    {
        if (!held.IsAlone || IsSuspect(held))
        {
            return;
        }

        foreach (var key in _suspects.Keys.ToArray())
        {
            _suspects[key] = 0;
        }
    }

    private Queue<Held> PartsOf(FeedLane lane) => lane == FeedLane.Live ? _liveParts : _historyParts;

    private bool Has(FeedLane lane) => PartsOf(lane).Count > 0 || _lanes.Peek(lane, _isHeld) is not null;

    private Held? HistoryAtItsPace(TimeSpan now, ref TimeSpan? wait)
    {
        if (IsStopping)
        {
            return null;
        }

        if (_historyInFlight >= _historyWindow.Bytes)
        {
            // The next acknowledgement makes room.
            return null;
        }

        var pause = Pace.Wait(now);
        if (_historyNotBefore - now > pause)
        {
            pause = _historyNotBefore - now;
        }

        if (pause <= TimeSpan.Zero)
        {
            return New(FeedLane.History);
        }

        wait = wait is { } other && other < pause ? other : pause;
        return null;
    }

    private Held New(FeedLane lane)
    {
        var waiting = PartsOf(lane);
        if (waiting.Count > 0)
        {
            return waiting.Dequeue();
        }

        var maxBody = _maxBody;
        var row = _lanes.Take(lane);
        var whole = Hold(row);
        if (lane == FeedLane.History)
        {
            maxBody = Math.Min(maxBody, _historyWindow.MessageBytes);
            _historyRows++;
            _historyRowBytes += row.Body.Length;
            if (!_suspects.ContainsKey(row.Id) && Joined(row, whole, Math.Min(maxBody, RowParts.MaxJoinedBytes)) is { } joined)
            {
                return joined;
            }
        }

        var parts = RowParts.Split(row, maxBody);
        whole.Open = parts.Count;
        if (parts.Count == 1)
        {
            return new Held(row, lane, [whole]);
        }

        foreach (var part in parts)
        {
            waiting.Enqueue(new Held(part, lane, [whole]));
        }

        return waiting.Dequeue();
    }

    /// <summary>Small rows of the history that are numbered on from each other in one message (requirement B-1); null when nothing follows that fits.</summary>
    private Held? Joined(OutboxRow row, HeldRow whole, int maxBytes)
    {
        var (records, bytes) = (row.Count, row.Body.Length);
        _run.Clear();
        _run.Add(row);
        List<HeldRow>? wholes = null;
        while (records < RowParts.MaxJoinedRecords
            && _lanes.TakeFollower(FeedLane.History, _run[^1], RowParts.MaxJoinedRecords - records, maxBytes - bytes + 1, _inOrder, _isApart) is { } next)
        {
            _run.Add(next);
            (wholes ??= [whole]).Add(Hold(next));
            records += next.Count;
            bytes += next.Body.Length - 1;
            _historyRows++;
            _historyRowBytes += next.Body.Length;
        }

        var joined = wholes is null ? null : new Held(RowParts.Join(_run), FeedLane.History, wholes);
        _run.Clear();
        return joined;
    }

    private HeldRow Hold(OutboxRow row)
    {
        var whole = new HeldRow(row);
        _held.Add(row.Id, whole);
        return whole;
    }

    /// <summary>What was refused as one message goes row by row, so that one bad row does not take the others with it.</summary>
    private string? Disjoin(Held held, PublishOutcome outcome, TimeSpan now)
    {
        string? problem = null;
        foreach (var whole in held.Wholes)
        {
            var single = new Held(whole.Row, held.Lane, [whole]) { Due = now, IsUnretained = held.IsUnretained, Retries = held.Retries, Refusals = held.Refusals };
            if (outcome.Status == PublishStatus.TooLarge)
            {
                _again.Add(single);
            }
            else
            {
                problem = Settled(single, outcome, now);
            }
        }

        held.Refusals++;
        return problem;
    }

    /// <summary>Puts two or three smaller messages in the place of one that was too large; false when it holds a single record.</summary>
    private bool Halve(Held held, TimeSpan now)
    {
        var parts = RowParts.Split(held.Row, held.Row.Body.Length / 2);
        if (parts.Count == 1)
        {
            return false;
        }

        foreach (var whole in held.Wholes)
        {
            whole.Open += parts.Count - 1;
        }

        foreach (var part in parts)
        {
            _again.Add(new Held(part, held.Lane, held.Wholes) { Due = now, IsUnretained = held.IsUnretained });
        }

        return true;
    }

    private Held Take(Held held)
    {
        _again.Remove(held);
        return held;
    }

    private void Later(Held held, int tries, TimeSpan now)
    {
        var longest = Math.Min(LongestBackoff.TotalSeconds, Math.Pow(2, Math.Min(tries, 10)));
        held.Due = now + TimeSpan.FromSeconds(longest * (0.5 + (_context.Jitter() / 2)));
        _again.Add(held);
    }

    private void Delivered(Held held, TimeSpan now)
    {
        if (held.Lane == FeedLane.History && held.Handed is { } sent && _historyWindow.Acknowledged(held.Bytes, sent, now))
        {
            Pace.PushedBack(now);
        }

        _isBlind = false;
        _taken.Add(held.Row.Stream);
        _lastTaken[held.Row.Stream] = (held.Row, held.Lane);
        if (held.Wholes.Count == 0)
        {
            Acknowledged++;
            _suspects.Remove(held.Key);
            _drops.IsSettled(held.Key);
        }
        else if (_carefulRows > 0)
        {
            _carefulRows--;
        }

        foreach (var whole in held.Wholes)
        {
            Settle(whole);
        }
    }

    private string Quarantine(Held held, string reason)
    {
        foreach (var whole in held.Wholes)
        {
            whole.Problem ??= reason;
            Settle(whole);
        }

        return reason;
    }

    /// <summary>
    /// The server ended the connection at the message again and again. That speaks against the server or the link as much as against the message, until the
    /// same connection has taken something else and then ends at this one alone.
    /// </summary>
    private string Suspect(Held held, string reason)
    {
        ClearOthers(held);

        // The client begins another session, so that nothing overtakes what it has given back.
        _awaitsSession = true;
        var isKnown = _suspects.TryGetValue(held.Key, out var before) && held.IsAlone;
        _isBlind = isKnown && !IsWitnessed(held);
        var drops = isKnown && !_isBlind ? before + 1 : before;
        if (drops >= MaxProvenDrops)
        {
            return SetAside(held, $"{reason}, and takes others");
        }

        _suspects[held.Key] = drops;
        BeCareful();
        _again.Add(held);
        return reason;
    }

    /// <summary>
    /// The server does not survive the message. Its row goes to quarantine at once, whatever other parts of it wait: a server that loses the session with the
    /// connection would be sent this part again before them, for ever.
    /// </summary>
    private string SetAside(Held held, string reason)
    {
        _carefulRows = 0;
        if (held.Wholes.Count == 0)
        {
            _suspects.Remove(held.Key);
            _drops.IsSettled(held.Key);
            _unannounced.Add(held.Key);
        }

        foreach (var whole in held.Wholes)
        {
            _again.RemoveAll(other => other.Wholes.Contains(whole));
            Forget(_liveParts, whole);
            Forget(_historyParts, whole);
            whole.Open = 1;
        }

        return Quarantine(held, reason);
    }

    private static void Forget(Queue<Held> parts, HeldRow whole)
    {
        for (var count = parts.Count; count > 0; count--)
        {
            var part = parts.Dequeue();
            if (!part.Wholes.Contains(whole))
            {
                parts.Enqueue(part);
            }
        }
    }

    /// <summary>A message of the row needs no more care; the last one settles the row.</summary>
    private void Settle(HeldRow whole)
    {
        if (whole.Open == 0 || --whole.Open > 0)
        {
            return;
        }

        var id = whole.Row.Id;
        if (whole.Problem is { } problem)
        {
            _context.Outbox.Quarantine(_destination, id, problem);
            _context.Follower?.Current?.Refused(_destination, id, problem);
            Quarantined++;
        }
        else
        {
            _context.Outbox.Acknowledge(_destination, id);
            _context.Follower?.Current?.Acknowledged(_destination, id);
            Acknowledged++;
        }

        _done.Acknowledge(id);
        _held.Remove(id);
        _suspects.Remove(id);
        _drops.IsSettled(id);
    }
}
