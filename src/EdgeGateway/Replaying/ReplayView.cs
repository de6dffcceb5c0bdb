using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Core.Drawing;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Replaying;

/// <summary>What a replay says: to people, to programs, and as charts. The same result gives the same bytes.</summary>
internal static class ReplayView
{
    private const int MostFindings = 200;

    /// <summary>Writes findings, points and the carbon account as text.</summary>
    public static void Print(TextWriter output, IReadOnlyList<Recording> recordings, ReplayResult result, IReadOnlyList<string> leftOut)
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{recordings.Count} {(recordings.Count == 1 ? "file" : "files")}, {result.Samples} samples of {result.Points.Count} points, {result.First} to {result.Last}"));
        var bad = recordings.Sum(r => r.Bad);
        if (bad > 0)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bad} values or lines could not be read and are left out"));
        }

        if (result.Backwards > 0)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Backwards} samples are older than one before them and count at its time"));
        }

        if (leftOut.Count > 0)
        {
            output.WriteLine($"the site has no such point, left out: {string.Join(", ", leftOut)}");
        }

        if (result.RuleFaults > 0)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a rule failed {result.RuleFaults} times: a defect of the program, please report it"));
        }

        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Findings.Count} {(result.Findings.Count == 1 ? "finding" : "findings")}"));
        foreach (var finding in result.Findings.Take(MostFindings))
        {
            var end = finding.Severity == Severity.Note ? "" : finding.Cleared is { } cleared ? $" (cleared {cleared})" : " (stands at the end)";
            output.WriteLine($"  {finding.Raised}  {finding.Severity.Word(),-8}{finding.Point}  {finding.Rule}: {finding.Text}{end}");
        }

        if (result.Findings.Count > MostFindings)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  and {result.Findings.Count - MostFindings} more: --json prints all"));
        }

        output.WriteLine();
        output.WriteLine($"{"point",-36}{"samples",10}{"missing",9}{"lowest",14}{"mean",14}{"highest",14}{"findings",10}  highest score");
        foreach (var point in result.Points)
        {
            output.WriteLine(
                $"{point.Name,-36}{Whole(point.Values),10}{Whole(point.Missing),9}{Number(point.Min),14}{Number(point.Mean),14}{Number(point.Max),14}{Whole(point.Findings.Count),10}"
                + (point.TopScore > 0 ? string.Create(CultureInfo.InvariantCulture, $"  {point.TopScore:F3} at {point.TopScoreAt}") : ""));
        }

        foreach (var (device, milligrams) in result.Site.Devices.Zip(result.Milligrams).Where(d => d.Second != 0))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"CO2e of {device.Id}: {milligrams / 1e6:F3} kg"));
        }
    }

    /// <summary>Writes everything as one document.</summary>
    public static void PrintJson(Stream output, IReadOnlyList<Recording> recordings, ReplayResult result, IReadOnlyList<string> leftOut)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteNumber("samples", result.Samples);
        json.WriteNumber("bad", recordings.Sum(r => r.Bad));
        json.WriteNumber("backwards", result.Backwards);
        json.WriteNumber("ruleFaults", result.RuleFaults);
        json.WriteString("first", result.First?.ToString());
        json.WriteString("last", result.Last?.ToString());
        json.WriteStartArray("leftOut");
        foreach (var name in leftOut)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
        json.WriteStartArray("findings");
        foreach (var finding in result.Findings)
        {
            json.WriteStartObject();
            json.WriteString("point", finding.Point);
            json.WriteString("detector", finding.Rule);
            json.WriteString("severity", finding.Severity.Word());
            json.WriteString("since", finding.Since.ToString());
            json.WriteString("raised", finding.Raised.ToString());
            json.WriteString("cleared", finding.Cleared?.ToString());
            Write(json, "value", finding.Value);
            Write(json, "limit", finding.Limit);
            json.WriteString("text", finding.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("points");
        foreach (var point in result.Points)
        {
            json.WriteStartObject();
            json.WriteString("point", point.Name);
            json.WriteString("unit", point.Model.Unit);
            json.WriteNumber("samples", point.Values);
            json.WriteNumber("missing", point.Missing);
            Write(json, "lowest", point.Min);
            Write(json, "mean", point.Mean);
            Write(json, "highest", point.Max);
            json.WriteNumber("findings", point.Findings.Count);
            Write(json, "highestScore", point.IsScored ? point.TopScore : double.NaN);
            json.WriteString("highestScoreAt", point.TopScore > 0 ? point.TopScoreAt.ToString() : null);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("emissions");
        foreach (var (device, milligrams) in result.Site.Devices.Zip(result.Milligrams).Where(d => d.Second != 0))
        {
            json.WriteStartObject();
            json.WriteString("device", device.Id);
            json.WriteNumber("milligrams", milligrams);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
    }

    /// <summary>Writes a chart of each point to a folder.</summary>
    /// <returns>The files.</returns>
    /// <exception cref="IOException">They cannot be written.</exception>
    public static IReadOnlyList<string> WriteCharts(string folder, ReplayResult result)
    {
        Directory.CreateDirectory(folder);
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var files = new List<string>();
        foreach (var point in result.Points)
        {
            if (point.Chart is not { } chart)
            {
                continue;
            }

            foreach (var finding in point.ChartedFindings)
            {
                chart.Add(new ChartBand(finding.Since, finding.Cleared, finding.Severity switch { Severity.Alarm => ChartGrade.Alarm, Severity.Warning => ChartGrade.Warning, _ => ChartGrade.Note }, $"{finding.Rule}: {finding.Text}"));
            }

            // Headings of a table may hold anything; what a file cannot be called becomes an underscore.
            var name = string.Concat(point.Name.Select(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_')).TrimStart('.');
            var file = name;
            for (var i = 2; !names.Add(file); i++)
            {
                file = string.Create(CultureInfo.InvariantCulture, $"{name}-{i}");
            }

            file = Path.Combine(folder, $"{file}.svg");
            File.WriteAllText(file, chart.Draw());
            files.Add(file);
        }

        return files;
    }

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("G7", CultureInfo.InvariantCulture) : "-";

    private static void Write(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
