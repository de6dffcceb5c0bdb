using EdgeGateway.Core.Boards;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Holds what the buses use against the board that <c>gateway.board</c> names.</summary>
internal static class SiteBoard
{
    // The line, and line B of quadrature.
    private static readonly (string Name, string Offset)[] LineKeys = [("line", "offset"), ("lineB", "offsetB")];

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

    private static IEnumerable<Boards.LineUse> Lines(Section root) =>
        from entry in root.List("buses").OfType<YamlMap>()
        where GatewayShape.Bus.Choose(entry) == GatewayShape.GpioBus
        let bus = new Section(entry, GatewayShape.GpioBus, entry)
        from input in bus.List("inputs").OfType<YamlMap>()
        let section = new Section(input, GatewayShape.GpioInput, input)
        from keys in LineKeys
        where section.Has(keys.Name) != section.Has(keys.Offset)
        select new Boards.LineUse(
            $"input {section.Text("input")} of unit {section.Text("unit")} on the bus '{bus.Text("id")}'",
            section.Text(keys.Name),
            section.Text("chip"),
            section.Has(keys.Offset) ? section.Integer(keys.Offset) : null,
            SiteLines.Bias(section),
            section.At(section.Has(keys.Name) ? keys.Name : keys.Offset));

    private static IEnumerable<PortUse> Ports(Section root) =>
        from entry in root.List("buses").OfType<YamlMap>()
        let shape = GatewayShape.Bus.Choose(entry)
        where shape == GatewayShape.RtuBus || shape == GatewayShape.AsciiBus
        let section = new Section(entry, shape, entry)
        let path = section.Text("port")
        where path is not null
        select new PortUse($"the bus '{section.Text("id")}'", path, section.Text("parity") != "none", section.At("port"));
}
