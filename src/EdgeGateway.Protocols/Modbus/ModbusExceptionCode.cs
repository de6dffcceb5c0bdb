namespace EdgeGateway.Protocols.Modbus;

/// <summary>Why a device refused a request. MODBUS V1.1b3, 7.</summary>
public enum ModbusExceptionCode : byte
{
    /// <summary>No refusal. Never travels on the wire.</summary>
    None = 0x00,
    IllegalFunction = 0x01,
    IllegalDataAddress = 0x02,
    IllegalDataValue = 0x03,
    ServerDeviceFailure = 0x04,
    Acknowledge = 0x05,
    ServerDeviceBusy = 0x06,

    /// <summary>Of old devices; the standard names it only in its list of counters (V1.1b3, 6.8).</summary>
    NegativeAcknowledge = 0x07,
    MemoryParityError = 0x08,
    GatewayPathUnavailable = 0x0A,
    GatewayTargetFailedToRespond = 0x0B,
}
