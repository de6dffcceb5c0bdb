using System.Diagnostics;
using System.Reflection;
using System.Threading.Tasks.Sources;
using EdgeGateway.Buses;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Tests.Buses;

/// <summary>Tests that measure the whole process, so that nothing else may run beside them.</summary>
[CollectionDefinition(nameof(MeasuresTheProcess), DisableParallelization = true)]
public sealed class MeasuresTheProcess;

/// <summary>Polling allocates nothing for a reading, and in a release build nothing for a poll.</summary>
[Collection(nameof(MeasuresTheProcess))]
public sealed class AllocationTests
{
    private const int Points = 1000;
    private const int PollsPerRound = 500;

    // A work item has 32 bytes, and a poll has two requests. In a debug build the compiler makes each state machine an object. Even there a reading must cost nothing: the smallest object
    // would be 24,000 bytes for a poll of 1000 readings.
    private static readonly long BytesAllowedPerPoll =
        typeof(BusPoller).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true } ? 4000 : 32;

    [Theory]
    [InlineData(1, 0.01, false)]
    [InlineData(2, 0, false)]
    [InlineData(2, 0, true)]
    public async Task Polls_in_steady_state_allocate_nothing(int depth, double minGapSeconds, bool endsBetweenLooks)
    {
        var time = new LeapingTime();
        using var queue = new ReadingQueue(time);
        using var stop = new CancellationTokenSource();
        var bus = new MeasuringBus(queue, stop, depth, endsBetweenLooks);
        using var poller = new BusPoller(BusSite.Bus, Site(minGapSeconds), bus, queue, new GatewayClock(time), NullLogger.Instance);
        await Task.Run(() => poller.RunAsync(stop.Token));
        Assert.InRange(bus.LeastBytesPerPoll, 0, BytesAllowedPerPoll);

        // With several requests under way this clock leaps while the poller waits for replies.
        Assert.True(depth > 1 || poller.Links[0].MissedPeriods == 0);
    }

    /// <summary>On a busy machine replies come on many threads. What is kept for each thread is then made anew again and again.</summary>
    [Fact]
    public async Task A_poll_that_goes_on_on_a_thread_where_none_was_before_allocates_nothing_for_its_readings()
    {
        var time = new LeapingTime();
        using var queue = new ReadingQueue(time);
        using var stop = new CancellationTokenSource();
        using var bus = new HoppingBus(queue);
        using var poller = new BusPoller(BusSite.Bus, Site(minGapSeconds: 0), bus, queue, new GatewayClock(time), NullLogger.Instance);
        var running = Task.Run(() => poller.RunAsync(stop.Token));
        for (var i = 0; i < 10; i++)
        {
            bus.Answer();
        }

        var bytes = Enumerable.Range(0, 40).Select(_ => bus.Answer()).ToArray();

        // Not while the owner waits for the clock: it would end without another read.
        bus.UntilAwaited();
        await stop.CancelAsync();
        bus.Complete();
        await running;

        // The runtime itself makes some hundred bytes for what it keeps for a thread. Readings have more than 40 bytes each.
        Assert.InRange(bytes.Max(), 0, (8 * HoppingBus.ReadingsPerReply) + BytesAllowedPerPoll);
    }

    private static SiteModel Site(double minGapSeconds) => new BusSite().Device(minGapSeconds: minGapSeconds)
        .Points(TimeSpan.FromSeconds(1), Points / 2, table: RegisterTable.Coil)
        .Points(TimeSpan.FromSeconds(1), Points / 2, at: 1000, table: RegisterTable.Coil).Build();

    /// <summary>Answers each read on a new thread, on which the owner of the bus goes on, and measures what it allocates there until it waits again.</summary>
    private sealed class HoppingBus(ReadingQueue queue) : IBus, IValueTaskSource<BusReply>, IDisposable
    {
        public const int ReadingsPerReply = Points / 2;

        private readonly AutoResetEvent _awaited = new(false);
        private ManualResetValueTaskSourceCore<BusReply> _source;

        public string LastProblem => "";

        public int MaxInFlight => 1;

        /// <summary>Waits until a read is awaited.</summary>
        public void UntilAwaited() => Assert.True(_awaited.WaitOne(TimeSpan.FromMinutes(1)), "nothing is asked");

        /// <summary>Answers it on this thread.</summary>
        public void Complete() => _source.SetResult(BusReply.Good);

        /// <summary>Waits until a read is awaited, and answers it on a new thread.</summary>
        /// <returns>Bytes allocated on the new thread.</returns>
        public long Answer()
        {
            UntilAwaited();
            var bytes = 0L;
            var thread = new Thread(() =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                Complete();
                bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            });
            thread.Start();
            thread.Join();
            return bytes;
        }

        public ValueTask<BusReply> WriteAsync(
            byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel) =>
            throw new NotSupportedException("polling never writes");

        public ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
        {
            while (queue.TryRead(out _))
            {
                // As the pipeline does.
            }

            _source.Reset();
            return new(this, _source.Version);
        }

        public BusReply GetResult(short token) => _source.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        {
            _source.OnCompleted(continuation, state, token, flags);
            _awaited.Set();
        }

        public void Dispose() => _awaited.Dispose();

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Takes the readings away as the pipeline does, and measures what a round of polls allocates.</summary>
    private sealed class MeasuringBus(ReadingQueue queue, CancellationTokenSource stop, int depth, bool endsBetweenLooks) : IBus
    {
        private const int RequestsPerPoll = 2;
        private const int Rounds = 6;

        private long _requests;
        private long _readings;
        private long _before;

        public long LeastBytesPerPoll { get; private set; } = long.MaxValue;

        public string LastProblem => "";

        public int MaxInFlight => depth;

        private readonly Stack<Later> _later = new(Enumerable.Range(0, depth).Select(_ => new Later(endsBetweenLooks)));

        public ValueTask<BusReply> WriteAsync(
            byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel) =>
            throw new NotSupportedException("polling never writes");

        public ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
        {
            while (queue.TryRead(out _))
            {
                _readings++;
            }

            if (_requests % (PollsPerRound * RequestsPerPoll) == 0)
            {
                var now = GC.GetTotalAllocatedBytes(precise: true);
                if (_requests > PollsPerRound * RequestsPerPoll)
                {
                    LeastBytesPerPoll = Math.Min(LeastBytesPerPoll, (now - _before) / PollsPerRound);
                }

                _before = GC.GetTotalAllocatedBytes(precise: true);
            }

            if (++_requests > Rounds * PollsPerRound * RequestsPerPoll)
            {
                // What is under way has not been read.
                Assert.InRange(_readings, (_requests - depth) * (Points / RequestsPerPoll), (_requests - 1) * (Points / RequestsPerPoll));
                stop.Cancel();
            }

            return depth == 1 ? ValueTask.FromResult(BusReply.Good) : Answer();
        }

        private ValueTask<BusReply> Answer()
        {
            lock (_later)
            {
                return _later.Pop().Start(_later);
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>A reply that comes a little later on another thread.</summary>
    /// <param name="endsBetweenLooks">It has come when it is looked for again, as when the owner of the bus was held up on a busy machine.</param>
    private sealed class Later(bool endsBetweenLooks) : IValueTaskSource<BusReply>, IThreadPoolWorkItem
    {
        private ManualResetValueTaskSourceCore<BusReply> _source;
        private Stack<Later>? _home;

        public ValueTask<BusReply> Start(Stack<Later> home)
        {
            _home = home;
            _source.Reset();
            var version = _source.Version;
            if (!endsBetweenLooks)
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }

            return new(this, version);
        }

        public void Execute() => _source.SetResult(BusReply.Good);

        public BusReply GetResult(short token)
        {
            var reply = _source.GetResult(token);
            lock (_home!)
            {
                _home.Push(this);
            }

            return reply;
        }

        public ValueTaskSourceStatus GetStatus(short token)
        {
            var status = _source.GetStatus(token);
            if (endsBetweenLooks && status == ValueTaskSourceStatus.Pending)
            {
                Execute();
            }

            return status;
        }

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags);
    }

    /// <summary>A clock that leaps to the end of each wait, and allocates nothing for it.</summary>
    private sealed class LeapingTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(Volatile.Read(ref _ticks));

        public override long GetTimestamp() => Volatile.Read(ref _ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Leap(this, callback, state);

        private sealed class Leap(LeapingTime time, TimerCallback callback, object? state) : ITimer, IThreadPoolWorkItem
        {
            private long _delay;

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    _delay = dueTime.Ticks;
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                }

                return true;
            }

            public void Execute()
            {
                Interlocked.Add(ref time._ticks, _delay);
                callback(state);
            }

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
