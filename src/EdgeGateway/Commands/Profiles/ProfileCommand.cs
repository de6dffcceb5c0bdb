using System.CommandLine;
using System.CommandLine.Completions;
using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Hosting;

namespace EdgeGateway.Commands.Profiles;

/// <summary><c>edgegateway profile</c>: checks, makes, tests, shows and converts device profiles, and writes their catalogue.</summary>
internal static class ProfileCommand
{
    public static Command Create() => new("profile", "Check, make, test, show and convert device profiles, and write their catalogue.")
    {
        Check(),
        NewProfile.Create(),
        TestProfile.Create(),
        ShowProfile.Create(),
        ConvertProfile.Create(),
        CatalogueOfProfiles.Create(),
        Schema(),
    };

    /// <summary>The kinds of devices.</summary>
    public static IReadOnlyList<string> Kinds => WordsOf(ProfileShape.Root["kind"]);

    /// <summary>The types of points.</summary>
    public static IReadOnlyList<string> PointTypes => WordsOf(ProfileShape.Point["type"]);

    /// <summary>The identifier of a profile that is made.</summary>
    public static Option<string?> Id() => new("--id") { Description = "Identifier, such as maker-m100; the file is <kind>/<id>.yaml.", HelpName = "ID" };

    /// <summary>The kind of device of a profile that is made.</summary>
    public static Option<string?> Kind() => new("--kind") { Description = $"Kind of device: {string.Join(", ", Kinds)}.", HelpName = "KIND" };

    /// <summary>Where a profile that is made is written.</summary>
    public static Option<string> Folder() => new("--out", "-o") { Description = "Directory of the profiles.", HelpName = "DIR", DefaultValueFactory = _ => "device-profiles" };

    /// <summary>The path of a profile named by file or by id.</summary>
    /// <returns>The path, or null when there is no such profile.</returns>
    public static string? Find(string fileOrId, string? directory)
    {
        if (File.Exists(fileOrId))
        {
            return fileOrId;
        }

        return SiteFiles.Find("gateway.yaml", directory).ProfilePaths.GetValueOrDefault(fileOrId);
    }

    /// <summary>Loads a profile and what it extends.</summary>
    public static (DeviceProfile? Profile, IReadOnlyList<Problem> Problems) Load(string path, string? directory) =>
        ProfileLoader.Load(new SourceText(path, File.ReadAllText(path)), Near(path, directory).Text);

    /// <summary>The profiles that a file may extend: those beside it, then those shipped with the program.</summary>
    public static SiteFiles Near(string path, string? directory)
    {
        if (directory is not null)
        {
            return new([directory]);
        }

        const string name = "device-profiles";
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var library = folder;
        while (library is not null && Path.GetFileName(library) != name)
        {
            library = Path.GetDirectoryName(library);
        }

        return new([library ?? Path.Combine(folder, name), Path.Combine(AppContext.BaseDirectory, name)], before: folder);
    }

    /// <summary>Lets the shell complete the ids of profiles.</summary>
    public static Argument<T> WithIds<T>(this Argument<T> argument)
    {
        argument.CompletionSources.Add(_ => SiteFiles.Find("gateway.yaml", null).ProfilePaths.Keys.Order(StringComparer.Ordinal).Select(id => new CompletionItem(id)));
        return argument;
    }

    /// <summary>Says that there is no such profile, and which are near.</summary>
    public static int Missing(string fileOrId, string? directory)
    {
        var known = SiteFiles.Find("gateway.yaml", directory).ProfilePaths.Keys;
        var near = known.Where(k => k.Contains(fileOrId, StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).Take(5).ToList();
        return Terminal.Fail($"There is no file and no profile '{fileOrId}'.{(near.Count > 0 ? $" Profiles of that name: {string.Join(", ", near)}." : " 'edgegateway profile show' lists them.")}", Terminal.BadInput);
    }

    private static IReadOnlyList<string> WordsOf(Key key) => ((ScalarShape)key.Shape).Words!;

    private static Command Check()
    {
        var files = new Argument<string[]>("file") { Description = "Profiles, by file or id.", Arity = ArgumentArity.OneOrMore }.WithIds();
        var profiles = CommonOptions.Profiles();
        var command = new Command("check", "Check device profiles; the same as 'edgegateway check FILE'. Exit code: 0 usable, 2 not usable.") { files, profiles };
        command.SetAction(result =>
        {
            var usable = true;
            foreach (var file in result.GetValue(files)!)
            {
                usable &= Find(file, result.GetValue(profiles)) is { } path ? CheckCommand.CheckProfile(path, result.GetValue(profiles)) : Missing(file, result.GetValue(profiles)) == 0;
            }

            return usable ? Terminal.Success : Terminal.BadInput;
        });
        return command;
    }

    private static Command Schema()
    {
        var command = new Command("schema", "Print the JSON Schema of device profiles, by which editors complete and check them.");
        command.SetAction(_ =>
        {
            Console.Write(ConfigurationSchema.DeviceProfile());
            return Terminal.Success;
        });
        return command;
    }
}
