using EdgeGateway.Control;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Simulator;

namespace EdgeGateway.SerialTrial;

/// <summary>The gateway itself on a switched RS-485 line and on a USB adapter: the line gets noisy, the adapter is pulled, and each leaves the other alone.</summary>
internal static class Gateways
{
    private const string Folder = "/tmp/gateway";
    private const string Adapter = "/tmp/by-id/usb-meter";
    private const string AdapterMaker = "0403";
    private const string FarEnd = "/dev/ttyS3";
    private const int Noise = 61;

    public static async Task<string> RunAsync()
    {
        foreach (var module in (string[])["xhci_pci", "ftdi_sio"])
        {
            await Programs.RunAsync("modprobe", module);
        }

        await Programs.UntilAsync(() => Port() is not null);
        var before = Plug();
        var usb = Directory.EnumerateDirectories("/sys/bus/usb/devices").First(d => File.Exists($"{d}/idVendor") && File.ReadAllText($"{d}/idVendor").Trim() == AdapterMaker);
        CountingUnit[] units = [new(0), new(Trials.SecondUnit), new(0)];
        await using var line = Trials.Serve(units[0], units[1]);
        await using var far = ModbusRtuServer.Start(FarEnd, new SerialSettings { Baud = 19_200, Parity = SerialParity.Even }, unit => unit == 1 ? units[2] : null);
        WriteSite();
        using var process = Programs.StartGateway("run", "--config", $"{Folder}/gateway.yaml");
        var log = process.StandardOutput.ReadToEndAsync();
        try
        {
            StatusDocument? status = null;
            var isOnline = await Programs.UntilAsync(async () => process.HasExited || ((status = await AskAsync()) is not null && status.Devices.All(d => d.Online)));
            if (!isOnline || process.HasExited || status is null)
            {
                return Trial.Facts(("online", false), ("problems", string.Join(" | ", status?.Problems ?? [])), ("exited", process.HasExited));
            }

            // Noise on the line: named, and nobody else feels it.
            var quiet = status;
            Trials.Set("corrupt", Noise);
            var isNamed = await Programs.UntilAsync(async () => (status = await AskAsync()) is not null && status.LikelyCauses.Any(c => c.Bus == "line" && c.Symptom.Contains("damaged", StringComparison.Ordinal)) && Answered(status, 2) > Answered(quiet, 2));
            var noisy = status!;
            Trials.Set("corrupt", 0);
            var isClean = await Programs.UntilAsync(async () => (await AskAsync())?.Devices.All(d => d.Online) == true);

            // The adapter is pulled: said why, and the line goes on.
            await File.WriteAllTextAsync($"{usb}/authorized", "0");
            File.Delete(Adapter);
            var isGone = await Programs.UntilAsync(async () => (status = await AskAsync()) is not null && !status.Devices[2].Online && status.LikelyCauses.Any(c => c.Bus == "usb"));
            var unplugged = status!;
            var goesOn = await Programs.UntilAsync(async () => (status = await AskAsync()) is not null && Answered(status, 0) >= Answered(unplugged, 0) + 5 && Answered(status, 1) >= Answered(unplugged, 1) + 5);
            await File.WriteAllTextAsync($"{usb}/authorized", "1");
            await Programs.UntilAsync(() => Port() is not null);
            var after = Plug();
            var isBack = await Programs.UntilAsync(async () => (status = await AskAsync())?.Devices[2].Online == true);
            await Programs.RunAsync("kill", "-TERM", $"{process.Id}");
            await process.WaitForExitAsync();
            return Trial.Facts(
                ("online", isOnline),
                ("named", isNamed),
                ("noise", string.Join(" | ", noisy.LikelyCauses.Where(c => c.Bus == "line").Select(c => $"{c.Symptom}. {c.Cure}"))),
                ("damaged", noisy.Buses[0].Damaged - quiet.Buses[0].Damaged),
                ("clean", isClean),
                ("gone", isGone),
                ("said", string.Join(" | ", unplugged.LikelyCauses.Where(c => c.Bus == "usb").Select(c => $"{c.Symptom}. {c.Cure}"))),
                ("problem", unplugged.Devices[2].Problem),
                ("goes-on", goesOn),
                ("back", isBack),
                ("ports", $"{before},{after}"),
                ("connects", status!.Buses[1].Connects),
                ("box", status.Devices[3].Online),
                ("exit", process.ExitCode));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
                await process.WaitForExitAsync();
            }

            await Console.Error.WriteLineAsync(await log);
        }
    }

    private static long Answered(StatusDocument status, int device) => status.Devices[device].Requests - status.Devices[device].Failed;

    private static string? Port() => Directory.EnumerateDirectories("/sys/class/tty", "ttyUSB*").FirstOrDefault() is { } port ? $"/dev/{Path.GetFileName(port)}" : null;

    /// <summary>What udev does when an adapter is found: a link by its serial number.</summary>
    private static string Plug()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Adapter)!);
        var port = Port() ?? throw new InvalidOperationException("the adapter has no port");
        File.CreateSymbolicLink(Adapter, port);
        return port;
    }

    private static async Task<StatusDocument?> AskAsync()
    {
        using var client = ControlClient.TryConnect($"{Folder}/data");
        if (client is null)
        {
            return null;
        }

        try
        {
            return await client.GetAsync("status", ControlJson.Default.StatusDocument, CancellationToken.None);
        }
        catch (HttpRequestException)
        {
            // It listens, and does not serve yet.
            return null;
        }
    }

    private static void WriteSite()
    {
        var profile = LoadDevice.Profile(CountingUnit.Registers, TimeSpan.FromSeconds(1));
        Directory.CreateDirectory($"{Folder}/device-profiles");
        File.WriteAllText($"{Folder}/device-profiles/{Path.GetFileName(profile.FileName)}", profile.Text);
        File.WriteAllText($"{Folder}/gateway.yaml", $$"""
            schema: edgegateway/gateway/1
            site: { id: test, timezone: UTC, region: CN }
            gateway: { id: gw-1 }
            storage: { directory: data, budget: 64MiB }
            windows: [5s, 15s]
            health: off
            buses:
              - { id: line, type: modbus-rtu, port: {{Trials.Line}}, baud: 19200, parity: even, rs485: kernel, timeout: 1s }
              - { id: usb, type: modbus-rtu, port: {{Adapter}}, baud: 19200, parity: even, timeout: 1s }
              - { id: box, type: box, temperature: {{Boxes.Sensor}}, disk: {{Boxes.Disk}} }
            devices:
              - { id: load000, profile: {{LoadDevice.ProfileId(CountingUnit.Registers)}}, bus: line, unit: 1 }
              - { id: load001, profile: {{LoadDevice.ProfileId(CountingUnit.Registers)}}, bus: line, unit: 2 }
              - { id: usb000, profile: {{LoadDevice.ProfileId(CountingUnit.Registers)}}, bus: usb, unit: 1 }
              - { id: host, profile: generic-linux-computer, bus: box, unit: 1 }
            """);
    }
}
