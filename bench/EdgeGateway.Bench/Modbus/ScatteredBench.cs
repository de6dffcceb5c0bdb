using System.Globalization;
using EdgeGateway.Buses;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Protocols.Modbus;
using RegisterTable = EdgeGateway.Core.Profiles.RegisterTable;

namespace EdgeGateway.Bench.Modbus;

/// <summary>
/// (c) 50 devices with 40 registers scattered in 300: how many requests a scan takes, counted at the server, and whether every value is right; with
/// devices that answer everything, that refuse some addresses, and that refuse all that is not theirs. Beside it one request for each contiguous block.
/// </summary>
internal static class ScatteredBench
{
    private const int Devices = 50;
    private const int Registers = 40;
    private const int Range = 300;
    private const int Scans = 20;
    private const int Target = 3;

    /// <summary>Measures, prints, and returns how many targets were missed.</summary>
    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        // The same registers on every run, few of them neighbours.
        var random = new Random(40_300);
        var addresses = Enumerable.Range(0, Registers).Select(i => (i * Range / Registers) + random.Next(7)).ToArray();
        var blocks = Blocks(addresses);
        var report = new Report($"modbus c: {Devices} devices x {Registers} registers scattered in {Range} ({blocks.Count} contiguous blocks); requests a device and scan, counted at the server");

        var open = await OursAsync(addresses, _ => false, cancel).ConfigureAwait(false);
        report.Add("EdgeGateway", open.Steady, $"requests, target {Target}; {open.Wrong} wrong or missing values in {Scans + 1} scans");
        report.Add("  time", open.Nanoseconds / 1e6, "ms a scan of all devices over loopback");
        report.Add("  on a line", LineTime(open.Plan), "ms a device at 9600 baud and 20 ms turnaround, predicted");
        var libmodbus = await PeerAsync("libmodbus in C", addresses, blocks, report, cancel).ConfigureAwait(false);
        var pymodbus = await PeerAsync("pymodbus", addresses, blocks, report, cancel).ConfigureAwait(false);
        report.Add("  on a line", LineTime(blocks.Select(b => new ReadRequest(RegisterTable.HoldingRegister, (ushort)b.First, (ushort)b.Count))), "ms a device at 9600 baud and 20 ms turnaround, predicted");

        var part = await OursAsync(addresses, a => a is >= 100 and < 120 && !addresses.Contains(a), cancel).ConfigureAwait(false);
        report.Add("EdgeGateway, holes in 100 to 119 refused: first scan", part.First, "requests");
        report.Add("  then", part.Steady, $"requests; {part.Wrong} wrong or missing values in {Scans + 1} scans");
        var strict = await OursAsync(addresses, a => !addresses.Contains(a), cancel).ConfigureAwait(false);
        report.Add("EdgeGateway, all holes refused: first scan", strict.First, "requests");
        report.Add("  then", strict.Steady, $"requests, {blocks.Count} are possible; {strict.Wrong} wrong or missing values in {Scans + 1} scans");
        report.Print(settings.Json);
        return (open.Steady <= Target ? 0 : 1) + (open.Wrong + part.Wrong + strict.Wrong == 0 ? 0 : 1) + (libmodbus && pymodbus ? 0 : 1);
    }

    private static async Task<Figures> OursAsync(int[] addresses, Func<int, bool> refused, CancellationToken cancel)
    {
        await using var server = Serve(refused);
        await using var bus = new ModbusBus(new ModbusTcpClient("127.0.0.1", server.EndPoint.Port, TimeProvider.System), TimeProvider.System);
        var points = addresses.Select((a, i) => (i, new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = (ushort)a, Type = RegisterType.UInt16 }, TimeSpan.FromSeconds(1))).ToArray();
        var planners = Enumerable.Range(0, Devices).Select(_ => new DevicePlanner(points, new(125, MayReadGaps: true), ReadCost.Network(ReadCost.AssumedLatency, TimeSpan.Zero))).ToArray();
        var registers = new ushort[125];
        var (wrong, first, before) = (0L, 0L, 0L);
        var started = 0L;
        for (var scan = 0; scan <= Scans; scan++)
        {
            if (scan == Scans / 2)
            {
                before = server.Requests;
                started = TimeProvider.System.GetTimestamp();
            }

            for (var unit = 1; unit <= Devices; unit++)
            {
                wrong += Registers - await ScanAsync(planners[unit - 1], bus, (byte)unit, addresses, registers, scan * 1000L, cancel).ConfigureAwait(false);
            }

            first = scan == 0 ? server.Requests : first;
        }

        var measured = Scans - (Scans / 2) + 1;
        return new(
            (double)first / Devices,
            (double)(server.Requests - before) / measured / Devices,
            wrong,
            TimeProvider.System.GetElapsedTime(started).TotalNanoseconds / measured,
            [.. planners[0].PlanFor(1, Scans * 1000L).Reads.Select(r => r.Request)]);
    }

    /// <summary>One scan of one device, refused requests in parts.</summary>
    /// <returns>Right values.</returns>
    private static async Task<int> ScanAsync(DevicePlanner planner, ModbusBus bus, byte unit, int[] addresses, ushort[] registers, long now, CancellationToken cancel)
    {
        var right = 0;
        var open = new Stack<PlannedRead>(planner.PlanFor(planner.All, now).Reads.Reverse());
        while (open.TryPop(out var read))
        {
            var reply = await bus.ReadAsync(unit, read.Request, registers, TimeSpan.FromSeconds(5), cancel).ConfigureAwait(false);
            if (reply.IsGood)
            {
                foreach (var point in read.Points)
                {
                    right += registers[addresses[point] - read.Request.Address] == Value(unit, addresses[point]) ? 1 : 0;
                }
            }

            foreach (var instead in planner.Report(read, ReadOutcomes.Of(reply.Reason, reply.Detail), now).Reverse())
            {
                open.Push(instead);
            }
        }

        return right;
    }

    private static async Task<bool> PeerAsync(string name, int[] addresses, List<(int First, int Count)> blocks, Report report, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        await using var server = Serve(a => !addresses.Contains(a));
        string[] start = name == "pymodbus"
            ? ["/usr/bin/python3", PeerProgram.PathOf("modbus_blocks.py")]
            : [await PeerProgram.CompileAsync("modbus_blocks", "-lmodbus").ConfigureAwait(false)];

        await using var peer = ChildProcess.Start(null, start[0], [.. start[1..], $"{server.EndPoint.Port}", $"{Devices}", "3", .. blocks.Select(b => $"{b.First}:{b.Count}")]);
        var nanoseconds = double.Parse(await peer.EndAsync().ConfigureAwait(false), CultureInfo.InvariantCulture);
        report.Add(name, server.Requests / 3.0 / Devices, "requests, one for each contiguous block");
        report.Add("  time", nanoseconds / 1e6, "ms a scan of all devices over loopback");
        return server.Requests == 3L * Devices * blocks.Count;
    }

    private static double LineTime(IEnumerable<ReadRequest> requests)
    {
        var cost = ReadCost.Rtu(9600, 11, ReadCost.AssumedTurnaround, TimeSpan.Zero);
        return requests.Sum(r => cost.Of(r).TotalMilliseconds);
    }

    private static List<(int First, int Count)> Blocks(int[] addresses)
    {
        var blocks = new List<(int First, int Count)>();
        foreach (var address in addresses)
        {
            if (blocks.Count > 0 && blocks[^1].First + blocks[^1].Count == address)
            {
                blocks[^1] = (blocks[^1].First, blocks[^1].Count + 1);
            }
            else
            {
                blocks.Add((address, 1));
            }
        }

        return blocks;
    }

    private static ushort Value(byte unit, int address) => unchecked((ushort)((address * 31) + unit));

    private static ModbusTcpServer Serve(Func<int, bool> refused)
    {
        var units = Enumerable.Range(1, Devices).ToDictionary(u => (byte)u, u => new ScatteredUnit((byte)u, refused));
        return ModbusTcpServer.Start(u => units.GetValueOrDefault(u));
    }

    /// <summary>A device whose registers hold a number made of their address and its unit id, and that refuses some addresses.</summary>
    private sealed class ScatteredUnit(byte unit, Func<int, bool> refused) : IModbusUnit
    {
        public ModbusExceptionCode Read(Protocols.Modbus.RegisterTable table, ushort address, Span<ushort> destination)
        {
            for (var i = 0; i < destination.Length; i++)
            {
                if (address + i >= Range || refused(address + i))
                {
                    return ModbusExceptionCode.IllegalDataAddress;
                }

                destination[i] = Value(unit, address + i);
            }

            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(Protocols.Modbus.RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;
    }

    /// <summary>Requests a device of the first scan and of later ones, wrong or missing values, time of a scan, and the plan in the end.</summary>
    private sealed record Figures(double First, double Steady, long Wrong, double Nanoseconds, IReadOnlyList<ReadRequest> Plan);
}
