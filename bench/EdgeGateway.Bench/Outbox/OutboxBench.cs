using System.CommandLine;

namespace EdgeGateway.Bench.Outbox;

/// <summary>The readings of store and forward, a part a letter; each part prints its figures and says whether it met its targets.</summary>
internal static class OutboxBench
{
    // One line for each part: its letter, what it measures, where it is.
    private static readonly OutboxPart[] Parts =
    [
        new("a", "device bytes written for a sample at 20 and 1,000 samples a second, with the centre there and away", WrittenPart.RunAsync),
        new("b", "samples a second that the store takes, and that are read, acknowledged and deleted", StorePart.RunAsync),
        new("c", "memory of the gateway with nothing and with ten million rows in its outbox, samples coming and going", MemoryPart.RunAsync),
        new("d", "start of the gateway with nothing and with a million rows in its outbox", StartPart.RunAsync),
        new("e", "values a second from a backlog to mosquitto: pacing off, and the default pace", DrainPart.RunAsync),
        new("f", "the same backlog beside mosquitto's own bridge queue", BridgePart.RunAsync),
    ];

    public static Command Create()
    {
        var part = new Argument<string>("part") { Description = "A letter, or all.", DefaultValueFactory = _ => "all" };
        part.AcceptOnlyFromAmong([.. Parts.Select(p => p.Letter), "all"]);
        var seconds = new Option<int>("--seconds") { Description = "Length of one measurement; 0 for each part's own.", DefaultValueFactory = _ => 0 };
        var rows = new Option<int>("--rows") { Description = "Size of the backlog: rows in c and d, values in e and f; 0 for each part's own.", DefaultValueFactory = _ => 0 };
        var cpu = new Option<string>("--cpu") { Description = "Processor of what is measured.", DefaultValueFactory = _ => "0" };
        var others = new Option<string>("--others") { Description = "Processors of simulator and brokers.", DefaultValueFactory = _ => "1" };
        var folder = new Option<string>("--folder") { Description = "Folder on the storage to measure: a file system on a disk, not in memory.", DefaultValueFactory = _ => Path.GetTempPath() };
        var gateway = new Option<string?>("--gateway") { Description = "Another build of the gateway.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("outbox", "Store and forward of the whole gateway:\n" + string.Join('\n', Parts.Select(p => $"  {p.Letter}  {p.Title}")))
        {
            part, seconds, rows, cpu, others, folder, gateway, json,
        };
        command.SetAction(async (result, cancel) =>
        {
            var settings = new OutboxBenchSettings(
                result.GetValue(seconds) is > 0 and var length ? TimeSpan.FromSeconds(length) : null,
                result.GetValue(rows) is > 0 and var size ? size : null,
                result.GetValue(cpu)!,
                result.GetValue(others)!,
                Path.GetFullPath(result.GetValue(folder)!),
                new GatewayProgram(result.GetValue(gateway)),
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
    private sealed record OutboxPart(string Letter, string Title, Func<OutboxBenchSettings, CancellationToken, Task<int>> Run);
}

/// <summary>What the user chose for all parts.</summary>
/// <param name="Length">Length of one measurement; null for the part's own.</param>
/// <param name="Size">Size of the backlog; null for the part's own.</param>
/// <param name="Cpu">Processor of the gateway, as <c>taskset -c</c> takes it.</param>
/// <param name="Others">Processors of what is beside it.</param>
/// <param name="Folder">Folder on the storage that is measured.</param>
/// <param name="Gateway">The program.</param>
/// <param name="Json">Print JSON.</param>
internal sealed record OutboxBenchSettings(TimeSpan? Length, int? Size, string Cpu, string Others, string Folder, GatewayProgram Gateway, bool Json)
{
    /// <summary>Type of the file system below <see cref="Folder"/>.</summary>
    public string FileSystem => new DriveInfo(Folder).DriveFormat;
}
