using System.Text.Json.Serialization;

namespace EdgeGateway.Following;

/// <summary>One line of <c>edgegateway follow --json</c>: what happened to the sample. Additive: members are never renamed.</summary>
public sealed record FollowDocument
{
    /// <summary>
    /// <c>read</c>, <c>decode</c>, <c>take</c>, <c>validate</c>, <c>detect</c>, <c>store</c>, <c>record</c>, <c>commit</c>, <c>publish</c>, <c>acknowledge</c>; <c>refuse</c>,
    /// <c>pass</c> (an uplink that does not carry it), <c>wait</c>; and at last <c>end</c>.
    /// </summary>
    public required string Step { get; init; }

    /// <summary>When it was done, by the gateway's clock, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Milliseconds since the request was sent that brought the sample.</summary>
    public required double AfterMilliseconds { get; init; }

    /// <summary>What happened, in words.</summary>
    public required string Text { get; init; }

    /// <summary>How long the step itself took, where that was measured.</summary>
    public double? TookMilliseconds { get; init; }

    /// <summary>The value in <see cref="Unit"/>; null when there is none.</summary>
    public double? Value { get; init; }

    /// <summary>The point's unit.</summary>
    public string? Unit { get; init; }

    /// <summary><c>good</c>, <c>uncertain</c> or <c>bad</c>.</summary>
    public string? Quality { get; init; }

    /// <summary>Why it is not good, by the words of the feed.</summary>
    public string? Reason { get; init; }

    /// <summary>Register image in hexadecimal.</summary>
    public string? Raw { get; init; }

    /// <summary>What detectors found in it.</summary>
    public IReadOnlyList<string>? Findings { get; init; }

    /// <summary>Stream of the record that carries it.</summary>
    public string? Stream { get; init; }

    /// <summary>Epoch of the record.</summary>
    public long? Epoch { get; init; }

    /// <summary>Sequence number of the record.</summary>
    public long? Sequence { get; init; }

    /// <summary>Number of the row in the outbox.</summary>
    public long? Row { get; init; }

    /// <summary>The uplink.</summary>
    public string? Uplink { get; init; }

    /// <summary>Of the end: whether the sample is where it belongs, as far as the site wants it carried.</summary>
    public bool? Complete { get; init; }

    /// <summary>Of the end: the trace that was sent to the collector of OpenTelemetry; null when there is none.</summary>
    public string? TraceId { get; init; }
}

/// <summary>JSON of a followed sample: one document a line.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FollowDocument))]
internal sealed partial class FollowJson : JsonSerializerContext;
