using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Core.Detection.Scoring;

namespace EdgeGateway.Commands.Detecting;

/// <summary>The score of the labelled set, as a table for people and as JSON for programs.</summary>
internal static class SimulatedBenchView
{
    /// <summary>Writes the table.</summary>
    public static void Print(TextWriter output, string seeds, IReadOnlyList<(string Cell, EpisodeScore Score)> cells, EpisodeScore all)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seeds} seeds: {all.Total.Episodes} episodes of {all.Kinds.Count} kinds; {all.CleanDeviceDays:F1} device-days without faults"));
        output.WriteLine();
        output.WriteLine("kind                       episodes   found   cause named   named first   median delay   what was said (episodes)");
        foreach (var kind in all.Kinds.Append(all.Total))
        {
            var said = kind == all.Total ? "" : string.Join(", ", kind.Said.Take(4).Select(s => $"{s.Rule} {s.Episodes}"));
            output.WriteLine(
                $"{kind.Kind,-27}{kind.Episodes,8}{kind.Found,8}{kind.Named,14}{kind.NamedFirst,14}   {(kind.Found > 0 ? Words.Span(kind.MedianDelay) : "-"),-12}   {said}".TrimEnd());
        }

        output.WriteLine();
        output.WriteLine("without faults   device-days   false alarms   a device-day   notes   a device-day");
        foreach (var (cell, score) in cells.Append(("all", all)))
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{cell,-17}{score.CleanDeviceDays,11:F1}{score.FalseAlarms,15}{score.FalseAlarmsPerDeviceDay,15:F3}{score.Notes,8}{score.NotesPerDeviceDay,15:F3}"));
        }

        foreach (var (rule, count) in all.FalseByRule.Take(20))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {count,6} x {rule}"));
        }

        output.WriteLine();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"recall {Share(all.Total.Found, all.Total.Episodes)}; cause named in {Share(all.Total.Named, all.Total.Episodes)} of all episodes, {Share(all.Total.Named, all.Total.Found)} of those found, first in {Share(all.Total.NamedFirst, all.Total.Found)}; {all.FalseAlarmsPerDeviceDay:F3} false alarms a device-day"));
        output.WriteLine($"warnings and alarms in runs with faults that belong to no episode: {all.Strays.Count}");
        foreach (var stray in all.Strays.Take(20))
        {
            output.WriteLine($"  {stray.Finding.Rule}@{stray.Finding.Point}{(stray.After is { } kind ? $", {Words.Span(stray.Since)} after {kind}" : "")}");
        }
    }

    /// <summary>Writes the document.</summary>
    public static void PrintJson(Stream output, string seeds, IReadOnlyList<(string Cell, EpisodeScore Score)> cells, EpisodeScore all)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("seeds", seeds);
        json.WriteStartArray("kinds");
        foreach (var kind in all.Kinds)
        {
            Write(json, kind);
        }

        json.WriteEndArray();
        json.WritePropertyName("total");
        Write(json, all.Total);
        json.WriteStartArray("withoutFaults");
        foreach (var (cell, score) in cells.Append(("all", all)))
        {
            json.WriteStartObject();
            json.WriteString("cell", cell);
            json.WriteNumber("deviceDays", Math.Round(score.CleanDeviceDays, 3));
            json.WriteNumber("falseAlarms", score.FalseAlarms);
            json.WriteNumber("notes", score.Notes);
            json.WriteStartArray("byRule");
            foreach (var (rule, count) in score.FalseByRule)
            {
                json.WriteStartObject();
                json.WriteString("rule", rule);
                json.WriteNumber("count", count);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("strays", all.Strays.Count);
        json.WriteEndObject();
        json.Flush();
    }

    private static void Write(Utf8JsonWriter json, KindScore kind)
    {
        json.WriteStartObject();
        json.WriteString("kind", kind.Kind);
        json.WriteNumber("episodes", kind.Episodes);
        json.WriteNumber("found", kind.Found);
        json.WriteNumber("named", kind.Named);
        json.WriteNumber("namedFirst", kind.NamedFirst);
        if (kind.Found > 0)
        {
            json.WriteNumber("medianDelaySeconds", kind.MedianDelay.TotalSeconds);
        }
        else
        {
            json.WriteNull("medianDelaySeconds");
        }

        json.WriteStartObject("said");
        foreach (var (rule, episodes) in kind.Said)
        {
            json.WriteNumber(rule, episodes);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string Share(int part, int whole) => whole == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:F1} %");
}
