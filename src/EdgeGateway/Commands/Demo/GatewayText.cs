using System.Net;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Commands.Demo;

/// <summary>Changes single values in the text of a <c>gateway.yaml</c>, found by their place in the document; all else stays as it was written.</summary>
internal static class GatewayText
{
    /// <summary>The same site on other ports, with narrower windows.</summary>
    /// <param name="source">The text to change; each TCP bus, the health endpoint and the uplinks name their addresses.</param>
    /// <param name="buses">Where each bus is served, by bus id.</param>
    /// <param name="broker">Port of the broker on loopback.</param>
    /// <param name="health">Port of the health endpoint on loopback.</param>
    /// <param name="windows">What to write for <c>windows</c>.</param>
    /// <exception cref="InvalidDataException">The text is not a site of that kind.</exception>
    public static string Moved(SourceText source, IReadOnlyDictionary<string, IPEndPoint> buses, int broker, int health, string windows)
    {
        var root = YamlText.Read(source, new ProblemCollector()) as YamlMap ?? throw new InvalidDataException($"{source.FileName} is not a mapping");
        var edits = new List<Edit>();
        foreach (var bus in root.List("buses").OfType<YamlMap>())
        {
            var at = buses[bus.Text("id") ?? ""];
            edits.Add(Replace(source, bus["host"], at.Address.ToString()));
            edits.Add(Replace(source, bus["port"], $"{at.Port}"));
        }

        edits.Add(Replace(source, root.Map("health")?["listen"], $"\"127.0.0.1:{health}\""));
        edits.AddRange(root.List("uplinks").OfType<YamlMap>().SelectMany(uplink => uplink.List("servers"))
            .Select(server => Replace(source, server, $"\"mqtt://127.0.0.1:{broker}\"")));

        var key = root.Entries.FirstOrDefault(e => e.Key.Text == "buses").Key;
        edits.Add(new Edit(OffsetOf(source.Text, key.Line, 1), 0, $"windows: {windows}\n\n"));

        // From the end, so that the places before stay where they are.
        var text = source.Text;
        foreach (var edit in edits.OrderByDescending(e => e.Offset))
        {
            text = string.Concat(text.AsSpan(0, edit.Offset), edit.Text, text.AsSpan(edit.Offset + edit.Length));
        }

        return text;
    }

    private static Edit Replace(SourceText source, YamlNode? node, string text)
    {
        if (node is not YamlScalar scalar)
        {
            throw new InvalidDataException($"{source.FileName}: a value that the demo must set is missing");
        }

        var offset = OffsetOf(source.Text, scalar.Line, scalar.Column);
        var written = scalar.IsPlain ? scalar.Text : $"\"{scalar.Text}\"";
        return source.Text.AsSpan(offset).StartsWith(written, StringComparison.Ordinal)
            ? new Edit(offset, written.Length, text)
            : throw new InvalidDataException($"{source.FileName}:{scalar.Line}:{scalar.Column}: '{scalar.Text}' is not written as expected");
    }

    private static int OffsetOf(string text, int line, int column)
    {
        var offset = 0;
        for (var i = 1; i < line; i++)
        {
            offset = text.IndexOf('\n', offset) + 1;
        }

        return offset + column - 1;
    }

    private readonly record struct Edit(int Offset, int Length, string Text);
}
