using System.CommandLine;
using EdgeGateway.Control;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway outbox</c>: what waits to leave, and since when.</summary>
internal static class OutboxCommand
{
    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command("outbox", "Show what waits to leave: how much, since when, of which streams.") { configuration, profiles, json };
        command.SetAction((result, cancel) => StatusCommand.AskAsync(
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            "outbox",
            ControlJson.Default.OutboxDocument,
            result.GetValue(json) ? null : Show,
            _ => Terminal.Success,
            cancel));
        return command;
    }

    internal static void Show(OutboxDocument outbox)
    {
        AnsiConsole.MarkupLineInterpolated(
            $"outbox: {outbox.Rows} messages wait{(outbox.Oldest is { } oldest ? $", oldest {oldest:yyyy-MM-dd HH:mm:ss}Z ({Words.Span(TimeSpan.FromSeconds(outbox.OldestAgeSeconds))} old)" : "")}, store {Words.Bytes(outbox.FileBytes)} of {Words.Bytes(outbox.BudgetBytes)}");
        if (outbox.Streams.Count > 0)
        {
            AnsiConsole.MarkupLineInterpolated($"waiting: {string.Join(", ", outbox.Streams.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key} {s.Value}"))}");
        }

        if (outbox.Evicted + outbox.Thinned + outbox.Quarantined > 0)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]gone undelivered: {outbox.Evicted} records evicted, {outbox.Thinned} thinned (summaries stand for them); set aside as refused or unreadable: {outbox.Quarantined} records[/]");
        }
    }
}
