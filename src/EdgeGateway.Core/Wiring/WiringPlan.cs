namespace EdgeGateway.Core.Wiring;

/// <summary>A wiring diagram as it is described in a file of <c>hardware</c>: parts with terminals, and the wires between them.</summary>
public sealed record WiringPlan
{
    /// <summary>Name of the file, for the title block.</summary>
    public required string File { get; init; }

    public required string Title { get; init; }

    /// <summary>Number of the drawing.</summary>
    public required string Number { get; init; }

    public required int Revision { get; init; }

    /// <summary>Sentences beside the drawing.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    public required IReadOnlyList<WiringPart> Parts { get; init; }

    /// <summary>Wires in the order of the file, which numbers them.</summary>
    public required IReadOnlyList<WiringWire> Wires { get; init; }
}

/// <summary>What a part is drawn as.</summary>
public enum PartKind
{
    /// <summary>A box with terminals.</summary>
    Box,

    /// <summary>Terminal blocks: what enters on the left leaves on the right.</summary>
    Strip,

    /// <summary>A cable: the same, with a screen where it has one.</summary>
    Cable,

    /// <summary>Fuses, one a row.</summary>
    Fuse,

    /// <summary>Surge protection between the rows and earth.</summary>
    Surge,

    /// <summary>A resistor between two terminals, a pair of rows each.</summary>
    Resistor,

    /// <summary>A contact that is closed in the normal state, a pair of rows each.</summary>
    ContactClosed,

    /// <summary>A contact that closes on alarm, a pair of rows each.</summary>
    ContactOpen,

    /// <summary>The earth bar.</summary>
    Earth,
}

/// <summary>One part.</summary>
/// <param name="Id">Designation on the drawing, such as A1 (IEC 81346-2 letters where they fit).</param>
/// <param name="Title">What it is.</param>
/// <param name="Kind">What it is drawn as.</param>
/// <param name="Column">Where it stands from left to right; parts of one column stand below each other in the order of the file.</param>
public sealed record WiringPart(string Id, string Title, PartKind Kind, int Column)
{
    /// <summary>Further lines below the title.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Rows left free above it.</summary>
    public int Space { get; init; }

    /// <summary>Terminals that lead through it, above those of one side.</summary>
    public IReadOnlyList<WiringTerminal> Through { get; init; } = [];

    public IReadOnlyList<WiringTerminal> Left { get; init; } = [];

    public IReadOnlyList<WiringTerminal> Right { get; init; } = [];

    /// <summary>What separates its left side from its right side electrically; null when nothing does.</summary>
    public string? Barrier { get; init; }

    /// <summary>Whether a cable has a screen.</summary>
    public bool IsScreened { get; init; }
}

/// <summary>A terminal.</summary>
/// <param name="Id">The first word of its label, unique in the part.</param>
/// <param name="Label">What stands on it.</param>
public sealed record WiringTerminal(string Id, string Label);

/// <summary>One end of a wire.</summary>
/// <param name="Part">The part.</param>
/// <param name="Terminal">Its terminal.</param>
/// <param name="IsRight">Whether the wire arrives on the part's right side.</param>
public sealed record WiringEnd(WiringPart Part, WiringTerminal Terminal, bool IsRight)
{
    /// <summary><c>A1.11</c>.</summary>
    public override string ToString() => $"{Part.Id}.{Terminal.Id}";
}

/// <summary>A wire.</summary>
/// <param name="Number">Its number on the drawing, from 1.</param>
/// <param name="From">One end.</param>
/// <param name="To">The other.</param>
/// <param name="Colour">Colour code (IEC 60757), <c>screen</c> or <c>plug</c>.</param>
/// <param name="Section">Cross-section in square millimetres as it is written; null where it says nothing.</param>
public sealed record WiringWire(int Number, WiringEnd From, WiringEnd To, string Colour, string? Section)
{
    /// <summary><c>7 BU 0.5</c>.</summary>
    public string Label => Colour == "plug" ? $"{Number}" : $"{Number} {Colour}{(Section is null ? "" : $" {Section}")}";
}

/// <summary>Colours of wires: the codes of IEC 60757, and what is no coloured wire.</summary>
public static class WireColours
{
    private static readonly (string Code, string Name, string Svg)[] Table =
    [
        ("BK", "black", "#1a1a1a"),
        ("BN", "brown", "#7a4a1e"),
        ("RD", "red", "#c8201e"),
        ("OG", "orange", "#e87a12"),
        ("YE", "yellow", "#e8c400"),
        ("GN", "green", "#2a8f3c"),
        ("BU", "blue", "#1f5fbf"),
        ("VT", "violet", "#7a3fa0"),
        ("GY", "grey", "#8a8a8a"),
        ("WH", "white", "#ffffff"),
        ("PK", "pink", "#e98fb0"),
        ("TQ", "turquoise", "#2fb5b0"),
        ("GNYE", "green and yellow", "#2a8f3c"),
        ("screen", "screen of a cable", "#555555"),
        ("plug", "plugged, no wire", "#ffffff"),
    ];

    /// <summary>Every code.</summary>
    public static IReadOnlyList<string> Codes { get; } = [.. Table.Select(t => t.Code)];

    /// <summary>The name of a colour in words.</summary>
    public static string Name(string code) => Array.Find(Table, t => t.Code == code).Name;

    /// <summary>Its value on the screen.</summary>
    public static string Svg(string code) => Array.Find(Table, t => t.Code == code).Svg;
}
