using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Detection;

/// <summary>What a detector is made from: the site, the point it watches, its settings, and the last good values of other points.</summary>
public sealed record DetectorContext(SiteModel Site, PointModel Point, DetectorModel Model, LastGood LastGood)
{
    /// <summary>The alarm budget that the point shares with others of its device; null when there is none.</summary>
    public Novelty.AlarmBudget? DeviceBudget { get; init; }

    /// <summary>The device of the watched point.</summary>
    public DeviceModel Device => Site.Devices[Point.DeviceIndex];

    /// <summary>A longer time without a sample of the watched point (milliseconds) is not known: three periods, at least 30 s.</summary>
    public long LongestPause => (long)(Math.Max(30, 3 * Point.Period.TotalSeconds) * 1000);

    /// <summary>A value of another point that is older (milliseconds) is not used: three of its periods, at least 2 s.</summary>
    public static long OldestOf(PointModel other) => Math.Max(2_000, 3 * (other.Period.Ticks / TimeSpan.TicksPerMillisecond));

    /// <summary>The smallest step that the watched point can show, in its unit; 0 where its encoding has none.</summary>
    public double Step => Point.Encoding is { IsStepped: true, ScaleAt: null } encoding ? Math.Abs((double)encoding.Scale) : 0;

    /// <summary>A setting, or <paramref name="otherwise"/> when it is not given.</summary>
    public double Number(string key, double otherwise) => Model.Settings.TryGetValue(key, out var value) ? value : otherwise;

    /// <summary>A setting in seconds, as milliseconds.</summary>
    public long Milliseconds(string key, double otherwiseSeconds) => (long)(Math.Clamp(Number(key, otherwiseSeconds), 0, 1e9) * 1000);

    /// <summary>The other point given under <paramref name="key"/>, or null when it is missing or not found.</summary>
    public PointModel? Other(string key) =>
        Model.Points.TryGetValue(key, out var name) ? Detectors.FindPoint(Site, Device, name) : null;

    /// <summary>The record that clears a finding because the configuration under which it was found ends.</summary>
    public AnomalyRecord Ended(long since, Instant now, Severity severity) => Record(
        false, since, now, severity, double.NaN, double.NaN, $"{Model.Name} on {Point.Id} of {Device.Name}: ended by a change of configuration. It is raised again if it still holds.");

    /// <summary>A record of this detector.</summary>
    public AnomalyRecord Record(bool raised, long since, Instant time, Severity severity, double value, double limit, string text) => new()
    {
        Point = Point.Index,
        Detector = Model.Name,
        Raised = raised,
        Since = new(since),
        Time = time,
        Severity = severity,
        Value = value,
        Limit = limit,
        Text = text,
    };
}
