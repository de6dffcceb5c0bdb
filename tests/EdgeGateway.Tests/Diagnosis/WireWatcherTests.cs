using EdgeGateway.Tracing;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>The ring between the owner of a bus and somebody who watches it.</summary>
public sealed class WireWatcherTests
{
    [Fact]
    public void What_passed_comes_out_in_order_also_around_the_end_of_the_ring()
    {
        using var watcher = new WireWatcher(100);
        var reader = new Reader();
        for (byte i = 0; i < 50; i++)
        {
            watcher.Put(i % 2 == 0 ? WireEvent.Sent : WireEvent.Received, TimeSpan.FromMilliseconds(i), [i, 1, 2]);
            watcher.Put(WireEvent.Received, TimeSpan.FromMilliseconds(i), []);
            Assert.False(watcher.Drain(reader, 10, out var lost));
            Assert.Equal(0, lost);
        }

        Assert.Equal(Enumerable.Range(0, 50), reader.Events.Where(e => e.Bytes.Length > 0).Select(e => (int)e.Bytes[0]));
        Assert.All(reader.Events.Where(e => e.Bytes.Length > 0), e => Assert.Equal((double)e.Bytes[0], e.At.TotalMilliseconds));
    }

    [Fact]
    public void What_a_slow_reader_misses_is_counted_and_the_hole_is_at_the_end()
    {
        using var watcher = new WireWatcher(100);
        var reader = new Reader();
        for (byte i = 0; i < 20; i++)
        {
            watcher.Put(WireEvent.Sent, default, [i, 1, 2, 3, 4, 5, 6]);
        }

        Assert.True(watcher.Drain(reader, 3, out var lost));
        Assert.Equal(0, lost);
        watcher.Put(WireEvent.Sent, default, [99]);
        Assert.False(watcher.Drain(reader, 100, out lost));
        Assert.Equal([0, 1, 2, 3, 4], reader.Events.Select(e => (int)e.Bytes[0]));
        Assert.Equal(16, lost);

        watcher.Put(WireEvent.Sent, default, [100]);
        Assert.False(watcher.Drain(reader, 100, out lost));
        Assert.Equal(100, reader.Events[^1].Bytes[0]);
        Assert.Equal(0, lost);
    }

    [Fact]
    public void Watching_allocates_nothing_for_the_owner_of_the_bus()
    {
        using var watcher = new WireWatcher();
        byte[] frame = [1, 2, 3, 4, 5, 6, 7, 8];
        watcher.Put(WireEvent.Sent, default, frame);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            watcher.Put(WireEvent.Sent, default, frame);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private sealed class Reader : IWireReader
    {
        public List<(WireEvent What, TimeSpan At, byte[] Bytes)> Events { get; } = [];

        public void Take(WireEvent what, TimeSpan at, ReadOnlySpan<byte> bytes) => Events.Add((what, at, bytes.ToArray()));
    }
}
