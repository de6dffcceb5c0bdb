using System.Runtime.CompilerServices;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;
using EdgeGateway.Following;
using EdgeGateway.Hosting;

namespace EdgeGateway.Buses;

/// <summary>Puts what requests brought, or why they brought nothing, into the queue; waits while it is full. One write at a time.</summary>
internal sealed class ReadingWriter(SiteModel site, ReadingQueue queue, int numbering)
{
    // Of its own, and not from the shared pool: that one keeps arrays for each thread, and the owner of a bus goes on on whichever thread its reply arrives.
    private Reading[] _group = [];

    /// <summary>Asked whether somebody follows a sample; null when nobody can.</summary>
    public Follower? Follower { get; set; }

    /// <summary>Writes the values of a reply.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(PlannedRead read, BusReply reply, ReadOnlyMemory<ushort> registers, long at, CancellationToken cancel)
    {
        var count = read.Points.Count;
        var group = Room(count);
        for (var i = 0; i < count; i++)
        {
            group[i] = DeviceReader.Decode(site.Points[read.Points[i]], read.Request, reply, registers.Span, at) with { Numbering = numbering };
        }

        await WriteAsync(count, cancel).ConfigureAwait(false);
    }

    /// <summary>Writes that the points of a request have no value.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteMissingAsync(PlannedRead read, BusReply reply, long at, CancellationToken cancel)
    {
        var count = read.Points.Count;
        var group = Room(count);
        for (var i = 0; i < count; i++)
        {
            group[i] = DeviceReader.Missing(read.Points[i], at, reply) with { Numbering = numbering };
        }

        await WriteAsync(count, cancel).ConfigureAwait(false);
    }

    /// <summary>Writes that a point has no value.</summary>
    public ValueTask WriteMissingAsync(int point, BusReply reply, long at, CancellationToken cancel)
    {
        var missing = DeviceReader.Missing(point, at, reply) with { Numbering = numbering };
        Follower?.Current?.Decoded(new ReadOnlySpan<Reading>(in missing));
        return queue.WriteAsync(missing, cancel);
    }

    /// <summary>Appends what one reply brought, together while there is room.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAsync(int count, CancellationToken cancel)
    {
        // Before the pipeline can have them.
        Follower?.Current?.Decoded(_group.AsSpan(0, count));
        for (var i = queue.TryWrite(_group.AsSpan(0, count)); i < count; i++)
        {
            await queue.WriteAsync(_group[i], cancel).ConfigureAwait(false);
        }

        queue.Written();
    }

    /// <summary>Room for the readings of the largest reply so far; replies are of few sizes, and those of one device come again and again.</summary>
    private Reading[] Room(int count) => _group.Length >= count ? _group : _group = new Reading[count];
}
