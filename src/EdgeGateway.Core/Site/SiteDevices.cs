using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>A device with the places of its settings in the file.</summary>
internal sealed record PlacedDevice(DeviceModel Model, Section Section, Section Metering);

/// <summary>Resolves <c>devices</c>: joins each with its profile, applies transformer ratios and the site's settings of points.</summary>
internal sealed class SiteDevices(
    ProfileLibrary library,
    List<BusModel> buses,
    string siteRegion,
    IReadOnlySet<string>? knownRegions,
    TimeSpan baseWindow,
    TimeZoneInfo zone,
    ProblemCollector problems)
{
    private readonly List<PlacedDevice> _placed = [];
    private int _slowByProfile;
    private readonly List<PointModel> _points = [];

    // Points that the detector for any gauge watches without being asked to.
    private readonly HashSet<int> _watchedByRule = [];
    private bool _isNoveltyOff;
    private double _falseAlarmsPerDay = NoveltyRule.FalseAlarmsPerDay;

    // Points that detectors name; they may be of devices further down.
    private readonly List<(string Device, string Name, YamlNode Place)> _named = [];

    public IReadOnlyList<PlacedDevice> Placed => _placed;

    public IReadOnlyList<PointModel> Points => _points;

    /// <summary>Gauges that the detector for any gauge would watch by its rule, and does not because they are too many.</summary>
    public int NoveltyLeftOut { get; private set; }

    public void Resolve(Section root)
    {
        _isNoveltyOff = IsOff(root);
        var novelty = root.Block("novelty", GatewayShape.Novelty);
        _falseAlarmsPerDay = FalseAlarmsPerDay(novelty) ?? _falseAlarmsPerDay;
        var ids = new Dictionary<string, int>();
        var units = new Dictionary<(string Bus, int Unit), List<(string Id, DeviceProfile? Profile)>>();
        foreach (var entry in root.List("devices").OfType<YamlMap>())
        {
            var section = new Section(entry, GatewayShape.Device, entry);
            var id = section.Text("id") ?? "";
            if (id.Length > 0 && !ids.TryAdd(id, entry.Line))
            {
                problems.Error(section.At("id"), $"the device id '{id}' is used twice (first in line {ids[id]})", "Give each device its own id");
            }

            var bus = Bus(section);
            var unit = section.Integer("unit");
            var profile = section.Text("profile") is { } name ? library.Get(name, section.At("profile")) : null;
            if (bus is not null && unit is { } number)
            {
                var there = units.TryGetValue((bus.Id, number), out var others) ? others : units[(bus.Id, number)] = [];

                // An inverter and its meter are two models in one SunSpec device.
                var same = there.Find(o => o.Profile?.SunSpec is not { } model || profile?.SunSpec is not { } own || model.Number == own.Number);
                if (same.Id is not null)
                {
                    problems.Error(section.At("unit"), $"the unit id {number} on the bus '{bus.Id}' belongs to the device '{same.Id}' already", bus is LocalBus ? "Give each device its own unit, and name it at its inputs" : "Two devices with one unit id answer at the same time: give one of them another (on the device and here). Only different SunSpec models may share one");
                }

                there.Add((id, profile));

                if (bus is SerialBus or DeviceServerBus && number is < 1 or > 247)
                {
                    problems.Error(section.At("unit"), $"the unit id {number} is not possible on a line", "Write 1 to 247; 0 is the broadcast, which nobody answers (MODBUS over serial line V1.02, 2.2)");
                }
            }

            Place(section, id, bus, unit ?? 0, profile);
        }

        if (_slowByProfile > 0)
        {
            problems.Warning(root.At("windows"), $"{_slowByProfile} points are read, as their profiles say, less often than the first window of {baseWindow.TotalSeconds} s", "Windows without a sample have no coverage: make the first window wider, or give the points that matter a shorter 'poll'");
        }

        ChooseNovelty(novelty.Text("memory"));
        foreach (var (device, name, place) in _named)
        {
            CheckNamed(device, name, place);
        }

        foreach (var bus in buses.OfType<LocalBus>())
        {
            foreach (var unit in bus.Inputs.Select(i => i.Unit).Distinct().Where(u => !_placed.Any(d => d.Model.BusId == bus.Id && d.Model.Unit == u)))
            {
                problems.Warning(
                    root.List("buses").OfType<YamlMap>().First(entry => entry["id"] is YamlScalar id && id.Text == bus.Id),
                    $"the unit {unit} of the bus '{bus.Id}' has inputs, and no device shows them: {string.Join(", ", bus.InputsOf(unit).Select(i => i.Title))}",
                    $"Add a device with 'bus: {bus.Id}' and 'unit: {unit}', or remove the inputs");
            }
        }

        foreach (var bus in buses)
        {
            CheckLoad(bus, root.List("buses").OfType<YamlMap>().First(entry => entry["id"] is YamlScalar id && id.Text == bus.Id));
        }
    }

    internal static TimeSpan? Timeout(Section section, ProblemCollector problems)
    {
        var timeout = section.Duration("timeout");
        if (timeout < TimeSpan.FromMilliseconds(10) || timeout > TimeSpan.FromMinutes(1))
        {
            problems.Error(section.At("timeout"), $"a timeout of {timeout.Value.TotalMilliseconds} ms is not possible", "Write 10ms to 1m; 300ms to 1s suits most devices");
        }

        return timeout;
    }

    private BusModel? Bus(Section section)
    {
        if (section.Text("bus") is not { } id)
        {
            return null;
        }

        var bus = buses.Find(b => b.Id == id);
        if (bus is null)
        {
            problems.Error(section.At("bus"), $"there is no bus '{id}'", $"{Spelling.Hint(id, buses.Select(b => b.Id))}Name one of 'buses': {string.Join(", ", buses.Select(b => b.Id))}");
        }

        return bus;
    }

    // A device without a usable profile takes its place without points, so that the tree and the names are checked with it.
    private void Place(Section section, string id, BusModel? bus, int unit, DeviceProfile? profile)
    {
        var index = _placed.Count;
        var metering = section.Block("metering", GatewayShape.Metering);
        var rated = section.Watts("ratedPower");
        var device = new DeviceModel
        {
            Index = index,
            Id = id,
            Name = section.Text("name") ?? id,
            BusId = bus?.Id ?? "",
            Unit = (byte)unit,
            Profile = profile ?? Unknown,
            Timeout = Timeout(section, problems) ?? profile?.Timeout ?? bus?.Timeout ?? TimeSpan.FromMilliseconds(500),
            CtRatio = section.Ratio("ct") ?? 1,
            PtRatio = section.Ratio("pt") ?? 1,
            PulsesPerUnit = section.Number("pulsesPerUnit"),
            FalseAlarmsPerDay = FalseAlarmsPerDay(section.Block("novelty", GatewayShape.DeviceNovelty)) ?? _falseAlarmsPerDay,
            Area = section.Text("area"),
            Metering = Metering(metering),
            Carbon = SiteCarbon.Resolve(section, zone, problems),
            Cems = SiteCems.Resolve(section, problems),
            RatedPowerWatts = (double?)rated,
            Region = SiteLoader.Region(section, knownRegions, problems) ?? siteRegion,
            Points = [],
        };

        if (profile is not null)
        {
            CheckRatio(section, "ct", device.CtRatio, profile.Points.Any(p => p.AppliesCt), profile);
            CheckRatio(section, "pt", device.PtRatio, profile.Points.Any(p => p.AppliesPt), profile);
            CheckPulses(section, device, profile);
            if (metering.IsPresent && !profile.Points.Any(p => p.Carbon?.Method == "electricity-purchased"))
            {
                problems.Error(metering.Place, $"'{id}' has a place in the metering tree, but its profile {profile.Id} has no register for the whole active energy it meters", "Remove 'metering', or use a meter whose profile declares 'carbon: { role: electricity_purchased }'");
            }

            var first = _points.Count;
            AddPoints(section, device, profile, rated);
            if (bus is LocalBus local)
            {
                CheckInputs(local, device, section, first);
            }
            else if (bus is IMeterBus meters)
            {
                CheckMeter(meters, bus.Id, device, section, first);
            }
            else if (bus is ILoggerBus loggers)
            {
                CheckLogger(loggers, bus.Id, device, section, first);
            }

            device = device with { Writables = SiteWrites.Resolve(section, profile, id => Settings(section, id), problems), Points = [.. Enumerable.Range(first, _points.Count - first)] };
        }

        _placed.Add(new(device, section, metering));
    }

    // Every point must be one of the values that the inputs of the unit have, as they have it: nothing else is shown there.
    private void CheckInputs(LocalBus bus, DeviceModel device, Section section, int first)
    {
        var inputs = bus.InputsOf(device.Unit).ToDictionary(i => i.Number);
        if (inputs.Count == 0 && problems.HasErrors)
        {
            // What is wrong with its inputs has been told.
            return;
        }

        if (inputs.Count == 0)
        {
            problems.Error(section.At("unit"), $"no input of the bus '{bus.Id}' belongs to the unit {device.Unit}", $"Write 'unit: {device.Unit}' at the inputs of '{device.Id}', or one of the units that have inputs here: {string.Join(", ", bus.Inputs.Select(i => i.Unit).Distinct().Order())}");
            return;
        }

        var wrong = new List<string>();
        foreach (var point in _points.Skip(first))
        {
            var number = (point.Encoding.Address / LocalInput.BlockLength) + 1;
            if (!inputs.TryGetValue(number, out var input))
            {
                wrong.Add($"'{point.Id}' belongs to input {number}, which the unit {device.Unit} does not have");
            }
            else if ((input.Layout.Refuse(point.Encoding.MovedBy(-input.Address)) ?? input.Refuse(point)) is { } reason)
            {
                wrong.Add($"'{point.Id}' at {point.Encoding.Address}: {reason}");
            }
        }

        if (wrong.Count > 0)
        {
            var more = wrong.Count > 1 ? $" (and {wrong.Count - 1} more)" : "";
            problems.Error(
                section.At("profile"),
                $"the profile {device.Profile.Id} does not fit the inputs of unit {device.Unit} on the bus '{bus.Id}': {wrong[0]}{more}",
                $"The unit has {string.Join(", ", inputs.Values.Select(i => $"as input {i.Number} {i.Layout.What} ({i.Title})"))}: take a profile for that, change the inputs, or leave the point out ('poll: off')");
        }
    }

    // Every point must be a quantity of the protocol, where the bus shows it.
    private void CheckMeter(IMeterBus bus, string busId, DeviceModel device, Section section, int first)
    {
        if (!bus.Meters.Any(m => m.Unit == device.Unit) && !problems.HasErrors)
        {
            problems.Error(section.At("unit"), $"no meter of the bus '{busId}' has the unit {device.Unit}", $"Add it to 'meters' of the bus with its address, or write one of the units that are there: {string.Join(", ", bus.Meters.Select(m => m.Unit).Order())}");
        }

        var wrong = _points.Skip(first).Select(p => (p.Id, p.Encoding.Address, Reason: Dlt645Layout.Refuse(p.Encoding))).Where(p => p.Reason is not null).ToList();
        if (wrong.Count > 0)
        {
            var more = wrong.Count > 1 ? $" (and {wrong.Count - 1} more)" : "";
            problems.Error(
                section.At("profile"),
                $"the profile {device.Profile.Id} does not fit a DL/T 645 meter: '{wrong[0].Id}' at {wrong[0].Address}: {wrong[0].Reason}{more}",
                "Take a profile whose name begins with dlt645, or write one by the table in docs/dlt645.md");
        }
    }

    // Every point must be something that a logger sends, where the bus shows it.
    private void CheckLogger(ILoggerBus bus, string busId, DeviceModel device, Section section, int first)
    {
        if (!bus.Loggers.Any(l => l.Unit == device.Unit) && !problems.HasErrors)
        {
            problems.Error(section.At("unit"), $"no logger of the bus '{busId}' has the unit {device.Unit}", $"Add it to 'loggers' of the bus with its MN, or write one of the units that are there: {string.Join(", ", bus.Loggers.Select(l => l.Unit).Order())}");
        }

        var wrong = _points.Skip(first).Select(p => (p.Id, p.Encoding.Address, Reason: Hj212Layout.Refuse(p))).Where(p => p.Reason is not null).ToList();
        if (wrong.Count > 0)
        {
            var more = wrong.Count > 1 ? $" (and {wrong.Count - 1} more)" : "";
            problems.Error(
                section.At("profile"),
                $"the profile {device.Profile.Id} does not fit an HJ 212 data logger: '{wrong[0].Id}' at {wrong[0].Address}: {wrong[0].Reason}{more}",
                "Take a profile whose name begins with generic-hj212, or write one by the table in docs/hj212.md");
        }
    }

    private void AddPoints(Section section, DeviceModel device, DeviceProfile profile, decimal? ratedWatts)
    {
        var overrides = (section.Node("points") as YamlMap)?.Entries ?? [];
        foreach (var (key, _) in overrides)
        {
            if (!profile.Points.Any(p => p.Id == key.Text))
            {
                problems.Error(key, $"the profile {profile.Id} has no point '{key.Text}'", $"{Spelling.Hint(key.Text, profile.Points.Select(p => p.Id))}'edgegateway check' with the profile lists its points");
            }
        }

        var isNoveltyOff = IsOff(section) || (_isNoveltyOff && !section.Has("novelty"));
        foreach (var point in profile.Points)
        {
            // What can only be written is never polled.
            if (point.WriteOnly)
            {
                continue;
            }

            var settings = Settings(section, point.Id);
            if (settings.Node("poll") is YamlScalar { Text: "off" })
            {
                if (point.Carbon is not null && device.Metering is not null)
                {
                    problems.Error(settings.At("poll"), $"'{point.Id}' is the register that is accounted, it cannot be left out", "Remove 'poll: off', or remove 'metering' of the device");
                }

                continue;
            }

            var resolved = SitePoint.Resolve(point, device, ratedWatts, settings, problems, isNoveltyOff) with { Index = _points.Count, DeviceIndex = device.Index };
            if (SitePoint.IsNovelty(point, settings) is null && resolved.Detectors.Any(IsNovelty))
            {
                _watchedByRule.Add(resolved.Index);
            }

            foreach (var name in resolved.Detectors.SelectMany(d => d.Points.Values).Where(n => n.Length > 0))
            {
                var slip = settings.Block("slip", GatewayShape.Slip);
                _named.Add((device.Id, name, slip.At("drive")));
            }

            if (resolved.Period > baseWindow && !settings.Has("poll"))
            {
                _slowByProfile++;
            }
            else if (resolved.Period > baseWindow)
            {
                problems.Warning(settings.At("poll"), $"'{point.Id}' of '{device.Id}' is read every {resolved.Period.TotalSeconds} s, which is longer than the first window of {baseWindow.TotalSeconds} s", "Windows without a sample have no coverage: poll more often, or make the first window wider");
            }

            _points.Add(resolved with
            {
                PublishSamples = resolved.Kind != PointKind.Text && (settings.Boolean("samples") ?? section.Text("samples") == "all"),
                Compliance = settings.Boolean("compliance") ?? section.Boolean("compliance") ?? false,
            });
        }
    }

    private static bool IsOff(Section section) => section.Node("novelty") is YamlScalar { Text: "off" };

    private static bool IsNovelty(DetectorModel detector) => detector.Name == NoveltyWatch.Name;

    private double? FalseAlarmsPerDay(Section novelty)
    {
        if (novelty.Number("falseAlarmsPerDay") is not { } number)
        {
            return null;
        }

        if (number is <= 0 or > NoveltyRule.MostFalseAlarmsPerDay)
        {
            problems.Error(novelty.At("falseAlarmsPerDay"), $"{number} false alarms a day cannot be asked for", "Write more than 0 and at most 1000, 0.1 for one in ten days; 'novelty: off' for none");
            return null;
        }

        return (double)number;
    }

    /// <summary>The points are known only now: so many may be watched in full, so many at all without being asked for.</summary>
    private void ChooseNovelty(string? memory)
    {
        var watched = Watched();
        if (memory is null or "auto" && watched.Count > NoveltyRule.MostByDefault)
        {
            NoveltyLeftOut = _watchedByRule.Count;
            foreach (var point in _watchedByRule)
            {
                _points[point] = _points[point] with { Detectors = [.. _points[point].Detectors.Where(d => !IsNovelty(d))] };
            }

            watched = Watched();
        }

        if (memory == "lean" || (memory != "full" && watched.Count > NoveltyRule.MostFull))
        {
            foreach (var point in watched)
            {
                _points[point] = _points[point] with { Detectors = [.. _points[point].Detectors.Select(d => IsNovelty(d) ? d.InLean() : d)] };
            }
        }

        List<int> Watched() => [.. Enumerable.Range(0, _points.Count).Where(p => _points[p].Detectors.Any(IsNovelty))];
    }

    private static Section Settings(Section device, string point)
    {
        var node = (device.Node("points") as YamlMap)?.Entries.FirstOrDefault(o => o.Key.Text == point).Value;
        return new Section(node as YamlMap, GatewayShape.Point, node ?? device.Place);
    }

    private void CheckNamed(string owner, string name, YamlNode place)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var (deviceId, pointId) = dot < 0 ? (owner, name) : (name[..dot], name[(dot + 1)..]);
        if (_placed.FirstOrDefault(d => d.Model.Id == deviceId)?.Model is not { } device)
        {
            problems.Error(place, $"there is no device '{deviceId}'", $"{Spelling.Hint(deviceId, _placed.Select(d => d.Model.Id))}Write device.point");
        }
        else if (device.Profile != Unknown && !device.Points.Any(p => _points[p].Id == pointId))
        {
            problems.Error(place, $"the device '{deviceId}' has no point '{pointId}'", $"{Spelling.Hint(pointId, device.Points.Select(p => _points[p].Id))}Write device.point; a point with 'poll: off' cannot be used");
        }
    }

    private static MeteringModel? Metering(Section metering)
    {
        if (!metering.IsPresent || metering.Text("role") is not { } word)
        {
            return null;
        }

        var role = word switch { "incomer" => MeterRole.Incomer, "generator" => MeterRole.Generator, "transfer" => MeterRole.Transfer, _ => MeterRole.Submeter };
        var parent = metering.Text("parent");
        var counts = metering.Boolean("countsTowardSite") ?? (role == MeterRole.Incomer && parent is null);
        return new(role, parent, counts, metering.Text("direction") == "reversed") { To = metering.Text("to") };
    }

    private void CheckRatio(Section section, string key, decimal ratio, bool applies, DeviceProfile profile)
    {
        if (ratio != 1 && !applies)
        {
            problems.Warning(section.At(key), $"'{key}' is written, but {profile.TitleEnglish} reports primary values: the ratio is set on the device and not applied here", $"Check the ratio on the device, and remove '{key}'");
        }
    }

    private void CheckPulses(Section section, DeviceModel device, DeviceProfile profile)
    {
        var applies = profile.Points.Any(p => p.AppliesPulses);
        if (device.PulsesPerUnit is <= 0)
        {
            problems.Error(section.At("pulsesPerUnit"), $"{device.PulsesPerUnit} pulses for a unit are not possible", "Write the constant on the name plate: 1000 for 1000 imp/kWh");
        }
        else if (applies && device.PulsesPerUnit is null)
        {
            var total = profile.Points.FirstOrDefault(p => p.AppliesPulses && p.Kind == PointKind.Counter);
            problems.Error(
                section.Place,
                $"what a pulse of '{device.Id}' is worth is not stated: {profile.Id} counts pulses",
                $"Add 'pulsesPerUnit:' with {(total is null ? "the constant that the wiring note of the profile names" : $"the pulses for one {total.Unit} from the name plate")}");
        }
        else if (!applies && device.PulsesPerUnit is not null)
        {
            problems.Error(section.At("pulsesPerUnit"), $"'pulsesPerUnit' is written, but {profile.Id} does not count pulses of a meter", "Remove it");
        }
    }

    // On a line every byte takes its time: what does not fit cannot be polled, however good the cable.
    private void CheckLoad(BusModel bus, YamlMap place)
    {
        var devices = _placed.Where(d => d.Model.BusId == bus.Id).ToList();
        if (devices.Count == 0)
        {
            return;
        }

        if (devices.Find(d => d.Model.Points.Select(p => _points[p].Period).Distinct().Count() > DevicePlanner.MostPeriods) is { } varied)
        {
            problems.Error(varied.Section.Place, $"the points of '{varied.Model.Id}' have more than {DevicePlanner.MostPeriods} different periods", "Give points that belong together the same 'poll'");
            return;
        }

        if (bus is LocalBus or ILoggerBus)
        {
            return;
        }

        // What does not fit even if every device answers at once is refused; what the usual turnaround makes of it is warned of. While
        // a device has its quiet time others are asked: that time counts for the device alone.
        var models = devices.ConvertAll(d => d.Model);
        var least = BusLoad.Predict(bus, models, _points, _ => TimeSpan.Zero);
        var usual = BusLoad.Predict(bus, models, _points);
        var heaviest = least.Devices.MaxBy(d => d.Utilisation)!;
        if (least.Utilisation > 1)
        {
            problems.Error(
                place,
                $"the bus '{bus.Id}' would be busy for {Percent(least.Utilisation)} of the time even if every device answered at once: what is asked of it is not possible ('{heaviest.Device.Id}' has the largest share, {Percent(heaviest.Utilisation)})",
                $"Poll less often (every period {usual.SlowDown(UsualLoad):0.0} times as long would do), leave points out ('poll: off'), raise the baud rate, or put some devices on a second line");
        }
        else if (usual.Utilisation > UsualLoad && bus is not (ModbusTcpBus or ModbusUdpBus))
        {
            problems.Warning(
                place,
                $"the bus '{bus.Id}' will be busy for {Percent(usual.Utilisation)} of the time, assuming that {usual.Assumption}",
                $"A device that does not answer will make others late. Poll less often (every period {usual.SlowDown(UsualLoad):0.0} times as long would do), raise the baud rate, or use a second line");
        }

        foreach (var own in least.Devices.Where(d => d.OwnUtilisation > 1 && least.Utilisation <= 1))
        {
            problems.Error(
                place,
                $"the device '{own.Device.Id}' would need {Percent(own.OwnUtilisation)} of the time: its profile says that it needs {own.Device.Profile.MinGap.TotalMilliseconds:0} ms between two requests",
                "Poll it less often, or leave points out ('poll: off')");
        }
    }

    private const double UsualLoad = 0.8;

    private static string Percent(double share) => $"{Math.Round(share * 100)} %";

    private static readonly DeviceProfile Unknown = new()
    {
        Id = "",
        Kind = "",
        Vendor = "",
        Models = [],
        Revision = 0,
        TitleEnglish = "",
        MaxRegistersPerRead = 125,
        MayReadGaps = false,
        MinGap = TimeSpan.Zero,
        Points = [],
    };
}
