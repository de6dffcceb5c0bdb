using System.Diagnostics;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>Small C programs on libmodbus, compiled on first use.</summary>
internal static class LibmodbusProgram
{
    /// <summary>What it takes to compile them.</summary>
    public const string Packages = "gcc libc6-dev pkg-config libmodbus-dev";

    private static readonly Lazy<Task<string>> LazyServer = new(() => CompileAsync("libmodbus-server", "server.c"));
    private static readonly Lazy<Task<string>> LazyClient = new(() => CompileAsync("libmodbus-client", "client.c"));

    /// <summary>The server.</summary>
    public static Task<string> Server => LazyServer.Value;

    /// <summary>The client.</summary>
    public static Task<string> Client => LazyClient.Value;

    private static async Task<string> CompileAsync(string name, string file)
    {
        var source = RepositoryFiles.At($"tests/tools/{name}/{file}");
        var program = Path.Combine(AppContext.BaseDirectory, name);
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
            throw new InvalidOperationException($"{file} does not compile: {errors}\nAre its Debian packages installed? Run: apt-get install {Packages}");
        }

        File.Move(made, program, overwrite: true);
        return program;
    }
}
