using System.Collections.Concurrent;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Hosting;
using EdgeGateway.Simulator;

namespace EdgeGateway.Integration.Gateway;

/// <summary>
/// A folder with a <c>gateway.yaml</c>, its load profiles and its store, and the simulated devices that it names. The text of the configuration
/// holds <c>{bus-id}</c> in place of each TCP port, and <c>{broker}</c> in place of the broker's.
/// </summary>
internal sealed class GatewaySite : IAsyncDisposable
{
    private readonly Dictionary<string, int> _ports = [];
    private readonly DirectoryInfo _folder;
    private readonly long[] _functions = new long[256];

    private GatewaySite(DirectoryInfo folder) => _folder = folder;

    /// <summary>Path of the configuration.</summary>
    public string Configuration => Path.Combine(_folder.FullName, "gateway.yaml");

    /// <summary>Directory of the store, when the configuration names <c>data</c>.</summary>
    public string Store => Path.Combine(_folder.FullName, "data");

    /// <summary>Moves the simulated machines.</summary>
    public PausableTime Time { get; } = new();

    /// <summary>The physical side; only after <see cref="ServeAsync"/>.</summary>
    public SimulatedSite Simulation => Server.Simulation;

    /// <summary>Serves the devices; only after <see cref="ServeAsync"/>.</summary>
    public SiteServer Server { get; private set; } = null!;

    /// <summary>Requests that reached the devices, by Modbus function code.</summary>
    public IReadOnlyDictionary<int, long> Functions =>
        Enumerable.Range(0, 256).Where(f => Interlocked.Read(ref _functions[f]) > 0).ToDictionary(f => f, f => Interlocked.Read(ref _functions[f]));

    /// <summary>When each request reached the devices, by unit: the simulator's own log, by the monotonic clock.</summary>
    public ConcurrentQueue<(byte Unit, TimeSpan At)> Requests { get; } = new();

    /// <summary>A folder with a configuration; nothing is served.</summary>
    /// <param name="template">The configuration.</param>
    /// <param name="ports">Ports for the places in it.</param>
    public static GatewaySite Write(string template, params (string Place, int Port)[] ports)
    {
        var site = new GatewaySite(Directory.CreateTempSubdirectory("edgegateway-e2e-"));
        foreach (var (place, port) in ports)
        {
            site._ports[place] = port;
        }

        site.Configure(template);
        return site;
    }

    /// <summary>A folder with a configuration, and its devices served on free ports.</summary>
    /// <param name="template">The configuration.</param>
    /// <param name="broker">Port of the broker, or of the relay in front of it.</param>
    /// <param name="serialPorts">The simulator's ends of serial lines, by bus id.</param>
    /// <param name="profiles">Profiles beyond those shipped with the program.</param>
    public static async Task<GatewaySite> ServeAsync(
        string template, int broker, IReadOnlyDictionary<string, string>? serialPorts = null, params SourceText[] profiles)
    {
        var site = new GatewaySite(Directory.CreateTempSubdirectory("edgegateway-e2e-"));
        try
        {
            site._ports["broker"] = broker;
            site.Add(profiles);
            site.Configure(template);
            site.Server = await SiteServer.StartAsync(
                new SimulatedSite(site.Load().Model, seed: 7, site.Time),
                new SiteServerOptions
                {
                    FreePorts = true,
                    SerialPorts = serialPorts ?? new Dictionary<string, string>(),
                    Observe = request =>
                    {
                        Interlocked.Increment(ref site._functions[request.Function]);
                        site.Requests.Enqueue((request.Unit, TimeProvider.System.GetElapsedTime(0)));
                    },
                });
            foreach (var (bus, at) in site.Server.EndPoints)
            {
                site._ports[bus] = at.Port;
            }

            site.Configure(template);
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts a port in a place of the configurations to come.</summary>
    public void SetPort(string place, int port) => _ports[place] = port;

    /// <summary>Writes profiles beside the configuration.</summary>
    public void Add(params SourceText[] profiles)
    {
        var directory = _folder.CreateSubdirectory("device-profiles");
        foreach (var profile in profiles)
        {
            File.WriteAllText(Path.Combine(directory.FullName, Path.GetFileName(profile.FileName)), profile.Text);
        }
    }

    /// <summary>Writes another configuration, with the same ports.</summary>
    public void Configure(string template)
    {
        foreach (var (place, port) in _ports)
        {
            template = template.Replace($"{{{place}}}", $"{port}", StringComparison.Ordinal);
        }

        // Before anything is served every bus needs a port of its own, whichever.
        for (var port = 1; template.IndexOf("port: {", StringComparison.Ordinal) is >= 0 and var at; port++)
        {
            template = $"{template[..(at + 6)]}{port}{template[(template.IndexOf('}', at) + 1)..]}";
        }

        File.WriteAllText(Configuration, template);
    }

    /// <summary>Reads the configuration as the program does.</summary>
    public LoadedSite Load()
    {
        var site = SiteFiles.Find(Configuration, null).Load(Configuration, out var problems);
        Assert.True(site is not null, string.Join('\n', problems));
        return site;
    }

    /// <summary>What the counters show now; call while <see cref="Time"/> stands still.</summary>
    /// <returns>Reading by device and point, in the point's unit.</returns>
    public IReadOnlyDictionary<(string Device, string Point), decimal> Shown()
    {
        Simulation.Advance();
        return Simulation.Ledger().ToDictionary(
            e => (Simulation.Site.Devices[Simulation.Site.Points[e.Point].DeviceIndex].Id, Simulation.Site.Points[e.Point].Id),
            e => e.Shown);
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }
}
