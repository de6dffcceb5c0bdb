using System.Threading.Channels;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>One run of the uplink from start to stop: joins the client's events, the outbox and the decisions of <see cref="MqttDelivery"/> in one loop.</summary>
internal sealed class MqttUplinkRun : IDisposable
{
    /// <summary>How long a stop waits for acknowledgements (requirement M-11).</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan FarewellLimit = TimeSpan.FromSeconds(1);

    /// <summary>After an outage this long, history waits up to <see cref="FleetSpread"/>, so that a fleet does not come back at once.</summary>
    private static readonly TimeSpan LongOutage = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan FleetSpread = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan OldestInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>The client's key of the status message; births and rows have others.</summary>
    private const long StatusKey = long.MinValue;

    private static readonly MqttMessageProperties Json = new() { PayloadIsText = true, ContentType = FeedPayload.ContentType(FeedCompression.None) };

    private readonly UplinkContext _context;
    private readonly TimeProvider _time;
    private readonly string _id;
    private readonly FeedTopics _topics;
    private readonly IFeedFormat _format;
    private readonly bool _saysStatus;
    private readonly MqttQos _qos;
    private readonly MqttDelivery _delivery;
    private readonly FeedCompression _compression;
    private readonly MqttMessageProperties _packedJson;
    private readonly MemoryStream _packed = new();
    private readonly ITimer _alarm;
    private readonly Action<UplinkStatus> _showStatus;
    private readonly long _origin;
    private readonly Channel<MqttUplinkEvent> _events = Channel.CreateUnbounded<MqttUplinkEvent>(new UnboundedChannelOptions { SingleReader = true });

    // Guards the two fields below: nothing chosen for one session may be handed over in the next.
    private readonly Lock _gate = new();
    private CancellationTokenSource _sessionEnd = new();
    private int _session;

    // Written by the loop only.
    private MqttConnected? _connection;
    private int _knownSession;
    private bool _isBegun;

    // A status at which the server ended the connection again and again is said after something else was acknowledged, so that it holds up no row and is not
    // withheld because the server was sick.
    private bool _isStatusSuspect;
    private bool _isStatusDue;
    private int _statusDrops;
    private bool _isToldDown;
    private bool _isToldUnretained;
    private bool _isToldQos;
    private int _openStatuses;
    private TimeSpan? _downSince;
    private TimeSpan _oldestSeen;
    private UplinkStatus _status;

    private int _lookPending;

    public MqttUplinkRun(MqttUplinkModel model, UplinkContext context, FeedTopics topics, Action<UplinkStatus> showStatus)
    {
        _context = context;
        _time = context.Time;
        _id = model.Id;
        _topics = topics;
        _format = FeedFormats.Create(model.Format, context.SiteId, context.GatewayId);
        _saysStatus = MqttUplinkOptions.SaysStatus(model);
        _qos = model.IsExactlyOnce ? MqttQos.ExactlyOnce : MqttQos.AtLeastOnce;
        _delivery = new MqttDelivery(model, context);
        _compression = model.Compression;
        _packedJson = new MqttMessageProperties { ContentType = FeedPayload.ContentType(_compression) };
        _alarm = _time.CreateTimer(static run => ((MqttUplinkRun)run!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _showStatus = showStatus;
        _origin = _time.GetTimestamp();
        _status = new UplinkStatus { Id = model.Id };
    }

    /// <summary>True when the server keeps messages for those who subscribe later.</summary>
    private bool Retains => _connection?.Limits.RetainAvailable != false;

    /// <summary>Quality of service of rows: what is wished, or what the server takes, but not without acknowledgement.</summary>
    private MqttQos Qos => _connection?.Limits.MaximumQos < _qos ? MqttQos.AtLeastOnce : _qos;

    private TimeSpan Now => _time.GetElapsedTime(_origin);

    public async Task RunAsync(MqttClientOptions options, CancellationToken stop)
    {
        var client = new MqttClient(options, _time) { Connected = OnConnected, Disconnected = OnDisconnected };
        await using (client.ConfigureAwait(false))
        {
            using var end = new CancellationTokenSource();
            using var stopWakes = stop.Register(Wake);
            var serving = client.RunAsync(CancellationToken.None);
            var watching = WatchOutboxAsync(end.Token);
            Task[] companions = _saysStatus && _context.Volatile is { } values ? [serving, watching, SayVolatileAsync(client, values, end.Token)] : [serving, watching];
            _ = WakeAfterAsync(serving);
            _ = WakeAfterAsync(watching);
            try
            {
                await DeliverAsync(client, companions, stop).ConfigureAwait(false);
                await FarewellAsync(client).ConfigureAwait(false);
                _context.Logger.UplinkStopped(_id, _delivery.Backlog);
            }
            finally
            {
                await end.CancelAsync().ConfigureAwait(false);
                await client.DisconnectAsync(CancellationToken.None).ConfigureAwait(false);
                await Task.WhenAll(companions[1..]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                _connection = null;
                ShowStatus();
            }
        }
    }

    public void Dispose()
    {
        _alarm.Dispose();
        _packed.Dispose();
        _sessionEnd.Dispose();
    }

    private async Task DeliverAsync(MqttClient client, Task[] companions, CancellationToken stop)
    {
        TimeSpan? deadline = null;
        while (true)
        {
            Interlocked.Exchange(ref _lookPending, 0);
            _context.Beat?.Beat(UplinkContext.LongestRest);
            while (_events.Reader.TryRead(out var happened))
            {
                Handle(in happened, client);
            }

            if (Array.Find(companions, task => task.IsCompleted) is { } ended)
            {
                // Neither ends before it is told to, unless by a fault, which is the caller's to see.
                await ended.ConfigureAwait(false);
                throw new InvalidOperationException($"Uplink {_id}: a task ended without being asked to.");
            }

            if (stop.IsCancellationRequested)
            {
                _delivery.IsStopping = true;
                deadline ??= Now + StopGrace;
                if (_connection is null || _delivery.IsIdle || Now >= deadline)
                {
                    return;
                }
            }

            var wait = Fill(client);
            ShowStatus();
            if (deadline is { } limit && (wait is null || wait > limit - Now))
            {
                wait = limit - Now;
            }

            await WaitAsync(wait is { } due && due < UplinkContext.LongestRest ? due : UplinkContext.LongestRest).ConfigureAwait(false);
        }
    }

    private void Wake() => _events.Writer.TryWrite(MqttUplinkEvent.Look);

    private async Task WakeAfterAsync(Task companion)
    {
        await companion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Wake();
    }

    /// <summary>Waits for the next event, one of which is that the time is over. Nothing is made for a turn: there are many in a second.</summary>
    private ValueTask<bool> WaitAsync(TimeSpan wait)
    {
        _alarm.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        return _events.Reader.WaitToReadAsync();
    }

    private void Handle(in MqttUplinkEvent happened, MqttClient client)
    {
        if (happened.Up is { } connection)
        {
            Up(connection, happened.Session, client);
        }
        else if (happened.Down is { } loss)
        {
            Down(loss);
        }
        else if (happened.Settled is { } held)
        {
            Settle(held, happened.Outcome);
        }
        else if (happened.IsStatus)
        {
            SettleStatus(happened.Outcome);
        }
    }

    private void SettleStatus(PublishOutcome outcome)
    {
        _openStatuses--;
        if (outcome.Status == PublishStatus.Delivered)
        {
            (_isStatusSuspect, _statusDrops) = (false, 0);
        }

        if (outcome.Status is PublishStatus.Delivered or PublishStatus.SessionLost)
        {
            return;
        }

        if (outcome.Status == PublishStatus.Suspect)
        {
            // Once it is a suspect it is said on a connection that works.
            _statusDrops += _isStatusSuspect ? 1 : 0;
            _isStatusSuspect = true;
            _delivery.BeCareful();
        }

        Report($"{_topics.Status}: {outcome.Reason}");
        _context.Logger.UplinkNotTaken(_id, _topics.Status, outcome.Reason);
    }

    private void Up(MqttConnected connection, int session, MqttClient client)
    {
        _connection = connection;
        _knownSession = session;
        _isBegun = false;
        _isToldDown = false;
        _status = _status with
        {
            Since = _time.GetUtcNow(),
            Server = connection.Server.ToString(),
            LastError = null,
            LastErrorAt = null,
        };
        _context.Logger.UplinkConnected(_id, _status.Server!, _delivery.Backlog);
        if (!connection.Limits.RetainAvailable)
        {
            Report("the server keeps no retained messages: births, states and the status are sent without, and who subscribes later gets them in the next session only. Allow retained messages at the broker");
            if (!_isToldUnretained)
            {
                _isToldUnretained = true;
                _context.Logger.UplinkUnretained(_id, _status.Server!);
            }
        }

        if (Qos != _qos)
        {
            Report($"the server takes QoS {(int)connection.Limits.MaximumQos} at most: rows are sent with QoS {(int)Qos}");
            if (!_isToldQos)
            {
                _isToldQos = true;
                _context.Logger.UplinkLesserQos(_id, _status.Server!, (int)connection.Limits.MaximumQos);
            }
        }

        _isStatusDue = _saysStatus && _statusDrops < MqttDelivery.MaxProvenDrops;
        if (_isStatusDue && !_isStatusSuspect)
        {
            SayOnline(client);
        }
    }

    private void Down(MqttDisconnected loss)
    {
        if (loss.Cause == MqttLossCause.Stopped)
        {
            return;
        }

        if (loss.Cause == MqttLossCause.BetterServer)
        {
            // No outage: the other server has accepted us already.
            _connection = null;
            _context.Logger.UplinkChangesServer(_id, loss.Server.ToString());
            return;
        }

        if (_connection is not null || _status.Since is null)
        {
            _status = _status with { Since = _time.GetUtcNow() };
        }

        if (loss.BlamesMessage && _isBegun)
        {
            _delivery.Dropped();
        }

        _connection = null;
        _isBegun = false;
        _downSince ??= Now;
        _status = _status with { Server = loss.Server.ToString() };
        Report(loss.Reason);
        if (!_isToldDown)
        {
            _isToldDown = true;
            _context.Logger.UplinkDown(_id, loss.Server.ToString(), loss.Reason);
        }
    }

    private void Settle(Held held, PublishOutcome outcome)
    {
        var quarantined = _delivery.Quarantined;
        if (_delivery.Settled(held, outcome, Now) is not { } problem)
        {
            return;
        }

        var topic = _topics.Of(held.Row);
        Report($"{topic}: {problem}");
        if (_delivery.Quarantined > quarantined)
        {
            _context.Logger.UplinkQuarantined(_id, held.Row.Id, topic, problem);
        }
        else if (held.Refusals + held.Retries == 1 || outcome.Status == PublishStatus.Suspect)
        {
            _context.Logger.UplinkNotTaken(_id, topic, problem);
        }
    }

    /// <summary>Hands over what may leave now; returns how long to wait at most, or null for the next event.</summary>
    private TimeSpan? Fill(MqttClient client)
    {
        if (_connection is not { } connection)
        {
            return null;
        }

        if (_delivery.NeedsQuiet && _openStatuses > 0)
        {
            // Not even the status may be under way with a message that goes alone.
            return null;
        }

        if (!_isBegun)
        {
            // What was in flight in a lost session settles at once; until it has, what comes first in the outbox is not known.
            if (!connection.SessionPresent && _delivery.InFlight > 0)
            {
                return null;
            }

            _isBegun = true;
            var outage = _downSince is { } since ? Now - since : TimeSpan.Zero;
            _downSince = null;
            var spread = outage > LongOutage ? FleetSpread * _context.Jitter() : TimeSpan.Zero;
            _delivery.Begin(connection.SessionPresent, connection.Limits.ReceiveMaximum, Now + spread, connection.Limits.MaximumPacketSize);
        }

        while (true)
        {
            if (_isStatusDue && _delivery.IsTaking)
            {
                if (_delivery.InFlight == 0)
                {
                    SayOnline(client);
                }

                return null;
            }

            if (_delivery.Next(Now, out var wait) is not { } held)
            {
                return wait;
            }

            if (!Hand(client, held))
            {
                return null;
            }
        }
    }

    private bool Hand(MqttClient client, Held held)
    {
        var message = new PooledBuffer(held.Row.Body.Length + 256);
        _format.Write(message, held.Row, held.Lane);
        var properties = Pack(message);
        lock (_gate)
        {
            if (_session == _knownSession)
            {
                _delivery.Handed(held, message.Written.Length, Now);
                _ = PublishAsync(client, held, message, properties, held.Row.Retain && !held.IsUnretained && Retains, _sessionEnd.Token);
                return true;
            }
        }

        // Another session has begun meanwhile; the event that says so is on its way.
        message.Dispose();
        _delivery.NotHanded(held);
        return false;
    }

    /// <summary>Packs the message in its place where the centre can unpack it and that saves something; returns what is said of its content.</summary>
    private MqttMessageProperties Pack(PooledBuffer message)
    {
        if (!FeedPayload.TryPack(message.Written.Span, _compression, _packed))
        {
            return Json;
        }

        message.Replace(_packed.GetBuffer().AsSpan(0, (int)_packed.Length));
        return _packedJson;
    }

    private async Task PublishAsync(
        MqttClient client, Held held, PooledBuffer message, MqttMessageProperties properties, bool retain, CancellationToken sessionEnd)
    {
        PublishOutcome outcome;
        try
        {
            var publication = new MqttPublication { Topic = _topics.Of(held.Row), Payload = message.Written, Qos = Qos, Retain = retain, Properties = properties };
            outcome = await client.PublishAsync(publication, held.MessageKey, sessionEnd).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            outcome = new PublishOutcome(PublishStatus.SessionLost, MqttReasonCode.UnspecifiedError, "the session ended");
        }

        message.Dispose();
        _events.Writer.TryWrite(MqttUplinkEvent.Settle(held, outcome));
    }

    private void SayOnline(MqttClient client)
    {
        // The client may begin another session at this moment and end the one before.
        CancellationToken sessionEnd;
        lock (_gate)
        {
            sessionEnd = _sessionEnd.Token;
        }

        _isStatusDue = false;
        _openStatuses++;
        _ = SayOnlineAsync(client, Retains, sessionEnd);
    }

    private async Task SayOnlineAsync(MqttClient client, bool retain, CancellationToken sessionEnd)
    {
        PublishOutcome outcome;
        try
        {
            var publication = new MqttPublication { Topic = _topics.Status, Payload = MqttUplinkOptions.Online, Retain = retain };
            outcome = await client.PublishAsync(publication, StatusKey, sessionEnd).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Another session begins, and says it again.
            outcome = new PublishOutcome(PublishStatus.SessionLost, MqttReasonCode.UnspecifiedError, "the session ended");
        }

        _events.Writer.TryWrite(MqttUplinkEvent.SettleStatus(outcome));
    }

    /// <summary>Says offline, because DISCONNECT makes the server forget the will.</summary>
    private async Task FarewellAsync(MqttClient client)
    {
        if (_connection is null || !_saysStatus)
        {
            return;
        }

        using var limit = new CancellationTokenSource(FarewellLimit, _time);
        try
        {
            await client.PublishAsync(_topics.Status, MqttUplinkOptions.Offline, retain: Retains, cancel: limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The server does not answer: it will notice that we are gone by itself, and publish the will.
        }
    }

    private async Task WatchOutboxAsync(CancellationToken end)
    {
        var seen = _context.Outbox.LastRowId;
        while (true)
        {
            await _context.Outbox.WaitForRowAfterAsync(seen, end).ConfigureAwait(false);
            seen = _context.Outbox.LastRowId;
            if (Interlocked.Exchange(ref _lookPending, 1) == 0)
            {
                Wake();
            }
        }
    }

    /// <summary>Publishes values that cannot be stored, at QoS 0 and only while connected: nothing of them is queued or repeated.</summary>
    private async Task SayVolatileAsync(MqttClient client, IVolatileSource values, CancellationToken end)
    {
        for (var version = 0L; ;)
        {
            var messages = await values.NextAsync(version, end).ConfigureAwait(false);
            version = messages.Version;
            if (!Volatile.Read(ref _status).Connected)
            {
                continue;
            }

            CancellationToken sessionEnd;
            lock (_gate)
            {
                sessionEnd = _sessionEnd.Token;
            }

            using var limit = CancellationTokenSource.CreateLinkedTokenSource(sessionEnd, end);
            try
            {
                foreach (var payload in messages.Payloads)
                {
                    await client.PublishAsync(_topics.Volatile, payload, MqttQos.AtMostOnce, retain: false, Json, limit.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (!end.IsCancellationRequested)
            {
                // The session ended; the next values go with the next one.
            }
        }
    }

    // Called before the client sends anything on the new connection. Without the old session the client gives back what was in flight;
    // what still waited in it is withdrawn here, so that nothing overtakes the rows that must be sent again.
    private void OnConnected(MqttConnected connection)
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
        _events.Writer.TryWrite(MqttUplinkEvent.Connected(connection, session));
    }

    private void OnDisconnected(MqttDisconnected loss) => _events.Writer.TryWrite(MqttUplinkEvent.Disconnected(loss));

    private void Report(string problem) => _status = _status with { LastError = problem, LastErrorAt = _time.GetUtcNow() };

    // A drain has many turns in a second; what it shows to people need not be newer than they can read.
    private DateTimeOffset? OldestWaiting()
    {
        if (_status.OldestWaiting is { } known && Now - _oldestSeen < OldestInterval)
        {
            return known;
        }

        _oldestSeen = Now;
        return _delivery.Oldest is { } oldest ? oldest.ToDateTimeOffset() : null;
    }

    private void ShowStatus()
    {
        var hasHistory = _delivery.HasHistory;
        var backlog = _delivery.Backlog;
        var pace = hasHistory ? _delivery.Pace.BytesPerSecond : 0;
        _status = _status with
        {
            Connected = _connection is not null,
            Sent = _delivery.Sent,
            Acknowledged = _delivery.Acknowledged,
            Quarantined = _delivery.Quarantined,
            InFlight = _delivery.InFlight,
            BacklogRows = backlog,
            OldestWaiting = backlog == 0 ? null : OldestWaiting(),
            BackfillBytesPerSecond = pace,
            ExpectedEnd = hasHistory && _connection is not null && pace > 0 && _delivery.MeanHistoryBytes > 0
                ? _time.GetUtcNow() + TimeSpan.FromSeconds(Math.Min(backlog * _delivery.MeanHistoryBytes / pace, TimeSpan.FromDays(3650).TotalSeconds))
                : null,
        };
        _showStatus(_status);
    }
}
