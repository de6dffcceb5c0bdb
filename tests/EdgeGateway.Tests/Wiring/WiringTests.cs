using EdgeGateway.Core.Wiring;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Wiring;

/// <summary>Wiring diagrams: what is refused, and that no wire runs where it must not.</summary>
public class WiringTests
{
    private const string Small = """
        schema: edgegateway/wiring/1
        title: Small
        number: T-1
        revision: 1
        parts:
          - { id: X1, title: Terminals, kind: strip, column: 1, through: [1, 2], open: [1, 2] }
          - { id: A1, title: Pi, column: 2, board: raspberry-pi-4, with: [enable_uart=1], left: ["11 GPIO17", "8 GPIO14 TXD", "9 GND"], open: ["8"] }
        wires:
          - { from: X1.1, to: A1.11, colour: BU, mm2: 0.5 }
          - { from: X1.2, to: A1.9, colour: BK }
        """;

    private static readonly string[] Files =
    [
        .. Directory.EnumerateFiles(RepositoryFiles.At("hardware"), "wiring.yaml", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(RepositoryFiles.At("hardware"), f)).Order(StringComparer.Ordinal),
    ];

    public static TheoryData<string> Drawings => [.. Files];

    [Fact]
    public void There_is_a_drawing_of_each_reference_build() =>
        Assert.Equal(["cm4-industrial", "pi-rs485-opto", "zero-usb-rs485"], Files.Select(Path.GetDirectoryName));

    [Theory, MemberData(nameof(Drawings))]
    public void A_drawing_is_the_one_that_its_description_makes(string file)
    {
        var svg = WiringSvg.Draw(Plan(file));
        var path = Path.ChangeExtension(RepositoryFiles.At(Path.Combine("hardware", file)), ".svg");

        Assert.Equal(svg, WiringSvg.Draw(Plan(file)));
        Assert.True(File.Exists(path) && File.ReadAllText(path) == svg, $"{path} is stale: run 'dotnet run --project src/EdgeGateway -- wiring hardware/{file}', look at it, and commit it");
    }

    [Theory, MemberData(nameof(Drawings))]
    public void Wires_run_along_the_axes_from_terminal_to_terminal(string file)
    {
        var layout = WiringLayout.Of(Plan(file));

        foreach (var wire in layout.Wires)
        {
            foreach (var (end, at) in new[] { (wire.Wire.From, wire.Corners[0]), (wire.Wire.To, wire.Corners[^1]) })
            {
                var part = Assert.Single(layout.Parts, p => p.Part == end.Part);
                Assert.Equal((end.IsRight ? part.X + part.Width : part.X, part.TerminalY(end.Terminal)), at);
                Assert.InRange(at.Y, part.Y, part.Y + part.Height);
            }

            Assert.All(Segments(wire), s => Assert.True(s.From.X == s.To.X || s.From.Y == s.To.Y, $"wire {wire.Wire.Number} runs aslant"));
        }
    }

    [Theory, MemberData(nameof(Drawings))]
    public void No_wire_runs_over_a_part_or_lies_on_another(string file)
    {
        var layout = WiringLayout.Of(Plan(file));
        var segments = layout.Wires.SelectMany(w => Segments(w).Select(s => (w.Wire, s.From, s.To))).ToList();

        foreach (var (wire, from, to) in segments)
        {
            Assert.DoesNotContain(layout.Parts, p =>
                Math.Max(from.X, to.X) > p.X && Math.Min(from.X, to.X) < p.X + p.Width && Math.Max(from.Y, to.Y) > p.Y && Math.Min(from.Y, to.Y) < p.Y + p.Height);
            foreach (var (other, otherFrom, otherTo) in segments.Where(s => s.Wire.Number > wire.Number && !Joined(s.Wire, wire)))
            {
                Assert.False(LieOnEachOther(from, to, otherFrom, otherTo), $"wires {wire.Number} and {other.Number} lie on each other");
            }
        }
    }

    [Theory, MemberData(nameof(Drawings))]
    public void No_wire_runs_through_a_label_of_another(string file)
    {
        var layout = WiringLayout.Of(Plan(file));

        foreach (var (end, at) in layout.Wires.SelectMany(w => new[] { (w.Wire.From, w.Corners[0]), (w.Wire.To, w.Corners[^1]) }))
        {
            var width = WiringLayout.TextWidth(layout.LabelAt(end), WiringLayout.TextSize - 0.5);
            var (left, right) = end.IsRight ? (at.X + 5, at.X + 5 + width) : (at.X - 5 - width, at.X - 5);
            Assert.DoesNotContain(
                layout.Wires.SelectMany(w => Segments(w).Select(s => (w.Wire.Number, s.From, s.To))),
                s => Math.Max(s.From.X, s.To.X) > left && Math.Min(s.From.X, s.To.X) < right && Math.Max(s.From.Y, s.To.Y) > at.Y - 12 && Math.Min(s.From.Y, s.To.Y) < at.Y - 3);
        }
    }

    [Theory, MemberData(nameof(Drawings))]
    public void Texts_fit_into_their_parts(string file)
    {
        foreach (var placed in WiringLayout.Of(Plan(file)).Parts)
        {
            Assert.True(WiringLayout.TextWidth($"{placed.Part.Id}  {placed.Part.Title}", WiringLayout.TitleSize, isBold: true) <= placed.Width - 12, placed.Part.Id);
            Assert.All(placed.Part.Notes, n => Assert.True(WiringLayout.TextWidth(n, WiringLayout.TextSize) <= placed.Width - 12, n));
        }
    }

    [Fact]
    public void The_picture_is_well_formed_and_says_what_the_description_says()
    {
        var svg = WiringSvg.Draw(WiringLoader.Load(new("small.yaml", Small.Replace("title: Small", "title: \"A < B & C\"", StringComparison.Ordinal))).Plan!);
        var document = System.Xml.Linq.XDocument.Parse(svg);
        var texts = document.Descendants().Where(e => e.Name.LocalName == "text").Select(e => e.Value).ToList();

        Assert.Equal("svg", document.Root!.Name.LocalName);
        Assert.All((string[])["A < B & C", "X1  Terminals", "11 GPIO17", "1 BU 0.5", "1  X1.1 to A1.11  BU 0.5 mm2", "BK  black", "Drawing T-1, revision 1, from small.yaml"], said => Assert.Contains(said, texts));
    }

    // passage, what it becomes, line, what is said, how to mend it
    public static TheoryData<string, string, int, string, string> Mistakes => new()
    {
        { "from: X1.1,", "from: X2.1,", 9, "there is no part 'X2'", "Did you mean 'X1'? Parts: X1, A1" },
        { "from: X1.1,", "from: X1.7,", 9, "the part X1 has no terminal '7'", "Its terminals: 1, 2" },
        { "from: X1.1,", "from: X1,", 9, "'X1' is no end of a wire", "such as A1.11" },
        { "from: X1.1,", "from: A1.11,", 9, "a wire leads from A1.11 to itself", "Name another terminal" },
        { "colour: BU", "colour: blue", 9, "'colour' is 'blue', which is not known", "Write one of BK" },
        { ", open: [\"8\"]", "", 7, "no wire leads to A1.8", "Draw the wire, or list the terminal under 'open'" },
        { "through: [1, 2], open: [1, 2]", "through: [1, 2], open: [1]", 6, "no wire leads to X1.2 on the left", "Draw the wire" },
        { "open: [1, 2]", "open: [1, 2, 3]", 6, "the part X1 has no terminal '3'", "Its terminals: 1, 2" },
        { "through: [1, 2]", "through: [1, 2, \"2 again\"]", 6, "the part X1 has two terminals '2'", "a word of its own" },
        { "kind: strip, column: 1, through: [1, 2], open: [1, 2]", "kind: resistor, column: 1, right: [1, 2, 3], open: [\"3\"]", 6, "stands between two terminals", "in pairs" },
        { "id: X1, title: Terminals", "id: A1, title: Terminals", 7, "there are two parts 'A1'", "its own designation" },
        { "11 GPIO17", "11 GPIO27", 7, "pin 11 of a Raspberry Pi 4 Model B is GPIO17, not GPIO27", "Write '11 GPIO17', or '13 GPIO27'" },
        { "9 GND", "9 5 V", 7, "pin 9 of a Raspberry Pi 4 Model B is GND, not 5 V", "Write '9 GND'" },
        { "\"9 GND\"]", "\"9 GND\", \"41 GPIO28\"]", 7, "a Raspberry Pi 4 Model B has no pin 41", "Write a pin of its header" },
        { "with: [enable_uart=1]", "with: [dtoverlay=w1-gpio]", 7, "GPIO14 (pin 8) is drawn as TXD, and nothing under 'with' takes it", "or write '8 GPIO14'" },
        { "8 GPIO14 TXD", "8 GPIO14", 7, "GPIO14 (pin 8) is taken by the UART of the header (enable_uart=1)", "Choose a free line" },
        { "board: raspberry-pi-4, ", "", 7, "'with' says what sits on a board", "Add 'board:'" },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public void What_is_wrong_is_said_with_place_and_cure(string passage, string replacement, int line, string what, string cure)
    {
        Assert.Contains(passage, Small, StringComparison.Ordinal);
        var (plan, problems) = WiringLoader.Load(new("small.yaml", Small.Replace(passage, replacement, StringComparison.Ordinal)));

        Assert.Null(plan);
        Assert.Contains(problems, p => p.Line == line && p.What.Contains(what, StringComparison.Ordinal) && p.Cure.Contains(cure, StringComparison.Ordinal));
    }

    private static WiringPlan Plan(string file)
    {
        var (plan, problems) = WiringLoader.Load(new(file, File.ReadAllText(RepositoryFiles.At(Path.Combine("hardware", file)))));
        Assert.Equal("", string.Join("\n", problems));
        return plan!;
    }

    private static IEnumerable<((double X, double Y) From, (double X, double Y) To)> Segments(RoutedWire wire) => wire.Corners.Zip(wire.Corners.Skip(1));

    // Wires of one terminal leave it together.
    private static bool Joined(WiringWire one, WiringWire other) =>
        new[] { one.From, one.To }.Any(a => new[] { other.From, other.To }.Any(b => a.Part == b.Part && a.Terminal == b.Terminal && a.IsRight == b.IsRight));

    private static bool LieOnEachOther((double X, double Y) a, (double X, double Y) b, (double X, double Y) c, (double X, double Y) d) =>
        a.Y == b.Y && c.Y == d.Y && a.Y == c.Y ? Math.Min(Math.Max(a.X, b.X), Math.Max(c.X, d.X)) > Math.Max(Math.Min(a.X, b.X), Math.Min(c.X, d.X))
        : a.X == b.X && c.X == d.X && a.X == c.X && Math.Min(Math.Max(a.Y, b.Y), Math.Max(c.Y, d.Y)) > Math.Max(Math.Min(a.Y, b.Y), Math.Min(c.Y, d.Y));
}
