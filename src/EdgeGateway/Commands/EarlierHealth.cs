using System.Text.Json;

namespace EdgeGateway.Commands;

/// <summary>What the version before said of itself before an upgrade, as far as an upgrade is judged by it.</summary>
/// <param name="StoreState">The state of its store; null when it did not tell.</param>
/// <param name="Blocked">Its loops that did not turn.</param>
/// <param name="HadReadings">Whether a device answered it, and a reading was taken; true when it does not tell.</param>
internal sealed record EarlierHealth(string? StoreState, IReadOnlySet<string> Blocked, bool HadReadings)
{
    /// <summary>The state of a store that takes readings.</summary>
    internal const string Ok = "ok";

    private const string BlockedPrefix = "Blocked: ";
    private const string Since = " has not turned for ";

    /// <summary>Reads what <c>status --json</c> printed. Only the members that are needed are looked at: the document may be of an older version, which has fewer.</summary>
    /// <param name="json">The document.</param>
    /// <exception cref="JsonException">It is no status.</exception>
    public static EarlierHealth Of(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException("it is no status of a gateway");
        }

        var state = root.TryGetProperty("storage", out var storage) && storage.ValueKind == JsonValueKind.Object && storage.TryGetProperty("state", out var word) ? Text(word) : null;
        var hadNone = root.TryGetProperty("samples", out var count) && count.ValueKind == JsonValueKind.Number && count.TryGetInt64(out var samples) && samples == 0;
        var devices = Items(root, "devices");
        return new(
            state,
            Items(root, "problems").Select(Text).OfType<string>().Where(IsBlocked).Select(LoopOf).ToHashSet(StringComparer.Ordinal),
            !hadNone && (devices.Length == 0 || devices.Any(IsOnline)));
    }

    /// <summary>Whether a problem says that a loop does not turn.</summary>
    public static bool IsBlocked(string problem) => problem.StartsWith(BlockedPrefix, StringComparison.Ordinal);

    /// <summary>The loop of such a problem, without the time for which it has not turned.</summary>
    public static string LoopOf(string problem) => problem[BlockedPrefix.Length..].Split(Since)[0];

    private static JsonElement[] Items(JsonElement root, string name) => root.TryGetProperty(name, out var items) && items.ValueKind == JsonValueKind.Array ? [.. items.EnumerateArray()] : [];

    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool IsOnline(JsonElement device) => device.ValueKind == JsonValueKind.Object && device.TryGetProperty("online", out var online) && online.ValueKind == JsonValueKind.True;
}
