using System.CommandLine;
using EdgeGateway.Box;
using EdgeGateway.Buses;
using EdgeGateway.Commands.Profiles;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Accounting.Forecasting;
using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Lines;
using EdgeGateway.Protocols.Sensors;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Scanning;
using EdgeGateway.Stating;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway check</c>: everything that is wrong in a configuration or in profiles, before any wire is touched.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("file")
        {
            Description = "A gateway.yaml, device profiles, wiring descriptions, factor sets, scenarios, or directories of them. Default: gateway.yaml.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var configuration = new Option<string?>("--config", "-c") { Description = "The same as naming the file.", HelpName = "FILE" };
        var profiles = CommonOptions.Profiles();
        var upgrade = new Option<bool>("--upgrade")
        {
            Description = "Also say whether this version of the program can go on with the store of each gateway.yaml, which another version wrote: nothing is changed, and that one may run meanwhile.",
        };
        var command = new Command(
            "check",
            """
            Check configuration, device profiles, wiring descriptions, factor sets and scenarios; no wire is touched. All problems are reported at once,
            each with file, line, what is wrong and how to mend it. Exit code: 0 usable, 2 not usable.
            """) { files, configuration, profiles, upgrade };
        command.SetAction(result =>
        {
            string[] given = [.. result.GetValue(files) ?? [], .. result.GetValue(configuration) is { } one ? [one] : Array.Empty<string>()];
            if (given.Length == 0)
            {
                given = ["gateway.yaml"];
            }

            return Run(given, result.GetValue(profiles), result.GetValue(upgrade));
        });
        return command;
    }

    private static int Run(string[] given, string? profileDirectory, bool isUpgrade)
    {
        var usable = true;
        foreach (var path in given.SelectMany(Expand))
        {
            usable &= IsProfile(path) ? CheckProfile(path, profileDirectory)
                : IsWiring(path) ? WiringCommand.Load(path) is not null
                : IsFactorSet(path) ? FactorsCommand.IsUsable(path)
                : IsScenarios(path) ? CheckScenarios(path)
                : CheckGateway(path, profileDirectory, isUpgrade);
        }

        return usable ? Terminal.Success : Terminal.BadInput;
    }

    private static IEnumerable<string> Expand(string path) => Directory.Exists(path)
        ? Directory.EnumerateFiles(path, "*.yaml", SearchOption.AllDirectories)
            .Where(f => (IsProfile(f) && !Path.GetRelativePath(path, f).StartsWith("templates", StringComparison.Ordinal)) || HasSchema(f, "edgegateway/gateway/") || IsWiring(f) || IsFactorSet(f) || IsScenarios(f))
            .Order(StringComparer.Ordinal)
        : [path];

    // A profile says so in its first key; a file that cannot be read is left to the gateway's reader, which says why.
    private static bool IsProfile(string path) => HasSchema(path, "edgegateway/device-profile/");

    private static bool IsFactorSet(string path) => HasSchema(path, "edgegateway/factors/");

    private static bool IsWiring(string path) => HasSchema(path, "edgegateway/wiring/");

    private static bool IsScenarios(string path) => HasSchema(path, "edgegateway/scenarios/");

    private static bool HasSchema(string path, string schema) =>
        File.Exists(path) && File.ReadLines(path).Take(50).Any(line => line.StartsWith($"schema: {schema}", StringComparison.Ordinal));

    /// <summary>Checks one profile and prints what is wrong.</summary>
    /// <param name="path">The file.</param>
    /// <param name="profileDirectory">Where the profiles stand that it extends; null for the usual places.</param>
    /// <returns>Whether it is usable.</returns>
    internal static bool CheckProfile(string path, string? profileDirectory)
    {
        var (profile, problems) = ProfileCommand.Load(path, profileDirectory);
        Terminal.Print(problems, Console.Error);
        if (profile is null)
        {
            var blanks = problems.Count(p => p.What.StartsWith("fill in: ", StringComparison.Ordinal));
            Console.WriteLine($"{path}: not usable{(blanks > 0 ? $", {blanks} {(blanks == 1 ? "place" : "places")} to fill in" : "")}");
            return false;
        }

        Console.WriteLine($"{path}: profile {profile.Id} revision {profile.Revision}, {profile.Points.Count} points: usable");
        return true;
    }

    private static bool CheckScenarios(string path)
    {
        if (StatementRequest.ReadScenarios(path) is not { } scenarios)
        {
            Console.WriteLine($"{path}: not usable");
            return false;
        }

        // The rates are tried from the base that is declared; without one from any, because each year is a share of the one before.
        try
        {
            var (year, tonnes) = scenarios.Base ?? (DateTime.UnixEpoch.Year, 1);
            _ = CarbonPeak.Follow(tonnes, year, scenarios.Scenarios);
        }
        catch (EmissionRefusedException e)
        {
            Console.Error.WriteLine($"{path}: error: {e.Message}");
            Console.WriteLine($"{path}: not usable");
            return false;
        }

        Console.WriteLine($"{path}: {scenarios.Scenarios.Count} scenarios, {(scenarios.Base is { } given ? $"from {given.Year}" : "from the year of the statement")}: usable");
        return true;
    }

    // A configuration may be checked on another machine than its own: a sensor that is not here is worth a warning. One that is here and has no such channel is an error.
    private static bool SensorsAreRight(string path, SiteModel model)
    {
        var inputs = model.Buses.OfType<SensorsBus>().SelectMany(bus => bus.Inputs.OfType<SensorInput>().Select(input => (bus, input))).ToArray();
        if (inputs.Length == 0 || !OperatingSystem.IsLinux())
        {
            return true;
        }

        var inventory = SensorInventory.Read();
        var isRight = true;
        foreach (var (bus, input) in inputs)
        {
            if (SensorsHere.Refuse(inventory, input) is { } refused)
            {
                isRight &= !refused.IsError;
                Console.Error.WriteLine($"{path}: {(refused.IsError ? "error" : "warning")}: bus {bus.Id}, unit {input.Unit} input {input.Number}: {refused.What}");
            }
        }

        if (!isRight)
        {
            Console.WriteLine($"{path}: not usable");
        }

        return isRight;
    }

    /// <summary>What the detector for any gauge watches here and what it costs; null when it has nothing to do.</summary>
    internal static string? Novelty(SiteModel model)
    {
        var watched = model.Points.SelectMany(p => p.Detectors).Where(d => d.Name == "novelty").ToArray();
        var lean = watched.Count(d => d.Settings.ContainsKey("lean"));
        var bytes = ((watched.Length - lean) * (long)NoveltyRule.FullBytes) + (lean * (long)NoveltyRule.LeanBytes);
        var cost = $"novelty: {watched.Length} points are watched{(lean > 0 ? " in the lean setting" : "")}, {bytes / 1e6:F1} MB of memory";
        return model.NoveltyLeftOut > 0
            ? $"{cost}. {model.NoveltyLeftOut} more would be, which is too many to begin by itself: write 'novelty: {{ memory: lean }}' ({(watched.Length + model.NoveltyLeftOut) * (long)NoveltyRule.LeanBytes / 1e6:F1} MB), or 'novelty: on' at the points that matter"
            : watched.Length > 0 ? cost : null;
    }

    private static bool CanTakeOver(SiteModel model)
    {
        try
        {
            var check = UpgradeCheck.Of(model);
            foreach (var line in check.Lines)
            {
                Console.WriteLine($"  {line}");
            }

            Console.WriteLine($"  version {ProgramVersion.Text} {(check.CanTakeOver ? "can" : "cannot")} take over the store in {model.Storage.Directory}");
            return check.CanTakeOver;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.WriteLine($"  the store cannot be looked at: {e.Message}");
            return false;
        }
    }

    private static bool CheckGateway(string path, string? profileDirectory, bool isUpgrade)
    {
        var site = SiteFiles.Find(path, profileDirectory).Load(path, out var problems);
        Terminal.Print(problems, Console.Error);
        if (site is null)
        {
            var errors = problems.Count(p => p.Severity == ProblemSeverity.Error);
            Console.WriteLine($"{path}: not usable, {errors} {(errors == 1 ? "error" : "errors")}");
            return false;
        }

        var model = site.Model;
        if (!SensorsAreRight(path, model))
        {
            return false;
        }

        Console.WriteLine($"{path}: site {model.SiteId}, gateway {model.GatewayId}: {model.Devices.Count} devices, {model.Points.Count} points: usable");
        if (Novelty(model) is { } novelty)
        {
            Console.WriteLine($"  {novelty}");
        }

        if (isUpgrade && !CanTakeOver(model))
        {
            return false;
        }

        var ports = new SerialInventory();
        foreach (var bus in model.Buses)
        {
            var devices = model.Devices.Where(d => d.BusId == bus.Id).ToArray();
            foreach (var advice in bus is SerialBus serial ? SerialAdvice.Of(serial, ports) : [])
            {
                Console.Error.WriteLine($"{path}: warning: bus {bus.Id}: {advice}");
            }

            if (bus is LocalBus local)
            {
                Console.WriteLine($"  bus {bus.Id} ({BusKinds.Describe(bus)}): {devices.Length} devices on {local.Inputs.Count} inputs, no bus time");
                foreach (var line in LineAdvice.For(local, model.Storage.CommitWindow))
                {
                    Console.WriteLine($"    {line}");
                }

                foreach (var missing in LineAdvice.Missing(local))
                {
                    Console.Error.WriteLine($"{path}: warning: bus {bus.Id}: {missing}");
                }

                foreach (var (input, why) in local is BoxBus box ? BoxHealth.NotShown(box) : [])
                {
                    Console.WriteLine($"    not shown by this computer: {input.Title}: {why}");
                }

                continue;
            }

            if (bus is ILoggerBus loggers)
            {
                Console.WriteLine($"  bus {bus.Id} ({BusKinds.Describe(bus)}): {devices.Length} devices of {loggers.Loggers.Count} loggers, which send by themselves");
                continue;
            }

            var load = BusLoad.Predict(bus, devices, model.Points);
            Console.WriteLine(
                $"  bus {bus.Id} ({BusKinds.Describe(bus)}): {devices.Length} devices, {load.RequestsPerSecond:F2} requests per second, busy {load.Utilisation:P0} of the time with one request after the other, "
                + $"all points once in {load.RoundTime.TotalSeconds:G3} s (no common period can be shorter); assuming that {load.Assumption}");
        }

        return true;
    }
}
