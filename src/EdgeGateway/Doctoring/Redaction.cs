using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EdgeGateway.Doctoring;

/// <summary>
/// Strikes secrets out of texts (requirement S-6), in two ways: those that are known, because they stand in the files that the configuration names, wherever they
/// turn up and however they are written; and what looks like one, by the word before it or by its form. Rather too much is struck than too little.
/// </summary>
internal sealed partial class Redaction
{
    /// <summary>What stands in the place of a secret.</summary>
    public const string Struck = "[struck out]";

    // Shorter ones would strike letters out of every word; they go where they stand alone.
    private const int LeastAnywhere = 4;

    private readonly List<string> _anywhere = [];
    private readonly List<Regex> _alone = [];

    /// <summary>Knows no secret yet; what looks like one is struck all the same.</summary>
    public Redaction()
    {
    }

    /// <summary>Knows the contents of secret files.</summary>
    /// <param name="contents">The whole text of each; every line of it is a secret, and all of it.</param>
    public Redaction(IEnumerable<string> contents)
    {
        foreach (var content in contents)
        {
            Add(content.Trim());
            foreach (var line in content.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith("-----", StringComparison.Ordinal)))
            {
                Add(line);
            }
        }

        // The longest first: one may be a part of another.
        _anywhere.Sort((a, b) => b.Length.CompareTo(a.Length));
    }

    /// <summary>A text without secrets, for texts that are read line by line: configurations, logs, files of the kernel.</summary>
    public string Strike(string text) => StrikeForms(StrikeKeys(StrikeKnown(text)));

    /// <summary>A JSON document without secrets; it stays one.</summary>
    /// <param name="json">The document.</param>
    /// <exception cref="System.Text.Json.JsonException">It is none.</exception>
    public string StrikeJson(string json)
    {
        var root = JsonNode.Parse(json);
        Strike(root);
        return root?.ToString() ?? "null";
    }

    /// <summary>Whether a known secret stands in a text, in any of its forms.</summary>
    public bool HoldsKnown(string text) => _anywhere.Exists(s => text.Contains(s, StringComparison.Ordinal)) || _alone.Exists(s => s.IsMatch(text));

    private void Add(string secret)
    {
        if (secret.Length == 0)
        {
            return;
        }

        if (secret.Length < LeastAnywhere)
        {
            _alone.Add(new Regex($@"(?<!\w){Regex.Escape(secret)}(?!\w)", RegexOptions.CultureInvariant));
            return;
        }

        // As it is, as in a JSON text, as in an address, and as HTTP's basic authentication carries it.
        foreach (var form in (string[])[secret, System.Text.Json.JsonEncodedText.Encode(secret).ToString(), Uri.EscapeDataString(secret), Convert.ToBase64String(Encoding.UTF8.GetBytes(secret))])
        {
            if (!_anywhere.Contains(form))
            {
                _anywhere.Add(form);
            }
        }
    }

    private void Strike(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToArray())
                {
                    if (value is JsonValue && value.GetValueKind() == System.Text.Json.JsonValueKind.String)
                    {
                        members[name] = JsonValue.Create(SecretKey().IsMatch(name) && !IsPlace(name) ? Struck : StrikeForms(StrikeKnown(value.GetValue<string>())));
                    }
                    else
                    {
                        Strike(value);
                    }
                }

                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    if (items[i] is JsonValue value && value.GetValueKind() == System.Text.Json.JsonValueKind.String)
                    {
                        items[i] = JsonValue.Create(StrikeForms(StrikeKnown(value.GetValue<string>())));
                    }
                    else
                    {
                        Strike(items[i]);
                    }
                }

                break;
            default:
                break;
        }
    }

    private string StrikeKnown(string text)
    {
        foreach (var secret in _anywhere)
        {
            text = text.Replace(secret, Struck, StringComparison.Ordinal);
        }

        foreach (var secret in _alone)
        {
            text = secret.Replace(text, Struck);
        }

        return text;
    }

    private static string StrikeForms(string text) => Form().Replace(text, Struck);

    // By the word before it, to the end of the line: a secret may hold any character, and a broken file any mistake. Lines that belong to it stand further in (YAML 1.2.2,
    // 8.1 and 7.3), or follow until the quote that was opened is closed.
    private static string StrikeKeys(string text)
    {
        var kept = new StringBuilder(text.Length);
        int? deeperThan = null;
        char? openQuote = null;
        foreach (var line in text.Split('\n'))
        {
            var indentation = line.Length - line.TrimStart(' ', '\t').Length;
            if (openQuote is { } quote)
            {
                openQuote = line.Contains(quote) ? null : quote;
                continue;
            }

            if (deeperThan is { } depth && (line.Trim().Length == 0 || indentation > depth))
            {
                continue;
            }

            deeperThan = null;
            if (FirstKey(line) is not { } key)
            {
                kept.Append(SecretComment().Replace(line, "# " + Struck)).Append('\n');
                continue;
            }

            kept.Append(line.AsSpan(0, key.Index + key.Length)).Append(' ').Append(Struck).Append('\n');
            var value = line[(key.Index + key.Length)..].Trim();
            deeperThan = Column(line, key.Index);
            openQuote = value.Length > 0 && value[0] is '"' or '\'' && value.IndexOf(value[0], 1) < 0 ? value[0] : null;
        }

        // The split made one more line than there are line ends.
        kept.Length--;
        return kept.ToString();
    }

    private static Match? FirstKey(string line)
    {
        for (var match = SecretAssignment().Match(line); match.Success; match = match.NextMatch())
        {
            if (!IsPlace(match.Groups["key"].Value))
            {
                return match;
            }
        }

        return null;
    }

    // The column of the key's block: behind the dashes of a list, and the begin of the line where the key stands within brackets.
    private static int Column(string line, int key)
    {
        var start = line.Length - line.TrimStart(' ', '\t', '-', '"', '\'').Length;
        return key <= start ? key : line.Length - line.TrimStart(' ', '\t').Length;
    }

    // Names of files are no secrets: what is in them is.
    private static bool IsPlace(string key) => key.EndsWith("file", StringComparison.OrdinalIgnoreCase) || key.EndsWith("path", StringComparison.OrdinalIgnoreCase);

    private const string Words = "pass(?:word|wd|phrase|code)|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|shared[_-]?key|account[_-]?key|psk|passwort|pwd|密码|口令|密钥";

    [GeneratedRegex($@"(?<![\w-])[""']?(?<key>[\w.-]*(?:{Words})[\w.-]*)[""']?\s*(?:[:=]|：)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SecretAssignment();

    [GeneratedRegex(Words, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SecretKey();

    [GeneratedRegex($@"#.*(?:{Words}).*", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SecretComment();

    // User and password in an address (RFC 3986, 3.2.1), private keys (RFC 7468), tokens (RFC 6750, RFC 7519), keys in connection strings, the password of an HJ 212 packet, and hashes of passwords (crypt(5)).
    [GeneratedRegex(
        @"(?<=://)[^/\s""']*@|-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)|(?<=\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"
        + @"|\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=\b(?:SharedAccessKey|AccountKey|sig|PW)=)[^;&\s""']+|\$(?:1|2[abxy]|5|6|7|y|gy|argon2\w*|pbkdf2[\w-]*)\$[^\s""',]+",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
