using System.Globalization;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Integration.Modbus;

/// <summary>The register image served by libmodbus, through a small C program that is compiled on first use.</summary>
public sealed class LibmodbusServer : IAsyncDisposable
{
    private readonly PeerProcess _process;
    private readonly string _image;

    private LibmodbusServer(PeerProcess process, string image)
    {
        _process = process;
        _image = image;
    }

    /// <summary>The TCP port on the loopback address.</summary>
    public int Port => _process.ReadyNumber;

    /// <summary>Serves on a free TCP port.</summary>
    public static Task<LibmodbusServer> StartTcpAsync() => StartAsync("tcp", "0");

    /// <summary>Serves on a serial line.</summary>
    public static Task<LibmodbusServer> StartRtuAsync(string device, SerialSettings settings) => StartAsync(
        "rtu", device, settings.Baud.ToString(CultureInfo.InvariantCulture), settings.Parity.ToString()[..1], settings.StopBits.ToString(CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        File.Delete(_image);
    }

    private static async Task<LibmodbusServer> StartAsync(params string[] arguments)
    {
        var image = Path.GetTempFileName();
        await File.WriteAllTextAsync(image, RegisterImage.Default.ToLines());
        return new(await PeerProcess.StartAsync(await LibmodbusProgram.Server, LibmodbusProgram.Packages, [image, .. arguments]), image);
    }
}
