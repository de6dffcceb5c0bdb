using EdgeGateway.Hosting;

namespace EdgeGateway.Tests;

internal static class ReadingQueueReads
{
    /// <summary>Takes one reading.</summary>
    public static bool TryRead(this ReadingQueue queue, out Reading reading)
    {
        reading = default;
        return queue.Read(new Span<Reading>(ref reading)) == 1;
    }
}
