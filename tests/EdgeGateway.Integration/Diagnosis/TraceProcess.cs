using System.Diagnostics;
using EdgeGateway.Integration.Gateway;

namespace EdgeGateway.Integration.Diagnosis;

/// <summary>A command that goes on until it is interrupted.</summary>
internal sealed class TraceProcess : IAsyncDisposable
{
    private readonly Process _process;

    private TraceProcess(Process process) => _process = process;

    public static TraceProcess Start(params string[] arguments) => new(Process.Start(new ProcessStartInfo(
        "dotnet", [Path.Combine(AppContext.BaseDirectory, "edgegateway.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!);

    public async Task<string> LineAsync() =>
        await _process.StandardOutput.ReadLineAsync().WaitAsync(Until.Limit) ?? throw new InvalidOperationException(await _process.StandardError.ReadToEndAsync());

    public async Task SaysAsync(string what)
    {
        var said = new List<string>();
        while (await _process.StandardError.ReadLineAsync().WaitAsync(Until.Limit) is { } line)
        {
            said.Add(line);
            if (line.Contains(what, StringComparison.Ordinal))
            {
                return;
            }
        }

        throw new InvalidOperationException($"it ended without '{what}': {string.Join('\n', said)}");
    }

    /// <summary>Ctrl+C. It ends at once and says nothing bad.</summary>
    public async Task InterruptAsync()
    {
        using var kill = Process.Start("/bin/kill", ["-INT", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, await ExitAsync());
        Assert.DoesNotContain("Unhandled", await _process.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
    }

    public async Task<int> ExitAsync()
    {
        var rest = _process.StandardOutput.ReadToEndAsync();
        await _process.WaitForExitAsync().WaitAsync(Until.Limit);
        await rest;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
