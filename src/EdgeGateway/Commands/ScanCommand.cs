using System.CommandLine;
using System.Text.Json;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Sensors;
using EdgeGateway.Scanning;
using EdgeGateway.Tracing;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway scan</c>: finds devices and proposes profiles for them.</summary>
internal static class ScanCommand
{
    private const int ReasonsOfTheBest = 8;
    private const int ReasonsOfOthers = 2;

    public static Command Create()
    {
        var bus = new Argument<string?>("bus") { Description = "Id of a bus in gateway.yaml.", Arity = ArgumentArity.ZeroOrOne };
        var port = new Option<string?>("--port") { Description = "A serial port in place of a bus, such as /dev/ttyUSB0.", HelpName = "PATH" };
        var tcp = new Option<string?>("--tcp") { Description = "Addresses in place of a bus: 192.168.1.0/28, 192.168.1.10-20 or a name, with :port if it is not 502.", HelpName = "HOSTS" };
        var sensors = new Option<bool>("--sensors") { Description = "The sensors behind drivers of this computer's kernel: IIO, hwmon, 1-Wire. Nothing is measured." };
        var meters = new Option<bool>("--meters") { Description = "With --tcp: DL/T 645 meters behind a device server in place of Modbus units. Serial lines are searched for both." };
        var units = new Option<string?>("--units") { Description = "Unit ids to ask, such as 1-10,20. Without it: 1-247 on a line, the usual ones on TCP.", HelpName = "IDS" };
        var baud = new Option<string?>("--baud") { Description = "Baud rates to try, such as 9600,19200. Without it: the usual ones.", HelpName = "RATES" };
        var parity = new Option<string?>("--parity") { Description = "Parities to try: none, even, odd.", HelpName = "LIST" };
        var timeout = new Option<string>("--timeout") { Description = "How long a unit may take to answer while it is looked for.", DefaultValueFactory = _ => "200ms", HelpName = "TIME" };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command(
            "scan",
            """
            Find devices on a line or a network, say what they are, and propose profiles with the reasons. It only reads
            (function codes 1-4, 17 and 43/14). On a line where nothing speaks Modbus, a DL/T 645 meter is asked for its address. Ctrl+C ends it and prints what was found until then.
            On a bus of the running gateway every question is asked between two polls; polling goes on.
            """) { bus, port, tcp, sensors, meters, units, baud, parity, timeout, configuration, profiles, json };
        command.SetAction((result, cancel) => RunAsync(
            new Request(
                result.GetValue(bus), result.GetValue(port), result.GetValue(tcp), result.GetValue(sensors), result.GetValue(meters), result.GetValue(units), result.GetValue(baud), result.GetValue(parity),
                result.GetValue(timeout)!, result.GetValue(configuration)!, result.GetValue(profiles), result.GetValue(json)),
            cancel));
        return command;
    }

    private static int ShowSensors()
    {
        if (!OperatingSystem.IsLinux())
        {
            return Terminal.Fail("Sensors behind drivers of the kernel are read on Linux only.");
        }

        var inventory = SensorInventory.Read();
        Console.Out.Write(SensorsHere.List(inventory));
        return inventory.Devices.Count > 0 ? Terminal.Success : Terminal.Failure;
    }

    private static async Task<int> RunAsync(Request request, CancellationToken terminated)
    {
        var interrupted = new CancellationTokenSource();
        using var interrupt = Terminal.OnInterrupt(interrupted);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(terminated, interrupted.Token);
        var cancel = either.Token;
        if (new[] { request.Bus, request.Port, request.Tcp, request.Sensors ? "" : null }.Count(t => t is not null) != 1)
        {
            return Terminal.Fail("Name one thing to scan: a bus of gateway.yaml, --port PATH for a serial port, --tcp HOSTS for addresses, or --sensors for those of this computer.", Terminal.BadInput);
        }

        if (request.Sensors)
        {
            return ShowSensors();
        }

        if (!Quantities.TryDuration(request.Timeout, out var timeout) || timeout < TimeSpan.FromMilliseconds(10) || timeout > TimeSpan.FromSeconds(2))
        {
            return Terminal.Fail($"'{request.Timeout}' is no time limit for one request: write 10ms to 2s.", Terminal.BadInput);
        }

        if (request.Profiles is not null && !Directory.Exists(request.Profiles))
        {
            return Terminal.Fail($"There is no directory '{request.Profiles}'. Name the directory of the device profiles with --profiles DIR.", Terminal.BadInput);
        }

        SiteModel? site = null;
        try
        {
            if (request.Bus is not null || File.Exists(request.Configuration))
            {
                site = CommonOptions.Load(request.Configuration, request.Profiles)?.Model;
                if (site is null && request.Bus is not null)
                {
                    return Terminal.BadInput;
                }
            }

            var library = CommonOptions.Library(request.Configuration, request.Profiles);
            var document = request.Json
                ? await ScanAsync(request, site, library, timeout, new ScanViews.PlainView(Console.Error), cancel).ConfigureAwait(false)
                : await ScanViews.RunAsync(view => ScanAsync(request, site, library, timeout, view, cancel)).ConfigureAwait(false);
            if (document is null)
            {
                return Terminal.BadInput;
            }

            if (request.Json)
            {
                Console.WriteLine(JsonSerializer.Serialize(document, ScanJson.Default.ScanDocument));
            }
            else
            {
                Show(document);
            }

            return document.Units.Count > 0 ? Terminal.Success : Terminal.Failure;
        }
        catch (FormatException e)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or HttpRequestException or IOException)
        {
            return Terminal.Fail(e.Message);
        }
    }

    private static async Task<ScanDocument?> ScanAsync(
        Request request, SiteModel? site, IReadOnlyList<DeviceProfile> library, TimeSpan timeout, IScanView view, CancellationToken cancel)
    {
        var scanner = new Scanner(library, site, timeout, view, TimeProvider.System);
        var units = request.Units is null ? null : ScanTargets.Units(request.Units);
        if (request.Meters && request.Tcp is not null)
        {
            if (ScanTargets.Hosts(request.Tcp) is not [var (host, port)])
            {
                throw new FormatException("Meters are looked for behind one device server: write its host and port, such as --tcp 192.168.1.10:26 --meters");
            }

            var server = new Dlt645OverTcpBus { Id = "scan", Host = host, Port = port, Timeout = timeout, Meters = [] };
            return await scanner.ScanMetersAsync(server, new() { Host = host, TcpPort = port }, cancel).ConfigureAwait(false);
        }

        if (request.Tcp is not null)
        {
            return await scanner.ScanNetworkAsync(ScanTargets.Hosts(request.Tcp), units, cancel).ConfigureAwait(false);
        }

        if (request.Port is not null)
        {
            return await scanner.ScanLineAsync(request.Port, null, ScanTargets.Lines(request.Baud, request.Parity), ScanTargets.OnLine(units), cancel).ConfigureAwait(false);
        }

        var bus = site!.Buses.FirstOrDefault(b => b.Id == request.Bus);
        if (bus is null)
        {
            Console.Error.WriteLine($"There is no bus '{request.Bus}'. Buses: {string.Join(", ", site.Buses.Select(b => b.Id))}.");
            return null;
        }

        if (bus is LocalBus local)
        {
            Console.Error.WriteLine(BusKinds.NoWire(local));
            return null;
        }

        if (bus is ILoggerBus)
        {
            Console.Error.WriteLine(BusKinds.NoAsking(bus));
            return null;
        }

        if (bus is IMeterBus meters)
        {
            using var owner = ControlClient.TryConnect(site.Storage.Directory);
            var at = PlaceOf(bus, WireFormats.LineOf(bus));
            return await (owner is null
                ? scanner.ScanMetersAsync(bus, at, cancel)
                : scanner.ScanMetersAsync(new GatewayMeterProbe(owner, bus.Id), meters, at, cancel)).ConfigureAwait(false);
        }

        var line = WireFormats.LineOf(bus);
        var place = PlaceOf(bus, line);
        var toAsk = WireFormats.IsLine(bus)
            ? ScanTargets.OnLine(units)
            : units ?? [.. site.Devices.Where(d => d.BusId == bus.Id).Select(d => d.Unit).Concat([(byte)1, (byte)255]).Distinct().Order()];
        using var client = ControlClient.TryConnect(site.Storage.Directory);
        if (client is not null)
        {
            if (request.Baud is not null || request.Parity is not null)
            {
                Console.Error.WriteLine($"The gateway is polling {bus.Id} at {(line is null ? "its settings" : line.Value.Settings)}: other settings would garble its polls and those of every device on the line. Stop the gateway first, or scan without --baud and --parity.");
                return null;
            }

            var probe = new GatewayProbe(client, bus.Id);
            return await scanner.ScanUnitsAsync(probe, place, toAsk, cancel).ConfigureAwait(false);
        }

        if (bus is SerialBus serial && line is var (path, settings))
        {
            // The settings of the file first; only when nobody answers there the others.
            var lines = ScanTargets.Lines(request.Baud, request.Parity).Select(l => settings with { Baud = l.Baud, Parity = l.Parity, StopBits = l.StopBits });
            return await scanner.ScanLineAsync(
                path, serial, request.Baud is null && request.Parity is null ? [.. lines.Prepend(settings).Distinct()] : [.. lines], toAsk, cancel).ConfigureAwait(false);
        }

        if (request.Baud is not null || request.Parity is not null)
        {
            Console.Error.WriteLine($"The bus {bus.Id} is {BusKinds.Describe(bus)}: it has no baud rate and parity here. Leave --baud and --parity away.");
            return null;
        }

        var own = new ClientProbe(BusKinds.CreateClient(bus, TimeProvider.System));
        await using (own.ConfigureAwait(false))
        {
            return await scanner.ScanUnitsAsync(own, place, toAsk, cancel).ConfigureAwait(false);
        }
    }

    private static ScanPlace PlaceOf(BusModel bus, (string Port, Protocols.Serial.SerialSettings Settings)? line) => line is var (path, settings)
        ? new() { Bus = bus.Id, SerialPort = path, Baud = settings.Baud, Parity = settings.Parity.ToString().ToLowerInvariant(), StopBits = settings.StopBits }
        : bus is NetworkBus network
            ? new() { Bus = bus.Id, Host = network.Host, TcpPort = network.Port }
            : new() { Bus = bus.Id };

    private static void Show(ScanDocument document)
    {
        foreach (var unit in document.Units)
        {
            AnsiConsole.MarkupLineInterpolated($"[bold]{unit.Where}, unit {unit.Unit}[/]{(unit.ConfiguredAs is { } known ? $" (configured as {known})" : "")}");
            if (unit.Identification.Count > 0)
            {
                AnsiConsole.MarkupLineInterpolated($"  says of itself: {string.Join(", ", unit.Identification)}");
            }

            if (unit.ServerId.Length > 0)
            {
                AnsiConsole.MarkupLineInterpolated($"  server id: {unit.ServerId}");
            }

            if (unit.SunSpecAt is { } sunSpec)
            {
                AnsiConsole.MarkupLineInterpolated($"  SunSpec device: the marker stands at {sunSpec}");
            }

            foreach (var note in unit.Notes)
            {
                AnsiConsole.MarkupLineInterpolated($"  [yellow]![/] {note}");
            }

            foreach (var (place, profile) in unit.Profiles.Index())
            {
                AnsiConsole.MarkupLineInterpolated($"  [green]{profile.Profile}[/] ({profile.Title}) fits {profile.FitPercent} %");
                foreach (var reason in profile.Reasons.Take(place == 0 ? ReasonsOfTheBest : ReasonsOfOthers))
                {
                    AnsiConsole.MarkupLineInterpolated($"      {reason}");
                }
            }

            if (unit.Profiles.Count == 0)
            {
                AnsiConsole.MarkupLine("  no profile fits");
            }
        }

        foreach (var note in document.Notes)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]![/] {note}");
        }

        if (document.Units.Count == 0)
        {
            AnsiConsole.MarkupLine(document.IsComplete
                ? "Nothing answers. On a line: check power, A and B, termination, and try a longer --timeout. On a network: check addresses and ports."
                : "Interrupted; nothing had answered until then.");
        }
        else if (!document.IsComplete)
        {
            AnsiConsole.MarkupLine("Not finished; this is what was found until then.");
        }

        if (document.Yaml.Length > 0)
        {
            AnsiConsole.WriteLine();
            AnsiConsole.WriteLine("For gateway.yaml:");
            AnsiConsole.WriteLine();

            // Not through the console's word wrap: it is to be pasted.
            Console.Out.Write(document.Yaml);
        }
    }

    private sealed record Request(
        string? Bus, string? Port, string? Tcp, bool Sensors, bool Meters, string? Units, string? Baud, string? Parity, string Timeout, string Configuration, string? Profiles, bool Json);
}
