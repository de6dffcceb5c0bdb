using System.CommandLine;
using System.Net;
using System.Text.Json;
using EdgeGateway.Control;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway cems</c>: what a person does at a stack.</summary>
internal static class CemsCommand
{
    public static Command Create() => new("cems", "Continuous emission monitoring: what a person does at a stack that the running gateway accounts.")
    {
        Calibrate(),
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
            new CalibrationDocument
            {
                Device = result.GetValue(device)!,
                Gas = result.GetValue(gas)!,
                Level = result.GetValue(level)!,
                Reference = result.GetValue(reference),
                Measured = result.GetValue(measured),
            },
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            result.GetValue(json),
            cancel));
        return command;
    }

    private static async Task<int> SendAsync(CalibrationDocument check, string configuration, string? profiles, bool json, CancellationToken cancel)
    {
        using var client = StatusCommand.Connect(configuration, profiles, out var code);
        if (client is null)
        {
            return code;
        }

        try
        {
            var entered = await client.PostAsync(
                "cems/calibration", check, ControlJson.Default.CalibrationDocument, ControlJson.Default.CalibrationDocument, cancel).ConfigureAwait(false);
            Console.WriteLine(json
                ? JsonSerializer.Serialize(entered, ControlJson.Default.CalibrationDocument)
                : FormattableString.Invariant($"Entered: {entered.Device}, {entered.Gas}, {entered.Level} gas {entered.Reference}, read {entered.Measured}. The feed says how it was judged."));
            return Terminal.Success;
        }
        catch (HttpRequestException e)
        {
            return Terminal.Fail(e.Message, e.StatusCode == HttpStatusCode.UnprocessableEntity ? Terminal.BadInput : Terminal.Failure);
        }
    }
}
