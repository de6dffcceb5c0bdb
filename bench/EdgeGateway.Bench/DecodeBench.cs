using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Simulator;

namespace EdgeGateway.Bench;

/// <summary>One request for 100 registers and the decoding of its points, beside libmodbus doing the same against the same server.</summary>
internal static class DecodeBench
{
    private const int Registers = 100;
    private const int Rounds = 5;

    public static Command Create()
    {
        var polls = new Option<int>("--polls") { Description = "Requests in each of five rounds.", DefaultValueFactory = _ => 20_000 };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("decode", "Time and allocations of one poll of 100 registers with decoding; the peer is libmodbus in C.") { polls, json };
        command.SetAction((result, _) => RunAsync(result.GetValue(polls), result.GetValue(json)));
        return command;
    }

    private static async Task RunAsync(int polls, bool json)
    {
        var itself = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known.");
        string[] again = Path.GetFileNameWithoutExtension(itself) == "dotnet" ? [Path.Combine(AppContext.BaseDirectory, "bench.dll")] : [];
        var peer = await PeerProgram.CompileAsync("modbus_poll", "-lmodbus").ConfigureAwait(false);

        // The server on one processor, the clients on the other.
        await using var server = ChildProcess.Start("1", itself, [.. again, "serve"]);
        var port = int.Parse((await server.LineWithAsync("port ").ConfigureAwait(false))["port ".Length..], CultureInfo.InvariantCulture);
        await using (var pin = ChildProcess.Start(null, "taskset", "-a", "-p", "-c", "0", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)))
        {
            await pin.EndAsync().ConfigureAwait(false);
        }

        var site = LoadDevice.Site(1, Registers, TimeSpan.FromSeconds(1));
        var plan = ReadPlanner.Plan(site.Points.Select(p => (p.Index, p.Encoding)), ReadLimits.Of(site.Devices[0].Profile), ReadCost.Network(ReadCost.AssumedLatency, TimeSpan.Zero));
        await using var client = new ModbusTcpClient("127.0.0.1", port, TimeProvider.System);
        var registers = new ushort[Registers];
        await PollAsync(client, site, plan, registers, polls).ConfigureAwait(false);

        var ours = new List<Figures>();
        var theirs = new List<Figures>();
        for (var round = 0; round < Rounds; round++)
        {
            ours.Add(await PollAsync(client, site, plan, registers, polls).ConfigureAwait(false));
            theirs.Add(await PeerAsync(peer, port, polls).ConfigureAwait(false));
        }

        var decode = Decode(site, plan, registers, polls * 10);
        var (mine, other) = (Median(ours, f => f.Wall), Median(theirs, f => f.Wall));
        var (mineCpu, otherCpu) = (Median(ours, f => f.Cpu), Median(theirs, f => f.Cpu));
        var report = new Report($"decode: one request of {Registers} registers, {site.Points.Count} values decoded; median of {Rounds} rounds of {polls} polls, alternating with the peer");
        report.Add("EdgeGateway", mine / 1000, "µs a poll, loopback round trip included");
        report.Add("libmodbus in C", other / 1000, "µs a poll, same server");
        report.Add("  ratio", mine / other, "EdgeGateway / libmodbus");
        report.Add("EdgeGateway, processor", mineCpu / 1000, "µs of user and system time a poll");
        report.Add("libmodbus, processor", otherCpu / 1000, "µs of user and system time a poll");
        report.Add("  ratio", mineCpu / otherCpu, "EdgeGateway / libmodbus");
        report.Add("EdgeGateway allocates", ours.Min(f => f.Allocated), $"bytes a poll, least of {Rounds} rounds");
        report.Add("decoding alone", decode.Wall / site.Points.Count, "ns a value");
        report.Add("decoding allocates", decode.Allocated, $"bytes for {site.Points.Count} values");
        report.Print(json);
    }

    private static async Task<Figures> PollAsync(ModbusTcpClient client, SiteModel site, IReadOnlyList<PlannedRead> plan, ushort[] registers, int polls)
    {
        using var process = Process.GetCurrentProcess();
        var sum = 0.0;
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var cpu = process.TotalProcessorTime;
        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < polls; i++)
        {
            for (var r = 0; r < plan.Count; r++)
            {
                var request = plan[r].Request;
                var outcome = await client.ReadAsync(
                    1, Protocols.Modbus.RegisterTable.HoldingRegister, request.Address, request.Quantity, registers, TimeSpan.FromSeconds(5), CancellationToken.None).ConfigureAwait(false);
                if (!outcome.IsOk)
                {
                    throw new InvalidOperationException(outcome.Describe());
                }

                sum += DecodeAll(site, plan[r], registers);
            }
        }

        var wall = TimeProvider.System.GetElapsedTime(started);
        process.Refresh();
        cpu = process.TotalProcessorTime - cpu;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        GC.KeepAlive(sum);
        return new Figures(wall.TotalNanoseconds / polls, cpu.TotalNanoseconds / polls, (double)allocated / polls);
    }

    private static Figures Decode(SiteModel site, IReadOnlyList<PlannedRead> plan, ushort[] registers, int times)
    {
        var sum = DecodeAll(site, plan[0], registers);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < times; i++)
        {
            sum += DecodeAll(site, plan[0], registers);
        }

        var wall = TimeProvider.System.GetElapsedTime(started);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        GC.KeepAlive(sum);
        return new Figures(wall.TotalNanoseconds / times, 0, (double)allocated / times);
    }

    private static double DecodeAll(SiteModel site, PlannedRead read, ushort[] registers)
    {
        var sum = 0.0;
        for (var i = 0; i < read.Points.Count; i++)
        {
            var encoding = site.Points[read.Points[i]].Encoding;
            if (RegisterCodec.Decode(encoding, registers.AsSpan(encoding.Address - read.Request.Address, encoding.Length), out var value, out _) == DecodeStatus.Ok)
            {
                sum += value;
            }
        }

        return sum;
    }

    private static async Task<Figures> PeerAsync(string program, int port, int polls)
    {
        await using var peer = ChildProcess.Start("0", program, port.ToString(CultureInfo.InvariantCulture), polls.ToString(CultureInfo.InvariantCulture));
        var words = (await peer.EndAsync().ConfigureAwait(false)).Split(' ');
        return new Figures(double.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture), 0);
    }

    private static double Median(List<Figures> rounds, Func<Figures, double> of) => rounds.Select(of).Order().ElementAt(rounds.Count / 2);

    /// <summary>Nanoseconds and bytes for one poll.</summary>
    private readonly record struct Figures(double Wall, double Cpu, double Allocated);
}
