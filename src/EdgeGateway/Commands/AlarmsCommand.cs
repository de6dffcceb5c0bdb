using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using EdgeGateway.Control;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Configuration;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway alarms</c>: what a person must see, why and what to do next; and saying that it was seen.</summary>
internal static class AlarmsCommand
{
    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var language = Language();
        var device = new Option<string?>("--device") { Description = "Only alarms of this device.", HelpName = "ID" };
        var priority = new Option<string?>("--priority") { Description = "Only alarms of this priority and above: critical, high, medium, low.", HelpName = "PRIORITY" };
        priority.AcceptOnlyFromAmong([.. AlarmWords.Priorities.Select(p => p.Word())]);
        var all = new Option<bool>("--all", "-a") { Description = "Also what is shelved, out of service, or stands under another alarm." };
        var command = new Command(
            "alarms",
            """
            Show the alarms of the running gateway, the most urgent first: what is the matter, what it probably comes from, what to do next.
            Exit code: 0 no alarm waits to be acknowledged, 1 some do, or no gateway answers.
            """) { configuration, profiles, json, language, device, priority, all };
        command.SetAction((result, cancel) => StatusCommand.AskAsync(
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            Path(result.GetValue(language)),
            ControlJson.Default.AlarmsDocument,
            document =>
            {
                var chosen = Choose(document, result.GetValue(device), result.GetValue(priority), result.GetValue(all) || result.GetValue(json));
                if (result.GetValue(json))
                {
                    Console.WriteLine(JsonSerializer.Serialize(chosen, ControlJson.Default.AlarmsDocument));
                }
                else
                {
                    Show(chosen);
                }
            },
            document => document.Alarms.Any(a => a.State is "unacknowledged" or "returned") ? Terminal.Failure : Terminal.Success,
            cancel));
        command.Subcommands.Add(Order("ack", "Acknowledge alarms: somebody has seen them and looks after them.", "Acknowledged"));
        command.Subcommands.Add(Order("shelve", "Put alarms away for a time, a day at most; then they are there again if they still hold.", "Shelved", takesTime: true));
        command.Subcommands.Add(Order("unshelve", "Take alarms from the shelf before their time is over.", "Taken from the shelf"));
        command.Subcommands.Add(Order("out-of-service", "Take alarms out of service, for work on the plant, until somebody puts them back; say why with --reason.", "Out of service"));
        command.Subcommands.Add(Order("in-service", "Put alarms back into service.", "In service"));
        return command;
    }

    /// <summary>The numbers of alarms in a line.</summary>
    public static string Say(AlarmCountsDocument counts)
    {
        List<string> parts = [];
        Add(parts, counts.Critical, "critical");
        Add(parts, counts.High, "high");
        Add(parts, counts.Medium, "medium");
        Add(parts, counts.Low, "low");
        if (parts.Count > 0)
        {
            parts.Add($"{counts.Unacknowledged} of them unacknowledged");
        }

        Add(parts, counts.Suppressed, "under another");
        Add(parts, counts.Shelved, "shelved");
        Add(parts, counts.OutOfService, "out of service");
        if (counts.Flood)
        {
            parts.Add("a flood: those of lower priority are gathered");
        }

        return parts.Count == 0 ? "none" : string.Join(", ", parts);
    }

    private static void Add(List<string> parts, int count, string what)
    {
        if (count > 0)
        {
            parts.Add($"{count} {what}");
        }
    }

    private static Option<string?> Language()
    {
        var language = new Option<string?>("--language", "-l") { Description = "Language of the explanations: en or zh. Without it: site.language of the gateway.", HelpName = "LANGUAGE" };
        language.AcceptOnlyFromAmong([.. AlarmMessages.Languages]);
        return language;
    }

    private static string Path(string? language) => language is null ? "alarms" : $"alarms?language={language}";

    private static AlarmsDocument Choose(AlarmsDocument document, string? device, string? priority, bool all)
    {
        var least = AlarmWords.Priority(priority) ?? AlarmPriority.Low;
        return document with
        {
            Alarms =
            [
                .. document.Alarms.Where(a => (device is null || a.Device == device) && AlarmWords.Priority(a.Priority) >= least
                    && (all || a.State is "unacknowledged" or "acknowledged" or "returned")),
            ],
        };
    }

    private static void Show(AlarmsDocument document)
    {
        var words = AlarmMessages.In(document.Language);
        if (document.Alarms.Count == 0)
        {
            AnsiConsole.MarkupLineInterpolated($"{words.Word("none")}");
            return;
        }

        foreach (var alarm in document.Alarms)
        {
            var colour = alarm.Priority is "critical" or "high" ? "red" : "yellow";
            var more = string.Concat(More(alarm, words).Select(m => $", {m}"));
            AnsiConsole.MarkupLine($"[{colour}]{Markup.Escape(words.Word(alarm.Priority))}[/] [bold]{Markup.Escape(alarm.Id)}[/] ({Markup.Escape(words.Word(alarm.State) + more)})");
            AnsiConsole.MarkupLineInterpolated($"  {alarm.What}");
            Line(words.Word("likely"), alarm.Likely);
            Line(words.Word("next"), alarm.Next);
            Line(words.Word("consequences"), string.Join(", ", alarm.Consequences));
        }
    }

    private static void Line(string head, string text)
    {
        if (text.Length > 0)
        {
            AnsiConsole.MarkupLineInterpolated($"  {head}: {text}");
        }
    }

    private static IEnumerable<string> More(AlarmDocument alarm, AlarmMessages words)
    {
        if (alarm.Chattering)
        {
            yield return words.Word("chattering").Replace("{count}", alarm.Count.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        }

        if (alarm.Cause is { } cause)
        {
            yield return words.Word("under").Replace("{cause}", cause, StringComparison.Ordinal);
        }

        if (alarm.ShelvedUntil is { } until)
        {
            yield return words.Word("until").Replace("{until}", until.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), StringComparison.Ordinal);
        }

        if (alarm.Who.Length > 0)
        {
            yield return words.Word("by").Replace("{who}", alarm.Reason.Length > 0 ? $"{alarm.Who}: {alarm.Reason}" : alarm.Who, StringComparison.Ordinal);
        }
    }

    private static Command Order(string action, string description, string done, bool takesTime = false)
    {
        var ids = new Argument<string[]>("alarm") { Description = "Ids of the alarms, as 'edgegateway alarms' shows them.", Arity = ArgumentArity.OneOrMore };
        var time = new Option<string?>("--for") { Description = "How long, such as 30m or 8h; from a minute to a day.", HelpName = "TIME", Required = takesTime };
        var reason = new Option<string>("--reason") { Description = "Why; it stands in the record beside your name.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command(action, $"{description} All the alarms named, or none when one is refused. Exit code: 0 done and on the disk, 1 no gateway answers, 2 refused.")
        {
            ids, reason, configuration, profiles, json,
        };
        if (takesTime)
        {
            command.Options.Add(time);
        }

        command.SetAction((result, cancel) =>
        {
            var order = new AlarmOrderDocument { Action = action, Ids = result.GetValue(ids)!, Reason = result.GetValue(reason)! };
            if (takesTime)
            {
                var text = result.GetValue(time)!;
                if (!Quantities.TryDuration(text, out var span))
                {
                    return Task.FromResult(Terminal.Fail($"'{text}' is no time. Write a number and a unit: 30m, 8h.", Terminal.BadInput));
                }

                order = order with { ForSeconds = span.TotalSeconds };
            }

            return SendAsync(order, result.GetValue(configuration)!, result.GetValue(profiles), result.GetValue(json) ? null : done, cancel);
        });
        return command;
    }

    private static async Task<int> SendAsync(AlarmOrderDocument order, string configuration, string? profiles, string? done, CancellationToken cancel)
    {
        using var client = StatusCommand.Connect(configuration, profiles, out var code);
        if (client is null)
        {
            return code;
        }

        try
        {
            var after = await client.PostAsync(
                "alarms/order", order, ControlJson.Default.AlarmOrderDocument, ControlJson.Default.AlarmsDocument, cancel).ConfigureAwait(false);
            Console.WriteLine(done is null
                ? JsonSerializer.Serialize(after with { Alarms = [.. after.Alarms.Where(a => order.Ids.Contains(a.Id))] }, ControlJson.Default.AlarmsDocument)
                : $"{done}: {string.Join(", ", order.Ids)}.");
            return Terminal.Success;
        }
        catch (HttpRequestException e)
        {
            return Terminal.Fail(e.Message, e.StatusCode == HttpStatusCode.UnprocessableEntity ? Terminal.BadInput : Terminal.Failure);
        }
    }
}
