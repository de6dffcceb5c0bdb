namespace EdgeGateway.Protocols.Modbus;

/// <summary>A request that a server received, as its fault hook sees it.</summary>
/// <param name="Number">Counts the requests of this server, from 1.</param>
/// <param name="Unit">The unit asked.</param>
/// <param name="Function">The function code as received; it may be one that the server does not know.</param>
/// <param name="Address">The first register or coil; 0 when the function has none.</param>
/// <param name="Quantity">How many; 1 for a single write, 0 when the function has none.</param>
public readonly record struct ServerRequest(long Number, byte Unit, byte Function, ushort Address, ushort Quantity);
