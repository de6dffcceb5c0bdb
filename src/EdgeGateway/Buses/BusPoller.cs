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
/// A device that does not answer twice in a row is <em>down</em>: it is then asked again only so often that all devices that are down
/// together cost the bus at most a tenth of its time, and the polls in between report the reason without touching the wire. So a dead device
/// never takes time that belongs to the others.
/// </remarks>
public sealed class BusPoller : IDisposable
{
    private const int FailuresUntilDown = 2;
    private const int ProbeShare = 10;
    private static readonly TimeSpan MinProbeInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxProbeInterval = TimeSpan.FromSeconds(60);

    private readonly IBus _bus;
    private readonly SiteModel _site;
    private readonly ReadingQueue _queue;
    private readonly GatewayClock _clock;
    private readonly ILogger _log;
    private readonly Alarm _alarm;
    private readonly DeviceLink[] _links;
    private readonly Poll[] _polls;
    private readonly PriorityQueue<Poll, (long Due, int Order)> _schedule = new();
    private readonly ConcurrentQueue<ReadNow> _asked = new();
    private readonly ushort[] _registers = new ushort[DeviceReader.LargestReply];
    private int _down;

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
            .Select(group => new Poll(link, group.Key, DeviceReader.Plan(site, link.Device, group))))];
        for (var i = 0; i < _polls.Length; i++)
        {
            _polls[i].Order = i;
        }
    }

    /// <summary>The bus that is polled.</summary>
    public BusModel Model { get; }

    /// <summary>Devices of this bus with what is known of their answers.</summary>
    public IReadOnlyList<DeviceLink> Links => _links;

    /// <summary>Polls until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var wake = cancel.Register(static alarm => ((Alarm)alarm!).Wake(), _alarm);
        var now = _clock.Monotonic;
        foreach (var poll in _polls)
        {
            // Everything is read at once at the start, then on the clock.
            poll.Due = now;
            _schedule.Enqueue(poll, (now, poll.Order));
        }

        while (!cancel.IsCancellationRequested)
        {
            while (_asked.TryDequeue(out var asked))
            {
                await AnswerAsync(asked, cancel).ConfigureAwait(false);
            }

            now = _clock.Monotonic;
            if (!_schedule.TryPeek(out var next, out var key) || key.Due > now)
            {
                await _alarm.WaitAsync(next is null ? TimeSpan.FromHours(1) : TimeSpan.FromMilliseconds(key.Due - now)).ConfigureAwait(false);
                continue;
            }

            _schedule.Dequeue();
            try
            {
                await ExecuteAsync(next, cancel).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }

            Reschedule(next);
        }
    }

    /// <summary>Reads one device now, between two polls. The polls go on as planned.</summary>
    public Task<IReadOnlyList<Reading>> ReadNowAsync(DeviceModel device, CancellationToken cancel)
    {
        var asked = new ReadNow(device, cancel);
        _asked.Enqueue(asked);
        _alarm.Wake();
        return asked.Done.Task.WaitAsync(cancel);
    }

    public void Dispose() => _alarm.Dispose();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ExecuteAsync(Poll poll, CancellationToken cancel)
    {
        var link = poll.Link;
        if (link.IsDown && _clock.Monotonic < link.NextProbe)
        {
            await ReportMissingAsync(poll, 0, link.Reason, cancel).ConfigureAwait(false);
            _queue.Written();
            return;
        }

        for (var i = 0; i < poll.Reads.Length; i++)
        {
            var read = poll.Reads[i];
            await RestAsync(link, cancel).ConfigureAwait(false);
            var started = _clock.Monotonic;
            var reply = await _bus.ReadAsync(link.Device.Unit, read.Request, _registers, link.Device.Timeout, cancel).ConfigureAwait(false);
            var ended = _clock.Monotonic;
            link.Count(reply, ended, ended - started);

            if (reply.IsGood)
            {
                Recovered(link, cancel);
                await ReportAsync(read, ended, cancel).ConfigureAwait(false);
            }
            else if (reply.Reason == QualityReason.DeviceException && reply.Detail is not (10 or 11))
            {
                // The device is alive and refuses this block only. (Exceptions 10 and 11 come from a gateway in front of a dead device.)
                Recovered(link, cancel);
                await ReportMissingAsync(read, ended, reply, cancel).ConfigureAwait(false);
            }
            else
            {
                Failed(link, reply, ended - started, ended);
                await ReportMissingAsync(poll, i, reply, cancel).ConfigureAwait(false);
                break;
            }
        }

        _queue.Written();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RestAsync(DeviceLink link, CancellationToken cancel)
    {
        var rest = link.LastReply + (long)link.Device.Profile.MinGap.TotalMilliseconds - _clock.Monotonic;
        while (rest > 0 && !cancel.IsCancellationRequested)
        {
            await _alarm.WaitAsync(TimeSpan.FromMilliseconds(rest)).ConfigureAwait(false);
            rest = link.LastReply + (long)link.Device.Profile.MinGap.TotalMilliseconds - _clock.Monotonic;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReportAsync(PlannedRead read, long at, CancellationToken cancel)
    {
        for (var i = 0; i < read.Points.Count; i++)
        {
            await _queue.WriteAsync(DeviceReader.Decode(_site.Points[read.Points[i]], read.Request, _registers, at), cancel).ConfigureAwait(false);
        }
    }

    private async ValueTask ReportMissingAsync(PlannedRead read, long at, BusReply reply, CancellationToken cancel)
    {
        for (var i = 0; i < read.Points.Count; i++)
        {
            await _queue.WriteAsync(
                new Reading(read.Points[i], at, double.NaN, 0, Quality.Bad(reply.Reason, reply.Detail)), cancel).ConfigureAwait(false);
        }
    }

    private async ValueTask ReportMissingAsync(Poll poll, int firstRead, BusReply reply, CancellationToken cancel)
    {
        var now = _clock.Monotonic;
        for (var i = firstRead; i < poll.Reads.Length; i++)
        {
            await ReportMissingAsync(poll.Reads[i], now, reply, cancel).ConfigureAwait(false);
        }
    }

    private void Recovered(DeviceLink link, CancellationToken cancel)
    {
        link.Failures = 0;
        if (!link.IsDown)
        {
            return;
        }

        link.IsDown = false;
        _down--;
        if (!cancel.IsCancellationRequested)
        {
            Log.DeviceBack(_log, link.Device.Id, Model.Id);
        }

        // What is read once may have changed: the device may have been replaced.
        foreach (var poll in _polls)
        {
            if (poll.Link == link && poll.IsOnce && poll.Due == long.MaxValue)
            {
                poll.Due = _clock.Monotonic;
                _schedule.Enqueue(poll, (poll.Due, poll.Order));
            }
        }
    }

    private void Failed(DeviceLink link, BusReply reply, long cost, long now)
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
            var interval = Math.Clamp(
                cost * ProbeShare * Math.Max(_down, 1),
                (long)MinProbeInterval.TotalMilliseconds,
                (long)MaxProbeInterval.TotalMilliseconds);
            link.NextProbe = now + interval;
        }
    }

    private void Reschedule(Poll poll)
    {
        if (poll.IsOnce)
        {
            if (poll.Link.IsDown || poll.Link.Failures > 0)
            {
                poll.Due = Math.Max(poll.Link.NextProbe, _clock.Monotonic + (long)MinProbeInterval.TotalMilliseconds);
                _schedule.Enqueue(poll, (poll.Due, poll.Order));
            }
            else
            {
                poll.Due = long.MaxValue;
            }

            return;
        }

        var due = _clock.NextAligned(_clock.Monotonic, poll.Period);
        var skipped = ((due - poll.Due) / (long)poll.Period.TotalMilliseconds) - 1;
        if (poll.Started && skipped > 0)
        {
            poll.Link.MissedPeriods += skipped;
        }

        poll.Started = true;
        poll.Due = due;
        _schedule.Enqueue(poll, (due, poll.Order));
    }

    private async ValueTask AnswerAsync(ReadNow asked, CancellationToken cancel)
    {
        if (asked.Cancel.IsCancellationRequested)
        {
            asked.Done.TrySetCanceled(asked.Cancel);
            return;
        }

        try
        {
            asked.Done.TrySetResult(await DeviceReader.ReadAsync(_bus, _site, asked.Device, _clock, cancel).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            asked.Done.TrySetCanceled(cancel);
            throw;
        }
    }

    private sealed class Poll(DeviceLink link, TimeSpan period, PlannedRead[] reads)
    {
        public DeviceLink Link { get; } = link;

        public TimeSpan Period { get; } = period;

        public PlannedRead[] Reads { get; } = reads;

        public bool IsOnce => Period == TimeSpan.Zero;

        public int Order { get; set; }

        public long Due { get; set; }

        /// <summary>False until the first poll, which is not on the clock, is done.</summary>
        public bool Started { get; set; }
    }

    private sealed record ReadNow(DeviceModel Device, CancellationToken Cancel)
    {
        public TaskCompletionSource<IReadOnlyList<Reading>> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
