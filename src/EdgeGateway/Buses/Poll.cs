using EdgeGateway.Core.Polling;

namespace EdgeGateway.Buses;

/// <summary>The points of one device that have one period, and the requests that bring them.</summary>
internal sealed class Poll(DeviceLink link, TimeSpan period, PolledRead[] reads)
{
    public DeviceLink Link { get; } = link;

    public TimeSpan Period { get; } = period;

    public PolledRead[] Reads { get; } = reads;

    /// <summary>Read when the device is first reached, and again when it comes back.</summary>
    public bool IsOnce => Period == TimeSpan.Zero;

    public int Order { get; set; }

    /// <summary>Monotonic time of the deadline; <see cref="long.MaxValue"/> while none is planned.</summary>
    public long Due { get; set; }

    /// <summary>False until the first poll, which is not on the clock, is done.</summary>
    public bool Started { get; set; }
}

/// <summary>A planned request and how it fared: a device may answer all but one of them.</summary>
internal sealed class PolledRead(PlannedRead plan)
{
    public PlannedRead Plan { get; } = plan;

    /// <summary>Times in a row that no reply came to it.</summary>
    public int Failures { get; set; }

    /// <summary>Not to be sent before this monotonic time.</summary>
    public long NotBefore { get; set; }

    /// <summary>Why the last one failed.</summary>
    public BusReply Reason { get; set; }
}
