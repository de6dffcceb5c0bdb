using System.Diagnostics;
using System.Globalization;

namespace EdgeGateway.Bench;

/// <summary>A process under measurement or beside it: pinned to a processor, ended by its own id.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];

    private ChildProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Process id; that of the program itself, since <c>taskset</c> replaces itself by it.</summary>
    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it printed so far.</summary>
    public string Output
    {
        get
        {
            lock (_gate)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>Starts a program on a processor.</summary>
    /// <param name="cpus">Processors it may use, as <c>taskset -c</c> takes them; null for all.</param>
    /// <param name="file">Program.</param>
    /// <param name="arguments">Its arguments.</param>
    public static ChildProcess Start(string? cpus, string file, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(cpus is null ? file : "taskset") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (cpus is not null)
        {
            start.ArgumentList.Add("-c");
            start.ArgumentList.Add(cpus);
            start.ArgumentList.Add(file);
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // The settings under measurement are those of the program's own runtimeconfig, plus what the caller exports on purpose.
        return new ChildProcess(Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start."));
    }

    /// <summary>Waits until a line that holds <paramref name="text"/> was printed, and returns it.</summary>
    /// <exception cref="InvalidOperationException">The process ended before.</exception>
    public async Task<string> LineWithAsync(string text)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_lines.Find(l => l.Contains(text, StringComparison.Ordinal)) is { } line)
                {
                    return line;
                }
            }

            ThrowIfExited();
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for the end of a program that ends by itself, and returns its output.</summary>
    public async Task<string> EndAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        return _process.ExitCode == 0 ? Output : throw new InvalidOperationException($"{_process.StartInfo.FileName} failed with {_process.ExitCode}: {Output}");
    }

    public void ThrowIfExited()
    {
        if (_process.HasExited)
        {
            throw new InvalidOperationException($"A process of the measurement ended early ({_process.ExitCode}): {Output}");
        }
    }

    /// <summary>SIGKILL: it has no time to save anything.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().ConfigureAwait(false);
    }

    /// <summary>SIGTERM, and SIGKILL when that takes too long.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var term = Process.Start("/bin/kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            await term.WaitForExitAsync().ConfigureAwait(false);
            try
            {
                await _process.WaitForExitAsync().WaitAsync(StopLimit, TimeProvider.System).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                _process.Kill();
            }
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lock (_gate)
            {
                _lines.Add(line);
            }
        }
    }
}
