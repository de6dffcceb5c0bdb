namespace EdgeGateway.Buses;

/// <summary>
/// The circuit breaker of a bus: which devices are down, when one is asked whether it is back, and what all requests without an answer
/// may cost together.
/// </summary>
/// <remarks>
/// <para>
/// A device that fails twice in a row, or at its very first request while others have answered, is <em>down</em>: its polls report the
/// reason without touching the wire. The devices that are down are probed in turn; a probe that costs c is followed by the next one 10 c after its start at the earliest, and a second after its end:
/// all of them together take a tenth of the bus. So a device is noticed within ten times the probe's time limit times the number of
/// devices that are down, and the second that a probe may wait for a moment when it delays nobody.
/// </para>
/// <para>
/// A device that fails now and then is asked as planned while it costs less than its part of a twentieth of the bus in the long run.
/// Beyond that it is <em>flaky</em>, and all flaky ones together get another twentieth. What these fail is taken from the probes' tenth.
/// </para>
/// </remarks>
internal sealed class Outages
{
    private const int FailuresUntilDown = 2;
    private const int ProbeShare = 10;
    private const int FlakyShare = 20;
    private const int FailuresForgiven = 3;
    private const long MinPause = 1_000;
    private const long LongestDebt = 10_000;

    // A device that comes back after a shorter time has not shown that a line was repaired.
    private const long RepairTime = 10_000;

    private readonly DeviceLink[] _links;
    private readonly TimeShare _lost = new(ProbeShare);
    private readonly TimeShare _flaky = new(FlakyShare);
    private long _pauseUntil = long.MinValue;
    private int _down;

    public Outages(DeviceLink[] links)
    {
        _links = links;
        foreach (var link in links)
        {
            link.Lost = new TimeShare(FlakyShare * links.Length);
        }
    }

    /// <summary>When the next probe is due; <see cref="long.MaxValue"/> when no device is down or one is being probed.</summary>
    public long NextProbe => _down == 0 || IsProbing ? long.MaxValue : Math.Max(_pauseUntil, _lost.UsedUntil);

    /// <summary>Whether a probe is under way.</summary>
    public bool IsProbing { get; set; }

    /// <summary>The device that has been left alone longest.</summary>
    public DeviceLink Candidate()
    {
        DeviceLink? link = null;
        foreach (var other in _links)
        {
            if (other.IsDown && (link is null || other.LastFailure < link.LastFailure))
            {
                link = other;
            }
        }

        return link ?? throw new InvalidOperationException("No device is down.");
    }

    /// <summary>
    /// The time limit of the devices of this bus that answer, on average, as a measure for one that never did; null when nothing is known.
    /// Not the longest: one answer that was slow once would make every probe long.
    /// </summary>
    public TimeSpan? UsualLimit()
    {
        var (sum, known) = (TimeSpan.Zero, 0);
        foreach (var link in _links)
        {
            if (!link.IsDown && link.Usual is { } usual)
            {
                sum += usual;
                known++;
            }
        }

        return known > 0 ? sum / known : null;
    }

    /// <summary>
    /// The time limit of a device's next request. At the start nobody knows which devices are there: as soon as others have answered,
    /// the first request to one waits no longer than is usual on this bus, so that dead ones do not cost the others their periods.
    /// </summary>
    public TimeSpan LimitOf(DeviceLink link) =>
        link.Requests == 0 && UsualLimit() is { } usual && usual < link.Device.Timeout ? usual : link.Limit;

    /// <summary>Whether a device is left alone now though a poll is due.</summary>
    public bool IsLeftAlone(DeviceLink link, long now) => link.IsDown || (IsFlaky(link, now) && _flaky.UsedUntil > now);

    /// <summary>Whether a device that is up fails so often that the others would feel it.</summary>
    public bool IsFlaky(DeviceLink link, long now) =>
        _links.Length > 1 && link.Lost.UsedUntil > now + (FlakyShare * _links.Length * FailuresForgiven * (long)link.Device.Timeout.TotalMilliseconds);

    /// <summary>Notes that a device answered.</summary>
    /// <returns>True when it was down.</returns>
    public bool Answered(DeviceLink link, long now)
    {
        link.Failures = 0;
        if (!link.IsDown)
        {
            return false;
        }

        link.IsDown = false;
        _down--;
        if (now - link.DownSince >= RepairTime)
        {
            // Whatever was repaired, others may be back with it: the next one is asked at once.
            _lost.Forgive(now);
            _pauseUntil = now;
        }

        return true;
    }

    /// <summary>Charges a request that brought no answer.</summary>
    /// <param name="link">The device.</param>
    /// <param name="began">Its start.</param>
    /// <param name="ended">Its end.</param>
    /// <param name="cost">What it took of the bus.</param>
    /// <param name="isUsual">Whether the device is known to leave just this request unanswered; it is then sent seldom, and no sign of anything.</param>
    public void Charge(DeviceLink link, long began, long ended, double cost, bool isUsual)
    {
        if (link.NeverAnswered && !link.IsDown)
        {
            // At the start every device is given a chance.
            return;
        }

        _lost.Charge(began, cost);
        _lost.Forgive(ended + Math.Max(LongestDebt, (long)(ProbeShare * cost)));
        if (link.IsDown || isUsual)
        {
            return;
        }

        if (IsFlaky(link, began))
        {
            _flaky.Charge(began, cost);
        }

        link.Lost.Charge(began, cost);
        link.Lost.Forgive(ended + (2 * FlakyShare * _links.Length * FailuresForgiven * (long)link.Device.Timeout.TotalMilliseconds));
    }

    /// <summary>Notes that a device did not answer.</summary>
    /// <returns>True when it went down by it.</returns>
    public bool Failed(DeviceLink link, BusReply reply, long now)
    {
        link.Reason = reply;
        link.Failures++;

        // One that is silent from the start while others answer is asked the second time in its turn, like those that are down.
        var isAbsent = link.NeverAnswered && UsualLimit() is not null;
        var wentDown = !link.IsDown && (link.Failures >= FailuresUntilDown || isAbsent);
        if (wentDown)
        {
            link.IsDown = true;
            link.DownSince = now;
            _down++;
        }

        if (link.IsDown)
        {
            link.LastFailure = now;
            _pauseUntil = now + MinPause;
        }

        return wentDown;
    }
}
