using EdgeGateway.Core.Site;

namespace EdgeGateway.Buses;

/// <summary>What a bus owner knows of one device: whether it answers, and how often it did. Written by the owner task, read by <c>status</c>.</summary>
public sealed class DeviceLink(DeviceModel device)
{
    private long? _lastExchange;

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

    /// <summary>Requests in a row without an answer.</summary>
    internal int Failures { get; set; }

    /// <summary>When it last failed to answer while it was down, on the monotonic clock.</summary>
    internal long LastFailure { get; set; }

    /// <summary>Every request of its polls.</summary>
    internal PolledRead[] Reads { get; set; } = [];

    /// <summary>Which of its requests the next probe uses.</summary>
    internal int Turn { get; set; }

    /// <summary>What is left of the quiet time that the device needs after an exchange; not positive when it may be asked.</summary>
    internal TimeSpan RestLeft(TimeProvider time) =>
        _lastExchange is { } last && Device.Profile.MinGap > TimeSpan.Zero ? Device.Profile.MinGap - time.GetElapsedTime(last) : TimeSpan.Zero;

    /// <summary>Counts an exchange that ended at <paramref name="timestamp"/> of the time provider and took <paramref name="latency"/> ms.</summary>
    internal void Count(BusReply reply, long timestamp, long latency)
    {
        Requests++;
        _lastExchange = timestamp;
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
