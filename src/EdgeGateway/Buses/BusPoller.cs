using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;
using EdgeGateway.Following;
using EdgeGateway.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Buses;

/// <summary>
/// The owner task of one bus. It polls every device of the bus at multiples of the points' periods on the wall clock, and turns every
/// reply, and every missing reply, into readings.
/// </summary>
/// <remarks>
/// <para>
/// What goes next is said by <see cref="Agenda"/>, request by request; up to <see cref="IBus.MaxInFlight"/> reads are under way at once. A
/// device that needs a quiet time between two requests does not hold up the others. A point is never read again before its last read has ended.
/// </para>
/// <para>
/// Devices that do not answer are dealt with by <see cref="Outages"/>. A device that answers, but never to one of its requests, is not
/// down: that request alone is sent less often.
/// </para>
/// </remarks>
public sealed class BusPoller : IDisposable
{
    private const int SilentShare = 10;
    private const int ErrandShare = 2;
    private const long MinSilentPause = 1_000;

    // A device that was busy when it was asked for what is read once is asked again after this time.
    private const long OnceRetry = 60_000;
    private const long OnceRetryAfterFailure = 1_000;

    // A probe waits so long for a moment in which it delays nobody, and twice as long for one in which nobody misses a period by it.
    private const long ProbePatience = 1_000;
    private const long RoundJustEnded = 20;

    // What may take long waits this long for a moment in which it delays no poll.
    private const long ErrandPatience = 1_000;
    private const long LongestWait = 3_600_000;

    // A read has its own time limit; one that outlasts it by this does not end.
    private const long ReadSlack = 5_000;

    private readonly IBus _bus;
    private readonly SiteModel _site;
    private readonly ReadingWriter _writer;
    private readonly GatewayClock _clock;
    private readonly ILogger _log;
    private readonly Alarm _alarm;
    private readonly DeviceLink[] _links;
    private readonly Agenda _agenda;
    private readonly Outages _outages;
    private readonly List<ReadSlot> _free = [];
    private readonly List<ReadSlot> _underWay = [];
    private readonly ConcurrentQueue<Errand> _errands = new();
    private readonly TimeShare _errandTime = new(ErrandShare);
    private readonly ReadCost _onWire;
    private readonly long _longestTimeout;
    private readonly BusyMeter _busy;
    private long _lastEnd = long.MinValue / 2;
    private volatile bool _stopped;
    private volatile bool _mustReadOnceAgain;

    /// <summary>An owner.</summary>
    /// <param name="model">The bus.</param>
    /// <param name="site">The configuration.</param>
    /// <param name="bus">What is owned.</param>
    /// <param name="queue">Receives the readings.</param>
    /// <param name="clock">Stamps them.</param>
    /// <param name="log">Told which devices go and come.</param>
    /// <param name="numbering">Goes with every reading: <see cref="Reading.Numbering"/>.</param>
    public BusPoller(BusModel model, SiteModel site, IBus bus, ReadingQueue queue, GatewayClock clock, ILogger log, int numbering = 0)
    {
        Model = model;
        _site = site;
        _bus = bus;
        _writer = new ReadingWriter(site, queue, numbering);
        _clock = clock;
        _log = log;
        _alarm = new Alarm(clock.Time);
        _links = [.. site.Devices.Where(d => d.BusId == model.Id).Select(d => new DeviceLink(d, model))];
        _agenda = new Agenda(site, model, _links);
        _outages = new Outages(_links);
        _onWire = ReadCost.On(model, TimeSpan.Zero, TimeSpan.Zero);
        _longestTimeout = (long)_links.Select(l => l.Device.Timeout).DefaultIfEmpty().Max().TotalMilliseconds;
        _busy = new BusyMeter(clock.Monotonic);
    }

    /// <summary>The bus that is polled.</summary>
    public BusModel Model { get; }

    /// <summary>Devices of this bus with what is known of their answers.</summary>
    public IReadOnlyList<DeviceLink> Links => _links;

    /// <summary>Share of the last minute in which the bus was busy; of several requests at once each counts for its part.</summary>
    public double Utilisation => _busy.Share(_clock.Monotonic);

    /// <summary>How many requests may be under way at once now.</summary>
    public int Depth => Math.Max(_bus.MaxInFlight, 1);

    /// <summary>What was seen on the wire beyond single requests.</summary>
    public WireCounters Wire => _bus.Wire;

    /// <summary>Whether the owner has done all there was to do, and waits for the clock, a reply or a question.</summary>
    public bool IsAtRest => _alarm.IsWaiting;

    /// <summary>Sign of life of the owner; null when nobody watches. A read that never ends, although every read has a time limit, stops it.</summary>
    public Heartbeat? Beat { get; init; }

    /// <summary>Asked whether somebody follows a sample; null when nobody can.</summary>
    internal Follower? Follower
    {
        get => _writer.Follower;
        set => _writer.Follower = value;
    }

    /// <summary>How long one turn may take in the worst case: requests that wait for each other behind devices that do not answer.</summary>
    public static TimeSpan LongestTurn(IEnumerable<DeviceModel> devices) =>
        4 * devices.Select(d => d.Timeout).DefaultIfEmpty().Max();

    /// <summary>Polls until cancelled. After a fault it can be called again: everything is then read at once, as at the start.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var wake = cancel.Register(static alarm => ((Alarm)alarm!).Wake(), _alarm);
        using var reads = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            await PollAsync(cancel, reads.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Asked for: what was read half is not a reading.
        }
        catch (Exception) when (!cancel.IsCancellationRequested)
        {
            await reads.CancelAsync().ConfigureAwait(false);
            await AbandonReadsAsync().ConfigureAwait(false);
            await ReportStoppedAsync(cancel).ConfigureAwait(false);
            throw;
        }
        finally
        {
            await AbandonReadsAsync().ConfigureAwait(false);
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
        var link = Array.Find(_links, l => l.Device.Id == device.Id)
            ?? throw new ArgumentException($"The device {device.Id} is not on the bus {Model.Id}.", nameof(device));
        return UseBusAsync(async (_, stop) => await ReadAsync(link, stop).ConfigureAwait(false), TimeSpan.Zero, cancel);
    }

    /// <summary>
    /// Does something on the bus between two reads, while nothing else is under way: what an operator asks for goes through the owner.
    /// Long work gives the bus back in between by asking several times; it gets at most half of the time of a bus that is busy.
    /// </summary>
    /// <param name="work">Gets the bus, and a token that ends with the polling.</param>
    /// <param name="longest">How long it may take: it waits, for a second at most and unless another errand waits behind it, until so much time is left before the next poll. Zero: it does not wait.</param>
    /// <param name="cancel">Gives up waiting; work that has begun goes on unless it looks at a token of its own.</param>
    /// <exception cref="OperationCanceledException">The caller gave up, or polling ends.</exception>
    public Task<T> UseBusAsync<T>(Func<IBus, CancellationToken, ValueTask<T>> work, TimeSpan longest, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(work);
        var errand = new Errand<T>(work, (long)longest.TotalMilliseconds, _clock.Monotonic, cancel);
        _errands.Enqueue(errand);
        _alarm.Wake();
        if (_stopped)
        {
            Refuse(new CancellationToken(canceled: true));
        }

        return errand.Done.Task.WaitAsync(cancel);
    }

    /// <summary>Reads once more what is read once: another configuration came into force, which has not seen it yet.</summary>
    public void ReadOnceAgain()
    {
        _mustReadOnceAgain = true;
        _alarm.Wake();
    }

    public void Dispose() => _alarm.Dispose();

    private async Task PollAsync(CancellationToken cancel, CancellationToken reads)
    {
        _agenda.Restart(_clock.Monotonic);
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            Turned(TimeSpan.Zero);
            while (TakeEnded() is { } slot)
            {
                await FinishAsync(slot, cancel).ConfigureAwait(false);
            }

            if (_mustReadOnceAgain)
            {
                _mustReadOnceAgain = false;
                foreach (var link in _links.Where(static l => !l.IsDown))
                {
                    PlanOnce(link);
                }
            }

            if (_agenda.NextDue <= _clock.Monotonic)
            {
                foreach (var round in _agenda.Release(_clock.Monotonic))
                {
                    await OpenAsync(round, cancel).ConfigureAwait(false);
                }
            }

            var now = _clock.Monotonic;
            var isErrandsTurn = IsErrandsTurn(now, out var errandRest);
            if (isErrandsTurn && _underWay.Count == 0 && _errands.TryDequeue(out var errand))
            {
                await errand.RunAsync(_bus, cancel).ConfigureAwait(false);
                var took = _clock.Monotonic - now;
                _errandTime.Charge(now, took);
                _busy.Add(now + took, took);
                continue;
            }

            // An errand waits until the reads under way have ended; none is started meanwhile.
            var rest = TimeSpan.MaxValue;
            var canStart = !isErrandsTurn && _underWay.Count < Depth;
            if (canStart)
            {
                var round = _agenda.Choose(now, _clock.Time, out rest);
                if (IsTimeToProbe(now, round))
                {
                    StartProbe(reads);
                    continue;
                }

                if (round is not null && round.Head.Health.NotBefore > now)
                {
                    var read = _agenda.Take(round);
                    await ReportMissingAsync(read, read.Health.Reason, cancel).ConfigureAwait(false);
                    continue;
                }

                if (round is not null)
                {
                    Start(round.Link, _agenda.Take(round), round, _outages.LimitOf(round.Link), reads);
                    continue;
                }
            }

            await WaitAsync(now, canStart, errandRest < rest ? errandRest : rest).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Whether the next errand goes before the reads: one that may take long when it delays no poll, or has waited long enough, or holds up another errand; and errands together have at
    /// most their share while reads wait.
    /// </summary>
    /// <param name="now">Monotonic milliseconds.</param>
    /// <param name="rest">How long it still waits for a better moment, when it does.</param>
    private bool IsErrandsTurn(long now, out TimeSpan rest)
    {
        rest = TimeSpan.MaxValue;
        if (!_errands.TryPeek(out var errand))
        {
            return false;
        }

        var waits = errand.Since + ErrandPatience - now;
        if (errand.Longest > 0 && waits > 0 && _errands.Count == 1 && (_agenda.HasOpen || _underWay.Count > 0 || _agenda.NextDue - now < errand.Longest))
        {
            rest = TimeSpan.FromMilliseconds(waits);
            return false;
        }

        return _errandTime.UsedUntil <= now || !_agenda.HasOpen;
    }

    /// <summary>Waits until a read ends, something is due, a device has had its quiet time, or somebody asks for something.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitAsync(long now, bool canStart, TimeSpan rest)
    {
        if (_underWay.Count == 1 && _bus.MaxInFlight <= 1 && !_underWay[0].IsWatched)
        {
            // Nothing can be done before it ends: the owner goes on right where the reply arrives. (A read that was started when the bus
            // took more is watched already.)
            await _underWay[0].EndAsync();
            return;
        }

        var probe = canStart ? _outages.NextProbe : long.MaxValue;
        while (probe <= now)
        {
            probe += ProbePatience;
        }

        var wait = TimeSpan.FromMilliseconds(Math.Clamp(Math.Min(_agenda.NextDue, probe) - now, 0, LongestWait));
        foreach (var slot in _underWay)
        {
            slot.Watch();
        }

        wait = rest < wait ? rest : wait;
        Turned(wait);
        await _alarm.WaitAsync(wait).ConfigureAwait(false);
    }

    // While a read is overdue beyond every limit the owner may turn as it likes: that point is never read again.
    private void Turned(TimeSpan rest)
    {
        if (Beat is { } beat && (_underWay.Count == 0 || _clock.Monotonic - _underWay[0].BeganAt < ReadSlack + (Depth * _longestTimeout)))
        {
            beat.Beat(_underWay.Count == 0 ? rest : TimeSpan.Zero);
        }
    }

    /// <summary>Of the reads that have ended, the one that ended first.</summary>
    private ReadSlot? TakeEnded()
    {
        ReadSlot? first = null;
        foreach (var slot in _underWay)
        {
            if (slot.IsDone && (first is null || slot.EndedStamp < first.EndedStamp))
            {
                first = slot;
            }
        }

        return first;
    }

    /// <summary>Sends a request.</summary>
    private void Start(DeviceLink link, PolledRead read, Round? round, TimeSpan limit, CancellationToken cancel)
    {
        var slot = _free.Count > 0 ? _free[^1] : new ReadSlot(_clock, _alarm);
        slot.Prepare(link, read, round, Depth);
        slot.Start(_bus.ReadAsync(link.Device.Unit, link.Plans.OnWire(read.Plan.Request), slot.Registers, limit, cancel));
        if (_free.Count > 0)
        {
            _free.RemoveAt(_free.Count - 1);
        }

        _underWay.Add(slot);
        link.UnderWay++;
        _agenda.Served(link);
    }

    /// <summary>
    /// Whether a device that is down is asked now: in a moment when it delays nobody; then right after a round, or when it delays
    /// the next one by less than half a period, so that no period is missed; and at last in any case.
    /// </summary>
    private bool IsTimeToProbe(long now, Round? next)
    {
        var due = _outages.NextProbe;
        if (due > now)
        {
            return false;
        }

        // Two may be one under way and one that waits for its turn: only more than that prove that a silent device holds up nobody.
        var waited = now - due;
        if (_bus.MaxInFlight > 2 || waited >= 3 * ProbePatience)
        {
            return true;
        }

        if (next is not null)
        {
            return false;
        }

        var delay = ProbeLimit(_outages.Candidate()).TotalMilliseconds - (_agenda.NextDue - now);
        return delay <= 0 || (waited >= ProbePatience && (now - _lastEnd <= RoundJustEnded || delay <= _agenda.NextPeriod / 2));
    }

    private TimeSpan ProbeLimit(DeviceLink link) => link.ProbeLimit(link.IsKnown ? null : _outages.UsualLimit());

    private void StartProbe(CancellationToken cancel)
    {
        var link = _outages.Candidate();
        _outages.IsProbing = true;
        Start(link, link.Plans.NextProbe(), null, ProbeLimit(link), cancel);
    }

    /// <summary>Begins a round, or tells at once that the device is left alone.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask OpenAsync(Round round, CancellationToken cancel)
    {
        var link = round.Link;
        var isLeftAlone = _outages.IsLeftAlone(link, _clock.Monotonic);
        for (var i = 0; i < round.Plan.Resting.Count; i++)
        {
            var point = round.Plan.Resting[i];
            var reason = isLeftAlone ? link.Reason : link.Plans.ReasonOf(point);
            await _writer.WriteMissingAsync(point, reason, _clock.Monotonic, cancel).ConfigureAwait(false);
        }

        while (isLeftAlone && round.HasNext)
        {
            await ReportMissingAsync(round.Take(), link.Reason, cancel).ConfigureAwait(false);
        }

        _agenda.Open(round);
        Close(round.Polls, isComplete: !isLeftAlone);
    }

    /// <summary>Takes the reply of a read that has ended, and draws the consequences.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FinishAsync(ReadSlot slot, CancellationToken cancel)
    {
        var (link, read, round) = (slot.Link, slot.Read, slot.Round);
        _underWay.Remove(slot);
        _free.Add(slot);
        link.UnderWay--;
        _lastEnd = slot.EndedAt;
        if (round is null)
        {
            _outages.IsProbing = false;
        }

        var reply = slot.Take();
        var took = _clock.Time.GetElapsedTime(slot.Began, slot.EndedStamp) - reply.Queued;
        link.Count(reply, slot.EndedStamp, took, _onWire.Of(read.Plan.Request));
        var cost = took.TotalMilliseconds / slot.Depth;
        _busy.Add(slot.EndedAt, cost);
        _agenda.Charge(link, slot.BeganAt, slot.EndedAt, cost);
        var wasSilent = read.Health.IsSilent;
        if (reply.IsAnswer)
        {
            read.Health.Failures = 0;
            read.Health.NotBefore = 0;
            Answered(link);
        }
        else
        {
            Failed(link, read.Health, reply, slot, cost);
        }

        Follower?.Current?.Asked(read.Plan, reply, slot.Began, slot.EndedStamp);
        var parts = link.Plans.Report(read.Plan, reply, slot.EndedAt);
        if (reply.IsGood)
        {
            await _writer.WriteAsync(read.Plan, reply, slot.Registers, slot.EndedAt, cancel).ConfigureAwait(false);
        }

        if (round is null)
        {
            return;
        }

        if (reply.IsGood)
        {
            Close(read.Polls, isComplete: true);
            return;
        }

        await ReportPartsAsync(round, read, parts, reply, slot.EndedAt, cancel).ConfigureAwait(false);
        Close(read.Polls, isComplete: reply.IsAnswer && !reply.IsBusy);

        // What a device refuses is missing alone. When it does not answer, the rest of the poll is not tried either, unless it is
        // known to leave just this request unanswered.
        while (!reply.IsAnswer && parts.Count == 0 && !link.IsDown && !wasSilent && _agenda.IsOpen(round))
        {
            await ReportMissingAsync(_agenda.Take(round), reply, cancel).ConfigureAwait(false);
        }

        while (link.IsDown && _agenda.OpenRound(link) is { } other)
        {
            await ReportMissingAsync(_agenda.Take(other), link.Reason, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Puts the parts that are asked in place of a request into its round, and writes that the other points are missing.</summary>
    private async ValueTask ReportPartsAsync(
        Round round, PolledRead read, IReadOnlyList<PlannedRead> parts, BusReply reply, long at, CancellationToken cancel)
    {
        for (var i = parts.Count - 1; i >= 0; i--)
        {
            round.Put(round.Link.Plans.Wrap(parts[i]), read.Deadline);
        }

        _agenda.Open(round);
        var missing = parts.Count == 0 ? read.Plan : DeviceReader.Without(read.Plan, parts);
        await _writer.WriteMissingAsync(missing, reply, at, cancel).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReportMissingAsync(PolledRead read, BusReply reply, CancellationToken cancel)
    {
        await _writer.WriteMissingAsync(read.Plan, reply, _clock.Monotonic, cancel).ConfigureAwait(false);
        Close(read.Polls, isComplete: false);
    }

    /// <summary>A part of some polls has ended; with the last one the poll is over.</summary>
    private void Close(Poll[] polls, bool isComplete)
    {
        foreach (var poll in polls)
        {
            poll.IsComplete &= isComplete;
            if (--poll.Open == 0)
            {
                Reschedule(poll);
            }
        }
    }

    private void Reschedule(Poll poll)
    {
        var now = _clock.Monotonic;
        if (poll.IsOnce)
        {
            if (poll.IsComplete || poll.Link.IsDown)
            {
                // Planned again when the device comes back.
                poll.Due = long.MaxValue;
            }
            else
            {
                _agenda.Plan(poll, now + (poll.Link.Failures > 0 ? OnceRetryAfterFailure : OnceRetry));
            }

            return;
        }

        // Half a period must pass: the offset between the clocks changes by a millisecond now and then, and a deadline that was on
        // the clock must not be found just before it a second time.
        var after = poll.Started ? Math.Max(now, poll.Due + (poll.PeriodMilliseconds / 2)) : now;
        var due = _clock.NextAligned(after, poll.Period);
        var skipped = ((due - poll.Due) / poll.PeriodMilliseconds) - 1;
        if (poll.Started && skipped > 0)
        {
            poll.Link.MissedPeriods += skipped;
        }

        poll.Started = true;
        _agenda.Plan(poll, due);
    }

    private void Answered(DeviceLink link)
    {
        if (!_outages.Answered(link, _clock.Monotonic))
        {
            return;
        }

        Log.DeviceBack(_log, link.Device.Id, Model.Id);
        link.Plans.Forgive();

        // What is read once may have changed: the device may have been replaced.
        PlanOnce(link);
    }

    private void PlanOnce(DeviceLink link)
    {
        foreach (var poll in link.Plans.Polls)
        {
            if (poll.IsOnce && poll.Due == long.MaxValue)
            {
                _agenda.Plan(poll, _clock.Monotonic);
            }
        }
    }

    private void Failed(DeviceLink link, ReadHealth health, BusReply reply, ReadSlot slot, double cost)
    {
        var wasSilent = health.IsSilent;
        _outages.Charge(link, slot.BeganAt, slot.EndedAt, cost, wasSilent && !link.IsDown);
        health.Failures++;
        health.Reason = reply;
        if (health.IsSilent)
        {
            // All requests that are never answered share a tenth of the bus.
            var silent = _links.Sum(l => l.IsDown ? 0 : l.Plans.Silent);
            health.NotBefore = slot.EndedAt + (Math.Max((long)(SilentShare * cost), MinSilentPause) * Math.Max(silent, 1));
        }

        // A request that never brings an answer says nothing about a device that answers others.
        if ((link.IsDown || !wasSilent) && _outages.Failed(link, reply, slot.EndedAt))
        {
            Log.DeviceDown(_log, link.Device.Id, Model.Id, _bus.LastProblem);
        }
    }

    private ValueTask<IReadOnlyList<Reading>> ReadAsync(DeviceLink link, CancellationToken cancel)
    {
        return DeviceReader.ReadAsync(Ask, _site, link.Device, link.Plans.Planner, _clock, cancel);

        async ValueTask<BusReply> Ask(ReadRequest request, Memory<ushort> registers, CancellationToken stop)
        {
            // The alarm is shared with the main loop, which looks at everything that can wake it before it waits again.
            while (link.RestLeft(_clock.Time) is var rest && rest > TimeSpan.Zero)
            {
                await _alarm.WaitAsync(rest).ConfigureAwait(false);
                stop.ThrowIfCancellationRequested();
            }

            var began = _clock.Time.GetTimestamp();
            var reply = await _bus.ReadAsync(link.Device.Unit, link.Plans.OnWire(request), registers, link.Device.Timeout, stop).ConfigureAwait(false);
            var ended = _clock.Time.GetTimestamp();
            link.Count(reply, ended, _clock.Time.GetElapsedTime(began, ended) - reply.Queued, _onWire.Of(request));
            if (reply.IsAnswer)
            {
                Answered(link);
            }

            return reply;
        }
    }

    // A fault of our own stops the bus until it is started again; its points say so.
    private async ValueTask ReportStoppedAsync(CancellationToken cancel)
    {
        foreach (var poll in _agenda.Polls)
        {
            foreach (var point in poll.Points)
            {
                await _writer.WriteMissingAsync(point, new BusReply(QualityReason.BusStopped), _clock.Monotonic, cancel).ConfigureAwait(false);
            }
        }
    }

    // Nothing may use the bus, or write into a slot, once polling has ended.
    private async ValueTask AbandonReadsAsync()
    {
        foreach (var slot in _underWay)
        {
            while (!slot.IsDone)
            {
                slot.Watch();
                await _alarm.WaitAsync(TimeSpan.FromMilliseconds(LongestWait)).ConfigureAwait(false);
            }

            slot.Discard();
            _free.Add(slot);
        }

        _underWay.Clear();
        _outages.IsProbing = false;
    }

    private void Refuse(CancellationToken cancel)
    {
        while (_errands.TryDequeue(out var errand))
        {
            errand.Refuse(cancel);
        }
    }
}
