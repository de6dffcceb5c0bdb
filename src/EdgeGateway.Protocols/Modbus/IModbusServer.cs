namespace EdgeGateway.Protocols.Modbus;

/// <summary>What the servers have in common, whatever the transport.</summary>
public interface IModbusServer : IAsyncDisposable
{
    /// <summary>Requests received so far, by all clients.</summary>
    long Requests { get; }

    /// <summary>What a unit or <see cref="ModbusServerOptions.Faults"/> threw last; null as long as none has. Its request was answered by exception 04.</summary>
    Exception? LastError { get; }
}
