using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Tests.Buses;

/// <summary>A poller over a scripted bus, and a clock that the test moves by milliseconds, each after the poller has come to rest.</summary>
internal sealed class PollerRig : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    private readonly CancellationTokenSource _stop = new();
    private Task? _asked;

    public PollerRig(BusSite site, double startSecond = 0)
    {
        Time = new ManualTime(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero).AddSeconds(startSecond));
        Site = site.Build();
        Bus = new ScriptedBus(Time);
        Clock = new GatewayClock(Time);
        Queue = new ReadingQueue(Time);
        Poller = new BusPoller(BusSite.Bus, Site, Bus, Queue, Clock, NullLogger.Instance);
    }

    public ManualTime Time { get; }

    public SiteModel Site { get; }

    public ScriptedBus Bus { get; }

    public GatewayClock Clock { get; }

    public ReadingQueue Queue { get; }

    public BusPoller Poller { get; }

    public Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>Everything that was read, in order.</summary>
    public List<Reading> Readings { get; } = [];

    public TimeSpan Now => Time.GetElapsedTime(0);

    /// <summary>Starts the poller and waits until it has done what is due.</summary>
    public async Task StartAsync()
    {
        Start();
        await RestAsync();
    }

    /// <summary>Starts the poller.</summary>
    public void Start() => Running = Task.Run(() => Poller.RunAsync(_stop.Token));

    /// <summary>Moves the clock to an instant after the start of the test.</summary>
    public Task RunToAsync(double seconds) => RunUntilAsync(() => Now >= TimeSpan.FromSeconds(seconds));

    /// <summary>Moves the clock until a question is answered.</summary>
    public async Task<T> RunUntilAsync<T>(Task<T> asked)
    {
        // Who asks may wait for the bus without the poller.
        _asked = asked;

        // Asking has woken the poller: a clock that moves while it is awake would make it late.
        await RestAsync();
        await RunUntilAsync(() => asked.IsCompleted);
        return await asked;
    }

    private async Task RunUntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            Advance();
            await RestAsync();
        }
    }

    // Without the context of the test, so that what waits for a timer goes on inside of it and is seen to be awake.
    private void Advance()
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Time.Advance(Step);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>Waits until the poller has nothing to do before the clock moves, or has ended.</summary>
    public Task RestAsync() => UntilAsync(() => Poller.IsAtRest || Running.IsCompleted || _asked is { IsCompleted: false } && Bus.UnderWay > 0);

    /// <summary>Lets other threads run until something is so.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            Assert.True(i < 30_000, "the poller did not come to rest");
            if (i < 100)
            {
                await Task.Yield();
            }
            else
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            }
        }

        if (Running is { IsFaulted: true, Exception.InnerException: not IOException })
        {
            // A poller that has ended by a fault that no test scripts would look like one at rest.
            await Running;
        }

        if (Queue.Count < ReadingQueue.Capacity)
        {
            Drain();
        }
    }

    public void Drain()
    {
        while (Queue.TryRead(out var reading))
        {
            Readings.Add(reading);
        }
    }

    public Reading[] Of(int point) => [.. Readings.Where(r => r.Point == point)];

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Poller.Dispose();
        Queue.Dispose();
        _stop.Dispose();
    }

    public static void IsMissing(QualityReason reason, Reading reading, byte detail = 0)
    {
        Assert.Equal(Quality.Bad(reason, detail), reading.Quality);
        Assert.True(double.IsNaN(reading.Value));
    }
}
