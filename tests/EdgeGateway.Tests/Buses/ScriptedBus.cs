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
internal readonly record struct Asked(TimeSpan At, byte Unit, ushort Address, TimeSpan Cost, BusReply Reply);

/// <summary>A bus whose devices do as the test says. Each exchange moves the clock by what it costs; a register holds its address.</summary>
internal sealed class ScriptedBus(ManualTime time) : IBus
{
    private static readonly BusReply Silence = new(QualityReason.Timeout);

    private readonly Lock _gate = new();
    private readonly List<Asked> _asked = [];

    /// <summary>What happens to a request; good by default.</summary>
    public Func<byte, ReadRequest, BusReply> Script { get; set; } = static (_, _) => BusReply.Good;

    /// <summary>What an exchange costs that brings a reply.</summary>
    public Func<byte, TimeSpan> Cost { get; set; } = static _ => TimeSpan.Zero;

    /// <summary>Runs in place of the next exchanges when it is set.</summary>
    public Func<CancellationToken, ValueTask<BusReply>>? Instead { get; set; }

    public HashSet<byte> Dead { get; } = [];

    public string LastProblem => "scripted";

    public int MaxInFlight => 1;

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
        Note(new(at, unit, request.Address, cost, reply));
        time.Advance(cost);
        for (var i = 0; i < request.Quantity; i++)
        {
            registers.Span[i] = (ushort)(request.Address + i);
        }

        return ValueTask.FromResult(reply);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Note(Asked asked)
    {
        lock (_gate) { _asked.Add(asked); }
    }
}
