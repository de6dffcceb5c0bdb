using System.Diagnostics;
using System.Text.RegularExpressions;

namespace EdgeGateway.Integration.Demo;

/// <summary><c>edgegateway demo</c> as a person runs it, with what it printed and which processes it said it started.</summary>
internal sealed partial class DemoProcess : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly Process _process;
    private readonly Task _reading;
    private readonly List<string> _lines = [];

    private DemoProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public string Output
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>Processes that it started: the guard, the broker (again after an outage), the gateway.</summary>
    public IReadOnlyList<int> Children => [.. ProcessNumber().Matches(Output).Select(m => int.Parse(m.Groups[1].Value)).Distinct()];

    public string Directory => DirectoryName().Match(Output).Groups[1].Value;

    /// <summary>Children that live. A number alone could belong to another process by now: theirs name the demo's directory.</summary>
    public IReadOnlyList<int> LivingChildren => [.. Children.Where(id => CommandLine(id).Contains(Directory, StringComparison.Ordinal))];

    public static DemoProcess Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "edgegateway.dll"), "demo", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        return new DemoProcess(Process.Start(start)!);
    }

    /// <summary>Waits until something is true of it.</summary>
    public async Task UntilAsync(string what, TimeSpan limit, Func<bool> isTrue)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!isTrue())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < limit, $"not within {limit.TotalSeconds} s: {what}\n{Output}");
            await Task.Delay(Look, TimeProvider.System);
        }
    }

    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Waits for the end and gives the exit code.</summary>
    public async Task<int> EndAsync(TimeSpan limit)
    {
        await _process.WaitForExitAsync().WaitAsync(limit, TimeProvider.System);
        await _reading.WaitAsync(limit, TimeProvider.System);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // The guard then ends the children.
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static string CommandLine(int processId)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private async Task ReadAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            lock (_lines)
            {
                _lines.Add(line);
            }
        }
    }

    [GeneratedRegex(@"process (\d+)")]
    private static partial Regex ProcessNumber();

    [GeneratedRegex(@"^directory (\S+),", RegexOptions.Multiline)]
    private static partial Regex DirectoryName();
}
