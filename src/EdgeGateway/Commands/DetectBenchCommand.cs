using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Commands.Detecting;
using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Detection.Scoring;
using EdgeGateway.Simulator.Labelled;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway detect-bench</c>: how good the detector for any gauge is on labelled series, and all detectors on simulated faults.</summary>
internal static class DetectBenchCommand
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        var folder = new Argument<string?>("folder") { Arity = ArgumentArity.ZeroOrOne, Description = "Holds data/CATEGORY/NAME.csv (timestamp,value) and labels/combined_windows.json, as the Numenta Anomaly Benchmark lays it out. With --simulated: faults.yaml and its sites; those shipped with the program when absent." };
        var lean = new Option<bool>("--lean") { Description = "The detector in its lean setting, 2 KiB a point." };
        var scale = new Option<double>("--scale") { Description = "Multiply every value first: the scores must not change.", HelpName = "A", DefaultValueFactory = _ => 1 };
        var offset = new Option<double>("--offset") { Description = "Then add this.", HelpName = "B", DefaultValueFactory = _ => 0 };
        var others = new Option<string?>("--thresholds-of") { Description = "Take the threshold of each profile that is best for this folder, laid out as the other one: so that what is scored has no part in its own threshold.", HelpName = "FOLDER" };
        var scores = new Option<string?>("--scores") { Description = "Write timestamp, value and score of each row to this folder, one file a series, for another scorer.", HelpName = "DIR" };
        var simulated = new Option<bool>("--simulated") { Description = "Play simulated faults of conveyors, meters, stacks and mines through the gateway's own pipeline, with the detectors of the profiles, and score those." };
        var seeds = new Option<string>("--seeds") { Description = "Which faults of the simulated set: those to develop with, or those that nothing was tuned on.", DefaultValueFactory = _ => "development" };
        seeds.AcceptOnlyFromAmong("development", "held-out");
        var kinds = new Option<string[]>("--kind") { Description = "Only this kind of simulated fault; may be repeated.", HelpName = "KIND", AllowMultipleArgumentsPerToken = true };
        var record = new Option<string?>("--record") { Description = "With --simulated: score nothing, but write the first episode of each kind as a table for 'edgegateway replay' into this folder, and print kind, site, begin and end of the fault, edges for a chart, and file.", HelpName = "FOLDER" };
        var json = CommonOptions.Json();
        var command = new Command(
            "detect-bench",
            """
            Score the detector for any gauge on a folder of labelled series: the three profiles of the Numenta Anomaly Benchmark, each category with
            the threshold of the others, and precision, recall and delay for some alarm budgets. The detector is the one that the gateway runs.

            With --simulated: score all detectors of the gateway on simulated faults with known begin, end and cause, and on days without any
            fault: what is found, how soon, whether the cause is named rightly, and false alarms for each device and day.
            """) { folder, lean, scale, offset, others, scores, simulated, seeds, kinds, record, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(folder) is null && !result.GetValue(simulated))
            {
                result.AddError("Name the folder of labelled series, or take --simulated.");
            }
        });
        command.SetAction((result, cancel) => Task.FromResult(result.GetValue(simulated) ? RunSimulated(
            result.GetValue(folder) ?? SimulatedBench.ShippedFolder,
            result.GetValue(seeds)!,
            result.GetValue(kinds) ?? [],
            result.GetValue(record),
            result.GetValue(json),
            cancel) : Run(
            result.GetValue(folder)!,
            result.GetValue(lean),
            result.GetValue(scale),
            result.GetValue(offset),
            result.GetValue(others),
            result.GetValue(scores),
            result.GetValue(json),
            cancel)));
        return command;
    }

    private static int Run(string folder, bool lean, double scale, double offset, string? others, string? scores, bool json, CancellationToken cancel)
    {
        try
        {
            var series = LabelledFolder.Read(folder);
            var thresholds = others is null ? null : Play(LabelledFolder.Read(others), lean, 1, 0, cancel).Thresholds();
            var bench = Play(series, lean, scale, offset, cancel);
            if (scores is not null)
            {
                Write(bench.Scored, scores);
            }

            var result = bench.Result(thresholds);
            if (json)
            {
                PrintJson(result, series, lean, others);
            }
            else
            {
                Print(result, series, lean, others);
            }

            return Terminal.Success;
        }
        catch (OperationCanceledException)
        {
            return Terminal.Fail("Interrupted: nothing was scored.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or JsonException or InvalidOperationException)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
    }

    private static DetectBench Play(IReadOnlyList<LabelledSeries> series, bool lean, double scale, double offset, CancellationToken cancel)
    {
        var time = TimeProvider.System;
        var told = time.GetTimestamp();
        var bench = new DetectBench();
        foreach (var one in series)
        {
            cancel.ThrowIfCancellationRequested();
            bench.Run(one, lean ? NoveltySettings.Lean : NoveltySettings.Full, scale, offset);
            if (time.GetElapsedTime(told) >= ProgressInterval)
            {
                told = time.GetTimestamp();
                Console.Error.WriteLine($"{bench.Scored.Count} of {series.Count} series");
            }
        }

        return bench;
    }

    private static int RunSimulated(string folder, string seeds, string[] kinds, string? record, bool json, CancellationToken cancel)
    {
        try
        {
            var bench = SimulatedBench.Load(folder, out var problems);
            Terminal.Print(problems, Console.Error);
            if (bench is null)
            {
                return Terminal.BadInput;
            }

            if (kinds.FirstOrDefault(k => bench.Set.Kinds.All(known => known.Id != k)) is { } unknown)
            {
                return Terminal.Fail($"There is no kind of fault '{unknown}'; there are {string.Join(", ", bench.Set.Kinds.Select(k => k.Id))}.", Terminal.BadInput);
            }

            bench = kinds.Length > 0 ? bench.With(kinds.ToHashSet(StringComparer.Ordinal)) : bench;
            var chosen = seeds == "held-out" ? LabelledSeeds.HeldOut : LabelledSeeds.Development;
            if (record is not null)
            {
                foreach (var recorded in bench.Record(chosen, record, cancel))
                {
                    var episode = recorded.Episode;
                    Console.WriteLine($"{episode.Kind.Id} {episode.Kind.Cell.Site} {episode.Start} {episode.End} {recorded.ViewFrom} {recorded.ViewTo} {recorded.File}");
                }

                return Terminal.Success;
            }

            var (cells, all) = bench.Run(
                chosen,
                (done, of) => Console.Error.WriteLine($"{done} of {of} runs"),
                cancel);
            if (json)
            {
                using var output = Console.OpenStandardOutput();
                SimulatedBenchView.PrintJson(output, seeds, cells, all);
                Console.WriteLine();
            }
            else
            {
                SimulatedBenchView.Print(Console.Out, seeds, cells, all);
            }

            return Terminal.Success;
        }
        catch (OperationCanceledException)
        {
            return Terminal.Fail("Interrupted: nothing was scored.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
    }

    private static void Write(IReadOnlyList<ScoredSeries> all, string folder)
    {
        foreach (var (series, scores) in all)
        {
            var path = Path.Combine(folder, series.Name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var file = new StreamWriter(path);
            file.WriteLine("timestamp,value,anomaly_score");
            for (var row = 0; row < scores.Count; row++)
            {
                file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{series.Times[row].ToDateTimeOffset():yyyy-MM-dd HH:mm:ss},{series.Values[row]:R},{scores[row]:R}"));
            }
        }
    }

    private static void Print(DetectBenchResult result, IReadOnlyList<LabelledSeries> series, bool lean, string? others)
    {
        var output = Console.Out;
        output.WriteLine($"{series.Count} series, {series.Sum(s => s.Values.Count)} rows, {series.Sum(s => s.Windows.Count)} windows; setting {(lean ? "lean" : "full")}{(others is null ? "" : $"; thresholds of {others}")}");
        output.WriteLine();
        output.WriteLine("profile     score   surprise from   windows found   false alarms   score of the distance from the mean");
        foreach (var ((name, score), yardstick) in result.Profiles.Zip(result.Yardstick))
        {
            output.WriteLine($"{name,-10}{score.Score,7:F2}{NoveltyVerdict.SurpriseOf(score.Threshold),16:F2}{score.Found,10} of {score.Windows,-3}{score.FalseAlarms,13}{yardstick.Score,38:F2}");
        }

        output.WriteLine();
        output.WriteLine("category, standard profile   series   score   windows found   false alarms   at the threshold of the others");
        foreach (var category in result.Categories)
        {
            var score = category.Score;
            output.WriteLine($"{category.Name,-29}{category.Series,6}{Score(score.Score),8}{score.Found,10} of {score.Windows,-3}{score.FalseAlarms,13}{Score(category.LeftOut.Score),33}");
        }

        foreach (var (name, score) in result.LeftOut)
        {
            output.WriteLine($"{$"all, each category at the threshold of the others, {name}",-91}{score,15:F2}");
        }

        output.WriteLine();
        output.WriteLine("alarms                       alarms   precision   recall   false a day and series   median delay from the window's beginning");
        Print(output, others is null ? "at the best threshold" : "at the given threshold", result.AtThreshold);
        foreach (var (perDay, tally) in result.Budgets)
        {
            Print(output, string.Create(CultureInfo.InvariantCulture, $"budget {perDay} a day"), tally);
        }
    }

    private static void Print(TextWriter output, string name, AlarmTally tally) =>
        output.WriteLine($"{name,-29}{tally.Alarms,6}{tally.Precision,12:F2}{tally.Recall,9:F2}{tally.FalseAlarmsPerDay,25:F3}   {Words.Span(tally.MedianDelay)}");

    private static string Score(double score) => double.IsNaN(score) ? "-" : score.ToString("F2", CultureInfo.InvariantCulture);

    private static void PrintJson(DetectBenchResult result, IReadOnlyList<LabelledSeries> series, bool lean, string? others)
    {
        using var output = Console.OpenStandardOutput();
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("setting", lean ? "lean" : "full");
        json.WriteString("thresholdsOf", others);
        json.WriteNumber("series", series.Count);
        json.WriteNumber("rows", series.Sum(s => s.Values.Count));
        json.WriteStartArray("profiles");
        foreach (var ((name, score), yardstick) in result.Profiles.Zip(result.Yardstick))
        {
            json.WriteStartObject();
            json.WriteString("profile", name);
            WriteScore(json, score);
            WriteNumber(json, "distanceFromMeanScore", yardstick.Score);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("categories");
        foreach (var category in result.Categories)
        {
            json.WriteStartObject();
            json.WriteString("category", category.Name);
            json.WriteNumber("series", category.Series);
            WriteScore(json, category.Score);
            json.WriteStartObject("atThresholdOfOthers");
            WriteScore(json, category.LeftOut);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("leftOutScores");
        foreach (var (name, score) in result.LeftOut)
        {
            WriteNumber(json, name, score);
        }

        json.WriteEndObject();
        json.WriteStartObject("atThreshold");
        WriteTally(json, result.AtThreshold);
        json.WriteEndObject();
        json.WriteStartArray("budgets");
        foreach (var (perDay, tally) in result.Budgets)
        {
            json.WriteStartObject();
            json.WriteNumber("perDay", perDay);
            WriteTally(json, tally);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        Console.WriteLine();
    }

    private static void WriteScore(Utf8JsonWriter json, NabScore score)
    {
        WriteNumber(json, "score", score.Score);
        WriteNumber(json, "threshold", score.Threshold);
        json.WriteNumber("windows", score.Windows);
        json.WriteNumber("found", score.Found);
        json.WriteNumber("falseAlarms", score.FalseAlarms);
    }

    private static void WriteTally(Utf8JsonWriter json, AlarmTally tally)
    {
        json.WriteNumber("alarms", tally.Alarms);
        WriteNumber(json, "precision", tally.Precision);
        WriteNumber(json, "recall", tally.Recall);
        WriteNumber(json, "falseAlarmsPerDay", tally.FalseAlarmsPerDay);
        json.WriteNumber("medianDelaySeconds", tally.MedianDelay.TotalSeconds);
    }

    /// <summary>What there is no number for (no window, no alarm) is null.</summary>
    private static void WriteNumber(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, Math.Round(value, 6));
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
