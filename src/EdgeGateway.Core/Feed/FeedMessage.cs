using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace EdgeGateway.Core.Feed;

/// <summary>A message of the feed as a receiver reads it.</summary>
public sealed record FeedMessage
{
    public required string Site { get; init; }

    public required string Gateway { get; init; }

    public required FeedStream Stream { get; init; }

    public required long Epoch { get; init; }

    /// <summary>Sequence number of the first record; record i has <c>FirstSequence + i</c>.</summary>
    public required long FirstSequence { get; init; }

    public required FeedLane Lane { get; init; }

    /// <summary>The records, in order.</summary>
    public required IReadOnlyList<JsonElement> Records { get; init; }

    /// <summary>Sequence number of the last record.</summary>
    public long LastSequence => FirstSequence + Records.Count - 1;

    /// <summary>
    /// Reads a message. Unknown fields are skipped (they may be added within a major version); an unknown major version, stream
    /// or lane is a problem, because a receiver must not guess what it means.
    /// </summary>
    /// <param name="utf8">The payload; never makes this method throw.</param>
    /// <param name="message">The message, or null.</param>
    /// <param name="problem">What is wrong with the payload, or null.</param>
    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out FeedMessage? message, [NotNullWhen(false)] out string? problem) =>
        TryParse(utf8, out message, out problem, out _);

    /// <summary>Reads a message, and says of one that it does not read whether it is one to skip.</summary>
    /// <param name="utf8">The payload; never makes this method throw.</param>
    /// <param name="message">The message, or null.</param>
    /// <param name="problem">What is wrong with the payload, or null.</param>
    /// <param name="skip">
    /// True for a message of this major version that is not numbered, or of a stream or lane that this reader does not know: such may be added, and none of
    /// the numbers that a receiver holds a gateway to is in it.
    /// </param>
    public static bool TryParse(
        ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out FeedMessage? message, [NotNullWhen(false)] out string? problem, out bool skip)
    {
        message = null;
        skip = false;
        if (FeedPayload.Of(utf8) != FeedCompression.None)
        {
            if (FeedPayload.Unpack(utf8.ToArray()) is not { } plain)
            {
                problem = "packed, and cannot be unpacked: damaged, or far too large";
                return false;
            }

            // Once only: what is still packed then is not JSON.
            utf8 = plain.Span;
        }

        JsonElement root;
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
        {
            problem = "it is not valid UTF-8";
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(utf8);
            root = JsonElement.ParseValue(ref reader);
            if (reader.Read())
            {
                problem = "there is more after the message";
                return false;
            }
        }
        catch (JsonException e)
        {
            problem = $"not JSON: {e.Message}";
            return false;
        }

        try
        {
            message = Read(root, out problem);
            skip = message is null && IsToSkip(root);
        }
        catch (InvalidOperationException e)
        {
            // An escaped half of a character pair inside valid JSON.
            problem = $"not readable: {e.Message}";
        }

        return message is not null;
    }

    private static FeedMessage? Read(JsonElement root, out string? problem)
    {
        problem = null;
        if (root.ValueKind != JsonValueKind.Object)
        {
            problem = "the message is not an object";
        }
        else if (Number(root, "v") is not { } version)
        {
            problem = "field 'v' (version of the feed) is missing or not a whole number";
        }
        else if (version != FeedEnvelope.Version)
        {
            problem = $"version {version} of the feed; this reader knows version {FeedEnvelope.Version}";
        }
        else if (Text(root, "site") is not { } site || Text(root, "gateway") is not { } gateway)
        {
            problem = "field 'site' or 'gateway' is missing or not a text";
        }
        else if (!FeedWords.TryStream(Text(root, "stream"), out var stream))
        {
            problem = $"unknown stream '{Text(root, "stream")}'";
        }
        else if (!FeedWords.TryLane(Text(root, "lane"), out var lane))
        {
            problem = $"unknown lane '{Text(root, "lane")}'";
        }
        else if (Number(root, "epoch") is not { } epoch || epoch < 1)
        {
            problem = "field 'epoch' is missing or below 1";
        }
        else if (!root.TryGetProperty("records", out var records) || records.ValueKind != JsonValueKind.Array || records.GetArrayLength() == 0)
        {
            problem = "field 'records' is missing, not an array or empty";
        }
        else if (Number(root, "seq") is not { } seq || seq < 1 || seq > long.MaxValue - records.GetArrayLength())
        {
            problem = "field 'seq' is missing or below 1";
        }
        else if (Number(root, "count") != records.GetArrayLength())
        {
            problem = $"field 'count' says {Number(root, "count")}, there are {records.GetArrayLength()} records";
        }
        else
        {
            return new FeedMessage
            {
                Site = site,
                Gateway = gateway,
                Stream = stream,
                Epoch = epoch,
                FirstSequence = seq,
                Lane = lane,
                Records = [.. records.EnumerateArray()],
            };
        }

        return null;
    }

    private static bool IsToSkip(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object
        && Number(root, "v") == FeedEnvelope.Version
        && ((Text(root, "stream") is { } stream && !FeedWords.TryStream(stream, out _))
            || (Text(root, "lane") is { } lane && !FeedWords.TryLane(lane, out _))
            || !root.TryGetProperty("seq", out _));

    private static long? Number(JsonElement root, string name) =>
        root.TryGetProperty(name, out var field) && field.ValueKind == JsonValueKind.Number && field.TryGetInt64(out var number) ? number : null;

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var field) && field.ValueKind == JsonValueKind.String ? field.GetString() : null;
}
