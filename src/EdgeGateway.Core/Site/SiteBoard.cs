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
        BoardRules.Check(board, fittings, [], [.. Ports(root)], problems);
    }

    private static IEnumerable<PortUse> Ports(Section root) =>
        from entry in root.List("buses").OfType<YamlMap>()
        let shape = GatewayShape.Bus.Choose(entry)
        where shape == GatewayShape.RtuBus || shape == GatewayShape.AsciiBus
        let section = new Section(entry, shape, entry)
        let path = section.Text("port")
        where path is not null
        select new PortUse($"the bus '{section.Text("id")}'", path, section.Text("parity") != "none", section.At("port"));
}
