using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
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

    private static PointReadingDocument Make(PointModel point, Reading reading)
    {
        var hasValue = reading.Quality.HasValue && point.Kind != PointKind.Text;
        var quality = reading.Quality.IsGood && hasValue && !point.IsPlausible(reading.Value) ? Quality.Uncertain(QualityReason.OutOfRange) : reading.Quality;
        return new()
        {
            Point = point.Id,
            Role = point.Role,
            Value = hasValue ? reading.Value : null,
            Unit = point.Unit,
            Symbol = hasValue && point.Symbols is { } symbols ? symbols.GetValueOrDefault(unchecked((long)reading.Raw)) : null,
            Text = reading.Text ?? (hasValue ? Meaning(point, reading) : null),
            Quality = quality.Status switch
            {
                QualityStatus.Good => "good",
                QualityStatus.Uncertain => "uncertain",
                _ => "bad",
            },
            Reason = Reasons.Describe(quality),
            Address = point.Encoding.Address,
            Raw = point.Kind != PointKind.Text && (reading.Quality.HasValue || reading.Raw != 0) ? Raw(point.Encoding, reading.Raw) : "",
        };
    }

    // What the number alone does not tell: which flags are set, which day it is, that a state has no name.
    private static string? Meaning(PointModel point, Reading reading)
    {
        if (point.Flags is { } flags)
        {
            var set = Enumerable.Range(0, point.Encoding.RawBits).Where(bit => (reading.Raw >> bit & 1) != 0)
                .Select(bit => flags.TryGetValue(bit, out var name) ? name : $"bit {bit} (no name)");
            return string.Join(", ", set) is { Length: > 0 } names ? names : "none set";
        }

        if (point.Symbols is { } symbols && !symbols.ContainsKey(unchecked((long)reading.Raw)))
        {
            return $"no name for {reading.Value:0}";
        }

        if (point.Encoding.Type == RegisterType.DateTime || point.Role == "device.clock")
        {
            var time = DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Clamp(reading.Value * 1000, 0, 7_258_118_400_000));
            return time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + (point.Encoding.IsLocalTime ? " local time of the device" : " UTC");
        }

        return null;
    }

    private static string Raw(RegisterEncoding encoding, ulong raw)
    {
        var (bits, power) = RegisterCodec.Parts(encoding, raw);
        var digits = $"0x{bits.ToString($"X{(encoding.RawBits + 3) / 4}", CultureInfo.InvariantCulture)}";
        return power is null ? digits : $"{digits} x 10^{power}";
    }
}
