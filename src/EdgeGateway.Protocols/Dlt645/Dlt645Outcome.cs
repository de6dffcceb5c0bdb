namespace EdgeGateway.Protocols.Dlt645;

/// <summary>How a question to a meter ended.</summary>
public enum Dlt645Status : byte
{
    /// <summary>It answered.</summary>
    Ok,

    /// <summary>It refused (control bit D6); <see cref="Dlt645Outcome.Refusals"/> says why.</summary>
    Refused,

    /// <summary>It answered without data: it knows the item and has no value now.</summary>
    NoValue,

    /// <summary>Nothing came in time.</summary>
    Timeout,

    /// <summary>There is no line.</summary>
    NotConnected,

    /// <summary>A frame came whose check sum is wrong.</summary>
    CorruptFrame,

    /// <summary>A frame began, and its rest did not come.</summary>
    ShortReply,

    /// <summary>Another meter answered than the one asked.</summary>
    WrongAddress,

    /// <summary>The answer is to another question.</summary>
    WrongReply,

    /// <summary>The answer is none by the standard, or larger than there is room for.</summary>
    Malformed,

    /// <summary>Several meters answered a question that only one may answer.</summary>
    Collision,
}

/// <summary>How a question ended: what a meter may legally do is a value, never an exception.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Length">Bytes of data that came, without the identifier.</param>
/// <param name="Refusals">Why the meter refused.</param>
/// <param name="Detail">What more is known; null when the status says it all.</param>
public readonly record struct Dlt645Outcome(Dlt645Status Status, int Length = 0, Dlt645Refusals Refusals = Dlt645Refusals.None, string? Detail = null)
{
    /// <summary>Whether the data may be used.</summary>
    public bool IsOk => Status == Dlt645Status.Ok;

    /// <summary>One sentence for a person: what happened, and the likely cure.</summary>
    public string Describe()
    {
        var sentence = Status switch
        {
            Dlt645Status.Ok => "the meter answered",
            Dlt645Status.Refused => DescribeRefusal(),
            Dlt645Status.NoValue => "the meter answered that it has no value for this now",
            Dlt645Status.Timeout => "no answer in time: check that the meter has power, its 12-digit address, baud rate and parity (2400 8E1 unless changed), the wiring (A/B swapped?), or allow more time",
            Dlt645Status.NotConnected => "no connection: check the address, the cable and that the adapter is there",
            Dlt645Status.CorruptFrame => "the answer was damaged (check sum): check termination, shielding, baud rate and parity, and that no two meters have one address",
            Dlt645Status.ShortReply => "the answer broke off: check the line, and that no two meters answer at once",
            Dlt645Status.WrongAddress => "another meter answered: correct the address in the configuration",
            Dlt645Status.WrongReply => "the answer is to another question: another client may be using the line",
            Dlt645Status.Malformed => "the answer does not fit the question: the meter does not follow DL/T 645-2007 here (an older one speaks the edition of 1997)",
            Dlt645Status.Collision => "several meters answered at once: connect one meter at a time to find its address, or read the addresses from the name plates",
            _ => "unknown outcome",
        };
        return Detail is null ? sentence : $"{sentence} ({Detail})";
    }

    /// <inheritdoc cref="Describe"/>
    public override string ToString() => Describe();

    private string DescribeRefusal() =>
        Refusals.HasFlag(Dlt645Refusals.NoSuchData) ? "the meter refused: it does not offer this quantity"
        : Refusals.HasFlag(Dlt645Refusals.Password) ? "the meter refused: this needs a password"
        : $"the meter refused with error byte {(byte)Refusals:X2}: see its manual";
}

/// <summary>What a client has seen since it was made.</summary>
public struct Dlt645Counters
{
    /// <summary>Questions asked, those for further frames included.</summary>
    public long Requests { get; internal set; }

    /// <summary>Questions that were answered.</summary>
    public long Replies { get; internal set; }

    /// <summary>Lines opened.</summary>
    public long Connects { get; internal set; }

    /// <summary>Whole answers to earlier questions, or copies, that were thrown away.</summary>
    public long LateDiscarded { get; internal set; }

    /// <summary>Own questions heard back.</summary>
    public long Echoes { get; internal set; }

    /// <summary>Frames with a wrong check sum.</summary>
    public long CheckSumErrors { get; internal set; }

    /// <summary>Frames with a right check sum and more than four wake-up bytes, taken or refused.</summary>
    public long LongWakeUps { get; internal set; }

    /// <summary>Frames with a right check sum that did not end with 16, taken or refused.</summary>
    public long WrongEnds { get; internal set; }

    /// <summary>Frames with a right check sum and more than 200 bytes of data, taken or refused.</summary>
    public long LongData { get; internal set; }

    /// <summary>Frames with a right check sum that were refused for how they deviate from the standard.</summary>
    public long Refused { get; internal set; }

    internal void Count(Dlt645Deviations deviations)
    {
        LongWakeUps += deviations.HasFlag(Dlt645Deviations.LongWakeUp) ? 1 : 0;
        WrongEnds += deviations.HasFlag(Dlt645Deviations.WrongEnd) ? 1 : 0;
        LongData += deviations.HasFlag(Dlt645Deviations.LongData) ? 1 : 0;
    }
}

/// <summary>How a client behaves on its line.</summary>
public sealed record Dlt645Options
{
    /// <summary>The usual line: 2400 baud, 8 data bits, even parity, 1 stop bit. DL/T 645-2007, 4.3.</summary>
    public static Serial.SerialSettings DefaultLine => new() { Baud = 2400, DataBits = 8, Parity = Serial.SerialParity.Even, StopBits = 1 };

    /// <summary>Settings of the line, for the time that bytes take on it; null behind a device server, whose rate is not known here.</summary>
    public Serial.SerialSettings? Line { get; init; }

    /// <summary>FE bytes before each question, 0 to 4.</summary>
    public int WakeUp { get; init; } = Dlt645Frame.MostWakeUp;

    /// <summary>How long the line must be silent before a question.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromMilliseconds(30);

    /// <summary>A pause inside an answer after which its rest is not awaited any more: bytes follow one another within 500 ms.</summary>
    public TimeSpan ReplyGap { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Which frames that deviate from the standard are refused; all are counted.</summary>
    public Dlt645Strictness Strictness { get; init; } = Dlt645Strictness.Usual;

    /// <summary>Throws when a value cannot be.</summary>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(WakeUp);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(WakeUp, Dlt645Frame.MostWakeUp);
        Line?.Validate();
    }
}
