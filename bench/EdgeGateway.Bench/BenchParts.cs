using System.CommandLine;

namespace EdgeGateway.Bench;

/// <summary>A part of a benchmark that is taken in parts.</summary>
/// <param name="Letter">As the command line names it.</param>
/// <param name="Title">What it measures.</param>
/// <param name="Run">Measures, prints a <see cref="Report"/>, and returns how many targets were missed.</param>
internal sealed record BenchPart(string Letter, string Title, Func<BenchSettings, CancellationToken, Task<int>> Run);

/// <summary>What the user chose for all parts.</summary>
/// <param name="Length">Length of one measurement; null for the part's own.</param>
/// <param name="Size">Size of the backlog, where the benchmark has one; null for the part's own.</param>
/// <param name="Cpu">Processor of what is measured, as <c>taskset -c</c> takes it.</param>
/// <param name="Others">Processors of what is beside it.</param>
/// <param name="Folder">Folder on the storage that is measured.</param>
/// <param name="Gateway">The program.</param>
/// <param name="Json">Print JSON.</param>
internal sealed record BenchSettings(TimeSpan? Length, int? Size, string Cpu, string Others, string Folder, GatewayProgram Gateway, bool Json)
{
    /// <summary>Type of the file system below <see cref="Folder"/>.</summary>
    public string FileSystem => new DriveInfo(Folder).DriveFormat;
}

/// <summary>The command of a benchmark in parts: one by its letter, or all; exit code 1 when a part missed a target.</summary>
internal static class BenchParts
{
    /// <param name="name">Name of the command.</param>
    /// <param name="title">What it measures, in a line.</param>
    /// <param name="size">What <c>--rows</c> means to the parts; null for a benchmark without a backlog, which has no such option.</param>
    /// <param name="parts">In the order in which <c>all</c> runs them.</param>
    public static Command Create(string name, string title, string? size, BenchPart[] parts)
    {
        var part = new Argument<string>("part") { Description = "A letter, or all.", DefaultValueFactory = _ => "all" };
        part.AcceptOnlyFromAmong([.. parts.Select(p => p.Letter), "all"]);
        var seconds = new Option<int>("--seconds") { Description = "Length of one measurement; 0 for each part's own.", DefaultValueFactory = _ => 0 };
        var cpu = new Option<string>("--cpu") { Description = "Processor of what is measured.", DefaultValueFactory = _ => "0" };
        var others = new Option<string>("--others") { Description = "Processors of simulator, servers, brokers and receivers.", DefaultValueFactory = _ => "1" };
        var folder = new Option<string>("--folder") { Description = "Folder on the storage to measure: a file system on a disk, not in memory.", DefaultValueFactory = _ => Path.GetTempPath() };
        var gateway = new Option<string?>("--gateway") { Description = "Another build of the gateway.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command(name, $"{title}\n{string.Join('\n', parts.Select(p => $"  {p.Letter}  {p.Title}"))}") { part, seconds, cpu, others, folder, gateway, json };
        var rows = size is null ? null : new Option<int>("--rows") { Description = size, DefaultValueFactory = _ => 0 };
        if (rows is not null)
        {
            command.Add(rows);
        }

        command.SetAction(async (result, cancel) =>
        {
            var settings = new BenchSettings(
                result.GetValue(seconds) is > 0 and var length ? TimeSpan.FromSeconds(length) : null,
                rows is not null && result.GetValue(rows) is > 0 and var given ? given : null,
                result.GetValue(cpu)!,
                result.GetValue(others)!,
                Path.GetFullPath(result.GetValue(folder)!),
                new GatewayProgram(result.GetValue(gateway)),
                result.GetValue(json));
            var chosen = result.GetValue(part);
            var missed = 0;
            foreach (var each in parts.Where(p => chosen == "all" || p.Letter == chosen))
            {
                missed += await each.Run(settings, cancel).ConfigureAwait(false);
            }

            return missed == 0 ? 0 : 1;
        });
        return command;
    }
}
