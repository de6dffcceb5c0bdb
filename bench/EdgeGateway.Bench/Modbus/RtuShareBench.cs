using System.Diagnostics;
using System.Globalization;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Bench.Modbus;

/// <summary>
/// (b) Share of the theoretical limit on a serial line whose unit drops requests that break the silence, beside libmodbus in C and pymodbus on
/// the same line. Nobody is given a setting; libmodbus once more with the pause that a user would set by hand.
/// </summary>
internal static class RtuShareBench
{
    private const double Target = 0.97;
    private static readonly int[] Bauds = [9_600, 115_200];
    private static readonly int[] Quantities = [10, 100];

    /// <summary>Measures and prints; returns how many targets were missed.</summary>
    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var (length, cpu, others) = (settings.Length ?? TimeSpan.FromSeconds(10), settings.Cpu, settings.Others);
        var line = await PeerProgram.CompileAsync("paced_line").ConfigureAwait(false);
        var libmodbus = await PeerProgram.CompileAsync("rtu_poll", "-lmodbus").ConfigureAwait(false);
        var seconds = length.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        var missed = 0;
        foreach (var baud in Bauds)
        {
            foreach (var quantity in Quantities)
            {
                var report = new Report($"RTU at {baud} baud, {quantity} registers a request, no device turnaround");
                var ours = await OnLineAsync(line, others, baud, path => PollAsync(path, baud, quantity, length, cancel), cancel).ConfigureAwait(false);
                Add(report, "EdgeGateway", ours);
                report.Add("  processor", ours.Processor / ours.Seconds * 100, "% of one");
                report.Add("  shortest silence", ours.LeastSilence / 1000, $"ms (asked: {Silence(baud).TotalMilliseconds:0.###} ms)");
                report.Add("  line late", ours.Late / ours.Seconds * 100, "% of the time: the line itself was held up by the machine");
                report.Add("  allocated", ours.Allocated, "bytes a request");
                missed += ours.Share < Target || ours.Dropped > 0 ? 1 : 0;
                string[] arguments = [baud.ToString(CultureInfo.InvariantCulture), quantity.ToString(CultureInfo.InvariantCulture), seconds];
                var byHand = ((long)(Silence(baud).TotalMicroseconds + 100)).ToString(CultureInfo.InvariantCulture);
                Add(report, "libmodbus in C, unset", await PeerAsync(line, others, baud, cpu, [libmodbus], arguments, cancel).ConfigureAwait(false));
                Add(report, "libmodbus in C, pause set by hand", await PeerAsync(line, others, baud, cpu, [libmodbus], [.. arguments, byHand], cancel).ConfigureAwait(false));
                Add(report, "pymodbus, unset", await PeerAsync(line, others, baud, cpu, ["/usr/bin/python3", PeerProgram.PathOf("rtu_poll.py")], arguments, cancel).ConfigureAwait(false));

                report.Print(settings.Json);
            }
        }

        return missed;
    }

    private static TimeSpan Silence(int baud) => new RtuTiming(new SerialSettings { Baud = baud }).Silence;

    private static void Add(Report report, string name, Reading reading)
    {
        report.Add(name, reading.Share * 100, "% of the theoretical limit");
        report.Add("  requests", reading.Requests, $"of which {reading.Dropped} dropped because they broke the silence");
    }

    private static async Task<Reading> PollAsync(string path, int baud, int quantity, TimeSpan length, CancellationToken cancel)
    {
        var client = new ModbusRtuClient(path, new SerialSettings { Baud = baud }, TimeProvider.System);
        await using (client.ConfigureAwait(false))
        {
            var registers = new ushort[quantity];
            using var process = Process.GetCurrentProcess();
            var (started, requests) = (0L, 0L);
            var (cpu, allocated) = (TimeSpan.Zero, 0L);

            // The first requests make the code warm and do not count for processor and memory; they do for the share.
            const int Warm = 20;
            while (started == 0 || TimeProvider.System.GetElapsedTime(started) < length)
            {
                if (requests++ == Warm)
                {
                    started = TimeProvider.System.GetTimestamp();
                    process.Refresh();
                    cpu = process.TotalProcessorTime;
                    allocated = GC.GetTotalAllocatedBytes(precise: true);
                }

                var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, quantity, registers, TimeSpan.FromMilliseconds(500), cancel).ConfigureAwait(false);
                if (outcome.IsOk && registers[^1] != quantity)
                {
                    throw new InvalidOperationException($"read {registers[^1]} instead of {quantity}");
                }
            }

            process.Refresh();
            return new()
            {
                Processor = (process.TotalProcessorTime - cpu).TotalSeconds,
                Allocated = (double)(GC.GetTotalAllocatedBytes(precise: true) - allocated) / (requests - Warm),
            };
        }
    }

    private static Task<Reading> PeerAsync(string line, string others, int baud, string cpu, string[] program, string[] arguments, CancellationToken cancel) =>
        OnLineAsync(
            line,
            others,
            baud,
            async path =>
            {
                var peer = ChildProcess.Start(cpu, program[0], [.. program[1..], path, .. arguments]);
                await using (peer.ConfigureAwait(false))
                {
                    await peer.EndAsync().ConfigureAwait(false);
                }

                return default;
            },
            cancel);

    /// <summary>Makes a line, lets somebody poll on it, and reads what the line counted.</summary>
    private static async Task<Reading> OnLineAsync(string line, string cpu, int baud, Func<string, Task<Reading>> poll, CancellationToken cancel)
    {
        const int BitsPerCharacter = 10;
        const int Lump = 1;
        var folder = Directory.CreateTempSubdirectory("edgegateway-line-").FullName;
        var path = Path.Combine(folder, "port");
        var start = new ProcessStartInfo(
            "taskset", ["-c", cpu, line, path, baud.ToString(CultureInfo.InvariantCulture), $"{BitsPerCharacter}", $"{Lump}", "rt"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            await process.StandardOutput.ReadLineAsync(cancel).ConfigureAwait(false);
            var reading = await poll(path).ConfigureAwait(false);
            process.StandardInput.Close();
            var counts = (await process.StandardOutput.ReadToEndAsync(cancel).ConfigureAwait(false)).Split(' ').Select(w => double.Parse(w, CultureInfo.InvariantCulture)).ToArray();
            return reading with
            {
                Requests = (long)counts[0],
                Dropped = (long)counts[2],
                Share = counts[3] / counts[4],
                Seconds = counts[4] / 1e6,
                Late = counts[5] / 1e6,
                LeastSilence = counts[6],
            };
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What the line counted, and what polling cost.</summary>
    private readonly record struct Reading
    {
        public long Requests { get; init; }

        public long Dropped { get; init; }

        public double Share { get; init; }

        public double Seconds { get; init; }

        public double Late { get; init; }

        public double LeastSilence { get; init; }

        public double Processor { get; init; }

        public double Allocated { get; init; }
    }
}
