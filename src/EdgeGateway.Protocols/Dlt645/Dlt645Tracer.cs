using System.Globalization;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Protocols.Dlt645;

/// <summary>Turns the bytes of a line with DL/T 645 meters into frames in words: who is asked what, who answers, how long it took, and what is odd about it.</summary>
/// <remarks>It remembers the last question. Both directions are recognised, so that another client and its meters can be listened to.</remarks>
/// <param name="report">Receives each frame, in order.</param>
public sealed class Dlt645Tracer(Action<TracedFrame> report) : LineTracer(report)
{
    private const byte Start = 0x68;
    private const int SecondStart = 7;

    private readonly byte[] _data = new byte[byte.MaxValue];
    private Asked? _asked;

    /// <summary>A pause inside a frame after which the rest is not awaited: bytes follow one another within 500 ms. DL/T 645-2007, 5.2.</summary>
    public override TimeSpan Gap { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The unit by which the reader of the trace knows a meter; null when it knows none.</summary>
    public Func<MeterAddress, int?> UnitOf { get; init; } = static _ => null;

    /// <inheritdoc/>
    public override void Sent(TimeSpan at, ReadOnlySpan<byte> frame)
    {
        // On this line nothing can come any more that belongs to what came before.
        Flush();
        var found = Dlt645Frame.Find(frame, Dlt645Strictness.Lenient);
        if (found.Kind == Dlt645FoundKind.Frame)
        {
            var whole = frame.Slice(found.At, found.Length);
            var length = Dlt645Frame.Read(whole, _data, out var address, out var control);
            Question(at, whole, frame, address, control, length, found.Deviations, isSent: true);
        }
        else
        {
            Report(new(at, true, TraceKind.Noise, $"{FrameText.Count(frame.Length, "byte")} sent that make no frame", frame.ToArray()));
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        Examine(Last);
        var begin = Dlt645Frame.Find(Waiting, Dlt645Strictness.Lenient);
        Noise(begin.Kind == Dlt645FoundKind.Incomplete ? begin.At : Waiting.Length);
        if (Waiting.Length > 0)
        {
            Report(new(Started, false, TraceKind.Damaged, $"the beginning of a frame: {Waiting.Length}{(begin.Length > 0 ? $" of {begin.Length}" : "")} bytes", Waiting.ToArray())
            {
                AskedUnit = UnitAsked,
                Note = "broken off: the meter stopped sending, or bytes were lost",
            });
            Drop(Waiting.Length, Last);
        }
    }

    /// <inheritdoc/>
    protected override void ForgetAsked() => _asked = null;

    private int? UnitAsked => _asked is { } asked ? UnitOf(asked.Meter) : null;

    /// <inheritdoc/>
    protected override void Examine(TimeSpan at)
    {
        while (true)
        {
            var found = Dlt645Frame.Find(Waiting, Dlt645Strictness.Lenient);
            if (found.Kind is not (Dlt645FoundKind.Frame or Dlt645FoundKind.WrongCheckSum))
            {
                return;
            }

            Before(found.At, at);
            if (found.Kind == Dlt645FoundKind.Frame)
            {
                Take(Waiting[..found.Length], found.Deviations);
                Drop(found.Length, at);
            }
            else
            {
                Damaged(found.Length, at);
            }
        }
    }

    /// <summary>Reports what came before a frame: damaged ones, and what makes none.</summary>
    private void Before(int length, TimeSpan at)
    {
        while (Dlt645Frame.Find(Waiting[..length], Dlt645Strictness.Lenient) is { Kind: Dlt645FoundKind.WrongCheckSum } damaged)
        {
            Noise(damaged.At);
            length -= damaged.At + Damaged(damaged.Length, at);
        }

        Noise(length);
    }

    /// <summary>Reports a frame with a wrong check sum at the begin of the buffer; returns the bytes that were taken for it.</summary>
    private int Damaged(int length, TimeSpan at)
    {
        // What looked like a start may have been noise in front of one: the next that looks like one is spared.
        var frame = Waiting[..length];
        var end = 1;
        while (end < length && !(Waiting[end] == Start && end + SecondStart < Waiting.Length && Waiting[end + SecondStart] == Start))
        {
            end++;
        }

        var from = MeterAddress.Read(frame[1..]);
        Report(new(Started, false, TraceKind.Damaged, $"frame of meter {from} with a wrong check sum", frame[..end].ToArray())
        {
            Unit = UnitOf(from),
            AskedUnit = UnitAsked,
            Check = CheckSum.Wrong,
            Latency = _asked is { } asked ? Started - asked.At : null,
            Note = "damaged on the way, or two meters answered at once",
        });
        Drop(end, at);
        return end;
    }

    private void Take(ReadOnlySpan<byte> frame, Dlt645Deviations deviations)
    {
        var length = Dlt645Frame.Read(frame, _data, out var address, out var control);
        if (control.IsReply)
        {
            Answer(frame, address, control, length, deviations);
        }
        else if (_asked is { IsSent: true } asked && frame.SequenceEqual(asked.Frame))
        {
            Report(new(Started, false, TraceKind.Echo, "our own question, heard back", frame.ToArray())
            {
                Unit = UnitOf(address),
                AskedUnit = UnitOf(address),
                Function = (byte)control.Function,
                Check = CheckSum.Good,
                Note = "echo of our own question: the adapter does not switch off its receiver while it sends",
            });
        }
        else
        {
            Question(Started, frame, frame, address, control, length, deviations, isSent: false);
        }
    }

    private void Question(TimeSpan at, ReadOnlySpan<byte> frame, ReadOnlySpan<byte> bytes, MeterAddress address, Dlt645Control control, int length, Dlt645Deviations deviations, bool isSent)
    {
        var isOther = !isSent && _asked is { IsSent: true };
        var unit = UnitOf(address);
        _asked = new(at, address, control.Function, IdentifierIn(length), isSent, frame.ToArray());
        Report(new(at, isSent, TraceKind.Request, QuestionText(address, control.Function, length), bytes.ToArray())
        {
            Unit = unit,
            AskedUnit = unit,
            Function = (byte)control.Function,
            Check = CheckSum.Good,
            Note = isOther ? "a question of another client: a line has room for one" : NoteOf(deviations),
        });
    }

    private void Answer(ReadOnlySpan<byte> frame, MeterAddress from, Dlt645Control control, int length, Dlt645Deviations deviations)
    {
        var oddity = Oddity(from, control, length);
        Report(new(Started, false, control.IsRefusal ? TraceKind.Exception : TraceKind.Reply, AnswerText(from, control, length), frame.ToArray())
        {
            Unit = UnitOf(from),
            AskedUnit = UnitAsked,
            Function = (byte)control.Function,
            ExceptionCode = control.IsRefusal && length > 0 ? _data[0] : (byte)0,
            Check = CheckSum.Good,
            Latency = _asked is { } asked ? Started - asked.At : null,
            Note = oddity.Length > 0 ? oddity : NoteOf(deviations),
        });
        if (_asked is not null)
        {
            _asked.Answers++;
        }
    }

    private string Oddity(MeterAddress from, Dlt645Control control, int length)
    {
        if (_asked is not { } asked)
        {
            return "answers a question from before the trace began, or of nobody";
        }

        if (from != asked.Meter && !asked.Meter.IsWildcard)
        {
            return $"meter {from} answers a question for meter {asked.Meter}";
        }

        if (control.Function != asked.Function || (!control.IsRefusal && IdentifierIn(length) is { } identifier && control.Function != Dlt645Function.ReadAddress && identifier != asked.Identifier))
        {
            return "answers another question than the last one: late";
        }

        return asked.Answers == 0 ? "" : asked.Meter.IsWildcard ? "another answer to a question that only one meter may answer: several are on the line" : "a second copy of the answer";
    }

    private DataIdentifier? IdentifierIn(int length) => length >= DataIdentifier.Length ? DataIdentifier.Read(_data) : null;

    private string QuestionText(MeterAddress address, Dlt645Function function, int length) => (function, IdentifierIn(length)) switch
    {
        (Dlt645Function.Read, { } identifier) => $"read {Name(identifier)} of meter {address}",
        (Dlt645Function.ReadNext, { } identifier) => $"read further frame {_data[length - 1]} of {Name(identifier)} of meter {address}",
        (Dlt645Function.ReadAddress, _) => "ask whoever hears it for the address",
        _ => $"{function} to {(address.IsBroadcast ? "all meters" : $"meter {address}")}, {FrameText.Count(length, "byte")} of data",
    };

    private string AnswerText(MeterAddress from, Dlt645Control control, int length)
    {
        if (control.IsRefusal)
        {
            return $"meter {from}: {new Dlt645Outcome(Dlt645Status.Refused, Refusals: length > 0 ? (Dlt645Refusals)_data[0] : Dlt645Refusals.None).Describe()}";
        }

        if (control.Function is not (Dlt645Function.Read or Dlt645Function.ReadNext) || IdentifierIn(length) is not { } identifier)
        {
            return control.Function == Dlt645Function.ReadAddress ? $"meter {from} says its address" : $"meter {from} answers {control.Function} with {FrameText.Count(length, "byte")} of data";
        }

        var data = _data.AsSpan(DataIdentifier.Length, length - DataIdentifier.Length);
        var value = data.IsEmpty ? "no value"
            : control is { Function: Dlt645Function.Read, HasMore: false } && DataItems.Find(identifier) is { } item && item.Length == data.Length && item.TryValue(data, out var number)
                ? string.Create(CultureInfo.InvariantCulture, $"{number} {item.Unit}").TrimEnd()
            : FrameText.Hex(data.ToArray());
        return $"meter {from}, {Name(identifier)}: {value}{(control.HasMore ? ", more follows" : "")}";
    }

    private static string Name(DataIdentifier identifier) => DataItems.Find(identifier) is { } item ? $"{identifier} ({item.Name})" : identifier.ToString();

    private static string NoteOf(Dlt645Deviations deviations) =>
        deviations.HasFlag(Dlt645Deviations.WrongEnd) ? "does not end with 16: refused, unless the bus is lenient"
        : deviations.HasFlag(Dlt645Deviations.LongData) ? $"more than {Dlt645Frame.MaxReadData} bytes of data"
        : deviations.HasFlag(Dlt645Deviations.LongWakeUp) ? $"more than {Dlt645Frame.MostWakeUp} wake-up bytes"
        : "";

    /// <summary>Reports the first bytes of the buffer as what makes no frame, unless all only wake up, and drops them.</summary>
    private void Noise(int length)
    {
        var bytes = Waiting[..length];
        if (bytes.ContainsAnyExcept(Dlt645Frame.WakeUp))
        {
            Report(new(Started, false, TraceKind.Noise, $"{FrameText.Count(length, "byte")} that make no frame", bytes.ToArray())
            {
                AskedUnit = UnitAsked,
                Note = "noise, another speed or parity, or another protocol",
            });
        }

        Drop(length, Started);
    }

    private void Drop(int length, TimeSpan at)
    {
        Remove(length);
        Started = at;
    }

    /// <summary>The last question.</summary>
    private sealed class Asked(TimeSpan at, MeterAddress meter, Dlt645Function function, DataIdentifier? identifier, bool isSent, byte[] frame)
    {
        public TimeSpan At => at;

        public MeterAddress Meter => meter;

        public Dlt645Function Function => function;

        public DataIdentifier? Identifier => identifier;

        public bool IsSent => isSent;

        public byte[] Frame => frame;

        public int Answers { get; set; }
    }
}
