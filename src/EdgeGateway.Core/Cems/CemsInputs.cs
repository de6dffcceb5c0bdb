using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Cems;

/// <summary>What a point gives to a stack beside its gases. The words are keys of <c>points</c> in <c>gateway.yaml</c>.</summary>
internal enum CemsInput
{
    Oxygen,
    Temperature,
    Pressure,
    Velocity,
    Flow,
    Moisture,
    Load,
    Status,
}

/// <summary>Finds the points of a stack by name or by role.</summary>
internal static class CemsInputs
{
    /// <summary>Keys of <c>points</c>.</summary>
    public static readonly string[] Words = [.. Enum.GetValues<CemsInput>().Select(i => i.Word())];

    // Roles by which inputs are found when the site names no point; load and status have none that is sure.
    private static readonly string[][] Roles =
        [["gas.concentration.o2"], ["flue.temperature"], ["flue.pressure.static"], ["flue.velocity"], ["flue.flow"], ["flue.moisture", "gas.concentration.h2o"], [], []];

    /// <summary>The word of an input.</summary>
    public static string Word(this CemsInput input) => input.ToString().ToLowerInvariant();

    /// <summary>The channel of an input; null when the device has no such point.</summary>
    /// <exception cref="ArgumentException">The named point is not there or measures something else.</exception>
    public static CemsChannel? Channel(SiteModel site, DeviceModel device, CemsModel model, CemsInput input)
    {
        if (Find(site, device, model.Points.GetValueOrDefault(input.Word()), Roles[(int)input]) is not { } point)
        {
            return null;
        }

        return input switch
        {
            CemsInput.Oxygen or CemsInput.Moisture => new(point, [Dimension.VolumeFraction, Dimension.One], 10_000),
            CemsInput.Temperature => new(point, [Dimension.Temperature], 1),
            CemsInput.Pressure => new(point, [Dimension.Pressure], 1),
            CemsInput.Velocity => new(point, [Dimension.Speed], 1),
            CemsInput.Flow => new(point, [Dimension.VolumeFlow], 1),
            _ => throw new ArgumentOutOfRangeException(nameof(input), input, null),
        };
    }

    /// <summary>A point by name, else by role; null when there is none.</summary>
    /// <exception cref="ArgumentException">The named point is not there.</exception>
    public static PointModel? Find(SiteModel site, DeviceModel device, string? name, ReadOnlySpan<string> roles)
    {
        if (name is not null)
        {
            return Detectors.FindPoint(site, device, name) ?? throw new ArgumentException($"there is no point '{name}'");
        }

        foreach (var role in roles)
        {
            foreach (var index in device.Points)
            {
                if (site.Points[index] is var point && point.Role == role && point.Period > TimeSpan.Zero)
                {
                    return point;
                }
            }
        }

        return null;
    }
}
