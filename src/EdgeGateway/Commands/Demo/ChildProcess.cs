using System.Diagnostics;

namespace EdgeGateway.Commands.Demo;

/// <summary>A program that the demonstration started: its output is kept for the case that it fails, and it ends with the demonstration.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int KeptLines = 40;

    private readonly Guard _guard;
    private readonly Process _process;
    private readonly Queue<string> _lines = [];

    private ChildProcess(Guard guard, Process process)
    {
        _guard = guard;
        _process = process;
        Id = process.Id;
        guard.Started(Id);
        Exited = WatchAsync();
    }

    public int Id { get; }

    /// <summary>Completes with the exit code.</summary>
    public Task<int> Exited { get; }

    /// <summary>What it printed last.</summary>
    public string LastLines
    {
        get
        {
            lock (_lines)
            {
                return string.Join(Environment.NewLine, _lines);
            }
        }
    }

    /// <summary>Starts a program without a terminal.</summary>
    /// <exception cref="DemoException">It cannot be started.</exception>
    public static ChildProcess Start(Guard guard, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            return new ChildProcess(guard, Process.Start(start) ?? throw new DemoException($"{program} cannot be started."));
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new DemoException($"{program} cannot be started: {e.Message}");
        }
    }

    /// <summary>SIGTERM, and SIGKILL when it has not ended after <paramref name="limit"/>.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        if (!Exited.IsCompleted)
        {
            _guard.Stop(Id);
            await ((Task)Exited).WaitAsync(limit, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!Exited.IsCompleted)
            {
                _process.Kill();
                await Exited.ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        _process.Dispose();
    }

    private async Task<int> WatchAsync()
    {
        _process.StandardInput.Close();
        await Task.WhenAll(KeepAsync(_process.StandardOutput), KeepAsync(_process.StandardError), _process.WaitForExitAsync()).ConfigureAwait(false);
        _guard.Ended(Id);
        return _process.ExitCode;
    }

    private async Task KeepAsync(StreamReader output)
    {
        while (await output.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            lock (_lines)
            {
                if (_lines.Count == KeptLines)
                {
                    _lines.Dequeue();
                }

                _lines.Enqueue(line);
            }
        }
    }
}
