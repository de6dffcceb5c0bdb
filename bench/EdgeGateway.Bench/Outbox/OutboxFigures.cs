using EdgeGateway.Control;
using EdgeGateway.Soaking;

namespace EdgeGateway.Bench.Outbox;

/// <summary>Readings that several parts take.</summary>
internal static class OutboxFigures
{
    /// <summary>The status of a gateway that must be running.</summary>
    /// <exception cref="InvalidOperationException">It ended, or does not answer.</exception>
    public static async Task<StatusDocument> StatusAsync(string store, ChildProcess gateway)
    {
        gateway.ThrowIfExited();
        return await GatewayProgram.StatusAsync(store).ConfigureAwait(false) ?? throw new InvalidOperationException($"The gateway does not answer: {gateway.Output}");
    }

    /// <summary>Waits until a gateway that was just started answers.</summary>
    /// <exception cref="InvalidOperationException">It ended, or found its store damaged: what it does then is not what is to be measured.</exception>
    public static async Task<StatusDocument> FirstStatusAsync(string store, ChildProcess gateway, CancellationToken cancel)
    {
        while (true)
        {
            gateway.ThrowIfExited();
            if (await GatewayProgram.StatusAsync(store).ConfigureAwait(false) is { } status)
            {
                return Directory.EnumerateFiles(store, "gateway.db.damaged-*").Any() ? throw new InvalidOperationException($"The gateway salvaged its store: {gateway.Output}") : status;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Resident memory of a process, read once a second.</summary>
    /// <returns>Medians of VmRSS and RssAnon, in bytes.</returns>
    public static async Task<(double Resident, double Anonymous)> MemoryAsync(ChildProcess process, TimeSpan length, CancellationToken cancel)
    {
        var resident = new List<double>();
        var anonymous = new List<double>();
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < length)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancel).ConfigureAwait(false);
            process.ThrowIfExited();
            var now = ProcReading.Of(process.Id);
            resident.Add(now.ResidentBytes);
            anonymous.Add(now.AnonymousBytes);
        }

        return (Median(resident), Median(anonymous));
    }

    public static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
