using System.CommandLine;
using EdgeGateway.Commands.Exam;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway config</c>: makes configurations from other descriptions.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var spec = new Argument<string>("SPEC") { Description = "JSON file that describes devices and broker." };
        var configuration = new Argument<string>("CONFIG") { Description = "The gateway.yaml to write; its device profile and password file are written beside it." };
        var fromExam = new Command(
            "from-exam",
            """
            Make an ordinary configuration for a test rig: devices with a sequence number (uint32, registers 0-1) and a value
            (float32, registers 2-3), every sample published as lists of {"device","seq","value","ts","historical"}.

            SPEC, a JSON object; keys without regard to case, '_' and '-', other usual names are understood, unknown keys are refused:
              devices          [{id, host, port (502), unit (1), poll_interval, timeout}]
              poll_interval    seconds, or poll_interval_ms, or "500ms"; for devices that have none of their own (1 s)
              mqtt             {host, port, version "3.1.1" or "5", client_id, keepalive (s), qos 0 or 1, username, password,
                               topic, tls {ca, cert, key}}; instead of host and port also url
              data_folder      where the store is kept (data)
              buffer           {max_bytes}, a number or "64MiB"; at least 16MiB
              commit_window    seconds, or commit_window_ms
              order            "in-order" (oldest first) or "live-first"
              registers        {table "holding" or "input", word_order "high-first" or "low-first"}
              site, gateway, backfill_per_second, status_every
            Relative paths begin at the folder of SPEC. Exit code 2 when SPEC cannot be used, with everything that is wrong.
            """) { spec, configuration };
        fromExam.SetAction(result => FromExam(result.GetValue(spec)!, result.GetValue(configuration)!));
        return new Command("config", "Make configurations from other descriptions.") { fromExam };
    }

    private static int FromExam(string specFile, string configuration)
    {
        List<string> problems = [];
        ExamSpec? spec;
        try
        {
            var folder = Path.GetDirectoryName(Path.GetFullPath(specFile))!;
            spec = ExamSpec.Read(File.ReadAllText(specFile), folder, problems);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{specFile}: error: {e.Message}");
            return Terminal.BadInput;
        }

        if (spec is null)
        {
            foreach (var problem in problems)
            {
                Console.Error.WriteLine($"{specFile}: error: {problem}");
            }

            Console.Error.WriteLine($"{problems.Count} {(problems.Count == 1 ? "error" : "errors")}. Nothing was written. The grammar: edgegateway config from-exam --help");
            return Terminal.BadInput;
        }

        try
        {
            Write(spec, Path.GetFullPath(configuration));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail($"{configuration} cannot be written: {e.Message}");
        }

        // The last word has the reader that the gateway itself uses.
        var site = CommonOptions.Load(configuration, profiles: null);
        if (site is null)
        {
            return Terminal.BadInput;
        }

        Console.WriteLine($"{configuration}: {site.Model.Devices.Count} devices, store in {site.Model.Storage.Directory}. Run it with: edgegateway run --config {configuration}");
        return Terminal.Success;
    }

    private static void Write(ExamSpec spec, string configuration)
    {
        var folder = Path.GetDirectoryName(configuration)!;
        var profile = Path.Combine(folder, ExamConfiguration.ProfilePath);
        Directory.CreateDirectory(Path.GetDirectoryName(profile)!);
        File.WriteAllText(profile, ExamConfiguration.Profile(spec));
        string? passwordFile = null;
        if (spec.Password is { } password)
        {
            passwordFile = Path.Combine(folder, "mqtt-password");
            WriteSecret(passwordFile, password);
        }

        List<string> notes = [];
        File.WriteAllText(configuration, ExamConfiguration.Gateway(spec, passwordFile, notes));
        foreach (var note in notes)
        {
            Console.Error.WriteLine($"{configuration}: warning: {note}");
        }
    }

    /// <summary>Readable by its owner only, from its first byte on.</summary>
    private static void WriteSecret(string path, string secret)
    {
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(path, options);
        writer.Write(secret);
    }
}
