namespace EdgeGateway.Uplinks;

/// <summary>A way to a central platform: takes rows out of the outbox as they are acknowledged, and only then.</summary>
public interface IUplink
{
    /// <summary>Id from the configuration; also names the destination's cursor in the outbox.</summary>
    string Id { get; }

    /// <summary>Delivers until <paramref name="stop"/>, then waits a few seconds for what is in flight and says good-bye.</summary>
    /// <remarks>Completes normally when stopped. An exception is a fault of the outbox or of the program; the caller starts the uplink again.</remarks>
    Task RunAsync(CancellationToken stop);

    /// <summary>How it is doing; a snapshot, from any thread.</summary>
    UplinkStatus Status { get; }
}
