using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Validation;

/// <summary>
/// Follows one counter: how much it grew, and whether a reading can be true. Rules of the counter catalogue: normal, roll-over,
/// reset or exchange, rollback, jump.
/// </summary>
/// <remarks>
/// A reading that cannot follow from the one before is held. A fall is believed when one further reading confirms the lower level, a
/// jump when two further readings confirm the higher one; then only the growth at the new level is counted, so energy is never
/// invented. When instead a reading fits the old level again, the held one was false and nothing is lost.
/// </remarks>
internal sealed class CounterTrack
{
    /// <summary>With what the names of all its findings begin: <see cref="Findings"/>.</summary>
    public const string DetectorName = "counter";

    /// <summary>Names under which findings are published, one for each thing that happens to a counter, in the order of the states that they are kept in.</summary>
    public static readonly IReadOnlyList<string> Findings =
        [DetectorName, "counter-rollover", "counter-step", "counter-glitch", "counter-reset", "counter-swap", "counter-jump", "counter-loss"];

    private const decimal Allowance = 1.2m;
    private const int RollbackSteps = 3;

    /// <summary>Most changes of level that wait for their readings; an older one gives way, and its record stands in the feed.</summary>
    private const int MostExchanges = 8;

    /// <summary>Beyond what any register shows: readings that a person tells are no larger.</summary>
    private const decimal MostSettled = 1e15m;

    /// <summary>Registers are refreshed in steps: growth of at least this long may appear at once.</summary>
    private const long RefreshMs = 60_000;

    /// <summary>Growth since the register last moved may appear at once, up to this long.</summary>
    private const long LongestRefreshMs = 900_000;

    /// <summary>A believed reset or jump stays raised until the counter has run normally for this long.</summary>
    private const long QuietMs = 900_000;

    /// <summary>Nobody exchanges a meter in less: a counter that stands elsewhere after a longer silence was exchanged, one that leaps between two readings was not.</summary>
    private const long ExchangeMs = 60_000;

    /// <summary>Rollbacks are told at most this often, with their count.</summary>
    private const long RollbackNoteMs = 3_600_000;

    private readonly PointModel _point;
    private readonly string _device;
    private readonly IFeedSink _sink;
    private readonly decimal? _maxRate;
    private readonly decimal? _rollover;
    private readonly decimal _origin;

    private Suspicion _suspicion;
    private decimal _heldFirst;
    private decimal _heldLast;
    private long _heldSince;
    private long _heldTime;
    private int _confirmations;

    // Changes of level that were believed and whose energy in between nobody has told yet, oldest first.
    private readonly List<CounterExchange> _exchanges = [];

    private bool _raised;
    private Severity _severity;
    private Finding _finding;
    private long _raisedSince;
    private long _clearAt;
    private long _rollbacks;
    private long _rollbackNotedAt;
    private bool _rollbackNoted;

    public CounterTrack(PointModel point, string device, IFeedSink sink)
    {
        _point = point;
        _device = device;
        _sink = sink;
        _maxRate = point.Counter?.MaxRatePerSecond;
        IsDeclared = point.Counter?.RolloverAt is not null;
        _rollover = point.Counter?.RolloverAt ?? CounterReading.WidthOf(point.Encoding);
        _origin = point.Encoding.Offset;
    }

    /// <summary>What happened; the value is the place of its name in <see cref="Findings"/>, and kept in states.</summary>
    private enum Finding : byte
    {
        Unnamed,
        RollOver,
        Step,
        Glitch,
        Reset,
        Swap,
        Jump,
        Loss,
    }

    private enum Suspicion : byte
    {
        None,
        Fall,
        Jump,
    }

    /// <summary>The last believed reading; set when counting continues under a new configuration.</summary>
    public CounterBaseline Baseline { get; set; }

    /// <summary>True from a loss until the next believed reading: the baseline is not what was published last.</summary>
    public bool IsAfterLoss { get; set; }

    private bool IsDeclared { get; }

    /// <summary>Judges the next reading; findings go to the sink.</summary>
    public CounterVerdict Judge(decimal reading, ulong raw, long time)
    {
        if (!Baseline.Has)
        {
            return Believe(reading, raw, time, 0, CounterDecision.Baseline, QualityReason.None);
        }

        if (TryGrowth(Baseline.Reading, reading, MaxGrowth(Baseline.Time, Baseline.MovedAt, Baseline.Reading, time), out var growth, out var rolled))
        {
            return IsAfterLoss ? Recover(reading, raw, time, growth) : Continue(reading, raw, time, growth, rolled);
        }

        // Before the confirmation: what stands a step below the old level belongs to the old level.
        if (reading < Baseline.Reading && Baseline.Reading - reading <= RollbackSteps * CounterReading.StepAt(_point.Encoding, Baseline.Reading, Baseline.Raw))
        {
            return IgnoreRollback(reading, time);
        }

        if (_suspicion != Suspicion.None && TryGrowth(_heldLast, reading, MaxGrowth(_heldTime, _heldSince, _heldLast, time), out _, out var again) && !again)
        {
            return Confirm(reading, raw, time);
        }

        return Hold(reading, time);
    }

    /// <summary>Resets, exchanges and jumps that were believed and whose readings nobody has told yet, oldest first.</summary>
    public IReadOnlyList<CounterExchange> Exchanges => _exchanges;

    /// <summary>
    /// Counts what lies between the last reading of the old level and the first of the new one, from what a person has read off the meters: the last reading of the old meter
    /// and the first of the new one. For a meter that was set to zero the latter is 0.
    /// </summary>
    /// <param name="oldFinal">Last reading of the old meter, in the point's unit.</param>
    /// <param name="newStart">First reading of the new one.</param>
    /// <param name="who">Who says so.</param>
    /// <param name="now">When, Unix milliseconds.</param>
    /// <param name="growth">What is counted.</param>
    /// <returns>Why it is refused; null when it is counted. Of several changes the oldest is settled.</returns>
    public string? Settle(decimal oldFinal, decimal newStart, string who, long now, out decimal growth)
    {
        growth = 0;
        if (_exchanges.Count == 0)
        {
            return $"{Name} has no change of meters that waits for its readings";
        }

        var change = _exchanges[0];
        decimal? most = _maxRate is { } rate ? (rate * Math.Max(RefreshMs, change.NewTime - change.OldTime) / 1000 * Allowance) + CounterReading.StepAt(_point.Encoding, change.OldReading, Baseline.Raw) : null;
        if (!TryGrowth(change.OldReading, oldFinal, null, out var before, out _) || before < 0)
        {
            return $"{Name} read {Say(change.OldReading)} at {Clock(change.OldTime)}: the old meter cannot have ended at {Say(oldFinal)}";
        }

        var after = change.NewReading - newStart;
        if (after < 0)
        {
            return $"{Name} read {Say(change.NewReading)} at {Clock(change.NewTime)}: the new meter cannot have begun at {Say(newStart)}";
        }

        if (newStart < 0 || oldFinal > MostSettled || newStart > MostSettled)
        {
            return $"{Name}: no meter reads {Say(newStart < 0 || newStart > MostSettled ? newStart : oldFinal)}";
        }

        if (before + after > most)
        {
            return $"{Name}: {Say(before + after)} between {Clock(change.OldTime)} and {Clock(change.NewTime)} is more than the rated power allows, {Say(most.Value)}; read the meters again";
        }

        growth = before + after;
        _exchanges.RemoveAt(0);
        Publish(Finding.Swap, true, now, Severity.Note, (double)growth, double.NaN, $"{Name}: the change at {Clock(change.NewTime)} from {Say(oldFinal)} to {Say(newStart)} is confirmed by {who}; {Say(growth)} counted as allocated.", now);
        return null;
    }

    /// <summary>Observation ends with a change of configuration: clears the finding that stands, if any.</summary>
    public void End(long time)
    {
        if (_raised)
        {
            _raised = false;
            Publish(_finding, false, time, _severity, double.NaN, double.NaN, $"{Name}: ended by a change of configuration. It is raised again if it still holds.");
        }
    }

    /// <summary>
    /// Records after the baseline were lost with a damaged store. What the register has grown since may have been published already: the
    /// next believed reading becomes the baseline without growth, and a finding says what is not accounted.
    /// </summary>
    public void ResumeAfterLoss(long time)
    {
        // What was held waited for readings that are lost; it is judged anew by the next ones.
        if (_suspicion == Suspicion.Jump)
        {
            _raised = false;
            Publish(_finding, false, time, _severity, double.NaN, double.NaN, $"{Name}: the reading of {Say(_heldFirst)} was not confirmed before the store was damaged.");
        }

        _suspicion = Suspicion.None;
        IsAfterLoss = Baseline.Has;
    }

    /// <summary>Writes the changes that wait for their readings: the fixed form of the state has no place for them.</summary>
    public void SaveExchanges(StateWriter writer)
    {
        writer.Write(_exchanges.Count);
        foreach (var change in _exchanges)
        {
            writer.Write(change.OldReading);
            writer.Write(change.OldTime);
            writer.Write(change.NewReading);
            writer.Write(change.NewTime);
        }
    }

    public void LoadExchanges(ref StateReader reader)
    {
        _exchanges.Clear();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            _exchanges.Add(new(reader.ReadDecimal(), reader.ReadInt64(), reader.ReadDecimal(), reader.ReadInt64()));
        }
    }

    public void Shift(long milliseconds)
    {
        Baseline = Baseline.Shift(milliseconds);
        _heldSince += milliseconds;
        _heldTime += milliseconds;
        _clearAt += milliseconds;
        _rollbackNotedAt += milliseconds;
    }

    public void Save(StateWriter writer)
    {
        Baseline.Save(writer);
        writer.Write((byte)_suspicion);
        writer.Write(_heldFirst);
        writer.Write(_heldLast);
        writer.Write(_heldSince);
        writer.Write(_heldTime);
        writer.Write(_confirmations);
        writer.Write(_raised);
        writer.Write((byte)((byte)_severity | ((byte)_finding << 4)));
        writer.Write(_raisedSince);
        writer.Write(_clearAt);
        writer.Write(_rollbacks);
        writer.Write(_rollbackNotedAt);
        writer.Write(_rollbackNoted);
        writer.Write(IsAfterLoss);
    }

    public void Load(ref StateReader reader)
    {
        Baseline = CounterBaseline.Load(ref reader);
        _suspicion = (Suspicion)reader.ReadByte();
        _heldFirst = reader.ReadDecimal();
        _heldLast = reader.ReadDecimal();
        _heldSince = reader.ReadInt64();
        _heldTime = reader.ReadInt64();
        _confirmations = reader.ReadInt32();
        _raised = reader.ReadBoolean();
        var kinds = reader.ReadByte();
        _severity = (Severity)(kinds & 0xF);
        _finding = (Finding)Math.Min(kinds >> 4, Findings.Count - 1);
        _raisedSince = reader.ReadInt64();
        _clearAt = reader.ReadInt64();
        _rollbacks = reader.ReadInt64();
        _rollbackNotedAt = reader.ReadInt64();
        _rollbackNoted = reader.ReadBoolean();
        IsAfterLoss = reader.ReadBoolean();
    }

    /// <summary>Largest believable growth, or null when nothing is known: rated growth x time x 1.2 plus one step.</summary>
    private decimal? MaxGrowth(long since, long movedAt, decimal from, long now)
    {
        if (_maxRate is not { } rate)
        {
            return null;
        }

        var elapsed = Math.Max(RefreshMs, Math.Max(now - since, Math.Min(LongestRefreshMs, now - movedAt)));
        return (rate * elapsed / 1000 * Allowance) + CounterReading.StepAt(_point.Encoding, from, Baseline.Raw);
    }

    private bool TryGrowth(decimal from, decimal to, decimal? most, out decimal growth, out bool rolledOver)
    {
        growth = to - from;
        rolledOver = false;
        if (growth >= 0)
        {
            return most is null || growth <= most;
        }

        if (_rollover is not { } width)
        {
            return false;
        }

        growth += width;
        rolledOver = true;
        var before = from - _origin;
        var after = to - _origin;

        // Declared: the old reading must be within reach of the end. Undeclared, or the reach unknown: from above 90 % to below 10 %.
        var nearEnd = IsDeclared && most is { } reach
            ? width - before <= reach
            : before > 0.9m * width && after < 0.1m * width;
        return nearEnd && before < width && after >= 0 && growth >= 0 && (most is null || growth <= most);
    }

    private CounterVerdict Continue(decimal reading, ulong raw, long time, decimal growth, bool rolledOver)
    {
        if (_suspicion != Suspicion.None)
        {
            Dismiss(reading, time);
        }
        else if (_raised && time >= _clearAt)
        {
            _raised = false;
            Publish(_finding, false, time, _severity, (double)reading, double.NaN, $"{Name}: counting normally for 15 min, last reading {Say(reading)}.");
        }

        if (rolledOver)
        {
            Publish(Finding.RollOver, true, time, Severity.Note, (double)reading, (double)_rollover!.Value, $"{Name} rolled over from {Say(Baseline.Reading)} to {Say(reading)}: {Say(growth)} counted.", time);
        }

        return Believe(reading, raw, time, growth, CounterDecision.Accepted, QualityReason.None);
    }

    /// <summary>The first believed reading after a loss.</summary>
    private CounterVerdict Recover(decimal reading, ulong raw, long time, decimal growth)
    {
        if (_suspicion != Suspicion.None)
        {
            Dismiss(reading, time);
        }

        IsAfterLoss = false;
        if (growth > 0)
        {
            Raise(Finding.Loss, time, time, Severity.Warning, (double)reading, (double)Baseline.Reading, $"{Name}: {Unaccounted(reading)} Add {Say(growth)} by hand where the records of that time are missing.");
            _clearAt = time + QuietMs;
        }

        return Believe(reading, raw, time, 0, CounterDecision.NewBaseline, QualityReason.None);
    }

    private string Unaccounted(decimal reading) =>
        $"growth from {Say(Baseline.Reading)} at {Clock(Baseline.Time)} to {Say(reading)} is not accounted here, because the store was damaged and it may have been published before.";

    private CounterVerdict Confirm(decimal reading, ulong raw, long time)
    {
        var fall = _suspicion == Suspicion.Fall;
        _confirmations++;
        _heldLast = reading;
        _heldTime = time;
        if (_confirmations < (fall ? 1 : 2))
        {
            return new(CounterDecision.Held, 0, QualityReason.CounterJump);
        }

        var growth = reading - _heldFirst;
        var finding = !fall ? _finding : IsSmall(_heldFirst, _heldSince) ? Finding.Reset : Finding.Swap;
        var leap = $"from {Say(Baseline.Reading)} to {Say(_heldFirst)} at {Clock(_heldSince)}";
        var text = finding switch
        {
            Finding.Reset => $"{Name} fell {leap}: meter reset to zero{(IsExchange(_heldSince) ? ", or exchanged for a new one" : "")}. Counting goes on from the new reading; confirm the change-over readings.",
            Finding.Swap when fall => $"{Name} fell {leap}: meter replaced. Counting goes on from the new reading; confirm the change-over readings.",
            Finding.Swap => $"{Name} stands elsewhere after a silence of {Span(_heldSince - Baseline.Time)}, {leap}: meter replaced. {Say(_heldFirst - Baseline.Reading)} are not counted. Counting goes on from the new reading; confirm the change-over readings.",
            _ => $"{Name} jumped {leap} and stays there: {Say(_heldFirst - Baseline.Reading)} are not counted. Likely: scale or word order changed, somebody set the register, or the meter was replaced. Check the profile and confirm the reading.",
        };
        var reason = fall ? QualityReason.CounterReset : QualityReason.CounterJump;
        if (IsAfterLoss)
        {
            // What lies before may have been published: nobody can say what is still to be counted.
            IsAfterLoss = false;
            text += $" Before that, {Unaccounted(_heldFirst)}";
        }
        else
        {
            if (_exchanges.Count == MostExchanges)
            {
                _exchanges.RemoveAt(0);
            }

            _exchanges.Add(new(Baseline.Reading, Baseline.Time, _heldFirst, _heldSince));
        }

        Raise(finding, fall ? _heldSince : _raisedSince, time, Severity.Alarm, (double)_heldFirst, (double)Baseline.Reading, text);
        _clearAt = time + QuietMs;
        _suspicion = Suspicion.None;
        return Believe(reading, raw, time, growth, CounterDecision.NewBaseline, reason);
    }

    private CounterVerdict IgnoreRollback(decimal reading, long time)
    {
        _rollbacks++;
        if (!_rollbackNoted || time - _rollbackNotedAt >= RollbackNoteMs)
        {
            _rollbackNoted = true;
            _rollbackNotedAt = time;
            Publish(Finding.Step, true, time, Severity.Note, (double)reading, (double)Baseline.Reading, $"{Name} went back from {Say(Baseline.Reading)} to {Say(reading)}: reading ignored, {_rollbacks} so far. Likely: replies out of order or a register read while it changed.", time);
        }

        return new(CounterDecision.Ignored, 0, QualityReason.CounterRollback);
    }

    private CounterVerdict Hold(decimal reading, long time)
    {
        var jump = reading >= Baseline.Reading;
        if (jump)
        {
            var limit = MaxGrowth(Baseline.Time, Baseline.MovedAt, Baseline.Reading, time) ?? 0;
            var isExchange = IsExchange(time);
            var text = $"{Name} grew by {Say(reading - Baseline.Reading)} in {Span(time - Baseline.Time)}, at most {Say(limit)} is possible: held as unconfirmed. Likely: {(isExchange ? "meter replaced while it was silent, " : "")}scale, word order, or a disturbed reply.";
            if (!_raised || _suspicion != Suspicion.Jump)
            {
                Raise(isExchange ? Finding.Swap : Finding.Jump, time, time, Severity.Warning, (double)reading, (double)(Baseline.Reading + limit), text);
            }
        }
        else if (_suspicion == Suspicion.Jump)
        {
            _raised = false;
            Publish(_finding, false, time, _severity, (double)reading, double.NaN, $"{Name}: the reading of {Say(_heldFirst)} was not confirmed and is not counted.");
        }

        _suspicion = jump ? Suspicion.Jump : Suspicion.Fall;
        _heldFirst = reading;
        _heldLast = reading;
        _heldSince = time;
        _heldTime = time;
        _confirmations = 0;
        return new(CounterDecision.Held, 0, jump ? QualityReason.CounterJump : QualityReason.CounterReset);
    }

    /// <summary>The old level came back: what was held was never true.</summary>
    private void Dismiss(decimal reading, long time)
    {
        if (_suspicion == Suspicion.Jump)
        {
            _raised = false;
            Publish(_finding, false, time, _severity, (double)reading, double.NaN, $"{Name} is back at {Say(reading)}: the reading of {Say(_heldFirst)} was false and is not counted.");
        }
        else
        {
            _rollbacks++;
            _clearAt = time + QuietMs;
            Publish(Finding.Glitch, true, time, Severity.Note, (double)_heldFirst, (double)Baseline.Reading, $"{Name} read {Say(_heldFirst)} once and is back at {Say(reading)}: the low reading was false and is not counted.", time);
        }

        _suspicion = Suspicion.None;
    }

    private CounterVerdict Believe(decimal reading, ulong raw, long time, decimal growth, CounterDecision decision, QualityReason doubt)
    {
        Baseline = new(true, reading, raw, time, !Baseline.Has || reading != Baseline.Reading ? time : Baseline.MovedAt);
        return new(decision, growth, doubt);
    }

    private bool IsSmall(decimal reading, long at) => MaxGrowth(Baseline.Time, Baseline.MovedAt, 0, at) is { } most ? reading - _origin <= most : reading - _origin < 1;

    /// <summary>Whether a meter can have been exchanged between the last believed reading and this time: readings are missing, for as long as that takes.</summary>
    private bool IsExchange(long time) => time - Baseline.Time >= Math.Max(ExchangeMs, (long)(1.5 * _point.Period.TotalMilliseconds));

    private void Raise(Finding finding, long since, long time, Severity severity, double value, double limit, string text)
    {
        if (_raised && since != _raisedSince)
        {
            Publish(_finding, false, time, _severity, value, double.NaN, $"{Name}: a newer finding takes the place of the one of {Clock(_raisedSince)}.");
        }

        _raised = true;
        _severity = severity;
        _raisedSince = since;
        _finding = finding;
        Publish(finding, true, time, severity, value, limit, text);
    }

    private void Publish(Finding finding, bool raised, long time, Severity severity, double value, double limit, string text, long? since = null) =>
        _sink.Anomaly(new AnomalyRecord
        {
            Point = _point.Index,
            Detector = Findings[(int)finding],
            Raised = raised,
            Since = new(since ?? _raisedSince),
            Time = new(time),
            Severity = severity,
            Value = value,
            Limit = limit,
            Text = text,
        });

    private string Name => $"{_point.Id} of {_device}";

    private string Say(decimal reading) => Words.Quantity(reading, _point);

    private static string Span(long milliseconds) => Words.Span(milliseconds);

    private static string Clock(long time) => Words.Clock(time);
}
