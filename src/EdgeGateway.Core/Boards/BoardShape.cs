using EdgeGateway.Core.Configuration;
using static EdgeGateway.Core.Configuration.Scalars;

namespace EdgeGateway.Core.Boards;

/// <summary>The grammar of the files in <c>hardware/boards</c>: every key, once.</summary>
public static class BoardShape
{
    public const string SchemaName = "edgegateway/board/1";

    private static readonly ScalarShape Offset = Integer(0, 1023);
    private static readonly ListShape Offsets = new(Offset);

    public static readonly ObjectShape Chip = new(
        "the chip",
        new("label", Text, "Label that the driver gives the GPIO chip, as gpiodetect shows it.") { Required = true },
        new("lines", Integer(1, 1024), "How many lines the chip has.") { Required = true });

    public static readonly ObjectShape Source = new(
        "a source",
        new("ref", Text, "Document or repository and path.") { Required = true },
        new("commit", Text, "Commit that was read."),
        new("note", Text, "What was taken from it."));

    public static readonly ObjectShape Line = new(
        "a line",
        new("offset", Offset, "Number of the line in the chip.") { Required = true },
        new("name", Text, "Name of the line in the kernel, as gpioinfo shows it.") { Required = true },
        new("formerly", Text, "Name in kernels before 2023, where that is another."),
        new("pin", Integer(1, 255), "Pin on the header; absent when it is on none."),
        new("pull", Choice("up", "down", "none"), "Pull from reset until something sets another."),
        new("fixedPull", Text, "Resistor that the board has on it, in words."),
        new("reserved", Text, "For what it is reserved, so that nobody else may use it."));

    public static readonly ObjectShape Setting = new(
        "a setting",
        new("setting", new ListShape(Text, min: 1), "Spellings of the line of config.txt, without parameters.") { Required = true },
        new("what", Text, "What it switches on. Settings with the same words share their lines.") { Required = true },
        new("takes", Offsets, "Lines that it always takes.") { Required = true },
        new("parameters", new MapShape(Text, Offset), "Parameters that choose a line, with the default."),
        new("options", new MapShape(Text, Offsets), "Parameters that take further lines."));

    public static readonly ObjectShape Port = new(
        "a port",
        new("paths", new ListShape(Text, min: 1), "What it is called.") { Required = true },
        new("what", Text, "What it is.") { Required = true },
        new("needs", new ListShape(Text, min: 1), "Settings of which one must be there; it is always there when absent."),
        new("takes", Offsets, "Lines that it uses."),
        new("parity", TrueOrFalse, "Whether it can send a parity bit.") { Required = true },
        new("instead", Text, "The port that is meant instead, when this one is not for field lines."));

    public static readonly ObjectShape Root = new(
        "the board",
        new("schema", Choice(SchemaName), "Format and its major version.") { Required = true },
        new("id", Id, "What gateway.yaml calls it under 'gateway.board'.") { Required = true },
        new("extends", Id, "Another file whose lines, settings, ports and pins it takes over; a line of the same offset is replaced."),
        new("title", Text, "Name for people.") { Required = true },
        new("chip", Chip, "The GPIO chip; absent only in a file that is there to be extended."),
        new("level", Text, "What a line stands.") { Required = true, Inherited = true },
        new("sources", new MapShape(Text, Source), "Where the facts come from."),
        new("power", new MapShape(Integer(1, 255), Text), "Header pins without a line: supply and ground."),
        new("lines", new ListShape(Line), "The lines."),
        new("settings", new ListShape(Setting), "Lines of config.txt that take GPIO lines."),
        new("ports", new ListShape(Port), "Serial ports of the board itself."));
}
