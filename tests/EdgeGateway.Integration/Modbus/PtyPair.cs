using EdgeGateway.Integration.Gateway;

namespace EdgeGateway.Integration.Modbus;

/// <summary>Two pseudo-terminals joined by socat, in place of a serial cable.</summary>
public sealed class PtyPair : IAsyncDisposable
{
    private readonly PeerProcess _socat;
    private string? _folder;

    private PtyPair(PeerProcess socat, string ours, string theirs)
    {
        _socat = socat;
        Ours = ours;
        Theirs = theirs;
    }

    /// <summary>The end for our side.</summary>
    public string Ours { get; }

    /// <summary>The end for the peer.</summary>
    public string Theirs { get; }

    /// <summary>Makes a pair with names of its own.</summary>
    public static async Task<PtyPair> CreateAsync()
    {
        var folder = Directory.CreateTempSubdirectory("edgegateway-pty-").FullName;
        var pair = await PlugInAsync(Path.Combine(folder, "ours"), Path.Combine(folder, "theirs"));
        pair._folder = folder;
        return pair;
    }

    /// <summary>Makes a pair with given names, as an adapter has that keeps its name when it is plugged in again. Disposing pulls it.</summary>
    public static async Task<PtyPair> PlugInAsync(string ours, string theirs)
    {
        var pair = new PtyPair(PeerProcess.Start("socat", "socat", $"pty,raw,echo=0,link={ours}", $"pty,raw,echo=0,link={theirs}"), ours, theirs);
        var started = TimeProvider.System.GetTimestamp();
        while (!File.Exists(ours) || !File.Exists(theirs))
        {
            if (TimeProvider.System.GetElapsedTime(started) > Until.Limit)
            {
                var state = pair._socat.ToString();
                await pair.DisposeAsync();
                throw new InvalidOperationException($"socat made no pseudo-terminals: {state}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }

        return pair;
    }

    /// <summary>From now on nobody takes what our side writes, as with an adapter that hangs.</summary>
    public Task HangAsync() => PeerProcess.RunAsync("kill", "procps", "-STOP", $"{_socat.Id}");

    public async ValueTask DisposeAsync()
    {
        // The names go first: the kernel gives the terminals behind them to the next test that asks, and nobody of this one may take those.
        File.Delete(Ours);
        File.Delete(Theirs);
        await _socat.DisposeAsync();
        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
