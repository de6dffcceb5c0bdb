using System.CommandLine;
using System.Globalization;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Accounting.Forecasting;
using EdgeGateway.Core.Accounting.Statements;
using EdgeGateway.Stating;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway forecast</c>: emissions to the end of month and year, the year of the peak, and what drives an impact.</summary>
internal static class ForecastCommand
{
    private const string TimeColumn = "year";
    private static readonly string[] Drivers = ["population", "affluence", "technology", "impact"];

    public static Command Create() => new("forecast", "Forecast emissions to the end of month and year, the peak by scenario, and elasticities (STIRPAT).") { Emissions(), Peak(), Elasticities() };

    private static Command Emissions()
    {
        var options = new StatementOptions();
        var device = new Option<string?>("--device") { Description = "Only this device.", HelpName = "DEVICE" };
        var area = new Option<string?>("--area") { Description = "Only this area.", HelpName = "AREA" };
        var json = CommonOptions.Json();
        var command = new Command(
            "emissions",
            """
            Forecast the emissions of the site and each of its accounts to the end of the month and year that go on. GM(1,1), fractional GM(1,1), the
            value of a season ago and damped Holt-Winters are tried on the past; the best is taken, and its errors give the interval (95 %).
            Where the history is too short there is no forecast, and the reason. Exit code: 0, also when all are refused; 1 no entries; 2 bad input.
            """) { options.From, options.Key, options.Configuration, options.Profiles, device, area, options.Scenarios, json };
        command.SetAction((result, cancel) =>
        {
            if (options.Request(result, null, result.GetValue(device), result.GetValue(area), withForecast: true).Make(out _, out var code, cancel) is not { } statement)
            {
                return Task.FromResult(code);
            }

            if (result.GetValue(json))
            {
                Write(StatementJson.WriteOutlooks(statement));
                return Task.FromResult(Terminal.Success);
            }

            Print(statement);
            return Task.FromResult(Terminal.Success);
        });
        return command;
    }

    private static Command Peak()
    {
        var file = new Argument<string>("SCENARIOS") { Description = "File of scenarios: docs/forecast.md." };
        var json = CommonOptions.Json();
        var command = new Command("peak", "The year in which emissions are highest, by scenario, from a declared base year.") { file, json };
        command.SetAction(result =>
        {
            var path = result.GetValue(file)!;
            if (StatementRequest.ReadScenarios(path) is not { } scenarios)
            {
                return Terminal.BadInput;
            }

            if (scenarios.Base is not { } given)
            {
                return Terminal.Fail($"{path}: there is no base. Write 'base: {{ year: 2025, tonnes: 10250 }}'; only a statement can take it from the ledger.", Terminal.BadInput);
            }

            try
            {
                var peak = new StatementPeak(given.Year, given.Tonnes, "declared", CarbonPeak.Follow(given.Tonnes, given.Year, scenarios.Scenarios));
                if (result.GetValue(json))
                {
                    Write(StatementJson.WritePeak(peak));
                }
                else
                {
                    Print(peak);
                }

                return Terminal.Success;
            }
            catch (EmissionRefusedException e)
            {
                return Terminal.Fail($"{path}: error: {e.Message}", Terminal.BadInput);
            }
        });
        return command;
    }

    private static Command Elasticities()
    {
        var file = new Argument<string>("TABLE") { Description = "CSV with the columns population, affluence, technology and impact; a column year is passed over." };
        var command = new Command(
            "stirpat",
            """
            Fit ln I = ln k + b ln P + c ln A + d ln T to a table of years: b, c and d say by how many percent the impact changes with one percent of
            population, affluence and technology. Refused when they move together so closely that they cannot be told apart.
            """) { file };
        command.SetAction(result =>
        {
            var path = result.GetValue(file)!;
            try
            {
                var columns = Columns(path);
                var fit = Stirpat.Fit(columns[0], columns[1], columns[2], columns[3]);
                Console.WriteLine($"population   {Number(fit.Population)} % for 1 %");
                Console.WriteLine($"affluence    {Number(fit.Affluence)} % for 1 %");
                Console.WriteLine($"technology   {Number(fit.Technology)} % for 1 %");
                Console.WriteLine($"ln k         {Number(fit.LnK)}");
                Console.WriteLine($"residual     {Number(fit.ResidualPercent)} %, {columns[3].Length} observations");
                Console.WriteLine($"condition    {fit.Condition.ToString("G4", CultureInfo.InvariantCulture)} (refused above {Stirpat.LargestCondition.ToString("G1", CultureInfo.InvariantCulture)})");
                return Terminal.Success;
            }
            catch (EmissionRefusedException e)
            {
                return Terminal.Fail($"{path}: {e.Message}", Terminal.Failure);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                return Terminal.Fail($"{path}: error: {e.Message}", Terminal.BadInput);
            }
        });
        return command;
    }

    private static double[][] Columns(string path)
    {
        var lines = File.ReadAllLines(path);
        var names = lines.FirstOrDefault()?.Split(',').Select(n => n.Trim().ToLowerInvariant()).ToList() ?? [];
        if (names.Find(n => n != TimeColumn && !Drivers.Contains(n)) is { } unknown)
        {
            throw new InvalidDataException($"line 1: the column '{unknown}' is none of {TimeColumn}, {string.Join(", ", Drivers)}");
        }

        var places = Drivers.Select(d => names.IndexOf(d) is >= 0 and var place ? place : throw new InvalidDataException($"line 1: there is no column '{d}'")).ToArray();
        var columns = Drivers.Select(_ => new List<double>()).ToArray();
        for (var row = 1; row < lines.Length; row++)
        {
            if (string.IsNullOrWhiteSpace(lines[row]))
            {
                continue;
            }

            var cells = lines[row].Split(',');
            for (var i = 0; i < places.Length; i++)
            {
                columns[i].Add(places[i] < cells.Length && double.TryParse(cells[places[i]], NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                    ? value
                    : throw new InvalidDataException($"line {row + 1}: there is no number in the column '{Drivers[i]}'"));
            }
        }

        return [.. columns.Select(c => c.ToArray())];
    }

    private static void Print(Statement statement)
    {
        if (statement.Outlooks.Count == 0)
        {
            Console.WriteLine($"The entries end with {statement.To}, the end of the month and year: there is nothing left to forecast.");
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumn("of").AddColumn("scope").AddColumn("to the end of")
            .AddColumn(new TableColumn("accounted, kg").RightAligned()).AddColumn(new TableColumn("expected, kg").RightAligned()).AddColumn(new TableColumn("95 % from").RightAligned()).AddColumn(new TableColumn("to").RightAligned()).AddColumn("method");
        foreach (var o in statement.Outlooks)
        {
            var scope = o.Scope == 2 ? o.Basis == EmissionBasis.Market ? "2 market" : "2 location" : "1";
            var (accounted, of) = (Mass(o.Kilograms), Markup.Escape(o.Device ?? statement.Site.Id));
            if (o is { Total: { } total, Forecast: { } forecast })
            {
                table.AddRow(of, scope, o.Target.Name, accounted, Mass(total.Value), Mass(total.Low), Mass(total.High), $"{forecast.Method}, {forecast.Trials} trials{(o.FilledDays > 0 ? $", {o.FilledDays} days filled" : "")}");
            }
            else
            {
                table.AddRow(of, scope, o.Target.Name, accounted, "", "", "", Markup.Escape($"refused: {o.Refusal}"));
            }
        }

        AnsiConsole.Write(table);
        if (statement.Peak is { } peak)
        {
            Print(peak);
        }
        else if (statement.PeakRefusal is { } refusal)
        {
            Console.WriteLine($"No scenarios: {refusal}");
        }
    }

    private static void Print(StatementPeak peak)
    {
        Console.WriteLine($"From {Mass(peak.BaseTonnes)} t in {peak.BaseYear} ({peak.BaseNote}):");
        var table = new Table().Border(TableBorder.Rounded).AddColumn("scenario").AddColumn("peak").AddColumn(new TableColumn("t").RightAligned()).AddColumn("last year").AddColumn(new TableColumn("t").RightAligned());
        foreach (var path in peak.Paths)
        {
            table.AddRow(
                Markup.Escape(path.Scenario.Name), path.IsReached ? path.PeakYear.ToString(CultureInfo.InvariantCulture) : "not reached", Mass(path.Peak), (peak.BaseYear + path.Scenario.Years).ToString(CultureInfo.InvariantCulture), Mass(path.End));
        }

        AnsiConsole.Write(table);
    }

    private static void Write(byte[] json)
    {
        using var output = Console.OpenStandardOutput();
        output.Write(json);
        output.Write("\n"u8);
    }

    private static string Mass(double kilograms) => kilograms.ToString("#,0.0", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
