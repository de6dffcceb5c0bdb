using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>Which points the detector for any gauge watches by itself, and what that may cost. <c>docs/novelty.md</c> states the rule.</summary>
public static class NoveltyRule
{
    /// <summary>Acceptable false alarms of a device a day, where nothing is written.</summary>
    public const double FalseAlarmsPerDay = 0.1;

    /// <summary>The most that can be asked for.</summary>
    public const int MostFalseAlarmsPerDay = 1000;

    /// <summary>Up to so many points are watched in full.</summary>
    public const int MostFull = 500;

    /// <summary>Up to so many points are watched without being asked for.</summary>
    public const int MostByDefault = 2000;

    /// <summary>Memory of a point that is watched in full, in bytes.</summary>
    public const int FullBytes = 8 << 10;

    /// <summary>The same in the lean setting.</summary>
    public const int LeanBytes = 5 << 9;

    private static readonly TimeSpan LongestPeriod = TimeSpan.FromHours(1);

    // What a load, a machine or a process does. Not voltages and ratios, for which there are limits; not settings, the weather, nor the device's own health. 'x.*' is x and all its parts.
    private static readonly string[] Roles =
    [
        "electricity.power.active", "electricity.current", "electricity.current.l1", "electricity.current.l2", "electricity.current.l3", "electricity.dc.current.*", "electricity.dc.power.*",
        "drive.current.output", "drive.power.output", "drive.motor.torque", "drive.motor.temperature", "drive.temperature",
        "conveyor.mass_flow", "conveyor.belt.load", "fluid.flow",
        "gas.concentration.*", "gas.reading.*", "gas.temperature.*", "gas.pressure.*", "analyser.sample_flow.*",
        "flue.velocity", "flue.temperature", "flue.pressure.static", "flue.flow", "flue.moisture",
        "transformer.temperature.*", "switchgear.gas.density.*", "switchgear.gas.pressure_20.*",
        "ventilation.air_velocity.*", "ventilation.air_flow.*", "ventilation.pressure.*",
        "vibration.velocity.rms.*", "vibration.acceleration.rms.*", "machine.temperature.*",
    ];

    /// <summary>Whether a point is watched where nobody says anything: a gauge of a listed role that nobody writes, read at least once an hour.</summary>
    /// <param name="point">The point as its profile declares it.</param>
    /// <param name="period">Time between two polls at the site.</param>
    public static bool Watches(ProfilePoint point, TimeSpan period) =>
        point.Kind == PointKind.Gauge && point.Write is null && period > TimeSpan.Zero && period <= LongestPeriod && Array.Exists(Roles, role => Covers(role, point.Role));

    private static bool Covers(string role, string name) =>
        role.EndsWith(".*", StringComparison.Ordinal)
            ? name.StartsWith(role[..^2], StringComparison.Ordinal) && (name.Length == role.Length - 2 || name[role.Length - 2] == '.')
            : name == role;
}
