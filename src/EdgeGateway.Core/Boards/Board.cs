namespace EdgeGateway.Core.Boards;

/// <summary>A computer with GPIO lines: what each line is called, where it is, and what may take it. Data of <c>hardware/boards</c>.</summary>
public sealed record Board
{
    public required string Id { get; init; }

    public required string Title { get; init; }

    /// <summary>Label of the GPIO chip as its driver gives it, such as <c>pinctrl-bcm2711</c>; numbers of chips change from boot to boot.</summary>
    public required string ChipLabel { get; init; }

    /// <summary>How many lines the chip has, with those that are on no header.</summary>
    public required int ChipLines { get; init; }

    /// <summary>What a line stands, in words.</summary>
    public required string Level { get; init; }

    /// <summary>The lines that a person can mean, by their number in the chip.</summary>
    public required IReadOnlyDictionary<int, BoardLine> Lines { get; init; }

    /// <summary>Header pins without a line, by number: supply and ground.</summary>
    public required IReadOnlyDictionary<int, string> PowerPins { get; init; }

    /// <summary>What takes lines when it is switched on.</summary>
    public required IReadOnlyList<BoardSetting> Settings { get; init; }

    /// <summary>Serial ports of the board itself.</summary>
    public required IReadOnlyList<BoardPort> Ports { get; init; }

    /// <summary>The line of a name, in today's or the former form; null when there is none.</summary>
    public BoardLine? Find(string name) => Lines.Values.FirstOrDefault(l => l.Name == name) ?? Lines.Values.FirstOrDefault(l => l.Formerly == name);
}

/// <summary>One line.</summary>
/// <param name="Offset">Its number in the chip.</param>
/// <param name="Name">Its name in the kernel.</param>
public sealed record BoardLine(int Offset, string Name)
{
    /// <summary>Its name in kernels before 2023, where that is another; null otherwise.</summary>
    public string? Formerly { get; init; }

    /// <summary>Its pin on the header, from 1; null when it is on none.</summary>
    public int? Pin { get; init; }

    /// <summary>Its pull from reset until something sets another: <c>up</c>, <c>down</c> or <c>none</c>; null when not known.</summary>
    public string? PullAtReset { get; init; }

    /// <summary>The resistor that the board has on it, in words; null for none. No bias overcomes it.</summary>
    public string? FixedPull { get; init; }

    /// <summary>For what it is reserved whatever the configuration says; null when it is free.</summary>
    public string? Reserved { get; init; }

    /// <summary><c>GPIO17 (pin 11)</c>.</summary>
    public override string ToString() => Pin is { } pin ? $"{Name} (pin {pin})" : Name;
}

/// <summary>A line of <c>config.txt</c> that takes GPIO lines.</summary>
/// <param name="Words">Its spellings without parameters: <c>dtoverlay=uart3</c>.</param>
/// <param name="What">What it switches on. Settings with the same words share their lines.</param>
/// <param name="Takes">Lines that it always takes.</param>
/// <param name="Parameters">Parameters that choose a line, with the default.</param>
/// <param name="Options">Parameters that take further lines.</param>
public sealed record BoardSetting(
    IReadOnlyList<string> Words,
    string What,
    IReadOnlyList<int> Takes,
    IReadOnlyDictionary<string, int> Parameters,
    IReadOnlyDictionary<string, IReadOnlyList<int>> Options);

/// <summary>A serial port of the board itself.</summary>
/// <param name="Paths">What it is called.</param>
/// <param name="What">What it is, in words.</param>
/// <param name="Needs">Settings of which one must be there; none when it is always there.</param>
/// <param name="Takes">Lines that it uses.</param>
/// <param name="HasParity">Whether it can send a parity bit.</param>
/// <param name="Instead">The path that is meant instead, when this one is not for field lines; null otherwise.</param>
public sealed record BoardPort(IReadOnlyList<string> Paths, string What, IReadOnlyList<string> Needs, IReadOnlyList<int> Takes, bool HasParity, string? Instead);
