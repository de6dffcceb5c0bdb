using System.CommandLine;
using System.Text;
using EdgeGateway.Core.Accounting.Statements;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Stating;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway statement</c>: emissions of a day, month or year as a page, a table or JSON.</summary>
internal static class StatementCommand
{
    private static readonly string[] Formats = ["html", "csv", "json"];

    public static Command Create()
    {
        var period = new Argument<string?>("PERIOD") { Description = "Day, month or year in the site's zone: 2026-10-31, 2026-10 or 2026. The month of the last entry when absent.", Arity = ArgumentArity.ZeroOrOne };
        var options = new StatementOptions();
        var device = new Option<string?>("--device") { Description = "Only this device.", HelpName = "DEVICE" };
        var area = new Option<string?>("--area") { Description = "Only this area: its meters, without what is metered behind them in other areas.", HelpName = "AREA" };
        var language = new Option<string?>("--language", "-l") { Description = $"Language of the page: {string.Join(" or ", AlarmMessages.Languages)}; the site's when absent.", HelpName = "LANGUAGE" };
        language.AcceptOnlyFromAmong([.. AlarmMessages.Languages]);
        var format = new Option<string?>("--format", "-f") { Description = "html (a page to read and print), csv (a table) or json. By the name of the output when absent.", HelpName = "FORMAT" };
        format.AcceptOnlyFromAmong(Formats);
        var output = new Option<string?>("--output", "-o") { Description = "The file to write; standard output when absent.", HelpName = "FILE" };
        var forecast = new Option<bool>("--no-forecast") { Description = "Without the forecast to the end of month and year." };
        var command = new Command(
            "statement",
            """
            State the emissions of a day, month or year: per device, area and site, scopes and gases apart, with uncertainty, coverage, what is missing,
            the factors and where each number comes from. As a page with charts (loads nothing, prints on A4), CSV or JSON, in English or Chinese.
            A ledger is verified while it is read. Exit code: 0 written, 1 nothing to state, 2 the input is wrong.
            """) { period, options.From, options.Key, options.Configuration, options.Profiles, device, area, language, format, output, forecast, options.Scenarios };
        command.SetAction((result, cancel) => Task.FromResult(Run(
            options.Request(result, result.GetValue(period), result.GetValue(device), result.GetValue(area), withForecast: !result.GetValue(forecast)),
            result.GetValue(language),
            result.GetValue(format),
            result.GetValue(output),
            cancel)));
        return command;
    }

    private static int Run(StatementRequest request, string? language, string? format, string? output, CancellationToken cancel)
    {
        if (request.Make(out var siteLanguage, out var code, cancel) is not { } statement)
        {
            return code;
        }

        var bytes = (format ?? FormatOf(output)) switch
        {
            "csv" => new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetBytes(StatementCsv.Write(statement)),
            "json" => StatementJson.Write(statement),
            _ => Encoding.UTF8.GetBytes(StatementHtml.Write(statement, StatementWords.In(language ?? siteLanguage))),
        };
        if (output is null)
        {
            using var standard = Console.OpenStandardOutput();
            standard.Write(bytes);
            return Terminal.Success;
        }

        try
        {
            File.WriteAllBytes(output, bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail($"{output}: error: {e.Message}", Terminal.BadInput);
        }

        Console.Error.WriteLine($"{statement.Period} of {statement.Site.Id}: {statement.Entries} entries, {(statement.IsComplete ? "complete" : $"up to {statement.To}")}, {output}");
        return Terminal.Success;
    }

    private static string FormatOf(string? output) => Formats.FirstOrDefault(f => output?.EndsWith($".{f}", StringComparison.OrdinalIgnoreCase) == true) ?? Formats[0];
}

/// <summary>Options that statements and forecasts share.</summary>
internal sealed class StatementOptions
{
    public Option<string?> From { get; } = new("--from")
    {
        Description = "Where the entries are: an export of the ledger ('edgegateway ledger export'), a store (gateway.db or its directory; the gateway may be running), or a recorded feed ('edgegateway verify-feed --record', .gz is unpacked). The store of --config when absent.",
        HelpName = "FILE",
    };

    public Option<string[]> Key { get; } = new("--key", "-k") { Description = "Public key (PEM) that must have signed the ledger; several when it was changed. Without it the keys are those that the ledger names.", HelpName = "PEM" };

    public Option<string?> Configuration { get; } = new("--config", "-c") { Description = "The site's configuration: names, areas, metering tree, zone. Without it days begin in UTC and there are no areas.", HelpName = "FILE" };

    public Option<string?> Profiles { get; } = CommonOptions.Profiles();

    public Option<string?> Scenarios { get; } = new("--scenarios") { Description = "File of scenarios, for the year in which emissions are highest.", HelpName = "FILE" };

    /// <summary>What was asked for.</summary>
    public StatementRequest Request(ParseResult result, string? period, string? device, string? area, bool withForecast) => new(
        result.GetValue(From), result.GetValue(Configuration), result.GetValue(Profiles), period, device, area, result.GetValue(Scenarios), result.GetValue(Key) ?? [], withForecast);
}
