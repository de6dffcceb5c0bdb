using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;

namespace EdgeGateway.Control;

/// <summary>Turns readings into documents for people and programs.</summary>
public static class ReadingDocuments
{
    public static DeviceReadingDocument Make(SiteModel site, DeviceModel device, IReadOnlyList<Reading> readings) => new()
    {
        Device = device.Id,
        Profile = $"{device.Profile.Id} revision {device.Profile.Revision}",
        Points = [.. readings.Select(reading => Make(site.Points[reading.Point], reading))],
    };

    private static PointReadingDocument Make(PointModel point, Reading reading) => new()
    {
        Point = point.Id,
        Role = point.Role,
        Value = reading.Quality.HasValue ? reading.Value : null,
        Unit = point.Unit,
        Symbol = reading.Quality.HasValue && point.Symbols is not null && point.Symbols.TryGetValue((long)reading.Raw, out var symbol) ? symbol : null,
        Quality = reading.Quality.Status switch
        {
            QualityStatus.Good => "good",
            QualityStatus.Uncertain => "uncertain",
            _ => "bad",
        },
        Reason = Reasons.Describe(reading.Quality),
        Address = point.Encoding.Address,
        Raw = reading.Quality.HasValue || reading.Raw != 0 ? $"0x{reading.Raw.ToString($"X{Math.Min(point.Encoding.Length, 4) * 4}")}" : "",
    };
}
