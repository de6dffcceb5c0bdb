using System.Net.Sockets;
using EdgeGateway.Control;

namespace EdgeGateway.Commands.Demo;

/// <summary>The gateway as it runs at a site: a process of its own, asked over its Unix socket.</summary>
internal sealed class GatewayChild : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    private readonly ChildProcess _process;
    private readonly string _storage;
    private readonly EventList _events;
    private volatile StatusDocument? _status;

    private GatewayChild(ChildProcess process, string storage, EventList events)
    {
        _process = process;
        _storage = storage;
        _events = events;
    }

    public int ProcessId => _process.Id;

    /// <summary>Completes with the exit code.</summary>
    public Task<int> Exited => _process.Exited;

    /// <summary>What it printed last.</summary>
    public string LastLines => _process.LastLines;

    /// <summary>Its newest answer; null when it does not answer.</summary>
    public StatusDocument? Status => _status;

    /// <summary>Messages that wait in its outbox.</summary>
    public long Backlog => _status?.Depth ?? 0;

    public bool IsLinkUp => _status?.Uplinks.All(u => u.Connected) ?? false;

    /// <summary>Starts <c>edgegateway run</c> with the same program that runs now.</summary>
    public static GatewayChild Start(Guard guard, string configuration, string storage, TimeSpan shift, EventList events)
    {
        var (program, arguments) = OwnProgram.Call("run", "--config", configuration, "--shift", $"{shift.TotalSeconds:F3}");
        return new GatewayChild(ChildProcess.Start(guard, program, arguments), storage, events);
    }

    /// <summary>Asks for the status each second and tells changes of the link.</summary>
    public async Task WatchAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Period, TimeProvider.System);
        var wasUp = false;
        do
        {
            _status = await AskAsync(cancel).ConfigureAwait(false);
            if (_status is not null && IsLinkUp != wasUp)
            {
                wasUp = IsLinkUp;
                _events.Add(
                    wasUp ? $"link up: the gateway is connected to the broker, outbox {Backlog} messages." : $"LINK DOWN: {_status.Uplinks[0].Problem}",
                    wasUp ? Tone.Good : Tone.Bad);
            }
        }
        while (await timer.WaitForNextTickAsync(cancel).ConfigureAwait(false));
    }

    /// <summary>SIGTERM; the gateway commits, delivers for a moment and exits.</summary>
    public Task StopAsync() => _process.StopAsync(TimeSpan.FromSeconds(7));

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<StatusDocument?> AskAsync(CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(AnswerLimit);
        try
        {
            using var client = ControlClient.TryConnect(_storage);
            return client is null ? null : await client.GetAsync("status", ControlJson.Default.StatusDocument, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            // Starting, stopping or busy: 'no answer' is what the screen then shows.
            return null;
        }
    }
}
