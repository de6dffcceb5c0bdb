using System.Text.Json.Serialization;

namespace EdgeGateway.Core.Feed;

/// <summary>What a <see cref="FeedAudit"/> knows, so that another process can go on with it. Numbers only: its size is that of the gaps.</summary>
internal sealed record FeedAuditState
{
    public const int CurrentVersion = 1;

    public required int Version { get; init; }

    public required long Messages { get; init; }

    public required long Unreadable { get; init; }

    public required long Skipped { get; init; }

    public required long Duplicated { get; init; }

    public required long Changed { get; init; }

    public required IReadOnlyList<string> Findings { get; init; }

    public required LedgerState Ledger { get; init; }
}

internal sealed record LedgerState
{
    public required bool FromFirstRecord { get; init; }

    public required IReadOnlyList<EpochState> Epochs { get; init; }

    public required IReadOnlyList<AbsenceState> Absences { get; init; }

    public required long NotUnderstood { get; init; }

    public required long NotCounted { get; init; }
}

/// <summary>One stream in one epoch. Sets are flat: first, last, first, last, ...</summary>
internal sealed record EpochState
{
    public required string Site { get; init; }

    public required string Gateway { get; init; }

    public required string Stream { get; init; }

    public required long Epoch { get; init; }

    public required long[] Seen { get; init; }

    public required bool Overflowed { get; init; }

    public required long Redelivered { get; init; }

    public required long Issued { get; init; }

    public long? Beginning { get; init; }

    public long? AfterIssued { get; init; }

    public required long HighestLive { get; init; }

    public required long HighestHistory { get; init; }

    public required long OutOfOrder { get; init; }

    public required IReadOnlyList<ExplainedState> Explained { get; init; }
}

internal sealed record ExplainedState
{
    public required string State { get; init; }

    public required string Reason { get; init; }

    public required long[] Numbers { get; init; }

    /// <summary>Unix milliseconds.</summary>
    public long? From { get; init; }

    public long? To { get; init; }
}

internal sealed record AbsenceState
{
    public required string Site { get; init; }

    public required string Gateway { get; init; }

    public long? From { get; init; }

    public long? To { get; init; }

    public required string Reason { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(FeedAuditState))]
internal sealed partial class FeedAuditJson : JsonSerializerContext;
