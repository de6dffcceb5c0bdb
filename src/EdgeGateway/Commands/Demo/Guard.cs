using System.Diagnostics;

namespace EdgeGateway.Commands.Demo;

/// <summary>
/// A small shell process that outlives the demonstration by a moment: when its standard input ends, for whatever reason, it ends the
/// child processes that are left and removes the directory. So nothing stays behind even when the demonstration itself is killed.
/// </summary>
/// <remarks>
/// Chosen over PR_SET_PDEATHSIG, which acts when the <em>thread</em> that started a child ends, and threads of a pool do end. It also
/// sends SIGTERM for us, which .NET cannot.
/// </remarks>
internal sealed class Guard : IAsyncDisposable
{
    // Signals for the whole foreground group (Ctrl-C) are not for the guard: it ends with its input.
    private const string Script = """
        trap '' INT TERM HUP
        children=
        while read -r order pid; do
          case "$order" in
            started) children="$children $pid" ;;
            ended) kept=; for c in $children; do [ "$c" = "$pid" ] || kept="$kept $c"; done; children=$kept ;;
            stop) kill -TERM "$pid" 2>/dev/null ;;
          esac
        done
        for c in $children; do kill -TERM "$c" 2>/dev/null; done
        for i in 1 2 3 4 5 6; do
          left=
          for c in $children; do kill -0 "$c" 2>/dev/null && left="$left $c"; done
          [ -z "$left" ] && break
          sleep 1
        done
        for c in $left; do kill -KILL "$c" 2>/dev/null; done
        rm -rf -- "$1"
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private readonly Process _shell;
    private readonly string _directory;
    private readonly Lock _gate = new();

    private Guard(Process shell, string directory)
    {
        _shell = shell;
        _directory = directory;
    }

    public int ProcessId => _shell.Id;

    /// <summary>Starts the guard of a directory that will be removed at the end.</summary>
    public static Guard Start(string directory)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, WorkingDirectory = "/" };
        foreach (var argument in (ReadOnlySpan<string>)["-c", Script, "edgegateway-demo-guard", directory])
        {
            start.ArgumentList.Add(argument);
        }

        return new Guard(Process.Start(start) ?? throw new DemoException("/bin/sh cannot be started."), directory);
    }

    /// <summary>From now on the process must not outlive the demonstration.</summary>
    public void Started(int processId) => Order("started", processId);

    /// <summary>The process has ended by itself; its number may belong to another one soon.</summary>
    public void Ended(int processId) => Order("ended", processId);

    /// <summary>Sends SIGTERM.</summary>
    public void Stop(int processId) => Order("stop", processId);

    /// <summary>Ends what is left and removes the directory.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _shell.StandardInput.Close();
        }

        await _shell.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _shell.Dispose();
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private void Order(string order, int processId)
    {
        lock (_gate)
        {
            try
            {
                _shell.StandardInput.WriteLine($"{order} {processId}");
                _shell.StandardInput.Flush();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // Somebody killed the guard, or it is at its work already: the children are then ended by ChildProcess alone.
            }
        }
    }
}
