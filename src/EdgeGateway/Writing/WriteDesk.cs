using System.Diagnostics.CodeAnalysis;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.Writing;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Writing;

/// <summary>Why a write was not made.</summary>
/// <param name="Text">What, where, how to mend; for the one who asked.</param>
/// <param name="ByRule">True when a rule forbids it; false when it could not be done now.</param>
public sealed record WriteRefusal(string Text, bool ByRule);

/// <summary>
/// The one way to write to a device (invariant 2): rules, then a record on the disk, then the wire through the owner of the bus, then the outcome on the
/// disk. It also writes the safe values when their time has come. A command line, a remote command and an expiry are all callers of the same path.
/// </summary>
internal sealed class WriteDesk : IDisposable
{
    /// <summary>Longest wait for the store before the wire is left alone.</summary>
    private static readonly TimeSpan RecordLimit = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait for the turn on the bus.</summary>
    private static readonly TimeSpan TurnLimit = TimeSpan.FromSeconds(30);

    /// <summary>The same for the safe values of a stop, which has little time.</summary>
    private static readonly TimeSpan StopRecordLimit = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Idle = TimeSpan.FromHours(1);

    private readonly SiteModel _site;
    private readonly IReadOnlyList<BusPoller> _pollers;
    private readonly WriteJournal _journal;
    private readonly Func<string?> _failing;
    private readonly BootClock _boot;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Alarm _alarm;
    private readonly CancellationTokenSource _over = new();
    private readonly Dictionary<string, SemaphoreSlim> _turns;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Attempt> _attempts = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _closed;

    /// <summary>A desk.</summary>
    /// <param name="site">The site in force.</param>
    /// <param name="pollers">The owners of its buses.</param>
    /// <param name="journal">What is on the disk.</param>
    /// <param name="failing">Why the store cannot be written now, or null.</param>
    /// <param name="boot">Clocks of the expiries.</param>
    /// <param name="time">Clock of waits.</param>
    /// <param name="log">Told of every write.</param>
    public WriteDesk(
        SiteModel site, IReadOnlyList<BusPoller> pollers, WriteJournal journal, Func<string?> failing, BootClock boot, TimeProvider time, ILogger log)
    {
        (_site, _pollers, _journal, _failing, _boot, _time, _log) = (site, pollers, journal, failing, boot, time, log);
        _alarm = new Alarm(time);
        _turns = site.Buses.ToDictionary(b => b.Id, _ => new SemaphoreSlim(1, 1), StringComparer.Ordinal);
    }

    /// <summary>
    /// Longest that a write to a device can take: until the desk is ready, its turn, twice until the bus is free, the look, the write and the read-back with their waits, and
    /// twice the store.
    /// </summary>
    public static TimeSpan Longest(DeviceModel device) =>
        RecordLimit + (3 * TurnLimit) + (3 * (device.Timeout + device.Profile.MinGap)) + device.Profile.MinGap
        + device.Writables.Select(w => w.ReadBackAfter).DefaultIfEmpty().Max() + (2 * RecordLimit);

    /// <summary>Says what a write would do; reads the present value, writes nothing.</summary>
    public async Task<(WriteCheckDocument? Check, WriteRefusal? Refusal)> CheckAsync(WriteRequest request)
    {
        if (WriteRules.Decide(_site, request, out var refusal) is not { } plan)
        {
            return (null, Refused(request, refusal, byRule: true));
        }

        var look = await LookAsync(plan).ConfigureAwait(false) ?? NoTime(plan);
        if (!look.Answered)
        {
            return (null, Refused(request, Unanswered(plan, look), byRule: false));
        }

        return (Describe(plan, look, _journal.PendingOf(plan.Device.Id, plan.Point.Id)), null);
    }

    /// <summary>What a plan would do, for people.</summary>
    public static WriteCheckDocument Describe(WritePlan plan, Look look, PendingExpiry? pending) => new()
    {
        Device = plan.Device.Id,
        Point = plan.Point.Id,
        Place = Place(plan),
        Present = look.Value is { } present ? plan.Point.Describe(present) : "",
        Value = plan.Point.Describe(plan.Value),
        Limits = WriteRules.Allowed(plan.Point),
        ForSeconds = plan.For?.TotalSeconds,
        Safe = plan.For is not null && plan.Point.Safe is { } safe ? plan.Point.Describe((double)safe) : "",
        Replaces = pending?.Value ?? "",
    };

    /// <summary>Writes. Once it has begun it is finished and recorded, whether the caller still waits or not.</summary>
    public async Task<(WriteDocument? Write, WriteRefusal? Refusal)> WriteAsync(WriteRequest request)
    {
        if (WriteRules.Decide(_site, request, out var refusal) is not { } plan)
        {
            return (null, Refused(request, refusal, byRule: true));
        }

        if (!await IsReadyAsync().ConfigureAwait(false))
        {
            return (null, Refused(request, "The gateway has not yet recorded what it left open before its start. Nothing was written; 'edgegateway status' says what is wrong with the store.", byRule: false));
        }

        if (await TakeTurnAsync(plan.Device).ConfigureAwait(false) is not { } turn)
        {
            return (null, Refused(request, $"The bus {plan.Device.BusId} is busy with another write. Nothing was written; try again.", byRule: false));
        }

        try
        {
            if (_closed)
            {
                return (null, Refused(request, "The gateway stops. Nothing was written.", byRule: false));
            }

            var look = await LookAsync(plan).ConfigureAwait(false) ?? NoTime(plan);
            if (!look.Answered)
            {
                return (null, Refused(request, Unanswered(plan, look), byRule: false));
            }

            var (write, problem) = await ExecuteAsync(plan, look).ConfigureAwait(false);
            return write is null ? (null, Refused(request, problem, byRule: false)) : (write, null);
        }
        finally
        {
            turn.Release();
            _alarm.Wake();
        }
    }

    /// <summary>Values that give way, and the last writes.</summary>
    public WritesDocument List()
    {
        var now = _boot.Read();
        return new WritesDocument
        {
            Pending = [.. _journal.Pending.Select(p => Describe(p, now)).OrderBy(p => p.LeftSeconds)],
            Last = _journal.Last,
        };
    }

    /// <summary>Closes what a gateway that was killed left open, then writes safe values when their time has come, until cancelled.</summary>
    /// <param name="cancel">Ends it.</param>
    /// <param name="takeOver">What else must be known before the first expiry: its part before the first wait comes before them, the rest runs beside them. Must not throw.</param>
    public async Task RunAsync(CancellationToken cancel, Func<ClockReading, Task>? takeOver = null)
    {
        using var wake = cancel.Register(static alarm => ((Alarm)alarm!).Wake(), _alarm);
        var now = _boot.Read();

        // In memory at once. Safe values do not wait until the store has it; people do.
        var resuming = ResumeAsync(now);
        _ = takeOver?.Invoke(now);
        while (!cancel.IsCancellationRequested)
        {
            if (resuming.IsFaulted)
            {
                await resuming.ConfigureAwait(false);
            }

            var next = Idle;
            var all = _journal.Pending;
            ForgetAttempts(all);
            foreach (var pending in all)
            {
                var left = LeftUntilAttempt(pending);
                if (left > TimeSpan.Zero)
                {
                    next = left < next ? left : next;
                }
                else if (TryStart(pending))
                {
                    _ = ExpireAsync(pending, WriteCause.Expiry);
                }
            }

            await _alarm.WaitAsync(next).ConfigureAwait(false);
        }
    }

    /// <summary>Takes no more writes, waits for those under way, and writes the safe values that are due at a clean stop; at most for <paramref name="limit"/>.</summary>
    public async Task CloseAsync(TimeSpan limit)
    {
        _closed = true;
        var safe = _journal.Pending
            .Where(p => _site.Devices.FirstOrDefault(d => d.Id == p.Device)?.Writables.Any(w => w.Id == p.Point && w.SafeAtStop) == true)
            .Where(TryStart)
            .Select(p => ExpireAsync(p, WriteCause.Stop))
            .ToArray();
        await FinishAsync(safe).WaitAsync(limit, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // A bus may outlive this desk: what has not begun by now must not reach a device under another configuration.
        await _over.CancelAsync().ConfigureAwait(false);

        async Task FinishAsync(Task[] first)
        {
            await Task.WhenAll(first).ConfigureAwait(false);
            await Task.WhenAll(_turns.Values.Select(turn => turn.WaitAsync())).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _alarm.Dispose();
        _over.Dispose();
    }

    private static string Place(WritePlan plan)
    {
        var point = plan.Point;
        var (table, function) = point.Encoding.Table == Core.Profiles.RegisterTable.Coil
            ? ("coil", point.Single ? "05" : "15")
            : ("holding register", point.Single ? "06" : "16");
        return $"{table} 0x{point.Encoding.Address:X4} of unit {plan.Device.Unit} on bus {plan.Device.BusId}, function {function}";
    }

    private static string Unanswered(WritePlan plan, Look look) =>
        $"{plan.Device.Id}: {look.Problem}. Its present value must be known before a write. Nothing was written; 'edgegateway status' says more about the device.";

    private WriteRefusal Refused(WriteRequest request, string refusal, bool byRule)
    {
        Log.WriteRefused(_log, request.Who, request.Value, request.Device, request.Point, refusal);
        return new WriteRefusal(refusal, byRule);
    }

    private static Look NoTime(WritePlan plan) => new(false, null, $"the bus {plan.Device.BusId} had no time for it");

    private async Task ResumeAsync(ClockReading now)
    {
        foreach (var note in _journal.Damaged)
        {
            Log.WriteRecordLost(_log, WriteJournal.Describe(note), note.Key, note.Text ?? "");
        }

        try
        {
            await _journal.ResumeAsync(now).ConfigureAwait(false);
            _ready.TrySetResult();
            await _journal.TellDamagedAsync(now).ConfigureAwait(false);
        }
        finally
        {
            _alarm.Wake();
        }
    }

    /// <summary>Record, wire, record. The turn on the bus is held by the caller.</summary>
    private async Task<(WriteDocument? Write, string Problem)> ExecuteAsync(WritePlan plan, Look look)
    {
        if (_failing() is { } failing)
        {
            return (null, $"The write cannot be recorded, so it is not made: {failing}");
        }

        var stored = Intent(plan, look.Value, WriteCause.Request);
        var (number, recording) = _journal.Begin(stored);
        try
        {
            await recording.WaitAsync(RecordLimit, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            return (null, $"The write cannot be recorded, so it is not made: {e.Message}");
        }
        catch (TimeoutException)
        {
            // The intent may still reach the disk: what came of it then follows it.
            _ = EndLateAsync(number, recording, stored);
            return (null, $"The write could not be recorded within {RecordLimit.TotalSeconds} s, so it is not made. 'edgegateway status' says what is wrong with the store.");
        }

        LogBegun(stored.Write);
        var result = await SendAsync(plan, look.Value).ConfigureAwait(false);
        return ((await EndAsync(number, stored, result, RecordLimit).ConfigureAwait(false)).Write, "");
    }

    /// <summary>
    /// Sends a safe value: recorded first like every write, but it waits for no store that cannot be written. What is safe goes first; it is recorded as soon as the
    /// store takes it, and the log has it until then. Of the tries meanwhile, only the first and the one that succeeds wait in memory for the store.
    /// </summary>
    /// <returns>Why it is not done yet; empty when the device shows it.</returns>
    private async Task<string> ExecuteSafeAsync(WritePlan plan, double? before, string cause, Attempt attempt)
    {
        var stored = Intent(plan, before, cause);
        var write = stored.Write;
        var (isFirst, earlier) = (true, Task.CompletedTask);
        lock (_gate)
        {
            (isFirst, earlier) = (attempt.Problem.Length == 0, attempt.Recording);
        }

        var number = 0L;
        var isRecorded = false;
        var mayRecord = earlier.IsCompleted;
        if (mayRecord)
        {
            (number, var recording) = _journal.Begin(stored);
            var problem = _failing() ?? await WaitAsync(recording, cause == WriteCause.Stop ? StopRecordLimit : RecordLimit).ConfigureAwait(false);
            isRecorded = problem.Length == 0;
            if (!isRecorded)
            {
                Log.SafeValueNotRecorded(_log, write.Device, write.Point, write.Text, problem);
            }
        }

        if (isFirst)
        {
            LogBegun(write);
        }

        var result = await SendAsync(plan, before).ConfigureAwait(false);
        if (!isRecorded)
        {
            const string Late = "sent before it was recorded: the store could not be written";
            result = result with { Detail = result.Detail.Length == 0 ? Late : $"{result.Detail}; {Late}" };
        }

        if (mayRecord || result.Outcome == WriteOutcome.Confirmed)
        {
            if (!mayRecord)
            {
                (number, _) = _journal.Begin(stored);
            }

            (_, earlier) = await EndAsync(number, stored, result, isRecorded ? RecordLimit : TimeSpan.Zero).ConfigureAwait(false);
            lock (_gate)
            {
                attempt.Recording = earlier;
            }
        }

        return result.Outcome == WriteOutcome.Confirmed ? "" : $"{result.Outcome.Word()} {result.Detail}";
    }

    /// <summary>Waits until something is on the disk; why it is not, or empty.</summary>
    private async Task<string> WaitAsync(Task recording, TimeSpan limit)
    {
        try
        {
            await recording.WaitAsync(limit, _time, CancellationToken.None).ConfigureAwait(false);
            return "";
        }
        catch (Exception e) when (e is StoreException or TimeoutException)
        {
            return e is TimeoutException ? $"not within {limit.TotalSeconds} s" : e.Message;
        }
    }

    private void LogBegun(WriteDocument write) =>
        Log.WriteBegun(_log, write.Id, write.Who, write.Text, write.Device, write.Point, write.Cause, write.Reason);

    private StoredWrite Intent(WritePlan plan, double? before, string cause)
    {
        var now = _boot.Read();
        return new StoredWrite(Intent(plan, before, cause, now.Wall.ToDateTimeOffset()), StoredClock.Of(now));
    }

    /// <summary>The document of a write that is about to happen.</summary>
    public static WriteDocument Intent(WritePlan plan, double? before, string cause, DateTimeOffset time) => new()
    {
        Id = Guid.NewGuid().ToString("N")[..12],
        Time = time,
        Who = plan.Who,
        Cause = cause,
        Reason = plan.Reason,
        Device = plan.Device.Id,
        Point = plan.Point.Id,
        Unit = plan.Point.Unit,
        Before = before,
        Asked = plan.Asked,
        Value = plan.Value,
        Text = plan.Point.Describe(plan.Value),
        ForSeconds = plan.For?.TotalSeconds,
    };

    /// <summary>Records the outcome and waits at most <paramref name="limit"/> until it is on the disk; returns what completes when it is.</summary>
    private async Task<(WriteDocument Write, Task OnDisk)> EndAsync(long number, StoredWrite stored, WriteResult result, TimeSpan limit)
    {
        var now = _boot.Read();
        stored = stored with
        {
            Write = stored.Write with
            {
                Outcome = result.Outcome.Word(),
                Detail = result.Detail,
                ReadBack = result.ReadBack,
                Ended = now.Wall.ToDateTimeOffset(),
            },
        };
        var write = stored.Write;
        if (result.Outcome == WriteOutcome.Confirmed)
        {
            Log.WriteEnded(_log, write.Id, write.Device, write.Point, write.Outcome!, write.Detail);
        }
        else if (write.Cause == WriteCause.Request)
        {
            Log.WriteNotConfirmed(_log, write.Id, write.Device, write.Point, write.Outcome!, write.Detail);
        }

        var recording = _journal.EndAsync(number, stored, result.Outcome, now);
        if (limit == TimeSpan.Zero)
        {
            // Said already: the store cannot be written.
            await recording.WaitAsync(limit, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        else if (await WaitAsync(recording, limit).ConfigureAwait(false) is { Length: > 0 } problem)
        {
            // The intent is on the disk: the next start says that the outcome is unknown, if this does not get there before.
            Log.OutcomeNotRecorded(_log, write.Id, problem);
        }

        return (_journal.Last.FirstOrDefault(w => w.Id == write.Id) ?? write, recording);
    }

    private async Task EndLateAsync(long number, Task recording, StoredWrite stored)
    {
        try
        {
            await recording.ConfigureAwait(false);
            await EndAsync(number, stored, new WriteResult(WriteOutcome.NotAttempted, null, "it could not be recorded in time"), RecordLimit).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            Log.OutcomeNotRecorded(_log, stored.Write.Id, e.Message);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A fault of the bus says nothing about what reached the device: the outcome is unknown, and recorded as that.")]
    private async Task<WriteResult> SendAsync(WritePlan plan, double? before)
    {
        try
        {
            return await OnBusAsync(plan.Device, bus => DeviceWriter.WriteAsync(bus, plan, before, _time)).ConfigureAwait(false)
                ?? new WriteResult(WriteOutcome.NotAttempted, null, "the bus had no time for it");
        }
        catch (Exception e)
        {
            return new WriteResult(WriteOutcome.Unknown, null, $"the bus ended by a fault ({e.Message}): it may have happened");
        }
    }

    /// <summary>What the device shows now; null when the bus had no time for it.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever went wrong on the bus, the device did not show its value: that is told.")]
    private async Task<Look?> LookAsync(WritePlan plan)
    {
        try
        {
            var look = await OnBusAsync(plan.Device, async bus => new Looked(await DeviceWriter.LookAsync(bus, plan.Device, plan.Point, _time).ConfigureAwait(false))).ConfigureAwait(false);
            return look?.Look;
        }
        catch (Exception e)
        {
            return new Look(false, null, $"the bus ended by a fault ({e.Message})");
        }
    }

    /// <summary>Does something on the device's bus through its owner; null when it was not begun in time.</summary>
    private async Task<T?> OnBusAsync<T>(DeviceModel device, Func<IBus, ValueTask<T>> work)
        where T : class
    {
        var poller = _pollers.First(p => p.Model.Id == device.BusId);
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = 0;
        using var limit = new CancellationTokenSource(TurnLimit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _over.Token);
        try
        {
            return await poller.UseBusAsync<T?>(
                async (bus, __) =>
                {
                    if (Interlocked.Exchange(ref begun, 1) != 0)
                    {
                        return null;
                    }

                    try
                    {
                        var result = await work(bus).ConfigureAwait(false);
                        done.SetResult(result);
                        return result;
                    }
                    catch (Exception e)
                    {
                        // Also for one who waits no longer for the errand itself.
                        done.SetException(e);
                        _ = done.Task.Exception;
                        throw;
                    }
                },
                TimeSpan.Zero,
                either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // What has begun is awaited: only what has not may be called off.
            return Interlocked.Exchange(ref begun, 1) == 0 ? null : await done.Task.ConfigureAwait(false);
        }
    }

    private async Task<bool> IsReadyAsync()
    {
        await _ready.Task.WaitAsync(RecordLimit, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _ready.Task.IsCompletedSuccessfully;
    }

    private async Task<SemaphoreSlim?> TakeTurnAsync(DeviceModel device)
    {
        var turn = _turns[device.BusId];
        using var limit = new CancellationTokenSource(TurnLimit, _time);
        try
        {
            await turn.WaitAsync(limit.Token).ConfigureAwait(false);
            return turn;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private bool TryStart(PendingExpiry pending)
    {
        lock (_gate)
        {
            var attempt = AttemptOf(pending);
            if (attempt.Running)
            {
                return false;
            }

            attempt.Running = true;
            return true;
        }
    }

    private TimeSpan LeftUntilAttempt(PendingExpiry pending)
    {
        var now = _boot.Read();
        lock (_gate)
        {
            var attempt = AttemptOf(pending);
            var left = pending.Expiry.Left(now);
            var retry = TimeSpan.FromMilliseconds(attempt.NotBefore - now.Monotonic);
            return attempt.Running ? Idle : left > retry ? left : retry;
        }
    }

    /// <summary>Writes the safe value of a point; its owner is told once when it does not succeed, and it is tried until it does.</summary>
    private async Task ExpireAsync(PendingExpiry pending, string cause)
    {
        var problem = await TryExpireAsync(pending, cause).ConfigureAwait(false);
        lock (_gate)
        {
            var attempt = AttemptOf(pending);
            attempt.Running = false;
            if (!_journal.Stands(pending))
            {
                _attempts.Remove(pending.Id);
            }
            else
            {
                if (problem.Length > 0 && attempt.Problem.Length == 0)
                {
                    Log.SafeValueWaits(_log, pending.Device, pending.Point, problem);
                }

                attempt.Problem = problem;
                attempt.NotBefore = _boot.Read().Monotonic + (long)attempt.Delay.TotalMilliseconds;
                attempt.Delay = attempt.Delay * 2 < LongestRetry ? attempt.Delay * 2 : LongestRetry;
            }
        }

        _alarm.Wake();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Nobody waits for an expiry: whatever went wrong is told and tried again.")]
    private async Task<string> TryExpireAsync(PendingExpiry pending, string cause)
    {
        try
        {
            if (_site.Devices.FirstOrDefault(d => d.Id == pending.Device) is not { } device || _pollers.All(p => p.Model.Id != device.BusId))
            {
                return Forbidden(pending, $"The configuration has no device '{pending.Device}' any more.");
            }

            if (await TakeTurnAsync(device).ConfigureAwait(false) is not { } turn)
            {
                return $"the bus {device.BusId} is busy";
            }

            try
            {
                if (!_journal.Stands(pending))
                {
                    return "";
                }

                if (WriteRules.Safe(_site, pending.Device, pending.Point, ReasonOf(pending, cause), out var refusal) is not { } plan)
                {
                    return Forbidden(pending, refusal);
                }

                // The value before is for the record. What is safe is sent without it, and at a stop at once.
                Look? look = null;
                if (cause != WriteCause.Stop)
                {
                    look = await LookAsync(plan).ConfigureAwait(false);
                    if (look is null)
                    {
                        return NoTime(plan).Problem;
                    }
                }

                Attempt attempt;
                lock (_gate)
                {
                    attempt = AttemptOf(pending);
                }

                return await ExecuteSafeAsync(plan, look?.Value, cause, attempt).ConfigureAwait(false);
            }
            finally
            {
                turn.Release();
            }
        }
        catch (Exception e)
        {
            return e.Message;
        }
    }

    // Said once, and kept until the configuration allows it again: the device still holds the value.
    private string Forbidden(PendingExpiry pending, string refusal)
    {
        lock (_gate)
        {
            var attempt = AttemptOf(pending);
            if (attempt.Problem != refusal)
            {
                attempt.Problem = refusal;
                Log.SafeValueRefused(_log, pending.Device, pending.Point, refusal, pending.Value);
            }
        }

        return refusal;
    }

    private string ReasonOf(PendingExpiry pending, string cause)
    {
        var held = $"{pending.Value} was written by {pending.Who}";
        if (cause == WriteCause.Stop)
        {
            return $"the gateway stops; {held}";
        }

        var overdue = -pending.Expiry.Left(_boot.Read());
        return overdue > FirstRetry
            ? $"the time is over since {WriteRules.Span(TimeSpan.FromSeconds(Math.Round(overdue.TotalSeconds)))}, overdue; {held}"
            : $"the time is over; {held}";
    }

    private PendingExpiryDocument Describe(PendingExpiry pending, in ClockReading now)
    {
        var left = pending.Expiry.Left(now);
        var point = _site.Devices.FirstOrDefault(d => d.Id == pending.Device)?.Writables.FirstOrDefault(w => w.Id == pending.Point);
        lock (_gate)
        {
            return new PendingExpiryDocument
            {
                Device = pending.Device,
                Point = pending.Point,
                Value = pending.Value,
                Who = pending.Who,
                Since = DateTimeOffset.FromUnixTimeMilliseconds(pending.SinceMilliseconds),
                Expires = (now.Wall + left).ToDateTimeOffset(),
                LeftSeconds = Math.Max(0, left.TotalSeconds),
                Safe = point?.Safe is { } safe ? point.Describe((double)safe) : "",
                Problem = AttemptOf(pending).Problem,
            };
        }
    }

    private void ForgetAttempts(IReadOnlyList<PendingExpiry> standing)
    {
        lock (_gate)
        {
            foreach (var id in _attempts.Where(a => !a.Value.Running && standing.All(p => p.Id != a.Key)).Select(a => a.Key).ToArray())
            {
                _attempts.Remove(id);
            }
        }
    }

    private Attempt AttemptOf(PendingExpiry pending)
    {
        if (!_attempts.TryGetValue(pending.Id, out var attempt))
        {
            _attempts.Add(pending.Id, attempt = new Attempt());
        }

        return attempt;
    }

    private sealed record Looked(Look Look);

    /// <summary>How far the gateway got with one expiry.</summary>
    private sealed class Attempt
    {
        public bool Running { get; set; }

        public long NotBefore { get; set; }

        public TimeSpan Delay { get; set; } = FirstRetry;

        public string Problem { get; set; } = "";

        /// <summary>The outcome of the last try that was recorded, on its way to the disk.</summary>
        public Task Recording { get; set; } = Task.CompletedTask;
    }
}
