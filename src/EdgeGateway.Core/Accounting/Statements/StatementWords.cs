using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core.Alarms;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>The words of a statement in one language: a data file in the assembly.</summary>
public sealed class StatementWords
{
    private static readonly FrozenDictionary<string, Lazy<StatementWords>> Shipped =
        AlarmMessages.Languages.ToFrozenDictionary(language => language, language => new Lazy<StatementWords>(() => Read(language)));

    private readonly FrozenDictionary<string, string> _words;

    private StatementWords(string language, FrozenDictionary<string, string> words) => (Language, _words) = (language, words);

    /// <summary>The language, as <see cref="AlarmMessages.Languages"/> has it.</summary>
    public string Language { get; }

    /// <summary>All words by key.</summary>
    public IReadOnlyDictionary<string, string> All => _words;

    /// <summary>A word.</summary>
    /// <exception cref="KeyNotFoundException">There is no such key.</exception>
    public string this[string key] => _words[key];

    /// <summary>The words of a language.</summary>
    /// <exception cref="ArgumentException">There is no such language.</exception>
    public static StatementWords In(string language) =>
        Shipped.TryGetValue(language, out var words) ? words.Value : throw new ArgumentException($"There are no statements in '{language}', only in {string.Join(", ", AlarmMessages.Languages)}.", nameof(language));

    /// <summary>A sentence with its blanks filled.</summary>
    public string Fill(string key, params object?[] values) => string.Format(CultureInfo.InvariantCulture, _words[key], values);

    /// <summary>A word that may be missing: a newer method has its own name for one.</summary>
    public string Or(string key, string otherwise) => _words.GetValueOrDefault(key, otherwise);

    private static StatementWords Read(string language)
    {
        var resource = $"EdgeGateway.Core.Statements.{language}.json";
        using var stream = typeof(StatementWords).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The resource {resource} is missing from the assembly.");
        using var document = JsonDocument.Parse(stream);
        return new(language, document.RootElement.EnumerateObject().ToFrozenDictionary(word => word.Name, word => word.Value.GetString()!));
    }
}
