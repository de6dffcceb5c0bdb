namespace EdgeGateway.Protocols.Modbus;

/// <summary>How a server behaves beyond the standard.</summary>
public sealed record ModbusServerOptions
{
    /// <summary>Asked for each request how the answer is to go wrong; null for a server without faults. Called from several connections at once.</summary>
    public Func<ServerRequest, ServerFault>? Faults { get; init; }

    /// <summary>Whether a TCP server stays silent about units that it does not have, instead of answering exception 0B.</summary>
    public bool IgnoreUnknownUnits { get; init; }

    /// <summary>The most TCP clients at once; one more is turned away.</summary>
    public int MaxClients { get; init; } = 64;
}
