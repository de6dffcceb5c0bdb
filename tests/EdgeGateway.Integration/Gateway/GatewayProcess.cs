using System.Diagnostics;
using System.Text;
using System.Text.Json;
using EdgeGateway.Control;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Gateway;

/// <summary>The real program as a child process; it is ended by its own process id whatever happens to the test.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    // One that hangs is ended; one that is only slow, on a machine that does much else, is not. A scan of a line takes a minute by itself.
    private static readonly TimeSpan ExitLimit = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly string _store;

    /// <summary>The program as it was built for these tests; <c>dotnet</c> starts it.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "edgegateway.dll");

    private GatewayProcess(string store, string[] arguments, IReadOnlyDictionary<string, string>? environment = null, params string[] before)
    {
        _store = store;
        Assert.True(File.Exists(Program), $"{Program} is missing: build the solution");
        string[] words = [.. before, "dotnet", Program, .. arguments];
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += Append;
        _process.ErrorDataReceived += Append;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it printed so far, both streams.</summary>
    public string Log { get { lock (_log) { return _log.ToString(); } } }

    /// <summary>Starts <c>edgegateway run</c> and returns at once.</summary>
    /// <param name="site">The site.</param>
    /// <param name="environment">Further environment variables, or null.</param>
    /// <param name="store">Directory of the store, when the configuration does not name <c>data</c>.</param>
    public static GatewayProcess Start(GatewaySite site, IReadOnlyDictionary<string, string>? environment = null, string? store = null) =>
        new(store ?? site.Store, ["run", "--config", site.Configuration], environment);

    /// <summary>Starts <c>edgegateway run</c> as another user and group, as root can, and returns at once.</summary>
    /// <param name="site">The site.</param>
    /// <param name="user">Number of the user.</param>
    /// <param name="group">Number of the group.</param>
    public static GatewayProcess StartAs(GatewaySite site, int user, int group) =>
        new(site.Store, ["run", "--config", site.Configuration], new Dictionary<string, string> { ["HOME"] = "/tmp" }, "setpriv", "--reuid", $"{user}", "--regid", $"{group}", "--clear-groups");

    /// <summary>Starts <c>edgegateway run</c> and waits until it answers on its socket.</summary>
    public static async Task<GatewayProcess> RunAsync(GatewaySite site, IReadOnlyDictionary<string, string>? environment = null)
    {
        var process = Start(site, environment);
        try
        {
            await process.ReadyAsync();
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs any other command to its end.</summary>
    public static Task<(int ExitCode, string Out, string Errors)> CommandAsync(params string[] arguments) => EndAsync("dotnet", [Program, .. arguments]);

    /// <summary>Runs a command on a terminal of its own, where a person waits for texts and types.</summary>
    /// <param name="steps">What is waited for, and what is typed then.</param>
    /// <param name="arguments">The command.</param>
    /// <returns>What was read from the terminal, without control sequences. Exit code 99 when a text never came.</returns>
    public static Task<(int ExitCode, string Out, string Errors)> AtTerminalAsync((string Until, string Type)[] steps, params string[] arguments) => EndAsync(
        "/usr/bin/python3",
        [RepositoryFiles.At("tests/EdgeGateway.Integration/Diagnosis/peers/terminal.py"), JsonSerializer.Serialize(steps.Select(s => new[] { s.Until, s.Type })), "dotnet", Program, .. arguments]);

    private static async Task<(int ExitCode, string Out, string Errors)> EndAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(ExitLimit);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>Waits until the process answers on its socket.</summary>
    public Task ReadyAsync() => Until.HoldsAsync(
        async () =>
        {
            Assert.False(HasExited, $"the gateway ended at start:\n{Log}");
            return await TryStatusAsync() is not null;
        },
        "the gateway answers",
        () => Log);

    /// <summary>What <c>edgegateway status</c> shows.</summary>
    public async Task<StatusDocument> StatusAsync() => await TryStatusAsync() ?? throw new InvalidOperationException($"the gateway does not answer:\n{Log}");

    /// <summary>Waits until the status satisfies a condition.</summary>
    public Task StatusHoldsAsync(Func<StatusDocument, bool> condition, string what)
    {
        StatusDocument? last = null;
        return Until.HoldsAsync(
            async () =>
            {
                Assert.False(HasExited, $"the gateway ended:\n{Log}");

                // While another configuration is taken over nobody answers for a moment.
                return await TryStatusAsync() is { } status && condition(last = status);
            },
            what,
            () => $"{last}\n{string.Join('\n', last?.Problems ?? [])}\n{string.Join('\n', last?.Devices.AsEnumerable() ?? [])}\n{Log}");
    }

    /// <summary>Waits until nothing from before this connection waits any more: a stop delivers what is live and leaves history for the next start.</summary>
    public Task HistoryIsThroughAsync() =>
        StatusHoldsAsync(s => s.Uplinks.All(u => u is { Connected: true, Delivered: > 0, BackfillSeconds: null }), "the history is through");

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await ExitAsync();
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("/bin/kill", ["-TERM", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        return await ExitAsync();
    }

    /// <summary>Waits for the end; returns the exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(ExitLimit);
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

    private async Task<StatusDocument?> TryStatusAsync()
    {
        using var client = ControlClient.TryConnect(_store);
        if (client is null)
        {
            return null;
        }

        try
        {
            var status = await client.GetAsync("status", ControlJson.Default.StatusDocument, CancellationToken.None);
            return status.ProcessId == Id ? status : null;
        }
        catch (HttpRequestException)
        {
            // It listens already, and does not serve yet, or it is going.
            return null;
        }
    }

    private void Append(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
        {
            _log.AppendLine(line.Data);
        }
    }
}
