using System.CommandLine;

namespace EdgeGateway.Bench.Outbox;

/// <summary>The readings of store and forward.</summary>
internal static class OutboxBench
{
    // One line for each part: its letter, what it measures, where it is.
    public static Command Create() => BenchParts.Create(
        "outbox",
        "Store and forward of the whole gateway:",
        "Size of the backlog: rows in c and d, values in e and f; 0 for each part's own.",
        [
            new("a", "device bytes written for a sample at 20 and 1,000 samples a second, with the centre there and away", WrittenPart.RunAsync),
            new("b", "samples a second that the store takes, and that are read, acknowledged and deleted", StorePart.RunAsync),
            new("c", "memory of the gateway with nothing and with ten million rows in its outbox, samples coming and going", MemoryPart.RunAsync),
            new("d", "start of the gateway with nothing and with a million rows in its outbox", StartPart.RunAsync),
            new("e", "values a second from a backlog to mosquitto: pacing off, and the default pace", DrainPart.RunAsync),
            new("f", "the same backlog beside mosquitto's own bridge queue and Node-RED; what is left of it after kill -9", SideBySidePart.RunAsync),
        ]);
}
