using System.CommandLine;
using EdgeGateway.Control;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway writes</c>: values that give way to a safe value, and the last writes.</summary>
internal static class WritesCommand
{
    private const int Shown = 20;

    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command("writes", "Show values that will give way to the safe value, and the last writes: who, when, what, and what came of it.") { configuration, profiles, json };
        command.SetAction((result, cancel) => StatusCommand.AskAsync(
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            "writes",
            ControlJson.Default.WritesDocument,
            result.GetValue(json) ? null : Show,
            _ => Terminal.Success,
            cancel));
        return command;
    }

    private static void Show(WritesDocument writes)
    {
        foreach (var pending in writes.Pending)
        {
            AnsiConsole.MarkupLineInterpolated(
                $"{pending.Device}.{pending.Point}: [bold]{pending.Value}[/] by {pending.Who}, {(pending.LeftSeconds > 0 ? $"{Words.Span(TimeSpan.FromSeconds(pending.LeftSeconds))} left" : "time is over")}, then {pending.Safe}");
            if (pending.Problem.Length > 0)
            {
                AnsiConsole.MarkupLineInterpolated($"  [red]{pending.Problem}[/]");
            }
        }

        if (writes.Pending.Count == 0)
        {
            AnsiConsole.MarkupLine("No value waits to give way to a safe value.");
        }

        if (writes.Last.Count == 0)
        {
            AnsiConsole.MarkupLine("Nothing has been written.");
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("when", "who", "point", "before", "value", "outcome", "why");
        foreach (var write in writes.Last.Take(Shown))
        {
            table.AddRow(
                $"{write.Time:yyyy-MM-dd HH:mm:ss}Z",
                Markup.Escape(write.Who),
                Markup.Escape($"{write.Device}.{write.Point}"),
                write.Before is { } before ? Words.Number(before) : "none",
                Markup.Escape(write.Text),
                Markup.Escape(WriteCommand.Outcome(write)),
                Markup.Escape(write.Cause == "request" ? write.Reason : $"{write.Cause}: {write.Reason}"));
        }

        AnsiConsole.Write(table);
    }
}
