using System.Diagnostics;

namespace EdgeGateway.TrialTools;

/// <summary>Programs that a trial starts. What they write to their error output is seen.</summary>
internal static class Programs
{
    private static readonly string[] Nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Starts a program, whose input and output are held.</summary>
    public static Process Start(params string[] command) =>
        Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardInput = true }) ?? throw new InvalidOperationException($"{command[0]} does not start");

    /// <summary>Starts this program once more.</summary>
    public static Process StartAgain(params string[] arguments) => Start([.. Again, .. arguments]);

    /// <summary>Runs this program once more as a user without any right.</summary>
    /// <returns>What it said.</returns>
    public static async Task<string> SaidByNobodyAsync(params string[] arguments) => (await EndAsync(Start([.. Nobody, .. Again, .. arguments]))).Said;

    /// <summary>Starts the gateway that stands beside this program.</summary>
    public static Process StartGateway(params string[] arguments) => Start([.. Gateway, .. arguments]);

    /// <summary>The command that starts the gateway.</summary>
    public static IReadOnlyList<string> Gateway { get; } = [Environment.ProcessPath!, Path.Combine(AppContext.BaseDirectory, "edgegateway.dll")];

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it said.</returns>
    /// <exception cref="InvalidOperationException">It ended with an error.</exception>
    public static async Task<string> RunAsync(params string[] command)
    {
        var (status, said) = await EndAsync(Start(command));
        return status == 0 ? said : throw new InvalidOperationException($"{string.Join(' ', command)} ended with {status}: {said}");
    }

    /// <summary>Waits for the end of a program, and disposes it.</summary>
    public static async Task<(int Status, string Said)> EndAsync(Process process)
    {
        using (process)
        {
            var said = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, said.Trim());
        }
    }

    /// <summary>Waits until something holds; a quarter of an hour at most.</summary>
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

    /// <inheritdoc cref="UntilAsync(Func{Task{bool}})"/>
    public static Task<bool> UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static IReadOnlyList<string> Again { get; } = [Environment.ProcessPath!, typeof(Programs).Assembly.Location];
}
