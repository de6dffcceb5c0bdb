namespace EdgeGateway.Protocols.Mqtt;

/// <summary>How long to wait before the next attempt: exponential, with jitter over the whole span, so that a fleet does not return at once.</summary>
internal sealed class ReconnectBackoff(TimeSpan min, TimeSpan max, TimeSpan minRefused, Func<double> jitter)
{
    /// <summary>A connection that lived this long was good; the next failure starts from the shortest wait.</summary>
    public static readonly TimeSpan StableAfter = TimeSpan.FromMinutes(1);

    private int _failures;

    /// <summary>Forgets earlier failures.</summary>
    public void Reset() => _failures = 0;

    /// <summary>A wait between the lower limit and an upper limit that doubles with each failure.</summary>
    /// <param name="cause">Failures that only a person can mend wait longer from the start.</param>
    public TimeSpan Next(MqttLossCause cause)
    {
        var slow = cause is MqttLossCause.BadCredentials or MqttLossCause.SessionTakenOver or MqttLossCause.Tls;
        var lower = slow && minRefused > min ? minRefused : min;
        var limit = max > lower ? max : lower;
        _failures = Math.Min(_failures + 1, 30);
        var upperTicks = Math.Min(limit.Ticks, lower.Ticks * Math.Pow(2, _failures));
        return lower + TimeSpan.FromTicks((long)((upperTicks - lower.Ticks) * Math.Clamp(jitter(), 0, 1)));
    }
}
