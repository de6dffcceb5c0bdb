using System.Diagnostics;

namespace EdgeGateway.SerialTrial;

/// <summary>Programs that the trials start.</summary>
internal static class Bench
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it wrote to its standard output.</returns>
    /// <exception cref="InvalidOperationException">It ended with an error.</exception>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? said.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {said}");
    }

    /// <summary>This program once more.</summary>
    /// <param name="before">What starts it, such as <c>setpriv</c> with its arguments; empty for nothing.</param>
    /// <param name="arguments">Its arguments.</param>
    public static Process StartAgain(string[] before, params string[] arguments)
    {
        string[] all = [.. before, Environment.ProcessPath!, typeof(Bench).Assembly.Location, .. arguments];
        return Start(all[0], all[1..]);
    }

    /// <summary>Starts a program; what it writes to its error output is seen.</summary>
    public static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true }) ?? throw new InvalidOperationException($"{program} does not start");

    /// <summary>Waits until something holds.</summary>
    /// <returns>False when it never did.</returns>
    public static async Task<bool> UntilAsync(Func<Task<bool>> condition)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(began) > Patience)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        return true;
    }
}
