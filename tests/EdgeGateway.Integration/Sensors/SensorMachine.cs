namespace EdgeGateway.Integration.Sensors;

/// <summary>The machine in which <c>tests/tools/sensor-trial</c> uses the sensor library, and the gateway, on simulated sensors.</summary>
public sealed class SensorMachine() : HardwareMachine("sensor-trial");
