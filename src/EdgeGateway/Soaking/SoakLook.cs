using EdgeGateway.Control;
using EdgeGateway.Storage;

namespace EdgeGateway.Soaking;

/// <summary>One look at a gateway that is soaked.</summary>
/// <param name="Time">Seconds since the soak began.</param>
/// <param name="ProcessId">Which process it was.</param>
/// <param name="ResidentBytes">Resident memory (VmRSS).</param>
/// <param name="OwnBytes">The part of it that no other process could share (RssAnon).</param>
/// <param name="ProportionalBytes">Proportional share (Pss).</param>
/// <param name="Handles">Open files, sockets and pipes.</param>
/// <param name="Threads">Threads.</param>
/// <param name="LogBytes">Length of the store's write-ahead log.</param>
/// <param name="StoreBytes">Length of all files of the store.</param>
/// <param name="CpuSeconds">Processor time since the process started.</param>
/// <param name="WrittenBytes">Bytes sent to storage since the process started.</param>
/// <param name="AllocatedBytes">Bytes allocated on the managed heap since the process started.</param>
/// <param name="Samples">Samples since the process started.</param>
/// <param name="Missed">Periods in which a device was not polled, since the process started.</param>
/// <param name="Failed">Requests that failed, since the process started.</param>
/// <param name="Waiting">Messages in the outbox.</param>
internal readonly record struct SoakLook(
    double Time,
    int ProcessId,
    long ResidentBytes,
    long OwnBytes,
    long ProportionalBytes,
    int Handles,
    long Threads,
    long LogBytes,
    long StoreBytes,
    double CpuSeconds,
    long WrittenBytes,
    long AllocatedBytes,
    long Samples,
    long Missed,
    long Failed,
    long Waiting)
{
    /// <summary>Looks now.</summary>
    /// <param name="time">Seconds since the soak began.</param>
    /// <param name="store">Directory of the gateway's store.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The look; null when nobody answers.</returns>
    /// <exception cref="UnauthorizedAccessException">The gateway is another user's.</exception>
    public static async Task<SoakLook?> TakeAsync(double time, string store, CancellationToken cancel)
    {
        try
        {
            using var client = ControlClient.TryConnect(store);
            if (client is null)
            {
                return null;
            }

            var status = await client.GetAsync("status", ControlJson.Default.StatusDocument, cancel).ConfigureAwait(false);
            var process = ProcReading.Of(status.ProcessId);
            var files = new StoreFiles(store);
            return new(
                time,
                status.ProcessId,
                process.ResidentBytes,
                process.AnonymousBytes,
                process.ProportionalBytes,
                process.Handles,
                process.Threads,
                files.LogBytes(),
                files.Bytes(),
                process.CpuSeconds,
                process.WrittenBytes,
                status.Process.AllocatedBytes,
                status.Samples,
                status.Devices.Sum(d => d.MissedPeriods),
                status.Devices.Sum(d => d.Failed),
                status.Depth);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // It starts, stops, or has ended in this moment; looks without an answer are counted.
            return null;
        }
    }
}
