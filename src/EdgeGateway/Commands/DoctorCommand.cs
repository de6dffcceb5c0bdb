using System.CommandLine;
using System.Text.Json;
using EdgeGateway.Doctoring;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway doctor</c>: looks at the computer, the configuration, the store and the brokers, and says what to do.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var bundle = new Option<string?>("--bundle", "-b") { Description = "Also write a file to send to whoever helps: configuration, status, log and this. Secrets are struck out.", HelpName = "FILE.tar.gz" };
        var command = new Command(
            "doctor",
            """
            Look at everything a gateway needs: program, configuration, running gateway, permissions, store, disk, supply, clock, serial ports,
            GPIO chips, network, certificates, brokers. Each line says what is seen and what to do. Nothing is changed, nothing is published, no
            device is asked. Exit code: 0 nothing worse than a notice, 1 a warning, 2 a fault.
            """) { configuration, profiles, json, bundle };
        command.SetAction((result, cancel) => RunAsync(result.GetValue(configuration)!, result.GetValue(profiles), result.GetValue(json), result.GetValue(bundle), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string configuration, string? profiles, bool json, string? bundle, CancellationToken cancel)
    {
        var patient = await Patient.FindAsync(configuration, profiles, cancel).ConfigureAwait(false);
        var document = await Doctor.LookAsync(patient, cancel).ConfigureAwait(false);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(document, DoctorJson.Default.DoctorDocument));
        }
        else
        {
            Show(document);
        }

        if (bundle is not null)
        {
            try
            {
                var entries = await SupportBundle.WriteAsync(patient, document, bundle, log: null, cancel).ConfigureAwait(false);
                Console.Error.WriteLine($"{bundle}: {entries.Count} files, secrets struck out. Look through it before you send it.");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Terminal.Fail($"The bundle was not written: {e.Message}", Math.Max(Doctor.ExitCode(document), Terminal.Failure));
            }
        }

        return Doctor.ExitCode(document);
    }

    private static void Show(DoctorDocument document)
    {
        foreach (var finding in document.Findings)
        {
            var colour = finding.Verdict switch
            {
                "ok" => "green",
                "fault" => "red",
                "warning" => "yellow",
                _ => "grey",
            };
            AnsiConsole.MarkupLine($"[{colour}]{finding.Verdict,-11}[/] [bold]{finding.Check,-13}[/] {Markup.Escape(finding.What)}");
            if (finding.Cure.Length > 0)
            {
                AnsiConsole.MarkupLineInterpolated($"            -> {finding.Cure}");
            }
        }

        AnsiConsole.MarkupLineInterpolated($"{Count("fault")}, {Count("warning")}, {Count("notice")}, {document.Findings.Count(f => f.Verdict == "not-checked")} not checked, {document.Findings.Count(f => f.Verdict == "ok")} ok");

        string Count(string verdict)
        {
            var count = document.Findings.Count(f => f.Verdict == verdict);
            return $"{count} {verdict}{(count == 1 ? "" : "s")}";
        }
    }
}
