using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Simulator;

/// <summary>Where a <see cref="SiteServer"/> serves the buses of a site.</summary>
public sealed record SiteServerOptions
{
    /// <summary>Serves every bus on the network on 127.0.0.1, whatever host the site names; a host of 127.0.0.0/8 is kept. False binds the host itself, which must be an address of this computer.</summary>
    public bool OnLoopback { get; init; } = true;

    /// <summary>Lets the system choose a free port for every bus on the network that <see cref="Ports"/> does not name.</summary>
    public bool FreePorts { get; init; }

    /// <summary>Port by bus id; the site's own port where it is not named.</summary>
    public IReadOnlyDictionary<string, int> Ports { get; init; } = new Dictionary<string, int>();

    /// <summary>Time between two packets of an HJ 212 data logger.</summary>
    public TimeSpan LoggerInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Told of every request that reaches a bus, whichever unit it is for; from several connections at once. Must not throw.</summary>
    public Action<ServerRequest>? Observe { get; init; }

    /// <summary>
    /// The simulator's end of a serial line by bus id, such as one end of a pair of pseudo-terminals; the site's own port, for a real line
    /// with the gateway on another computer, where it is not named.
    /// </summary>
    public IReadOnlyDictionary<string, string> SerialPorts { get; init; } = new Dictionary<string, string>();
}
