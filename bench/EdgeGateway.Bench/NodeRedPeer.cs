using System.Globalization;
using System.Text.Json;

namespace EdgeGateway.Bench;

/// <summary>Node-RED as a peer, where somebody installed it: <c>bench/peers/node-red</c> names the versions.</summary>
internal static class NodeRedPeer
{
    private static readonly string Home = PeerProgram.PathOf("node-red");

    /// <summary>How it gets there, for people.</summary>
    public static string HowToInstall => $"npm install --prefix {Home}";

    /// <summary>The installed version of Node-RED (<c>node-red</c>) or of a package of nodes; null when it is not there.</summary>
    public static string? VersionOf(string package)
    {
        var manifest = Path.Combine(Home, "node_modules", package, "package.json");
        if (!File.Exists(manifest))
        {
            return null;
        }

        using var document = JsonDocument.Parse(File.ReadAllBytes(manifest));
        return document.RootElement.GetProperty("version").GetString();
    }

    /// <summary>A file in its folder.</summary>
    public static string PathOf(string name) => Path.Combine(Home, name);

    /// <summary>Starts it with a flow.</summary>
    /// <param name="cpus">Where it may run.</param>
    /// <param name="flows">The flow.</param>
    /// <param name="package">The one package of nodes that it loads beside its own.</param>
    /// <param name="port">Where its web server listens.</param>
    /// <param name="centre">Port of the broker that it publishes to.</param>
    /// <param name="environment">Further variables, as <c>NAME=value</c>.</param>
    public static ChildProcess Start(string? cpus, string flows, string package, int port, int centre, params string[] environment) => ChildProcess.Start(
        cpus,
        "env",
        [
            string.Create(CultureInfo.InvariantCulture, $"PEER_PORT={port}"),
            string.Create(CultureInfo.InvariantCulture, $"PEER_CENTRE={centre}"),
            $"PEER_NODES={package}",
            .. environment,
            "node",
            PathOf(Path.Combine("node_modules", "node-red", "red.js")),
            "--userDir",
            Home,
            "--settings",
            PathOf("settings.js"),
            flows,
        ]);
}
