using System.Globalization;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Scanning;
using EdgeGateway.Storage;

namespace EdgeGateway.Setup;

/// <summary>From an empty folder to a checked <c>gateway.yaml</c>: looks for devices, names them, shows live values, asks what cannot be found out.</summary>
/// <remarks>Only reads from devices. What was found is written even when the check then complains: it is not to be found twice.</remarks>
/// <param name="options">What the command line says.</param>
/// <param name="dialog">Who answers questions.</param>
/// <param name="files">Where profiles are.</param>
/// <param name="library">All profiles.</param>
/// <param name="scan">Runs a scan under a view.</param>
/// <param name="output">Where the wizard speaks.</param>
/// <param name="time">The clock.</param>
internal sealed partial class SetupWizard(
    SetupOptions options,
    ISetupDialog dialog,
    SiteFiles files,
    IReadOnlyList<DeviceProfile> library,
    Func<Func<IScanView, Task<ScanDocument>>, Task<ScanDocument>> scan,
    TextWriter output,
    TimeProvider time)
{
    private const int ValuesShown = 10;
    private const int OfEach = 2;
    private const int SmallestPrefix = 22;
    private const string None = "";

    // What a technician compares with the display, in this order.
    private static readonly string[] Telling =
        ["electricity.voltage", "electricity.current", "electricity.power.active", "electricity.power_factor", "electricity.frequency", "electricity.energy.active"];

    private readonly List<string> _hints = [];

    /// <summary>Runs to the end.</summary>
    /// <returns>Null when the file that was written can be used; else what is wrong with it.</returns>
    /// <exception cref="FormatException">An answer is missing or wrong, nothing was written.</exception>
    /// <exception cref="IOException">The file, or a port, cannot be used.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to, or a port not used.</exception>
    public async Task<IReadOnlyList<Problem>?> RunAsync(CancellationToken cancel)
    {
        if (File.Exists(options.Output) && !options.MayReplace
            && !dialog.Confirm($"{options.Output} exists. Replace it? The present one is kept as {Kept}. (To add devices to it, use 'edgegateway scan'.)", preset: false))
        {
            throw new FormatException($"{options.Output} exists and was left as it is. Use --force to replace it (the present one is kept as {Kept}), --output for another name, or 'edgegateway scan' to add devices to it.");
        }

        // Everything that is known now is judged now: a scan takes minutes.
        CheckOptions();
        CheckFolder();
        var (ports, hosts) = Where();
        var (head, uplink) = options.IsUnattended ? (SiteHead(), Uplink()) : (null, null);
        output.WriteLine("Looking for devices. Nothing is written to any of them.");
        var found = await FindAsync(ports, hosts, cancel).ConfigureAwait(false);
        var buses = ScanYaml.BusIds([.. found.Select(u => u.Place)]);
        var devices = await NameAsync(found, buses, cancel).ConfigureAwait(false);
        ShowHints();
        if (devices.Count == 0)
        {
            throw new FormatException("No device with a profile was found, and a configuration without devices has no use: nothing was written.");
        }

        Save(Text(head ?? SiteHead(), buses, PlaceMeters(devices), uplink ?? Uplink()));
        var site = files.Load(options.Output, out var problems);
        return site is null ? problems : null;
    }

    /// <summary>The name under which the present file is kept: one that no earlier one has.</summary>
    private string Kept => Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? $"{options.Output}.old" : $"{options.Output}.old-{n}").First(name => !File.Exists(name));

    private string Folder => Path.GetDirectoryName(Path.GetFullPath(options.Output))!;

    /// <summary>Judges what the command line says, as far as that is possible before anything is found.</summary>
    private void CheckOptions()
    {
        Check(options.Site, "--site", IdProblem);
        Check(options.TimeZone, "--timezone", ZoneProblem);
        Check(options.Region, "--region", RegionProblem);
        Check(options.Gateway, "--gateway", IdProblem);
        Check(options.Server, "--server", ServerProblem);
        foreach (var id in options.Incomers.Concat(options.Devices.Select(d => d.Id)))
        {
            Check(id, options.Incomers.Contains(id) ? "--incomer" : "--device", IdProblem);
        }

        foreach (var device in options.Devices)
        {
            if (options.Devices.Count(d => d.Id == device.Id) > 1)
            {
                throw new FormatException($"--device: '{device.Id}' is stated twice, and every device has an id of its own.");
            }

            if (options.Devices.Count(d => (d.Where, d.Unit) == (device.Where, device.Unit)) > 1)
            {
                throw new FormatException($"--device: unit {device.Unit}{(device.Where.Length > 0 ? $" at {device.Where}" : "")} is stated twice. Where several places have this unit id, write WHERE/{device.Unit}=ID.");
            }

            if (device.Profile is { } profile)
            {
                Stated(profile, device.Id);
            }
        }

        _ = options.Units is null ? null : ScanTargets.OnLine(ScanTargets.Units(options.Units));
        _ = ScanTargets.Lines(options.Baud, options.Parity);
        foreach (var host in options.Hosts)
        {
            ScanTargets.Hosts(host);
        }

        static void Check(string? answer, string option, Func<string, string?> problem)
        {
            if (answer is not null && problem(answer) is { } wrong)
            {
                throw new FormatException($"{option}: {wrong}");
            }
        }
    }

    private void CheckFolder()
    {
        if (!Directory.Exists(Folder))
        {
            throw new FormatException($"There is no directory {Folder} to write to. Make it, or name another file with --output.");
        }

        // Opened and gone again: whether one may write tells only writing.
        using var trial = new FileStream(Path.Combine(Folder, $".{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
    }

    /// <summary>Writes the file beside its place, keeps a copy of the present one, and puts it there in one step: at no moment is there none, and nothing kept before is lost.</summary>
    private void Save(string text)
    {
        var path = Path.GetFullPath(options.Output);
        if (File.Exists(path))
        {
            File.Copy(path, Kept, overwrite: false);
        }

        Durable.WriteText(path, text);
    }

    private (IReadOnlyList<string> Ports, IReadOnlyList<string> Hosts) Where()
    {
        var (ports, hosts) = options.Ports.Count + options.Hosts.Count > 0 ? (options.Ports, options.Hosts) : AskWhere();
        if (ports.Count + hosts.Count == 0)
        {
            throw new FormatException("There is nowhere to look: name a serial port with --port, or addresses with --tcp.");
        }

        if (ports.FirstOrDefault(p => !File.Exists(p)) is { } absent)
        {
            throw new FormatException($"{SerialTrouble.Missing(absent, new SerialInventory())}.");
        }

        return (ports, hosts);
    }

    private async Task<IReadOnlyList<FoundUnit>> FindAsync(IReadOnlyList<string> ports, IReadOnlyList<string> hosts, CancellationToken cancel)
    {
        var units = options.Units is null ? null : ScanTargets.Units(options.Units);
        List<FoundUnit> found = [];
        foreach (var port in ports)
        {
            var document = await scan(view => new Scanner(library, null, options.Timeout, view, time)
                .ScanLineAsync(port, null, ScanTargets.Lines(options.Baud, options.Parity), ScanTargets.OnLine(units), cancel)).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
            Take(document, document.Units.Count > 0 ? document.Units[0].Place : new() { SerialPort = port, Parity = "none" }, port);
        }

        foreach (var text in hosts)
        {
            var addresses = ScanTargets.Hosts(text);
            var document = await scan(view => new Scanner(library, null, options.Timeout, view, time).ScanNetworkAsync(addresses, units, cancel)).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
            Take(document, addresses.Count == 1 ? new() { Host = addresses[0].Host, TcpPort = addresses[0].Port } : null, text);
        }

        return found;

        void Take(ScanDocument document, ScanPlace? place, string where)
        {
            found.AddRange(document.Units);
            output.WriteLine($"{where}: {document.Units.Count} {(document.Units.Count == 1 ? "device" : "devices")}");
            if (place is null)
            {
                return;
            }

            // Only what somebody said is there can be missing.
            int[] expected =
            [
                .. options.Devices.Where(d => Fits(d, place)).Select(d => d.Unit),
                .. place.Host is null && options.Units is not null ? SingleUnits(options.Units) : [],
            ];
            var problem = document.Units.Count == 0 && document.Notes.Count > 0 ? document.Notes[0] : None;
            _hints.AddRange(WiringHints.For(place, [.. document.Units.Select(u => u.Unit)], [.. expected.Distinct()], problem));
        }
    }

    // A range is where to search; an id that was written by itself is one that somebody set.
    private static IEnumerable<int> SingleUnits(string units) =>
        units.Split(',', StringSplitOptions.TrimEntries).Where(part => !part.Contains('-', StringComparison.Ordinal)).Select(part => int.Parse(part, CultureInfo.InvariantCulture));

    private (IReadOnlyList<string> Ports, IReadOnlyList<string> Hosts) AskWhere()
    {
        const string others = "other addresses";
        var ports = new SerialInventory().Present();
        var networks = Networks();
        var chosen = dialog.ChooseSeveral("Where are the devices?", [.. ports, .. networks, others], place =>
            ports.Contains(place) ? $"serial port {place}" : networks.Contains(place) ? $"network {place}" : place);
        List<string> hosts = [.. chosen.Where(networks.Contains)];
        if (chosen.Contains(others))
        {
            hosts.AddRange(dialog.Text("Addresses (192.168.1.10, 192.168.1.0/28, 192.168.1.10-20, with :port if it is not 502; several with commas):", "--tcp", null, HostsProblem)
                .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        }

        return ([.. chosen.Where(ports.Contains)], hosts);
    }

    private static string? HostsProblem(string text)
    {
        try
        {
            foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                ScanTargets.Hosts(part);
            }

            return text.Trim().Length > 0 ? null : "Write at least one address.";
        }
        catch (FormatException wrong)
        {
            return $"{wrong.Message}.";
        }
    }

    /// <summary>The IPv4 networks that this computer is in, as far as they are small enough to be asked address by address.</summary>
    private static string[] Networks() =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces()
            .Where(n => n.OperationalStatus == OperationalStatus.Up && n.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(n => n.GetIPProperties().UnicastAddresses)
            .Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork && a.PrefixLength is >= SmallestPrefix and < 31)
            .Select(a => $"{a.Address}/{a.PrefixLength}").Distinct(),
    ];

    private async Task<List<NamedDevice>> NameAsync(IReadOnlyList<FoundUnit> found, IReadOnlyList<(ScanPlace Place, string Id)> buses, CancellationToken cancel)
    {
        if (options.IsUnattended && found.Where(u => u.IsNearTie && Statement(u, found)?.Profile is null).ToArray() is { Length: > 0 } undecided)
        {
            throw new FormatException(string.Join('\n', undecided.Select(u =>
                $"{u.Where}, unit {u.Unit}: {u.Profiles[0].Profile} and {u.Profiles[1].Profile} fit about equally well. Read the name plate, and say which it is with --device {Place(u)}/{u.Unit}={Statement(u, found)?.Id ?? "ID"}:{u.Profiles[0].Profile}")));
        }

        HashSet<string> taken = [.. options.Devices.Select(d => d.Id)];
        List<NamedDevice> named = [];
        foreach (var unit in found)
        {
            cancel.ThrowIfCancellationRequested();
            output.WriteLine();
            output.WriteLine($"{unit.Where}, unit {unit.Unit}{(unit.Identification.Count > 0 ? $", says of itself: {string.Join(", ", unit.Identification)}" : "")}");
            foreach (var note in unit.Notes)
            {
                output.WriteLine($"  ! {note}");
            }

            var stated = Statement(unit, found);
            if (ProfileOf(unit, stated) is not { } profile)
            {
                output.WriteLine("  It is left out: no profile was chosen. docs/profiles.md tells how to write one.");
                continue;
            }

            var fit = unit.Profiles.FirstOrDefault(p => p.Profile == profile.Id);
            output.WriteLine($"  {profile.Id}: {profile.TitleEnglish}{(fit is null ? "" : $", fits {fit.FitPercent} %")}");
            var bus = buses.First(b => b.Place == unit.Place).Id;
            await ShowValuesAsync(unit, profile, bus, cancel).ConfigureAwait(false);
            var id = stated?.Id ?? dialog.Text("  Its id:", "--device", ScanYaml.DeviceId(profile.Id, unit.Unit, [.. taken]), text => taken.Contains(text) ? $"'{text}' is taken already." : IdProblem(text));
            taken.Add(id);
            named.Add(new(id, profile, bus, unit, fit?.FitPercent));
        }

        foreach (var stated in options.Devices.Where(d => !found.Any(u => Statement(u, found) == d)))
        {
            output.WriteLine($"! {stated.Id} (unit {stated.Unit}{(stated.Where.Length > 0 ? $" at {stated.Where}" : "")}) was not found and is not in the file.");
        }

        return named;
    }

    private StatedDevice? Statement(FoundUnit unit, IReadOnlyList<FoundUnit> found) => options.Devices.FirstOrDefault(d => d.Unit == unit.Unit
        && (d.Where.Length > 0 ? Fits(d, unit.Place) : found.Count(u => u.Unit == unit.Unit) == 1));

    private static string Place(FoundUnit unit) => unit.Place.SerialPort ?? string.Create(CultureInfo.InvariantCulture, $"{unit.Place.Host}:{unit.Place.TcpPort}");

    private static bool Fits(StatedDevice stated, ScanPlace place) => stated.Where.Length == 0 || stated.Where == place.SerialPort || stated.Where == place.Host
        || stated.Where == string.Create(CultureInfo.InvariantCulture, $"{place.Host}:{place.TcpPort}");

    private DeviceProfile? ProfileOf(FoundUnit unit, StatedDevice? stated)
    {
        if (stated?.Profile is { } id)
        {
            return Stated(id, stated.Id);
        }

        const string another = "another profile";
        const string leaveOut = "leave it out";
        if (unit.Profiles.Count == 0)
        {
            output.WriteLine("  No profile fits.");
        }

        var choice = dialog.Choose("  What is it?", [.. unit.Profiles.Select(p => p.Profile), .. unit.Profiles.Count > 0 ? new[] { another, leaveOut } : [leaveOut, another]], profile =>
            unit.Profiles.FirstOrDefault(p => p.Profile == profile) is { } fit ? $"{fit.Title} ({fit.Profile}), fits {fit.FitPercent} %" : profile);
        return choice switch
        {
            leaveOut => null,
            another => dialog.Choose("  Which one?", library, p => $"{p.Id}: {p.TitleEnglish}"),
            _ => library.First(p => p.Id == choice),
        };
    }

    private DeviceProfile Stated(string profile, string device) => library.FirstOrDefault(p => p.Id == profile)
        ?? throw new FormatException($"There is no profile '{profile}' for {device}. {Spelling.Hint(profile, library.Select(p => p.Id))}docs/catalogue describes all, edgegateway profile show lists them.");

    /// <summary>Reads the device as the gateway will, and shows what can be compared with its display.</summary>
    private async Task ShowValuesAsync(FoundUnit unit, DeviceProfile profile, string busId, CancellationToken cancel)
    {
        var text = $"schema: edgegateway/gateway/1\nsite: {{ id: setup, timezone: UTC, region: {AnyRegion} }}\ngateway: {{ id: setup }}\nbuses:\n{ScanYaml.Bus(unit.Place, busId)}devices:\n{ScanYaml.Device("device", profile.Id, busId, unit.Unit, None, None)}";
        if (files.Load(new SourceText("setup", text), out _) is not { } site)
        {
            output.WriteLine("  Its values cannot be shown: the profile does not fit this bus.");
            return;
        }

        var bus = BusKinds.Create(site.Buses[0], time);
        await using (bus.ConfigureAwait(false))
        {
            var readings = await DeviceReader.ReadAsync(bus, site, site.Devices[0], new GatewayClock(time), cancel).ConfigureAwait(false);
            var points = ReadingDocuments.Make(site, site.Devices[0], readings).Points;
            foreach (var point in points.Where(p => p.Value is not null).GroupBy(Rank).OrderBy(g => g.Key).SelectMany(g => g.Key < Telling.Length ? g.Take(OfEach) : g).Take(ValuesShown))
            {
                output.WriteLine($"    {point.Point,-34} {Commands.Words.Number(point.Value!.Value),12} {(point.Unit == "1" ? "" : point.Unit)}{(point.Quality == "good" ? "" : $"   {point.Quality}: {point.Reason}")}");
            }

            var without = points.Count(p => p.Value is null && p.Text is null);
            output.WriteLine($"    {points.Count - without} of {points.Count} points have a value{(bus.LastProblem.Length > 0 && without > 0 ? $"; the last problem: {bus.LastProblem}" : "")}");
        }

        static int Rank(PointReadingDocument point) => Array.FindIndex(Telling, role => point.Role.StartsWith(role, StringComparison.Ordinal)) is >= 0 and var rank ? rank : Telling.Length;
    }

    private void ShowHints()
    {
        if (_hints.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("What does not answer:");
            foreach (var hint in _hints)
            {
                output.WriteLine($"  {hint}");
            }
        }
    }

    private string SiteHead()
    {
        output.WriteLine();
        var site = options.Site ?? dialog.Text("Id of the site (letters, digits, '-'):", "--site", null, IdProblem);
        var name = options.SiteName ?? (options.IsUnattended ? None : dialog.Text("Its name for people (empty: the id):", "--site-name", site, _ => null));
        var zone = options.TimeZone ?? dialog.Text("Time zone:", "--timezone", LocalZone, ZoneProblem);
        var region = options.Region ?? dialog.Text("Grid region of the emission factors, such as CN-SX, DE or US:", "--region", null, RegionProblem);
        var gateway = options.Gateway ?? dialog.Text("Id of this gateway:", "--gateway", GatewayName(), IdProblem);
        var named = name.Length > 0 && name != site ? $", name: {YamlText.Quote(name)}" : None;
        return $"site: {{ id: {YamlText.Write(site)}{named}, timezone: {YamlText.Write(zone)}, region: {YamlText.Write(region)} }}\ngateway: {{ id: {YamlText.Write(gateway)} }}\n";
    }

    private List<NamedDevice> PlaceMeters(List<NamedDevice> devices)
    {
        const string none = "nothing of that: leave it out of the carbon account";
        const string incomer = "all that is drawn from the grid (incomer)";
        const string generator = "own generation";
        if (options.Incomers.FirstOrDefault(id => !devices.Exists(d => d.Id == id && d.IsMeter)) is { } unknown)
        {
            throw new FormatException($"--incomer {unknown}: no meter of this id was found. Meters: {string.Join(", ", devices.Where(d => d.IsMeter).Select(d => d.Id))}.");
        }

        List<NamedDevice> placed = [];
        var parents = new Dictionary<string, string>(StringComparer.Ordinal);
        HashSet<string> leftOut = new(StringComparer.Ordinal);
        foreach (var device in devices)
        {
            var role = !device.IsMeter ? none
                : options.IsUnattended ? options.Incomers.Contains(device.Id) ? incomer : options.Incomers.Count == 1 ? options.Incomers[0] : none
                : Ask(device);
            if (role == none)
            {
                leftOut.Add(device.Id);
            }
            else if (role is not (incomer or generator))
            {
                parents[device.Id] = role;
            }

            placed.Add(device with
            {
                Metering = role switch
                {
                    none => None,
                    incomer => ", metering: { role: incomer }",
                    generator => ", metering: { role: generator }",
                    _ => $", metering: {{ role: submeter, parent: {YamlText.Write(role)} }}",
                },
            });
        }

        return placed;

        string Ask(NamedDevice device)
        {
            var others = devices.Where(d => d.IsMeter && d != device).Select(d => d.Id).ToArray();
            var behind = others.Where(id => IsBehind(id, device.Id)).ToArray();
            var without = others.Where(leftOut.Contains).ToArray();
            if (behind.Length > 0)
            {
                output.WriteLine($"{string.Join(", ", behind)} {(behind.Length == 1 ? "is" : "are")} a part of what {device.Id} measures: {device.Id} cannot be a part of {(behind.Length == 1 ? "that" : "these")}, nor be left out.");
            }

            return dialog.Choose(
                $"What does {device.Id} measure?",
                [.. behind.Length == 0 ? new[] { none } : [], incomer, .. others.Except(behind).Except(without), generator],
                choice => others.Contains(choice) ? $"a part of what {choice} measures" : choice);
        }

        // What was chosen so far goes in no circle, so that this ends.
        bool IsBehind(string id, string front)
        {
            while (parents.TryGetValue(id, out var parent))
            {
                if (parent == front)
                {
                    return true;
                }

                id = parent;
            }

            return false;
        }
    }

    private string Uplink()
    {
        var server = options.Server ?? dialog.Text("MQTT server that takes the feed, such as mqtts://centre.example:8883 (empty: none for now):", "--server", None, ServerProblem);
        if (server.Length == 0)
        {
            return None;
        }

        var plain = MqttUplinkModel.ServerOf(server) is { Scheme: "mqtt" or "ws", IsLoopback: false };
        if (plain && options.IsUnattended && !options.AllowPlaintext)
        {
            throw new FormatException($"{server} is reached without encryption, over a network. Use mqtts:// or wss://, or allow it with --allow-plaintext.");
        }

        plain = plain && (options.AllowPlaintext || dialog.Confirm("This server is reached without encryption, over a network. Allow it?", preset: false));
        return $"uplinks:\n  - {{ id: centre, type: mqtt, servers: [{YamlText.Quote(server)}]{(plain ? ", allowPlaintext: true" : "")} }}\n";
    }

    private string Text(string head, IReadOnlyList<(ScanPlace Place, string Id)> buses, List<NamedDevice> devices, string uplink)
    {
        var text = new StringBuilder("# Written by edgegateway setup. Every key: docs/configuration.md; check after each change: edgegateway check\nschema: edgegateway/gateway/1\n").Append(head).Append("buses:\n");
        foreach (var (place, id) in buses.Where(b => devices.Exists(d => d.Bus == b.Id)))
        {
            text.Append(ScanYaml.Bus(place, id));
        }

        if (options.WatchesComputer)
        {
            text.Append(ComputerSetup.Bus);
        }

        text.Append("devices:\n");
        foreach (var device in devices)
        {
            text.Append(ScanYaml.Device(device.Id, device.Profile.Id, device.Bus, device.Unit.Unit, device.Metering, device.FitPercent is { } fit ? $"fits {fit} %" : None));
        }

        if (options.WatchesComputer)
        {
            text.Append(ComputerSetup.Device(library, [.. devices.Select(d => d.Id)]));
        }

        return text.Append(uplink).ToString();
    }

    private static string? IdProblem(string id) => Scalars.IsId(id) ? null : $"'{id}' is no id: write letters, digits, '-' and '_', at most 64.";

    private static string? ZoneProblem(string zone) => TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _) ? null : $"'{zone}' is no time zone: write an IANA name such as Asia/Shanghai or Europe/Berlin.";

    private static string? RegionProblem(string region) => FactorSet.BuiltIn().KnownRegions.Contains(region, StringComparer.Ordinal)
        ? null : $"There are no emission factors for '{region}'. Known: {string.Join(", ", FactorSet.BuiltIn().KnownRegions)}.";

    private static string? ServerProblem(string server) => server.Length == 0 ? null : MqttUplinkModel.ServerOf(server) switch
    {
        null => $"'{server}' is no MQTT server: write mqtts://host:8883, wss://host/path or mqtt://host:1883.",
        { UserInfo.Length: > 0 } => "The address holds a user name or password: add 'username' and 'passwordFile' to the file later, docs/configuration.md.",
        _ => null,
    };

    private static string AnyRegion => FactorSet.BuiltIn().KnownRegions[0];

    // A computer that was never told where it is says UTC; that is no proposal for a site.
    private static string? LocalZone => TimeZoneInfo.Local.HasIanaId && TimeZoneInfo.Local.Id is not ("UTC" or "Etc/UTC") ? TimeZoneInfo.Local.Id : null;

    private static string? GatewayName() => NotIdentifier().Replace(Environment.MachineName, "-") is var name && IdProblem(name) is null ? name : null;

    [GeneratedRegex("[^A-Za-z0-9_-]", RegexOptions.CultureInvariant)]
    private static partial Regex NotIdentifier();

    private sealed record NamedDevice(string Id, DeviceProfile Profile, string Bus, FoundUnit Unit, int? FitPercent)
    {
        public string Metering { get; init; } = None;

        public bool IsMeter => Profile.Points.Any(p => p.Carbon is not null);
    }
}
