using System.Globalization;
using EdgeGateway.Control;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Simulator;

namespace EdgeGateway.Bench.Modbus;

/// <summary>
/// (f) Five dead devices among fifty, each polled once a second by the whole gateway: behind one TCP endpoint, and on a line made of two
/// pseudo-terminals. The devices answer after 5 ms; the dead ones never did.
/// </summary>
internal static class DeadDevicesBench
{
    private const int Devices = 50;
    private const int Registers = 20;
    private const double LeastRate = 0.999;
    private const int Baud = 115_200;

    // All devices are known, and the dead ones are down.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(5);
    private static readonly int[] Dead = [3, 13, 23, 33, 43];

    /// <summary>Measures and prints; returns how many targets were missed.</summary>
    public static async Task<int> RunAsync(ModbusBenchSettings settings, CancellationToken cancel)
    {
        var program = new GatewayProgram(settings.Gateway);
        var missed = 0;
        foreach (var onLine in (bool[])[false, true])
        {
            var without = await MeasureAsync(program, onLine, isWithDead: false, settings, cancel).ConfigureAwait(false);
            var with = await MeasureAsync(program, onLine, isWithDead: true, settings, cancel).ConfigureAwait(false);
            var report = new Report($"modbus f: {Devices} devices once a second {(onLine ? $"on a line of {Baud} baud (pseudo-terminals)" : "behind one TCP endpoint")}, {Dead.Length} of them dead");
            Add(report, "all alive", without);
            Add(report, $"{Dead.Length} dead", with);
            report.Print(settings.Json);
            missed += with.Rate < LeastRate || with.Missed > 0 ? 1 : 0;
        }

        return missed;
    }

    private static void Add(Report report, string name, Figures figures)
    {
        report.Add($"{name}: rate of the living", figures.Rate, $"of one answer a second each; the least of them {figures.LeastRate.ToString("F3", CultureInfo.InvariantCulture)}, {figures.Missed} periods missed");
        report.Add("  half of the answers within", figures.P50, "ms");
        report.Add("  99 of 100 within", figures.P99, "ms, the slowest device");
        report.Add("  bus busy", figures.Utilisation * 100, $"% of the last minute, {figures.Depth} at once");
        report.Add("  requests to the dead", figures.Probes, "a second");
    }

    private static async Task<Figures> MeasureAsync(GatewayProgram program, bool onLine, bool isWithDead, ModbusBenchSettings settings, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("edgegateway-dead-").FullName;
        var unit = new RampServer();
        var cable = onLine ? await CableAsync(folder, settings.Others, cancel).ConfigureAwait(false) : null;
        var server = Serve(onLine, folder, id => id is >= 1 and <= Devices && !(isWithDead && Dead.Contains(id)) ? unit : null, out var port);
        try
        {
            var profiles = Directory.CreateDirectory(Path.Combine(folder, "device-profiles", "energy-meter"));
            await File.WriteAllTextAsync(
                Path.Combine(profiles.FullName, $"{LoadDevice.ProfileId(Registers)}.yaml"), LoadDevice.Profile(Registers, TimeSpan.FromSeconds(1)).Text, cancel).ConfigureAwait(false);
            var store = Path.Combine(folder, "data");
            var text = LoadDevice.Gateway(Devices, Registers, devicesPerBus: Devices, firstPort: port, storageDirectory: store).Text;
            if (onLine)
            {
                text = text.Replace($"type: modbus-tcp, host: 127.0.0.1, port: {port}", $"type: modbus-rtu, port: {folder}/gateway, baud: {Baud}, parity: none", StringComparison.Ordinal);
            }

            var configuration = Path.Combine(folder, "gateway.yaml");
            await File.WriteAllTextAsync(configuration, text, cancel).ConfigureAwait(false);
            var gateway = program.Start(settings.Cpu, "run", "--config", configuration);
            await using (gateway.ConfigureAwait(false))
            {
                while (await GatewayProgram.StatusAsync(store).ConfigureAwait(false) is null)
                {
                    gateway.ThrowIfExited();
                    await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancel).ConfigureAwait(false);
                }

                await Task.Delay(Settling, TimeProvider.System, cancel).ConfigureAwait(false);
                var before = (await GatewayProgram.StatusAsync(store).ConfigureAwait(false))!;
                await Task.Delay(settings.Length ?? TimeSpan.FromSeconds(60), TimeProvider.System, cancel).ConfigureAwait(false);
                return Figures.Of(before, (await GatewayProgram.StatusAsync(store).ConfigureAwait(false))!, isWithDead);
            }
        }
        finally
        {
            await server.DisposeAsync().ConfigureAwait(false);
            if (cable is not null)
            {
                await cable.DisposeAsync().ConfigureAwait(false);
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    private static IAsyncDisposable Serve(bool onLine, string folder, Func<byte, IModbusUnit?> units, out int port)
    {
        var options = new ModbusServerOptions { Latency = Latency, IgnoreUnknownUnits = true };
        if (onLine)
        {
            port = 1;
            return ModbusRtuServer.Start(Path.Combine(folder, "devices"), new SerialSettings { Baud = Baud }, units, options);
        }

        var server = ModbusTcpServer.Start(units, options: options);
        port = server.EndPoint.Port;
        return server;
    }

    private static async Task<ChildProcess> CableAsync(string folder, string cpu, CancellationToken cancel)
    {
        string[] ends = [Path.Combine(folder, "gateway"), Path.Combine(folder, "devices")];
        var cable = ChildProcess.Start(cpu, "socat", $"pty,raw,echo=0,link={ends[0]}", $"pty,raw,echo=0,link={ends[1]}");
        while (!ends.All(File.Exists))
        {
            cable.ThrowIfExited();
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancel).ConfigureAwait(false);
        }

        return cable;
    }

    /// <summary>What the gateway says of its devices.</summary>
    private sealed record Figures(double Rate, double LeastRate, long Missed, double P50, double P99, double Utilisation, int Depth, double Probes)
    {
        public static Figures Of(StatusDocument before, StatusDocument after, bool isWithDead)
        {
            var seconds = after.UptimeSeconds - before.UptimeSeconds;
            var pairs = before.Devices.Zip(after.Devices).ToArray();
            var alive = pairs.Where(p => !isWithDead || !Dead.Contains(p.First.Unit)).ToArray();

            // Whole periods: at the ends of the measurement up to one period belongs to neither side.
            var rates = alive.Select(p => Math.Min(1, ((p.Second.Requests - p.Second.Failed) - (p.First.Requests - p.First.Failed)) / Math.Floor(seconds))).ToArray();
            return new(
                rates.Average(),
                rates.Min(),
                alive.Sum(p => p.Second.MissedPeriods - p.First.MissedPeriods),
                alive.Average(p => p.Second.Latency?.P50 ?? double.NaN),
                alive.Max(p => p.Second.Latency?.P99 ?? double.NaN),
                after.Buses[0].Utilisation,
                after.Buses[0].Depth,
                pairs.Except(alive).Sum(p => p.Second.Requests - p.First.Requests) / seconds);
        }
    }
}
