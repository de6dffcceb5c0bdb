using System.Diagnostics;
using System.Text.Json;
using EdgeGateway.Commands.Demo;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Acceptance;

/// <summary>
/// <c>hardware/acceptance/run</c> as a technician runs it, attended by nobody: measurements for seconds, the link cut, the gateway killed in place of the power. What is measured is not judged here: this
/// machine is no board. Pulses need two lines and a wire, a real power cut needs a plug.
/// </summary>
public sealed class AcceptanceTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(12);

    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-acceptance-").FullName;

    [Fact]
    public async Task A_run_cuts_the_link_and_kills_the_gateway_and_every_record_arrives()
    {
        var (_, said) = await RunAsync("--steps", "machine,doctor,idle,pulses,link,clock,site-link,power", "--seconds", "8");
        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "report.json")));
        var steps = report.RootElement.GetProperty("steps").EnumerateArray().ToDictionary(s => s.GetProperty("step").GetString()!);
        Assert.Equal(["machine", "doctor", "idle", "pulses", "link", "clock", "site-link", "power"], steps.Keys);
        foreach (var step in new[] { "link", "power" })
        {
            Assert.True(steps[step].GetProperty("verdict").GetString() == "ok", $"{said}\n{steps[step].GetProperty("text")}");
            Assert.True(steps[step].GetProperty("data").GetProperty("proven").GetBoolean());
        }

        Assert.True(steps["idle"].GetProperty("data").GetProperty("residentBytes").GetDouble() > 1e6, said);
        Assert.All(new[] { "doctor", "pulses", "site-link" }, step => Assert.Equal("not-done", steps[step].GetProperty("verdict").GetString()));
        Assert.Contains(steps["clock"].GetProperty("verdict").GetString()!, new[] { "ok", "warning" });
        Assert.Contains("killed in place of a power cut", steps["power"].GetProperty("text").GetString()!, StringComparison.Ordinal);
        Assert.Contains(steps["power"].GetProperty("text").GetString()!, await File.ReadAllTextAsync(Path.Combine(_folder, "report.txt")), StringComparison.Ordinal);

        // What is done is not done again.
        var (_, again) = await RunAsync("--steps", "machine,doctor,idle,pulses,link,clock,site-link,power");
        Assert.StartsWith("\nAcceptance of", again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_fails_is_a_fault_and_the_exit_code_says_so()
    {
        var (code, said) = await RunAsync("--steps", "pulses", "--pulses", "no-such-chip/1:no-such-chip/2");
        Assert.Equal(1, code);
        Assert.Contains("fault: pulses:", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Words_that_mean_nothing_are_refused()
    {
        var (code, said) = await RunAsync("--seconds", "many");
        Assert.Equal(2, code);
        Assert.Contains("hardware/acceptance/run", said, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<(int ExitCode, string Said)> RunAsync(params string[] arguments)
    {
        var program = Path.Combine(_folder, "edgegateway");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "edgegateway.dll")}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        string[] all = [RepositoryFiles.At("hardware/acceptance/run"), "--unattended", "--folder", _folder, "--program", program, "--port", $"{FreePort.First(2)}", .. arguments];
        using var process = Process.Start(new ProcessStartInfo("sh", all) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        return (process.ExitCode, await output + await errors);
    }
}
