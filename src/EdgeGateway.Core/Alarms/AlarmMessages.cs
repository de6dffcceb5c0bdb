using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using EdgeGateway.Core.Detection.Rules;

namespace EdgeGateway.Core.Alarms;

/// <summary>What an alarm means, for a technician.</summary>
/// <param name="What">What is the matter, where and since when, with the numbers that led to it.</param>
/// <param name="Likely">What it probably comes from, the likeliest first.</param>
/// <param name="Next">What to do next.</param>
public sealed record AlarmExplanation(string What, string Likely, string Next);

/// <summary>The texts of one rule, with named placeholders in braces: see <see cref="AlarmMessages.Placeholders"/>.</summary>
/// <param name="What">What is the matter.</param>
/// <param name="Likely">What it probably comes from.</param>
/// <param name="Next">What to do next.</param>
public sealed record AlarmMessage(string What, string Likely, string Next);

/// <summary>The explanations of alarms in one language: a data file in the assembly, by the name of the rule.</summary>
public sealed class AlarmMessages
{
    /// <summary>The languages there are, as they are written in <c>site.language</c> and <c>--language</c>; the first is the default.</summary>
    public static readonly IReadOnlyList<string> Languages = ["en", "zh"];

    /// <summary>What a text may name in braces.</summary>
    public static readonly IReadOnlyList<string> Placeholders = ["bus", "device", "point", "value", "limit", "since", "text"];

    private static readonly FrozenDictionary<string, Lazy<AlarmMessages>> Shipped =
        Languages.ToFrozenDictionary(language => language, language => new Lazy<AlarmMessages>(() => Read(language)));

    private AlarmMessages(string language, FrozenDictionary<string, AlarmMessage> rules, FrozenDictionary<string, string> words) =>
        (Language, Rules, Words) = (language, rules, words);

    public string Language { get; }

    /// <summary>The texts by the name of the rule: that of a detector, of what happens to a counter, or one of <see cref="AlarmBook"/>.</summary>
    public FrozenDictionary<string, AlarmMessage> Rules { get; }

    /// <summary>States, priorities and the heads of tables, by their English word.</summary>
    public FrozenDictionary<string, string> Words { get; }

    /// <summary>The texts of a language.</summary>
    /// <exception cref="ArgumentException">There is no such language.</exception>
    public static AlarmMessages In(string language) =>
        Shipped.TryGetValue(language, out var messages)
            ? messages.Value
            : throw new ArgumentException($"There are no messages in '{language}', only in {string.Join(", ", Languages)}.", nameof(language));

    /// <summary>The rule of a detector as records name it: one of several for the bits of a word (<c>flag-3</c>) has the texts of all (<c>flag</c>).</summary>
    public static string RuleOf(string detector)
    {
        ArgumentNullException.ThrowIfNull(detector);
        var name = detector.TrimEnd("0123456789".AsSpan()).ToString();
        return name.Length < detector.Length && name.Length > 1 && name[^1] == '-' ? name[..^1] : detector;
    }

    /// <summary>A word of the tables in this language; itself where there is none.</summary>
    public string Word(string word) => Words.GetValueOrDefault(word, word);

    /// <summary>Explains an alarm. One of a rule that this program does not know (its state comes from a newer one) has the words of its detector alone.</summary>
    public AlarmExplanation Explain(AlarmCondition condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Rules.TryGetValue(condition.Rule, out var message)
            ? new(Fill(message.What, condition), Fill(message.Likely, condition), Fill(message.Next, condition))
            : new(condition.Text, "", "");
    }

    /// <summary>The names in braces of a text, in order.</summary>
    public static IReadOnlyList<string> NamesIn(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var names = new List<string>();
        for (var open = text.IndexOf('{', StringComparison.Ordinal); open >= 0; open = text.IndexOf('{', open + 1))
        {
            var close = text.IndexOf('}', open);
            names.Add(close < 0 ? text[(open + 1)..] : text[(open + 1)..close]);
        }

        return names;
    }

    private string Fill(string text, AlarmCondition condition)
    {
        var filled = new StringBuilder();
        var at = 0;
        for (var open = text.IndexOf('{', StringComparison.Ordinal); open >= 0; open = text.IndexOf('{', at))
        {
            var close = text.IndexOf('}', open);
            filled.Append(text, at, open - at).Append(ValueOf(text[(open + 1)..close], condition));
            at = close + 1;
        }

        return filled.Append(text, at, text.Length - at).ToString();
    }

    private string ValueOf(string name, AlarmCondition condition) => name switch
    {
        "bus" => condition.Bus,
        "device" => condition.DeviceName.Length > 0 ? condition.DeviceName : condition.Device,
        "point" => condition.Point,
        "value" => Or(condition.ValueText),
        "limit" => Or(condition.LimitText),
        "since" => Core.Words.Clock(condition.Since.UnixMilliseconds),
        "text" => condition.Text,
        _ => $"{{{name}}}",
    };

    private string Or(string text) => text.Length > 0 ? text : Word("no value");

    private static AlarmMessages Read(string language)
    {
        var resource = $"EdgeGateway.Core.Alarms.{language}.json";
        using var stream = typeof(AlarmMessages).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The resource {resource} is missing from the assembly.");
        using var document = JsonDocument.Parse(stream);
        var rules = document.RootElement.GetProperty("rules").EnumerateObject().ToDictionary(
            rule => rule.Name, rule => new AlarmMessage(Text(rule.Value, "what"), Text(rule.Value, "likely"), Text(rule.Value, "next")));
        if (language == Languages[0])
        {
            // A rule of the trade brings its words in this language along; its records use them, too.
            foreach (var rule in RuleTable.All)
            {
                rules.Add(rule.Name, new($"{rule.Words.Title}: {{point}} of {{device}} is at {{value}}, since {{since}}.", $"{Sentence(rule.Words.Likely)}.", $"{rule.Words.Step}."));
            }
        }

        return new AlarmMessages(
            language,
            rules.ToFrozenDictionary(),
            document.RootElement.GetProperty("words").EnumerateObject().ToFrozenDictionary(word => word.Name, word => word.Value.GetString()!));
    }

    private static string Sentence(string words) => char.ToUpperInvariant(words[0]) + words[1..];

    private static string Text(JsonElement rule, string name) => rule.GetProperty(name).GetString()!;
}
