using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>A device as a statement names it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Area">Area of the site, or null.</param>
/// <param name="Parent">The meter in front of it; null for a root, and for a device that is no meter of the tree.</param>
/// <param name="CountsTowardSite">Whether its energy is added to the site's total.</param>
public sealed record StatementDevice(string Id, string Name, string? Area, string? Parent, bool CountsTowardSite);

/// <summary>What a statement says of the gateway's own consumption.</summary>
/// <param name="Watts">Mean power as the site declares it, W.</param>
/// <param name="Region">Region of the factor of its electricity.</param>
public sealed record OwnPower(decimal Watts, string Region);

/// <summary>The site of a statement: what the entries do not say.</summary>
public sealed record StatementSite
{
    /// <summary>Identifier of the site.</summary>
    public required string Id { get; init; }

    /// <summary>Its name for people.</summary>
    public required string Name { get; init; }

    /// <summary>The gateway that accounted.</summary>
    public required string Gateway { get; init; }

    /// <summary>Zone in which days begin.</summary>
    public required TimeZoneInfo Zone { get; init; }

    /// <summary>Grid region, or null when not known.</summary>
    public string? Region { get; init; }

    /// <summary>Its devices by id; empty when no configuration is at hand: then there are no names, areas and no tree.</summary>
    public IReadOnlyDictionary<string, StatementDevice> Devices { get; init; } = new Dictionary<string, StatementDevice>();

    /// <summary>The gateway's own consumption, or null when nothing is declared.</summary>
    public OwnPower? OwnPower { get; init; }

    /// <summary>The site as its configuration describes it.</summary>
    public static StatementSite From(SiteModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new()
        {
            Id = model.SiteId,
            Name = model.SiteName,
            Gateway = model.GatewayId,
            Zone = model.TimeZone,
            Region = model.Region,
            Devices = model.Devices.ToDictionary(
                d => d.Id,
                d => new StatementDevice(d.Id, d.Name, AreaOf(model, d), d.Metering?.Parent, d.Metering?.CountsTowardSite == true)),
            OwnPower = model.OwnPowerWatts is { } watts ? new(watts, model.Region) : null,
        };
    }

    // A meter without an area is in that of the meter in front of it, as in the totals of areas.
    private static string? AreaOf(SiteModel model, DeviceModel device)
    {
        var left = model.Devices.Count;
        while (device.Area is null && left-- > 0 && device.Metering?.Parent is { } parent && model.Devices.FirstOrDefault(d => d.Id == parent) is { } above)
        {
            device = above;
        }

        return device.Area;
    }
}

/// <summary>What a statement is about.</summary>
public enum StatementSubjectKind : byte
{
    Site,
    Area,
    Device,
}

/// <summary>What a statement is about: the site, one of its areas or one of its devices.</summary>
/// <param name="Kind">Which of these.</param>
/// <param name="Id">The area or the device id; null for the site.</param>
public sealed record StatementSubject(StatementSubjectKind Kind, string? Id)
{
    /// <summary>The whole site.</summary>
    public static readonly StatementSubject Site = new(StatementSubjectKind.Site, null);

    /// <summary>An area.</summary>
    public static StatementSubject Area(string name) => new(StatementSubjectKind.Area, name);

    /// <summary>A device.</summary>
    public static StatementSubject Device(string id) => new(StatementSubjectKind.Device, id);
}
