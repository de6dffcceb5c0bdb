using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;

namespace EdgeGateway.GpioTrial;

/// <summary>The gateway itself on the simulated chips: counts with and without somebody who keeps its lines, and what it says when something is in the way.</summary>
internal sealed class GatewayTrials : IDisposable
{
    private const string Folder = "/tmp/gateway";
    private const int Meters = 6;
    private const int Hertz = 50;
    private const int TachoHertz = 100;

    // Twice the commit window: what was counted and may not be committed yet.
    private static readonly TimeSpan Uncommitted = TimeSpan.FromSeconds(2);
    private static readonly TimeProvider Time = TimeProvider.System;

    private readonly string _folder;
    private readonly ServiceStore? _store;
    private readonly ConcurrentQueue<string> _log = new();
    private Process? _gateway;

    private GatewayTrials(string name, bool isKept)
    {
        _folder = Path.Combine(Folder, name);
        Directory.CreateDirectory(_folder);
        _store = isKept ? new ServiceStore(Path.Combine(_folder, "notify")) : null;
        File.WriteAllText(Path.Combine(_folder, "gateway.yaml"), Configuration());
    }

    /// <summary>Six meters at 50 Hz and a belt at 100 Hz, while the gateway is killed every so often, counted from when it answers.</summary>
    public static async Task<string> KillAsync(string name, bool isKept, int kills, TimeSpan between)
    {
        using var trial = new GatewayTrials(name, isKept);
        await trial.StartAsync();
        for (var i = 0; i <= Meters; i++)
        {
            // Before the first request nobody can count.
            await trial.WaitAsync(NameOf(i), "count", count => count >= 0);
        }

        using var end = new CancellationTokenSource();

        // The meters in step: under emulation a wake-up for each of them would leave a gateway little to start with.
        var meters = SendAsync(string.Join(',', Enumerable.Range(0, Meters).Select(i => Bench.Pull(Trials.Meters, i))), Hertz, end.Token);
        var belt = SendAsync(Bench.Pull(Trials.Belts, 0), TachoHertz, end.Token);
        var away = TimeSpan.Zero;
        for (var i = 0; i < kills; i++)
        {
            await Task.Delay(between, Time);
            var killed = Time.GetTimestamp();
            trial.Kill();
            await trial.StartAsync();
            away += Time.GetElapsedTime(killed) + Uncommitted;
        }

        await Task.Delay(between, Time);
        await end.CancelAsync();
        var sent = Enumerable.Repeat(await meters, Meters).Append(await belt);
        var (counts, breaks, recovered, untimed) = (new List<long>(), 0L, 0L, 0L);
        for (var i = 0; i <= Meters; i++)
        {
            var device = NameOf(i);
            counts.Add(await trial.NumberAsync(device, "count"));
            breaks += await trial.NumberAsync(device, "breaks");
            recovered += await trial.NumberAsync(device, "edges_recovered");
            untimed += await trial.NumberAsync(device, "edges_untimed");
        }

        // Not known to the millisecond, and so a little more than it is.
        var most = Math.Ceiling(away.TotalSeconds * Hertz);
        var mostOfBelt = Math.Ceiling(away.TotalSeconds * TachoHertz);
        var status = await trial.GetAsync("status");
        return Trial.Facts(
            ("sent", string.Join(',', sent)),
            ("counts", string.Join(',', counts)),
            ("most", most),
            ("most-belt", mostOfBelt),
            ("breaks", breaks),
            ("recovered", recovered),
            ("untimed", untimed),
            ("kept", trial._store?.Count ?? 0),
            ("kills", kills),
            ("taken-over", trial._log.Count(l => l.Contains("taken over", StringComparison.Ordinal))),
            ("loss", status.GetProperty("buses")[0].GetProperty("maximumLoss")[0].GetString()!));
    }

    /// <summary>A line that another program has, a chip that goes and comes back, an overflow while the gateway stands still, and an output.</summary>
    public static async Task<string> FaultsAsync()
    {
        using var trial = new GatewayTrials("faults", isKept: true);
        using var other = Programs.StartAgain("take", "pulse-2");
        await other.StandardOutput.ReadLineAsync();
        await trial.StartAsync();
        var busy = await trial.ProblemAsync("pulse-2");
        var missing = await trial.ReasonAsync("meter-2", "count");
        var neighbour = await trial.NumberAsync("meter-1", "count");
        other.StandardInput.Close();
        await other.WaitForExitAsync();

        // It is asked for again by itself.
        var given = await trial.WaitAsync("meter-2", "count", count => count == 0);

        // Three times what the kernel keeps, while nobody reads.
        Signal(trial._gateway!, "STOP");
        using var sender = Bench.Pulse(Bench.Pull(Trials.Meters, 0), 3000, 0);
        var (sent, _) = await Bench.SentAsync(sender);
        Signal(trial._gateway!, "CONT");
        var count = await trial.WaitAsync("meter-1", "count", count => count >= sent);
        var untimed = await trial.NumberAsync("meter-1", "edges_untimed");
        var conditions = await trial.NumberAsync("meter-1", "conditions");

        Bench.Plug(Trials.Expander, isIn: false);
        var gone = await trial.ProblemAsync("door");
        Bench.Plug(Trials.Expander, isIn: true);
        var back = await trial.WaitAsync("door", "starts", starts => starts >= 0);
        Bench.SetLevel(Trials.Expander, 0, true);
        var closed = await trial.WaitAsync("door", "starts", starts => starts > 0);

        // The relay begins in its safe state, is written to, and falls back when the gateway is stopped.
        var begin = Bench.Level(Trials.Meters, 7);
        var written = await trial.CommandAsync("write", "relay", "output", "on", "--yes", "--reason", "trial");
        var on = Bench.Level(Trials.Meters, 7);
        Signal(trial._gateway!, "TERM");
        await trial._gateway!.WaitForExitAsync();
        return Trial.Facts(
            ("busy", busy),
            ("missing", missing),
            ("neighbour", neighbour),
            ("given", given),
            ("sent", sent),
            ("count", count),
            ("untimed", untimed),
            ("conditions", conditions),
            ("gone", gone),
            ("back", back),
            ("closed", closed),
            ("relay", $"{begin},{on},{Bench.Level(Trials.Meters, 7)}"),
            ("written", written));
    }

    public void Dispose()
    {
        if (_gateway is { HasExited: false })
        {
            Kill();
        }

        _store?.Dispose();
    }

    private static string Configuration() => $$"""
        schema: edgegateway/gateway/1
        site: { id: vm, timezone: UTC, region: CN-SX }
        gateway: { id: vm }
        health: off
        storage: { directory: data, budget: 64MiB, commitWindow: 1s }
        buses:
          - id: gpio
            type: gpio
            inputs:
        {{string.Concat(Enumerable.Range(1, Meters).Select(i => $"      - {{ unit: {i}, line: pulse-{i}, use: counter, minimumPulse: 10ms, minimumInterval: 0ms }}\n"))}}
              - { unit: 7, line: tacho, use: counter, minimumPulse: 1ms, minimumInterval: 0ms }
              - { unit: 8, line: door, use: contact }
              - { unit: 9, line: relay, chip: {{Trials.Meters}}, use: output, safe: off }
        devices:
        {{string.Concat(Enumerable.Range(1, Meters).Select(i => $"  - {{ id: meter-{i}, profile: generic-gpio-counter, bus: gpio, unit: {i} }}\n"))}}
          - { id: belt, profile: generic-gpio-counter, bus: gpio, unit: 7 }
          - { id: door, profile: generic-gpio-contact, bus: gpio, unit: 8 }
          - { id: relay, profile: generic-gpio-output, bus: gpio, unit: 9, allowWrites: true }
        """;

    private static string NameOf(int device) => device < Meters ? $"meter-{device + 1}" : "belt";

    /// <summary>Sends pulses, a few seconds of them at a time, until the end; however long a gateway takes to start, they go on.</summary>
    /// <returns>How many.</returns>
    private static async Task<int> SendAsync(string pull, int hertz, CancellationToken end)
    {
        var sent = 0;
        while (!end.IsCancellationRequested)
        {
            using var sender = Bench.Pulse(pull, 3 * hertz, hertz);
            sent += (await Bench.SentAsync(sender)).Pulses;
        }

        return sent;
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Programs.Start("kill", $"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture));
        kill.WaitForExit();
    }

    /// <summary>Starts the gateway and waits until it answers and has asked for its lines.</summary>
    private async Task StartAsync()
    {
        string[] command = [.. Programs.Gateway, "run", "--config", Path.Combine(_folder, "gateway.yaml")];
        _gateway = _store?.Start(command) ?? Programs.Start(command);
        var gateway = _gateway;
        gateway.OutputDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        gateway.BeginOutputReadLine();
        for (var tries = 0; ; tries++)
        {
            if (gateway.HasExited || tries > 3000)
            {
                throw new InvalidOperationException($"the gateway does not start: {string.Join(" | ", _log)}");
            }

            try
            {
                await GetAsync("read/belt");
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), Time);
            }
        }
    }

    private void Kill()
    {
        _gateway!.Kill();
        _gateway.WaitForExit();
        _gateway.Dispose();
        _gateway = null;
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_folder, "data", "edgegateway.sock")), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        await using var stream = await client.GetStreamAsync(new Uri($"http://gateway/{path}"));
        using var document = await JsonDocument.ParseAsync(stream);
        return document.RootElement.Clone();
    }

    private async Task<JsonElement> PointAsync(string device, string point) =>
        (await GetAsync($"read/{device}")).GetProperty("points").EnumerateArray().First(p => p.GetProperty("point").GetString() == point);

    /// <summary>A value; -1 when there is none.</summary>
    private async Task<long> NumberAsync(string device, string point) =>
        (await PointAsync(device, point)).TryGetProperty("value", out var value) && value.ValueKind == JsonValueKind.Number ? (long)value.GetDouble() : -1;

    private async Task<string> ReasonAsync(string device, string point) => (await PointAsync(device, point)).GetProperty("reason").GetString() ?? "";

    /// <summary>Waits until a value is as expected, a minute at most.</summary>
    private async Task<long> WaitAsync(string device, string point, Func<long, bool> isRight)
    {
        for (var tries = 0; ; tries++)
        {
            var value = await NumberAsync(device, point);
            if (isRight(value) || tries > 300)
            {
                return value;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), Time);
        }
    }

    /// <summary>Waits until the status names a line among the problems, half a minute at most.</summary>
    private async Task<string> ProblemAsync(string line)
    {
        for (var tries = 0; tries < 150; tries++)
        {
            var problem = (await GetAsync("status")).GetProperty("problems").EnumerateArray().Select(p => p.GetString()!).FirstOrDefault(p => p.Contains(line, StringComparison.Ordinal) && p.Contains(", line", StringComparison.Ordinal));
            if (problem is not null)
            {
                return problem;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), Time);
        }

        return "none";
    }

    private async Task<string> CommandAsync(params string[] arguments)
    {
        var (status, said) = await Programs.EndAsync(Programs.Start([.. Programs.Gateway, .. arguments, "--config", Path.Combine(_folder, "gateway.yaml")]));
        return $"{status}: {said}";
    }
}
