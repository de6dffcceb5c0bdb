namespace EdgeGateway.Commands.Demo;

/// <summary>What was asked for on the command line.</summary>
/// <param name="Tour">Play the script instead of waiting for keys.</param>
/// <param name="Plain">Lines instead of a table.</param>
/// <param name="Limit">End after this time.</param>
internal sealed record DemoOptions(bool Tour, bool Plain, TimeSpan Limit);

/// <summary>Runs the demonstration from the first line to the last.</summary>
internal static class Performance
{
    /// <summary>Exit code: 0 when the count is clean and, on a tour, everything was seen.</summary>
    public static async Task<int> RunAsync(DemoOptions options, CancellationToken cancel)
    {
        try
        {
            var mosquitto = await BrokerProgram.FindOrInstallAsync(cancel).ConfigureAwait(false);
            await using var stage = await Stage.BuildAsync(mosquitto, cancel).ConfigureAwait(false);
            return await PlayAsync(stage, options, cancel).ConfigureAwait(false);
        }
        catch (DemoException e)
        {
            return Terminal.Fail(e.Message);
        }
        catch (IOException e)
        {
            return Terminal.Fail($"The demo cannot go on: {e.Message}");
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return Terminal.Fail("Interrupted before the demo had begun. Nothing is left running.");
        }
    }

    private static async Task<int> PlayAsync(Stage stage, DemoOptions options, CancellationToken cancel)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var screenEnd = new CancellationTokenSource();
        var keyboard = !Console.IsInputRedirected && !options.Plain;
        var tour = options.Tour ? new Tour(stage) : null;
        var screen = options.Plain
            ? Screens.PlainAsync(stage, screenEnd.Token)
            : Screens.LiveAsync(stage, keyboard ? Keys.Legend : "Ctrl-C ends the demo", screenEnd.Token);

        Task[] parts =
        [
            tour?.RunAsync(end.Token) ?? Forever(end.Token),
            keyboard ? Keys.RunAsync(stage.Faults, end.Token) : Forever(end.Token),
            Task.Delay(options.Limit, TimeProvider.System, end.Token),
            stage.Gateway.Exited,
            screen,
        ];
        var first = await Task.WhenAny(parts).ConfigureAwait(false);
        var failed = first.IsFaulted ? first.Exception!.InnerException!.Message : null;
        var died = stage.Gateway.Exited.IsCompleted;
        await end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(parts[0], parts[1], parts[2]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!died)
        {
            await stage.EndAsync().ConfigureAwait(false);
        }

        await screenEnd.CancelAsync().ConfigureAwait(false);
        await screen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (failed is not null || died)
        {
            return Terminal.Fail(failed ?? $"The gateway ended by itself. Its last words:{Environment.NewLine}{stage.Gateway.LastLines}");
        }

        return Summary(stage, tour, interrupted: cancel.IsCancellationRequested);
    }

    private static int Summary(Stage stage, Tour? tour, bool interrupted)
    {
        var picture = stage.Receiver.Now();
        Console.WriteLine();
        foreach (var (what, seen) in tour?.Findings ?? [])
        {
            Console.WriteLine($"  {(seen ? "seen    " : "NOT SEEN")}  {what}");
        }

        if (tour is { IsComplete: false, Findings.Count: var count } && tour.Findings.All(f => f.Seen))
        {
            Console.WriteLine($"  The tour was {(interrupted ? "interrupted" : "ended early")} after {count} findings.");
        }

        if (!stage.Broker.IsUp)
        {
            Console.WriteLine("The broker was down at the end: what the gateway still held would have been delivered at its next start.");
        }

        var kilograms = picture.Carbon.TryGetValue("site", out var site) ? $"{site.Kilograms:F3} kg CO2e for {site.KWh:F3} kWh" : "no carbon entry yet";
        Console.WriteLine($"The mine: {picture.Energy.GetValueOrDefault("incomer"):F3} kWh drawn, {kilograms}; {picture.Live} records live, {picture.History} from history.");
        Console.WriteLine($"The count of the centre, from the sequence numbers: {picture.LedgerLine}");
        foreach (var stream in picture.Ledger.Streams.Where(s => s.Missing > 0))
        {
            Console.WriteLine($"  {stream.Key}: missing {string.Join(", ", stream.MissingRanges)}");
        }

        return picture.IsWhole && (tour is null || tour.IsComplete) ? Terminal.Success : Terminal.Failure;
    }

    private static Task Forever(CancellationToken cancel) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
}
