using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Detection.Scoring;

namespace EdgeGateway.Commands.Detecting;

/// <summary>
/// Reads a folder of labelled series as the Numenta Anomaly Benchmark lays it out: <c>data/CATEGORY/NAME.csv</c> with a header and <c>timestamp,value</c> a line,
/// and <c>labels/combined_windows.json</c>, from <c>CATEGORY/NAME.csv</c> to a list of [first time, last time], both rows included.
/// </summary>
internal static class LabelledFolder
{
    private const string Labels = "labels/combined_windows.json";

    /// <summary>Reads all series, ordered by name.</summary>
    /// <exception cref="InvalidDataException">A file is not as described; the message names it and the line.</exception>
    /// <exception cref="IOException">A file or folder is missing or unreadable.</exception>
    public static IReadOnlyList<LabelledSeries> Read(string folder)
    {
        var data = Path.Combine(folder, "data");
        var labels = Path.Combine(folder, Labels);
        if (!Directory.Exists(data) || !File.Exists(labels))
        {
            throw new InvalidDataException($"{folder} is no labelled folder: it needs data/CATEGORY/NAME.csv and {Labels}.");
        }

        using var windows = JsonDocument.Parse(File.ReadAllBytes(labels));
        var all = Directory.EnumerateFiles(data, "*.csv", SearchOption.AllDirectories)
            .Select(path => (Path: path, Name: Path.GetRelativePath(data, path).Replace('\\', '/')))
            .OrderBy(f => f.Name, StringComparer.Ordinal)
            .Select(f => ReadSeries(f.Path, f.Name, windows.RootElement))
            .ToList();
        return all.Count > 0 ? all : throw new InvalidDataException($"There is no .csv file in {data}.");
    }

    private static LabelledSeries ReadSeries(string path, string name, JsonElement labels)
    {
        var times = new List<Instant>();
        var values = new List<double>();
        var number = 1;
        foreach (var line in File.ReadLines(path).Skip(1))
        {
            number++;
            var comma = line.IndexOf(',', StringComparison.Ordinal);
            if (comma < 0 || ParseTime(line.AsSpan(0, comma)) is not { } time)
            {
                throw new InvalidDataException($"{path}:{number}: '{line}' is not 'timestamp,value'.");
            }

            var text = line.AsSpan(comma + 1).Trim();
            var value = double.NaN;
            if (!text.IsEmpty && !double.TryParse(text, CultureInfo.InvariantCulture, out value))
            {
                throw new InvalidDataException($"{path}:{number}: '{text}' is no number; leave it empty where a value is missing.");
            }

            times.Add(time);
            values.Add(value);
        }

        var category = name.Contains('/', StringComparison.Ordinal) ? name[..name.IndexOf('/', StringComparison.Ordinal)] : "";
        return new(name, category, times, values, labels.TryGetProperty(name, out var list) ? Windows(name, list, times) : []);
    }

    private static List<RowRange> Windows(string name, JsonElement list, List<Instant> times)
    {
        var windows = new List<RowRange>();
        foreach (var pair in list.EnumerateArray())
        {
            // A few files repeat times over daylight saving: rows are found by equality.
            var window = new RowRange(Row(pair[0]), Row(pair[1]));
            if (window.Last < window.First || (windows.Count > 0 && window.First <= windows[^1].Last))
            {
                throw new InvalidDataException($"{Labels}: the windows of {name} overlap or are not in order at {pair[0]}.");
            }

            windows.Add(window);
        }

        return windows;

        int Row(JsonElement label)
        {
            var row = ParseTime(label.GetString()) is { } time ? times.IndexOf(time) : -1;
            return row >= 0 ? row : throw new InvalidDataException($"{Labels}: {name} has no row at '{label}'.");
        }
    }

    /// <summary>A time without zone is taken as it stands: hours and weekdays are those of the clock that wrote it.</summary>
    private static Instant? ParseTime(ReadOnlySpan<char> text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? Instant.From(time) : null;
}
