using System.CommandLine;

namespace EdgeGateway.Bench.Modbus;

/// <summary>The Modbus readings, a part a letter; each part prints its figures and says whether it met its targets.</summary>
internal static class ModbusBench
{
    // One line for each part: its letter, what it measures, where it is.
    private static readonly ModbusPart[] Parts =
    [
        new("a", "reads a second at 0 and 5 ms server latency, one at a time and by itself, beside libmodbus and pymodbus; a server that objects", PipeliningPart.RunAsync),
        new("b", "RTU at 9600 and 115200 baud: share of the theoretical limit on a paced line whose unit drops requests that break the silence, beside libmodbus and pymodbus", RtuShareBench.RunAsync),
        new("c", "requests for 50 devices x 40 registers scattered in 300, beside libmodbus and pymodbus; devices that refuse what lies between", ScatteredBench.RunAsync),
        new("d", "processor time for a million samples: 50 devices x 100 registers a second, every sample forwarded, and summaries only", ForwardingPart.RunAsync),
        new("e", "250 endpoints x 100 registers a second in one gateway: missed periods, processor time, memory", EndpointsPart.RunAsync),
        new("f", "50 devices behind one TCP endpoint and on one serial line, five of them dead: rate of the others and how long they take to answer", DeadDevicesBench.RunAsync),
    ];

    public static Command Create()
    {
        var part = new Argument<string>("part") { Description = "A letter, or all.", DefaultValueFactory = _ => "all" };
        part.AcceptOnlyFromAmong([.. Parts.Select(p => p.Letter), "all"]);
        var seconds = new Option<int>("--seconds") { Description = "Length of one measurement; 0 for each part's own.", DefaultValueFactory = _ => 0 };
        var cpu = new Option<string>("--cpu") { Description = "Processor of what is measured.", DefaultValueFactory = _ => "0" };
        var others = new Option<string>("--others") { Description = "Processors of servers, brokers and receivers.", DefaultValueFactory = _ => "1" };
        var gateway = new Option<string?>("--gateway") { Description = "Another build of the gateway.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("modbus", "Modbus beside libmodbus and pymodbus in one run:\n" + string.Join('\n', Parts.Select(p => $"  {p.Letter}  {p.Title}")))
        {
            part, seconds, cpu, others, gateway, json,
        };
        command.SetAction(async (result, cancel) =>
        {
            var settings = new ModbusBenchSettings(
                result.GetValue(seconds) is > 0 and var given ? TimeSpan.FromSeconds(given) : null,
                result.GetValue(cpu)!,
                result.GetValue(others)!,
                result.GetValue(gateway),
                result.GetValue(json));
            var chosen = result.GetValue(part);
            var missed = 0;
            foreach (var each in Parts.Where(p => chosen == "all" || p.Letter == chosen))
            {
                missed += await each.Run(settings, cancel).ConfigureAwait(false);
            }

            return missed == 0 ? 0 : 1;
        });
        return command;
    }

    /// <summary>A part of the readings.</summary>
    /// <param name="Letter">As the command line names it.</param>
    /// <param name="Title">What it measures.</param>
    /// <param name="Run">Measures, prints a <see cref="Report"/>, and returns how many targets were missed.</param>
    private sealed record ModbusPart(string Letter, string Title, Func<ModbusBenchSettings, CancellationToken, Task<int>> Run);
}

/// <summary>What the user chose for all parts.</summary>
/// <param name="Length">Length of one measurement; null for the part's own.</param>
/// <param name="Cpu">Processor of what is measured, as <c>taskset -c</c> takes it.</param>
/// <param name="Others">Processors of what is beside it.</param>
/// <param name="Gateway">Another build of the gateway, or null.</param>
/// <param name="Json">Print JSON.</param>
internal sealed record ModbusBenchSettings(TimeSpan? Length, string Cpu, string Others, string? Gateway, bool Json);
