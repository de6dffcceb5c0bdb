using System.Globalization;

namespace EdgeGateway.Bench.Hardware;

/// <summary>Pulses of one line, counted by the gateway's library and by a C program, one after the other in one machine.</summary>
internal static class PulsesPart
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var peer = await PeerProgram.CompileAsync("gpio_count").ConfigureAwait(false);
        var seconds = (settings.Length ?? TimeSpan.FromSeconds(10)).TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
        var printed = await VirtualMachine.RunAsync(AppContext.BaseDirectory, Limit, PulsesInside.Name, Path.Combine("/app/peers", Path.GetFileName(peer)), seconds).ConfigureAwait(false);
        var figures = printed.Split('\n').Select(PulseFigure.Parse).OfType<PulseFigure>().ToList();
        if (figures.Count == 0)
        {
            throw new InvalidOperationException($"The machine measured nothing: {printed}");
        }

        foreach (var rate in figures.GroupBy(f => f.Asked))
        {
            var report = new Report($"hardware a: pulses of one line, {(rate.Key == 0 ? "as fast as they can be driven" : $"{rate.Key} Hz asked for")}; virtual machine, one emulated processor");
            foreach (var figure in rate)
            {
                report.Add($"{figure.Program}: sent", figure.Sent, $"pulses, {figure.Hertz.ToString("0", CultureInfo.InvariantCulture)} Hz reached");
                report.Add($"{figure.Program}: lost", figure.Sent - figure.Counted, $"pulses, of which {figure.Said} said");
                report.Add($"{figure.Program}: processor time", figure.MicrosecondsAnEdge, "ms for 1,000 edges");
                report.Add($"{figure.Program}: of one processor", figure.Share * 100, "%");
            }

            if (rate.FirstOrDefault(f => f.Program == PulsesInside.Ours) is { } ours && rate.FirstOrDefault(f => f.Program == PulsesInside.Peer) is { } c)
            {
                report.Add("ratio of processor time, EdgeGateway / C", ours.MicrosecondsAnEdge / c.MicrosecondsAnEdge, "");
            }

            report.Print(settings.Json);
        }

        return figures.Count(f => f.Program == PulsesInside.Ours && f.Counted != f.Sent);
    }
}

/// <summary>What one program did with the pulses of one rate.</summary>
/// <param name="Program">Which.</param>
/// <param name="Asked">Pulses a second that were asked for; 0 for as many as there can be.</param>
/// <param name="Sent">Pulses sent.</param>
/// <param name="Seconds">How long they took.</param>
/// <param name="Counted">Pulses counted, those among them that the kernel dropped and the event numbers prove.</param>
/// <param name="Said">Of these, the dropped ones.</param>
/// <param name="Processor">Processor time of the program, in seconds.</param>
internal sealed record PulseFigure(string Program, int Asked, long Sent, double Seconds, long Counted, long Said, double Processor)
{
    private const string Mark = "pulses";

    public double Hertz => Sent / Seconds;

    /// <summary>The same number as milliseconds for a thousand.</summary>
    public double MicrosecondsAnEdge => Processor / Sent * 1e6;

    public double Share => Processor / Seconds;

    /// <summary>A line between the machine and the host.</summary>
    public string Print() => string.Create(CultureInfo.InvariantCulture, $"{Mark}\t{Program}\t{Asked}\t{Sent}\t{Seconds}\t{Counted}\t{Said}\t{Processor}");

    public static PulseFigure? Parse(string line) => line.Split('\t') is [Mark, var program, var asked, var sent, var seconds, var counted, var said, var processor]
        ? new(program, int.Parse(asked, CultureInfo.InvariantCulture), Long(sent), Real(seconds), Long(counted), Long(said), Real(processor))
        : null;

    private static long Long(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static double Real(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
