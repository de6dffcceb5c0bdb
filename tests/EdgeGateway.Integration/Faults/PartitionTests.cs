using System.Diagnostics;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Integration.Faults;

/// <summary>A fact that needs a network of its own; skipped with the reason where this user may not make one.</summary>
internal sealed class NetworkFactAttribute : FactAttribute
{
    public NetworkFactAttribute()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Skip = "Needs root on Linux: makes a network namespace.";
        }
        else if (FarNetwork.WhyNot is { } reason)
        {
            Skip = "Cannot make a network namespace with a filter here: " + reason;
        }
    }
}

/// <summary>Packets between gateway and broker are dropped by the kernel, in one direction or the other: no reset, no error, nothing.</summary>
public sealed class PartitionTests
{
    [NetworkFact]
    public async Task Packets_dropped_in_either_direction_cost_no_record()
    {
        using var network = FarNetwork.Make();
        var port = Mosquitto.FreePort();
        using var broker = network.Start("/usr/sbin/mosquitto", "-c", Settings(network, port));
        try
        {
            var judge = new FeedJudge();
            var server = new Uri($"mqtt://{network.FarAddress}:{port}");
            await using var centre = new MqttClient(
                new MqttClientOptions
                {
                    Servers = [server],
                    ClientId = "centre",
                    SessionExpiry = TimeSpan.FromDays(1),
                    KeepAlive = TimeSpan.FromSeconds(2),
                    ReconnectMin = TimeSpan.FromMilliseconds(100),
                    ReconnectMax = TimeSpan.FromSeconds(1),
                },
                TimeProvider.System)
            {
                MessageReceived = (message, _) =>
                {
                    judge.Take(message.Topic, message.Payload);
                    return ValueTask.CompletedTask;
                },
            };
            _ = centre.RunAsync(CancellationToken.None);
            Assert.True((await centre.SubscribeAsync("edgegateway/#").AsTask().WaitAsync(Until.Limit)).Granted);

            var configuration = LoadSite.Configuration(3)
                .Replace("type: mqtt,", "type: mqtt, keepAlive: 2s, allowPlaintext: true,", StringComparison.Ordinal)
                .Replace("mqtt://127.0.0.1:{broker}", server.OriginalString, StringComparison.Ordinal);
            await using var site = await GatewaySite.ServeAsync(configuration, port, profiles: LoadSite.Profile);
            await using var gateway = await GatewayProcess.RunAsync(site);
            foreach (var direction in FaultScene.IsLong ? Enumerable.Repeat<string[]>(["input", "output"], 10).SelectMany(d => d) : ["input", "output"])
            {
                var before = judge.Count;
                await Until.HoldsAsync(() => judge.Count >= before + 100, "records arrive", () => gateway.Log);
                network.Drop(direction);
                await gateway.StatusHoldsAsync(s => s.Uplinks.All(u => !u.Connected), $"the loss of {direction} packets is noticed");
                network.Pass();
                await gateway.StatusHoldsAsync(s => s.Uplinks.All(u => u.Connected), "the gateway is back");
            }

            await gateway.HistoryIsThroughAsync();
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
            await judge.HasAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == "stop", "the stop is told", () => gateway.Log);
            await Until.HoldsAsync(() => judge.Verdict().IsProven, "all is here", () => judge.Verdict().Ledger.ToString());
            await judge.ProvesAsync(() => gateway.Log);
        }
        finally
        {
            broker.Kill();
            await broker.WaitForExitAsync();
        }
    }

    private static string Settings(FarNetwork network, int port)
    {
        var file = Path.Combine(network.Folder, "mosquitto.conf");
        File.WriteAllLines(file, [$"listener {port} {network.FarAddress}", "allow_anonymous true", "user root", "max_queued_messages 0", "set_tcp_nodelay true"]);
        return file;
    }
}

/// <summary>A network namespace at the other end of a pair of virtual cables, with a packet filter of its own.</summary>
internal sealed class FarNetwork : IDisposable
{
    private readonly string _name;

    private FarNetwork(string name, int number)
    {
        _name = name;
        FarAddress = $"10.213.{number}.2";
        Folder = Directory.CreateTempSubdirectory("edgegateway-network-").FullName;
    }

    public static string? WhyNot { get; } = Probe();

    public string FarAddress { get; }

    public string Folder { get; }

    public static FarNetwork Make()
    {
        var number = Environment.ProcessId % 250;
        var network = new FarNetwork($"eg{Environment.ProcessId}", number);
        try
        {
            Run("ip", "netns", "add", network._name);
            Run("ip", "link", "add", $"{network._name}n", "type", "veth", "peer", "name", $"{network._name}f", "netns", network._name);
            Run("ip", "address", "add", $"10.213.{number}.1/30", "dev", $"{network._name}n");
            Run("ip", "link", "set", $"{network._name}n", "up");
            Run("ip", "-n", network._name, "address", "add", $"{network.FarAddress}/30", "dev", $"{network._name}f");
            Run("ip", "-n", network._name, "link", "set", $"{network._name}f", "up");
            network.Drop("input");
            network.Pass();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Starts a program at the far end; it keeps the process id.</summary>
    public Process Start(string program, params string[] arguments) => Process.Start("ip", ["netns", "exec", _name, program, .. arguments]);

    /// <summary>From now on the far end gets (<c>input</c>) or sends (<c>output</c>) no packet.</summary>
    public void Drop(string direction)
    {
        Run("ip", "netns", "exec", _name, "nft", "add", "table", "inet", "fault");
        Run("ip", "netns", "exec", _name, "nft", "add", "chain", "inet", "fault", "packets", "{", "type", "filter", "hook", direction, "priority", "0", ";", "policy", "drop", ";", "}");
    }

    /// <summary>Ends <see cref="Drop"/>.</summary>
    public void Pass() => Run("ip", "netns", "exec", _name, "nft", "delete", "table", "inet", "fault");

    public void Dispose()
    {
        // The near end of the cable goes with the far one.
        using var gone = Process.Start("ip", ["netns", "delete", _name]);
        gone.WaitForExit();
        Directory.Delete(Folder, recursive: true);
    }

    private static string? Probe()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            return "not root";
        }

        try
        {
            Make().Dispose();
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return e.Message;
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error}");
        }
    }
}
