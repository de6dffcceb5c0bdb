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
/// <remarks>
/// How long the living ones take is told in two ways, each for the time after the warm-up alone: what the gateway says of each device's last
/// answer, asked once a second, and how long after the whole second each request reached its device, which also shows what the dead ones
/// hold up before a request is sent. The start, during which the dead ones are found out, is reported apart.
/// </remarks>
internal static class DeadDevicesBench
{
    private const int Devices = 50;
    private const int Registers = 20;
    private const double LeastRate = 0.999;
    private const int Baud = 115_200;

    // A figure with dead devices counts as the one without them while it is at most so much larger: the noise of one run.
    private const double Tolerance = 1.25;
    private const double ToleranceMs = 10;

    // All devices are known, and the dead ones are down.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly int[] Dead = [3, 13, 23, 33, 43];

    /// <summary>Measures and prints; returns how many targets were missed.</summary>
    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var missed = 0;
        foreach (var onLine in (bool[])[false, true])
        {
            var without = await MeasureAsync(onLine, isWithDead: false, settings, cancel).ConfigureAwait(false);
            var with = await MeasureAsync(onLine, isWithDead: true, settings, cancel).ConfigureAwait(false);
            var report = new Report($"modbus f: {Devices} devices once a second {(onLine ? $"on a line of {Baud} baud (pseudo-terminals)" : "behind one TCP endpoint")}, {Dead.Length} of them dead");
            Add(report, "all alive", without);
            Add(report, $"{Dead.Length} dead", with);
            var isMet = with.Rate >= LeastRate && with.Missed == 0 && IsUnchanged(with.P50, without.P50) && IsUnchanged(with.P99, without.P99);
            report.Add("verdict: rate of the living 1.000, their latency unchanged", isMet ? 1 : 0, isMet ? "met" : "NOT met");
            report.Print(settings.Json);
            missed += isMet ? 0 : 1;
        }

        return missed;
    }

    private static bool IsUnchanged(double with, double without) => with <= Math.Max(without * Tolerance, without + ToleranceMs);

    private static void Add(Report report, string name, Figures figures)
    {
        report.Add($"{name}: rate of the living", figures.Rate, $"of one answer a second each; the least of them {figures.LeastRate.ToString("F3", CultureInfo.InvariantCulture)}, {figures.Missed} periods missed");
        report.Add("  half of their answers within", figures.P50, $"ms, of {figures.Answers} answers seen");
        report.Add("  99 of 100 within", figures.P99, $"ms; the longest {figures.Longest.ToString("F0", CultureInfo.InvariantCulture)} ms");
        report.Add("  half asked after their second by", figures.Asked.P50, "ms");
        report.Add("  99 of 100 by", figures.Asked.P99, "ms");
        report.Add("  bus busy", figures.Utilisation * 100, $"% of the last minute, {figures.Depth} at once");
        report.Add("  requests to the dead", figures.Probes, "a second");
        report.Add("  start: all living first asked within", figures.Start.FirstRound, $"ms of the first one; {figures.Start.Missed} periods missed in {Settling.TotalSeconds:F0} s");
        report.Add("  start: 99 of 100 answers within", figures.Start.P99, $"ms, the slowest device; its half {figures.Start.P50.ToString("F1", CultureInfo.InvariantCulture)} ms, the longest {figures.Start.Longest.ToString("F0", CultureInfo.InvariantCulture)} ms");
        report.Add("  start: 99 of 100 asked after their second by", figures.Start.Asked.P99, "ms");
    }

    private static async Task<Figures> MeasureAsync(bool onLine, bool isWithDead, BenchSettings settings, CancellationToken cancel)
    {
        var folder = Directory.CreateDirectory(Path.Combine(settings.Folder, Path.GetRandomFileName())).FullName;
        var units = Enumerable.Range(0, Devices + 1).Select(_ => new WatchedUnit()).ToArray();
        var cable = onLine ? await CableAsync(folder, settings.Others, cancel).ConfigureAwait(false) : null;
        var server = Serve(onLine, folder, id => id is >= 1 and <= Devices && !(isWithDead && Dead.Contains(id)) ? units[id] : null, out var port);
        try
        {
            var profiles = Directory.CreateDirectory(Path.Combine(folder, "device-profiles", "energy-meter"));
            await File.WriteAllTextAsync(
                Path.Combine(profiles.FullName, $"{LoadDevice.ProfileId(Registers)}.yaml"), LoadDevice.Profile(Registers, Period).Text, cancel).ConfigureAwait(false);
            var store = Path.Combine(folder, "data");
            var text = LoadDevice.Gateway(Devices, Registers, devicesPerBus: Devices, firstPort: port, storageDirectory: store).Text;
            if (onLine)
            {
                text = text.Replace($"type: modbus-tcp, host: 127.0.0.1, port: {port}", $"type: modbus-rtu, port: {folder}/gateway, baud: {Baud}, parity: none", StringComparison.Ordinal);
            }

            var configuration = Path.Combine(folder, "gateway.yaml");
            await File.WriteAllTextAsync(configuration, text, cancel).ConfigureAwait(false);
            var gateway = settings.Gateway.Start(settings.Cpu, "run", "--config", configuration);
            await using (gateway.ConfigureAwait(false))
            {
                while (await GatewayProgram.StatusAsync(store).ConfigureAwait(false) is null)
                {
                    gateway.ThrowIfExited();
                    await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancel).ConfigureAwait(false);
                }

                await Task.Delay(Settling, TimeProvider.System, cancel).ConfigureAwait(false);
                var before = (await GatewayProgram.StatusAsync(store).ConfigureAwait(false))!;
                var alive = units.Where(u => u.First is not null).ToArray();
                var start = Start(Living(before, isWithDead), alive);
                Array.ForEach(alive, u => u.Forget());
                List<double> took = [];
                var after = before;
                for (var left = (settings.Length ?? TimeSpan.FromSeconds(60)).TotalSeconds; left > 0; left -= Period.TotalSeconds)
                {
                    await Task.Delay(Period, TimeProvider.System, cancel).ConfigureAwait(false);
                    after = (await GatewayProgram.StatusAsync(store).ConfigureAwait(false))!;
                    took.AddRange(Living(after, isWithDead).Select(d => (double)d.LatencyMilliseconds));
                }

                return Figures.Of(before, after, isWithDead, took, Lateness.Of(alive), start);
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

    private static DeviceDocument[] Living(StatusDocument status, bool isWithDead) => [.. status.Devices.Where(d => !isWithDead || !Dead.Contains(d.Unit))];

    private static StartFigures Start(DeviceDocument[] living, WatchedUnit[] units)
    {
        var slowest = living.MaxBy(d => d.Latency?.P99 ?? double.PositiveInfinity)!.Latency;
        return new(
            units.Max(u => u.First!.Value.TotalMilliseconds) - units.Min(u => u.First!.Value.TotalMilliseconds),
            living.Sum(d => d.MissedPeriods),
            slowest?.P50 ?? double.NaN,
            slowest?.P99 ?? double.NaN,
            living.Max(d => d.Latency?.Max ?? double.NaN),
            Lateness.Of(units));
    }

    private static double Quantile(List<double> values, double share)
    {
        values.Sort();
        return values.Count == 0 ? double.NaN : values[Math.Min((int)(share * values.Count), values.Count - 1)];
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

    /// <summary>A device that notes when it is asked.</summary>
    private sealed class WatchedUnit : IModbusUnit
    {
        private readonly RampServer _ramp = new();
        private readonly Lock _gate = new();
        private readonly List<double> _late = [];

        /// <summary>When it was asked first, as time of the day.</summary>
        public TimeSpan? First { get; private set; }

        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            var now = TimeProvider.System.GetUtcNow();
            lock (_gate)
            {
                First ??= now.TimeOfDay;
                _late.Add(now.TimeOfDay.TotalMilliseconds % Period.TotalMilliseconds);
            }

            return _ramp.Read(table, address, destination);
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;

        public double[] Late()
        {
            lock (_gate)
            {
                return [.. _late];
            }
        }

        public void Forget()
        {
            lock (_gate)
            {
                _late.Clear();
            }
        }
    }

    /// <summary>How long after the whole second the living devices were asked, in milliseconds.</summary>
    private sealed record Lateness(double P50, double P99)
    {
        public static Lateness Of(WatchedUnit[] units)
        {
            var late = units.SelectMany(u => u.Late()).ToList();
            return new(Quantile(late, 0.5), Quantile(late, 0.99));
        }
    }

    /// <summary>What was seen until all devices were known.</summary>
    private sealed record StartFigures(double FirstRound, long Missed, double P50, double P99, double Longest, Lateness Asked);

    /// <summary>What was seen after that.</summary>
    private sealed record Figures(
        double Rate, double LeastRate, long Missed, int Answers, double P50, double P99, double Longest, Lateness Asked, double Utilisation, int Depth, double Probes, StartFigures Start)
    {
        public static Figures Of(StatusDocument before, StatusDocument after, bool isWithDead, List<double> took, Lateness asked, StartFigures start)
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
                took.Count,
                Quantile(took, 0.5),
                Quantile(took, 0.99),
                took.Max(),
                asked,
                after.Buses[0].Utilisation,
                after.Buses[0].Depth,
                pairs.Except(alive).Sum(p => p.Second.Requests - p.First.Requests) / seconds,
                start);
        }
    }
}
