using System.Diagnostics;
using EdgeGateway.Integration.Faults;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration;

/// <summary>
/// A virtual machine with simulated hardware (<c>tests/hardware-vm</c>), booted once for all tests of a class, in which a program of <c>tests/tools</c> tries things on the real kernel and prints
/// what it found: one line for each trial, its name and <c>key=value</c>, divided by tabs.
/// </summary>
/// <param name="program">The program's name; it is started with <c>run quick</c> or <c>run long</c>.</param>
/// <param name="options">Further options of <c>tests/hardware-vm/run</c>.</param>
public abstract class HardwareMachine(string program, params string[] options)
{
    private readonly Lazy<Task<(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Trials, string Text)>> _run = new(() => RunAsync(program, options));

    // Compiled before by the build, because programs start slowly under emulation.
    private static string Programs => Path.Combine(AppContext.BaseDirectory, "machine");

    /// <summary>All that the machine said.</summary>
    public async Task<string> TextAsync() => (await _run.Value).Text;

    /// <summary>The facts of one trial.</summary>
    public async Task<IReadOnlyDictionary<string, string>> FactsAsync(string trial)
    {
        var (trials, text) = await _run.Value;
        Assert.True(trials.TryGetValue(trial, out var facts), $"no trial {trial}: {text}");
        Assert.False(facts.TryGetValue("error", out var error), error);
        return facts;
    }

    private static async Task<(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Trials, string Text)> RunAsync(string program, string[] options)
    {
        var script = Path.GetTempFileName();
        await File.WriteAllTextAsync(script, $"#!/bin/sh\nexec dotnet /app/{program}.dll run \"$1\"\n");
        var limit = TimeSpan.FromMinutes(FaultScene.IsLong ? 90 : 30);
        var start = new ProcessStartInfo(
            "bash",
            [
                RepositoryFiles.At("tests/hardware-vm/run"), "--timeout", $"{(int)limit.TotalSeconds}", .. options, Programs, script,
                FaultScene.IsLong ? "long" : "quick",
            ]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(limit + TimeSpan.FromMinutes(4));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }

            File.Delete(script);
        }

        var text = await output + await errors;
        Assert.True(process.ExitCode == 0, $"status {process.ExitCode}: {text}");
        var trials = new Dictionary<string, IReadOnlyDictionary<string, string>>();
        foreach (var line in (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split('\t') is [var name, .. var facts])
            {
                trials[name] = facts.Select(fact => fact.Split('=', 2)).Where(fact => fact.Length == 2).ToDictionary(fact => fact[0], fact => fact[1]);
            }
        }

        return (trials, text);
    }
}
