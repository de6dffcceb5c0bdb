using System.CommandLine;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Hosting;
using EdgeGateway.Setup;
using EdgeGateway.Storage;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway setup</c>: from devices on a wire to a checked <c>gateway.yaml</c>.</summary>
internal static class SetupCommand
{
    public static Command Create()
    {
        var output = new Option<string>("--output", "-o") { Description = "The file to write.", DefaultValueFactory = _ => "gateway.yaml", HelpName = "FILE" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Ask nothing: take what is proposed. What cannot be proposed must stand in an option." };
        var force = new Option<bool>("--force") { Description = "Replace the file if it exists; the present one is kept as FILE.old, or FILE.old-2 and so on when there is one." };
        var ports = new Option<string[]>("--port") { Description = "A serial port to scan, such as /dev/ttyUSB0; may be given several times.", HelpName = "PATH", AllowMultipleArgumentsPerToken = true };
        var hosts = new Option<string[]>("--tcp") { Description = "Addresses to scan: 192.168.1.0/28, 192.168.1.10-20, a name, with :port if it is not 502; may be given several times.", HelpName = "HOSTS", AllowMultipleArgumentsPerToken = true };
        var units = new Option<string?>("--units") { Description = "Unit ids to ask, such as 1-10,20. On a line an id written by itself is expected: when it does not answer, what to check is said.", HelpName = "IDS" };
        var baud = new Option<string?>("--baud") { Description = "Baud rates to try, such as 9600,19200. Without it: the usual ones.", HelpName = "RATES" };
        var parity = new Option<string?>("--parity") { Description = "Parities to try: none, even, odd.", HelpName = "LIST" };
        var timeout = new Option<string>("--timeout") { Description = "How long a unit may take to answer while it is looked for.", DefaultValueFactory = _ => "200ms", HelpName = "TIME" };
        var devices = new Option<string[]>("--device") { Description = "What a device is called, [WHERE/]UNIT=ID[:PROFILE], such as 3=main-fan or 192.168.1.10:502/1=incomer:eastron-sdm630.", HelpName = "DEVICE", AllowMultipleArgumentsPerToken = true };
        var incomers = new Option<string[]>("--incomer") { Description = "Id of the meter of what is drawn from the grid; with one of them the other meters stand behind it.", HelpName = "ID", AllowMultipleArgumentsPerToken = true };
        var site = new Option<string?>("--site") { Description = "Id of the site.", HelpName = "ID" };
        var siteName = new Option<string?>("--site-name") { Description = "Name of the site for people.", HelpName = "NAME" };
        var zone = new Option<string?>("--timezone") { Description = "IANA time zone in which days begin, such as Asia/Shanghai.", HelpName = "ZONE" };
        var region = new Option<string?>("--region") { Description = "Grid region of the emission factors, such as CN-SX.", HelpName = "REGION" };
        var gateway = new Option<string?>("--gateway") { Description = "Id of this gateway; the name of the computer when absent.", HelpName = "ID" };
        var server = new Option<string?>("--server") { Description = "MQTT server, such as mqtts://centre.example:8883.", HelpName = "URL" };
        var plain = new Option<bool>("--allow-plaintext") { Description = "Allow mqtt:// to a server beyond this machine." };
        var noComputer = new Option<bool>("--no-computer") { Description = "Leave out the device that tells the health of this computer: temperature, supply, disk, memory, clock, card wear." };
        var profiles = CommonOptions.Profiles();
        var command = new Command(
            "setup",
            """
            Set up a site: scan lines and networks, name the devices, show their live values, ask what cannot be found out, write
            gateway.yaml and check it. Nothing is written to any device. Ctrl+C ends it without a file.
            What does not answer is reported with what to check on the wiring.

            Without options it asks; with --yes a script runs it:
              edgegateway setup --yes --port /dev/ttyUSB0 --baud 9600 --parity none --site mine-3 --timezone Asia/Shanghai --region CN-SX
            Exit code: 0 written and usable, 1 nothing found or a port failed, 2 an answer is wrong, or the file needs mending.
            """)
        {
            output, yes, force, ports, hosts, units, baud, parity, timeout, devices, incomers, site, siteName, zone, region, gateway, server, plain, noComputer, profiles,
        };
        command.SetAction((result, cancel) =>
        {
            if (!Quantities.TryDuration(result.GetValue(timeout)!, out var wait) || wait < TimeSpan.FromMilliseconds(10) || wait > TimeSpan.FromSeconds(2))
            {
                return Task.FromResult(Terminal.Fail($"'{result.GetValue(timeout)}' is no time limit for one request: write 10ms to 2s.", Terminal.BadInput));
            }

            return RunAsync(
                () => new()
                {
                    Output = result.GetValue(output)!,
                    Profiles = result.GetValue(profiles),
                    IsUnattended = result.GetValue(yes),
                    MayReplace = result.GetValue(force),
                    Ports = result.GetValue(ports) ?? [],
                    Hosts = result.GetValue(hosts) ?? [],
                    Units = result.GetValue(units),
                    Baud = result.GetValue(baud),
                    Parity = result.GetValue(parity),
                    Timeout = wait,
                    Devices = [.. (result.GetValue(devices) ?? []).Select(StatedDevice.Parse)],
                    Incomers = result.GetValue(incomers) ?? [],
                    Site = result.GetValue(site),
                    SiteName = result.GetValue(siteName),
                    TimeZone = result.GetValue(zone),
                    Region = result.GetValue(region),
                    Gateway = result.GetValue(gateway),
                    Server = result.GetValue(server) ?? (result.GetValue(yes) ? "" : null),
                    AllowPlaintext = result.GetValue(plain),
                    WatchesComputer = !result.GetValue(noComputer),
                },
                cancel);
        });
        return command;
    }

    private static async Task<int> RunAsync(Func<SetupOptions> read, CancellationToken terminated)
    {
        var interrupted = new CancellationTokenSource();
        using var interrupt = Terminal.OnInterrupt(interrupted);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(terminated, interrupted.Token);
        try
        {
            var options = read();
            if (!options.IsUnattended && (Console.IsInputRedirected || !AnsiConsole.Profile.Capabilities.Interactive))
            {
                return Terminal.Fail("There is no terminal to ask at. In a script use --yes, and say with options what cannot be found out: edgegateway setup --help", Terminal.BadInput);
            }

            if (options.Profiles is not null && !Directory.Exists(options.Profiles))
            {
                return Terminal.Fail($"There is no directory '{options.Profiles}'. Name the directory of the device profiles with --profiles DIR.", Terminal.BadInput);
            }

            var wizard = new SetupWizard(
                options,
                options.IsUnattended ? new UnattendedDialog() : new TerminalDialog(),
                SiteFiles.Find(options.Output, options.Profiles),
                CommonOptions.Library(options.Output, options.Profiles),
                ScanViews.RunAsync,
                Console.Out,
                TimeProvider.System);
            return Conclude(options.Output, await wizard.RunAsync(either.Token).ConfigureAwait(false));
        }
        catch (FormatException e)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
        catch (OperationCanceledException)
        {
            return Terminal.Fail("Interrupted; no file was written.");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException or StoreException)
        {
            return Terminal.Fail(e.Message);
        }
    }

    private static int Conclude(string file, IReadOnlyList<Core.Problem>? problems)
    {
        Console.WriteLine();
        if (problems is not null)
        {
            Terminal.Print(problems, Console.Error);
            return Terminal.Fail($"{file} was written and needs mending: edgegateway check {file}", Terminal.BadInput);
        }

        Console.WriteLine($"{file} was written and is usable. Next:");
        Console.WriteLine($"  edgegateway check {file}              what it asks of each bus");
        Console.WriteLine($"  edgegateway run --config {file}       run the gateway");
        return Terminal.Success;
    }
}
