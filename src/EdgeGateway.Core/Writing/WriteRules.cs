using System.Globalization;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Writing;

/// <summary>
/// Decides whether a write may happen: the profile declares the point writable, the site allows it, the value is inside the limits, and there
/// is a safe value where it must expire. Without clock and without I/O; whoever asks, the answer is the same.
/// </summary>
public static class WriteRules
{
    /// <summary>Longest text of a value and of a reason.</summary>
    public const int MaxValueLength = 64, MaxReasonLength = 200;

    /// <summary>Longest time a value may hold where the site sets none.</summary>
    public static readonly TimeSpan LongestHold = TimeSpan.FromDays(30);

    /// <summary>Decides a request.</summary>
    /// <param name="site">The site in force.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="refusal">Why not, for the one who asked: what, where, how to mend. Empty when a plan is returned.</param>
    /// <returns>What to write, or null.</returns>
    public static WritePlan? Decide(SiteModel site, WriteRequest request, out string refusal)
    {
        ArgumentNullException.ThrowIfNull(site);
        ArgumentNullException.ThrowIfNull(request);
        refusal = Find(site, request.Device, request.Point, out var device, out var point) ?? FaultOfTexts(request) ?? "";
        if (refusal.Length > 0)
        {
            return null;
        }

        var name = $"{device!.Id}.{point!.Id}";
        if (WritableValue.Parse(request.Value, point.Encoding, point.Symbols) is not { } value)
        {
            refusal = $"'{request.Value}' is no value of {name}. {Allowed(point)}";
            return null;
        }

        if (WritableValue.Fault(value, point.Encoding, point.Min, point.Max, point.Step, point.StepFrom, point.Values) is { } fault)
        {
            refusal = $"{name}: {fault}. {Allowed(point)}";
            return null;
        }

        var plan = Plan(device, point, value, request);
        refusal = Hold(point, name, request.For, plan, out var hold);
        return refusal.Length > 0 ? null : plan with { For = hold };
    }

    /// <summary>The safe value of a point, for an expiry or a stop; needs the same permissions as every write.</summary>
    /// <param name="site">The site in force.</param>
    /// <param name="deviceId">Id of the device.</param>
    /// <param name="pointId">Id of the point.</param>
    /// <param name="reason">Why it is written.</param>
    /// <param name="refusal">Why it may not be written; empty when a plan is returned.</param>
    public static WritePlan? Safe(SiteModel site, string deviceId, string pointId, string reason, out string refusal)
    {
        ArgumentNullException.ThrowIfNull(site);
        refusal = Find(site, deviceId, pointId, out var device, out var point) ?? "";
        if (refusal.Length == 0 && point!.Safe is null)
        {
            refusal = $"{deviceId}.{pointId} has no safe value any more. Add 'safe:' in gateway.yaml or in its profile.";
        }

        return refusal.Length > 0
            ? null
            : Plan(device!, point!, point!.Safe!.Value, new WriteRequest(deviceId, pointId, point.Describe((double)point.Safe.Value), null, reason, "the gateway"));
    }

    /// <summary>What may be written to a point, in words: <c>Allowed: 0 to 50 Hz in steps of 0.01.</c></summary>
    public static string Allowed(WritablePoint point)
    {
        ArgumentNullException.ThrowIfNull(point);
        var unit = point.Unit == "1" ? "" : $" {point.Unit}";
        return point.Values is { } values
            ? $"Allowed: {string.Join(", ", values.Select(v => Named(point, v)))}."
            : $"Allowed: {Text(point.Min ?? 0)} to {Text(point.Max ?? 0)}{unit}{(point.Step is { } step ? $" in steps of {Text(step)}" : "")}.";
    }

    /// <summary>A time as it is written in <c>gateway.yaml</c>: <c>15m</c>.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalDays: >= 1 } when span.Ticks % TimeSpan.TicksPerDay == 0 => $"{(long)span.TotalDays}d",
        { TotalHours: >= 1 } when span.Ticks % TimeSpan.TicksPerHour == 0 => $"{(long)span.TotalHours}h",
        { TotalMinutes: >= 1 } when span.Ticks % TimeSpan.TicksPerMinute == 0 => $"{(long)span.TotalMinutes}m",
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds}s"),
    };

    private static string Named(WritablePoint point, decimal value)
    {
        var word = point.Describe((double)value);
        var number = Text(value);
        return word == number || word == $"{number} {point.Unit}" ? word : $"{word} ({number})";
    }

    private static WritePlan Plan(DeviceModel device, WritablePoint point, decimal value, WriteRequest request)
    {
        WritableValue.TryEncode(value, point.Encoding, out var words, out var written);
        return new WritePlan
        {
            Device = device,
            Point = point,
            Asked = request.Value.Trim(),
            Value = written,
            Words = words,
            For = null,
            Reason = request.Reason.Trim(),
            Who = request.Who,
        };
    }

    private static string? Find(SiteModel site, string deviceId, string pointId, out DeviceModel? device, out WritablePoint? point)
    {
        point = null;
        device = site.Devices.FirstOrDefault(d => d.Id == deviceId);
        if (device is null)
        {
            return $"There is no device '{deviceId}'. {Spelling.Hint(deviceId, site.Devices.Select(d => d.Id))}Devices: {string.Join(", ", site.Devices.Select(d => d.Id))}.";
        }

        point = device.Writables.FirstOrDefault(p => p.Id == pointId);
        if (point is null)
        {
            var names = device.Writables.Count == 0 ? "none" : string.Join(", ", device.Writables.Select(p => p.Id));
            return device.Profile.Points.Any(p => p.Id == pointId)
                ? $"{deviceId}.{pointId} is only read: its profile {device.Profile.Id} does not declare it writable. Writable points of {deviceId}: {names}."
                : $"The device '{deviceId}' has no point '{pointId}'. {Spelling.Hint(pointId, device.Writables.Select(p => p.Id))}Writable points of {deviceId}: {names}.";
        }

        return point.Allowed
            ? null
            : $"Writing to {deviceId}.{pointId} is not allowed at this site. Add 'allowWrites: true' to the device in gateway.yaml (and no 'write: {{ allow: false }}' to the point), and restart the gateway.";
    }

    private static string? FaultOfTexts(WriteRequest request) => request switch
    {
        { Value.Length: 0 } => "A value is missing.",
        { Value.Length: > MaxValueLength } => $"The value is longer than {MaxValueLength} characters.",
        { Reason.Length: > MaxReasonLength } => $"The reason is longer than {MaxReasonLength} characters: shorten it.",
        _ when request.Value.Any(char.IsControl) || request.Reason.Any(char.IsControl) => "The value or the reason holds control characters: leave them out.",
        _ => null,
    };

    private static string Hold(WritablePoint point, string name, TimeSpan? asked, WritePlan plan, out TimeSpan? hold)
    {
        hold = asked ?? point.ExpiresAfter;

        // What is safe already needs nothing to fall back to.
        if (point.Safe is { } safe && WritableValue.TryEncode(safe, point.Encoding, out var words, out _) && words.AsSpan().SequenceEqual([.. plan.Words]))
        {
            hold = null;
            return "";
        }

        if (hold is { } time && (time < TimeSpan.FromSeconds(1) || time > (point.ExpiresAfter ?? LongestHold)))
        {
            return point.ExpiresAfter is { } longest && time > longest
                ? $"{name} may hold a value for {Span(longest)} at most ('expiresAfter' in gateway.yaml), not for {Span(time)}."
                : $"{name} cannot hold a value for {Span(time)}: write 1s to {Span(point.ExpiresAfter ?? LongestHold)}.";
        }

        return hold is not null && point.Safe is null
            ? $"{name} has no safe value to fall back to after {Span(hold.Value)}. Add 'safe:' under the point's 'write' in gateway.yaml, or write without a time."
            : "";
    }

    private static string Text(decimal value) => value.ToString("G29", CultureInfo.InvariantCulture);
}
