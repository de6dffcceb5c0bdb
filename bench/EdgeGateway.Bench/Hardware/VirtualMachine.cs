using System.Globalization;

namespace EdgeGateway.Bench.Hardware;

/// <summary>The virtual machine of <c>tests/hardware-vm</c> with the benchmarks in it.</summary>
internal static class VirtualMachine
{
    /// <summary>Boots it, runs a command of this program there, and returns what it printed.</summary>
    /// <param name="folder">Where what runs there is, this program among it.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="command">The command and its arguments.</param>
    /// <exception cref="InvalidOperationException">The machine cannot be booted here, or the command failed; with what was printed.</exception>
    public static async Task<string> RunAsync(string folder, TimeSpan limit, params IEnumerable<string> command)
    {
        var script = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(script, "#!/bin/sh\nexec dotnet /app/bench.dll \"$@\"\n").ConfigureAwait(false);
            await using var machine = ChildProcess.Start(
                null, "bash", [Path.Combine(folder, "hardware-vm", "run"), "--timeout", limit.TotalSeconds.ToString("0", CultureInfo.InvariantCulture), folder, script, .. command]);
            return await machine.EndAsync().ConfigureAwait(false);
        }
        finally
        {
            File.Delete(script);
        }
    }
}
