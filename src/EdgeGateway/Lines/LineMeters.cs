using System.Globalization;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Lines;

/// <summary>What an input makes of its edges and levels. Not for several threads; does no I/O.</summary>
/// <param name="input">The input.</param>
internal abstract class LineMeter(GpioInput input)
{
    // A condition is shown for this long after it was seen last, so that the next poll and its detector meet it.
    private const ulong ConditionNs = 60_000_000_000;

    private readonly ulong[] _until = new ulong[4];

    /// <summary>The input.</summary>
    protected GpioInput Input => input;

    /// <summary>The meter of an input.</summary>
    /// <param name="input">The input.</param>
    /// <param name="committed">What was committed last; null for nothing.</param>
    /// <param name="boot">This boot: times of others mean nothing.</param>
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
    public virtual string? News(ulong nowNs) => null;

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

    /// <summary>The text of numbers.</summary>
    public static string Write(LineUse use, Guid boot, string request, params ReadOnlySpan<long> numbers)
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
internal sealed class CounterMeter : LineMeter
{
    // A rate measured over a short time may be a little over what is possible.
    private const double RateTolerance = 1.1;

    private readonly EdgeCounter _counter;
    private readonly Guid _boot;
    private readonly string _committedRequest;
    private PulseRate _rate;
    private string _request;
    private EdgeCounterState _told;
    private string _toldRequest;

    public CounterMeter(GpioInput input, MeterState state, Guid boot)
        : base(input)
    {
        _boot = boot;
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
                LastPulseNs = state.Boot == boot ? (ulong)lastPulse : 0,
            }
            : default;
        _committedRequest = _request = _toldRequest = state.Boot == boot ? state.Request : "";
        _counter = new EdgeCounter(input.MinimumInterval, _told);
    }

    public override void Begin(TakenLines taken, ulong values, ulong nowNs)
    {
        var isSame = taken.IsKept && taken.Request == _committedRequest && _request == _committedRequest;
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

        _request = taken.Request;
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
        if (rate > Input.Fastest * RateTolerance)
        {
            Note(LineConditions.TooFast, nowNs);
        }

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

    public override string? News(ulong nowNs)
    {
        var state = _counter.State;
        if (state == _told && _request == _toldRequest)
        {
            return null;
        }

        (_told, _toldRequest) = (state, _request);
        return MeterState.Write(
            LineUse.Counter, _boot, _request, state.Count, state.TooFast, state.Lost, state.Recovered, state.Breaks, state.LineSequence, (long)state.LastPulseNs);
    }
}

/// <summary>How long a contact was closed, and how often it closed.</summary>
internal sealed class ContactMeter : LineMeter
{
    private const ulong NanosecondsPerMillisecond = 1_000_000;
    private const ulong RestNs = 60_000_000_000;

    private readonly Guid _boot;
    private readonly string _committedRequest;
    private OnTimeMeter _meter;
    private OnTimeState _seen;
    private OnTimeState _told;
    private bool _isNew;
    private string _request;
    private string _toldRequest = "";

    public ContactMeter(GpioInput input, MeterState state, Guid boot)
        : base(input)
    {
        _boot = boot;
        var isBoot = state.Boot == boot;
        _committedRequest = _request = isBoot ? state.Request : "";
        _seen = state.Numbers is [var on, var off, var unknown, var starts, var lost, var misread, var isOn, var until, var sequence]
            ? new()
            {
                OnNs = (ulong)on,
                OffNs = (ulong)off,
                UnknownNs = (ulong)unknown,
                Starts = starts,
                Lost = lost,
                Misread = misread,
                IsOn = !isBoot || isOn < 0 ? null : isOn == 1,
                UntilNs = isBoot ? (ulong)until : 0,
                LineSequence = (uint)sequence,
            }
            : default;
        _isNew = state.IsEmpty;
        _meter = new OnTimeMeter(_seen);
    }

    public override void Begin(TakenLines taken, ulong values, ulong nowNs)
    {
        if (!(taken.IsKept && taken.Request == _committedRequest && _request == _committedRequest))
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
        _request = taken.Request;
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

    public override string? News(ulong nowNs)
    {
        // What is shown must never fall behind what was shown before a restart; of an open contact the time alone goes on, and is told now and then.
        var state = _meter.Read(nowNs);
        Watch(state, nowNs);
        if (state with { OffNs = _told.OffNs, UntilNs = _told.UntilNs } == _told && state.UntilNs - _told.UntilNs < RestNs && _request == _toldRequest)
        {
            return null;
        }

        (_told, _toldRequest) = (state, _request);
        return MeterState.Write(
            LineUse.Contact,
            _boot,
            _request,
            (long)state.OnNs,
            (long)state.OffNs,
            (long)state.UnknownNs,
            state.Starts,
            state.Lost,
            state.Misread,
            state.IsOn is { } isOn ? isOn ? 1 : 0 : -1,
            (long)state.UntilNs,
            state.LineSequence);
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
internal sealed class QuadratureMeter : LineMeter
{
    private const double RateTolerance = 1.1;

    private readonly Guid _boot;
    private readonly string _committedRequest;
    private readonly QuadratureState _committed;
    private readonly bool _isNew;
    private QuadratureDecoder? _decoder;
    private PulseRate _rate;
    private string _request;
    private QuadratureState _told;
    private QuadratureState _seen;
    private int _direction = 1;

    public QuadratureMeter(GpioInput input, MeterState state, Guid boot)
        : base(input)
    {
        _boot = boot;
        var isBoot = state.Boot == boot;
        _committedRequest = _request = isBoot ? state.Request : "";
        _committed = _told = _seen = state.Numbers is [var position, var lost, var misread, var isA, var isB, var began, var sequence]
            ? new()
            {
                Position = position,
                Lost = lost,
                Misread = misread,
                IsA = isA < 0 ? null : isA == 1,
                IsB = isB < 0 ? null : isB == 1,
                BeganNs = isBoot ? (ulong)began : 0,
                Sequence = (uint)sequence,
            }
            : default;
        _isNew = state.IsEmpty;
        _rate = new PulseRate(input.Silence, 0);
    }

    public override void Begin(TakenLines taken, ulong values, ulong nowNs)
    {
        var isSame = taken.IsKept && taken.Request == _committedRequest && _decoder is null;
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

        _request = taken.Request;
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
        if (rate > Input.Fastest * RateTolerance)
        {
            Note(LineConditions.TooFast, nowNs);
        }

        var layout = GpioInput.Quadrature;
        layout.Put(block, "steps", state.Position);
        layout.Put(block, "steps a second", rate * _direction ?? double.NaN);
        layout.Put(block, "conditions", Conditions(nowNs));
        layout.Put(block, "edges lost", state.Lost);
        layout.Put(block, "edges misread", state.Misread);
    }

    public override string? News(ulong nowNs)
    {
        if (_decoder is null || _decoder.State == _told)
        {
            return null;
        }

        var state = _told = _decoder.State;
        return MeterState.Write(
            LineUse.Quadrature, _boot, _request, state.Position, state.Lost, state.Misread, Level(state.IsA), Level(state.IsB), (long)state.BeganNs, state.Sequence);

        static long Level(bool? level) => level is { } known ? known ? 1 : 0 : -1;
    }
}

/// <summary>The level of a line, of an output as well; counts nothing.</summary>
internal sealed class LevelMeter(GpioInput input) : LineMeter(input)
{
    public override void Begin(TakenLines taken, ulong values, ulong nowNs)
    {
        // Nothing to go on from.
    }

    public override void Add(in GpioEvent e)
    {
        // Such lines report no edges.
    }

    public override void Show(Span<ushort> block, ulong values, ulong nowNs) => Input.Layout.Put(block, "state", (long)(values & 1));
}
