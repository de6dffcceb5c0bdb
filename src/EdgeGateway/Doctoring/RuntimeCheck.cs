using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using EdgeGateway.Box;
using EdgeGateway.Commands;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Doctoring;

/// <summary>The program, what it runs on, and the memory there is for it.</summary>
internal static class RuntimeCheck
{
    // linux/gpio.h, second version of the interface; SQLite, serial ports and sensors need nothing newer.
    private static readonly Version OldestForGpio = new(5, 10);

    public static IEnumerable<Finding> Look(Patient patient)
    {
        var kernel = patient.Word("proc/sys/kernel/osrelease");
        yield return Finding.Ok($"edgegateway {patient.Version} on .NET {Environment.Version}, {(kernel is null ? RuntimeInformation.OSDescription : $"Linux {kernel}")}, {RuntimeInformation.ProcessArchitecture}");
        if (kernel is not null && VersionOf(kernel) is { } version && version < OldestForGpio && patient.Site?.Model.Buses.Any(b => b is GpioBus) == true)
        {
            yield return Finding.Fault($"Linux {kernel} is too old for GPIO lines: the interface they need came with {OldestForGpio}", "Upgrade the operating system to one with a newer kernel (Debian 11 has 5.10)");
        }

        if (patient.WhyNotShown(BoxSubject.Memory) is { } why)
        {
            yield return Finding.NotChecked($"Memory: {why}");
            yield break;
        }

        var (total, available) = (Kilobytes(patient, "MemTotal:"), Kilobytes(patient, "MemAvailable:"));
        var used = 100.0 * (total - available) / total;
        yield return Finding.Marked(
            used, 85, 95, $"Memory: {used:F0} % in use, {Words.Bytes(available * 1024)} to be had", "See which program takes it (`ps aux --sort -rss | head`) and stop what does not belong on a gateway; `edgegateway status` shows what the gateway takes");
    }

    private static long Kilobytes(Patient patient, string name)
    {
        var text = patient.Word("proc/meminfo")!;
        return Utf8Parser.TryParse(KernelFile.Word(Encoding.ASCII.GetBytes(text[(text.IndexOf(name, StringComparison.Ordinal) + name.Length)..]), 0), out long kilobytes, out _) ? kilobytes : 0;
    }

    private static Version? VersionOf(string kernel) => kernel.Split('.', '-') is [var major, var minor, ..] && Version.TryParse($"{major}.{minor}", out var version) ? version : null;
}
