namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>Why something is not stated or forecast, for people who read different languages.</summary>
/// <param name="Key">The word of <see cref="StatementWords"/> after <c>refusal.</c>.</param>
/// <param name="Values">What fills its blanks.</param>
public sealed record Refusal(string Key, params object[] Values)
{
    /// <summary>In the words of a language.</summary>
    public string In(StatementWords words)
    {
        ArgumentNullException.ThrowIfNull(words);
        return words.Fill($"refusal.{Key}", Values);
    }

    /// <summary>What an exception says, for a page; English where it has no words of its own.</summary>
    public static Refusal Of(EmissionRefusedException refused)
    {
        ArgumentNullException.ThrowIfNull(refused);
        return refused.Refusal ?? new("other", refused.Message);
    }

    /// <summary>In English.</summary>
    public override string ToString() => In(StatementWords.In("en"));
}
