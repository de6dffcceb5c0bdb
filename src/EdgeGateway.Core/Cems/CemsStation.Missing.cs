
namespace EdgeGateway.Core.Cems;

/// <content>What is missing: substitutes, hours that wait for them or are taken back, and the periods that the rules count in.</content>
internal sealed partial class CemsStation
{
    /// <summary>What of the hour is measured ends the missing periods before it; what is not begins or prolongs one.</summary>
    private void Decide(CemsHour hour)
    {
        for (var q = 0; q < _tracks.Length; q++)
        {
            ref var entry = ref hour.Entries[q];
            var track = _tracks[q];
            var found = _model.Rules == CemsRules.Hj75 && q < _gases.Length ? entry.Rate : entry.Value;
            if (found is { } value)
            {
                Resolve(q, value);
                track.Take(value, hour.Bin, _start / HourMs);
                entry.Modc = _model.Rules == CemsRules.Part75 ? "01" : null;
                entry.Availability = track.Percent;
                continue;
            }

            track.Miss(_start / HourMs);
            entry.Availability = track.Percent;
            entry.Missing = track.Missing;
            if (track.Waits)
            {
                entry.IsWaiting = true;
            }
            else
            {
                entry.Rule = "NOT-COVERED";
            }
        }
    }

    /// <summary>Decides the missing period of a quantity for all hours that wait for it.</summary>
    private void Resolve(int q, decimal? after)
    {
        if (_tracks[q].Missing == 0)
        {
            return;
        }

        foreach (var hour in _waiting)
        {
            if (!hour.Entries[q].IsWaiting)
            {
                continue;
            }

            ref var entry = ref hour.Entries[q];
            var (substitute, refusal) = _tracks[q].Resolve(after, hour.Bin);
            entry.IsWaiting = false;
            entry.Rule = substitute.Rule;
            entry.Modc = substitute.Modc;
            entry.Lookback = substitute.Lookback;
            entry.Missing = _tracks[q].Missing;
            entry.Availability = _tracks[q].Percent;
            entry.Note = refusal ?? entry.Note;
            if (_model.Rules == CemsRules.Hj75 && q < _gases.Length)
            {
                entry.Rate = substitute.Value;
            }
            else
            {
                entry.Value = substitute.Value;
            }
        }
    }

    /// <summary>Publishes the hour that ended, and in their order all hours that are final now.</summary>
    private void Release(CemsHour latest)
    {
        if (_waiting.Count > MostWaiting)
        {
            for (var q = 0; q < _tracks.Length; q++)
            {
                Resolve(q, null);
            }
        }

        if (!latest.IsFinal)
        {
            Publish(latest, false);
        }

        ReleaseFinal();
    }

    /// <summary>Publishes, in their order, the hours that are final now.</summary>
    private void ReleaseFinal()
    {
        while (_waiting.TryPeek(out var hour) && hour.IsFinal)
        {
            _waiting.Dequeue();
            Publish(hour, true);
            if (_model.Rules == CemsRules.Hj75 && hour.Start >= _keptFrom && Array.Exists(_calibrations, c => c.LastPassed is not null))
            {
                _kept.Enqueue(hour);
            }
        }

        ForgetKept();
    }

    /// <summary>What no check can take back any more is not kept: hours before the last that passed, and more than <see cref="MostKept"/>.</summary>
    private void ForgetKept()
    {
        var oldest = long.MaxValue;
        foreach (var calibration in _calibrations)
        {
            oldest = Math.Min(oldest, calibration.LastPassed ?? long.MaxValue);
        }

        while (_kept.TryPeek(out var hour) && (_kept.Count > MostKept || hour.Start + hour.Width <= oldest))
        {
            _kept.Dequeue();
        }
    }

    /// <summary>HJ 75: an analyser whose check fails was out of control from the last that passed. Its hours since then are missing, and wait like those that follow for the test that passes.</summary>
    /// <param name="i">The gas.</param>
    /// <param name="passed">When the last check that passed ended.</param>
    /// <returns>How many hours the missing period has more now, and how many of them counted before.</returns>
    private (int Hours, int Counted) TakeBack(int i, long passed)
    {
        var (hours, counted) = (0, 0);
        List<CemsHour> again = [], kept = [];
        foreach (var hour in _kept)
        {
            var isTaken = hour.Start + hour.Width > passed && hour.Entries[i].IsValid;
            (isTaken ? again : kept).Add(hour);
        }

        foreach (var hour in (CemsHour[])[.. again, .. _waiting])
        {
            ref var entry = ref hour.Entries[i];
            if (hour.Start + hour.Width > passed && entry.IsValid)
            {
                // An hour of the gas whose mass was missing already, for want of the flow, has never counted; it belongs to the period that runs, or to one that has ended.
                hours += entry.IsWaiting ? 0 : 1;
                counted += entry is { Rate: not null, Rule: null } ? 1 : 0;
                (entry.Value, entry.Rate, entry.Corrected, entry.IsValid, entry.IsWaiting) = (null, null, null, false, true);
                (entry.Flag, entry.Calibration, entry.Missing) = (CemsFlag.Fault, CalibrationStatus.TestFailed, _tracks[i].Missing + hours);
                entry.Note = $"taken back: a check failed, and the last that passed was at {new Instant(passed)}";
            }
        }

        if (again.Count > 0)
        {
            // They go before what waits: hours leave in their order.
            CemsHour[] waiting = [.. again, .. _waiting];
            _waiting.Clear();
            Array.ForEach(waiting, _waiting.Enqueue);
            _kept.Clear();
            kept.ForEach(_kept.Enqueue);
            again.ForEach(hour => Publish(hour, false));
        }

        return (hours, counted);
    }

    private void FindPeriods(long time)
    {
        // A clock that was set back is in an earlier day or quarter again; one that was set forward ends them with the next hour.
        var (day, period) = (_grid.Containing(24 * HourMs, time).End, PeriodEnd(time));
        _dayEnd = _dayEnd == 0 ? day : Math.Min(_dayEnd, day);
        _periodEnd = _periodEnd == 0 ? period : Math.Min(_periodEnd, period);
    }

    /// <summary>A day, and a quarter or year of the rules, may have ended with the hour.</summary>
    private void EndPeriods(long end)
    {
        if (end >= _dayEnd)
        {
            _dayEnd = _grid.Containing(24 * HourMs, end).End;
            foreach (var permit in _permits)
            {
                permit?.EndDay(end, _sink);
            }
        }

        if (end >= _periodEnd && _model.Rules != CemsRules.Part75)
        {
            // What waits is decided by the period that ends: the next one knows nothing yet.
            for (var q = 0; q < _tracks.Length; q++)
            {
                Resolve(q, null);
                _tracks[q].BeginPeriod();
            }

            _kept.Clear();
            _keptFrom = end;
            _periodEnd = PeriodEnd(end);
        }
    }

    /// <summary>End of the local quarter (HJ 75) or year (EU) that contains <paramref name="time"/>.</summary>
    private long PeriodEnd(long time)
    {
        if (_model.Rules == CemsRules.Hj75)
        {
            return QuarterEnd(time, 0);
        }

        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(time), _site.TimeZone);
        var next = new DateTime(local.Year + 1, 1, 1);
        return new DateTimeOffset(next, _site.TimeZone.GetUtcOffset(next)).ToUnixTimeMilliseconds();
    }

    /// <summary>End of the local quarter that comes <paramref name="after"/> quarters after the one that contains <paramref name="time"/>.</summary>
    private long QuarterEnd(long time, int after)
    {
        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(time), _site.TimeZone);
        var next = new DateTime(local.Year, (((local.Month - 1) / 3) * 3) + 1, 1).AddMonths(3 * (after + 1));
        return new DateTimeOffset(next, _site.TimeZone.GetUtcOffset(next)).ToUnixTimeMilliseconds();
    }
}
