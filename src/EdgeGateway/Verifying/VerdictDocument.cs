using System.Text.Json.Serialization;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Verifying;

/// <summary>What <c>edgegateway verify-feed --json</c> prints.</summary>
public sealed record VerdictDocument
{
    /// <summary>No unexplained gap, and no duplicate that this audit could have met.</summary>
    public required bool Proven { get; init; }

    /// <summary>Why it is not proven, one sentence each.</summary>
    public required IReadOnlyList<string> Reasons { get; init; }

    public required long Messages { get; init; }

    public required long Skipped { get; init; }

    public required long Unreadable { get; init; }

    /// <summary>Different records.</summary>
    public required long Received { get; init; }

    public required long Redelivered { get; init; }

    public required long Explained { get; init; }

    public required long Missing { get; init; }

    public required long OutOfOrder { get; init; }

    /// <summary>Records under a second number; null when they were not looked for (<c>--deep</c>).</summary>
    public required long? Duplicated { get; init; }

    public required long Changed { get; init; }

    /// <summary>Records whose contents were forgotten for want of memory.</summary>
    public required long Forgotten { get; init; }

    public required long StatementsNotUnderstood { get; init; }

    public required IReadOnlyList<StreamVerdictDocument> Streams { get; init; }

    public required IReadOnlyList<AbsenceDocument> NeverAcquired { get; init; }

    public required IReadOnlyList<string> Findings { get; init; }

    /// <summary>Makes the document of a verdict.</summary>
    public static VerdictDocument From(FeedVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return new VerdictDocument
        {
            Proven = verdict.IsProven,
            Reasons = [.. verdict.Reasons()],
            Messages = verdict.Messages,
            Skipped = verdict.Skipped,
            Unreadable = verdict.Unreadable,
            Received = verdict.Ledger.Received,
            Redelivered = verdict.Ledger.Redelivered,
            Explained = verdict.Ledger.Explained,
            Missing = verdict.Ledger.Missing,
            OutOfOrder = verdict.Ledger.OutOfOrder,
            Duplicated = verdict.Deep ? verdict.Ledger.Duplicated : null,
            Changed = verdict.Changed,
            Forgotten = verdict.Forgotten,
            StatementsNotUnderstood = verdict.Ledger.StatementsNotUnderstood,
            Streams = [.. verdict.Ledger.Streams.Select(s => new StreamVerdictDocument
            {
                Site = s.Key.Site,
                Gateway = s.Key.Gateway,
                Stream = s.Key.Stream.Word(),
                Epoch = s.Key.Epoch,
                From = s.Beginning,
                Last = s.LastKnown,
                Received = s.Received,
                Redelivered = s.Redelivered,
                Explained = s.Explained,
                Missing = s.Missing,
                MissingRanges = Flat(s.MissingRanges),
                OutOfOrder = s.OutOfOrder,
                Overflowed = s.Overflowed,
                Explanations = [.. s.Explanations.Select(e => new ExplanationDocument
                {
                    State = e.State.Word(),
                    Reason = e.Reason,
                    Count = e.Count,
                    Ranges = Flat(e.Ranges),
                    From = e.From?.ToString(),
                    To = e.To?.ToString(),
                })],
            })],
            NeverAcquired = [.. verdict.Ledger.Absences.Select(a => new AbsenceDocument
            {
                Site = a.Site,
                Gateway = a.Gateway,
                From = a.From?.ToString(),
                To = a.To?.ToString(),
                Reason = a.Reason,
            })],
            Findings = verdict.Findings,
        };
    }

    private static IReadOnlyList<long[]> Flat(IReadOnlyList<SequenceRange> ranges) => [.. ranges.Select(r => (long[])[r.First, r.Last])];
}

/// <summary>One stream of a gateway in one epoch.</summary>
public sealed record StreamVerdictDocument
{
    public required string Site { get; init; }

    public required string Gateway { get; init; }

    public required string Stream { get; init; }

    public required long Epoch { get; init; }

    /// <summary>The number from which on everything is expected; null when nothing says so.</summary>
    public required long? From { get; init; }

    /// <summary>The last number known to have been given.</summary>
    public required long Last { get; init; }

    public required long Received { get; init; }

    public required long Redelivered { get; init; }

    public required long Explained { get; init; }

    public required long Missing { get; init; }

    /// <summary>Pairs of first and last number, inclusive.</summary>
    public required IReadOnlyList<long[]> MissingRanges { get; init; }

    public required long OutOfOrder { get; init; }

    public required bool Overflowed { get; init; }

    public required IReadOnlyList<ExplanationDocument> Explanations { get; init; }
}

/// <summary>Why records did not arrive.</summary>
public sealed record ExplanationDocument
{
    public required string State { get; init; }

    public required string Reason { get; init; }

    public required long Count { get; init; }

    public required IReadOnlyList<long[]> Ranges { get; init; }

    public required string? From { get; init; }

    public required string? To { get; init; }
}

/// <summary>A time in which a gateway acquired nothing.</summary>
public sealed record AbsenceDocument
{
    public required string Site { get; init; }

    public required string Gateway { get; init; }

    public required string? From { get; init; }

    public required string? To { get; init; }

    public required string Reason { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(VerdictDocument))]
internal sealed partial class VerdictJson : JsonSerializerContext;
