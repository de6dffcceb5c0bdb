namespace EdgeGateway.Protocols.Modbus;

/// <summary>The public function codes that this library speaks. MODBUS V1.1b3, 5.1.</summary>
public enum ModbusFunction : byte
{
    None = 0,
    ReadCoils = 0x01,
    ReadDiscreteInputs = 0x02,
    ReadHoldingRegisters = 0x03,
    ReadInputRegisters = 0x04,
    WriteSingleCoil = 0x05,
    WriteSingleRegister = 0x06,
    WriteMultipleCoils = 0x0F,
    WriteMultipleRegisters = 0x10,
}
