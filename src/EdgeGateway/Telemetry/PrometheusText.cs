using System.Globalization;
using System.Text;

namespace EdgeGateway.Telemetry;

/// <summary>Writes metrics in the text format of Prometheus, version 0.0.4.</summary>
/// <remarks>"Exposition formats", text-based format: one HELP and one TYPE line for each metric, then its samples, which are unique by name and labels.</remarks>
internal static class PrometheusText
{
    /// <summary>The media type of the format.</summary>
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes all metrics that have a value now.</summary>
    public static string Write(IEnumerable<Metric> metrics, Measurement measurement)
    {
        var text = new StringBuilder(16 * 1024);
        foreach (var metric in metrics)
        {
            var name = metric.PrometheusName;
            var isFirst = true;
            foreach (var measured in metric.Values(measurement))
            {
                if (double.IsNaN(measured.Value))
                {
                    continue;
                }

                if (isFirst)
                {
                    text.Append("# HELP ").Append(name).Append(' ').Append(EscapeHelp(metric.Description)).Append('\n');
                    text.Append("# TYPE ").Append(name).Append(' ').Append(metric.PrometheusType).Append('\n');
                    isFirst = false;
                }

                text.Append(name);
                for (var i = 0; i < metric.Labels.Length; i++)
                {
                    text.Append(i == 0 ? '{' : ',').Append(metric.Labels[i]).Append("=\"").Append(EscapeLabel(measured.Labels[i])).Append('"');
                }

                text.Append(metric.Labels.Length > 0 ? "} " : " ").Append(Number(measured.Value)).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>A label's value: backslash, double quote and line feed are escaped.</summary>
    public static string EscapeLabel(string value) => EscapeHelp(value).Replace("\"", "\\\"", StringComparison.Ordinal);

    /// <summary>A HELP text: backslash and line feed are escaped.</summary>
    public static string EscapeHelp(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>A number as Go's ParseFloat reads it.</summary>
    public static string Number(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
