using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Writing;

namespace EdgeGateway.Writing;

/// <summary>A reading of both clocks, as the store keeps it.</summary>
internal sealed record StoredClock(Guid Boot, long Monotonic, long WallMilliseconds, bool WallIsTrusted)
{
    public static StoredClock Of(in ClockReading reading) => new(reading.Boot, reading.Monotonic, reading.Wall.UnixMilliseconds, reading.WallIsTrusted);

    public ClockReading Reading => new(Boot, Monotonic, new Instant(WallMilliseconds), WallIsTrusted);
}

/// <summary>What makes the gateway write: the words are published and stored, never change one.</summary>
internal static class WriteCause
{
    /// <summary>Somebody asked for it.</summary>
    public const string Request = "request";

    /// <summary>The time of a value is over.</summary>
    public const string Expiry = "expiry";

    /// <summary>A clean stop of the gateway.</summary>
    public const string Stop = "stop";

    /// <summary>Somebody wrote while no gateway ran.</summary>
    public const string Offline = "offline";
}

/// <summary>A write as the store keeps it, with the clocks at which its time began.</summary>
/// <param name="Write">The write.</param>
/// <param name="Clock">Clocks from which its time counts.</param>
/// <param name="Replaces">Of a write without a running gateway: the id of the expiry that stood and that it takes the place of; else null.</param>
internal sealed record StoredWrite(WriteDocument Write, StoredClock Clock, string? Replaces = null);

/// <summary>A value that must give way, as the store keeps it.</summary>
/// <param name="Id">The write that set it.</param>
/// <param name="Device">Id of the device.</param>
/// <param name="Point">Id of the point.</param>
/// <param name="Value">The value, with unit or symbol.</param>
/// <param name="Who">Who wrote it.</param>
/// <param name="SinceMilliseconds">When it was written.</param>
/// <param name="Clock">Clocks from which <paramref name="HoldMilliseconds"/> counts.</param>
/// <param name="HoldMilliseconds">How long it holds.</param>
internal sealed record PendingExpiry(
    string Id, string Device, string Point, string Value, string Who, long SinceMilliseconds, StoredClock Clock, long HoldMilliseconds)
{
    [JsonIgnore]
    public WriteExpiry Expiry => new(Clock.Reading, TimeSpan.FromMilliseconds(HoldMilliseconds));

    /// <summary>The expiry that a write asks for; null when its value holds until it is written again.</summary>
    public static PendingExpiry? Of(StoredWrite stored) => stored.Write.ForSeconds is { } seconds
        ? new PendingExpiry(
            stored.Write.Id,
            stored.Write.Device,
            stored.Write.Point,
            stored.Write.Text,
            stored.Write.Who,
            stored.Write.Time.ToUnixTimeMilliseconds(),
            stored.Clock,
            (long)(seconds * 1000))
        : null;

    /// <summary>The same end on the clocks of this boot.</summary>
    public PendingExpiry Renewed(in ClockReading now)
    {
        var renewed = Expiry.Renewed(now);
        return this with { Clock = StoredClock.Of(renewed.Set), HoldMilliseconds = (long)renewed.Hold.TotalMilliseconds };
    }
}

/// <summary>JSON of what the store keeps of writes.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StoredWrite))]
[JsonSerializable(typeof(PendingExpiry))]
internal sealed partial class StoredWritesJson : JsonSerializerContext
{
    public static string Text(StoredWrite write) => JsonSerializer.Serialize(write, Default.StoredWrite);

    public static string Text(PendingExpiry pending) => JsonSerializer.Serialize(pending, Default.PendingExpiry);

    /// <summary>A write from its text; null when the text is none.</summary>
    public static StoredWrite? Write(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, Default.StoredWrite) is { Write: { Id: not null, Device: not null, Point: not null }, Clock: not null } write ? write : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>An expiry from its text; null when the text is none.</summary>
    public static PendingExpiry? Pending(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, Default.PendingExpiry) is { Id: not null, Device: not null, Point: not null, Clock: not null } pending ? pending : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
