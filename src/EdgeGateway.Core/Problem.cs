namespace EdgeGateway.Core;

/// <summary>How grave a <see cref="Problem"/> is.</summary>
public enum ProblemSeverity
{
    /// <summary>Worth mending; the configuration is usable.</summary>
    Warning,

    /// <summary>The configuration cannot be used.</summary>
    Error,
}

/// <summary>Something wrong in a file that a person wrote: where, what, and how to mend it.</summary>
/// <param name="File">The file's name as the person knows it.</param>
/// <param name="Line">Line, from 1; 0 when the whole file is meant.</param>
/// <param name="Column">Column, from 1; 0 when the whole line is meant.</param>
/// <param name="What">What is wrong, one sentence.</param>
/// <param name="Cure">How to mend it, one sentence.</param>
/// <param name="Severity">Error or warning.</param>
public sealed record Problem(string File, int Line, int Column, string What, string Cure, ProblemSeverity Severity = ProblemSeverity.Error)
{
    /// <summary><c>file:line:column: error: what. cure</c>, the form editors and terminals make clickable.</summary>
    public override string ToString() =>
        $"{File}{(Line > 0 ? $":{Line}" : "")}{(Line > 0 && Column > 0 ? $":{Column}" : "")}: {(Severity == ProblemSeverity.Error ? "error" : "warning")}: {What}. {Cure}";
}
