using System.Diagnostics;
using System.Globalization;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Bench.Modbus;

/// <summary>(a) Reads of 100 registers a second from one server, at 0 and 5 ms latency, beside libmodbus and pymodbus; and a server that objects to several at once.</summary>
internal static class PipeliningPart
{
    private const int Registers = 100;
    private const int Address = 7;
    private const int Rounds = 5;
    private const double LeastRatio = 0.8;
    private const double LeastRate = 750;
    private const double GoalRate = 3000;
    private const string Python = "/usr/bin/python3";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var length = settings.Length ?? TimeSpan.FromSeconds(3);
        var server = await PeerProgram.CompileAsync("modbus_server").ConfigureAwait(false);
        var peer = await PeerProgram.CompileAsync("modbus_read", "-lmodbus").ConfigureAwait(false);
        await using (var pin = ChildProcess.Start(null, "taskset", "-a", "-p", "-c", settings.Cpu, Environment.ProcessId.ToString(CultureInfo.InvariantCulture)))
        {
            await pin.EndAsync().ConfigureAwait(false);
        }

        var missed = 0;
        int[] latencies = [0, 5000];
        foreach (var latency in latencies)
        {
            missed += await SideBySideAsync(settings, server, peer, latency, length, cancel).ConfigureAwait(false);
        }

        return missed + await ObjectingAsync(settings, server, length, cancel).ConfigureAwait(false);
    }

    private static async Task<int> SideBySideAsync(
        BenchSettings settings, string server, string peer, int latency, TimeSpan length, CancellationToken cancel)
    {
        var micros = latency.ToString(CultureInfo.InvariantCulture);
        await using var process = ChildProcess.Start(settings.Others, server, micros);
        var port = await PortOfAsync(process).ConfigureAwait(false);
        await using var single = new ModbusTcpClient("127.0.0.1", port, TimeProvider.System, capacity: 1);
        await using var several = new ModbusTcpClient("127.0.0.1", port, TimeProvider.System);

        // The first seconds are the compiler's.
        await ReadAsync(single, length, cancel).ConfigureAwait(false);
        await ReadAsync(several, length, cancel).ConfigureAwait(false);
        List<Figures> ones = [], many = [], libmodbus = [], pymodbus = [];
        for (var round = 0; round < Rounds; round++)
        {
            libmodbus.Add(await PeerAsync(settings.Cpu, peer, [], port, length).ConfigureAwait(false));
            ones.Add(await ReadAsync(single, length, cancel).ConfigureAwait(false));
            many.Add(await ReadAsync(several, length, cancel).ConfigureAwait(false));
            pymodbus.Add(await PeerAsync(settings.Cpu, Python, [PeerProgram.PathOf("modbus_read.py")], port, length).ConfigureAwait(false));
        }

        var report = new Report(string.Create(
            CultureInfo.InvariantCulture,
            $"modbus a: reads of {Registers} registers at {latency / 1000.0} ms server latency; median of {Rounds} rounds of {length.TotalSeconds} s, taking turns; client on processor {settings.Cpu}, server on {settings.Others}"));
        var (one, full, c) = (Median(ones, f => f.Rate), Median(many, f => f.Rate), Median(libmodbus, f => f.Rate));
        report.Add("EdgeGateway, one at a time", one, "reads a second");
        report.Add("EdgeGateway, by itself", full, $"reads a second, depth found {several.Depth}");
        report.Add("libmodbus in C", c, "reads a second");
        report.Add("pymodbus", Median(pymodbus, f => f.Rate), "reads a second");
        report.Add("ratio, one at a time", one / c, latency == 0 ? $"EdgeGateway / libmodbus; target {LeastRatio.ToString(CultureInfo.InvariantCulture)}" : "EdgeGateway / libmodbus");
        report.Add("ratio, by itself", full / c, latency == 0 ? "EdgeGateway / libmodbus" : $"EdgeGateway / libmodbus; target {LeastRate} reads a second, goal {GoalRate}");
        report.Add("lost or wrong values", ones.Sum(f => f.Failed) + many.Sum(f => f.Failed), "reads");
        report.Add("processor, one at a time", Median(ones, f => f.Cpu) / 1000, "µs a read");
        report.Add("processor, by itself", Median(many, f => f.Cpu) / 1000, "µs a read");
        report.Add("processor, libmodbus", Median(libmodbus, f => f.Cpu) / 1000, "µs a read");
        report.Add("allocated, one at a time", ones.Min(f => f.Allocated), "bytes a read, least of all rounds");
        report.Add("allocated, by itself", many.Min(f => f.Allocated), "bytes a read, least of all rounds");
        report.Print(settings.Json);
        var isMet = latency == 0 ? one / c >= LeastRatio : full >= LeastRate && several.Depth > 1;
        return (isMet ? 0 : 1) + (ones.Sum(f => f.Failed) + many.Sum(f => f.Failed) == 0 ? 0 : 1);
    }

    private static async Task<int> ObjectingAsync(BenchSettings settings, string server, TimeSpan length, CancellationToken cancel)
    {
        await using var process = ChildProcess.Start(settings.Others, server, "5000", "object");
        await using var client = new ModbusTcpClient("127.0.0.1", await PortOfAsync(process).ConfigureAwait(false), TimeProvider.System);
        var figures = await ReadAsync(client, length, cancel).ConfigureAwait(false);
        var counters = client.Counters;
        var report = new Report($"modbus a: a server at 5 ms that closes the connection when a second request comes before the first reply; {length.TotalSeconds} s");
        report.Add("reads", counters.Requests, "");
        report.Add("reads a second", figures.Rate, "");
        report.Add("lost or wrong values", figures.Failed, "reads; target 0");
        report.Add("objections seen", counters.Objections, "");
        report.Add("most in flight", counters.MostInFlight, "");
        report.Add("connections", counters.Connects, "");
        report.Add("depth in the end", client.Depth, "target 1");
        report.Print(settings.Json);
        return (client.Depth == 1 ? 0 : 1) + (figures.Failed == 0 ? 0 : 1);
    }

    /// <summary>An owner as the gateway has it: keeps as many reads under way as the client wants.</summary>
    private static async Task<Figures> ReadAsync(ModbusTcpClient client, TimeSpan length, CancellationToken cancel)
    {
        using var process = Process.GetCurrentProcess();
        var owner = new Owner(client, length);
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var cpu = process.TotalProcessorTime;
        var started = TimeProvider.System.GetTimestamp();
        await Task.Run(() => owner.RunAsync(cancel), cancel).ConfigureAwait(false);
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        process.Refresh();
        cpu = process.TotalProcessorTime - cpu;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        return new(owner.Reads / elapsed.TotalSeconds, cpu.TotalNanoseconds / owner.Reads, (double)allocated / owner.Reads, owner.Failed);
    }

    private static async Task<Figures> PeerAsync(string cpu, string program, string[] arguments, int port, TimeSpan length)
    {
        await using var peer = ChildProcess.Start(
            cpu, program, [.. arguments, port.ToString(CultureInfo.InvariantCulture), length.TotalSeconds.ToString(CultureInfo.InvariantCulture)]);
        var words = (await peer.EndAsync().ConfigureAwait(false)).Split(' ');
        return new(double.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture), 0, 0);
    }

    private static async Task<int> PortOfAsync(ChildProcess server) =>
        int.Parse((await server.LineWithAsync("ready ").ConfigureAwait(false))["ready ".Length..], CultureInfo.InvariantCulture);

    private static double Median(List<Figures> rounds, Func<Figures, double> of) => rounds.Select(of).Order().ElementAt(rounds.Count / 2);

    /// <summary>What one round showed: reads a second; nanoseconds of processor time and bytes for a read; reads without their value.</summary>
    private readonly record struct Figures(double Rate, double Cpu, double Allocated, long Failed);

    private sealed class Owner(ModbusTcpClient client, TimeSpan length)
    {
        private readonly Lock _gate = new();
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly long _started = TimeProvider.System.GetTimestamp();
        private readonly Stack<ushort[]> _buffers = new(Enumerable.Range(0, client.Capacity).Select(_ => new ushort[Registers]));
        private int _underWay;

        public long Reads { get; private set; }

        public long Failed { get; private set; }

        private bool IsOver => TimeProvider.System.GetElapsedTime(_started) >= length;

        public async Task RunAsync(CancellationToken cancel)
        {
            Grow(cancel);
            await _done.Task.ConfigureAwait(false);
        }

        private void Grow(CancellationToken cancel)
        {
            var wanted = client.Wanted;
            while (true)
            {
                ushort[] buffer;
                lock (_gate)
                {
                    if (_underWay >= wanted || IsOver || !_buffers.TryPop(out buffer!))
                    {
                        return;
                    }

                    _underWay++;
                }

                _ = SlotAsync(buffer, cancel);
            }
        }

        private async Task SlotAsync(ushort[] buffer, CancellationToken cancel)
        {
            try
            {
                while (!IsOver)
                {
                    buffer[Registers - 1] = 0;
                    var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, Address, Registers, buffer, Timeout, cancel).ConfigureAwait(false);
                    int wanted;
                    lock (_gate)
                    {
                        Reads++;
                        Failed += outcome.IsOk && buffer[Registers - 1] == Address + Registers - 1 ? 0 : 1;
                        wanted = client.Wanted;
                        if (_underWay > wanted)
                        {
                            break;
                        }
                    }

                    if (_underWay < wanted)
                    {
                        Grow(cancel);
                    }
                }
            }
            catch (Exception fault)
            {
                _done.TrySetException(fault);
            }

            lock (_gate)
            {
                _buffers.Push(buffer);
                if (--_underWay == 0)
                {
                    _done.TrySetResult();
                }
            }
        }
    }
}
