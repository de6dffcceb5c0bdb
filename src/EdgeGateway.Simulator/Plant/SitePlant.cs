using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator.Plant;

/// <summary>Decides what stands behind each device, and in which order meters are summed.</summary>
/// <remarks>
/// Devices that share an area share their conveyor and their boiler. A meter drives what its id or name says (fan, light, belt, boiler, pump,
/// in English or Chinese), else the conveyor of its area, else lighting for a single-phase meter, else a mixed daily load.
/// </remarks>
internal sealed class SitePlant
{
    private readonly Dictionary<string, Conveyor> _conveyors = [];
    private readonly Dictionary<string, Boiler> _boilers = [];
    private readonly Dictionary<string, Fan> _fans = [];
    private readonly Dictionary<string, Transformer> _transformers = [];
    private readonly SiteModel _site;
    private readonly ulong _seed;

    public SitePlant(SiteModel site, ulong seed)
    {
        _site = site;
        _seed = seed;
    }

    /// <summary>Every installation once.</summary>
    public List<Installation> Installations { get; } = [];

    /// <summary>Places an installation behind each device, and returns the meters of the tree with children before their parents.</summary>
    public List<(SimulatedDevice Meter, SimulatedDevice? Parent, double Share)> Equip(IReadOnlyList<SimulatedDevice> devices)
    {
        var byId = devices.ToDictionary(static d => d.Model.Id);
        var parents = devices.Select(static d => d.Model.Metering?.Parent).OfType<string>().ToHashSet();
        foreach (var device in devices)
        {
            if (device.Model.Profile.Kind is "drive" or "belt-scale")
            {
                device.Installation = ConveyorOf(device.Model);
            }
            else if (device.Model.Profile.Kind == "gas-analyser")
            {
                device.Installation = BoilerOf(device.Model);
            }
        }

        // Meters first: what only watches looks at what they feed.
        foreach (var device in devices.Where(d => d.Installation is null).OrderBy(d => d.Model.Metering is null))
        {
            var children = devices.Where(d => d.Model.Metering?.Parent == device.Model.Id).ToList();
            device.Installation = parents.Contains(device.Model.Id) ? Remainder(device, children) : Behind(device, devices);
        }

        return InOrder(devices, byId);
    }

    private static List<(SimulatedDevice Meter, SimulatedDevice? Parent, double Share)> InOrder(
        IReadOnlyList<SimulatedDevice> devices, Dictionary<string, SimulatedDevice> byId)
    {
        int Depth(SimulatedDevice device)
        {
            var depth = 0;
            for (var at = device; at.Model.Metering?.Parent is { } id && byId.TryGetValue(id, out var next); at = next)
            {
                if (++depth > devices.Count)
                {
                    throw new ArgumentException($"The metering tree has a circle at device '{device.Model.Id}'.", nameof(devices));
                }
            }

            return depth;
        }

        // Devices that watch one installation and count its energy each see their share; a drive's own figures are the whole of it.
        return
        [
            .. devices.OrderByDescending(Depth).Select(d => (
                d,
                d.Model.Metering?.Parent is { } id ? byId.GetValueOrDefault(id) : null,
                d.Model.Metering is null ? 1.0 : 1.0 / devices.Count(o => o.Model.Metering is not null && o.Installation == d.Installation))),
        ];
    }

    private Installation Behind(SimulatedDevice device, IReadOnlyList<SimulatedDevice> devices)
    {
        var model = device.Model;
        var text = $"{model.Id} {model.Name}".ToLowerInvariant();
        bool Says(params ReadOnlySpan<string> words)
        {
            foreach (var word in words)
            {
                if (text.Contains(word, StringComparison.Ordinal))
                {
                    return true;
                }
            }

            return false;
        }

        var watts = RatedWatts(device);
        var noise = new Noise(_seed, $"behind {model.Id}");
        if (model.Profile.Kind == "transformer-monitor" && devices.FirstOrDefault(d => d.Model.Metering is not null && AreaOf(d.Model) == AreaOf(model)) is { } meter)
        {
            var rated = RatedWatts(meter);
            return _transformers[AreaOf(model)] = Added(new Transformer(noise, () => Math.Abs(meter.Load.Watts(0) + meter.Load.Watts(1) + meter.Load.Watts(2)) / rated));
        }

        // A thermometer that is listed after the transformer of its area hangs beside it.
        if (model.Profile.Kind == "environment" && _transformers.TryGetValue(AreaOf(model), out var transformer))
        {
            return transformer;
        }

        if (model.Profile.Kind is "gas-detector" or "environment" && _fans.TryGetValue(AreaOf(model), out var ventilates))
        {
            return ventilates;
        }

        if (model.Metering is { Role: MeterRole.Generator } || model.Profile.Kind == "inverter")
        {
            return Added(new Generator(noise, watts));
        }

        if (Says("fan", "vent", "风机"))
        {
            return FanOf(model, noise, watts);
        }

        if (Says("light", "lamp", "照明"))
        {
            return Added(new Lighting(noise, watts));
        }

        if (Says("belt", "conveyor", "皮带", "输送") || _conveyors.ContainsKey(AreaOf(model)))
        {
            return ConveyorOf(model);
        }

        if (Says("boiler", "锅炉"))
        {
            return BoilerOf(model);
        }

        return device.SinglePhase && model.Metering is not null ? Added(new Lighting(noise, watts)) : Added(new DailyLoad(noise, watts));
    }

    private DailyLoad Remainder(SimulatedDevice device, List<SimulatedDevice> children)
    {
        var rated = device.Model.RatedPowerWatts ?? children.Sum(RatedWatts);
        return Added(new DailyLoad(new Noise(_seed, $"remainder {device.Model.Id}"), 0.06 * rated));
    }

    private Conveyor ConveyorOf(DeviceModel model)
    {
        var area = AreaOf(model);
        if (!_conveyors.TryGetValue(area, out var conveyor))
        {
            var sharing = _site.Devices.Where(d => AreaOf(d) == area).ToList();
            var rated = sharing.FirstOrDefault(static d => d.Profile.Kind == "drive")?.RatedPowerWatts
                ?? model.RatedPowerWatts
                ?? 55_000;
            conveyor = Added(new Conveyor(new Noise(_seed, $"conveyor {area}"), rated));
            _conveyors.Add(area, conveyor);
        }

        return conveyor;
    }

    private Boiler BoilerOf(DeviceModel model)
    {
        var area = AreaOf(model);
        if (!_boilers.TryGetValue(area, out var boiler))
        {
            boiler = Added(new Boiler(new Noise(_seed, $"boiler {area}"), model.RatedPowerWatts ?? 40_000));
            _boilers.Add(area, boiler);
        }

        return boiler;
    }

    // A sensor watches the fan that a meter of its area feeds; two meters feed two fans.
    private Fan FanOf(DeviceModel model, Noise noise, double watts)
    {
        if (model.Metering is null && _fans.TryGetValue(AreaOf(model), out var known))
        {
            return known;
        }

        var fan = Added(new Fan(noise, watts));
        _fans.TryAdd(AreaOf(model), fan);
        return fan;
    }

    private T Added<T>(T installation)
        where T : Installation
    {
        Installations.Add(installation);
        return installation;
    }

    private static string AreaOf(DeviceModel model) => model.Area ?? "";

    // Without a rating the meter's own current limit tells its size: 40 % of it is a usual load.
    private double RatedWatts(SimulatedDevice device)
    {
        if (device.Model.RatedPowerWatts is { } rated)
        {
            return rated;
        }

        var amperes = device.Points
            .Where(static p => p.Signal.Quantity == Quantity.Current && p.Model.PlausibleMax > 0)
            .Select(static p => p.Model.PlausibleMax!.Value)
            .DefaultIfEmpty(device.SinglePhase ? 30 : 60)
            .Min();
        return Math.Clamp(0.4 * 230 * amperes * (device.SinglePhase ? 1 : 3), 500, 200_000);
    }
}
