namespace EdgeGateway.Protocols.Modbus;

/// <summary>What a TCP server does with a request that comes while an earlier one on the same connection is not answered yet.</summary>
/// <remarks>
/// Real devices do all of these. Requests that lie in the receive buffer behind one another, as a pipelining client sends them, count as
/// coming while the first is under way, even when the server answers without delay.
/// </remarks>
public enum ServerConcurrency
{
    /// <summary>Works on it at once; each answer goes out when its own delay is over, so a slow one is overtaken.</summary>
    WhenDue,

    /// <summary>Works on it at once, but answers in the order of the requests: an answer waits for those before it.</summary>
    InOrder,

    /// <summary>Lets it wait until the earlier one is answered; delays add up. So does a plain single-threaded server.</summary>
    Serial,

    /// <summary>Works on it at once and answers out of order: when the oldest request is due, all that are under way are answered, the newest first.</summary>
    NewestFirst,

    /// <summary>Throws it away without an answer.</summary>
    DropSecond,

    /// <summary>Closes the connection; the earlier request is not answered either.</summary>
    CloseOnSecond,

    /// <summary>Refuses it with exception 06, busy.</summary>
    RefuseSecond,

    /// <summary>Forgets the earlier one and answers only the newest.</summary>
    ForgetFirst,

    /// <summary>
    /// Works on one after the other and answers in order, but has room for one header only: each answer carries transaction id and unit of
    /// the newest request that has come by then. Faultless with one request at a time.
    /// </summary>
    NewestHeader,
}

/// <summary>How a server behaves beyond the standard.</summary>
public sealed record ModbusServerOptions
{
    /// <summary>Asked for each request how the answer is to go wrong; null for a server without faults. Called from several connections at once.</summary>
    public Func<ServerRequest, ServerFault>? Faults { get; init; }

    /// <summary>How long each answer takes, in addition to the delay of a fault.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>What a TCP server does with several requests at once on one connection. A serial line carries one at a time anyway.</summary>
    public ServerConcurrency Concurrency { get; init; }

    /// <summary>The most requests that a TCP server keeps under way on one connection, 1 or more; further ones wait in the network.</summary>
    public int MaxInFlight { get; init; } = 64;

    /// <summary>Whether a TCP server stays silent about units that it does not have, instead of answering exception 0B.</summary>
    public bool IgnoreUnknownUnits { get; init; }

    /// <summary>The most TCP clients at once; one more is turned away.</summary>
    public int MaxClients { get; init; } = 64;
}
