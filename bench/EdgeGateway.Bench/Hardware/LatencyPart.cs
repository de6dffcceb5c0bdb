using System.Globalization;

namespace EdgeGateway.Bench.Hardware;

/// <summary>From a contact that closes to a subscriber of the broker: the gateway, which stores before it sends, and a C program piped into mosquitto_pub, which keeps nothing.</summary>
internal static class LatencyPart
{
    /// <summary>The gateway looks at the contact this often; what happened in between has its time from the kernel.</summary>
    public const int PollMilliseconds = 100;

    private const int Closings = 100;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var peer = await PeerProgram.CompileAsync("gpio_say").ConfigureAwait(false);
        var printed = await VirtualMachine.RunAsync(AppContext.BaseDirectory, Limit, LatencyInside.Name, Path.Combine("/app/peers", Path.GetFileName(peer)), Closings.ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false);
        var report = new Report(string.Create(CultureInfo.InvariantCulture, $"hardware b: from a contact that closes to a subscriber, {Closings} times; polled every {PollMilliseconds} ms, stored every 100 ms; virtual machine, one emulated processor"));
        var measured = printed.Split('\n').Select(l => l.Split('\t')).Where(f => f is [LatencyInside.Mark, _, _]).ToLookup(f => f[1], f => double.Parse(f[2], CultureInfo.InvariantCulture));
        foreach (var program in (string[])[PulsesInside.Ours, PulsesInside.Peer])
        {
            double[] sorted = [.. measured[program].Order()];
            if (sorted.Length == 0)
            {
                throw new InvalidOperationException($"The machine measured nothing of {program}: {printed}");
            }

            report.Add($"{program}: median", sorted[sorted.Length / 2], "ms");
            report.Add($"{program}: 95 of 100 within", sorted[(int)(sorted.Length * 0.95)], "ms");
            report.Add($"{program}: longest", sorted[^1], "ms");
        }

        report.Print(settings.Json);
        return 0;
    }
}
