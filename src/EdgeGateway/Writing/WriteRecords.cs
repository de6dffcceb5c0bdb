using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Writing;

namespace EdgeGateway.Writing;

/// <summary>Writes as records of the health stream: <c>write-begun</c> before, <c>write-ended</c> afterwards.</summary>
internal static class WriteRecords
{
    /// <summary>What is about to happen.</summary>
    public static HealthRecord Begun(WriteDocument write) => new()
    {
        Time = Instant.From(write.Time),
        Kind = HealthKind.WriteBegun,
        Text = $"{write.Who} writes {write.Text} to {write.Device}.{write.Point}{For(write)}{(write.Reason.Length > 0 ? $": {write.Reason}" : "")}.",
        Fields = [.. Common(write)],
    };

    /// <summary>What came of it.</summary>
    public static HealthRecord Ended(WriteDocument write) => new()
    {
        Time = Instant.From(write.Ended ?? write.Time),
        Kind = HealthKind.WriteEnded,
        Text = $"{write.Text} to {write.Device}.{write.Point}: {write.Outcome}{(write.Detail.Length > 0 ? $" ({write.Detail})" : "")}.",
        Fields =
        [
            .. Common(write),
            new HealthField("outcome", write.Outcome ?? ""),
            new HealthField("detail", write.Detail),
            .. write.ReadBack is { } readBack ? new[] { new HealthField("readBack", readBack) } : [],
            .. write.Expires is { } expires ? new[] { new HealthField("expires", Instant.From(expires).ToString()) } : [],
        ],
    };

    /// <summary>What is not known any more, for people.</summary>
    public static HealthRecord Lost(Instant time, string text) => new() { Time = time, Kind = HealthKind.WriteRecordLost, Text = text };

    private static string For(WriteDocument write) => write.ForSeconds is { } seconds ? $" for {WriteRules.Span(TimeSpan.FromSeconds(seconds))}" : "";

    private static IEnumerable<HealthField> Common(WriteDocument write)
    {
        yield return new HealthField("write", write.Id);
        yield return new HealthField("device", write.Device);
        yield return new HealthField("point", write.Point);
        yield return new HealthField("unit", write.Unit);
        yield return new HealthField("who", write.Who);
        yield return new HealthField("cause", write.Cause);
        yield return new HealthField("reason", write.Reason);
        yield return new HealthField("asked", write.Asked);
        yield return new HealthField("value", write.Value);
        if (write.Before is { } before)
        {
            yield return new HealthField("before", before);
        }

        if (write.ForSeconds is { } seconds)
        {
            yield return new HealthField("forSeconds", seconds);
        }
    }
}
