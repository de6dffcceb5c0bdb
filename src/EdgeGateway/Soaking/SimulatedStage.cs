using EdgeGateway.Commands.Demo;
using EdgeGateway.Hosting;
using EdgeGateway.Simulator;

namespace EdgeGateway.Soaking;

/// <summary>A simulated site of any size and a gateway of its own that polls it every second, in a private directory. Disposing ends all of it and removes the directory.</summary>
internal sealed class SimulatedStage : IAsyncDisposable
{
    /// <summary>Points of each device.</summary>
    public const int PointsOfDevice = 50;

    /// <summary>Most points: the ports of their devices are taken one after the other.</summary>
    public const int MostPoints = 50_000;

    private const int Registers = 102;
    private const ulong Seed = 1;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    private readonly string _directory;
    private readonly Guard _guard;
    private PrivateBroker? _broker;
    private SiteServer? _server;
    private ChildProcess? _gateway;

    private SimulatedStage(string directory)
    {
        _directory = directory;
        _guard = Guard.Start(directory);
    }

    /// <summary>Directory of the gateway's store.</summary>
    public string Store => Path.Combine(_directory, "data");

    /// <summary>Whether a broker takes what the gateway sends; else it waits in its outbox.</summary>
    public bool HasBroker => _broker is not null;

    /// <summary>Number of points.</summary>
    public int Points { get; private init; }

    /// <summary>From the start of the gateway's process to its first committed sample.</summary>
    public TimeSpan FirstSample { get; private set; }

    /// <summary>Processor time of the gateway until then, in seconds.</summary>
    public double FirstSampleCpu { get; private set; }

    /// <summary>Sets everything up and waits for the first committed sample.</summary>
    /// <param name="points">How many points; whole devices of <see cref="PointsOfDevice"/>, at least one.</param>
    /// <param name="folder">Where the directory is made: the storage that is written to.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="DemoException">A part does not start; nothing is left behind.</exception>
    public static async Task<SimulatedStage> BuildAsync(int points, string folder, CancellationToken cancel)
    {
        var devices = Math.Max(1, points / PointsOfDevice);
        var directory = Directory.CreateDirectory(Path.Combine(Path.GetFullPath(folder), $"edgegateway-soak-{Path.GetRandomFileName()}")).FullName;
        var stage = new SimulatedStage(directory) { Points = devices * PointsOfDevice };
        try
        {
            await stage.StartAsync(devices, cancel).ConfigureAwait(false);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.StopAsync(StopLimit).ConfigureAwait(false);
            await _gateway.DisposeAsync().ConfigureAwait(false);
        }

        if (_broker is not null)
        {
            await _broker.DisposeAsync().ConfigureAwait(false);
        }

        if (_server is not null)
        {
            await _server.DisposeAsync().ConfigureAwait(false);
        }

        await _guard.DisposeAsync().ConfigureAwait(false);
    }

    private async Task StartAsync(int devices, CancellationToken cancel)
    {
        if (BrokerProgram.Find() is { } mosquitto)
        {
            _broker = new PrivateBroker(_guard, mosquitto, Path.Combine(_directory, "broker"));
            await _broker.StartAsync(cancel).ConfigureAwait(false);
        }

        var profiles = Directory.CreateDirectory(Path.Combine(_directory, "device-profiles", "energy-meter"));
        await File.WriteAllTextAsync(Path.Combine(profiles.FullName, $"{LoadDevice.ProfileId(Registers)}.yaml"), LoadDevice.Profile(Registers, Period).Text, cancel).ConfigureAwait(false);
        var configuration = Path.Combine(_directory, "gateway.yaml");
        var text = LoadDevice.Gateway(devices, Registers, firstPort: FreePort.First(devices), mqttServer: _broker is null ? null : $"mqtt://127.0.0.1:{_broker.Port}", storageDirectory: Store).Text;
        await File.WriteAllTextAsync(configuration, text, cancel).ConfigureAwait(false);
        var site = SiteFiles.Find(configuration, null).Load(configuration, out var problems)
            ?? throw new DemoException($"The configuration of the simulated site cannot be used:{Environment.NewLine}{string.Join(Environment.NewLine, problems)}");
        _server = await SiteServer.StartAsync(new SimulatedSite(site.Model, Seed, TimeProvider.System)).ConfigureAwait(false);

        var first = new FirstCommit(Store);
        var (program, arguments) = OwnProgram.Call("run", "--config", configuration);
        var started = TimeProvider.System.GetTimestamp();
        _gateway = ChildProcess.Start(_guard, program, arguments);
        while (!first.IsThere())
        {
            if (_gateway.Exited.IsCompleted)
            {
                throw new DemoException($"The gateway ended at its start. Its last words:{Environment.NewLine}{_gateway.LastLines}");
            }

            await Task.Delay(Step, TimeProvider.System, cancel).ConfigureAwait(false);
        }

        FirstSample = TimeProvider.System.GetElapsedTime(started);
        FirstSampleCpu = ProcReading.Of(_gateway.Id).CpuSeconds;
    }
}
