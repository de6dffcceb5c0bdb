using EdgeGateway.Scanning;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary>How a scan is watched: a bar on a terminal, lines elsewhere.</summary>
internal static class ScanViews
{
    /// <summary>Runs a scan with the view that fits the output.</summary>
    public static Task<T> RunAsync<T>(Func<IScanView, Task<T>> scan) => Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive
        ? scan(new PlainView(Console.Error))
        : AnsiConsole.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => scan(new BarView(context)));

    /// <summary>Lines for a log: a new one for each stage, and for each device found.</summary>
    public sealed class PlainView(TextWriter output) : IScanView
    {
        private readonly Lock _gate = new();
        private string _stage = "";

        public void Step(ScanProgress progress)
        {
            // "... : unit 17" changes with each step; the stage before the colon does not.
            var stage = progress.Stage.LastIndexOf(": unit", StringComparison.Ordinal) is > 0 and var at ? progress.Stage[..at] : progress.Stage;
            lock (_gate)
            {
                if (stage != _stage)
                {
                    _stage = stage;
                    output.WriteLine(stage);
                }
            }
        }

        public void Found(FoundUnit unit)
        {
            lock (_gate)
            {
                output.WriteLine($"found: {unit.Where}, unit {unit.Unit}{(unit.Profiles.Count > 0 ? $", {unit.Profiles[0].Profile}" : "")}");
            }
        }
    }

    private sealed class BarView(ProgressContext context) : IScanView
    {
        private readonly ProgressTask _bar = context.AddTask("scanning");
        private readonly Lock _gate = new();
        private int _found;

        public void Step(ScanProgress progress)
        {
            lock (_gate)
            {
                _bar.Description = Markup.Escape($"{progress.Stage}{(_found > 0 ? $", {_found} found" : "")}");
                _bar.MaxValue = Math.Max(progress.Total, 1);
                _bar.Value = progress.Done;
            }
        }

        public void Found(FoundUnit unit)
        {
            lock (_gate)
            {
                _found++;
            }
        }
    }
}
