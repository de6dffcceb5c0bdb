using System.Collections.Frozen;
using EdgeGateway.Core.Detection.Rules;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Detection;

/// <summary>The table of detectors. To add one: a file in this folder, a line here, its texts in <c>Alarms/Messages</c>, a test, a row in <c>docs/detectors.md</c>. A rule of the trade is a row of <see cref="RuleTable"/>.</summary>
public static class Detectors
{
    /// <summary>Detectors by the name used in profiles and in <c>gateway.yaml</c>.</summary>
    public static readonly FrozenDictionary<string, DetectorKind> ByName = new[]
    {
        new DetectorKind("flag", FlagDetector.Settings, [], c => new FlagDetector(c)),
        new DetectorKind("limit", LimitDetector.Settings, [], c => new LimitDetector(c)),
        new DetectorKind(RangeDetector.Name, RangeDetector.Settings, [], c => new RangeDetector(c)),
        new DetectorKind(NoveltyWatch.Name, NoveltyWatch.Settings, [], c => new NoveltyWatch(c)),
        new DetectorKind("slip", SlipDetector.Settings, [SlipDetector.Drive], c => new SlipDetector(c)),
        new DetectorKind("spike", SpikeDetector.Settings, [], c => new SpikeDetector(c)),
        new DetectorKind("stuck", StuckDetector.Settings, [], c => new StuckDetector(c)),
    }.Concat(RuleTable.Kinds).ToFrozenDictionary(k => k.Name);

    /// <summary>Finds <c>device.point</c>, or <c>point</c> of <paramref name="device"/>; null when there is none.</summary>
    public static PointModel? FindPoint(SiteModel site, DeviceModel device, string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var owner = dot < 0 ? device : site.Devices.FirstOrDefault(d => d.Id == name[..dot]);
        var id = dot < 0 ? name : name[(dot + 1)..];
        return owner?.Points.Select(p => site.Points[p]).FirstOrDefault(p => p.Id == id);
    }

    /// <summary>Says what is wrong with the settings of a detector, or null when it can be made.</summary>
    public static string? FindFault(SiteModel site, PointModel point, DetectorModel model)
    {
        if (!ByName.TryGetValue(model.Name, out var kind))
        {
            return $"unknown detector '{model.Name}', expected one of {string.Join(", ", ByName.Keys.Order(StringComparer.Ordinal))}";
        }

        foreach (var key in model.Settings.Keys)
        {
            if (!kind.Settings.Contains(key))
            {
                return $"detector '{model.Name}' has no setting '{key}', expected one of {string.Join(", ", kind.Settings)}";
            }
        }

        foreach (var (key, value) in model.Settings)
        {
            if (!double.IsFinite(value))
            {
                return $"setting '{key}' of detector '{model.Name}' is not a number";
            }
        }

        foreach (var key in kind.Points)
        {
            if (!model.Points.TryGetValue(key, out var name))
            {
                return $"detector '{model.Name}' needs the point '{key}'";
            }

            if (FindPoint(site, site.Devices[point.DeviceIndex], name) is null)
            {
                return $"detector '{model.Name}': there is no point '{name}'";
            }
        }

        return null;
    }

    /// <summary>Makes a detector.</summary>
    /// <exception cref="ArgumentException">The settings are faulty; <see cref="FindFault"/> says so before.</exception>
    internal static IDetector Create(DetectorContext context) =>
        FindFault(context.Site, context.Point, context.Model) is { } fault
            ? throw new ArgumentException($"{context.Device.Id}.{context.Point.Id}: {fault}")
            : ByName[context.Model.Name].Create(context);
}

/// <summary>One row of the table of detectors.</summary>
/// <param name="Name">Name in configuration and records.</param>
/// <param name="Settings">Keys of its numbers; all have defaults.</param>
/// <param name="Points">Keys of the other points that it needs.</param>
/// <param name="Create">Makes one.</param>
public sealed record DetectorKind(string Name, IReadOnlyList<string> Settings, IReadOnlyList<string> Points, Func<DetectorContext, IDetector> Create)
{
    /// <summary>Layout of its state: one more with each change.</summary>
    public int Layout { get; init; }
}
