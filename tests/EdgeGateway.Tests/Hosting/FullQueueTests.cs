using EdgeGateway.Core;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Hosting;

public sealed class FullQueueTests : IDisposable
{
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(5);
    private static readonly Reading Reading = new(0, 0, 1, 1, Quality.Good);

    private readonly ManualTime _time = new();
    private readonly ReadingQueue _queue;

    public FullQueueTests()
    {
        _queue = new ReadingQueue(_time);
        for (var i = 0; i < ReadingQueue.Capacity; i++)
        {
            Assert.True(_queue.WriteAsync(Reading, CancellationToken.None).AsTask().IsCompletedSuccessfully);
        }
    }

    public void Dispose() => _queue.Dispose();

    [Fact]
    public void A_queue_with_room_was_never_full() => Assert.False(_queue.TryTakeFull(Least, out _, out _));

    [Fact]
    public async Task The_time_in_which_pollers_waited_is_told_once_and_when_it_is_over()
    {
        var waiting = _queue.WriteAsync(Reading, CancellationToken.None).AsTask();
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.False(_queue.TryTakeFull(Least, out _, out _));

        Assert.True(_queue.TryRead(out _));
        await waiting;
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.True(_queue.TryTakeFull(Least, out var since, out var until));
        Assert.Equal((TimeSpan.FromSeconds(32), TimeSpan.FromSeconds(2)), (since, until));
        Assert.False(_queue.TryTakeFull(Least, out _, out _));
    }

    [Fact]
    public async Task A_short_wait_is_not_told()
    {
        var waiting = _queue.WriteAsync(Reading, CancellationToken.None).AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_queue.TryRead(out _));
        await waiting;

        Assert.False(_queue.TryTakeFull(Least, out _, out _));
    }
}
