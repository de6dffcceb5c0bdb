using System.CommandLine;
using System.Text.Json;
using EdgeGateway.Commands.Demo;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Soaking;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway soak</c>: watches a gateway for a long time and says whether it leaks or drifts.</summary>
internal static class SoakCommand
{
    private const int Tellings = 20;
    private const int MostLooks = 20_000;

    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromHours(2);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var configuration = new Option<string?>("--config", "-c") { Description = "Watch the gateway that runs with this configuration. Without it: a simulated site and a gateway of its own.", HelpName = "FILE" };
        var profiles = CommonOptions.Profiles();
        var duration = new Option<string>("--for") { Description = "How long, such as 10m, 1h or 3d.", HelpName = "TIME", DefaultValueFactory = _ => "1h" };
        var every = new Option<string?>("--every") { Description = "Time between two looks. Without it a 360th of the time, at most a minute.", HelpName = "TIME" };
        var warmUp = new Option<string?>("--warm-up") { Description = "How much of the beginning does not count. Without it a quarter, at most 2h.", HelpName = "TIME" };
        var points = new Option<int>("--points") { Description = "Points of the simulated site, each read every second.", HelpName = "N", DefaultValueFactory = _ => 1000 };
        points.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > SimulatedStage.MostPoints)
            {
                result.AddError($"--points takes 1 to {SimulatedStage.MostPoints}.");
            }
        });
        var folder = new Option<string>("--folder") { Description = "Where the simulated site's gateway keeps its store: on the card or disk that counts.", HelpName = "DIR", DefaultValueFactory = _ => Path.GetTempPath() };
        var json = CommonOptions.Json();
        var command = new Command(
            "soak",
            """
            Watch a gateway for hours or days: memory, handles, threads, write-ahead log, processor time, bytes written, missed periods. Says at the end
            whether anything grows without end (Theil-Sen slope with its 99 % interval), and how small a leak a soak of this length could show.
            Ctrl-C ends it early with the verdict so far. Nothing is changed. Exit code 0: nothing found; 1: a leak, a drift, a missed period, a restart; 2: the command line.
            """) { configuration, profiles, duration, every, warmUp, points, folder, json };
        command.SetAction((result, cancel) => RunAsync(
            result.GetValue(configuration),
            result.GetValue(profiles),
            result.GetValue(duration)!,
            result.GetValue(every),
            result.GetValue(warmUp),
            result.GetValue(points),
            result.GetValue(folder)!,
            result.GetValue(json),
            cancel));
        return command;
    }

    private static async Task<int> RunAsync(
        string? configuration, string? profiles, string duration, string? every, string? warmUp, int points, string folder, bool json, CancellationToken terminated)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Terminal.Fail("A soak reads /proc, which only Linux has.", Terminal.BadInput);
        }

        if (!Quantities.TryDuration(duration, out var length) || length < ShortestInterval)
        {
            return Terminal.Fail($"'{duration}' is no time for --for: write 10m, 1h or 3d.", Terminal.BadInput);
        }

        var interval = length / 360;
        interval = interval < ShortestInterval ? ShortestInterval : interval > LongestInterval ? LongestInterval : interval;
        if (every is not null && (!Quantities.TryDuration(every, out interval) || interval < ShortestInterval || length / interval > MostLooks))
        {
            return Terminal.Fail($"'{every}' is no time for --every: from 1s on, at most {MostLooks} looks in all.", Terminal.BadInput);
        }

        var cut = length / 4 < LongestWarmUp ? length / 4 : LongestWarmUp;
        if (warmUp is not null && (!Quantities.TryDuration(warmUp, out cut) || cut >= length))
        {
            return Terminal.Fail($"'{warmUp}' is no time for --warm-up: it must be shorter than --for.", Terminal.BadInput);
        }

        var interrupted = new CancellationTokenSource();
        using var interrupt = Terminal.OnInterrupt(interrupted);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(terminated, interrupted.Token);
        try
        {
            SoakDocument document;
            if (configuration is not null)
            {
                var site = CommonOptions.Load(configuration, profiles);
                if (site is null)
                {
                    return Terminal.BadInput;
                }

                document = await WatchAsync($"gateway {site.Model.GatewayId}", site.Model.Storage.Directory, length, interval, cut, either.Token).ConfigureAwait(false);
            }
            else
            {
                await using var stage = await SimulatedStage.BuildAsync(points, folder, either.Token).ConfigureAwait(false);
                var what = $"a simulated site of {stage.Points} points every second{(stage.HasBroker ? "" : " without a broker (install mosquitto for one)")}";
                document = await WatchAsync(what, stage.Store, length, interval, cut, either.Token).ConfigureAwait(false) with
                {
                    FirstSampleSeconds = stage.FirstSample.TotalSeconds,
                    FirstSampleCpuSeconds = stage.FirstSampleCpu,
                };
            }

            Console.WriteLine(json ? JsonSerializer.Serialize(document, SoakJson.Default.SoakDocument) : SoakView.Text(document));
            return document.Verdict == "fault" ? Terminal.Failure : Terminal.Success;
        }
        catch (DemoException e)
        {
            return Terminal.Fail(e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail($"The soak cannot go on: {e.Message}");
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            return Terminal.Fail("Interrupted before the soak had begun. Nothing is left running.");
        }
    }

    private static async Task<SoakDocument> WatchAsync(string what, string store, TimeSpan length, TimeSpan interval, TimeSpan warmUp, CancellationToken cancel)
    {
        var time = TimeProvider.System;
        var began = time.GetUtcNow();
        var started = time.GetTimestamp();
        List<SoakLook> looks = [];
        var unanswered = 0;
        var told = 0;
        try
        {
            using var timer = new PeriodicTimer(interval, time);
            while (time.GetElapsedTime(started) < length)
            {
                var now = time.GetElapsedTime(started);
                if (await SoakLook.TakeAsync(now.TotalSeconds, store, cancel).ConfigureAwait(false) is { } look)
                {
                    looks.Add(look);
                    if (now >= length * told / Tellings)
                    {
                        told = (int)(now / length * Tellings) + 1;
                        Console.Error.WriteLine($"{Words.Span(now)} of {Words.Span(length)}: {Words.Bytes(look.ResidentBytes)} resident, own {Words.Bytes(look.OwnBytes)}, {look.Handles} handles, {look.Threads} threads, {look.Samples} samples, {look.Missed} missed periods");
                    }
                }
                else
                {
                    unanswered++;
                }

                await timer.WaitForNextTickAsync(cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // What was seen until then is judged.
        }

        return SoakJudge.Judge(what, began, looks, unanswered, time.GetElapsedTime(started).TotalSeconds, warmUp.TotalSeconds);
    }
}
