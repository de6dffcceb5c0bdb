namespace EdgeGateway.Integration.Modbus;

/// <summary>Two pseudo-terminals joined by socat, in place of a serial cable.</summary>
public sealed class PtyPair : IAsyncDisposable
{
    private readonly PeerProcess _socat;
    private readonly string _folder;

    private PtyPair(PeerProcess socat, string folder)
    {
        _socat = socat;
        _folder = folder;
    }

    /// <summary>The end for our side.</summary>
    public string Ours => Path.Combine(_folder, "ours");

    /// <summary>The end for the peer.</summary>
    public string Theirs => Path.Combine(_folder, "theirs");

    /// <summary>Makes a pair.</summary>
    public static async Task<PtyPair> CreateAsync()
    {
        var folder = Directory.CreateTempSubdirectory("edgegateway-pty-").FullName;
        var pair = new PtyPair(
            PeerProcess.Start("socat", "socat", $"pty,raw,echo=0,link={folder}/ours", $"pty,raw,echo=0,link={folder}/theirs"),
            folder);
        var started = TimeProvider.System.GetTimestamp();
        while (!File.Exists(pair.Ours) || !File.Exists(pair.Theirs))
        {
            if (TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromSeconds(20))
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
        await _socat.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
