using System.Globalization;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>The register image served by pymodbus.</summary>
public sealed class PymodbusServer : IAsyncDisposable
{
    // Debian's interpreter has Debian's packages; another one first on the path would not.
    internal const string Python = "/usr/bin/python3";
    internal const string Packages = "python3-pymodbus python3-serial-asyncio";

    private readonly PeerProcess _process;

    private PymodbusServer(PeerProcess process) => _process = process;

    /// <summary>The TCP or UDP port on the loopback address.</summary>
    public int Port => _process.ReadyNumber;

    /// <summary>Serves on a free TCP port.</summary>
    public static async Task<PymodbusServer> StartTcpAsync() => new(await StartAsync("tcp", "127.0.0.1", "0"));

    /// <summary>Serves on a free port, in the mode that the script knows by this name: udp, rtu-over-tcp, ascii-over-tcp.</summary>
    public static async Task<PymodbusServer> StartOnNetworkAsync(string mode) => new(await StartAsync(mode, "127.0.0.1", "0"));

    /// <summary>Serves on a serial line.</summary>
    public static Task<PymodbusServer> StartRtuAsync(string device, SerialSettings settings) => StartOnLineAsync("rtu", device, settings);

    /// <summary>Serves in ASCII mode on a serial line.</summary>
    public static Task<PymodbusServer> StartAsciiAsync(string device, SerialSettings settings) => StartOnLineAsync("ascii", device, settings);

    private static async Task<PymodbusServer> StartOnLineAsync(string mode, string device, SerialSettings settings) => new(await StartAsync(
        mode, device, settings.Baud.ToString(CultureInfo.InvariantCulture), settings.Parity.ToString()[..1], settings.StopBits.ToString(CultureInfo.InvariantCulture)));

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static Task<PeerProcess> StartAsync(params string[] arguments) => PeerProcess.StartAsync(
        Python, Packages, [RepositoryFiles.At("tests/EdgeGateway.Integration/Modbus/peers/pymodbus_server.py"), RegisterImage.Path, .. arguments]);
}
