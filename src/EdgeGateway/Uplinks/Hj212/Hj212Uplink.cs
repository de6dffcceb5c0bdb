using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Uplinks.Hj212;

/// <summary>
/// HJ 212-2017 to a platform, fed from the same outbox as the other uplinks and with a cursor of its own. A row leaves when the platform has acknowledged (9014) every packet made of
/// it; rows that hold nothing of its factors are settled when they are reached. What waits longest goes behind what is new: live rows first, history when none waits.
/// </summary>
/// <remarks>HJ 212-2017 knows no login: a platform knows the sender by MN and PW in each packet. A repeated packet keeps its QN as long as the connection stands.</remarks>
public sealed class Hj212Uplink : IUplink
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(500);

    private readonly Hj212UplinkModel _model;
    private readonly UplinkContext _context;
    private readonly Hj212Rows _rows;
    private readonly DeliveryCursor _done;
    private readonly DeliveryLanes _lanes;
    private readonly Hj212Numbers _numbers;
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
        _numbers = new(LocalNow);
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
        var pause = FirstPause;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var delivered = await ServeAsync(stop).ConfigureAwait(false);
                pause = delivered ? FirstPause : pause;
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
            Update(Status with { Connected = true, Since = _context.Time.GetUtcNow(), LastError = null });
            _context.Logger.UplinkConnected(Id, Server, _lanes.Backlog);
            var delivered = false;
            while (true)
            {
                session.Patience = commands.Patience;
                _context.Beat?.Beat(LongestWait(session));
                stop.ThrowIfCancellationRequested();
                var lane = _lanes.Peek(FeedLane.Live, static _ => false) is not null ? FeedLane.Live : FeedLane.History;
                if (_lanes.Peek(lane, static _ => false) is null)
                {
                    if (!await session.ListenAsync(Turn, stop).ConfigureAwait(false))
                    {
                        Down("the platform has closed the connection");
                        return delivered;
                    }

                    continue;
                }

                if (await DeliverAsync(session, _lanes.Take(lane), password, stop).ConfigureAwait(false) is { } problem)
                {
                    Down(problem);
                    return delivered;
                }

                delivered = true;
            }
        }
    }

    /// <summary>Sends all packets of a row; null when it is settled, otherwise why the connection is given up.</summary>
    private async Task<string?> DeliverAsync(Hj212Session session, OutboxRow row, string password, CancellationToken stop)
    {
        IReadOnlyList<Hj212Packet> packets;
        try
        {
            packets =
            [
                .. _rows.Of(row).SelectMany(p => Hj212Split.Split(
                    Hj212Packet.Make(_numbers.Next(), _model.System, p.Command, password, _model.DeviceNumber, Hj212Flag.Of(wantsAnswer: true), p.Groups), _numbers.Next)),
            ];
        }
        catch (Exception e) when (e is JsonException or ArgumentException or KeyNotFoundException or InvalidOperationException)
        {
            _context.Logger.UplinkQuarantined(Id, row.Id, row.Stream.Word(), e.Message);
            _context.Outbox.Quarantine(Id, row.Id, e.Message);
            _context.Follower?.Current?.Refused(Id, row.Id, e.Message);
            _done.Acknowledge(row.Id);
            Update(Status with { Quarantined = Status.Quarantined + 1 });
            return null;
        }

        foreach (var packet in packets)
        {
            _context.Beat?.Beat(LongestWait(session));
            Update(Status with { InFlight = 1, Sent = Status.Sent + 1 });
            _context.Follower?.Current?.Published(Id, row.Id, bytes: 0);
            var (delivery, answer) = await session.SendAsync(packet, stop).ConfigureAwait(false);
            if (delivery != Hj212Delivery.Done)
            {
                return delivery switch
                {
                    Hj212Delivery.Refused => $"the platform refuses data with QnRtn {answer?.Value("QnRtn")}: check MN, password and system code with the authority",
                    Hj212Delivery.Unanswered => $"the platform did not acknowledge a packet within {session.Patience.Sendings} x {session.Patience.Answer.TotalSeconds:0} s: is it an HJ 212 platform, and are MN and password right?",
                    _ => "the platform has closed the connection",
                };
            }
        }

        _done.Acknowledge(row.Id);
        _context.Outbox.Acknowledge(Id, row.Id);
        if (_context.Follower?.Current is { } follow)
        {
            if (packets.Count > 0)
            {
                follow.Acknowledged(Id, row.Id);
            }
            else
            {
                follow.Passed(Id, row.Id);
            }
        }

        Update(Status with
        {
            InFlight = 0,
            Acknowledged = Status.Acknowledged + 1,
            BacklogRows = _lanes.Backlog,
            OldestWaiting = _lanes.OldestWaiting(static _ => false, mayRead: false)?.ToDateTimeOffset(),
        });
        return null;
    }

    private static TimeSpan LongestWait(Hj212Session session) => (session.Patience.Answer * session.Patience.Sendings) + UplinkContext.LongestRest;

    private void Down(string reason)
    {
        if (Status.Connected || Status.LastError != reason)
        {
            _context.Logger.UplinkDown(Id, Server, reason);
        }

        var now = _context.Time.GetUtcNow();
        Update(Status with { Connected = false, Since = Status.Connected ? now : Status.Since ?? now, InFlight = 0, LastError = reason, LastErrorAt = now, BacklogRows = _lanes.Backlog });
    }

    private DateTime LocalNow() => TimeZoneInfo.ConvertTime(_context.Time.GetUtcNow(), _model.TimeZone).DateTime;

    private void Update(UplinkStatus status) => Volatile.Write(ref _status, status);
}
