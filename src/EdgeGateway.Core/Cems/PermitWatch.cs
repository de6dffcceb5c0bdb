using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>
/// Holds the hourly and daily averages of one gas against its permit: a warning while the average can still be kept, by a forecast of the running hour and day,
/// and an alarm when it was broken. Values are mg/m3 dry, standard, at reference oxygen.
/// </summary>
/// <param name="gas">The gas and its limits.</param>
/// <param name="point">The point of the analyser; findings are said of it.</param>
internal sealed class PermitWatch(CemsGasModel gas, PointModel point)
{
    /// <summary>A forecast is told from this minute of the hour on: before, a single peak says nothing of an hour.</summary>
    public const int FirstMinutes = 10;

    /// <summary>The hour is taken to go on like the mean of so many minutes: one peak is no course.</summary>
    public const int Recent = 5;

    /// <summary>A forecast ends when it has fallen this far below the limit.</summary>
    private const decimal Clear = 0.98m;

    /// <summary>Detectors of the findings; the words of their alarms are in the message tables.</summary>
    public static readonly string[] Detectors = ["permit-forecast", "permit-hour", "permit-day-forecast", "permit-day"];

    private readonly Instant?[] _since = new Instant?[4];
    private readonly decimal[] _recent = new decimal[Recent];
    private decimal _minutesSum;
    private int _minutes;
    private decimal _hoursSum;
    private int _hours;

    /// <summary>A minute of the running hour has ended.</summary>
    /// <param name="corrected">Its mean.</param>
    /// <param name="left">Minutes left in the hour.</param>
    /// <param name="hoursLeft">Hours left in the day after this one.</param>
    /// <param name="time">Now, Unix milliseconds.</param>
    /// <param name="sink">Receives findings.</param>
    public void Minute(decimal corrected, int left, int hoursLeft, long time, IFeedSink sink)
    {
        _recent[_minutes % Recent] = corrected;
        _minutesSum += corrected;
        _minutes++;
        if (_minutes < FirstMinutes)
        {
            return;
        }

        var hour = (_minutesSum + (_recent.Mean() * left)) / (_minutes + left);
        if (gas.HourLimit is { } limit)
        {
            var sofar = _minutesSum / _minutes;
            Say(0, hour > limit, hour < limit * Clear, hour, limit, time, sink, () => FormattableString.Invariant(
                $"{Name} will average {hour:0.#} mg/m3 this hour if it goes on like this, above the permit of {limit:0.#} mg/m3; so far {sofar:0.#} mg/m3."));
        }

        if (gas.DayLimit is { } daily && _hours > 0)
        {
            var day = (_hoursSum + (hour * (1 + hoursLeft))) / (_hours + 1 + hoursLeft);
            Say(2, day > daily, day < daily * Clear, day, daily, time, sink, () => FormattableString.Invariant(
                $"{Name} will average {day:0.#} mg/m3 today if it goes on like this hour, above the permit of {daily:0.#} mg/m3."));
        }
    }

    /// <summary>The hour has ended.</summary>
    /// <param name="corrected">Its average; null when it is not valid.</param>
    /// <param name="time">Its end, Unix milliseconds.</param>
    /// <param name="sink">Receives findings.</param>
    public void EndHour(decimal? corrected, long time, IFeedSink sink)
    {
        (_minutesSum, _minutes) = (0, 0);
        if (gas.HourLimit is { } limit)
        {
            Say(0, false, true, 0, limit, time, sink, () => $"{Name}: the hour has ended.");
            if (corrected is { } hour)
            {
                Say(1, hour > limit, hour <= limit, hour, limit, time, sink, () => FormattableString.Invariant(
                    $"{Name} averaged {hour:0.##} mg/m3 in the hour that ended, above the permit of {limit:0.#} mg/m3."));
            }
        }

        if (corrected is { } valid)
        {
            _hoursSum += valid;
            _hours++;
        }
    }

    /// <summary>The day has ended; a day of fewer than 20 valid hours is not judged (HJ 76).</summary>
    public void EndDay(long time, IFeedSink sink)
    {
        if (gas.DayLimit is { } limit)
        {
            Say(2, false, true, 0, limit, time, sink, () => $"{Name}: the day has ended.");
            if (_hours >= HourValidity.Needed(CemsPeriod.Day))
            {
                var day = _hoursSum / _hours;
                Say(3, day > limit, day <= limit, day, limit, time, sink, () => FormattableString.Invariant(
                    $"{Name} averaged {day:0.##} mg/m3 in the day that ended, above the permit of {limit:0.#} mg/m3."));
            }
        }

        (_hoursSum, _hours) = (0, 0);
    }

    /// <summary>Clears what stands, because the configuration ends.</summary>
    public void End(long time, IFeedSink sink)
    {
        for (var i = 0; i < _since.Length; i++)
        {
            Say(i, false, true, 0, 0, time, sink, () => $"{Name}: the configuration has changed.");
        }
    }

    public void Shift(long milliseconds)
    {
        for (var i = 0; i < _since.Length; i++)
        {
            _since[i] = _since[i] is { } since ? new(since.UnixMilliseconds + milliseconds) : null;
        }
    }

    public void Save(StateWriter writer)
    {
        foreach (var since in _since)
        {
            writer.Write(since.HasValue);
            writer.Write(since.GetValueOrDefault());
        }

        foreach (var minute in _recent)
        {
            writer.Write(minute);
        }

        writer.Write(_minutesSum);
        writer.Write(_minutes);
        writer.Write(_hoursSum);
        writer.Write(_hours);
    }

    public void Load(ref StateReader reader)
    {
        for (var i = 0; i < _since.Length; i++)
        {
            var has = reader.ReadBoolean();
            var since = reader.ReadInstant();
            _since[i] = has ? since : null;
        }

        for (var i = 0; i < Recent; i++)
        {
            _recent[i] = reader.ReadDecimal();
        }

        _minutesSum = reader.ReadDecimal();
        _minutes = reader.ReadInt32();
        _hoursSum = reader.ReadDecimal();
        _hours = reader.ReadInt32();
    }

    private string Name => gas.Gas.ToUpperInvariant();

    private void Say(int which, bool raise, bool clear, decimal value, decimal limit, long time, IFeedSink sink, Func<string> text)
    {
        if (_since[which] is null ? !raise : !clear)
        {
            return;
        }

        // A point in ppm or percent has another unit than its permit: then the sentence alone says the numbers.
        var isSame = point.Unit == "mg/m3" && raise;
        sink.Anomaly(new()
        {
            Point = point.Index,
            Detector = Detectors[which],
            Raised = raise,
            Since = _since[which] ?? new(time),
            Time = new(time),
            Severity = which is 1 or 3 ? Severity.Alarm : Severity.Warning,
            Value = isSame ? (double)value : double.NaN,
            Limit = isSame ? (double)limit : double.NaN,
            Text = text(),
        });
        _since[which] = raise ? new Instant(time) : null;
    }
}
