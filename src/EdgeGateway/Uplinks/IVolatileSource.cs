namespace EdgeGateway.Uplinks;

/// <summary>
/// Values that are not stored, because the store cannot be written: an uplink publishes the newest of them as they come and queues nothing. They have no
/// numbers and prove nothing; what was read comes again, numbered, when the store is back and the gateway has survived.
/// </summary>
public interface IVolatileSource
{
    /// <summary>Completes with the messages that follow on <paramref name="version"/>; those that came in between are passed over. Never completes while all is well.</summary>
    /// <param name="version">Version of the last messages seen; 0 for none.</param>
    /// <param name="cancel">Ends the wait.</param>
    ValueTask<VolatileMessages> NextAsync(long version, CancellationToken cancel);
}

/// <summary>The newest values, at most once a second.</summary>
/// <param name="Version">Grows with each.</param>
/// <param name="Payloads">The messages, as they are published.</param>
public readonly record struct VolatileMessages(long Version, IReadOnlyList<ReadOnlyMemory<byte>> Payloads);
