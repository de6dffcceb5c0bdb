using System.Buffers;
using System.Runtime.CompilerServices;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;

namespace EdgeGateway.Buses;

/// <summary>Puts what requests brought, or why they brought nothing, into the queue; waits while it is full.</summary>
internal sealed class ReadingWriter(SiteModel site, ReadingQueue queue)
{
    private readonly PointModel[] _points = [.. site.Points];

    /// <summary>Writes the values of a reply.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(PlannedRead read, ReadOnlyMemory<ushort> registers, long at, CancellationToken cancel)
    {
        var count = read.Points.Count;
        var group = ArrayPool<Reading>.Shared.Rent(count);
        for (var i = 0; i < count; i++)
        {
            group[i] = DeviceReader.Decode(_points[read.Points[i]], read.Request, registers.Span, at);
        }

        await WriteAsync(group, count, cancel).ConfigureAwait(false);
    }

    /// <summary>Writes that the points of a request have no value.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteMissingAsync(PlannedRead read, BusReply reply, long at, CancellationToken cancel)
    {
        var count = read.Points.Count;
        var group = ArrayPool<Reading>.Shared.Rent(count);
        for (var i = 0; i < count; i++)
        {
            group[i] = DeviceReader.Missing(read.Points[i], at, reply);
        }

        await WriteAsync(group, count, cancel).ConfigureAwait(false);
    }

    /// <summary>Writes that a point has no value.</summary>
    public ValueTask WriteMissingAsync(int point, BusReply reply, long at, CancellationToken cancel) =>
        queue.WriteAsync(DeviceReader.Missing(point, at, reply), cancel);

    /// <summary>Appends what one reply brought, together while there is room, and gives the array back.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAsync(Reading[] group, int count, CancellationToken cancel)
    {
        for (var i = queue.TryWrite(group.AsSpan(0, count)); i < count; i++)
        {
            await queue.WriteAsync(group[i], cancel).ConfigureAwait(false);
        }

        queue.Written();
        ArrayPool<Reading>.Shared.Return(group);
    }
}
