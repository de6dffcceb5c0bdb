namespace EdgeGateway.Integration.Gpio;

/// <summary>The machine in which <c>tests/tools/gpio-trial</c> uses the GPIO library on simulated chips.</summary>
public sealed class GpioMachine() : HardwareMachine("gpio-trial");
