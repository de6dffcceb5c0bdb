using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Simulator;
using EdgeGateway.Soaking;

namespace EdgeGateway.Bench.Modbus;

/// <summary>
/// The peers of (d), under the load of the gateway and in the same run: Node-RED with node-red-contrib-modbus, and a C program with libmodbus and libmosquitto. Each reads
/// all devices every second and publishes each read as one JSON message with QoS 1. Neither keeps anything on disk.
/// </summary>
internal static class ForwardingPeers
{
    private const int Registers = 100;
    private const int FirstWave = 6;
    private const int ValuesInRead = Registers - FirstWave + 2;
    private const string ModbusNodes = "node-red-contrib-modbus";

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    // From its start until each device was read once.
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    /// <summary>Measures those that are installed, one after the other; says why one is left out.</summary>
    public static async Task<IReadOnlyList<Figures>> MeasureAsync(int devices, BenchSettings settings, CancellationToken cancel)
    {
        Peer[] peers =
        [
            new(NodeRedName(), TimeSpan.FromMinutes(2), StartNodeRedAsync),
            new("C, libmodbus and libmosquitto", TimeSpan.FromSeconds(10), StartProgramAsync),
        ];
        var measured = new List<Figures>();
        foreach (var peer in peers)
        {
            try
            {
                measured.Add(new(peer.Name, await MeasureAsync(peer, devices, settings, cancel).ConfigureAwait(false)));
            }
            catch (Exception fault) when (fault is InvalidOperationException or Win32Exception)
            {
                await Console.Error.WriteLineAsync($"{peer.Name} is left out: {fault.Message}").ConfigureAwait(false);
            }
        }

        return measured;
    }

    private static async Task<double> MeasureAsync(Peer peer, int devices, BenchSettings settings, CancellationToken cancel)
    {
        await using var site = await LoadSite.StartAsync(settings.Gateway, settings.Others, settings.Folder, devices, Registers, Period, publishSamples: true, singles: true).ConfigureAwait(false);
        var arrivals = new ReadArrivals(Period);
        await using var centre = new Centre(site.Broker, "peer/+", received: arrivals.Add);
        await centre.Subscribed.ConfigureAwait(false);
        await using var process = await peer.StartAsync(settings, site, devices).ConfigureAwait(false);
        await EachDeviceOnceAsync(arrivals, devices, process, cancel).ConfigureAwait(false);
        await Task.Delay(peer.WarmUp, TimeProvider.System, cancel).ConfigureAwait(false);

        process.ThrowIfExited();
        var before = ProcReading.Of(process.Id);
        var bytesBefore = centre.Total.Bytes;
        var started = TimeProvider.System.GetTimestamp();
        arrivals.Begin();
        await Task.Delay(settings.Length ?? TimeSpan.FromSeconds(60), TimeProvider.System, cancel).ConfigureAwait(false);
        process.ThrowIfExited();
        var after = ProcReading.Of(process.Id);
        var (messages, missed) = arrivals.Count();
        var bytes = centre.Total.Bytes - bytesBefore;
        var elapsed = TimeProvider.System.GetElapsedTime(started).TotalSeconds;

        var newest = arrivals.Newest;
        foreach (var message in newest)
        {
            Check(message);
        }

        var values = (double)messages * ValuesInRead;
        var busy = after.CpuSeconds - before.CpuSeconds;
        var report = new Report(string.Create(
            CultureInfo.InvariantCulture, $"modbus d: {peer.Name}, no buffer; {devices} devices x {Registers} registers every second, one message a read; {elapsed:F1} s on processor {settings.Cpu}"));
        report.Add("messages", messages, $"received by the centre, of {newest.Count} devices, {ValuesInRead} values in each");
        report.Add("missed reads", missed, "reads that were due and did not arrive");
        report.Add("processor", busy / elapsed * 100, "% of one processor");
        report.Add("processor time", busy / values * 1e6, "s for a million values");
        report.Add("resident memory", after.ResidentBytes / 1e6, "MB, at the end (VmRSS)");
        report.Add("written to disk", (after.WrittenBytes - before.WrittenBytes) / values * 1000, "bytes for 1,000 values (write_bytes)");
        report.Add("message bytes", bytes / values, "payload bytes for a value");
        report.Print(settings.Json);
        return busy / values * 1e6;
    }

    private static async Task EachDeviceOnceAsync(ReadArrivals arrivals, int devices, ChildProcess process, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (arrivals.Devices < devices)
        {
            process.ThrowIfExited();
            if (TimeProvider.System.GetElapsedTime(started) > StartLimit)
            {
                throw new InvalidOperationException($"Reads of only {arrivals.Devices} of {devices} devices arrived: {process.Output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancel).ConfigureAwait(false);
        }
    }

    private static string NodeRedName() =>
        NodeRedPeer.VersionOf("node-red") is { } version && NodeRedPeer.VersionOf(ModbusNodes) is { } nodes ? $"Node-RED {version}, modbus nodes {nodes}" : "Node-RED";

    private static async Task<ChildProcess> StartNodeRedAsync(BenchSettings settings, LoadSite site, int devices)
    {
        if (NodeRedPeer.VersionOf("node-red") is null || NodeRedPeer.VersionOf(ModbusNodes) is null)
        {
            throw new InvalidOperationException(NodeRedPeer.HowToInstall);
        }

        var port = site.Broker.Port;
        await using var generator = ChildProcess.Start(null, "node", NodeRedPeer.PathOf("modbus-flows.js"), Text(port + 1), Text(devices));
        var flows = Path.Combine(site.Folder, "flows.json");
        await File.WriteAllTextAsync(flows, await generator.EndAsync().ConfigureAwait(false)).ConfigureAwait(false);
        return NodeRedPeer.Start(settings.Cpu, flows, ModbusNodes, Commands.Demo.FreePort.First(1), port);
    }

    private static async Task<ChildProcess> StartProgramAsync(BenchSettings settings, LoadSite site, int devices)
    {
        var program = await PeerProgram.CompileAsync("modbus_forward", "-lmodbus", "-lmosquitto").ConfigureAwait(false);
        var port = site.Broker.Port;
        return ChildProcess.Start(settings.Cpu, program, Text(port), Text(port + 1), Text(devices));
    }

    /// <summary>Whether a message holds what the device showed in the second that it names.</summary>
    /// <exception cref="InvalidOperationException">It does not: the peer does something else than the gateway.</exception>
    private static void Check(MqttMessage message)
    {
        try
        {
            using var document = JsonDocument.Parse(message.Payload);
            var values = document.RootElement.GetProperty("values").EnumerateArray().ToDictionary(v => v.GetProperty("name").GetString()!, v => v.GetProperty("value").GetDouble());
            var sequence = (long)values["seq"];
            var isRight = values.Count == ValuesInRead && values["energy"] > 0
                && message.Topic == $"peer/{document.RootElement.GetProperty("device").GetString()}"
                && Math.Abs((document.RootElement.GetProperty("time").GetDateTimeOffset() - DateTimeOffset.FromUnixTimeSeconds(sequence)).TotalSeconds) < 5;
            for (var address = FirstWave; address < Registers; address++)
            {
                isRight &= values[string.Create(CultureInfo.InvariantCulture, $"v{address:00000}")] == LoadDevice.Wave(sequence, address);
            }

            if (isRight)
            {
                return;
            }
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new InvalidOperationException($"A message on {message.Topic} is not as agreed: {fault.Message}", fault);
        }

        throw new InvalidOperationException($"A message on {message.Topic} does not hold what the device showed.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>What a peer needed: seconds of processor time for a million values.</summary>
    public readonly record struct Figures(string Name, double CpuForMillion);

    private sealed record Peer(string Name, TimeSpan WarmUp, Func<BenchSettings, LoadSite, int, Task<ChildProcess>> StartAsync);
}
