namespace EdgeGateway.Core.Diagnosis;

/// <summary>How the devices of a bus are reached.</summary>
public enum BusMedium : byte
{
    /// <summary>A serial line here.</summary>
    Line,

    /// <summary>A serial line behind a device server that carries its frames over TCP unchanged.</summary>
    LineOverTcp,

    /// <summary>Modbus TCP.</summary>
    Tcp,

    /// <summary>Modbus over UDP.</summary>
    Udp,
}

/// <summary>What was seen on one bus lately, in numbers: the input of <see cref="LikelyCauses"/>.</summary>
public sealed record BusSymptoms
{
    /// <summary>Id of the bus.</summary>
    public required string Bus { get; init; }

    /// <summary>How its devices are reached: what can be wrong on the way.</summary>
    public required BusMedium Medium { get; init; }

    /// <summary>Whether there is a port here, with an adapter and settings of its own.</summary>
    public bool IsSerial => Medium == BusMedium.Line;

    /// <summary>Whether devices share a line, so that one can spoil it for all.</summary>
    public bool IsLine => Medium is BusMedium.Line or BusMedium.LineOverTcp;

    /// <summary>Where the bus is, for people: <c>127.0.0.1:502</c>, <c>/dev/ttyUSB0 at 9600 baud</c>.</summary>
    public required string Where { get; init; }

    /// <summary>Share of the time that the bus is in use, 0 to 1; null when it is not known.</summary>
    public double? Utilisation { get; init; }

    /// <summary>Own requests heard back from the line.</summary>
    public long Echoes { get; init; }

    /// <summary>Times that bytes came on a line although nothing was asked.</summary>
    public long Unasked { get; init; }

    /// <summary>Whole answers that came after their request had been given up, or twice.</summary>
    public long LateReplies { get; init; }

    /// <summary>Connections made or ports opened.</summary>
    public long Connects { get; init; }

    /// <summary>What the operating system said when the bus could not be opened or broke; empty when nothing.</summary>
    public string ConnectProblem { get; init; } = "";

    /// <summary>The devices of the bus that were asked.</summary>
    public required IReadOnlyList<DeviceSymptoms> Devices { get; init; }
}

/// <summary>What was seen of one device lately, in numbers.</summary>
public sealed record DeviceSymptoms
{
    /// <summary>Id of the device.</summary>
    public required string Device { get; init; }

    /// <summary>Its unit id.</summary>
    public required int Unit { get; init; }

    /// <summary>Time limit of a request.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Requests that brought data.</summary>
    public long Answered { get; init; }

    /// <summary>Requests without an answer in time.</summary>
    public long Timeouts { get; init; }

    /// <summary>Answers with a wrong check sum, and noise in place of an answer.</summary>
    public long Corrupt { get; init; }

    /// <summary>Answers that broke off.</summary>
    public long Short { get; init; }

    /// <summary>Answers of another unit or to another function.</summary>
    public long Strange { get; init; }

    /// <summary>The unit that answered in place of this one; null when none did.</summary>
    public int? AnsweredBy { get; init; }

    /// <summary>Requests for which there was no connection or port.</summary>
    public long NotConnected { get; init; }

    /// <summary>Refusals by exception code.</summary>
    public IReadOnlyDictionary<byte, long> Exceptions { get; init; } = new Dictionary<byte, long>();

    /// <summary>Requests for at most 16 registers, and how many of their answers were corrupt or short.</summary>
    public (long Requests, long Damaged) ShortReads { get; init; }

    /// <summary>Requests for more than 16 registers, and how many of their answers were corrupt or short.</summary>
    public (long Requests, long Damaged) LongReads { get; init; }

    /// <summary>Nearly all answers come within this time (95 of 100, or what is known nearest to it); null when none came.</summary>
    public TimeSpan? UsualLatency { get; init; }

    /// <summary>All requests.</summary>
    public long Requests => Heard + Timeouts + NotConnected;

    /// <summary>Requests after which bytes came.</summary>
    public long Heard => Answered + Refused + Corrupt + Short + Strange;

    /// <summary>Refusals of all codes.</summary>
    public long Refused => Exceptions.Values.Sum();
}

/// <summary>What is probably wrong.</summary>
/// <param name="Bus">The bus.</param>
/// <param name="Device">The device, or null when it concerns the whole bus.</param>
/// <param name="Symptom">What is seen, with numbers.</param>
/// <param name="Cure">What it probably comes from and what to do.</param>
public sealed record LikelyCause(string Bus, string? Device, string Symptom, string Cure)
{
    /// <summary>One line for people.</summary>
    public override string ToString() => $"{(Device is null ? $"Bus {Bus}" : $"Device {Device} on bus {Bus}")}: {Symptom}. {Cure}.";
}
