using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Buses;

/// <summary>
/// The owner task of one bus. It polls every device of the bus at multiples of the points' periods on the wall clock, earliest
/// deadline first, and turns every reply, and every missing reply, into readings.
/// </summary>
/// <remarks>
/// <para>
/// A device that does not answer twice in a row is <em>down</em>: its polls report the reason without touching the wire. Devices that are
/// down are probed in turn, and a probe that fails is followed by a pause of ten times what it cost: all of them together take less
/// than a tenth of the bus. A probe that is answered is followed by the next one at once, so that a repaired line is back in one round.
/// </para>
/// <para>
/// A device that answers, but never to one of its requests, is not down: that request alone is sent less often.
/// </para>
/// </remarks>
public sealed class BusPoller : IDisposable
{
    private const int FailuresUntilDown = 2;
    private const int ProbeShare = 10;
    private const long MinProbePause = 1_000;

    // A device that was busy when it was asked for what is read once is asked again after this time.
    private const long OnceRetry = 60_000;

    private readonly IBus _bus;
    private readonly SiteModel _site;
    private readonly ReadingQueue _queue;
    private readonly GatewayClock _clock;
    private readonly ILogger _log;
    private readonly Alarm _alarm;
    private readonly DeviceLink[] _links;
    private readonly Poll[] _polls;
    private readonly PriorityQueue<Poll, (long Due, int Order)> _schedule = new();
    private readonly ConcurrentQueue<Errand> _errands = new();
    private readonly ushort[] _registers = new ushort[DeviceReader.LargestReply];
    private long _nextProbe = long.MaxValue;
    private int _down;
    private volatile bool _stopped;

    public BusPoller(BusModel model, SiteModel site, IBus bus, ReadingQueue queue, GatewayClock clock, ILogger log)
    {
        Model = model;
        _site = site;
        _bus = bus;
        _queue = queue;
        _clock = clock;
        _log = log;
        _alarm = new Alarm(clock.Time);
        _links = [.. site.Devices.Where(d => d.BusId == model.Id).Select(d => new DeviceLink(d))];
        _polls = [.. _links.SelectMany(link => link.Device.Points
            .GroupBy(point => site.Points[point].Period)
            .OrderBy(group => group.Key)
            .Select(group => new Poll(link, group.Key, [.. DeviceReader.Plan(site, link.Device, group).Select(read => new PolledRead(read))])))];
        for (var i = 0; i < _polls.Length; i++)
        {
            _polls[i].Order = i;
        }

        foreach (var link in _links)
        {
            link.Reads = [.. _polls.Where(poll => poll.Link == link).SelectMany(poll => poll.Reads)];
        }
    }

    /// <summary>The bus that is polled.</summary>
    public BusModel Model { get; }

    /// <summary>Devices of this bus with what is known of their answers.</summary>
    public IReadOnlyList<DeviceLink> Links => _links;

    /// <summary>Polls until cancelled. After a fault it can be called again: everything is then read at once, as at the start.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var wake = cancel.Register(static alarm => ((Alarm)alarm!).Wake(), _alarm);
        try
        {
            await PollAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Asked for: what was read half is not a reading.
        }
        catch (Exception) when (!cancel.IsCancellationRequested)
        {
            await ReportStoppedAsync(cancel).ConfigureAwait(false);
            throw;
        }
        finally
        {
            if (cancel.IsCancellationRequested)
            {
                _stopped = true;
                Refuse(cancel);
            }
        }
    }

    /// <summary>Reads one device now, between two polls. The polls go on as planned.</summary>
    /// <exception cref="ArgumentException">The device is not on this bus.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up, or polling ends.</exception>
    public Task<IReadOnlyList<Reading>> ReadNowAsync(DeviceModel device, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(device);
        var link = Array.Find(_links, l => l.Device.Index == device.Index)
            ?? throw new ArgumentException($"The device {device.Id} is not on the bus {Model.Id}.", nameof(device));
        return UseBusAsync(async (_, stop) => await ReadAsync(link, stop).ConfigureAwait(false), cancel);
    }

    /// <summary>
    /// Does something on the bus between two polls, while nothing else is under way: what an operator asks for goes through the owner.
    /// Long work gives the bus back in between by asking several times.
    /// </summary>
    /// <param name="work">Gets the bus, and a token that ends with the polling.</param>
    /// <param name="cancel">Gives up waiting; work that has begun goes on unless it looks at a token of its own.</param>
    /// <exception cref="OperationCanceledException">The caller gave up, or polling ends.</exception>
    public Task<T> UseBusAsync<T>(Func<IBus, CancellationToken, ValueTask<T>> work, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(work);
        var errand = new Errand<T>(work, cancel);
        _errands.Enqueue(errand);
        _alarm.Wake();
        if (_stopped)
        {
            Refuse(new CancellationToken(canceled: true));
        }

        return errand.Done.Task.WaitAsync(cancel);
    }

    public void Dispose() => _alarm.Dispose();

    private static bool IsAnswer(BusReply reply) =>
        reply.IsGood || (reply.Reason == QualityReason.DeviceException && !IsGatewayException(reply));

    // MODBUS V1.1b3, 7: exceptions 0A and 0B come from a gateway in front of a device that does not answer.
    private static bool IsGatewayException(BusReply reply) => reply.Detail is 0x0A or 0x0B;

    // Exceptions 05 and 06: the device is busy now and may answer later; the others are its last word.
    private static bool IsBusyException(BusReply reply) => reply.Reason == QualityReason.DeviceException && reply.Detail is 0x05 or 0x06;

    private static long Pause(long cost) => Math.Max(cost * ProbeShare, MinProbePause);

    private async Task PollAsync(CancellationToken cancel)
    {
        _schedule.Clear();
        var now = _clock.Monotonic;
        foreach (var poll in _polls)
        {
            // Everything is read at once at the start, then on the clock.
            poll.Started = false;
            Plan(poll, now);
        }

        while (true)
        {
            cancel.ThrowIfCancellationRequested();

            // One at a time between two polls, so that many questions cannot hold up the polls.
            if (_errands.TryDequeue(out var errand))
            {
                await errand.RunAsync(_bus, cancel).ConfigureAwait(false);
            }

            now = _clock.Monotonic;
            var hasNext = _schedule.TryPeek(out var next, out var key);
            var due = hasNext ? key.Due : long.MaxValue;
            if (_nextProbe <= now && _nextProbe < due)
            {
                await ProbeAsync(cancel).ConfigureAwait(false);
            }
            else if (due <= now)
            {
                _schedule.Dequeue();
                Reschedule(next!, await ExecuteAsync(next!, cancel).ConfigureAwait(false));
            }
            else if (_errands.IsEmpty)
            {
                await _alarm.WaitAsync(TimeSpan.FromMilliseconds(Math.Min(Math.Min(due, _nextProbe) - now, 3_600_000))).ConfigureAwait(false);
            }
        }
    }

    private void Plan(Poll poll, long due)
    {
        poll.Due = due;
        _schedule.Enqueue(poll, (due, poll.Order));
    }

    /// <summary>Reads what is due and writes a reading for every point of the poll.</summary>
    /// <returns>False when a point has no value that it may have later.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ExecuteAsync(Poll poll, CancellationToken cancel)
    {
        var link = poll.Link;
        var isComplete = true;
        var isAbsent = link.IsDown;
        foreach (var read in poll.Reads)
        {
            if (isAbsent)
            {
                isComplete = false;
                await ReportMissingAsync(read.Plan, link.Reason, cancel).ConfigureAwait(false);
                continue;
            }

            if (_clock.Monotonic < read.NotBefore)
            {
                isComplete = false;
                await ReportMissingAsync(read.Plan, read.Reason, cancel).ConfigureAwait(false);
                continue;
            }

            var wasSilent = read.Failures >= FailuresUntilDown;
            var reply = await AskAsync(link, read, cancel).ConfigureAwait(false);
            if (reply.IsGood)
            {
                await ReportAsync(read.Plan, cancel).ConfigureAwait(false);
                continue;
            }

            // What a device refuses is missing alone. When it does not answer, the rest of the poll is not tried either, unless
            // it is known to leave just this request unanswered.
            await ReportMissingAsync(read.Plan, reply, cancel).ConfigureAwait(false);
            isComplete &= IsAnswer(reply) && !IsBusyException(reply);
            isAbsent = !IsAnswer(reply) && (link.IsDown || !wasSilent);
        }

        _queue.Written();
        return isComplete;
    }

    /// <summary>Asks the device that has been left alone longest whether it is back, with each of its requests in turn.</summary>
    private async ValueTask ProbeAsync(CancellationToken cancel)
    {
        DeviceLink? link = null;
        foreach (var other in _links)
        {
            if (other.IsDown && (link is null || other.LastFailure < link.LastFailure))
            {
                link = other;
            }
        }

        var read = link!.Reads[link.Turn];
        link.Turn = (link.Turn + 1) % link.Reads.Length;
        var reply = await AskAsync(link, read, cancel).ConfigureAwait(false);
        if (reply.IsGood)
        {
            await ReportAsync(read.Plan, cancel).ConfigureAwait(false);
            _queue.Written();
        }
    }

    /// <summary>One request of the plan, and what its outcome says about the request and its device.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BusReply> AskAsync(DeviceLink link, PolledRead read, CancellationToken cancel)
    {
        await RestAsync(link, cancel).ConfigureAwait(false);
        var started = _clock.Monotonic;
        var reply = await ExchangeAsync(link, read.Plan.Request, _registers, cancel).ConfigureAwait(false);
        if (IsAnswer(reply))
        {
            read.Failures = 0;
            read.NotBefore = 0;
            Answered(link);
            return reply;
        }

        var ended = _clock.Monotonic;
        var wasSilent = read.Failures >= FailuresUntilDown;
        read.Failures++;
        read.Reason = reply;
        if (read.Failures >= FailuresUntilDown)
        {
            read.NotBefore = ended + (Pause(ended - started) * Math.Max(SilentReads(link), 1));
        }

        // A request that never brings an answer says nothing about a device that answers others.
        if (link.IsDown || !wasSilent)
        {
            Failed(link, reply, ended - started);
        }

        return reply;
    }

    /// <summary>One request on the wire, counted.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BusReply> ExchangeAsync(DeviceLink link, ReadRequest request, Memory<ushort> registers, CancellationToken cancel)
    {
        var started = _clock.Monotonic;
        var reply = await _bus.ReadAsync(link.Device.Unit, request, registers, link.Device.Timeout, cancel).ConfigureAwait(false);
        link.Count(reply, _clock.Time.GetTimestamp(), _clock.Monotonic - started);
        return reply;
    }

    /// <summary>Waits until the device has had the quiet time that it needs between two requests.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RestAsync(DeviceLink link, CancellationToken cancel)
    {
        // The alarm is shared with the main loop, which looks at everything that can wake it before it waits again.
        while (link.RestLeft(_clock.Time) is var rest && rest > TimeSpan.Zero)
        {
            await _alarm.WaitAsync(rest).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReportAsync(PlannedRead read, CancellationToken cancel)
    {
        var at = _clock.Monotonic;
        for (var i = 0; i < read.Points.Count; i++)
        {
            await _queue.WriteAsync(DeviceReader.Decode(_site.Points[read.Points[i]], read.Request, _registers, at), cancel).ConfigureAwait(false);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReportMissingAsync(PlannedRead read, BusReply reply, CancellationToken cancel)
    {
        var at = _clock.Monotonic;
        for (var i = 0; i < read.Points.Count; i++)
        {
            await _queue.WriteAsync(DeviceReader.Missing(read.Points[i], at, reply), cancel).ConfigureAwait(false);
        }
    }

    // A fault of our own stops the bus until it is started again; its points say so.
    private async ValueTask ReportStoppedAsync(CancellationToken cancel)
    {
        foreach (var poll in _polls)
        {
            foreach (var read in poll.Reads)
            {
                await ReportMissingAsync(read.Plan, new BusReply(QualityReason.BusStopped), cancel).ConfigureAwait(false);
            }
        }

        _queue.Written();
    }

    private void Answered(DeviceLink link)
    {
        link.Failures = 0;
        if (!link.IsDown)
        {
            return;
        }

        link.IsDown = false;
        _down--;
        _nextProbe = _down == 0 ? long.MaxValue : _clock.Monotonic;
        Log.DeviceBack(_log, link.Device.Id, Model.Id);

        foreach (var read in link.Reads)
        {
            read.NotBefore = 0;
        }

        // What is read once may have changed: the device may have been replaced.
        foreach (var poll in _polls)
        {
            if (poll.Link == link && poll.IsOnce && poll.Due == long.MaxValue)
            {
                Plan(poll, _clock.Monotonic);
            }
        }
    }

    private void Failed(DeviceLink link, BusReply reply, long cost)
    {
        link.Reason = reply;
        link.Failures++;
        if (!link.IsDown && link.Failures >= FailuresUntilDown)
        {
            link.IsDown = true;
            _down++;
            Log.DeviceDown(_log, link.Device.Id, Model.Id, _bus.LastProblem);
        }

        if (link.IsDown)
        {
            link.LastFailure = _clock.Monotonic;
            _nextProbe = link.LastFailure + Pause(cost);
        }
    }

    private void Reschedule(Poll poll, bool isComplete)
    {
        var now = _clock.Monotonic;
        if (poll.IsOnce)
        {
            if (isComplete || poll.Link.IsDown)
            {
                // Planned again when the device comes back.
                poll.Due = long.MaxValue;
            }
            else
            {
                Plan(poll, now + (poll.Link.Failures > 0 ? MinProbePause : OnceRetry));
            }

            return;
        }

        // Half a period must pass: the offset between the clocks changes by a millisecond now and then, and a deadline that was on
        // the clock must not be found just before it a second time.
        var after = poll.Started ? Math.Max(now, poll.Due + ((long)poll.Period.TotalMilliseconds / 2)) : now;
        var due = _clock.NextAligned(after, poll.Period);
        var skipped = ((due - poll.Due) / (long)poll.Period.TotalMilliseconds) - 1;
        if (poll.Started && skipped > 0)
        {
            poll.Link.MissedPeriods += skipped;
        }

        poll.Started = true;
        Plan(poll, due);
    }

    private static int SilentReads(DeviceLink link)
    {
        var count = 0;
        foreach (var read in link.Reads)
        {
            count += read.Failures >= FailuresUntilDown ? 1 : 0;
        }

        return count;
    }

    private ValueTask<IReadOnlyList<Reading>> ReadAsync(DeviceLink link, CancellationToken cancel)
    {
        return DeviceReader.ReadAsync(Ask, _site, link.Device, _clock, cancel);

        async ValueTask<BusReply> Ask(ReadRequest request, Memory<ushort> registers, CancellationToken stop)
        {
            await RestAsync(link, stop).ConfigureAwait(false);
            var reply = await ExchangeAsync(link, request, registers, stop).ConfigureAwait(false);
            if (IsAnswer(reply))
            {
                Answered(link);
            }

            return reply;
        }
    }

    private void Refuse(CancellationToken cancel)
    {
        while (_errands.TryDequeue(out var errand))
        {
            errand.Refuse(cancel);
        }
    }

    /// <summary>Something that somebody else wants done on the bus.</summary>
    private abstract class Errand
    {
        public abstract ValueTask RunAsync(IBus bus, CancellationToken cancel);

        public abstract void Refuse(CancellationToken cancel);
    }

    private sealed class Errand<T>(Func<IBus, CancellationToken, ValueTask<T>> work, CancellationToken asker) : Errand
    {
        public TaskCompletionSource<T> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask RunAsync(IBus bus, CancellationToken cancel)
        {
            if (asker.IsCancellationRequested)
            {
                Done.TrySetCanceled(asker);
                return;
            }

            try
            {
                Done.TrySetResult(await work(bus, cancel).ConfigureAwait(false));
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                Done.TrySetCanceled(cancel);
                throw;
            }
            catch (Exception e)
            {
                Done.TrySetException(e);
                throw;
            }
        }

        public override void Refuse(CancellationToken cancel) => Done.TrySetCanceled(cancel);
    }
}
