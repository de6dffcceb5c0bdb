using System.Text.Json.Serialization;

namespace EdgeGateway.Doctoring;

/// <summary>How grave a finding is, rising. Where one looked and could see nothing is not well: it is not known.</summary>
internal enum Verdict : byte
{
    /// <summary>Looked at, and as it should be.</summary>
    Ok,

    /// <summary>Could not be looked at; the finding says why.</summary>
    NotChecked,

    /// <summary>Nothing to mend, and good to know.</summary>
    Notice,

    /// <summary>It works, and something should be done.</summary>
    Warning,

    /// <summary>It does not work, or soon will not.</summary>
    Fault,
}

/// <summary>What one check found.</summary>
/// <param name="Verdict">How grave it is.</param>
/// <param name="What">What is seen, in one sentence.</param>
/// <param name="Cure">What to do; empty when there is nothing to do.</param>
internal sealed record Finding(Verdict Verdict, string What, string Cure)
{
    /// <summary>As it should be.</summary>
    public static Finding Ok(string what) => new(Verdict.Ok, what, "");

    /// <summary>Could not be looked at.</summary>
    /// <param name="what">What was not seen, and why.</param>
    /// <param name="cure">How it could be; empty when it cannot.</param>
    public static Finding NotChecked(string what, string cure = "") => new(Verdict.NotChecked, what, cure);

    /// <summary>Good to know.</summary>
    public static Finding Notice(string what, string cure) => new(Verdict.Notice, what, cure);

    /// <summary>Something should be done.</summary>
    public static Finding Warning(string what, string cure) => new(Verdict.Warning, what, cure);

    /// <summary>It does not work.</summary>
    public static Finding Fault(string what, string cure) => new(Verdict.Fault, what, cure);

    /// <summary>A measured value against two marks: at or above the first a warning, at or above the second a fault.</summary>
    /// <param name="value">The value.</param>
    /// <param name="warning">The first mark, in the value's unit.</param>
    /// <param name="fault">The second.</param>
    /// <param name="what">The sentence with the value.</param>
    /// <param name="cure">What to do when a mark is reached.</param>
    public static Finding Marked(double value, double warning, double fault, string what, string cure) =>
        value >= fault ? Fault(what, cure) : value >= warning ? Warning(what, cure) : Ok(what);
}

/// <summary>What <c>edgegateway doctor --json</c> prints. Additive: members are never renamed.</summary>
public sealed record DoctorDocument
{
    /// <summary>The gravest verdict: <c>ok</c>, <c>not-checked</c>, <c>notice</c>, <c>warning</c> or <c>fault</c>.</summary>
    public required string Verdict { get; init; }

    /// <summary>When it was looked, by this computer's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The version of the program that looked.</summary>
    public required string Version { get; init; }

    /// <summary>The configuration that was looked at.</summary>
    public required string Configuration { get; init; }

    /// <summary>Everything that was looked at, in the order of the checks.</summary>
    public required IReadOnlyList<FindingDocument> Findings { get; init; }
}

/// <summary>One line of the doctor.</summary>
/// <param name="Check">The check that says so; <c>docs/doctor.md</c> lists them.</param>
/// <param name="Verdict"><c>ok</c>, <c>not-checked</c>, <c>notice</c>, <c>warning</c> or <c>fault</c>.</param>
/// <param name="What">What is seen.</param>
/// <param name="Cure">What to do; empty when there is nothing to do.</param>
public sealed record FindingDocument(string Check, string Verdict, string What, string Cure);

/// <summary>JSON of the doctor, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DoctorDocument))]
internal sealed partial class DoctorJson : JsonSerializerContext;
