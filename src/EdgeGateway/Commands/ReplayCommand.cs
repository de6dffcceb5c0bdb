using System.CommandLine;
using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Replaying;
using EdgeGateway.Storage;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway replay</c>: recorded samples through the code of the gateway, at full speed.</summary>
internal static class ReplayCommand
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        var files = new Argument<string[]>("file")
        {
            Description = "A table (CSV: time and a column for each point, or time,device,point,value,quality), a feed as verify-feed --record writes it, or the gateway's own store (gateway.db); .gz is unpacked. Several files are merged by time.",
            Arity = ArgumentArity.OneOrMore,
        };
        var configuration = new Option<string?>("--config", "-c") { Description = "The site whose profiles and detectors are used; columns are called device.point. Without it a store is replayed under its own configuration, and of anything else every point is a plain gauge.", HelpName = "FILE" };
        var profiles = CommonOptions.Profiles();
        var charts = new Option<string?>("--chart") { Description = "Draw each point as an SVG chart with its findings, into this folder.", HelpName = "FOLDER" };
        var from = new Option<string?>("--from") { Description = "Left edge of the charts, as 2026-03-01T08:00:00Z; the whole recording is replayed all the same.", HelpName = "TIME" };
        var to = new Option<string?>("--to") { Description = "Right edge of the charts.", HelpName = "TIME" };
        var points = new Option<string[]>("--point") { Description = "Draw only this point (device.point); may be repeated.", HelpName = "POINT", AllowMultipleArgumentsPerToken = true };
        var json = CommonOptions.Json();
        var command = new Command(
            "replay",
            """
            Run recorded samples through the gateway's own code at full speed: the same checks, detectors, summaries and carbon account.
            Prints what is found, the score of the detector for any gauge, and on demand a chart of each point. Nothing is sent and
            nothing is stored; the same recording always gives the same result. Lines that cannot be read are counted and named.
            """) { files, configuration, profiles, charts, from, to, points, json };
        command.SetAction((result, cancel) => Task.FromResult(Run(
            result.GetValue(files)!,
            result.GetValue(configuration),
            result.GetValue(profiles),
            result.GetValue(charts),
            (result.GetValue(from), result.GetValue(to), result.GetValue(points) ?? []),
            result.GetValue(json),
            cancel)));
        return command;
    }

    private static int Run(string[] files, string? configuration, string? profiles, string? charts, (string? From, string? To, string[] Points) drawing, bool json, CancellationToken cancel)
    {
        try
        {
            ChartChoice? choice = null;
            if (charts is not null)
            {
                choice = new(Edge(drawing.From), Edge(drawing.To), drawing.Points);
            }

            SiteModel? site = null;
            if (configuration is not null)
            {
                site = CommonOptions.Load(configuration, profiles)?.Model;
                if (site is null)
                {
                    return Terminal.BadInput;
                }
            }

            if (files.FirstOrDefault(f => !File.Exists(f)) is { } missing)
            {
                return Terminal.Fail($"There is no file '{missing}'. A recording is read twice, so it must be a file.", Terminal.BadInput);
            }

            var recordings = files.Select(f => Recordings.Open(f, site?.TimeZone ?? TimeZoneInfo.Utc)).ToList();
            var time = TimeProvider.System;
            var told = time.GetTimestamp();
            void Progress(Func<string> words)
            {
                if (time.GetElapsedTime(told) >= ProgressInterval)
                {
                    told = time.GetTimestamp();
                    Console.Error.WriteLine(words());
                }
            }

            foreach (var recording in recordings)
            {
                recording.Survey(samples => Progress(() => $"{recording.Path}: {samples} samples looked at"), cancel);
                Tell(recording);
            }

            if (recordings.All(r => r.First is null))
            {
                return Terminal.Fail("There is no sample in what was given.", Terminal.BadInput);
            }

            var series = recordings.SelectMany(r => r.Series).ToList();
            site ??= recordings.Select(r => r.Site).LastOrDefault(s => s is not null);
            var isGeneric = site is null;
            site ??= GenericSite.Of(series);
            var places = recordings.Select(r => (IReadOnlyList<int?>)[.. r.Series.Select(s => Replayer.PlaceOf(site, isGeneric ? GenericSite.Named(s) : s))]).ToList();
            var leftOut = recordings.Zip(places).SelectMany(r => r.First.Series.Where((_, i) => r.Second[i] is null)).Select(s => s.ToString()).Distinct(StringComparer.Ordinal).ToList();
            if (leftOut.Count > 0 && places.All(p => p.All(i => i is null)))
            {
                return Terminal.Fail(
                    $"The site {site.SiteId} has none of the points {string.Join(", ", leftOut.Take(10))}. Call the columns device.point, as {site.Devices[0].Id}.{site.Points[site.Devices[0].Points[0]].Id}.",
                    Terminal.BadInput);
            }

            var began = time.GetTimestamp();
            var total = recordings.Sum(r => r.Series.Sum(s => s.Count));
            var result = new Replayer(Replayer.AsRecorded(site, recordings, places)).Run(
                recordings,
                places,
                choice,
                samples => Progress(() => $"{samples} of {total} samples, {samples / time.GetElapsedTime(began).TotalSeconds:F0} a second"),
                cancel);
            var drawn = charts is null ? [] : ReplayView.WriteCharts(charts, result);
            if (json)
            {
                using var output = Console.OpenStandardOutput();
                ReplayView.PrintJson(output, recordings, result, leftOut);
                Console.WriteLine();
            }
            else
            {
                ReplayView.Print(Console.Out, recordings, result, leftOut);
            }

            if (drawn.Count > 0)
            {
                Console.Error.WriteLine($"{drawn.Count} {(drawn.Count == 1 ? "chart" : "charts")} in {charts}");
            }

            return Terminal.Success;
        }
        catch (OperationCanceledException)
        {
            return Terminal.Fail("Interrupted: nothing was replayed to its end.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or StoreException)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
    }

    /// <summary>A time of the command line; null when none is given.</summary>
    private static Instant? Edge(string? text)
    {
        try
        {
            return text is null ? null : Instant.Parse(text);
        }
        catch (FormatException)
        {
            throw new InvalidDataException($"'{text}' is no time; write it like 2026-03-01T08:15:00Z.");
        }
    }

    private static void Tell(Recording recording)
    {
        foreach (var problem in recording.Problems)
        {
            Console.Error.WriteLine(problem);
        }

        if (recording.Bad > recording.Problems.Count)
        {
            Console.Error.WriteLine($"{recording.Path}: and {recording.Bad - recording.Problems.Count} more of this kind");
        }
    }
}
