using System.CommandLine;
using EdgeGateway.Backup;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway restore</c>: puts a backup back.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A file of 'edgegateway backup'." };
        var configuration = CommonOptions.Configuration();
        configuration.Description = "Where gateway.yaml goes; profiles and passwords go beside it, the store where it says.";
        var replace = new Option<bool>("--replace") { Description = "Replace a store and files that are there; they are set aside, not deleted." };
        var dry = new Option<bool>("--dry-run") { Description = "Check the backup and say what would be written; write nothing." };
        var command = new Command(
            "restore",
            """
            Put a backup back, on this computer or another; the gateway must not run. The whole backup is checked first (SHA-256 of every file,
            versions, the configuration). Every stream begins a new epoch, so that the centre takes nothing that follows for something it has, and
            the feed says so. A store of a newer program is refused, and so is an existing one without --replace.
            Exit code: 0 done, 1 not done, 2 the backup cannot be used.
            """) { file, configuration, replace, dry };
        command.SetAction(result => Run(result.GetValue(file)!, result.GetValue(configuration)!, result.GetValue(replace), result.GetValue(dry)));
        return command;
    }

    private static int Run(string path, string configuration, bool replace, bool dry)
    {
        var restorer = new Restorer(path, configuration, TimeProvider.System);
        try
        {
            var plan = restorer.Plan();
            Console.WriteLine($"{path}: gateway {plan.Manifest.Gateway} of site {plan.Manifest.Site}, made {plan.Manifest.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z by version {plan.Manifest.Program}, {(plan.Manifest.HasKeys ? "with" : "without")} keys; every file is what was written.");
            foreach (var step in plan.Steps)
            {
                Console.WriteLine($"  {(dry ? "would write" : "writes")} {step.To}{(step.Replaces ? ", which is there" : "")}");
            }

            foreach (var left in plan.Manifest.NotIncluded)
            {
                Console.WriteLine($"  not in the backup: {left}");
            }

            if (plan.Replaced.Count > 0 && !replace)
            {
                return Terminal.Fail($"Not restored: {string.Join(", ", plan.Replaced)} {(plan.Replaced.Count == 1 ? "is" : "are")} there already. With --replace {(plan.Replaced.Count == 1 ? "it is" : "they are")} set aside first.");
            }

            if (dry)
            {
                Console.WriteLine("Nothing was written.");
                return Terminal.Success;
            }

            var (epoch, aside) = restorer.Run(plan);
            Console.WriteLine($"Restored. Numbering begins anew in epoch {epoch}; the feed says so at the start{(aside is null ? "" : $". The store that was there lies in {aside}: delete it when it is not needed any more")}.");
            Console.WriteLine($"If the gateway that was backed up still runs elsewhere, stop it first: two of one name are one too many. Then: edgegateway check {configuration}");
            return Terminal.Success;
        }
        catch (InvalidDataException e)
        {
            return Terminal.Fail($"Not restored: {e.Message}.", Terminal.BadInput);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail($"Not restored: {e.Message}");
        }
    }
}
