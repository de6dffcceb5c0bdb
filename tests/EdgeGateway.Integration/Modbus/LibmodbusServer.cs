using System.Diagnostics;
using System.Globalization;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Integration.Modbus;

/// <summary>The register image served by libmodbus, through a small C program that is compiled on first use.</summary>
public sealed class LibmodbusServer : IAsyncDisposable
{
    private const string Packages = "gcc libc6-dev pkg-config libmodbus-dev";

    private static readonly Lazy<Task<string>> Program = new(CompileAsync);

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
        return new(await PeerProcess.StartAsync(await Program.Value, Packages, [image, .. arguments]), image);
    }

    private static async Task<string> CompileAsync()
    {
        var source = RepositoryFiles.At("tests/tools/libmodbus-server/server.c");
        var program = Path.Combine(AppContext.BaseDirectory, "libmodbus-server");
        if (File.Exists(program) && File.GetLastWriteTimeUtc(program) > File.GetLastWriteTimeUtc(source))
        {
            return program;
        }

        // Under a name of its own first: another test process may be compiling or running the same program.
        var made = $"{program}.{Environment.ProcessId}";
        ProcessStartInfo compile = new(
            "sh",
            ["-c", "exec cc -Wall -Wextra -Werror -O1 -o \"$1\" \"$2\" $(pkg-config --cflags --libs libmodbus)", "sh", made, source])
        {
            RedirectStandardError = true,
        };
        using var compiler = Process.Start(compile)!;
        var errors = await compiler.StandardError.ReadToEndAsync();
        await compiler.WaitForExitAsync();
        if (compiler.ExitCode != 0)
        {
            throw new InvalidOperationException($"the libmodbus server does not compile: {errors}\nAre its Debian packages installed? Run: apt-get install {Packages}");
        }

        File.Move(made, program, overwrite: true);
        return program;
    }
}
