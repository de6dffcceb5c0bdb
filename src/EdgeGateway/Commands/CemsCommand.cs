using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeGateway.Control;
using EdgeGateway.Core.Drawing;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Stating;
using EdgeGateway.Storage;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway cems</c>: what a person does at a stack.</summary>
internal static class CemsCommand
{
    public static Command Create() => new("cems", "Continuous emission monitoring: what a person does and sees at a stack that the gateway accounts.")
    {
        Calibrate(),
        Audit(),
        Drift(),
    };

    private static Command Calibrate()
    {
        var device = new Argument<string>("device") { Description = "Id of the device that has the 'cems' block." };
        var gas = new Argument<string>("gas") { Description = "The gas: co2, so2, nox ..." };
        var level = new Argument<string>("level") { Description = "The calibration gas: zero or span." };
        level.AcceptOnlyFromAmong("zero", "span");
        var reference = new Option<decimal>("--gas-value", "-g") { Description = "Value of the calibration gas by its certificate: percent for co2, else the unit of the analyser.", HelpName = "NUMBER", Required = true };
        var measured = new Option<decimal>("--reading", "-r") { Description = "What the analyser read once it was steady, in the same unit.", HelpName = "NUMBER", Required = true };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command(
            "calibrate",
            """
            Enter a calibration check that was made by hand, now: zero and span within four hours are one test. Who enters it stands in the record.
            Exit code: 0 done and on the disk, 1 no gateway answers, 2 refused.
            """)
        {
            device, gas, level, reference, measured, configuration, profiles, json,
        };
        command.SetAction((result, cancel) => SendAsync(
            "cems/calibration",
            new CalibrationDocument
            {
                Device = result.GetValue(device)!,
                Gas = result.GetValue(gas)!,
                Level = result.GetValue(level)!,
                Reference = result.GetValue(reference),
                Measured = result.GetValue(measured),
            },
            ControlJson.Default.CalibrationDocument,
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            result.GetValue(json),
            entered => FormattableString.Invariant($"Entered: {entered.Device}, {entered.Gas}, {entered.Level} gas {entered.Reference}, read {entered.Measured}. The feed says how it was judged."),
            cancel));
        return command;
    }

    private static Command Audit()
    {
        var device = new Argument<string>("device") { Description = "Id of the device that has the 'cems' block." };
        var quantity = new Argument<string>("quantity") { Description = "The gas (co2, so2, nox), flow or moisture." };
        var kind = new Argument<string>("test") { Description = "linearity or rata." };
        kind.AcceptOnlyFromAmong("linearity", "rata");
        var runs = new Option<string>("--runs", "-r")
        {
            Description = "The runs: a line for each with the reading and the reference, separated by a comma, and 'discarded' as a third for a run of a RATA that is left out; # begins a remark. A linearity check has three lines for each of three gases.",
            HelpName = "FILE",
            Required = true,
        };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command(
            "audit",
            """
            Enter a linearity check or a relative accuracy test audit (RATA) of a stack under part75: it is judged, its deadline runs, and the bias factor of a RATA holds from the next hour on.
            Exit code: 0 done and on the disk, 1 no gateway answers, 2 refused.
            """)
        {
            device, quantity, kind, runs, configuration, profiles, json,
        };
        command.SetAction(async (result, cancel) =>
        {
            var path = result.GetValue(runs)!;
            List<AuditRun> read = [];
            try
            {
                foreach (var (line, number) in File.ReadLines(path).Select((l, i) => (l.Split('#')[0].Trim(), i + 1)).Where(l => l.Item1.Length > 0))
                {
                    var parts = line.Split(',', StringSplitOptions.TrimEntries);
                    if (parts.Length is not (2 or 3) || !decimal.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var reading) || !decimal.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var reference)
                        || (parts.Length == 3 && parts[2] != "discarded"))
                    {
                        return Terminal.Fail($"{path}:{number}: error: '{line}' is no run. Write reading,reference or reading,reference,discarded", Terminal.BadInput);
                    }

                    read.Add(new() { Reading = reading, Reference = reference, Discarded = parts.Length == 3 });
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Terminal.Fail($"{path}: error: {e.Message}", Terminal.BadInput);
            }

            var test = new AuditDocument { Device = result.GetValue(device)!, Quantity = result.GetValue(quantity)!, Kind = result.GetValue(kind)!, Runs = read };
            return await SendAsync(
                "cems/audit",
                test,
                ControlJson.Default.AuditDocument,
                result.GetValue(configuration)!,
                result.GetValue(profiles),
                result.GetValue(json),
                entered => FormattableString.Invariant($"Entered: {entered.Device}, {entered.Quantity}, {entered.Kind} of {entered.Runs.Count} runs. The feed says how it was judged."),
                cancel).ConfigureAwait(false);
        });
        return command;
    }

    private static Command Drift()
    {
        var device = new Argument<string>("device") { Description = "Id of the device that has the 'cems' block." };
        var gas = new Argument<string>("gas") { Description = "The gas: co2, so2, nox ..." };
        var from = new Option<string?>("--from")
        {
            Description = "The ledger that has the checks: an export ('edgegateway ledger export'), a store or its directory; the store of --config when absent. The gateway may be running.",
            HelpName = "FILE",
        };
        var key = new Option<string[]>("--key", "-k") { Description = "Public key (PEM) that must have signed the ledger; several when it was changed.", HelpName = "PEM" };
        var deviation = new Option<decimal?>("--deviation", "-s") { Description = "Standard deviation of the analyser, in the unit of the gas; the 'deviation' of the configuration when absent.", HelpName = "NUMBER" };
        var output = new Option<string?>("--output", "-o") { Description = "The SVG file to write; standard output when absent.", HelpName = "FILE" };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var command = new Command(
            "drift",
            """
            Draw the drift charts of an analyser (QAL3, EN 14181) from the checks in the ledger: every zero and span check (Shewhart) and their sums (CUSUM),
            against 2 s (warn) and 3 s (act). Exit code: 0 written, 1 there is no check, 2 the input is wrong.
            """)
        {
            device, gas, from, key, deviation, output, configuration, profiles,
        };
        command.SetAction((result, cancel) => Task.FromResult(
            CommonOptions.Load(result.GetValue(configuration)!, result.GetValue(profiles))?.Model is { } model
                ? Draw(model, result.GetValue(device)!, result.GetValue(gas)!, result.GetValue(from), result.GetValue(key) ?? [], result.GetValue(deviation), result.GetValue(output), cancel)
                : Terminal.BadInput));
        return command;
    }

    private static int Draw(SiteModel model, string id, string gas, string? from, string[] keys, decimal? given, string? output, CancellationToken cancel)
    {
        var stacks = model.Devices.Where(d => d.Cems is not null).ToList();
        if (stacks.Find(d => d.Id == id) is not { Cems: { } stack } device)
        {
            return Terminal.Fail($"There is no stack '{id}'. Stacks: {string.Join(", ", stacks.Select(d => d.Id))}.", Terminal.BadInput);
        }

        if (stack.Gases.FirstOrDefault(g => g.Gas == gas) is not { } analyser)
        {
            return Terminal.Fail($"The stack '{id}' has no gas '{gas}'. Gases: {string.Join(", ", stack.Gases.Select(g => g.Gas))}.", Terminal.BadInput);
        }

        if ((given ?? analyser.Deviation) is not > 0)
        {
            return Terminal.Fail($"A drift chart is drawn against the standard deviation of the analyser: write 'deviation' at {gas} of '{id}' in the configuration, or give --deviation with a number above 0.", Terminal.BadInput);
        }

        var checks = new Dictionary<string, List<DriftCheck>> { ["zero"] = [], ["span"] = [] };
        var unit = "";
        try
        {
            EntrySource.ReadRecords(
                from ?? model.Storage.Directory,
                [.. keys.Select(k => DeviceKey.ReadPublic(File.ReadAllText(k)))],
                record =>
                {
                    if (record.Content is CalibrationContent { Reference: { } reference, Found: { } found } check && check.Device == id && LedgerTap.GasOf(check) == gas && checks.TryGetValue(check.Action, out var level))
                    {
                        level.Add(new(check.At, reference, found));
                        unit = check.Unit;
                    }
                },
                cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or StoreException)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }

        DriftLevel[] levels = [.. checks.Where(c => c.Value.Count > 0).Select(c => new DriftLevel(c.Key, [.. c.Value.OrderBy(x => x.Time)]))];
        if (levels.Length == 0)
        {
            return Terminal.Fail($"The ledger has no zero or span check of {gas} of '{id}' with a reading.", Terminal.Failure);
        }

        var picture = new DriftChart($"{device.Name}, {gas.ToUpperInvariant()}: drift (QAL3)", unit, model.TimeZone, given ?? analyser.Deviation!.Value, levels).Draw();
        if (output is null)
        {
            Console.Write(picture);
            return Terminal.Success;
        }

        try
        {
            File.WriteAllText(output, picture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail($"{output}: error: {e.Message}", Terminal.BadInput);
        }

        Console.Error.WriteLine($"{id}, {gas}: {string.Join(", ", levels.Select(l => $"{l.Checks.Count} checks of {l.Level} gas"))}, {output}");
        return Terminal.Success;
    }

    private static async Task<int> SendAsync<T>(string path, T order, JsonTypeInfo<T> type, string configuration, string? profiles, bool json, Func<T, string> say, CancellationToken cancel)
    {
        using var client = StatusCommand.Connect(configuration, profiles, out var code);
        if (client is null)
        {
            return code;
        }

        try
        {
            var entered = await client.PostAsync(path, order, type, type, cancel).ConfigureAwait(false);
            Console.WriteLine(json ? JsonSerializer.Serialize(entered, type) : say(entered));
            return Terminal.Success;
        }
        catch (HttpRequestException e)
        {
            return Terminal.Fail(e.Message, e.StatusCode == HttpStatusCode.UnprocessableEntity ? Terminal.BadInput : Terminal.Failure);
        }
    }
}
