namespace EdgeGateway.Uplinks;

/// <summary>
/// Paces history beside live records: a token bucket of min(20 x live rate, 256 kB/s), never below 64 kB/s, or of a fixed rate.
/// Halved when the destination pushes back, and restored slowly (requirement B-2). Times are monotonic, from any origin.
/// </summary>
/// <param name="fixedBytesPerSecond">The rate that the user has set; null for the default.</param>
/// <param name="isOff">True: history never waits; what the link takes is still measured.</param>
public sealed class BackfillPace(long? fixedBytesPerSecond = null, bool isOff = false)
{
    public const double Slowest = 64_000;
    public const double Fastest = 256_000;

    private const double LiveFactor = 20;

    // Time constant of the mean live rate: long enough to bridge a summary a minute.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(2);

    // After a push-back the full pace is reached again in about two minutes for each halving.
    private static readonly TimeSpan Doubling = TimeSpan.FromMinutes(2);

    // Time constant of the measured rate of history: what a person takes for "now".
    private static readonly TimeSpan RateMemory = TimeSpan.FromSeconds(10);

    private double _liveRate;
    private double _historyRate;
    private double _throttle = 1;
    private double _tokens;
    private TimeSpan _last;
    private bool _started;

    /// <summary>Bytes per second that are allowed now; what is measured when there is no pace.</summary>
    public double BytesPerSecond
    {
        get
        {
            if (isOff)
            {
                return _historyRate;
            }

            var full = fixedBytesPerSecond ?? Math.Clamp(_liveRate * LiveFactor, Slowest, Fastest);
            return full * _throttle;
        }
    }

    /// <summary>How long history must wait; zero when the next message may go.</summary>
    public TimeSpan Wait(TimeSpan now)
    {
        Move(now);
        return isOff || _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(-_tokens / BytesPerSecond * 1000));
    }

    /// <summary>A history message left. The bucket may go into debt by one message, so that large messages pass too.</summary>
    public void HistorySent(int bytes, TimeSpan now)
    {
        Move(now);
        _tokens -= isOff ? 0 : bytes;
        _historyRate += bytes / RateMemory.TotalSeconds;
    }

    /// <summary>A live message left.</summary>
    public void LiveSent(int bytes, TimeSpan now)
    {
        Move(now);
        _liveRate += bytes / Memory.TotalSeconds;
    }

    /// <summary>The destination says that it is too much: half the pace from now on.</summary>
    public void PushedBack(TimeSpan now)
    {
        Move(now);
        _throttle = Math.Max(_throttle / 2, 1.0 / 64);
    }

    // A quarter of a second may be saved up.
    private double Saved => BytesPerSecond / 4;

    private void Move(TimeSpan now)
    {
        if (!_started)
        {
            _started = true;
            _last = now;
            _tokens = Saved;
            return;
        }

        var elapsed = now - _last;
        if (elapsed <= TimeSpan.Zero)
        {
            return;
        }

        _last = now;
        _tokens = Math.Min(_tokens + (BytesPerSecond * elapsed.TotalSeconds), Saved);
        _liveRate *= Math.Exp(-elapsed / Memory);
        _historyRate *= Math.Exp(-elapsed / RateMemory);
        _throttle = Math.Min(1, _throttle * Math.Pow(2, elapsed / Doubling));
    }
}
