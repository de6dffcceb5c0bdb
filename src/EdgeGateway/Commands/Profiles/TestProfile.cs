using System.CommandLine;
using System.Globalization;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Scanning;

namespace EdgeGateway.Commands.Profiles;

/// <summary><c>edgegateway profile test</c>: reads a live device by a profile and judges by physics whether the profile is right.</summary>
internal static class TestProfile
{
    // So many are spread over the time of the test; so many follow where something is found, and so many at most where rounds were too few to tell.
    private const int Rounds = 4;
    private const int RoundsOfFinding = 8;
    private const int MostRounds = 16;
    private const int ShownOthers = 2;

    public static Command Create()
    {
        var profile = new Argument<string>("profile") { Description = "A profile, by file or id." }.WithIds();
        var device = new Option<string?>("--device") { Description = "A device of gateway.yaml to test it on; the running gateway asks it between two polls.", HelpName = "ID" };
        var tcp = new Option<string?>("--tcp") { Description = "Address of the device instead: 192.168.1.10 or 192.168.1.10:1502.", HelpName = "HOST" };
        var port = new Option<string?>("--port") { Description = "Serial port of the device instead, such as /dev/ttyUSB0.", HelpName = "PATH" };
        var baud = new Option<string>("--baud") { Description = "Baud rate of the line.", HelpName = "RATE", DefaultValueFactory = _ => "9600" };
        var parity = new Option<string>("--parity") { Description = "Parity of the line: none, even, odd.", HelpName = "PARITY", DefaultValueFactory = _ => "none" };
        var unit = new Option<int>("--unit") { Description = "Unit id of the device.", HelpName = "ID", DefaultValueFactory = _ => 1 };
        var span = new Option<string>("--for") { Description = "How long to watch. Energies are judged by their growth: the coarser the register and the smaller the load, the longer.", HelpName = "TIME", DefaultValueFactory = _ => "30s" };
        var timeout = new Option<string>("--timeout") { Description = "Time limit of one request.", HelpName = "TIME", DefaultValueFactory = _ => "1s" };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var command = new Command(
            "test",
            """
            Read a live device by a profile and judge whether its numbers can be true together: V x I x power factor against the
            power, phases against totals, voltages against each other, frequency, and the growth of energies against the power. Where
            they cannot, other word orders, addresses, scales, signs and phases are tried, and the change that explains the numbers
            is proposed. It only reads. A site's transformer ratios are not applied. Exit code: 0 nothing wrong was found, 1 something is wrong, 2 nothing was tested.
            """) { profile, device, tcp, port, baud, parity, unit, span, timeout, configuration, profiles };
        command.SetAction((result, cancel) => RunAsync(
            new Request(
                result.GetValue(profile)!, result.GetValue(device), result.GetValue(tcp), result.GetValue(port), result.GetValue(baud)!, result.GetValue(parity)!, result.GetValue(unit),
                result.GetValue(span)!, result.GetValue(timeout)!, result.GetValue(configuration)!, result.GetValue(profiles)),
            cancel));
        return command;
    }

    private static async Task<int> RunAsync(Request request, CancellationToken cancel)
    {
        if (ProfileCommand.Find(request.Profile, request.Profiles) is not { } path)
        {
            return ProfileCommand.Missing(request.Profile, request.Profiles);
        }

        var (profile, problems) = ProfileCommand.Load(path, request.Profiles);
        Terminal.Print(problems, Console.Error);
        if (profile is null)
        {
            return Terminal.Fail($"{path}: not usable. Mend it first; only then it can be tested.", Terminal.BadInput);
        }

        if (!Quantities.TryDuration(request.Span, out var span) || span > TimeSpan.FromHours(6) || !Quantities.TryDuration(request.Timeout, out var timeout) || timeout < TimeSpan.FromMilliseconds(10) || timeout > TimeSpan.FromMinutes(1))
        {
            return Terminal.Fail("Write --for as 0 to 6h and --timeout as 10ms to 1m.", Terminal.BadInput);
        }

        if (request.Unit is < 0 or > 255)
        {
            return Terminal.Fail($"{request.Unit} is no unit id: write 0 to 255.", Terminal.BadInput);
        }

        try
        {
            var (probe, unit, where) = Open(request);
            if (probe is null)
            {
                return Terminal.BadInput;
            }

            await using (probe.ConfigureAwait(false))
            {
                return await TestAsync(profile, new TrialReader(probe, unit, profile, timeout, TimeProvider.System), where, span, cancel).ConfigureAwait(false);
            }
        }
        catch (FormatException e)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or HttpRequestException or IOException)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
    }

    private static async Task<int> TestAsync(DeviceProfile profile, TrialReader reader, string where, TimeSpan span, CancellationToken cancel)
    {
        var requests = ProfileTrial.Requests(profile, withNeighbours: false);
        ReadRequest[] backwards = [.. requests.Reverse()];
        var rounds = new List<TrialRound>();
        var began = TimeProvider.System.GetTimestamp();
        TrialResult? result = null;
        while (result is null || (result.Findings.Count > 0 && rounds.Count < RoundsOfFinding) || (result.WantsMoreRounds && rounds.Count < MostRounds))
        {
            for (var i = 0; i < Rounds; i++)
            {
                // Only the first rounds are spread; those that follow look at once whether it stays so.
                var due = result is null ? span * i / (Rounds - 1) : TimeSpan.Zero;
                var passed = TimeProvider.System.GetElapsedTime(began);
                if (due > passed)
                {
                    await Task.Delay(due - passed, TimeProvider.System, cancel).ConfigureAwait(false);
                }

                // There and back: a load that rises steadily is ahead in one round and behind in the next, and not always on one side.
                var at = TimeProvider.System.GetElapsedTime(began);
                var registers = await reader.ReadAsync(rounds.Count % 2 == 0 ? requests : backwards, cancel).ConfigureAwait(false);
                if (reader.IsSilent || reader.Problem is not null)
                {
                    return Terminal.Fail($"{where}: {reader.Problem ?? "the device does not answer. Check address, unit id, wiring and line settings: edgegateway scan finds them"}.", Terminal.BadInput);
                }

                rounds.Add(new(at, registers));
            }

            result = ProfileTrial.Judge(profile, rounds);
        }

        if (result.Findings.Count > 0)
        {
            // Something is wrong: the registers beside each point tell whether its address is.
            var at = TimeProvider.System.GetElapsedTime(began);
            var wider = await reader.ReadAsync(ProfileTrial.Requests(profile, withNeighbours: true), cancel).ConfigureAwait(false);
            result = ProfileTrial.Judge(profile, [.. rounds, new(at, wider)]);
        }

        Show(profile, result, where);
        var never = profile.Points.Where(p => reader.Failures.ContainsKey(p.Id) && rounds.TrueForAll(r => r.Registers.StateOf(p.Encoding.Table, p.Encoding.Span) == RegisterState.Unknown)).Select(p => p.Id).ToHashSet();
        foreach (var failed in reader.Failures.GroupBy(f => (IsNever: never.Contains(f.Key), f.Value.Why)).OrderByDescending(g => g.Key.IsNever))
        {
            Console.WriteLine($"{(failed.Key.IsNever ? "wrong" : "open")}: {string.Join(", ", failed.Select(f => f.Key))}: {(failed.Key.IsNever ? "never read" : $"not read {failed.Max(f => f.Value.Times)} times")}: {failed.Key.Why}");
        }

        return result.Findings.Count == 0 && never.Count == 0 ? Terminal.Success : Terminal.Failure;
    }

    private static void Show(DeviceProfile profile, TrialResult result, string where)
    {
        Console.WriteLine($"{where}: profile {profile.Id} revision {profile.Revision}, {profile.Points.Count} points, {result.Agreed} relations between values hold");
        foreach (var finding in result.Findings)
        {
            Console.WriteLine($"wrong: {string.Join(", ", finding.Points)}: {finding.What}");
            if (finding.Cure is { } cure)
            {
                Console.WriteLine($"  likely: {cure}");
            }

            foreach (var other in finding.Others.Take(ShownOthers))
            {
                Console.WriteLine($"  or:     {other}");
            }
        }

        foreach (var open in result.NotJudged)
        {
            Console.WriteLine($"open:  {open}");
        }

        Console.WriteLine(result.Findings.Count > 0
            ? "Not every cause is the profile: an exchanged current transformer or phase shows the same. Compare with the display of the device."
            : result.Agreed == 0
                ? "Nothing contradicts itself, but nothing could be compared either: compare each value with the display of the device."
                : "Nothing contradicts itself. Compare one value with the display of the device all the same.");
    }

    private static (IProbe? Probe, byte Unit, string Where) Open(Request request)
    {
        if (new[] { request.Device, request.Tcp, request.Port }.Count(t => t is not null) != 1)
        {
            Console.Error.WriteLine("Name one device to test on: --device ID of gateway.yaml, --tcp HOST, or --port PATH.");
            return (null, 0, "");
        }

        if (request.Tcp is not null)
        {
            var (host, port) = ScanTargets.Hosts(request.Tcp)[0];
            var bus = new ModbusTcpBus { Id = "test", Host = host, Port = port, Timeout = TimeSpan.FromSeconds(1) };
            return (new ClientProbe(BusKinds.CreateClient(bus, TimeProvider.System)), (byte)request.Unit, $"{host}:{port.ToString(CultureInfo.InvariantCulture)} unit {request.Unit}");
        }

        if (request.Port is not null)
        {
            var line = ScanTargets.Lines(request.Baud, request.Parity)[0];
            var bus = new ModbusRtuBus
            {
                Id = "test",
                Port = request.Port,
                Baud = line.Baud,
                Parity = line.Parity switch { Protocols.Serial.SerialParity.Even => SerialParity.Even, Protocols.Serial.SerialParity.Odd => SerialParity.Odd, _ => SerialParity.None },
                StopBits = line.StopBits,
                Timeout = TimeSpan.FromSeconds(1),
            };
            return (new ClientProbe(BusKinds.CreateClient(bus, TimeProvider.System)), (byte)request.Unit, $"{request.Port} unit {request.Unit}");
        }

        var site = CommonOptions.Load(request.Configuration, request.Profiles)?.Model;
        var device = site?.Devices.FirstOrDefault(d => d.Id == request.Device);
        if (site is null || device is null)
        {
            if (site is not null)
            {
                Console.Error.WriteLine($"There is no device '{request.Device}'. Devices: {string.Join(", ", site.Devices.Select(d => d.Id))}.");
            }

            return (null, 0, "");
        }

        var model = site.Buses.First(b => b.Id == device.BusId);
        if (model is IMeterBus or ILoggerBus)
        {
            Console.Error.WriteLine(model is ILoggerBus ? BusKinds.NoAsking(model) : BusKinds.NoModbus(model));
            return (null, 0, "");
        }

        if (model is LocalBus local)
        {
            Console.Error.WriteLine(BusKinds.NoWire(local));
            return (null, 0, "");
        }

        var client = ControlClient.TryConnect(site.Storage.Directory);
        IProbe probe = client is not null ? new GatewayProbe(client, model.Id) : new ClientProbe(BusKinds.CreateClient(model, TimeProvider.System));
        return (probe, device.Unit, $"{device.Id} on {BusKinds.Describe(model)} unit {device.Unit}");
    }

    private sealed record Request(
        string Profile, string? Device, string? Tcp, string? Port, string Baud, string Parity, int Unit, string Span, string Timeout, string Configuration, string? Profiles);
}
