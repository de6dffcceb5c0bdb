using System.Text.Json.Serialization;

namespace EdgeGateway.Soaking;

/// <summary>What <c>edgegateway soak --json</c> prints. Additive: members are never renamed.</summary>
internal sealed record SoakDocument
{
    /// <summary><c>clean</c>, <c>fault</c>, or <c>too-short</c>: nothing is wrong so far, and nothing can be said of leaks.</summary>
    public required string Verdict { get; init; }

    /// <summary>What is wrong, in words; empty when nothing is.</summary>
    public required IReadOnlyList<string> Findings { get; init; }

    /// <summary>What was soaked.</summary>
    public required string What { get; init; }

    /// <summary>The version of the program that looked.</summary>
    public required string Version { get; init; }

    public required DateTimeOffset Began { get; init; }

    public required double Seconds { get; init; }

    /// <summary>The first of these seconds, which the trends leave out.</summary>
    public required double WarmUpSeconds { get; init; }

    /// <summary>How many times the gateway was looked at.</summary>
    public required int Looks { get; init; }

    /// <summary>Looks to which nobody answered.</summary>
    public required int Unanswered { get; init; }

    /// <summary>From the start of the process to its first committed sample; null when it ran already.</summary>
    public double? FirstSampleSeconds { get; init; }

    /// <summary>Processor time of that start; null when it ran already.</summary>
    public double? FirstSampleCpuSeconds { get; init; }

    /// <summary>Median of resident memory after the warm-up, in bytes; null without a look.</summary>
    public double? ResidentBytes { get; init; }

    /// <summary>Median of the part that no other process could share.</summary>
    public double? OwnBytes { get; init; }

    /// <summary>Median of the proportional share.</summary>
    public double? ProportionalBytes { get; init; }

    public double? SamplesPerSecond { get; init; }

    /// <summary>Share of one processor, in percent.</summary>
    public double? CpuPercent { get; init; }

    /// <summary>Bytes sent to storage in a day at this pace.</summary>
    public double? WrittenBytesPerDay { get; init; }

    public double? WrittenBytesPerSample { get; init; }

    /// <summary>Periods in which a device was not polled, after the warm-up.</summary>
    public long MissedPeriods { get; init; }

    /// <summary>Requests that failed, after the warm-up.</summary>
    public long FailedRequests { get; init; }

    /// <summary>Processes that took the place of another.</summary>
    public int Restarts { get; init; }

    /// <summary>Messages in the outbox at the end.</summary>
    public long Waiting { get; init; }

    /// <summary>Length of all files of the store at the end.</summary>
    public long StoreBytes { get; init; }

    public required IReadOnlyList<SoakTrendDocument> Trends { get; init; }
}

/// <summary>How one figure went.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Verdict"><c>steady</c>, <c>grows</c> or <c>too-short</c>.</param>
/// <param name="Median">Middle of it; null without a look.</param>
/// <param name="PerDay">Theil-Sen slope, in the unit for a day; null when too short.</param>
/// <param name="LowPerDay">Lower end of its 99 % interval.</param>
/// <param name="HighPerDay">Upper end of its 99 % interval.</param>
/// <param name="SmallestPerDay">The least growth in a day that would have been seen.</param>
internal sealed record SoakTrendDocument(string Name, string Unit, string Verdict, double? Median, double? PerDay, double? LowPerDay, double? HighPerDay, double? SmallestPerDay);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(SoakDocument))]
internal sealed partial class SoakJson : JsonSerializerContext;
