using EdgeGateway.Core.Site;

namespace EdgeGateway.Buses;

/// <summary>What a bus owner knows of one device: whether it answers, and how often it did. Written by the owner task, read by <c>status</c>.</summary>
public sealed class DeviceLink(DeviceModel device)
{
    public DeviceModel Device { get; } = device;

    /// <summary>True after two failures in a row, until the next answer.</summary>
    public bool IsDown { get; internal set; }

    /// <summary>Requests sent.</summary>
    public long Requests { get; private set; }

    /// <summary>Requests that brought no valid reply; exceptions, which are replies, not included.</summary>
    public long Failed { get; private set; }

    /// <summary>Exception replies.</summary>
    public long Exceptions { get; private set; }

    /// <summary>Polls that were due and did not happen because the bus was busy.</summary>
    public long MissedPeriods { get; internal set; }

    /// <summary>Duration of the last exchange that brought a reply, in milliseconds.</summary>
    public long LastLatency { get; private set; }

    /// <summary>Why the last failed request failed.</summary>
    public BusReply Reason { get; internal set; }

    internal int Failures { get; set; }

    internal long NextProbe { get; set; }

    internal long LastReply { get; private set; }

    internal void Count(BusReply reply, long now, long latency)
    {
        Requests++;
        LastReply = now;
        if (reply.IsGood)
        {
            LastLatency = latency;
        }
        else if (reply.Reason == Core.QualityReason.DeviceException)
        {
            LastLatency = latency;
            Exceptions++;
        }
        else
        {
            Failed++;
        }
    }
}
