using EdgeGateway.Core.Boards;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Holds what the buses use against the board that <c>gateway.board</c> names.</summary>
internal static class SiteBoard
{
    /// <summary>Notes lines and ports that are used twice, reserved or taken. Without a board nothing is known and nothing is said.</summary>
    public static void Check(Section root, Section gateway, ProblemCollector problems)
    {
        if (gateway.Text("board") is not { } id || !BoardLoader.BuiltIn.TryGetValue(id, out var board))
        {
            if (gateway.Has("with") && !gateway.Has("board"))
            {
                problems.Error(gateway.At("with"), "'with' says what sits on a board, and no board is named", "Add 'board:', or leave out 'with'");
            }

            return;
        }

        var fittings = BoardFitting.Read(gateway.List("with"), problems);
        BoardRules.Check(board, fittings, [.. Lines(root)], [.. Ports(root)], problems);
    }

    // A line that is written twice in one way has been told of by the buses; in two ways, by name and by number, only the board knows that it is one.
    private static IEnumerable<UsedLine> Lines(Section root) =>
        (from entry in root.List("buses").OfType<YamlMap>()
         where GatewayShape.Bus.Choose(entry) == GatewayShape.GpioBus
         let bus = new Section(entry, GatewayShape.GpioBus, entry)
         from input in bus.List("inputs").OfType<YamlMap>()
         let section = new Section(input, GatewayShape.GpioInput, input)
         from line in new[] { Line(bus, section, "line", "offset"), Line(bus, section, "lineB", "offsetB") }
         where line is not null
         select line).DistinctBy(l => (l.Name, l.Chip, l.Offset));

    private static UsedLine? Line(Section bus, Section input, string name, string offset)
    {
        var bias = SiteLines.Bias(input);
        var user = $"input {input.Text("input")} of unit {input.Text("unit")} on the bus '{bus.Text("id")}'";
        return input.Text(name) is { } written ? new(user, written, input.Text("chip"), null, bias, input.At(name))
            : input.Integer(offset) is { } number ? new(user, null, input.Text("chip"), number, bias, input.At(offset))
            : null;
    }

    private static IEnumerable<UsedPort> Ports(Section root) =>
        from entry in root.List("buses").OfType<YamlMap>()
        let shape = GatewayShape.Bus.Choose(entry)
        where shape == GatewayShape.RtuBus || shape == GatewayShape.AsciiBus
        let section = new Section(entry, shape, entry)
        let path = section.Text("port")
        where path is not null
        select new UsedPort($"the bus '{section.Text("id")}'", path, section.Text("parity") != "none", section.At("port"));
}
