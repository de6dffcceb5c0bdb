using System.Runtime.CompilerServices;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;

namespace EdgeGateway.Buses;

/// <summary>Puts what requests brought, or why they brought nothing, into the queue; waits while it is full.</summary>
internal sealed class ReadingWriter(SiteModel site, ReadingQueue queue)
{
    /// <summary>Writes the values of a reply.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(PlannedRead read, ReadOnlyMemory<ushort> registers, long at, CancellationToken cancel)
    {
        for (var i = 0; i < read.Points.Count; i++)
        {
            await queue.WriteAsync(DeviceReader.Decode(site.Points[read.Points[i]], read.Request, registers.Span, at), cancel).ConfigureAwait(false);
        }

        queue.Written();
    }

    /// <summary>Writes that the points of a request have no value.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteMissingAsync(PlannedRead read, BusReply reply, long at, CancellationToken cancel)
    {
        for (var i = 0; i < read.Points.Count; i++)
        {
            await queue.WriteAsync(DeviceReader.Missing(read.Points[i], at, reply), cancel).ConfigureAwait(false);
        }

        queue.Written();
    }

    /// <summary>Writes that a point has no value.</summary>
    public ValueTask WriteMissingAsync(int point, BusReply reply, long at, CancellationToken cancel) =>
        queue.WriteAsync(DeviceReader.Missing(point, at, reply), cancel);
}
