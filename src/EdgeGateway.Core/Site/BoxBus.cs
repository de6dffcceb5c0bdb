using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>The health of this computer as a bus. Its inputs are always the same, all of unit 1; what the computer does not have has no value.</summary>
public sealed record BoxBus : LocalBus
{
    /// <summary>The unit that shows the health: <c>unit</c> of the one device on this bus.</summary>
    public const byte OnlyUnit = 1;

    /// <summary>The sensor of the processor's temperature, by the type of a thermal zone or the name of a hwmon device; null to find it.</summary>
    public string? TemperatureSensor { get; init; }

    /// <summary>A directory on the file system whose space is told; null for that of the store.</summary>
    public string? Disk { get; init; }

    /// <summary>Where the computer's files (<c>/proc</c>, <c>/sys</c>) begin.</summary>
    public string Root { get; init; } = "/";

    /// <summary>Every input, in the order of their registers.</summary>
    public static IReadOnlyList<LocalInput> Everything { get; } = [.. Enum.GetValues<BoxSubject>().Select(s => new BoxInput { Unit = OnlyUnit, Number = (int)s, Subject = s })];
}

/// <summary>What is told of a computer. The numbers are the inputs' and with them the addresses: never renumber.</summary>
public enum BoxSubject : byte
{
    Temperature = 1,
    Power = 2,
    Storage = 3,
    Memory = 4,
    Clock = 5,
    Card = 6,
    Operation = 7,
}

/// <summary>One subject as a block of registers.</summary>
public sealed record BoxInput : LocalInput
{
    /// <summary>Temperature of the processor in degrees Celsius.</summary>
    public const string Processor = "processor";

    /// <summary>Status word of a Raspberry Pi's firmware (get_throttled): bit 0 under-voltage, 1 frequency capped, 2 throttled, 3 soft temperature limit; the same from 16 on for "has happened".</summary>
    public const string Throttled = "throttled";

    /// <summary>1 while the supply is too low, by the driver raspberrypi-hwmon.</summary>
    public const string UnderVoltage = "under-voltage";

    /// <summary>Share in use, in percent, as <c>df</c> counts it.</summary>
    public const string Used = "used";

    /// <summary>Bytes that can still be written or had.</summary>
    public const string Free = "free";

    /// <summary>Bytes that all programs wrote to the disk since the start.</summary>
    public const string Written = "written";

    /// <summary>1 when the kernel says that NTP or another source keeps the clock.</summary>
    public const string Synchronised = "synchronised";

    /// <summary>Seconds that the clock may be off at most, as the kernel estimates.</summary>
    public const string MaximumError = "maximum error";

    /// <summary>Seconds that the clock still has to be moved by.</summary>
    public const string Offset = "offset";

    /// <summary>Seconds that the wall clock was set forward against the running time since the last reading.</summary>
    public const string Step = "step";

    /// <summary>Life used in percent, at most: type A and B of the JEDEC standard for eMMC.</summary>
    public const string WearA = "wear a";

    /// <inheritdoc cref="WearA"/>
    public const string WearB = "wear b";

    /// <summary>Bit 0: 80 % of the reserve blocks are used, bit 1: 90 %.</summary>
    public const string Reserve = "reserve";

    /// <summary>Mean number of programs that want the processors over five minutes, in percent of the processors.</summary>
    public const string Load = "load";

    /// <summary>Seconds since the computer started.</summary>
    public const string Uptime = "uptime";

    /// <summary>What the watchdog says of the last start (WDIOC_GETBOOTSTATUS): bit 5 it reset the computer.</summary>
    public const string BootStatus = "boot status";

    private static readonly ImageLayout[] Layouts =
    [
        Of("the temperature of a processor", new ImageField(0, RegisterType.Float32, Processor)),
        Of("the supply of a computer", new ImageField(0, RegisterType.UInt32, Throttled), new ImageField(2, RegisterType.UInt16, UnderVoltage)),
        Of("a file system", new ImageField(0, RegisterType.Float32, Used), new ImageField(2, RegisterType.Float64, Free), new ImageField(6, RegisterType.UInt64, Written)),
        Of("a computer's memory", new ImageField(0, RegisterType.Float32, Used), new ImageField(2, RegisterType.Float64, Free)),
        Of(
            "a computer's clock",
            new ImageField(0, RegisterType.UInt16, Synchronised),
            new ImageField(1, RegisterType.Float64, MaximumError),
            new ImageField(5, RegisterType.Float64, Offset),
            new ImageField(9, RegisterType.Float64, Step)),
        Of("the wear of a card", new ImageField(0, RegisterType.UInt16, WearA), new ImageField(1, RegisterType.UInt16, WearB), new ImageField(2, RegisterType.UInt16, Reserve)),
        Of("the operation of a computer", new ImageField(0, RegisterType.Float32, Load), new ImageField(2, RegisterType.UInt32, Uptime), new ImageField(4, RegisterType.UInt16, BootStatus)),
    ];

    /// <summary>What it tells of.</summary>
    public required BoxSubject Subject { get; init; }

    /// <inheritdoc/>
    public override ImageLayout Layout => Layouts[(int)Subject - 1];

    /// <inheritdoc/>
    public override string Title => Subject.ToString().ToLowerInvariant();

    private static ImageLayout Of(string what, params ImageField[] fields) => new(what, RegisterTable.InputRegister, fields);
}
