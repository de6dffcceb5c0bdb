namespace EdgeGateway.Core.Configuration;

/// <summary>Gathers problems, so that a person sees all of them at once and in the order of the file.</summary>
public sealed class ProblemCollector
{
    private readonly List<Problem> _problems = [];

    /// <summary>True when at least one problem forbids the use of the configuration.</summary>
    public bool HasErrors => _problems.Exists(p => p.Severity == ProblemSeverity.Error);

    /// <summary>Notes an error at the place of a node.</summary>
    public void Error(YamlNode at, string what, string cure) => Add(at, what, cure, ProblemSeverity.Error);

    /// <summary>Notes a warning at the place of a node.</summary>
    public void Warning(YamlNode at, string what, string cure) => Add(at, what, cure, ProblemSeverity.Warning);

    /// <summary>Takes over a problem that was found elsewhere; one that is known already is not repeated.</summary>
    public void Add(Problem problem)
    {
        if (!_problems.Contains(problem))
        {
            _problems.Add(problem);
        }
    }

    /// <summary>All problems, file by file in the order they were met, within a file by line and column.</summary>
    public IReadOnlyList<Problem> ToList()
    {
        var files = _problems.Select(p => p.File).Distinct().ToList();
        return [.. _problems.OrderBy(p => files.IndexOf(p.File)).ThenBy(p => p.Line).ThenBy(p => p.Column)];
    }

    private void Add(YamlNode at, string what, string cure, ProblemSeverity severity) =>
        Add(new Problem(at.File, at.Line, at.Column, what, cure, severity));
}
