using EdgeGateway.Core;
using EdgeGateway.Core.Polling;

namespace EdgeGateway.Buses;

/// <summary>
/// One line or connection, used by exactly one owner task, one request at a time. The seam behind which another protocol library
/// can be put.
/// </summary>
public interface IBus : IAsyncDisposable
{
    /// <summary>Sends one read request and waits for its reply, at most <paramref name="timeout"/>.</summary>
    /// <param name="unit">Address of the device on the bus.</param>
    /// <param name="request">What to read.</param>
    /// <param name="registers">Receives the registers, or one word of 0 or 1 for each bit; only valid when the reply is good.</param>
    /// <param name="timeout">Time limit for the whole exchange.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <returns>Why there is no value, or <see cref="BusReply.Good"/>. What a device may do wrong is a result, never an exception.</returns>
    ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel);

    /// <summary>What happened on the bus, in words, for the last reply that was not good; empty when there was none.</summary>
    string LastProblem { get; }
}

/// <summary>How a read ended.</summary>
/// <param name="Reason">None when the registers are valid.</param>
/// <param name="Detail">The exception code when the reason is a device exception.</param>
public readonly record struct BusReply(QualityReason Reason, byte Detail = 0)
{
    public static readonly BusReply Good;

    public bool IsGood => Reason == QualityReason.None;
}
