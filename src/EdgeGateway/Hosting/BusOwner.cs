using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>A bus and the task that owns it. It may outlive the gateway that began it: a change of configuration that does not concern the bus does not interrupt its polls.</summary>
/// <param name="model">The bus.</param>
/// <param name="site">The configuration under which it began, which numbers its points.</param>
/// <param name="numbering">That numbering.</param>
/// <param name="bus">The bus itself.</param>
/// <param name="poller">Its owner.</param>
internal sealed class BusOwner(BusModel model, SiteModel site, int numbering, IBus bus, BusPoller poller) : IAsyncDisposable
{
    /// <summary>A bus that does not give back its last read by then is left behind: it has no part in what follows.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private Task? _task;
    private Task? _ended;

    public BusModel Model => model;

    /// <summary>The configuration under which it began.</summary>
    public SiteModel Site => site;

    /// <summary>Numbering of its readings: <see cref="PointNumbers"/>.</summary>
    public int Numbering => numbering;

    public IBus Bus => bus;

    public BusPoller Poller => poller;

    /// <summary>Told when the owner ends by a fault and is started again; must not throw.</summary>
    public Action<string, Exception>? Failed { get; set; }

    /// <summary>Begins to poll; when it polls already, what is read once is read again for the configuration that has come into force.</summary>
    public void Start(TimeProvider time, ILogger log)
    {
        if (_task is not null)
        {
            poller.ReadOnceAgain();
            return;
        }

        _task = Task.Run(
            () => Supervisor.KeepAsync($"bus {model.Id}", poller.RunAsync, time, log, _stop.Token, (part, fault) => Failed?.Invoke(part, fault), poller.Beat), CancellationToken.None);
    }

    /// <summary>Ends the polling; completes when the last read has ended, which on a dead bus may be late.</summary>
    public async Task EndAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await (_task ?? Task.CompletedTask).ConfigureAwait(false);
    }

    /// <summary>Ends the polling and closes the bus, each within <see cref="Grace"/>.</summary>
    /// <returns>False when something was left behind.</returns>
    public async Task<bool> CloseAsync(TimeProvider time)
    {
        _ended ??= EndAsync();
        await _ended.WaitAsync(Grace, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        poller.Dispose();
        var closed = bus.DisposeAsync().AsTask();
        await closed.WaitAsync(Grace, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _ended.IsCompleted && closed.IsCompleted;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync(TimeProvider.System).ConfigureAwait(false);
        _stop.Dispose();
    }
}

/// <summary>Buses whose owners go on polling while the configuration changes, with the queue that takes their readings and the clock that stamps them.</summary>
/// <param name="Owners">The buses.</param>
/// <param name="Queue">Keeps what they read until the next gateway takes it.</param>
/// <param name="Clock">Their clock.</param>
/// <param name="Numbering">The newest numbering in use.</param>
/// <param name="Site">The configuration that they come from.</param>
internal sealed record CarriedPolling(IReadOnlyList<BusOwner> Owners, ReadingQueue Queue, GatewayClock Clock, int Numbering, SiteModel Site)
{
    /// <summary>What remains unsaid because the last commit failed; null when all is on the disk.</summary>
    public Shortfall? Shortfall { get; init; }

    /// <summary>Buses of the next configuration with devices that were read and whose owners could not go on.</summary>
    public IReadOnlyList<string> Interrupted(SiteModel next) =>
    [
        .. next.Devices.Where(d => Site.Devices.FirstOrDefault(b => b.Id == d.Id) is { } before && !Owners.Any(o => o.Model.Id == before.BusId)).Select(d => d.BusId).Distinct(StringComparer.Ordinal),
    ];

    /// <summary>Ends them all: nobody took them over. What waits in the queue was never accepted.</summary>
    public async Task EndAsync()
    {
        await Task.WhenAll(Owners.Select(o => o.CloseAsync(Clock.Time))).ConfigureAwait(false);
        Queue.Dispose();
    }
}

/// <summary>What a gateway leaves behind whose last commit failed, for the one that goes on with its buses.</summary>
/// <param name="Problem">Why it failed.</param>
/// <param name="Since">Since when nothing could be stored.</param>
/// <param name="NotStored">Readings that found no place in the queue.</param>
/// <param name="Notes">Totals of buses that take them for stored.</param>
internal sealed record Shortfall(string Problem, Instant Since, long NotStored, IReadOnlyList<StoreNote> Notes);

/// <summary>How the buses of the configuration before go on under this one.</summary>
/// <param name="Numbers">Translates the numbers of their points.</param>
/// <param name="HasNone">True when none goes on: nothing was acquired meanwhile.</param>
/// <param name="Interrupted">Buses with devices that were read before and that could not go on.</param>
/// <param name="Shortfall">What was not stored before; null when all was.</param>
internal sealed record ChangeOver(PointNumbers Numbers, bool HasNone, IReadOnlyList<string> Interrupted, Shortfall? Shortfall);
