using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Buses;

/// <summary>
/// One line or connection, used by exactly one owner task, with at most <see cref="MaxInFlight"/> requests under way at once. The seam
/// behind which another protocol library can be put.
/// </summary>
public interface IBus : IAsyncDisposable
{
    /// <summary>Sends one read request and waits for its reply, at most <paramref name="timeout"/>.</summary>
    /// <param name="unit">Address of the device on the bus.</param>
    /// <param name="request">What to read; with a SunSpec model the bus finds it on the device, and the registers are proved to be of it.</param>
    /// <param name="registers">Receives the registers, or one word of 0 or 1 for each bit; only valid when the reply is good.</param>
    /// <param name="timeout">Time limit for the whole exchange.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <returns>Why there is no value, or <see cref="BusReply.Good"/>. What a device may do wrong is a result, never an exception.</returns>
    ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel);

    /// <summary>Writes one value to a device: whole registers or coils that stand together, in one request, so that no half value is ever seen.</summary>
    /// <param name="unit">Address of the device on the bus; never 0, a broadcast cannot be confirmed.</param>
    /// <param name="table">Coils or holding registers.</param>
    /// <param name="address">Zero-based first address.</param>
    /// <param name="words">The registers, or one word of 0 or 1 for each coil.</param>
    /// <param name="single">Whether the device wants function 05 or 06 for one word, and not 15 or 16.</param>
    /// <param name="timeout">Time limit for the whole exchange.</param>
    /// <param name="cancel">Stops waiting; the write may have happened all the same.</param>
    ValueTask<BusReply> WriteAsync(
        byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel);

    /// <summary>
    /// How many reads may be under way at once: 1 on a line, more on a connection to a server that has proved to take them. It may
    /// change after any reply, and is never less than 1.
    /// </summary>
    int MaxInFlight { get; }

    /// <summary>What was seen on the wire beyond single requests.</summary>
    WireCounters Wire => default;

    /// <summary>What is wrong now beyond devices that do not answer, each in words with its cure: an input of this computer that cannot be read. From any thread.</summary>
    IReadOnlyList<string> Problems => [];

    /// <summary>What happened on the bus, in words, for the last reply that was not good; empty when there was none.</summary>
    string LastProblem { get; }
}

/// <summary>What was seen on the wire since the start.</summary>
/// <param name="Connects">Connections made or ports opened.</param>
/// <param name="LateDiscarded">Replies that came too late or twice, and were thrown away.</param>
/// <param name="Echoes">Own requests heard back from the line.</param>
/// <param name="Fences">Extra requests sent to be sure that no late reply is under way.</param>
public readonly record struct WireCounters(long Connects, long LateDiscarded, long Echoes, long Fences);

/// <summary>What a device says of values in its reply.</summary>
/// <param name="First">Address of the first register.</param>
/// <param name="Length">Registers.</param>
/// <param name="Quality">Their quality: uncertain, or bad, and then they are no values.</param>
public readonly record struct RegisterMark(int First, int Length, Quality Quality);

/// <summary>How a read ended.</summary>
/// <param name="Reason">None when the registers are valid.</param>
/// <param name="Detail">The exception code when the reason is a device exception.</param>
public readonly record struct BusReply(QualityReason Reason, byte Detail = 0)
{
    public static readonly BusReply Good;

    /// <summary>How long the request waited for its turn before it was sent: no part of the device's time. Not compared.</summary>
    public TimeSpan Queued { get; init; }

    /// <summary>Registers of a good reply of whose values the device itself says that they are not simply good; valid until the next read of the bus. Not compared.</summary>
    public IReadOnlyList<RegisterMark>? Marks { get; init; }

    public bool IsGood => Reason == QualityReason.None;

    /// <summary>
    /// Whether the device itself spoke: the values, or a refusal. Exceptions 0A and 0B come from a gateway in front of a device that
    /// does not answer (MODBUS V1.1b3, 7).
    /// </summary>
    public bool IsAnswer => IsGood || (Reason == QualityReason.DeviceException && Detail is not (0x0A or 0x0B));

    /// <summary>Exceptions 05 and 06: the device is busy now and may answer later; the others are its last word.</summary>
    public bool IsBusy => Reason == QualityReason.DeviceException && Detail is 0x05 or 0x06;

    /// <summary>Whether the device says that it does not answer this request, now or later.</summary>
    public bool IsRefusal => !IsGood && IsAnswer && !IsBusy;

    /// <summary>Whether both ended alike, however long they waited before.</summary>
    public bool Equals(BusReply other) => (Reason, Detail) == (other.Reason, other.Detail);

    public override int GetHashCode() => HashCode.Combine(Reason, Detail);
}
