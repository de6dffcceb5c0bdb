using System.Diagnostics;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>The server of the benchmarks: in C, answers every request after the same time, however many are under way. Every register holds its address.</summary>
public static class LatencyServer
{
    private const string Packages = "gcc libc6-dev";

    private static readonly Lazy<Task<string>> Program = new(CompileAsync);

    /// <summary>Serves on a free TCP port; objecting: closes the connection when asked again before it has answered.</summary>
    public static async Task<PeerProcess> StartAsync(int latencyMicroseconds, bool objects = false) =>
        await PeerProcess.StartAsync(await Program.Value, Packages, $"{latencyMicroseconds}", objects ? "object" : "accept");

    private static async Task<string> CompileAsync()
    {
        var source = RepositoryFiles.At("bench/peers/modbus_server.c");
        var program = Path.Combine(AppContext.BaseDirectory, $"latency-server.{Environment.ProcessId}");
        ProcessStartInfo compile = new("cc", ["-Wall", "-Wextra", "-Werror", "-O1", "-o", program, source]) { RedirectStandardError = true };
        using var compiler = Process.Start(compile)!;
        var errors = await compiler.StandardError.ReadToEndAsync();
        await compiler.WaitForExitAsync();
        return compiler.ExitCode == 0
            ? program
            : throw new InvalidOperationException($"the latency server does not compile: {errors}\nAre its Debian packages installed? Run: apt-get install {Packages}");
    }
}
