using EdgeGateway.Core;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Hosting;

public sealed class ReadingQueueTests
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();

    [Fact]
    public void Readings_come_out_in_the_order_in_which_they_went_in()
    {
        using var queue = new ReadingQueue(_time);
        Write(queue, 0, 100);
        for (var i = 0; i < 100; i++)
        {
            Assert.True(queue.TryRead(out var reading));
            Assert.Equal(i, reading.Point);
        }

        Assert.False(queue.TryRead(out _));
    }

    [Fact]
    public async Task A_full_queue_wakes_the_reader_and_makes_the_writer_wait()
    {
        using var queue = new ReadingQueue(_time);
        Write(queue, 0, ReadingQueue.Capacity);
        var reader = queue.WaitAsync(Window).AsTask();
        var writer = queue.WriteAsync(Reading(ReadingQueue.Capacity), default).AsTask();
        await reader;
        Assert.False(writer.IsCompleted);
        Assert.Equal(ReadingQueue.Capacity, queue.Count);

        Assert.True(queue.TryRead(out var first));
        Assert.Equal(0, first.Point);
        await writer;
        var last = -1;
        while (queue.TryRead(out var reading))
        {
            last = reading.Point;
        }

        Assert.Equal(ReadingQueue.Capacity, last);
    }

    [Fact]
    public async Task The_first_readings_since_the_start_are_not_kept_waiting_and_all_others_are()
    {
        using var queue = new ReadingQueue(_time);
        queue.Written();
        var reader = queue.WaitAsync(Window).AsTask();
        Assert.False(reader.IsCompleted);
        Assert.False(queue.IsWorthACommit);

        queue.TryWrite([Reading(1)]);
        Assert.True(queue.IsWorthACommit);
        queue.Written();
        await reader;
        Assert.True(queue.TryRead(out _));

        queue.TryWrite([Reading(2)]);
        queue.Written();
        Assert.False(queue.IsWorthACommit);
        var next = queue.WaitAsync(Window).AsTask();
        Assert.False(next.IsCompleted);
        _time.Advance(Window);
        await next;
    }

    [Fact]
    public async Task What_one_reply_brought_is_never_counted_in_part()
    {
        using var queue = new ReadingQueue(_time);
        const int Groups = 5_000;
        var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(() =>
        {
            for (var i = 0; i < Groups; i++)
            {
                Assert.Equal(2, queue.TryWrite([Reading(writer), Reading(writer)]));
            }
        })).ToArray();
        var read = 0;
        while (read < 4 * Groups)
        {
            var waiting = queue.Count;
            Assert.Equal(0, waiting % 2);
            for (; waiting > 0; waiting -= 2, read += 2)
            {
                Assert.True(queue.TryRead(out var first) && queue.TryRead(out var second) && first.Point == second.Point);
            }
        }

        await Task.WhenAll(writers);
    }

    [Fact]
    public void Groups_of_any_size_come_out_in_order_and_whole_while_the_ring_turns_and_grows() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<(byte Written, byte Read)[]>(),
            steps =>
            {
                using var queue = new ReadingQueue(_time);
                var model = new Queue<Reading>();
                var next = 0;
                foreach (var (write, read) in steps.Concat([((byte)200, (byte)0), ((byte)200, byte.MaxValue)]).SelectMany(step => Enumerable.Repeat(step, 9)))
                {
                    Reading[] group = [.. Enumerable.Range(next, write).Select(i => Reading(i) with { Text = $"text {i}" })];
                    next += write;
                    var room = Math.Min(write, ReadingQueue.Capacity - model.Count);
                    Assert.Equal(room, queue.TryWrite(group));
                    Array.ForEach(group[..room], model.Enqueue);
                    Assert.Equal(model.Count, queue.Count);
                    Assert.Equal(model.Count > 0, queue.TryPeek(out var oldest));
                    Assert.Equal(model.Count > 0 ? model.Peek() : default, oldest);
                    var taken = new Reading[read];
                    var count = queue.Read(taken);
                    Assert.Equal(Math.Min(read, model.Count), count);
                    Assert.Equal(Enumerable.Range(0, count).Select(_ => model.Dequeue()), taken.Take(count));
                }
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_full_queue_takes_a_part_and_says_how_much()
    {
        using var queue = new ReadingQueue(_time);
        Write(queue, 0, ReadingQueue.Capacity - 1);
        Assert.Equal(1, queue.TryWrite([Reading(1), Reading(2)]));
    }

    [Fact]
    public async Task A_writer_that_waits_can_be_cancelled()
    {
        using var queue = new ReadingQueue(_time);
        Write(queue, 0, ReadingQueue.Capacity);
        using var cancel = new CancellationTokenSource();
        var writer = queue.WriteAsync(Reading(-1), cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer);
        Assert.Equal(ReadingQueue.Capacity, queue.Count);
    }

    [Fact]
    public async Task While_nothing_can_be_stored_a_full_queue_counts_what_it_cannot_take_and_the_pollers_go_on()
    {
        using var queue = new ReadingQueue(_time);
        Write(queue, 0, ReadingQueue.Capacity);
        var waiting = queue.WriteAsync(Reading(1), default).AsTask();
        Assert.False(waiting.IsCompleted);

        var newest = new NewestReadings(points: 3);
        queue.Note(newest);
        await queue.WriteAsync(Reading(0) with { Value = 1 }, default);
        await queue.WriteAsync(Reading(2) with { Value = 2 }, default);
        await queue.WriteAsync(Reading(0) with { Value = 3 }, default);
        Assert.Equal(3, newest.NotKept);
        var taken = new List<Reading>();
        newest.Take(taken);
        Assert.Equal([(0, 3.0), (2, 2.0)], taken.Select(r => (r.Point, r.Value)));

        // The poller that waited already is let go as well.
        _time.Advance(TimeSpan.FromSeconds(1));
        await waiting;
        Assert.Equal(4, newest.NotKept);
        Assert.Equal(ReadingQueue.Capacity, queue.Count);

        taken.Clear();
        newest.Take(taken);
        Assert.Empty(taken);
        queue.Note(null);
        Assert.False(queue.WriteAsync(Reading(0), default).AsTask().IsCompleted);
    }

    [Fact]
    public async Task The_reader_waits_for_the_commit_window_or_for_a_group()
    {
        using var queue = new ReadingQueue(_time);
        Write(queue, 0, 1);
        Assert.True(queue.TryRead(out _));
        var wait = queue.WaitAsync(Window).AsTask();
        Write(queue, 0, ReadingQueue.GroupSize - 1);
        queue.Written();
        Assert.False(wait.IsCompleted);
        Write(queue, 0, 1);
        queue.Written();
        await wait;

        while (queue.TryRead(out _))
        {
        }

        wait = queue.WaitAsync(Window).AsTask();
        Write(queue, 0, 1);
        queue.Written();
        Assert.False(wait.IsCompleted);
        _time.Advance(Window);
        await wait;

        wait = queue.WaitAsync(Window).AsTask();
        queue.Wake();
        await wait;
    }

    private static Reading Reading(int point) => new(point, 0, 0, 0, Quality.Good);

    private static void Write(ReadingQueue queue, int first, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Assert.True(queue.WriteAsync(Reading(first + i), default).AsTask().IsCompletedSuccessfully);
        }
    }
}
