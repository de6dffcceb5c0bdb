using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Buses;

/// <summary>What a bus owner knows of one device: whether it answers, how often, and how quickly. Written by the owner task, read by <c>status</c>.</summary>
public sealed class DeviceLink(DeviceModel device, BusModel bus)
{
    // A serial line loses nothing on the way, but devices pause to write their memory. Over a network one lost segment is sent again
    // after 200 ms (the usual least retransmission time of TCP).
    private static readonly TimeSpan LineFloor = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan NetworkFloor = TimeSpan.FromMilliseconds(300);

    // Few answers say little of the longest one.
    private const int FirstFactor = 3;

    private readonly LatencyEstimate _estimate = new();
    private long? _lastExchange;
    private int _probes;

    public DeviceModel Device { get; } = device;

    /// <summary>True after two failures in a row, until the next answer.</summary>
    public bool IsDown { get; internal set; }

    /// <summary>Requests sent.</summary>
    public long Requests { get; private set; }

    /// <summary>Requests that brought no valid reply; exceptions, which are replies, not included.</summary>
    public long Failed { get; private set; }

    /// <summary>Exception replies.</summary>
    public long Exceptions { get; private set; }

    /// <summary>Requests to which nothing came in time.</summary>
    public long Timeouts { get; private set; }

    /// <summary>Requests whose reply was damaged on the way: wrong CRC, too short, not to the request.</summary>
    public long Damaged { get; private set; }

    /// <summary>Polls that were due and did not happen because the bus was busy.</summary>
    public long MissedPeriods { get; internal set; }

    /// <summary>Duration of the last exchange that brought a reply, in milliseconds.</summary>
    public long LastLatency { get; private set; }

    /// <summary>What was learned of the device beyond its profile, in words; empty when it answers as its profile says.</summary>
    public IReadOnlyList<string> Learned { get; internal set; } = [];

    /// <summary>How long its replies took, without the time of the bytes on a serial wire.</summary>
    public LatencyHistogram Latency => _estimate.Histogram;

    /// <summary>The time limit of its next request.</summary>
    public TimeSpan Limit => _estimate.Limit(Floor, Device.Timeout, Math.Min(Failures, 1));

    /// <summary>Why the last failed request failed.</summary>
    public BusReply Reason { get; internal set; }

    /// <summary>Requests in a row without an answer.</summary>
    internal int Failures { get; set; }

    /// <summary>When it last failed to answer while it was down, on the monotonic clock.</summary>
    internal long LastFailure { get; set; }

    /// <summary>When it went down.</summary>
    internal long DownSince { get; set; }

    /// <summary>What its requests without an answer cost while it was up.</summary>
    internal TimeShare Lost { get; set; } = new(1);

    /// <summary>Its equal share of the time of the bus.</summary>
    internal TimeShare Used { get; set; } = new(1);

    /// <summary>Its polls and their requests.</summary>
    internal DevicePlans Plans { get; set; } = null!;

    /// <summary>Reads of it under way.</summary>
    internal int UnderWay { get; set; }

    /// <summary>Goes up with every request on the bus: who has the smallest has waited longest.</summary>
    internal long LastServed { get; set; }

    /// <summary>Whether a second request may go to it before the first one is answered.</summary>
    internal bool TakesOnlyOne => Device.Profile.MinGap > TimeSpan.Zero || Failures > 0 || NeverAnswered;

    /// <summary>Whether it has brought no answer since the start.</summary>
    internal bool NeverAnswered => Requests == Failed;

    /// <summary>What another device on this bus may be expected to need at most, judged by this one; null while it has not answered.</summary>
    internal TimeSpan? Usual
    {
        get
        {
            if (IsKnown || Latency.Count == 0)
            {
                return IsKnown ? Limit : null;
            }

            var usual = Latency.Longest * FirstFactor;
            usual = usual > Floor ? usual : Floor;
            return usual < Device.Timeout ? usual : Device.Timeout;
        }
    }

    /// <summary>Whether enough of its answers were seen to know how long it takes.</summary>
    internal bool IsKnown => _estimate.IsKnown;

    private TimeSpan Floor => bus is SerialBus ? LineFloor : NetworkFloor;

    /// <summary>
    /// The time limit of the next question whether it is back. Mostly short, so that asking is cheap and can be done often; every
    /// second one waits twice as long, every fourth four times and so on up to the device's own limit, so that one that came back slower is heard as well.
    /// </summary>
    /// <param name="usual">What is usual on this bus, for a device that never answered; null when nothing is known.</param>
    /// <remarks>One that was given up after a short first try gets all its time once before the short ones.</remarks>
    internal TimeSpan ProbeLimit(TimeSpan? usual)
    {
        if (NeverAnswered && _probes == 0)
        {
            return Device.Timeout;
        }

        var shift = System.Numerics.BitOperations.TrailingZeroCount(_probes + 1);
        if (IsKnown)
        {
            return _estimate.Limit(Floor, Device.Timeout, shift);
        }

        var limit = usual is { } known ? TimeSpan.FromTicks(Math.Max(known.Ticks, Floor.Ticks) << Math.Min(shift, 10)) : Device.Timeout;
        return limit < Device.Timeout ? limit : Device.Timeout;
    }

    /// <summary>What is left of the quiet time that the device needs after an exchange; not positive when it may be asked.</summary>
    internal TimeSpan RestLeft(TimeProvider time) =>
        _lastExchange is { } last && Device.Profile.MinGap > TimeSpan.Zero ? Device.Profile.MinGap - time.GetElapsedTime(last) : TimeSpan.Zero;

    /// <summary>Counts an exchange.</summary>
    /// <param name="reply">How it ended.</param>
    /// <param name="ended">Timestamp of its end.</param>
    /// <param name="took">Its duration.</param>
    /// <param name="onWire">How much of that its bytes were on a serial wire.</param>
    internal void Count(BusReply reply, long ended, TimeSpan took, TimeSpan onWire)
    {
        Requests++;
        _lastExchange = ended;
        switch (reply.Reason)
        {
            case QualityReason.None:
                break;
            case QualityReason.DeviceException:
                Exceptions++;
                break;
            case QualityReason.Timeout:
                Timeouts++;
                Failed++;
                break;
            case QualityReason.NotConnected:
                Failed++;
                break;
            default:
                Damaged++;
                Failed++;
                break;
        }

        if (reply.IsGood || reply.Reason == QualityReason.DeviceException)
        {
            LastLatency = (long)took.TotalMilliseconds;
        }

        if (reply.IsAnswer)
        {
            _probes = 0;
            _estimate.Answered(took - onWire);
        }
        else if (IsDown)
        {
            _probes++;
        }
    }
}
