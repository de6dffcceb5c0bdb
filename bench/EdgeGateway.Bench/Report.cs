using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace EdgeGateway.Bench;

/// <summary>One column of figures with the circumstances they were measured in; a table for people or JSON for programs.</summary>
internal sealed class Report(string title)
{
    private readonly List<(string Name, double Value, string Unit)> _rows = [];

    public void Add(string name, double value, string unit) => _rows.Add((name, value, unit));

    /// <summary>The machine in words: what a reader must know to compare.</summary>
    public static string Machine() =>
        string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} processors, {RuntimeInformation.OSArchitecture}, {RuntimeInformation.FrameworkDescription}, load average {LoadAverage()}");

    public void Print(bool json)
    {
        if (json)
        {
            PrintJson();
            return;
        }

        Console.WriteLine();
        Console.WriteLine(title);
        Console.WriteLine($"  {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC, {Machine()}");
        var width = _rows.Max(r => r.Name.Length);
        foreach (var (name, value, unit) in _rows)
        {
            Console.WriteLine($"  {name.PadRight(width)}  {Text(value),12}  {unit}");
        }
    }

    private static string LoadAverage() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    private static string Text(double value) => Math.Abs(value) switch
    {
        0 => "0",
        < 10 => value.ToString("F3", CultureInfo.InvariantCulture),
        < 1000 => value.ToString("F1", CultureInfo.InvariantCulture),
        _ => value.ToString("N0", CultureInfo.InvariantCulture),
    };

    private void PrintJson()
    {
        using var output = Console.OpenStandardOutput();
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("case", title);
        json.WriteString("time", TimeProvider.System.GetUtcNow());
        json.WriteString("machine", Machine());
        json.WriteStartArray("figures");
        foreach (var (name, value, unit) in _rows)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteNumber("value", Math.Round(value, 6));
            json.WriteString("unit", unit);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        Console.WriteLine();
    }
}
