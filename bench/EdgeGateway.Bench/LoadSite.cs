using System.Net;
using System.Net.Sockets;
using EdgeGateway.Commands.Demo;
using EdgeGateway.Simulator;

namespace EdgeGateway.Bench;

/// <summary>A site of load devices with everything it needs around the gateway: profile, configuration, simulator, broker. All on loopback.</summary>
internal sealed class LoadSite : IAsyncDisposable
{
    private const string BrokerProgram = "/usr/sbin/mosquitto";

    private readonly ChildProcess? _broker;
    private readonly ChildProcess _simulator;

    private LoadSite(string folder, Uri broker, ChildProcess? brokerProcess, ChildProcess simulator)
    {
        Folder = folder;
        Broker = broker;
        _broker = brokerProcess;
        _simulator = simulator;
    }

    /// <summary>Holds everything; deleted in the end.</summary>
    public string Folder { get; }

    public Uri Broker { get; }

    /// <summary>Where the gateway keeps its store.</summary>
    public string Store => Path.Combine(Folder, "data");

    /// <summary>Starts broker and simulator.</summary>
    /// <param name="gateway">The program, which is also the simulator.</param>
    /// <param name="cpus">Where they may run.</param>
    /// <param name="parent">Folder on the storage to be measured.</param>
    /// <param name="devices">Number of devices, each with a TCP connection of its own.</param>
    /// <param name="registers">Registers of each.</param>
    /// <param name="period">Time between two polls.</param>
    /// <param name="publishSamples">Every sample, or summaries only.</param>
    /// <param name="singles">Whether nearly every register is a value of its own, instead of two.</param>
    /// <param name="edit">Changes <c>gateway.yaml</c> before it is written; null for nothing.</param>
    /// <param name="withBroker">False: nobody listens at <see cref="Broker"/>, as in an outage.</param>
    public static async Task<LoadSite> StartAsync(
        GatewayProgram gateway, string? cpus, string parent, int devices, int registers, TimeSpan period, bool publishSamples, bool singles = false,
        Func<string, string>? edit = null, bool withBroker = true)
    {
        var folder = Path.Combine(Path.GetFullPath(parent), Path.GetRandomFileName());
        var profiles = Directory.CreateDirectory(Path.Combine(folder, "device-profiles", "energy-meter"));
        var profile = LoadDevice.Profile(registers, period, singles);
        await File.WriteAllTextAsync(Path.Combine(profiles.FullName, $"{LoadDevice.ProfileId(registers)}.yaml"), profile.Text).ConfigureAwait(false);

        var port = FreePort.First(devices + 1);
        var broker = new Uri($"mqtt://127.0.0.1:{port}");
        var site = LoadDevice.Gateway(
            devices, registers, firstPort: port + 1, mqttServer: broker.OriginalString, publishSamples: publishSamples, storageDirectory: Path.Combine(folder, "data"));
        await File.WriteAllTextAsync(Path.Combine(folder, "gateway.yaml"), edit is null ? site.Text : edit(site.Text)).ConfigureAwait(false);

        var brokerProcess = withBroker ? StartBroker(cpus, folder, "mosquitto", port, "persistence false") : null;
        ChildProcess? simulator = null;
        try
        {
            if (brokerProcess is not null)
            {
                await AcceptsAsync(port, brokerProcess).ConfigureAwait(false);
            }

            simulator = gateway.Start(cpus, "simulate", "--config", Path.Combine(folder, "gateway.yaml"));
            await AcceptsAsync(port + devices, simulator).ConfigureAwait(false);
            return new LoadSite(folder, broker, brokerProcess, simulator);
        }
        catch
        {
            if (simulator is not null)
            {
                await simulator.DisposeAsync().ConfigureAwait(false);
            }

            if (brokerProcess is not null)
            {
                await brokerProcess.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _simulator.DisposeAsync().ConfigureAwait(false);
        if (_broker is not null)
        {
            await _broker.DisposeAsync().ConfigureAwait(false);
        }

        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>A mosquitto on loopback with a configuration of its own in <paramref name="folder"/>.</summary>
    /// <param name="cpus">Where it may run.</param>
    /// <param name="folder">Where its configuration is written.</param>
    /// <param name="name">Name of that file.</param>
    /// <param name="port">Where it listens.</param>
    /// <param name="lines">Further lines of the configuration.</param>
    public static ChildProcess StartBroker(string? cpus, string folder, string name, int port, params string[] lines)
    {
        var settings = Path.Combine(folder, $"{name}.conf");
        string[] user = Environment.UserName == "root" ? ["user root"] : [];
        File.WriteAllLines(settings, [$"listener {port} 127.0.0.1", "allow_anonymous true", "log_dest stderr", .. lines, .. user]);
        return ChildProcess.Start(cpus, BrokerProgram, "-c", settings);
    }

    /// <summary>Waits until a server accepts connections.</summary>
    /// <exception cref="InvalidOperationException">It ended before.</exception>
    public static async Task AcceptsAsync(int port, ChildProcess server)
    {
        while (true)
        {
            server.ThrowIfExited();
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System).ConfigureAwait(false);
            }
        }
    }
}
