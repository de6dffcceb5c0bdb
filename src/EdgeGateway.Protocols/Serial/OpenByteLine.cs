namespace EdgeGateway.Protocols.Serial;

/// <summary>Opens a line within the time given; throws <see cref="IOException"/> with a message for people when it cannot.</summary>
public delegate ValueTask<IByteLine> OpenByteLine(TimeSpan wait, CancellationToken cancel);
