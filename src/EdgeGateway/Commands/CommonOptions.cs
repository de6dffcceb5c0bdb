using System.CommandLine;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Hosting;

namespace EdgeGateway.Commands;

/// <summary>Options that several commands share, with the same names and words everywhere.</summary>
internal static class CommonOptions
{
    public static Option<string> Configuration() => new("--config", "-c")
    {
        Description = "The site's configuration.",
        HelpName = "FILE",
        DefaultValueFactory = _ => "gateway.yaml",
    };

    public static Option<string?> Profiles() => new("--profiles", "-p")
    {
        Description = "Directory of device profiles. Without it: device-profiles beside the configuration, then those shipped with the program.",
        HelpName = "DIR",
    };

    public static Option<bool> Json() => new("--json")
    {
        Description = "Print JSON for programs instead of a table for people.",
    };

    /// <summary>Reads and checks the site, prints what is wrong.</summary>
    /// <param name="configuration">Path of <c>gateway.yaml</c>.</param>
    /// <param name="profiles">Directory of profiles, or null for the usual places.</param>
    /// <param name="starting">True for commands that start something: then it is said that nothing was.</param>
    /// <returns>The site, or null when it cannot be used.</returns>
    public static LoadedSite? Load(string configuration, string? profiles, bool starting = false)
    {
        var site = Read(configuration, profiles, out var problems);
        Terminal.Print(problems, Console.Error);
        if (site is null)
        {
            var errors = problems.Count(p => p.Severity == Core.ProblemSeverity.Error);
            Console.Error.WriteLine($"{errors} {(errors == 1 ? "error" : "errors")}.{(starting ? " Nothing was started." : "")}");
        }

        return site;
    }

    /// <summary>Every profile there is. One with errors, or that cannot be read, is named on standard error and left out: it is no reason not to look for devices.</summary>
    /// <param name="configuration">Path of <c>gateway.yaml</c>, which need not exist.</param>
    /// <param name="profiles">Directory of profiles, or null for the usual places.</param>
    public static IReadOnlyList<DeviceProfile> Library(string configuration, string? profiles)
    {
        List<DeviceProfile> library = [];
        var files = SiteFiles.Find(configuration, profiles);
        foreach (var (id, path) in files.ProfilePaths.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            try
            {
                if (ProfileLoader.Load(new SourceText(path, File.ReadAllText(path)), files.Text).Profile is { } profile)
                {
                    library.Add(profile);
                }
                else
                {
                    Console.Error.WriteLine($"The profile {id} has errors and is left out: edgegateway check {path}");
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The fault may be of the profile that it extends; the message names the file.
                Console.Error.WriteLine($"The profile {id} cannot be read and is left out: {e.Message}");
            }
        }

        return library;
    }

    /// <summary>Reads and checks the site, and prints nothing.</summary>
    /// <param name="configuration">Path of <c>gateway.yaml</c>.</param>
    /// <param name="profiles">Directory of profiles, or null for the usual places.</param>
    /// <param name="problems">Everything that is wrong; may hold warnings when a site is returned.</param>
    /// <returns>The site, or null when it cannot be used.</returns>
    public static LoadedSite? Read(string configuration, string? profiles, out IReadOnlyList<Core.Problem> problems)
    {
        if (profiles is not null && !Directory.Exists(profiles))
        {
            problems = [new Core.Problem(profiles, 0, 0, "There is no such directory", "Name the directory of the device profiles with --profiles DIR")];
            return null;
        }

        return SiteFiles.Find(configuration, profiles).Load(configuration, out problems);
    }
}
