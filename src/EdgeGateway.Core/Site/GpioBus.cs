using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>GPIO lines of this computer.</summary>
public sealed record GpioBus : LocalBus;

/// <summary>What a GPIO line, or a pair of them, is used for.</summary>
public enum LineUse : byte
{
    /// <summary>Counts pulses, one edge of each, and tells how many come in a second.</summary>
    Counter,

    /// <summary>A contact: its state, how long it was closed and how often, from both edges.</summary>
    Contact,

    /// <summary>The level whenever it is asked for; for chips that report no edges.</summary>
    State,

    /// <summary>Two lines a quarter of a period apart: position and speed, with direction.</summary>
    Quadrature,

    /// <summary>An output.</summary>
    Output,
}

/// <summary>The resistor of the chip on a line.</summary>
public enum LineBias : byte
{
    AsIs,
    Disabled,
    PullUp,
    PullDown,
}

/// <summary>How an output drives its line.</summary>
public enum LineDrive : byte
{
    PushPull,
    OpenDrain,
    OpenSource,
}

/// <summary>Where a line is.</summary>
/// <param name="Name">The name that the board gives it; null when it is given by number.</param>
/// <param name="Chip">Its chip by path, kernel's name or label; null when the name is looked for on all chips.</param>
/// <param name="Offset">Its number on the chip; null when it is given by name.</param>
public sealed record LinePlace(string? Name, string? Chip, int? Offset)
{
    /// <summary>The line as people name it.</summary>
    public string Title => $"line {Name ?? Offset!.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)}{(Chip is null ? "" : $" of {Chip}")}";
}

/// <summary>One use of a GPIO line.</summary>
public sealed record GpioInput : LocalInput
{
    /// <summary>The block of a pulse counter.</summary>
    public static readonly ImageLayout Counter = new(
        "a pulse counter",
        RegisterTable.InputRegister,
        new ImageField(0, RegisterType.UInt64, "pulses"),
        new ImageField(4, RegisterType.Float32, "pulses a second"),
        new ImageField(6, RegisterType.UInt16, "state"),
        new ImageField(7, RegisterType.UInt16, "conditions"),
        new ImageField(8, RegisterType.UInt32, "edges too fast"),
        new ImageField(10, RegisterType.UInt32, "edges without time"),
        new ImageField(12, RegisterType.UInt32, "edges recovered"),
        new ImageField(14, RegisterType.UInt16, "breaks"));

    /// <summary>The block of a contact.</summary>
    public static readonly ImageLayout Contact = new(
        "a contact",
        RegisterTable.InputRegister,
        new ImageField(0, RegisterType.UInt64, "milliseconds on"),
        new ImageField(4, RegisterType.UInt64, "milliseconds unknown"),
        new ImageField(8, RegisterType.UInt32, "starts"),
        new ImageField(10, RegisterType.UInt16, "state"),
        new ImageField(11, RegisterType.UInt16, "conditions"),
        new ImageField(12, RegisterType.UInt32, "edges lost"),
        new ImageField(14, RegisterType.UInt32, "edges misread"));

    /// <summary>The block of a line whose level alone is read.</summary>
    public static readonly ImageLayout State = new(
        "a line's state", RegisterTable.InputRegister, new ImageField(0, RegisterType.UInt16, "state"));

    /// <summary>The block of a pair of quadrature lines.</summary>
    public static readonly ImageLayout Quadrature = new(
        "a quadrature encoder",
        RegisterTable.InputRegister,
        new ImageField(0, RegisterType.Int64, "steps"),
        new ImageField(4, RegisterType.Float32, "steps a second"),
        new ImageField(7, RegisterType.UInt16, "conditions"),
        new ImageField(8, RegisterType.UInt32, "edges lost"),
        new ImageField(10, RegisterType.UInt32, "edges misread"));

    /// <summary>The block of an output: what is written there, and what the line shows.</summary>
    public static readonly ImageLayout Output = new(
        "an output", RegisterTable.HoldingRegister, new ImageField(0, RegisterType.UInt16, "state"));

    public required LineUse Use { get; init; }

    /// <summary>The line; of quadrature line A.</summary>
    public required LinePlace Line { get; init; }

    /// <summary>Line B of quadrature, on the same chip.</summary>
    public LinePlace? LineB { get; init; }

    /// <summary>Whether a low level is the active one.</summary>
    public bool ActiveLow { get; init; }

    public LineBias Bias { get; init; }

    /// <summary>How long a level must hold before the kernel takes it; zero for at once.</summary>
    public TimeSpan Debounce { get; init; }

    /// <summary>Whether a counter takes the edge at which the line becomes inactive.</summary>
    public bool CountsFalling { get; init; }

    /// <summary>The shortest time that the signal is high or low, by the data sheet of what sends it; null when it is not stated.</summary>
    public TimeSpan? MinimumPulse { get; init; }

    /// <summary>Edges sooner than this after the last pulse are bounce, and counted apart.</summary>
    public TimeSpan MinimumInterval { get; init; }

    /// <summary>Most pulses, edges or steps in a second that the signal can have.</summary>
    public double Fastest { get; init; }

    /// <summary>After this long without a pulse the rate is zero.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromMinutes(1);

    public LineDrive Drive { get; init; }

    /// <summary>Whether an output is active in its safe state: at the start, and when the gateway stops.</summary>
    public bool IsSafeActive { get; init; }

    /// <inheritdoc/>
    public override ImageLayout Layout => Use switch
    {
        LineUse.Counter => Counter,
        LineUse.Contact => Contact,
        LineUse.State => State,
        LineUse.Quadrature => Quadrature,
        _ => Output,
    };

    /// <inheritdoc/>
    public override string Title => LineB is null ? Line.Title : $"{Line.Title} and {LineB.Title}";
}

/// <summary>Bits of the register "conditions" of a GPIO input: what is the matter now, or was within the last minute.</summary>
[Flags]
public enum LineConditions : ushort
{
    None = 0,

    /// <summary>Edges came sooner than a pulse can: the contact bounces.</summary>
    Bounce = 1,

    /// <summary>More pulses came in a second than the site says that there can be.</summary>
    TooFast = 2,

    /// <summary>The kernel had no room for edges: counted, but nobody knows when they came.</summary>
    Overflow = 4,

    /// <summary>The line was not watched for a time, and pulses may be missing.</summary>
    Break = 8,
}
