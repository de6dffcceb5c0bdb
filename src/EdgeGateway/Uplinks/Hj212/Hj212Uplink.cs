using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Uplinks.Hj212;

/// <summary>
/// HJ 212-2017 to a platform, fed from the same outbox as the other uplinks and with a cursor of its own. A row leaves when the platform has acknowledged (9014) every packet made of
/// it; rows that hold nothing of its factors are settled when they are reached. What waits longest goes behind what is new: live rows first, history when none waits. Samples of an
/// interval leave as one packet, whatever rows they came in. What the platform does not take while it takes others stands aside, and is set aside for good when that is proved
/// (<see cref="Hj212Suspects"/>). A command of which nothing is taken leaves its rows in the outbox, and holds up no other.
/// </summary>
/// <remarks>HJ 212-2017 knows no login: a platform knows the sender by MN and PW in each packet. A repeated packet keeps its QN as long as the connection stands.</remarks>
public sealed class Hj212Uplink : IUplink
{
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(10);
    private const string Ended = "the platform has closed the connection";

    // QnRtn, HJ 212-2017, table 4.
    private const string WrongPassword = "3";
    private const string WrongDevice = "4";

    // Parcels of a command that is not taken and whose places are full stay in the outbox, so many of them. Each leaves a hole in what is acknowledged, which every commit writes.
    internal const int MostPassedOver = 1024;

    // A platform that takes nothing of a command for so long, and takes others, is not merely out of order.
    internal static readonly TimeSpan GivenUpAfter = TimeSpan.FromHours(24);

    // The end of a connection that stood so long is told, however often its reason was told before.
    private static readonly TimeSpan Lasting = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(500);

    private readonly Hj212UplinkModel _model;
    private readonly UplinkContext _context;
    private readonly Hj212Rows _rows;
    private readonly DeliveryCursor _done;
    private readonly DeliveryLanes _lanes;
    private readonly Hj212Numbers _numbers;
    private readonly Hj212Suspects _suspects = new();
    private readonly Hj212Intervals _live = new();
    private readonly Hj212Intervals _history = new();

    // Of the row that was read last, and not sent yet.
    private readonly Queue<Hj212Parcel> _ready = new();

    // Rows that were taken and are not settled, by id: beyond a connection, too.
    private readonly Dictionary<long, Hj212OpenRow> _open = [];
    private readonly Func<long, bool> _isOpen;

    // What is under way, and goes first on the next connection when this one ends for a reason of its own.
    private Hj212Parcel? _again;

    // Parcels that were left in the outbox on this connection, by command.
    private readonly Dictionary<string, int> _passed = [];

    // Since when a command has had to be left, over all connections.
    private readonly Dictionary<string, TimeSpan> _leftSince = [];
    private readonly Hj212Told _told = new();
    private TimeSpan _connectedAt;
    private readonly long _began;
    private UplinkStatus _status;

    /// <param name="model">Where, and what.</param>
    /// <param name="context">What every uplink is given.</param>
    /// <param name="names">Device and point of each point of the site, by index.</param>
    public Hj212Uplink(Hj212UplinkModel model, UplinkContext context, IReadOnlyList<(string Device, string Point)> names)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        _model = model;
        _context = context;
        _rows = new(model, names);
        _done = context.Outbox.OpenCursor(model.Id);
        _lanes = new(context.Outbox, _done);
        _isOpen = _open.ContainsKey;
        _numbers = new(LocalNow);
        _began = context.Time.GetTimestamp();
        _status = new UplinkStatus { Id = model.Id, Server = Server };
        Open = async cancel => await TcpLine.ConnectAsync(model.Host, model.Port, ConnectTime, context.Time, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public string Id => _model.Id;

    /// <inheritdoc/>
    public UplinkStatus Status => Volatile.Read(ref _status);

    /// <summary>Opens the connection; replaced in tests.</summary>
    internal Func<CancellationToken, ValueTask<IByteLine>> Open { get; init; }

    private string Server => $"{_model.Host}:{_model.Port}";

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stop)
    {
        var pause = _model.ReconnectMin;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var delivered = await ServeAsync(stop).ConfigureAwait(false);
                pause = delivered ? _model.ReconnectMin : pause;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Down(e.Message);
            }

            // A fleet that lost one platform does not come back in one moment.
            var wait = pause * (0.75 + (0.5 * _context.Jitter()));
            _context.Beat?.Beat(wait);
            await Task.Delay(wait, _context.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < _model.ReconnectMax ? pause * 2 : _model.ReconnectMax;
        }

        Update(Status with { Connected = false, InFlight = 0 });
        _context.Logger.UplinkStopped(Id, _lanes.Backlog);
    }

    /// <summary>One connection, from its begin to its end; true when anything was acknowledged on it.</summary>
    private async Task<bool> ServeAsync(CancellationToken stop)
    {
        var password = PasswordFile.Read(_model.PasswordFile) ?? "";
        var commands = new Hj212Commands(_model, password, _rows, LocalNow, (command, answer) => _context.Logger.UplinkCommand(Id, command, answer));
        _context.Beat?.Beat(ConnectTime);
        var line = await Open(stop).ConfigureAwait(false);
        var session = new Hj212Session(new(line, isStrict: false, _context.Time), commands.Answer, _context.Time) { Patience = commands.Patience };
        await using (session.ConfigureAwait(false))
        {
            _lanes.Begin();
            _passed.Clear();
            _suspects.Begin();
            _connectedAt = Monotonic;
            Update(Status with { Connected = true, Since = _context.Time.GetUtcNow(), LastError = null });
            _context.Logger.UplinkConnected(Id, Server, _lanes.Backlog);
            while (true)
            {
                session.Patience = commands.Patience;
                _context.Beat?.Beat(LongestWait(session));
                stop.ThrowIfCancellationRequested();
                var problem = Next(stop) is { } parcel ? await DeliverAsync(session, parcel, password, stop).ConfigureAwait(false)
                    : await session.ListenAsync(Turn, stop).ConfigureAwait(false) ? null
                    : ClosedAtRest();
                if (problem is not null)
                {
                    Down(problem);
                    return _suspects.HasTaken;
                }
            }
        }
    }

    /// <summary>What leaves next; null when there is nothing to send now.</summary>
    private Hj212Parcel? Next(CancellationToken stop)
    {
        if ((_again ?? _suspects.Next(Monotonic)) is { } waiting)
        {
            return waiting;
        }

        while (MayRead)
        {
            _context.Beat?.Beat(UplinkContext.LongestRest);
            stop.ThrowIfCancellationRequested();
            var (now, utcNow) = (Monotonic, _context.Time.GetUtcNow());
            if (_ready.TryDequeue(out var parcel))
            {
                if (Admit(parcel))
                {
                    return parcel;
                }

                continue;
            }

            var hasLive = _lanes.Peek(FeedLane.Live, _isOpen) is not null;
            if (_live.Take(isEnd: false, !hasLive, utcNow, now, _rows.LocalOf) is { } newest)
            {
                _ready.Enqueue(newest);
                continue;
            }

            var hasHistory = _lanes.Peek(FeedLane.History, _isOpen) is not null;
            if (!hasLive && _history.Take(!hasHistory, !hasHistory, utcNow, now, _rows.LocalOf) is { } old)
            {
                _ready.Enqueue(old);
                continue;
            }

            if (!hasLive && !hasHistory)
            {
                break;
            }

            Read(hasLive ? FeedLane.Live : FeedLane.History, now);
        }

        return _suspects.Blind(Monotonic);
    }

    /// <summary>
    /// A platform is not sought in the whole outbox: when very much of a command had to be left, nothing more is read until some of it is taken. Only when that lasts for a day while others
    /// are taken do the others go on, and what comes after is set aside.
    /// </summary>
    private bool MayRead
    {
        get
        {
            foreach (var (command, passed) in _passed)
            {
                if (passed >= MostPassedOver && !(_suspects.HasTaken && Monotonic - _leftSince[command] >= GivenUpAfter))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>
    /// Whether a parcel is to be sent now. One of a command of which the platform has taken nothing on this connection, and of which enough stand aside, stays in the outbox; when too
    /// many stay there for a day, while the platform takes other commands, it is set aside.
    /// </summary>
    private bool Admit(Hj212Parcel parcel)
    {
        if (parcel.Command is not { } command || _suspects.IsTaking(command) || !_suspects.IsFull(command))
        {
            return true;
        }

        if (_passed.GetValueOrDefault(command) < MostPassedOver)
        {
            PassOver(parcel, command);
        }
        else
        {
            Settle(parcel, $"the platform takes nothing of the command {command} and takes others, for more than {GivenUpAfter.TotalHours:0} h, and {MostPassedOver} packets of it wait already");
        }

        return false;
    }

    /// <summary>Leaves the rows of a parcel in the outbox, until a platform begins to take the command or the connection is made anew.</summary>
    private void PassOver(Hj212Parcel parcel, string command)
    {
        _passed[command] = _passed.GetValueOrDefault(command) + 1;
        _leftSince.TryAdd(command, Monotonic);
        foreach (var row in parcel.Rows)
        {
            row.LeftOf = command;
            Release(row);
        }
    }

    /// <summary>Takes the next row of a lane: its windows are ready to be sent, a parcel for each command; its samples, if it has any, wait for the end of their interval.</summary>
    private void Read(FeedLane lane, TimeSpan now)
    {
        var stored = _lanes.Take(lane);
        var row = new Hj212OpenRow(stored);
        _open.Add(row.Id, row);
        try
        {
            if (_rows.RealTime is { } width)
            {
                foreach (var sample in _rows.SamplesOf(stored))
                {
                    (lane == FeedLane.Live ? _live : _history).Add(row, sample, width, now);
                }
            }

            foreach (var windows in _rows.WindowsOf(stored).GroupBy(d => d.Command))
            {
                row.Open++;
                _ready.Enqueue(new([.. windows], [row]));
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            row.Problem = e.Message;
        }

        Release(row);
    }

    /// <summary>Sends all packets of a parcel; null when the connection goes on, otherwise why it is given up.</summary>
    private async Task<string?> DeliverAsync(Hj212Session session, Hj212Parcel parcel, string password, CancellationToken stop)
    {
        IReadOnlyList<Hj212Packet> packets;
        try
        {
            packets =
            [
                .. parcel.Data.SelectMany(d => Hj212Split.Split(
                    Hj212Packet.Make(_numbers.Next(), _model.System, d.Command, password, _model.DeviceNumber, Hj212Flag.Of(wantsAnswer: true), d.Groups), _numbers.Next)),
            ];
        }
        catch (ArgumentException e)
        {
            Settle(parcel, e.Message);
            return null;
        }

        _again = parcel;
        foreach (var packet in packets)
        {
            _context.Beat?.Beat(LongestWait(session));
            Update(Status with { InFlight = 1, Sent = Status.Sent + 1 });
            Published(parcel);
            var (outcome, answer) = await session.SendAsync(packet, stop).ConfigureAwait(false);
            if (outcome != Hj212Delivery.Done)
            {
                return NotTaken(session, parcel, packet.Command, outcome, answer?.Value("QnRtn"));
            }

            if (_suspects.Taken(parcel, packet.Command) is { } proved)
            {
                Settle(proved, "never acknowledged, while the platform acknowledges others");
            }

            _leftSince.Remove(packet.Command);
            if (_passed.ContainsKey(packet.Command) && !_suspects.IsFull(packet.Command))
            {
                // What was left of this command comes again.
                _passed.Remove(packet.Command);
                _lanes.Begin();
            }
        }

        Settle(parcel, null);
        return null;
    }

    /// <summary>A packet was not acknowledged; why the connection is given up, or null.</summary>
    private string? NotTaken(Hj212Session session, Hj212Parcel parcel, string command, Hj212Delivery outcome, string? code)
    {
        Update(Status with { InFlight = 0 });
        if (outcome == Hj212Delivery.Refused && (code is WrongPassword or WrongDevice))
        {
            // It is the sender that is refused, not what it sends.
            return $"the platform refuses data with QnRtn {code}: check MN, password and system code with the authority";
        }

        _again = null;
        var hasPlace = _suspects.Contains(parcel) || !_suspects.IsFull(command);
        if (!hasPlace)
        {
            // Others of the command are taken, or it would not have been tried: this one comes again on the next connection.
            PassOver(parcel, command);
        }

        switch (outcome)
        {
            case Hj212Delivery.Refused:
                var reason = $"the platform refuses data of the command {command} with QnRtn {code}";
                if (hasPlace && _suspects.Failed(parcel, command, Monotonic) is { } refused)
                {
                    Settle(refused, $"{reason}, and takes others");
                }

                Tell(command, reason);
                return null;
            case Hj212Delivery.Unanswered:
                var silence = $"the platform did not acknowledge a packet of the command {command} within {session.Patience.Sendings} x {session.Patience.Answer.TotalSeconds:0} s: is it an HJ 212 platform, and are MN and password right?";
                var mayBeTheLink = _suspects.IsDoubting || !_suspects.HasTaken;
                if (hasPlace)
                {
                    _suspects.Unanswered(parcel, command, Monotonic);
                }

                Tell(command, silence);
                return mayBeTheLink ? silence : null;
            default:
                if (hasPlace && _suspects.Closed(parcel, command, Monotonic) is { } fatal)
                {
                    Settle(fatal, "the platform closes the connection at it again and again, and takes others");
                }

                return Ended;
        }
    }

    private string ClosedAtRest()
    {
        _suspects.Closed(null, "", Monotonic);
        return Ended;
    }

    /// <summary>A packet of a parcel is about to be sent: the first time that is told to who follows a sample.</summary>
    private void Published(Hj212Parcel parcel)
    {
        foreach (var row in parcel.Rows)
        {
            if (!row.IsSent)
            {
                row.IsSent = true;
                _context.Follower?.Current?.Published(Id, row.Id, bytes: 0);
            }
        }
    }

    /// <summary>A parcel needs no more care: acknowledged, or never taken for a reason.</summary>
    private void Settle(Hj212Parcel parcel, string? problem)
    {
        _suspects.Settled(parcel);
        _again = _again == parcel ? null : _again;
        foreach (var row in parcel.Rows)
        {
            row.Problem ??= problem;
            Release(row);
        }

        Update(Status with
        {
            InFlight = 0,
            BacklogRows = _lanes.Backlog,
            OldestWaiting = Oldest?.ToDateTimeOffset(),
            LastError = _suspects.Count == 0 ? null : Status.LastError,
        });
    }

    /// <summary>One less holds the row; the last one settles it.</summary>
    private void Release(Hj212OpenRow row)
    {
        if (--row.Open > 0)
        {
            return;
        }

        _open.Remove(row.Id);
        if (row.LeftOf is { } command)
        {
            if (!_passed.ContainsKey(command))
            {
                // The command is taken again, and the row was still held when what was left was read anew.
                _lanes.Begin();
            }

            return;
        }

        if (row.Problem is { } problem)
        {
            _context.Logger.UplinkQuarantined(Id, row.Id, row.Stream.Word(), problem);
            _context.Outbox.Quarantine(Id, row.Id, problem);
            _context.Follower?.Current?.Refused(Id, row.Id, problem);
            Update(Status with { Quarantined = Status.Quarantined + 1 });
        }
        else
        {
            _context.Outbox.Acknowledge(Id, row.Id);
            if (_context.Follower?.Current is { } follow)
            {
                if (row.IsSent)
                {
                    follow.Acknowledged(Id, row.Id);
                }
                else
                {
                    follow.Passed(Id, row.Id);
                }
            }

            Update(Status with { Acknowledged = Status.Acknowledged + 1 });
        }

        _done.Acknowledge(row.Id);
    }

    private Instant? Oldest
    {
        get
        {
            var oldest = _lanes.OldestWaiting(_isOpen, mayRead: false);
            foreach (var row in _open.Values)
            {
                oldest = oldest is null || row.Created < oldest ? row.Created : oldest;
            }

            return oldest;
        }
    }

    private TimeSpan Monotonic => _context.Time.GetElapsedTime(_began);

    /// <summary>Tells that something is not taken, though the connection stands: the log at most once an hour for each reason, the status always, with how much waits for how long.</summary>
    private void Tell(string command, string reason)
    {
        var now = Monotonic;
        if (_told.IsNew(reason, now))
        {
            _context.Logger.UplinkNotTaken(Id, command, reason);
        }

        var utcNow = _context.Time.GetUtcNow();
        var waits = _suspects.Latest is { } latest ? $". {_suspects.Count} stand aside, tried again when others are taken, and from {utcNow + (latest - now):HH:mm:ss}Z on before all else" : "";
        Update(Status with { LastError = reason + waits, LastErrorAt = utcNow });
    }

    private static TimeSpan LongestWait(Hj212Session session) => (session.Patience.Answer * session.Patience.Sendings) + UplinkContext.LongestRest;

    private void Down(string reason)
    {
        if ((Status.Connected && Monotonic - _connectedAt >= Lasting) | _told.IsNew(reason, Monotonic))
        {
            _context.Logger.UplinkDown(Id, Server, reason);
        }

        var now = _context.Time.GetUtcNow();
        Update(Status with { Connected = false, Since = Status.Connected ? now : Status.Since ?? now, InFlight = 0, LastError = reason, LastErrorAt = now, BacklogRows = _lanes.Backlog });
    }

    private DateTime LocalNow() => TimeZoneInfo.ConvertTime(_context.Time.GetUtcNow(), _model.TimeZone).DateTime;

    private void Update(UplinkStatus status) => Volatile.Write(ref _status, status);
}
