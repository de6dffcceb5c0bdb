using System.CommandLine;

namespace EdgeGateway.Bench.Hardware;

/// <summary>What the kernel's interfaces cost, in the virtual machine of <c>tests/hardware-vm</c>: there is no GPIO on the machines that build this. Seconds are those of an emulated processor; ratios hold.</summary>
internal static class HardwareBench
{
    public static Command Create() => BenchParts.Create(
        "hardware",
        "GPIO on the real kernel interface, in a virtual machine with a simulated chip:",
        size: null,
        [
            new BenchPart("a", "pulses of one line at several rates: none lost, and processor time for 1,000 edges, beside a C program on the same interface", PulsesPart.RunAsync),
            new BenchPart("b", "from a contact that closes to a subscriber of the broker, beside a C program piped into mosquitto_pub", LatencyPart.RunAsync),
        ]);
}
