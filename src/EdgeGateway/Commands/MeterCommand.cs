using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EdgeGateway.Control;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway meter</c>: meters that were exchanged or set to zero, and telling the gateway what they read.</summary>
internal static class MeterCommand
{
    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command(
            "meter",
            """
            Show meters that were exchanged or set to zero and whose readings nobody has told yet: what flowed between the last reading of the old meter and
            the first of the new one is not counted until then. Exit code: 0 none waits, 1 some do, or no gateway answers.
            """) { configuration, profiles, json };
        command.SetAction((result, cancel) => StatusCommand.AskAsync(
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            "accounts",
            ControlJson.Default.AccountsDocument,
            result.GetValue(json) ? document => Console.WriteLine(JsonSerializer.Serialize(document, ControlJson.Default.AccountsDocument)) : Show,
            document => document.Changes.Count > 0 ? Terminal.Failure : Terminal.Success,
            cancel));
        command.Subcommands.Add(Changed());
        return command;
    }

    private static Command Changed()
    {
        var device = new Argument<string>("DEVICE") { Description = "Id of the device." };
        var point = new Argument<string?>("POINT") { Description = "Id of its counter; may be left out where only one waits.", Arity = ArgumentArity.ZeroOrOne };
        var final = new Option<decimal>("--final") { Description = "Last reading of the old meter, in the unit that 'edgegateway meter' shows.", HelpName = "READING", Required = true };
        var start = new Option<decimal>("--start") { Description = "First reading of the new meter; 0 when the meter was set to zero.", HelpName = "READING", Required = true };
        var reason = AccountOrders.Reason();
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command(
            "changed",
            """
            Tell the readings of a change of meters. What lay between is counted once, as allocated, into the interval that is open. Of several changes the oldest
            is settled. Exit code: 0 done and on the disk, 1 no gateway answers, 2 refused.
            """) { device, point, final, start, reason, configuration, profiles, json };
        command.SetAction((result, cancel) =>
        {
            var order = new AccountOrderDocument
            {
                Action = "change",
                Device = result.GetValue(device)!,
                Point = result.GetValue(point),
                OldFinal = result.GetValue(final),
                NewStart = result.GetValue(start),
                Reason = result.GetValue(reason)!,
            };
            var done = string.Create(CultureInfo.InvariantCulture, $"Counted: {order.Device}, the old meter to {order.OldFinal}, the new one from {order.NewStart}.");
            return AccountOrders.SendAsync(order, result.GetValue(configuration)!, result.GetValue(profiles), result.GetValue(json) ? null : done, cancel);
        });
        return command;
    }

    private static void Show(AccountsDocument document)
    {
        if (document.Changes.Count == 0)
        {
            Console.WriteLine("No change of meters waits for its readings.");
            return;
        }

        foreach (var change in document.Changes)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]{change.Device}.{change.Point}[/] read {Say(change.OldReading, change.Unit)} at {Say(change.OldTime)}, then {Say(change.NewReading, change.Unit)} at {Say(change.NewTime)}");
            AnsiConsole.MarkupLineInterpolated($"  next: edgegateway meter changed {change.Device} {change.Point} --final READING --start READING");
        }
    }

    private static string Say(decimal reading, string unit) => string.Create(CultureInfo.InvariantCulture, $"{reading} {unit}");

    private static string Say(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
