using EdgeGateway.Core;
using EdgeGateway.Core.State;

namespace EdgeGateway.Hosting;

/// <summary>The two clocks of the gateway, both in whole milliseconds: the monotonic one, which never steps, and the wall clock with what is known of it.</summary>
/// <remarks>
/// Pollers and time limits use the monotonic clock only; see <c>docs/decisions/0004</c>. Whether the wall clock is believed is decided here, see
/// <c>docs/decisions/0010</c>. One thread calls <see cref="Begin"/> and <see cref="Renew"/>; all else may be asked from any.
/// </remarks>
public sealed class GatewayClock
{
    /// <summary>No clock that is right shows an earlier time: the runtime for which this program is made did not exist before.</summary>
    internal static readonly Instant Earliest = Instant.Parse("2025-11-01T00:00:00Z");

    /// <summary>A change of the wall clock against the monotonic one that counts as a step (requirement T-3).</summary>
    internal static readonly TimeSpan StepLimit = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;
    private readonly IClockSource? _source;
    private readonly long _origin;
    private readonly long _originSinceBoot;
    private long _offset;
    private Instant _lowerBound = Earliest;
    private bool _isTrusted;
    private int _quality;
    private string _text;
    private long _maximumError = -1;

    /// <summary>The clocks of a program that takes the wall clock as it is.</summary>
    public GatewayClock(TimeProvider time)
        : this(time, null)
    {
    }

    /// <summary>The clocks, and somebody to ask about the wall clock; until <see cref="Begin"/> it is not believed. Null: it is taken as it is.</summary>
    internal GatewayClock(TimeProvider time, IClockSource? source)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _source = source;
        _origin = time.GetTimestamp();
        _originSinceBoot = (long)(_origin / (double)time.TimestampFrequency * 1000);
        _offset = time.GetUtcNow().ToUnixTimeMilliseconds();
        _isTrusted = source is null;
        _quality = (int)(source is null ? TimeQuality.Holdover : TimeQuality.Unset);
        _text = source is null ? "The clock is taken as it is" : "Nothing is known of the clock yet";
    }

    /// <summary>The provider behind both clocks, for timers.</summary>
    public TimeProvider Time => _time;

    /// <summary>Milliseconds since the process started.</summary>
    public long Monotonic => (long)_time.GetElapsedTime(_origin).TotalMilliseconds;

    /// <summary>Wall time at monotonic zero, in Unix milliseconds, as of the last <see cref="Renew"/>.</summary>
    public long Offset => Volatile.Read(ref _offset);

    /// <summary>Wall time at zero of the boot's monotonic clock, in Unix milliseconds: comparable between processes of one boot.</summary>
    public long OffsetOfBoot => Offset - _originSinceBoot;

    /// <summary>What is known of the wall clock.</summary>
    public TimeQuality Quality => (TimeQuality)Volatile.Read(ref _quality);

    /// <summary>Why, in words.</summary>
    public string Text => Volatile.Read(ref _text);

    /// <summary>How far the wall clock may be off, as the kernel estimates; null when it does not say.</summary>
    public TimeSpan? MaximumError => Interlocked.Read(ref _maximumError) is >= 0 and var ticks ? new TimeSpan(ticks) : null;

    /// <summary>How far the computer's clock is from the gateway's while it shows a time that cannot be and is not followed; else zero.</summary>
    public TimeSpan Refused { get; private set; }

    /// <summary>Wall time of a monotonic reading under the offset in force.</summary>
    public Instant At(long monotonic) => new(monotonic + Offset);

    /// <summary>The boot's monotonic clock at a reading of <see cref="Monotonic"/>.</summary>
    public long SinceBoot(long monotonic) => monotonic + _originSinceBoot;

    /// <summary>Judges the wall clock for the first time.</summary>
    /// <param name="lastGood">The last time of which it is known that it was right, from before this start; null when there is none.</param>
    /// <param name="offsetOfBoot">The <see cref="OffsetOfBoot"/> of an earlier process of this boot whose clock was believed; null when there was none.</param>
    public void Begin(Instant? lastGood, long? offsetOfBoot)
    {
        if (_source?.Read() is not { } facts)
        {
            return;
        }

        var wall = At(Monotonic);
        _isTrusted = offsetOfBoot is not null || (facts.HasChip && wall >= Earliest && !(wall + StepLimit < lastGood));
        if (offsetOfBoot is { } known && wall < Earliest)
        {
            // Somebody spoiled the clock since; within a boot the monotonic one knows better.
            Volatile.Write(ref _offset, known + _originSinceBoot);
        }

        _lowerBound = lastGood is { } good && good > Earliest ? good : Earliest;
        Judge(facts, wall, TimeSpan.Zero);
    }

    /// <summary>
    /// Looks at the wall clock again and takes over its offset; a change of less than a millisecond is left for later. A wall clock that was right and
    /// now shows a time that cannot be is not followed.
    /// </summary>
    /// <returns>How far the wall clock moved against the monotonic one since its offset was last taken over, in whole milliseconds.</returns>
    public TimeSpan Renew()
    {
        // In ticks: the difference of two times that are each cut to milliseconds would go up and down by one for no reason.
        var offset = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch - _time.GetElapsedTime(_origin)).Ticks;
        var moved = TimeSpan.FromMilliseconds((offset - (Offset * TimeSpan.TicksPerMillisecond)) / TimeSpan.TicksPerMillisecond);
        if (_source is null)
        {
            Volatile.Write(ref _offset, Offset + (long)moved.TotalMilliseconds);
            return moved;
        }

        var wall = At(Monotonic) + moved;
        if (_isTrusted && wall < Earliest)
        {
            Refused = moved;
            Judge(_source.Read(), wall, moved);
            return TimeSpan.Zero;
        }

        Refused = TimeSpan.Zero;

        Volatile.Write(ref _offset, Offset + (long)moved.TotalMilliseconds);
        Judge(_source.Read(), wall, moved);
        return moved;
    }

    /// <summary>
    /// Monotonic time of the next multiple of <paramref name="period"/> on the wall clock after <paramref name="monotonic"/>: polls of all gateways of a
    /// site fall on the same instants.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The period is shorter than a millisecond.</exception>
    public long NextAligned(long monotonic, TimeSpan period)
    {
        var width = (long)period.TotalMilliseconds;
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1, nameof(period));
        var past = (monotonic + Offset) % width;

        // Before 1970 the remainder is negative.
        return monotonic + (past < 0 ? -past : width - past);
    }

    private void Judge(in ClockFacts facts, Instant wall, TimeSpan moved)
    {
        TimeQuality quality;
        string text;
        if (_isTrusted && wall < Earliest)
        {
            (quality, text) = (TimeQuality.Holdover, "The computer's clock shows a time that cannot be; the gateway goes on by its monotonic clock. Set the computer's clock");
        }
        else if (facts.IsSynchronised && wall >= Earliest)
        {
            _isTrusted = true;
            (quality, text) = (TimeQuality.Synchronised, "A time source keeps the clock");
        }
        else if (_isTrusted)
        {
            (quality, text) = (TimeQuality.Holdover, "No time source keeps the clock now; it runs free");
        }
        else if (moved.Duration() > StepLimit && wall >= _lowerBound)
        {
            // Whoever set it knew a time; a source that keeps it may come later.
            _isTrusted = true;
            (quality, text) = (TimeQuality.Holdover, "Somebody set the clock; no time source keeps it");
        }
        else
        {
            (quality, text) = (TimeQuality.Unset, wall < _lowerBound
                ? "The computer's clock is behind a time that has already been. Connect a time source (NTP), or set the clock"
                : "The computer has no clock that runs while it is off, and no time source has set it since it started. Connect a time source (NTP), or set the clock");
        }

        Volatile.Write(ref _text, text);
        Volatile.Write(ref _quality, (int)quality);
        Interlocked.Exchange(ref _maximumError, facts.MaximumError?.Ticks ?? -1);
    }
}
