using System.Runtime.CompilerServices;
using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Buses;

/// <summary>One request that was sent.</summary>
/// <param name="At">When, since the start of the test.</param>
/// <param name="Unit">To which device.</param>
/// <param name="Address">Of its first register.</param>
/// <param name="Cost">How long the bus was busy with it.</param>
/// <param name="Reply">How it ended.</param>
/// <param name="Quantity">How many registers.</param>
internal readonly record struct Asked(TimeSpan At, byte Unit, ushort Address, TimeSpan Cost, BusReply Reply, ushort Quantity = 0);

/// <summary>
/// A bus whose devices do as the test says; a register holds its address. With one request at a time each exchange moves the clock by
/// what it costs; with more the test moves the clock, and a reply comes when its cost has passed.
/// </summary>
internal sealed class ScriptedBus(ManualTime time) : IBus
{
    private static readonly BusReply Silence = new(QualityReason.Timeout);

    private readonly Lock _gate = new();
    private readonly List<Asked> _asked = [];

    /// <summary>What happens to a request; good by default.</summary>
    public Func<byte, ReadRequest, BusReply> Script { get; set; } = static (_, _) => BusReply.Good;

    /// <summary>What an exchange costs that brings a reply.</summary>
    public Func<byte, TimeSpan> Cost { get; set; } = static _ => TimeSpan.Zero;

    /// <summary>How long a request waits for its turn before it is sent, as part of its cost.</summary>
    public TimeSpan Queued { get; set; }

    /// <summary>Runs in place of the next exchanges when it is set.</summary>
    public Func<CancellationToken, ValueTask<BusReply>>? Instead { get; set; }

    /// <summary>Whether a reply that takes longer than the time limit is none.</summary>
    public bool GivesUp { get; set; }

    public HashSet<byte> Dead { get; } = [];

    public string LastProblem => "scripted";

    public int MaxInFlight { get; set; } = 1;

    /// <summary>Most requests that were under way at once.</summary>
    public int MostUnderWay { get; private set; }

    /// <summary>Requests that are under way.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    private int _underWay;

    public ValueTask<BusReply> WriteAsync(
        byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel) =>
        throw new NotSupportedException("polling never writes");

    public IReadOnlyList<Asked> Requests { get { lock (_gate) { return [.. _asked]; } } }

    public TimeSpan[] TimesOf(byte unit) => [.. Requests.Where(r => r.Unit == unit).Select(r => r.At)];

    public ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var at = time.GetElapsedTime(0);
        if (Instead is { } instead)
        {
            Note(new(at, unit, request.Address, TimeSpan.Zero, default));
            return instead(cancel);
        }

        var reply = Dead.Contains(unit) ? Silence : Script(unit, request);
        var cost = reply.Reason == QualityReason.Timeout ? timeout : Cost(unit);
        if (GivesUp && reply.IsAnswer && cost > timeout)
        {
            (reply, cost) = (Silence, timeout);
        }

        Note(new(at, unit, request.Address, cost, reply, request.Quantity));

        // Replies end on the thread that moves the clock, while the poller may ask for more on another.
        var underWay = Interlocked.Increment(ref _underWay);
        Assert.True(underWay <= MaxInFlight || underWay == 1, "more requests are under way than the bus takes");
        MostUnderWay = Math.Max(MostUnderWay, underWay);
        if (MaxInFlight > 1)
        {
            return LaterAsync(request, registers, reply, cost, cancel);
        }

        time.Advance(cost);
        Fill(request, registers);
        Interlocked.Decrement(ref _underWay);
        return ValueTask.FromResult(reply with { Queued = Queued });
    }

    private static void Fill(ReadRequest request, Memory<ushort> registers)
    {
        for (var i = 0; i < request.Quantity; i++)
        {
            registers.Span[i] = (ushort)(request.Address + i);
        }
    }

    // Pooled as a real bus does it: such a reply can be waited for once only.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BusReply> LaterAsync(ReadRequest request, Memory<ushort> registers, BusReply reply, TimeSpan cost, CancellationToken cancel)
    {
        // Completed inside the timer, so that the poller is seen to be awake as soon as the clock has moved.
        var done = new TaskCompletionSource();
        await using var ended = cancel.Register(() => done.TrySetCanceled(cancel));
        await using var timer = time.CreateTimer(_ => done.TrySetResult(), null, cost, Timeout.InfiniteTimeSpan);
        await done.Task.ConfigureAwait(false);
        Fill(request, registers);
        Interlocked.Decrement(ref _underWay);
        return reply;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Note(Asked asked)
    {
        lock (_gate) { _asked.Add(asked); }
    }
}
