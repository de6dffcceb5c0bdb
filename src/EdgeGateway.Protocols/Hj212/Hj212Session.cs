using System.Globalization;

namespace EdgeGateway.Protocols.Hj212;

/// <summary>How a packet that wants an answer fared.</summary>
public enum Hj212Delivery
{
    /// <summary>The other side has acknowledged it, or it wanted no answer and was sent.</summary>
    Done,

    /// <summary>The other side refuses it (9011 with another QnRtn than 1).</summary>
    Refused,

    /// <summary>No answer came, however often it was repeated.</summary>
    Unanswered,

    /// <summary>The link is closed.</summary>
    Closed,
}

/// <summary>How long a session waits, and how often it repeats. HJ 212-2017, table 6 (CN 1000): OverTime and ReCount.</summary>
public sealed record Hj212Patience
{
    /// <summary>How long an answer may take.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a packet is sent at most in all: 3 by default.</summary>
    public int Sendings { get; init; } = 3;

    /// <summary>How long the link may take to accept a packet.</summary>
    public TimeSpan Write { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>One conversation over a link, from either side: packets that want an answer are repeated until it comes, and what the other side sends meanwhile is handled.</summary>
/// <remarks>Has one owner, that calls one method at a time. The other side is answered only while a method runs; <see cref="ListenAsync"/> is for the time between.</remarks>
/// <param name="link">The link, which the session then owns.</param>
/// <param name="receive">Takes a packet that answers nothing of ours, and gives what is sent back; called in the order of packets.</param>
/// <param name="time">The clock.</param>
public sealed class Hj212Session(Hj212Link link, Func<Hj212Packet, IReadOnlyList<Hj212Packet>> receive, TimeProvider time) : IAsyncDisposable
{
    /// <summary>How long and how often; may be changed by the other side (CN 1000).</summary>
    public Hj212Patience Patience { get; set; } = new();

    /// <summary>The link.</summary>
    public Hj212Link Link => link;

    /// <summary>Packets sent again because their answer did not come.</summary>
    public long Repeated { get; private set; }

    /// <summary>Answers to nothing that is awaited: late ones, and copies.</summary>
    public long StrayAnswers { get; private set; }

    /// <summary>Sends a packet, and waits for its answer when its flag wants one. Data are acknowledged by 9014 alone: that a request was understood, or carried out, is no receipt.</summary>
    /// <param name="packet">What is sent.</param>
    /// <param name="cancel">Stops waiting; the packet may have arrived all the same.</param>
    /// <returns>How it fared, and the answer if there was one.</returns>
    public ValueTask<(Hj212Delivery Delivery, Hj212Packet? Answer)> SendAsync(Hj212Packet packet, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(packet);
        return Hj212Command.IsData(packet.Command)
            ? SendAsync(packet, static answer => answer.Command == Hj212Command.DataAck || IsRefusal(answer), cancel)
            : SendAsync(packet, static _ => true, cancel);
    }

    private async ValueTask<(Hj212Delivery Delivery, Hj212Packet? Answer)> SendAsync(Hj212Packet packet, Func<Hj212Packet, bool> ends, CancellationToken cancel)
    {
        for (var sending = 1; ; sending++)
        {
            if (!await link.SendAsync(packet, Patience.Write, cancel).ConfigureAwait(false))
            {
                return (Hj212Delivery.Closed, null);
            }

            if (!packet.Flag.WantsAnswer)
            {
                return (Hj212Delivery.Done, null);
            }

            var (heard, answer) = await AwaitAsync(p => Hj212Command.IsAnswer(p.Command) && p.Number == packet.Number && ends(p), Patience.Answer, cancel).ConfigureAwait(false);
            if (heard == Hj212Event.Closed)
            {
                return (Hj212Delivery.Closed, null);
            }

            if (answer is not null)
            {
                return (IsRefusal(answer) ? Hj212Delivery.Refused : Hj212Delivery.Done, answer);
            }

            if (sending >= Patience.Sendings)
            {
                return (Hj212Delivery.Unanswered, null);
            }

            Repeated++;
        }
    }

    /// <summary>Asks the other side to do something, and waits until it says how that ended (9012). HJ 212-2017, 5.1.2.</summary>
    /// <param name="request">The request; its flag wants an answer.</param>
    /// <param name="execution">How long the other side may work on it after it has agreed.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <returns>How the request was taken, and its result: the ExeRtn; null when none came.</returns>
    public async ValueTask<(Hj212Delivery Delivery, Hj212Packet? Answer, int? Result)> RequestAsync(Hj212Packet request, TimeSpan execution, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (delivery, answer) = await SendAsync(request, static _ => true, cancel).ConfigureAwait(false);
        if (delivery != Hj212Delivery.Done || answer is null)
        {
            return (delivery, answer, null);
        }

        var result = answer;
        if (answer.Command != Hj212Command.Result)
        {
            (var heard, result) = await AwaitAsync(p => p.Command == Hj212Command.Result && p.Number == request.Number, execution, cancel).ConfigureAwait(false);
            if (heard == Hj212Event.Closed)
            {
                return (Hj212Delivery.Closed, answer, null);
            }
        }

        return (Hj212Delivery.Done, answer, int.TryParse(result?.Value("ExeRtn"), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : null);
    }

    /// <summary>Answers the other side for a while.</summary>
    /// <returns>False when the link is closed.</returns>
    public async ValueTask<bool> ListenAsync(TimeSpan wait, CancellationToken cancel = default) =>
        (await AwaitAsync(static _ => false, wait, cancel).ConfigureAwait(false)).Event != Hj212Event.Closed;

    /// <summary>Closes the link.</summary>
    public ValueTask DisposeAsync() => link.DisposeAsync();

    // Table 4 (QnRtn). How a request of ours was carried out (9012) is not among it: RequestAsync gives that as its result.
    private static bool IsRefusal(Hj212Packet answer) => answer.Command == Hj212Command.RequestAnswer && answer.Value("QnRtn") is { } code && code != "1";

    private async ValueTask<(Hj212Event Event, Hj212Packet? Packet)> AwaitAsync(Func<Hj212Packet, bool> isAwaited, TimeSpan wait, CancellationToken cancel)
    {
        var deadline = new Deadline(time, wait);
        while (true)
        {
            var (heard, packet) = await link.ReceiveAsync(deadline.Left, cancel).ConfigureAwait(false);
            if (packet is null)
            {
                return (heard, null);
            }

            if (isAwaited(packet))
            {
                return (heard, packet);
            }

            if (Hj212Command.IsAnswer(packet.Command))
            {
                StrayAnswers++;
            }
            else
            {
                foreach (var reply in receive(packet))
                {
                    if (!await link.SendAsync(reply, Patience.Write, cancel).ConfigureAwait(false))
                    {
                        return (Hj212Event.Closed, null);
                    }
                }
            }

            // However much the other side sends: what is awaited has its time.
            if (deadline.Left == TimeSpan.Zero)
            {
                return (Hj212Event.Silence, null);
            }
        }
    }
}

/// <summary>Numbers of requests: yyyyMMddHHmmsszzz of the sender's local time, each later than the one before.</summary>
/// <param name="now">The local time of the site.</param>
public sealed class Hj212Numbers(Func<DateTime> now)
{
    private DateTime _last = DateTime.MinValue;

    /// <summary>The next number.</summary>
    public string Next()
    {
        var wanted = now();
        wanted = wanted.AddTicks(-(wanted.Ticks % TimeSpan.TicksPerMillisecond));
        _last = wanted > _last ? wanted : _last.AddMilliseconds(1);
        return _last.ToString(Hj212Time.NumberFormat, CultureInfo.InvariantCulture);
    }
}
