using System.Threading.Channels;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Exam;

/// <summary>
/// Hands the rows to the client in their order and settles them by what the client tells. One loop; the client's callbacks only leave a word for it.
/// </summary>
internal sealed class ExamPublisher(MqttClient client, ExamOutbox outbox, ExamOptions options, ExamEvents events, TimeProvider time) : IDisposable
{
    /// <summary>A message that is refused this often is set aside (requirement M-4).</summary>
    private const int MaxRefusals = 3;

    /// <summary>A suspect at which the connection ends this often, alone, is set aside.</summary>
    private const int MaxDropsAlone = 3;

    /// <summary>Bytes of payload beyond which no further message is handed over, however large the window.</summary>
    public const int MaxBytesInFlight = 16 * 1024 * 1024;

    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(60);

    private readonly Channel<Happened> _happened = Channel.CreateUnbounded<Happened>(new UnboundedChannelOptions { SingleReader = true });
    private readonly DeliveryCursor _done = outbox.OpenCursor();
    private readonly Dictionary<long, Flight> _inFlight = [];
    private readonly SortedDictionary<long, Flight> _again = [];
    private readonly Queue<OutboxRow> _page = new();
    private readonly List<OutboxRow> _read = [];
    private readonly long _origin = time.GetTimestamp();

    // Guards the two fields below: nothing chosen for one session may be handed over in the next.
    private readonly Lock _gate = new();
    private CancellationTokenSource _sessionEnd = new();
    private int _session;

    private MqttConnected? _connection;
    private bool _wasConnected;
    private int _knownSession;
    private long _next = 1;
    private long _bytesInFlight;
    private TimeSpan _notBefore;
    private volatile bool _isStopping;

    /// <summary>Called when rows were settled, so that somebody saves.</summary>
    public Action? Settled { get; set; }

    private TimeSpan Now => time.GetElapsedTime(_origin);

    /// <summary>Takes over what an earlier process left in flight; before the client runs.</summary>
    public void Resume()
    {
        foreach (var resumed in client.Resumed)
        {
            if (resumed.Key is { } row && !_done.Contains(row) && outbox.Find(row) is { } message)
            {
                var flight = _inFlight[row] = new Flight(row, message);
                _bytesInFlight += message.Payload.Length;
                _ = WaitAsync(flight, new ValueTask<PublishOutcome>(resumed.Outcome));
            }
        }
    }

    /// <summary>The client is connected; called before anything is sent.</summary>
    public void Connected(MqttConnected connection)
    {
        CancellationTokenSource? ended = null;
        int session;
        lock (_gate)
        {
            if (!connection.SessionPresent)
            {
                ended = _sessionEnd;
                _sessionEnd = new CancellationTokenSource();
                _session++;
            }

            session = _session;
        }

        ended?.Cancel();
        ended?.Dispose();
        events.Connected(connection.SessionPresent);
        _happened.Writer.TryWrite(new Happened.Up(connection, session));
    }

    /// <summary>The client has no connection.</summary>
    public void Disconnected(MqttDisconnected loss)
    {
        events.Disconnected(loss.Reason, (byte?)loss.Code);
        _happened.Writer.TryWrite(Happened.Down);
    }

    /// <summary>Hands over and settles until every message is settled, or a stop.</summary>
    /// <param name="keepRunning">True: goes on waiting when all is settled.</param>
    /// <param name="import">The import; rows may still come while it runs.</param>
    /// <param name="stop">Ends the handing over.</param>
    public async Task RunAsync(bool keepRunning, Task import, CancellationToken stop)
    {
        using var look = new CancellationTokenSource();
        var watching = WatchAsync(import, look.Token);
        await using var wakes = stop.Register(() => _happened.Writer.TryWrite(Happened.Look));
        while (true)
        {
            while (_happened.Reader.TryRead(out var happened))
            {
                Handle(happened);
            }

            if (stop.IsCancellationRequested || (!keepRunning && import.IsCompleted && IsDone()))
            {
                break;
            }

            var wait = Fill();
            await WaitAsync(wait).ConfigureAwait(false);
        }

        await look.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Waits for what is in flight, as long as there is a connection.</summary>
    public async Task SettleAsync(TimeSpan limit)
    {
        _isStopping = true;
        var deadline = Now + limit;
        while (_inFlight.Count > 0 && _connection is not null && Now < deadline)
        {
            await WaitAsync(deadline - Now).ConfigureAwait(false);
            while (_happened.Reader.TryRead(out var happened))
            {
                Handle(happened);
            }
        }
    }

    /// <summary>Takes what the client told last, after it has ended.</summary>
    public void Finish()
    {
        while (_happened.Reader.TryRead(out var happened))
        {
            Handle(happened);
        }
    }

    public void Dispose() => _sessionEnd.Dispose();

    private bool IsDone() => _wasConnected && _inFlight.Count == 0 && _again.Count == 0 && Peek() is null;

    private void Handle(Happened happened)
    {
        switch (happened)
        {
            case Happened.Up up:
                _connection = up.Connection;
                _knownSession = up.Session;
                _wasConnected = true;
                break;
            case Happened.Ended ended:
                Settle(ended.Flight, ended.Outcome);
                break;
            default:
                _connection = ReferenceEquals(happened, Happened.Down) ? null : _connection;
                break;
        }
    }

    private void Settle(Flight flight, PublishOutcome outcome)
    {
        _inFlight.Remove(flight.Row);
        _bytesInFlight -= flight.Message.Payload.Length;
        switch (outcome.Status)
        {
            case PublishStatus.Delivered:
                // First: another thread may save at any moment, and after a kill it may come once more, but not be missing.
                events.Delivered(flight.Message.Id, (byte)outcome.Code);

                // Noted here, too: what an earlier process left in flight may be settled before its row is reached, and must not be handed over as a new one then.
                _done.Acknowledge(flight.Row);
                outbox.Acknowledge(flight.Row);
                Settled?.Invoke();
                break;
            case PublishStatus.Kept:
                // The next process takes it up from the session.
                break;
            case PublishStatus.TooLarge:
            case PublishStatus.Refused when ++flight.Refusals >= MaxRefusals:
            case PublishStatus.Suspect when flight.IsSuspect && ++flight.DropsAlone >= MaxDropsAlone:
                events.Rejected(flight.Message.Id, (byte)outcome.Code, outcome.Reason);
                _done.Acknowledge(flight.Row);
                outbox.SetAside(flight.Row, outcome.Reason);
                Settled?.Invoke();
                break;
            case PublishStatus.Suspect:
                flight.IsSuspect = true;
                Again(flight, TimeSpan.Zero);
                break;
            case PublishStatus.SessionLost:
            case PublishStatus.Retry when flight.Message.Qos == 0:
                Again(flight, TimeSpan.Zero);
                break;
            default:
                Again(flight, TimeSpan.FromSeconds(Math.Min(LongestBackoff.TotalSeconds, 0.25 * Math.Pow(2, Math.Min(++flight.Tries, 10)))));
                break;
        }
    }

    private void Again(Flight flight, TimeSpan after)
    {
        flight.Due = Now + after;
        _again[flight.Row] = flight;
    }

    /// <summary>Hands over what may leave; returns how long to wait at most, or null for the next event.</summary>
    private TimeSpan? Fill()
    {
        // What was in flight in a lost session settles at once; until it has, what comes first is not known. A suspect goes alone.
        if (_connection is not { } connection || _isStopping || _inFlight.Values.Any(f => f.IsSuspect || (f.Session != _knownSession && !connection.SessionPresent)))
        {
            return null;
        }

        var window = Math.Min(options.MaxInFlight, (int)connection.Limits.ReceiveMaximum);
        while (_inFlight.Count < window && _bytesInFlight < MaxBytesInFlight)
        {
            if (_notBefore > Now)
            {
                return _notBefore - Now;
            }

            var (flight, wait) = Choose();
            if (flight is null)
            {
                return wait;
            }

            if (!Hand(flight) || flight.IsSuspect)
            {
                return null;
            }

            _notBefore = Now + TimeSpan.FromMilliseconds(options.File.PublishIntervalMs);
        }

        return null;
    }

    private (Flight? Flight, TimeSpan? Wait) Choose()
    {
        TimeSpan? wait = null;
        if (_again.Values.FirstOrDefault(f => f.IsSuspect) is { } suspect)
        {
            return (_inFlight.Count == 0 ? suspect : null, null);
        }

        foreach (var flight in _again.Values)
        {
            if (flight.Due <= Now)
            {
                return (flight, null);
            }

            wait = wait is { } other && other < flight.Due - Now ? other : flight.Due - Now;
        }

        // What waits for another try counts as held, so that a server that takes nothing does not fill the memory.
        if (_again.Count < options.MaxInFlight && Peek() is { } row)
        {
            _page.Dequeue();
            return (new Flight(row.Id, ExamMessage.FromBody(row.Body)), null);
        }

        return (null, wait);
    }

    private OutboxRow? Peek()
    {
        while (true)
        {
            while (_page.TryPeek(out var row))
            {
                if (!_done.Contains(row.Id) && !_inFlight.ContainsKey(row.Id) && !_again.ContainsKey(row.Id))
                {
                    return row;
                }

                _page.Dequeue();
            }

            if (_next > outbox.LastRowId)
            {
                return null;
            }

            // Ids below the newest that are not read do not exist any more.
            var end = outbox.LastRowId;
            _read.Clear();
            outbox.Read(_next, _read);
            foreach (var row in _read)
            {
                _page.Enqueue(row);
            }

            _next = _read.Count > 0 ? _read[^1].Id + 1 : end + 1;
        }
    }

    private bool Hand(Flight flight)
    {
        lock (_gate)
        {
            if (_session != _knownSession)
            {
                // Another session has begun meanwhile; the event that says so is on its way.
                _again[flight.Row] = flight;
                return false;
            }

            _again.Remove(flight.Row);
            _inFlight.Add(flight.Row, flight);
            _bytesInFlight += flight.Message.Payload.Length;
            flight.Session = _session;
            _ = PublishAsync(flight, _sessionEnd.Token);
            return true;
        }
    }

    private Task PublishAsync(Flight flight, CancellationToken sessionEnd)
    {
        var m = flight.Message;
        try
        {
            var publication = new MqttPublication { Topic = m.Topic, Payload = m.Payload, Qos = (MqttQos)m.Qos, Retain = m.Retain };
            return WaitAsync(flight, client.PublishAsync(publication, m.Qos == 0 ? null : flight.Row, sessionEnd));
        }
        catch (ArgumentException e)
        {
            return WaitAsync(flight, ValueTask.FromResult(new PublishOutcome(PublishStatus.TooLarge, MqttReasonCode.TopicNameInvalid, e.Message)));
        }
    }

    private async Task WaitAsync(Flight flight, ValueTask<PublishOutcome> publish)
    {
        PublishOutcome outcome;
        try
        {
            outcome = await publish.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            outcome = new PublishOutcome(PublishStatus.SessionLost, MqttReasonCode.UnspecifiedError, "the session ended");
        }

        _happened.Writer.TryWrite(new Happened.Ended(flight, outcome));
    }

    private async Task WaitAsync(TimeSpan? wait)
    {
        using var enough = new CancellationTokenSource();
        Task happened = _happened.Reader.WaitToReadAsync(enough.Token).AsTask();
        if (wait is { } limit)
        {
            await Task.WhenAny(happened, Task.Delay(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, time, enough.Token)).ConfigureAwait(false);
            await enough.CancelAsync().ConfigureAwait(false);
        }

        await happened.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WatchAsync(Task import, CancellationToken end)
    {
        var seen = outbox.LastRowId;
        while (!import.IsCompleted)
        {
            await Task.WhenAny(outbox.WaitForRowAfterAsync(seen, end).AsTask(), import).ConfigureAwait(false);
            seen = outbox.LastRowId;
            _happened.Writer.TryWrite(Happened.Look);
            end.ThrowIfCancellationRequested();
        }

        // It may have ended after the last look.
        _happened.Writer.TryWrite(Happened.Look);
    }

    /// <summary>A message under way, or waiting for another try.</summary>
    private sealed class Flight(long row, ExamMessage message)
    {
        public long Row => row;

        public ExamMessage Message => message;

        /// <summary>Session in which it was handed over.</summary>
        public int Session { get; set; }

        public int Tries { get; set; }

        public int Refusals { get; set; }

        /// <summary>The server closed the connection several times at this message: it goes once more, with nothing else in flight.</summary>
        public bool IsSuspect { get; set; }

        public int DropsAlone { get; set; }

        public TimeSpan Due { get; set; }
    }

    /// <summary>What the loop is woken by.</summary>
    private abstract record Happened
    {
        public static readonly Happened Look = new Word();
        public static readonly Happened Down = new Word();

        public sealed record Up(MqttConnected Connection, int Session) : Happened;

        public sealed record Ended(Flight Flight, PublishOutcome Outcome) : Happened;

        private sealed record Word : Happened;
    }
}
