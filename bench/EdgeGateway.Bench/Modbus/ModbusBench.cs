using System.CommandLine;

namespace EdgeGateway.Bench.Modbus;

/// <summary>The Modbus readings.</summary>
internal static class ModbusBench
{
    // One line for each part: its letter, what it measures, where it is.
    public static Command Create() => BenchParts.Create(
        "modbus",
        "Modbus beside libmodbus and pymodbus in one run:",
        size: null,
        [
            new("a", "reads a second at 0 and 5 ms server latency, one at a time and by itself, beside libmodbus and pymodbus; a server that objects", PipeliningPart.RunAsync),
            new("b", "RTU at 9600 and 115200 baud: share of the theoretical limit on a paced line whose unit drops requests that break the silence, beside libmodbus and pymodbus", RtuShareBench.RunAsync),
            new("c", "requests for 50 devices x 40 registers scattered in 300, beside libmodbus and pymodbus; devices that refuse what lies between", ScatteredBench.RunAsync),
            new("d", "processor time for a million samples: 50 devices x 100 registers a second, every sample forwarded, and summaries only, beside Node-RED and a C program", ForwardingPart.RunAsync),
            new("e", "250 endpoints x 100 registers a second in one gateway: missed periods, processor time, memory", EndpointsPart.RunAsync),
            new("f", "50 devices behind one TCP endpoint and on one serial line, five of them dead: rate of the others and how long they take to answer", DeadDevicesBench.RunAsync),
        ]);
}
