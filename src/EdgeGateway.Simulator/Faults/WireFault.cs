namespace EdgeGateway.Simulator.Faults;

/// <summary>What the server does to a device's replies at the moment.</summary>
[Flags]
internal enum WireFaults : byte
{
    None = 0,
    Silent = 1,
    WrongCheckSum = 2,
    WrongTransaction = 4,
}

/// <summary>The faults of the wire in force for one device.</summary>
/// <param name="Faults">What is done to replies.</param>
/// <param name="Delay">How long they are held back.</param>
/// <param name="ExceptionCode">Modbus exception code that is answered instead of values; 0 for none.</param>
internal readonly record struct WireState(WireFaults Faults, TimeSpan Delay, byte ExceptionCode);
