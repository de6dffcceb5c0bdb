using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EdgeGateway.Core.Configuration;

/// <summary>Reads one YAML 1.2 document into nodes that know their place, and writes scalars that are read back as they were.</summary>
/// <remarks>
/// Stricter than YAML where a person would be surprised: no anchors, aliases, tags or second documents, and no key twice. Scalars
/// stay texts; what they mean is decided by the shape that is expected of them, after the core schema (YAML 1.2.2, 10.3), so that
/// <c>no</c> is a word and not a boolean.
/// </remarks>
public static class YamlText
{
    /// <summary>Reads the document; problems go to the collector. Null when the text is not readable YAML or holds nothing.</summary>
    public static YamlNode? Read(SourceText source, ProblemCollector problems)
    {
        var reading = new Reading(source.FileName, problems);
        try
        {
            var parser = new Parser(new StringReader(source.Text.TrimStart((char)0xFEFF))); // Some editors begin a file with a byte order mark.
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                problems.Add(new(source.FileName, 1, 0, "the file is empty", "Begin with 'schema:'; docs/examples shows complete files"));
                return null;
            }

            parser.Consume<DocumentStart>();
            var root = reading.Node(parser);
            parser.Consume<DocumentEnd>();
            if (parser.TryConsume<DocumentStart>(out var second))
            {
                problems.Add(new(source.FileName, (int)second.Start.Line, 0, "a second document begins here", "Keep one document in a file: remove the line with '---'"));
            }

            return root;
        }
        catch (YamlException e)
        {
            problems.Add(Broken(source, (int)e.Start.Line, (int)e.Start.Column, e.InnerException?.Message ?? e.Message));
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or NullReferenceException)
        {
            // The parser trips over some unfinished texts instead of saying so; the last node it read is the nearest place known.
            problems.Add(Broken(source, reading.LastLine, 0, "something is not finished"));
            return null;
        }
    }

    /// <summary>A text as a scalar, within brackets too: as it stands where it then means itself, else in double quotes (YAML 1.2.2, 7.3.1 and 7.3.3).</summary>
    public static string Write(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var isPlain = text.Length > 0 && text == text.Trim() && text.All(c => char.IsLetterOrDigit(c) || c is '_' or '.' or '-' or '/' or ' ')
            && (text[0] != '-' || Quantities.TryNumber(text, out _))
            && !text.StartsWith("...", StringComparison.Ordinal) && text.ToLowerInvariant() is not ("null" or "true" or "false");
        return isPlain ? text : Quote(text);
    }

    /// <summary>A text in double quotes (YAML 1.2.2, 7.3.1); what cannot be written as it is stands escaped (5.7).</summary>
    public static string Quote(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var quoted = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            var isPrintable = rune.Value is (>= 0x20 and < 0x7F) or (>= 0xA0 and not (0x2028 or 0x2029 or 0xFEFF or 0xFFFE or 0xFFFF));
            _ = rune.Value is '"' or '\\' ? quoted.Append('\\').Append(rune)
                : isPrintable ? quoted.Append(rune)
                : quoted.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
        }

        return quoted.Append('"').ToString();
    }

    private static readonly System.Buffers.SearchValues<char> WordCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    private static Problem Broken(SourceText source, int line, int column, string said)
    {
        // The parser notices a tab some way behind it, or points to where the block began; the tab itself is what the person has to see.
        var lines = source.Text.Split('\n');
        var saysTab = said.Contains("tab", StringComparison.OrdinalIgnoreCase);
        for (var i = 0; i < lines.Length && (i < line || saysTab); i++)
        {
            var indentation = lines[i].Length - lines[i].TrimStart(' ', '\t').Length;
            var tab = lines[i].AsSpan(0, indentation).IndexOf('\t');
            if (tab >= 0)
            {
                return new(source.FileName, i + 1, tab + 1, "a tab is used for indentation, which YAML forbids", "Indent with spaces, two for each level");
            }
        }

        // unit:Hz is one word for YAML; the parser only wonders that no key follows, there or a line later.
        for (var i = Math.Max(0, line - 2); i < lines.Length && i < line + 1; i++)
        {
            var start = lines[i].AsSpan().TrimStart(" -");
            var colon = start.IndexOf(':');
            if (colon > 0 && colon + 1 < start.Length && char.IsLetterOrDigit(start[colon + 1]) && start[..colon].IndexOfAnyExcept(WordCharacters) < 0)
            {
                return new(source.FileName, i + 1, lines[i].IndexOf(':') + 1, $"there is no space behind the colon of '{start[..colon]}:'", "Write 'key: value'; a key is followed by ': '");
            }
        }

        var cure = said.Contains("mapping values are not allowed", StringComparison.OrdinalIgnoreCase)
            || said.Contains("invalid mapping", StringComparison.OrdinalIgnoreCase)
            || said.Contains("expected <block end>", StringComparison.OrdinalIgnoreCase)
            || said.Contains("did not find expected", StringComparison.OrdinalIgnoreCase)
            ? "Look at the indentation of this line and the one before: keys of one block begin in the same column; a text that holds ': ' or ' #' needs quotes"
            : "Look at this line and the one before: brackets and quotes come in pairs, a key is followed by ': ', and texts with special characters need quotes";
        return new(source.FileName, line, column, $"the YAML is broken here ({said.TrimEnd('.').ToLowerInvariant()})", cure);
    }

    private sealed class Reading(string file, ProblemCollector problems)
    {
        // A file written by a person is never that deep; the parser's recursion must end before the stack does.
        private const int MaxDepth = 50;
        private int _depth;

        /// <summary>Line of the last node that was begun.</summary>
        public int LastLine { get; private set; } = 1;

        public YamlNode Node(IParser parser)
        {
            if (++_depth > MaxDepth)
            {
                throw new SemanticErrorException(parser.Current!.Start, parser.Current.End, $"more than {MaxDepth} levels inside each other");
            }

            try
            {
                parser.Accept<NodeEvent>(out _);
                LastLine = Math.Max(LastLine, Line(parser.Current!));
                return parser.Current switch
                {
                    YamlDotNet.Core.Events.Scalar => Scalar(parser),
                    SequenceStart => List(parser),
                    MappingStart => Map(parser),
                    AnchorAlias => Alias(parser),
                    var other => throw new SemanticErrorException(other!.Start, other.End, "a value is missing"),
                };
            }
            finally
            {
                _depth--;
            }
        }

        private YamlScalar Scalar(IParser parser)
        {
            var scalar = parser.Consume<YamlDotNet.Core.Events.Scalar>();
            RefuseDecoration(scalar);
            return new(file, Line(scalar), Column(scalar), scalar.Value, scalar.Style == ScalarStyle.Plain);
        }

        private YamlList List(IParser parser)
        {
            var start = parser.Consume<SequenceStart>();
            RefuseDecoration(start);
            var items = new List<YamlNode>();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                items.Add(Node(parser));
            }

            return new(file, Line(start), Column(start), items);
        }

        private YamlMap Map(IParser parser)
        {
            var start = parser.Consume<MappingStart>();
            RefuseDecoration(start);
            var entries = new List<KeyValuePair<YamlScalar, YamlNode>>();
            var lines = new Dictionary<string, int>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var keyNode = Node(parser);
                var value = Node(parser);
                if (keyNode is not YamlScalar key)
                {
                    problems.Error(keyNode, "a key must be a plain word", "Write 'key: value'");
                }
                else if (!lines.TryAdd(key.Text, key.Line))
                {
                    problems.Error(key, $"the key '{key.Text}' stands here for the second time (first in line {lines[key.Text]})", "Keep one of the two");
                }
                else
                {
                    entries.Add(new(key, value));
                }
            }

            return new(file, Line(start), Column(start), entries);
        }

        private YamlScalar Alias(IParser parser)
        {
            var alias = parser.Consume<AnchorAlias>();
            var node = new YamlScalar(file, Line(alias), Column(alias), "", true);
            problems.Error(node, $"'*{alias.Value}' is a YAML alias, which is not used here", "Write the value out");
            return node;
        }

        private void RefuseDecoration(NodeEvent e)
        {
            var at = new YamlScalar(file, Line(e), Column(e), "", true);
            if (!e.Anchor.IsEmpty)
            {
                problems.Error(at, $"'&{e.Anchor.Value}' is a YAML anchor, which is not used here", "Remove the anchor and write repeated values out");
            }

            if (!e.Tag.IsEmpty && !e.Tag.IsNonSpecific)
            {
                problems.Error(at, $"'{e.Tag.Value}' is a YAML tag, which is not used here", "Remove the tag");
            }
        }

        private static int Line(ParsingEvent e) => (int)e.Start.Line;

        private static int Column(ParsingEvent e) => (int)e.Start.Column;
    }
}
