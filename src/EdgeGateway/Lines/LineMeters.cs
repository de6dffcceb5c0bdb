using System.Globalization;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Lines;

/// <summary>What an input makes of its edges and levels. Not for several threads; does no I/O.</summary>
/// <param name="input">The input.</param>
internal abstract class LineMeter(GpioInput input)
{
    /// <summary>The input.</summary>
    protected GpioInput Input => input;

    /// <summary>The meter of an input.</summary>
    /// <param name="input">The input.</param>
    /// <param name="committed">What was committed last; null for nothing.</param>
    /// <param name="boot">This boot.</param>
    public static LineMeter Of(GpioInput input, string? committed, Guid boot)
    {
        var state = MeterState.Parse(committed, input.Use);
        return input.Use switch
        {
            LineUse.Counter => new CounterMeter(input, state, boot),
            LineUse.Contact => new ContactMeter(input, state, boot),
            LineUse.Quadrature => new QuadratureMeter(input, state, boot),
            _ => new LevelMeter(input),
        };
    }

    /// <summary>Begins with lines that were taken.</summary>
    /// <param name="taken">The lines.</param>
    /// <param name="values">Their values now, by bit.</param>
    /// <param name="nowNs">The time before the values were read.</param>
    public abstract void Begin(TakenLines taken, ulong values, ulong nowNs);

    /// <summary>Takes the next edge.</summary>
    public abstract void Add(in GpioEvent e);

    /// <summary>Shows what it has come to.</summary>
    /// <param name="block">The registers of the input.</param>
    /// <param name="values">The values of the lines now, by bit.</param>
    /// <param name="nowNs">The time; all edges from before it have been added.</param>
    public abstract void Show(Span<ushort> block, ulong values, ulong nowNs);

    /// <summary>What to commit; null when nothing has changed since the last call.</summary>
    /// <param name="nowNs">The time; all edges from before it have been added.</param>
    public abstract string? News(ulong nowNs);
}

/// <summary>A meter whose numbers are committed, and go on from what was committed.</summary>
internal abstract class TotalMeter : LineMeter
{
    // A condition is shown for this long after it was seen last, so that the next poll and its detector meet it.
    private const ulong ConditionNs = 60_000_000_000;

    // A rate measured over a short time may be a little over what is possible.
    private const double RateTolerance = 1.1;

    private readonly ulong[] _until = new ulong[4];
    private readonly Guid _boot;
    private readonly string _committedRequest;
    private string _request;
    private string _toldRequest;

    /// <param name="input">The input.</param>
    /// <param name="state">What was committed last.</param>
    /// <param name="boot">This boot: times and requests of others mean nothing.</param>
    protected TotalMeter(GpioInput input, MeterState state, Guid boot)
        : base(input)
    {
        IsOfThisBoot = state.Boot == boot;
        _boot = boot;
        _committedRequest = _request = _toldRequest = IsOfThisBoot ? state.Request : "";
    }

    /// <summary>Whether what was committed is of this boot.</summary>
    protected bool IsOfThisBoot { get; }

    public sealed override void Begin(TakenLines taken, ulong values, ulong nowNs)
    {
        Begin(taken, taken.IsKept && taken.Request == _committedRequest && _request == _committedRequest, values, nowNs);
        _request = taken.Request;
    }

    public sealed override string? News(ulong nowNs)
    {
        if (!HasNews(nowNs) && _request == _toldRequest)
        {
            return null;
        }

        _toldRequest = _request;
        return MeterState.Write(Input.Use, _boot, _request, Tell(nowNs));
    }

    /// <summary>Begins with lines that were taken. When the request is the same whose event numbers were committed, the next number proves what happened since.</summary>
    protected abstract void Begin(TakenLines taken, bool isSame, ulong values, ulong nowNs);

    /// <summary>Whether there is something that <see cref="Tell"/> has not told.</summary>
    protected abstract bool HasNews(ulong nowNs);

    /// <summary>The numbers to commit, which from now on are told.</summary>
    protected abstract long[] Tell(ulong nowNs);

    /// <summary>Notes a rate that is not possible.</summary>
    protected void Judge(double? rate, ulong nowNs)
    {
        if (rate > Input.Fastest * RateTolerance)
        {
            Note(LineConditions.TooFast, nowNs);
        }
    }

    /// <summary>Notes that a condition is there.</summary>
    protected void Note(LineConditions condition, ulong nowNs) => _until[ulong.TrailingZeroCount((ulong)condition)] = nowNs + ConditionNs;

    /// <summary>The conditions that are shown now.</summary>
    protected long Conditions(ulong nowNs)
    {
        var conditions = 0L;
        for (var i = 0; i < _until.Length; i++)
        {
            conditions |= nowNs < _until[i] ? 1L << i : 0;
        }

        return conditions;
    }
}

/// <summary>The committed text of a meter: its use, the boot, the request, and plain numbers.</summary>
/// <param name="Boot">The boot in which it was committed.</param>
/// <param name="Request">The request whose event numbers it holds.</param>
/// <param name="Numbers">The numbers; empty when nothing was committed.</param>
internal sealed record MeterState(Guid Boot, string Request, long[] Numbers)
{
    private static readonly MeterState None = new(Guid.Empty, "", []);

    /// <summary>Whether nothing was committed.</summary>
    public bool IsEmpty => Numbers.Length == 0;

    /// <summary>Reads a committed text; nothing when it is of another use, because the numbers then mean something else.</summary>
    public static MeterState Parse(string? text, LineUse use)
    {
        if (text?.Split(' ') is not [var word, var boot, var request, .. var rest] || word != use.ToString() || !Guid.TryParse(boot, out var id))
        {
            return None;
        }

        var numbers = new long[rest.Length];
        for (var i = 0; i < rest.Length; i++)
        {
            if (!long.TryParse(rest[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out numbers[i]))
            {
                return None;
            }
        }

        return new(id, request, numbers);
    }

    /// <summary>The number that stands for a level.</summary>
    public static long Number(bool? level) => level is { } known ? known ? 1 : 0 : -1;

    /// <summary>The level that a number stands for; null when it is not known.</summary>
    public static bool? Level(long number) => number < 0 ? null : number == 1;

    /// <summary>The text of numbers.</summary>
    public static string Write(LineUse use, Guid boot, string request, ReadOnlySpan<long> numbers)
    {
        var text = new System.Text.StringBuilder(160).Append(use).Append(' ').Append(boot).Append(' ').Append(request);
        foreach (var number in numbers)
        {
            text.Append(' ').Append(number.ToString(CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }
}

/// <summary>Counts pulses.</summary>
internal sealed class CounterMeter : TotalMeter
{
    private readonly EdgeCounter _counter;
    private PulseRate _rate;
    private EdgeCounterState _told;

    public CounterMeter(GpioInput input, MeterState state, Guid boot)
        : base(input, state, boot)
    {
        _rate = new PulseRate(input.Silence, 0);
        _told = state.Numbers is [var count, var tooFast, var lost, var recovered, var breaks, var sequence, var lastPulse]
            ? new()
            {
                Count = count,
                TooFast = tooFast,
                Lost = lost,
                Recovered = recovered,
                Breaks = breaks,
                LineSequence = (uint)sequence,
                LastPulseNs = IsOfThisBoot ? (ulong)lastPulse : 0,
            }
            : default;
        _counter = new EdgeCounter(input.MinimumInterval, _told);
    }

    protected override void Begin(TakenLines taken, bool isSame, ulong values, ulong nowNs)
    {
        var before = _counter.State.Breaks;
        if (!isSame)
        {
            // Its numbers begin with 1, whoever requested it.
            _counter.Requested();
        }

        if (taken.IsKept)
        {
            _counter.Adopted();
        }

        if (_counter.State.Breaks > before)
        {
            Note(LineConditions.Break, nowNs);
        }

        _rate = new PulseRate(Input.Silence, nowNs);
    }

    public override void Add(in GpioEvent e)
    {
        var step = _counter.Add(e);
        if (step.TooFast > 0)
        {
            Note(LineConditions.Bounce, e.TimestampNs);
        }

        if (step.Missing > 0 && !step.IsRecovered)
        {
            Note(LineConditions.Overflow, e.TimestampNs);
        }

        if (step.IsBreak)
        {
            Note(LineConditions.Break, e.TimestampNs);
            _rate.Break(e.TimestampNs);
        }

        _rate.Add(step.Counted, e.TimestampNs);
    }

    public override void Show(Span<ushort> block, ulong values, ulong nowNs)
    {
        var state = _counter.State;
        var rate = _rate.Read(nowNs);
        Judge(rate, nowNs);
        var layout = GpioInput.Counter;
        layout.Put(block, "pulses", state.Count);
        layout.Put(block, "pulses a second", rate ?? double.NaN);
        layout.Put(block, "state", (long)(values & 1));
        layout.Put(block, "conditions", Conditions(nowNs));
        layout.Put(block, "edges too fast", state.TooFast);
        layout.Put(block, "edges without time", state.Lost);
        layout.Put(block, "edges recovered", state.Recovered);
        layout.Put(block, "breaks", state.Breaks);
    }

    protected override bool HasNews(ulong nowNs) => _counter.State != _told;

    protected override long[] Tell(ulong nowNs)
    {
        var state = _told = _counter.State;
        return [state.Count, state.TooFast, state.Lost, state.Recovered, state.Breaks, state.LineSequence, (long)state.LastPulseNs];
    }
}

/// <summary>How long a contact was closed, and how often it closed.</summary>
internal sealed class ContactMeter : TotalMeter
{
    private const ulong NanosecondsPerMillisecond = 1_000_000;
    private const ulong RestNs = 60_000_000_000;

    private OnTimeMeter _meter;
    private OnTimeState _seen;
    private OnTimeState _told;
    private bool _isNew;

    public ContactMeter(GpioInput input, MeterState state, Guid boot)
        : base(input, state, boot)
    {
        _seen = state.Numbers is [var on, var off, var unknown, var starts, var lost, var misread, var isOn, var until, var sequence]
            ? new()
            {
                OnNs = (ulong)on,
                OffNs = (ulong)off,
                UnknownNs = (ulong)unknown,
                Starts = starts,
                Lost = lost,
                Misread = misread,
                IsOn = IsOfThisBoot ? MeterState.Level(isOn) : null,
                UntilNs = IsOfThisBoot ? (ulong)until : 0,
                LineSequence = (uint)sequence,
            }
            : default;
        _isNew = state.IsEmpty;
        _meter = new OnTimeMeter(_seen);
    }

    protected override void Begin(TakenLines taken, bool isSame, ulong values, ulong nowNs)
    {
        if (!isSame)
        {
            // Of the time since the last commit nobody knows; of that without power not even how long it was.
            if (_seen.UntilNs > 0)
            {
                _meter = new OnTimeMeter(_seen with { IsOn = null });
                _meter.End(nowNs);
            }

            if (!_isNew)
            {
                Note(LineConditions.Break, nowNs);
            }

            _meter.Begin((values & 1) != 0, nowNs);
        }

        _isNew = false;
    }

    public override void Add(in GpioEvent e)
    {
        _meter.Add(e);
        Watch(_meter.Read(e.TimestampNs), e.TimestampNs);
    }

    public override void Show(Span<ushort> block, ulong values, ulong nowNs)
    {
        var state = _meter.Read(nowNs);
        Watch(state, nowNs);
        var layout = GpioInput.Contact;
        layout.Put(block, "milliseconds on", (long)(state.OnNs / NanosecondsPerMillisecond));
        layout.Put(block, "milliseconds unknown", (long)(state.UnknownNs / NanosecondsPerMillisecond));
        layout.Put(block, "starts", state.Starts);
        layout.Put(block, "state", (long)(values & 1));
        layout.Put(block, "conditions", Conditions(nowNs));
        layout.Put(block, "edges lost", state.Lost);
        layout.Put(block, "edges misread", state.Misread);
    }

    protected override bool HasNews(ulong nowNs)
    {
        // What is shown must never fall behind what was shown before a restart; of an open contact the time alone goes on, and is told now and then.
        var state = _meter.Read(nowNs);
        return state with { OffNs = _told.OffNs, UntilNs = _told.UntilNs } != _told || state.UntilNs - _told.UntilNs >= RestNs;
    }

    protected override long[] Tell(ulong nowNs)
    {
        var state = _told = _meter.Read(nowNs);
        Watch(state, nowNs);
        return
        [
            (long)state.OnNs, (long)state.OffNs, (long)state.UnknownNs, state.Starts, state.Lost, state.Misread, MeterState.Number(state.IsOn), (long)state.UntilNs, state.LineSequence,
        ];
    }

    private void Watch(in OnTimeState state, ulong nowNs)
    {
        if (state.Lost > _seen.Lost)
        {
            Note(LineConditions.Overflow, nowNs);
        }

        if (state.Misread > _seen.Misread)
        {
            Note(LineConditions.Bounce, nowNs);
        }

        _seen = state;
    }
}

/// <summary>Position and speed of two lines a quarter of a period apart.</summary>
internal sealed class QuadratureMeter : TotalMeter
{
    private readonly QuadratureState _committed;
    private readonly bool _isNew;
    private QuadratureDecoder? _decoder;
    private PulseRate _rate;
    private QuadratureState _told;
    private QuadratureState _seen;
    private int _direction = 1;

    public QuadratureMeter(GpioInput input, MeterState state, Guid boot)
        : base(input, state, boot)
    {
        _committed = _told = _seen = state.Numbers is [var position, var lost, var misread, var isA, var isB, var began, var sequence]
            ? new()
            {
                Position = position,
                Lost = lost,
                Misread = misread,
                IsA = MeterState.Level(isA),
                IsB = MeterState.Level(isB),
                BeganNs = IsOfThisBoot ? (ulong)began : 0,
                Sequence = (uint)sequence,
            }
            : default;
        _isNew = state.IsEmpty;
        _rate = new PulseRate(input.Silence, 0);
    }

    protected override void Begin(TakenLines taken, bool isSame, ulong values, ulong nowNs)
    {
        var isFirst = _decoder is null && _isNew;
        _decoder = new QuadratureDecoder(taken.Lines.Offsets[0], taken.Lines.Offsets[1], _decoder?.State ?? _committed);
        if (!isSame)
        {
            _decoder.Begin((values & 1) != 0, (values & 2) != 0, nowNs);
            if (!isFirst)
            {
                Note(LineConditions.Break, nowNs);
            }
        }

        _rate = new PulseRate(Input.Silence, nowNs);
    }

    public override void Add(in GpioEvent e)
    {
        var step = _decoder!.Add(e);
        var state = _decoder.State;
        if (state.Lost > _seen.Lost)
        {
            Note(LineConditions.Overflow, e.TimestampNs);
            _rate.Break(e.TimestampNs);
        }

        if (state.Misread > _seen.Misread)
        {
            Note(LineConditions.Bounce, e.TimestampNs);
        }

        _seen = state;
        if (step != 0)
        {
            _direction = step;
            _rate.Add(1, e.TimestampNs);
        }
    }

    public override void Show(Span<ushort> block, ulong values, ulong nowNs)
    {
        var state = _decoder!.State;
        var rate = _rate.Read(nowNs);
        Judge(rate, nowNs);
        var layout = GpioInput.Quadrature;
        layout.Put(block, "steps", state.Position);
        layout.Put(block, "steps a second", rate * _direction ?? double.NaN);
        layout.Put(block, "conditions", Conditions(nowNs));
        layout.Put(block, "edges lost", state.Lost);
        layout.Put(block, "edges misread", state.Misread);
    }

    protected override bool HasNews(ulong nowNs) => _decoder is not null && _decoder.State != _told;

    protected override long[] Tell(ulong nowNs)
    {
        var state = _told = _decoder?.State ?? _committed;
        return [state.Position, state.Lost, state.Misread, MeterState.Number(state.IsA), MeterState.Number(state.IsB), (long)state.BeganNs, state.Sequence];
    }
}

/// <summary>The level of a line, of an output as well, and of any other when there is nowhere to keep totals; counts nothing.</summary>
internal sealed class LevelMeter(GpioInput input) : LineMeter(input)
{
    private const string State = "state";

    private readonly bool _isShown = input.Layout.Fields.Any(f => f.Name == State);

    public override void Begin(TakenLines taken, ulong values, ulong nowNs)
    {
        // Nothing to go on from.
    }

    public override void Add(in GpioEvent e)
    {
        // Levels are asked for.
    }

    public override void Show(Span<ushort> block, ulong values, ulong nowNs)
    {
        if (_isShown)
        {
            Input.Layout.Put(block, State, (long)(values & 1));
        }
    }

    public override string? News(ulong nowNs) => null;
}
