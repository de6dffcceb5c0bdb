using EdgeGateway.Control;
using EdgeGateway.Hosting;
using EdgeGateway.Lines;
using EdgeGateway.Storage;
using EdgeGateway.Telemetry;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Commands;

/// <summary>
/// The life of <c>edgegateway run</c>: opens the gateway, changes it over to another configuration when that is asked for, and starts it again after a
/// fault. Tells the service manager how far it is.
/// </summary>
/// <param name="time">Clocks.</param>
/// <param name="logs">Where it logs.</param>
/// <param name="manager">Who started the program; null when nobody watches it.</param>
/// <param name="reloader">Takes wishes for another configuration.</param>
/// <param name="textOfFile">Names the text that the configuration file holds now: <see cref="GoodCopy.TextOf"/>.</param>
/// <param name="shelf">Keeps GPIO lines; null when nobody does.</param>
internal sealed class GatewayService(TimeProvider time, ILoggerFactory logs, ServiceManager? manager, Reloader reloader, Func<string> textOfFile, LineShelf? shelf = null)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(60);

    // By then every poller has had its first turns and the first windows are closed: what is not in use now was the start's.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Loading = TimeSpan.FromSeconds(15);

    private readonly ILogger _log = logs.CreateLogger("EdgeGateway");
    private bool _hasRun;

    // The configuration to go back to while the one that takes over has not started.
    private LoadedSite? _before;

    // Buses that go on polling between two configurations.
    private CarriedPolling? _carried;
    private volatile GatewayRuntime? _gateway;
    private string _storage = "";

    /// <summary>Runs until <paramref name="stop"/>.</summary>
    /// <param name="site">The configuration to start with.</param>
    /// <param name="lastGood">What to start when it does not start; null when there is nothing else.</param>
    /// <param name="stop">Ends the run.</param>
    /// <exception cref="StoreException">At the start: the store cannot be used; the message says what to do.</exception>
    /// <exception cref="IOException">At the start: the health endpoint or the control socket cannot be opened.</exception>
    public async Task RunAsync(LoadedSite site, LoadedSite? lastGood, CancellationToken stop)
    {
        _before = lastGood;
        try
        {
            await KeepRunningAsync(site, stop).ConfigureAwait(false);
        }
        finally
        {
            await LetGoAsync().ConfigureAwait(false);
        }
    }

    private async Task KeepRunningAsync(LoadedSite site, CancellationToken stop)
    {
        using var hangUp = OperatingSystem.IsWindows() ? null : System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGHUP,
            signal =>
            {
                signal.Cancel = true;
                Ask();
            });
        var running = site;
        var delay = FirstDelay;

        // A stop that came when the change had been told already: the next one tells the stop.
        while (!stop.IsCancellationRequested || _carried is not null)
        {
            var started = time.GetTimestamp();
            LoadedSite? next;
            _storage = running.Model.Storage.Directory;
            try
            {
                next = await RunOnceAsync(running, stop).ConfigureAwait(false);
            }
            catch (Exception e) when (_before is not null && e is StoreException or IOException && IsItsFault(running, e))
            {
                // The new one was good as far as it can be checked; it does not start, say, because its health port is taken.
                Log.ReloadFailed(_log, e.Message);
                reloader.Ended(ReloadDocument.Failed, e.Message);
                var refused = running.Model.ConfigurationHash;
                (running, _before) = (_before!, null);

                // Noted once this one runs: when it does not either, something else is wrong.
                reloader.Refusal = new ConfigurationRefusal(refused, time.GetUtcNow(), $"it does not start: {e.Message}");
                continue;
            }
#pragma warning disable CA1031 // A gateway that ended by whatever fault is started again.
            catch (Exception e) when (_hasRun && !stop.IsCancellationRequested)
#pragma warning restore CA1031
            {
                // Whatever it was: it is told, and the gateway goes on from its last commit.
                delay = time.GetElapsedTime(started) > LongestDelay ? FirstDelay : delay;
                Log.GatewayFailed(_log, delay, e);
                await Task.Delay(delay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
                continue;
            }

            if (next is not null)
            {
                Log.Reloading(_log, next.Model.ConfigurationHash[..12]);
                manager?.Reloading(time);
                (_before, running) = (running, next);
            }
        }
    }

    /// <summary>Checks the configuration and asks for it to be taken over.</summary>
    public ReloadDocument Ask()
    {
        var wish = reloader.Ask();
        if (wish.State == ReloadDocument.Refused)
        {
            foreach (var problem in wish.Problems)
            {
                Log.ReloadRefused(_log, problem);
            }

            var refusal = new ConfigurationRefusal(textOfFile(), wish.At, wish.Problems is [.., var last] ? last : "it cannot be used");
            reloader.Refusal = refusal;
            Note(refusal);
            _gateway?.TellRefused(refusal);
        }

        return wish;
    }

    /// <summary>Runs one configuration until the stop or until another is wanted.</summary>
    /// <returns>The one that is wanted; null at the stop.</returns>
    private async Task<LoadedSite?> RunOnceAsync(LoadedSite site, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);

        // What opens ends by itself within a moment, and must end in order: a stop meanwhile is heeded by what was opened.
        var (opened, other) = await OpenAsync(site, stop).ConfigureAwait(false);
        if (opened is null)
        {
            return other;
        }

        await using var gateway = opened;
        await using var control = await ControlServer.StartAsync(gateway, site.Model.Storage.Directory, site.Model.HealthListen, CancellationToken.None, Ask).ConfigureAwait(false);
        using var telemetry = GatewayTelemetry.Start(site.Model, gateway.Measure, time, _log);
        KeepGoodCopy(site);

        // Reading the configuration and replaying the log left garbage that a quiet gateway would carry for hours.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var status = site.Model.StatusEvery is { } every ? StatusLine.PrintAsync(gateway, every, Console.Out, end.Token) : Task.CompletedTask;
        var settling = SettleAsync(end.Token);
        var running = gateway.RunAsync(end.Token);
        (_hasRun, _carried, _gateway) = (true, null, gateway);
        IsInForce();
        if (reloader.Refusal is { } refusal)
        {
            Note(refusal);
            gateway.TellRefused(refusal);
        }
        else
        {
            ForgetRefusal();
        }

        manager?.Ready($"Running configuration {site.Model.ConfigurationHash[..12]}");
        await using var stopping = stop.Register(() => manager?.Stopping());
        var wanted = reloader.Wanted;
        await Task.WhenAny(running, wanted).ConfigureAwait(false);
        LoadedSite? next = null;
        if (!running.IsCompleted && !stop.IsCancellationRequested)
        {
            next = reloader.Take();
            manager?.Reloading(time);
            gateway.ChangeTo(next.Model, stop);
            await end.CancelAsync().ConfigureAwait(false);
        }

        try
        {
            await running.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // What is wanted does not depend on how the gateway before ended.
        catch (Exception e) when (next is not null && !stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            Log.GatewayFailed(_log, TimeSpan.Zero, e);
        }
        finally
        {
            _gateway = null;
            _carried = gateway.GiveUpPolling();

            // Who reads the lines may have gone; the gateway does not depend on it.
            await end.CancelAsync().ConfigureAwait(false);
            await status.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await settling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return stop.IsCancellationRequested && _carried is null ? null : next;
    }

    private async Task SettleAsync(CancellationToken end)
    {
        await Task.Delay(Settled, time, end).ConfigureAwait(false);
        var pages = ProgramPages.Look();
        await Task.Delay(Loading, time, end).ConfigureAwait(false);
        ProgramPages.GiveBack(pages);
    }

    /// <summary>
    /// Opens the gateway. While the store that is there cannot be written (a file system that is read-only, a disk without one free byte), values flow without it
    /// (requirement P-5). Where no store ever was, a directory that cannot be written is a mistake of whoever installs the gateway, who is told at once.
    /// </summary>
    /// <returns>The gateway; or null, and the configuration that is wanted instead, null at the stop.</returns>
    private async Task<(GatewayRuntime? Gateway, LoadedSite? Other)> OpenAsync(LoadedSite site, CancellationToken stop)
    {
        StoreWait? wait = null;
        while (true)
        {
            try
            {
                var seams = new RuntimeSeams { Manager = manager, Reloader = reloader, Wait = wait, Shelf = shelf, Carried = wait is null ? _carried : null };
                return (GatewayRuntime.Open(site, time, logs, seams), null);
            }
            catch (StoreException e) when (e.CanRetry && StoreMarker.IsThere(site.Model.Storage.Directory))
            {
                if (wait is null)
                {
                    wait = new StoreWait(site.Model, GatewayRuntime.MakeClock(time, null));
                    wait.Clock.Begin(null, null);
                }

                if (wait.Fails(e.Message))
                {
                    Log.StoreNotOpened(_log, e.Message);
                }
            }

            // What they read has no store to go to under this configuration; its own buses poll without one.
            await LetGoAsync().ConfigureAwait(false);
            _hasRun = true;
            await using var storeless = new StorelessGateway(site.Model, wait, manager, reloader, _log, shelf);
            await using var control = await ControlServer.StartStorelessAsync(storeless.Measure, site.Model.Storage.Directory, site.Model.HealthListen, Ask, CancellationToken.None).ConfigureAwait(false);
            IsInForce();
            manager?.Ready($"Degraded: the store cannot be opened: {wait.Problem}");
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var wanted = reloader.Wanted;
            var waiting = storeless.RunAsync(end.Token);
            await Task.WhenAny(waiting, wanted).ConfigureAwait(false);
            var isOver = !waiting.IsCompleted || stop.IsCancellationRequested;
            await end.CancelAsync().ConfigureAwait(false);
            await waiting.ConfigureAwait(false);
            if (isOver)
            {
                wait.Queue.Dispose();
                return (null, wanted.IsCompletedSuccessfully && !stop.IsCancellationRequested ? reloader.Take() : null);
            }
        }
    }

    /// <summary>The configuration that was to take over polls, with its store or without: what happens from now on is no fault of the change.</summary>
    private void IsInForce()
    {
        if (_before is not null)
        {
            reloader.Ended(ReloadDocument.InForce);
            (_before, reloader.Refusal) = (null, null);
        }
    }

    // At the start, what is wrong with a store that both configurations name is no fault of the newer one.
    private bool IsItsFault(LoadedSite site, Exception fault) => _hasRun || fault is not StoreException || site.Model.Storage.Directory != _before!.Model.Storage.Directory;

    private void ForgetRefusal()
    {
        try
        {
            GoodCopy.Forget(_storage);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.GoodCopyFailed(_log, e.Message);
        }
    }

    /// <summary>The last good configuration stays in force, also after a restart.</summary>
    private void Note(ConfigurationRefusal refusal)
    {
        try
        {
            GoodCopy.Note(_storage, refusal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.GoodCopyFailed(_log, e.Message);
        }
    }

    private async Task LetGoAsync()
    {
        if (_carried is { } carried)
        {
            _carried = null;
            await carried.EndAsync().ConfigureAwait(false);
        }
    }

    private void KeepGoodCopy(LoadedSite site)
    {
        try
        {
            GoodCopy.Save(site);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StoreException)
        {
            Log.GoodCopyFailed(_log, e.Message);
        }
    }
}
