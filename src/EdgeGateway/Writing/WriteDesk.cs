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

    /// <summary>Says what a write would do; reads the present value, writes nothing.</summary>
    public async Task<(WriteCheckDocument? Check, WriteRefusal? Refusal)> CheckAsync(WriteRequest request)
    {
        if (WriteRules.Decide(_site, request, out var refusal) is not { } plan)
        {
            return (null, Refused(request, refusal, byRule: true));
        }

        var look = await LookAsync(plan).ConfigureAwait(false);
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

            var look = await LookAsync(plan).ConfigureAwait(false);
            if (!look.Answered)
            {
                return (null, Refused(request, Unanswered(plan, look), byRule: false));
            }

            var (write, problem) = await ExecuteAsync(plan, look, "request").ConfigureAwait(false);
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
    public async Task RunAsync(CancellationToken cancel)
    {
        using var wake = cancel.Register(static alarm => ((Alarm)alarm!).Wake(), _alarm);
        await _journal.ResumeAsync(_boot.Read()).WaitAsync(cancel).ConfigureAwait(false);
        _ready.TrySetResult();
        while (!cancel.IsCancellationRequested)
        {
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
                    _ = ExpireAsync(pending, "expiry");
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
            .Select(p => ExpireAsync(p, "stop"))
            .ToArray();
        await FinishAsync(safe).WaitAsync(limit, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        async Task FinishAsync(Task[] first)
        {
            await Task.WhenAll(first).ConfigureAwait(false);
            await Task.WhenAll(_turns.Values.Select(turn => turn.WaitAsync())).ConfigureAwait(false);
        }
    }

    public void Dispose() => _alarm.Dispose();

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

    /// <summary>Record, wire, record. The turn on the bus is held by the caller.</summary>
    private async Task<(WriteDocument? Write, string Problem)> ExecuteAsync(WritePlan plan, Look look, string cause)
    {
        if (_failing() is { } failing)
        {
            return (null, $"The write cannot be recorded, so it is not made: {failing}");
        }

        var begun = _boot.Read();
        var write = Intent(plan, look.Value, cause, begun.Wall.ToDateTimeOffset());
        var stored = new StoredWrite(write, StoredClock.Of(begun));
        var recording = _journal.BeginAsync(stored);
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
            _ = EndLateAsync(recording, stored);
            return (null, $"The write could not be recorded within {RecordLimit.TotalSeconds} s, so it is not made. 'edgegateway status' says what is wrong with the store.");
        }

        var number = recording.Result;
        Log.WriteBegun(_log, write.Id, write.Who, write.Text, write.Device, write.Point, cause, write.Reason);
        var result = await SendAsync(plan).ConfigureAwait(false);
        return (await EndAsync(number, stored, result).ConfigureAwait(false), "");
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

    private async Task<WriteDocument> EndAsync(long number, StoredWrite stored, WriteResult result)
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
        else
        {
            Log.WriteNotConfirmed(_log, write.Id, write.Device, write.Point, write.Outcome!, write.Detail);
        }

        try
        {
            await _journal.EndAsync(number, stored, result.Outcome, now).WaitAsync(RecordLimit, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreException or TimeoutException)
        {
            // The intent is on the disk: the next start says that the outcome is unknown, if this does not get there before.
            Log.OutcomeNotRecorded(_log, write.Id, e.Message);
        }

        return _journal.Last.FirstOrDefault(w => w.Id == write.Id) ?? write;
    }

    private async Task EndLateAsync(Task<long> recording, StoredWrite stored)
    {
        try
        {
            var number = await recording.ConfigureAwait(false);
            await EndAsync(number, stored, new WriteResult(WriteOutcome.NotAttempted, null, "it could not be recorded in time")).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            Log.OutcomeNotRecorded(_log, stored.Write.Id, e.Message);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A fault of the bus says nothing about what reached the device: the outcome is unknown, and recorded as that.")]
    private async Task<WriteResult> SendAsync(WritePlan plan)
    {
        try
        {
            return await OnBusAsync(plan.Device, bus => DeviceWriter.WriteAsync(bus, plan, _time)).ConfigureAwait(false)
                ?? new WriteResult(WriteOutcome.NotAttempted, null, "the bus had no time for it");
        }
        catch (Exception e)
        {
            return new WriteResult(WriteOutcome.Unknown, null, $"the bus ended by a fault ({e.Message}): it may have happened");
        }
    }

    private async Task<Look> LookAsync(WritePlan plan)
    {
        var look = await OnBusAsync(plan.Device, async bus => new Looked(await DeviceWriter.LookAsync(bus, plan.Device, plan.Point, _time).ConfigureAwait(false))).ConfigureAwait(false);
        return look?.Look ?? new Look(false, null, $"the bus {plan.Device.BusId} had no time for it");
    }

    /// <summary>Does something on the device's bus through its owner; null when it was not begun in time.</summary>
    private async Task<T?> OnBusAsync<T>(DeviceModel device, Func<IBus, ValueTask<T>> work)
        where T : class
    {
        var poller = _pollers.First(p => p.Model.Id == device.BusId);
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = 0;
        using var limit = new CancellationTokenSource(TurnLimit, _time);
        try
        {
            return await poller.UseBusAsync<T?>(
                async (bus, _) =>
                {
                    if (Interlocked.Exchange(ref begun, 1) != 0)
                    {
                        return null;
                    }

                    var result = await work(bus).ConfigureAwait(false);
                    done.SetResult(result);
                    return result;
                },
                limit.Token).ConfigureAwait(false);
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

                var look = await LookAsync(plan).ConfigureAwait(false);
                if (!look.Answered)
                {
                    return look.Problem;
                }

                var (write, problem) = await ExecuteAsync(plan, look, cause).ConfigureAwait(false);
                return write is null ? problem : write.Outcome == WriteOutcome.Confirmed.Word() ? "" : $"{write.Outcome} {write.Detail}";
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
        if (cause == "stop")
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
    }
}
