using System.Globalization;
using System.Text;
using EdgeGateway.Commands;

namespace EdgeGateway.Soaking;

/// <summary>The verdict of a soak as people read it.</summary>
internal static class SoakView
{
    private const double Mega = 1e6;

    /// <summary>The report, in lines.</summary>
    public static string Text(SoakDocument document)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Soak of {document.What}, {document.Began:yyyy-MM-dd HH:mm} UTC, {Words.Span(TimeSpan.FromSeconds(document.Seconds))} (the first {Words.Span(TimeSpan.FromSeconds(document.WarmUpSeconds))} are warm-up), {document.Looks} looks\n");
        if (document.FirstSampleSeconds is { } first)
        {
            Line("first sample", Invariant($"{first:F2} s after the start of the process, {document.FirstSampleCpuSeconds:F2} s of processor time"));
        }

        if (document.ResidentBytes is { } resident)
        {
            Line("resident memory", Invariant($"{resident / Mega:F1} MB (VmRSS), of it own {document.OwnBytes / Mega:F1} MB, proportional {document.ProportionalBytes / Mega:F1} MB; medians"));
            Line("samples", Invariant($"{document.SamplesPerSecond:F1} a second, {document.MissedPeriods} missed periods, {document.FailedRequests} failed requests"));
            Line("processor", Invariant($"{document.CpuPercent:F2} % of one"));
            Line("written", Invariant($"{document.WrittenBytesPerDay / Mega:F1} MB a day, {document.WrittenBytesPerSample:F1} bytes a sample"));
            Line("store", $"{Words.Bytes(document.StoreBytes)}, {document.Waiting} messages wait");
        }

        text.Append('\n');
        foreach (var trend in document.Trends)
        {
            var unit = trend.Unit.Length == 0 ? "" : $" {trend.Unit}";
            Line(trend.Name, trend.PerDay is null
                ? Invariant($"{trend.Median:G4}{unit}: too short to say")
                : Invariant($"{trend.Median:G4}{unit}, {trend.PerDay:+0.###;-0.###;0} a day [{trend.LowPerDay:+0.###;-0.###;0}, {trend.HighPerDay:+0.###;-0.###;0}]: {trend.Verdict}; less than {trend.SmallestPerDay:G2} a day would not be seen"));
        }

        text.Append('\n');
        foreach (var finding in document.Findings)
        {
            text.Append(CultureInfo.InvariantCulture, $"! {finding}\n");
        }

        text.Append(document.Verdict switch
        {
            "clean" => "Nothing leaks and nothing drifts, as far as a soak of this length can tell.",
            "too-short" => "Nothing is wrong so far; the soak is too short to speak of leaks.",
            _ => "There is something to mend.",
        });
        return text.ToString();

        void Line(string name, string what) => text.Append(CultureInfo.InvariantCulture, $"  {name,-16} {what}\n");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
