using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>
/// What the commit loop makes of the wall clock: whether readings wait for it (decision 0010), how far it stepped since the last batch, and what log and feed are told of
/// it (requirements T-2 to T-4).
/// </summary>
/// <remarks>Used by the commit loop only; its records go with the next commit.</remarks>
internal sealed class ClockHold
{
    private static readonly TimeSpan StepLimit = GatewayClock.StepLimit;

    /// <summary>How often the last time that was right is noted (requirement T-4).</summary>
    private static readonly TimeSpan GoodTimeInterval = TimeSpan.FromHours(1);

    private readonly GatewayClock _clock;
    private readonly ClockNotes _notes;
    private readonly Action<Action<FeedEncoder, Instant>> _post;
    private readonly ILogger _log;
    private readonly long _until;

    private TimeQuality _toldQuality;
    private TimeSpan _correction;
    private TimeSpan? _step;
    private bool _isOver;
    private bool _isRefusalTold;
    private long _nextGoodTime;

    /// <param name="clock">The clock, which has begun.</param>
    /// <param name="notes">What the store keeps of it.</param>
    /// <param name="longest">How long readings wait at most.</param>
    /// <param name="post">Takes records for the next commit.</param>
    /// <param name="log">The log.</param>
    public ClockHold(GatewayClock clock, ClockNotes notes, TimeSpan longest, Action<Action<FeedEncoder, Instant>> post, ILogger log)
    {
        _clock = clock;
        _notes = notes;
        _post = post;
        _log = log;
        _isOver = notes.IsHoldOver;
        _until = clock.Monotonic + (long)longest.TotalMilliseconds;
    }

    /// <summary>Whether readings wait: the clock was never set, and may be soon.</summary>
    public bool IsOn => _clock.Quality == TimeQuality.Unset && !_isOver;

    /// <summary>Whether it has been waited for long enough.</summary>
    public bool IsExpired => IsOn && _clock.Monotonic >= _until;

    /// <summary>Whether a step waits to be taken with the next batch.</summary>
    public bool HasStep => _step is not null;

    /// <summary>Whether the clock was set while readings were held, and that is not told yet.</summary>
    public bool HasCorrection => _correction != TimeSpan.Zero;

    /// <summary>The step for the next batch, once.</summary>
    public TimeSpan? TakeStep()
    {
        var step = _step;
        _step = null;
        return step;
    }

    /// <summary>Waits no longer in this boot.</summary>
    /// <param name="why">Why, for the log.</param>
    /// <returns>The note of it for the next commit.</returns>
    public StoreNote End(string why)
    {
        _isOver = true;
        Log.TimeQualityChanged(_log, _clock.Quality.Word(), $"Readings are no longer held: {why}. Their dates are provisional");
        return _notes.HoldOver();
    }

    /// <summary>The note that this time is right, when one is due.</summary>
    public StoreNote? NoteGoodTime(Instant now, long monotonic, bool ending)
    {
        if (monotonic < _nextGoodTime && !ending)
        {
            return null;
        }

        _nextGoodTime = monotonic + (long)GoodTimeInterval.TotalMilliseconds;
        return _clock.Quality == TimeQuality.Unset ? null : _notes.Good(now, _clock.OffsetOfBoot);
    }

    /// <summary>Looks at the wall clock again: tells a step, or what it corrects of what is held.</summary>
    /// <param name="wasHeld">Whether readings were held until now.</param>
    public void Renew(bool wasHeld)
    {
        var moved = _clock.Renew();
        if (moved.Duration() > StepLimit)
        {
            if (wasHeld && _clock.Quality != TimeQuality.Unset)
            {
                // What was held gets its dates by this: no window was open by the clock before.
                _correction += moved;
                _step = null;
                Log.ClockSet(_log, moved);
            }
            else
            {
                Step(moved, "The wall clock stepped", isHolding: wasHeld);
            }
        }

        if (_clock.Refused != TimeSpan.Zero && !_isRefusalTold)
        {
            // A step is an event also where it is not followed (requirement T-3).
            var by = _clock.Refused;
            Log.ClockRefused(_log, by);
            _post((encoder, at) => encoder.Health(new HealthRecord
            {
                Time = at,
                Kind = HealthKind.ClockStep,
                Text = $"The computer's clock was set back by {by.Duration().TotalSeconds:F1} s to a time that cannot be. The gateway does not follow it and goes on by its monotonic clock; no window is cut. Set the clock.",
                Fields = [new HealthField("stepMilliseconds", 0L), new HealthField("refusedMilliseconds", (long)by.TotalMilliseconds)],
            }));
        }

        _isRefusalTold = _clock.Refused != TimeSpan.Zero;

        TellQuality();
    }

    /// <summary>Tells that what was held is processed now.</summary>
    /// <param name="held">Readings that were held.</param>
    /// <param name="isDated">Whether they got their dates.</param>
    public void TellRelease(long held, bool isDated)
    {
        var correction = _correction;
        _correction = TimeSpan.Zero;
        _post((encoder, now) => encoder.Health(new HealthRecord
        {
            Time = now,
            Kind = HealthKind.TimeQuality,
            Text = isDated
                ? $"The clock became known: {held} readings that were held were dated anew, by {correction.TotalSeconds:F1} s."
                : $"The clock did not become known: {held} readings that were held keep provisional dates. Connect a time source (NTP), or set the clock.",
            Fields =
            [
                new HealthField("quality", isDated ? _clock.Quality.Word() : TimeQuality.Unset.Word()), new HealthField("heldReadings", held),
                new HealthField("correctionMilliseconds", (long)correction.TotalMilliseconds),
            ],
        }));
    }

    /// <summary>Tells when something else is known of the clock than before.</summary>
    public void TellQuality()
    {
        var quality = _clock.Quality;
        if (quality == _toldQuality)
        {
            return;
        }

        var text = _clock.Text;
        _nextGoodTime = 0;
        Log.TimeQualityChanged(_log, quality.Word(), text);
        if (_toldQuality != TimeQuality.Unknown || quality == TimeQuality.Unset)
        {
            _post((encoder, now) => encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.TimeQuality,
                Text = $"The clock is {quality.Word()}. {text}.",
                Fields = [new HealthField("quality", quality.Word())],
            }));
        }

        _toldQuality = quality;
    }

    /// <summary>Notes a step of the wall clock for the next batch, and tells it.</summary>
    /// <param name="by">How far.</param>
    /// <param name="what">What happened, in words.</param>
    /// <param name="isHolding">Whether readings are held now: no date was given by the clock before.</param>
    public void Step(TimeSpan by, string what, bool isHolding)
    {
        _step = (_step ?? TimeSpan.Zero) + by;
        Log.ClockStepped(_log, by);
        var effect = isHolding
            ? "No date was given by it: readings are held until the clock is known."
            : "Open windows were closed early and a new clock era began.";
        _post((encoder, at) => encoder.Health(new HealthRecord
        {
            Time = at,
            Kind = HealthKind.ClockStep,
            Text = $"{what} {(by < TimeSpan.Zero ? "back" : "forward")} by {by.Duration().TotalSeconds:F1} s. {effect}",
            Fields = [new HealthField("stepMilliseconds", (long)by.TotalMilliseconds)],
        }));
    }
}
