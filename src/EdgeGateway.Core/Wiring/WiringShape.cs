using EdgeGateway.Core.Boards;
using EdgeGateway.Core.Configuration;
using static EdgeGateway.Core.Configuration.Scalars;

namespace EdgeGateway.Core.Wiring;

/// <summary>The grammar of a wiring description: every key, once.</summary>
public static class WiringShape
{
    public const string SchemaName = "edgegateway/wiring/1";

    private static readonly ListShape Terminals = new(Text);

    public static readonly ObjectShape Part = new(
        "a part",
        new("id", Id, "Designation on the drawing, such as A1.") { Required = true },
        new("title", Text, "What it is.") { Required = true },
        new("notes", new ListShape(Text), "Further lines below the title."),
        new("kind", Choice("box", "strip", "cable", "fuse", "surge", "resistor", "contact-nc", "contact-no", "earth"), "What it is drawn as. strip: terminal blocks; contact-nc: closed in the normal state; resistors and contacts stand between two terminals each.") { Default = "box" },
        new("column", Integer(1, 20), "Where it stands from left to right. Parts of one column stand below each other in the order of the file.") { Required = true },
        new("space", Integer(0, 60), "Rows left free above it.") { Default = "0" },
        new("through", Terminals, "Terminals that lead through it: what enters on the left leaves on the right. The first word of each is its id."),
        new("left", Terminals, "Terminals on the left side."),
        new("right", Terminals, "Terminals on the right side."),
        new("open", Terminals, "Ids of terminals that may stay free; all others must be connected, those that lead through on both sides."),
        new("barrier", Text, "What separates its left side from its right side electrically, such as opto-couplers."),
        new("screened", TrueOrFalse, "Whether a cable has a screen.") { Default = "false" },
        new("board", Choice([.. BoardLoader.BuiltIn.Keys.Order(StringComparer.Ordinal)]), "The computer that it is: its terminals are header pins, '11 GPIO17', or '8 GPIO14 TXD' for a line that something of 'with' takes, and are checked against the pin map."),
        new("with", new ListShape(new EitherShape(Text, new MapShape(Text, Text))), "What takes lines of the board, as under 'gateway.with' of gateway.yaml."));

    public static readonly ObjectShape Wire = new(
        "a wire",
        new("from", Text, "One end: part and terminal, such as A1.11.") { Required = true },
        new("to", Text, "The other end.") { Required = true },
        new("colour", Choice([.. WireColours.Codes]), "Colour code of IEC 60757; screen for the screen of a cable, plug where one part is plugged on the other.") { Required = true, AlsoCalled = ["color"] },
        new("mm2", Text, "Cross-section in square millimetres."));

    public static readonly ObjectShape Root = new(
        "the drawing",
        new("schema", Choice(SchemaName), "Format and its major version.") { Required = true },
        new("title", Text, "Title of the drawing.") { Required = true },
        new("number", Text, "Number of the drawing.") { Required = true },
        new("revision", Integer(1, 9999), "Revision of the drawing.") { Required = true },
        new("notes", new ListShape(Text), "Sentences beside the drawing."),
        new("parts", new ListShape(Part, min: 1), "The parts.") { Required = true },
        new("wires", new ListShape(Wire, min: 1), "The wires, numbered in the order of the file.") { Required = true });
}
