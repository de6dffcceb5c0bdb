using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Watches the bytes of a Modbus client.</summary>
public interface IModbusTap : ILineTap;
