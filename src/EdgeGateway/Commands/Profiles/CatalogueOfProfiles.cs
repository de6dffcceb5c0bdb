using System.CommandLine;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Hosting;

namespace EdgeGateway.Commands.Profiles;

/// <summary><c>edgegateway profile catalogue</c>: writes the pages of the catalogue.</summary>
internal static class CatalogueOfProfiles
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of the pages, such as docs/catalogue. Pages of profiles that are gone are removed from it; other files are left alone." };
        var profiles = CommonOptions.Profiles();
        var command = new Command("catalogue", "Write a page for each profile (wiring, points, units, sources, entry for gateway.yaml) and an index by kind. Exit code: 0 written, 2 a profile is not usable.") { folder, profiles };
        command.SetAction(result => Write(result.GetValue(folder)!, result.GetValue(profiles)));
        return command;
    }

    private static int Write(string folder, string? directory)
    {
        // A catalogue in which a device is missing would say that it is not supported.
        var library = CommonOptions.Library("gateway.yaml", directory);
        var found = SiteFiles.Find("gateway.yaml", directory).ProfilePaths.Count;
        if (found == 0 || library.Count < found)
        {
            return Terminal.Fail(found == 0 ? "There are no profiles here: name their directory with --profiles DIR." : "Nothing was written. Mend these profiles first.", Terminal.BadInput);
        }

        try
        {
            var pages = ProfileCatalogue.Pages(library);
            Directory.CreateDirectory(folder);
            foreach (var (name, text) in pages)
            {
                File.WriteAllText(Path.Combine(folder, name), text);
            }

            var gone = Directory.EnumerateFiles(folder, "*.md").Where(f => !pages.ContainsKey(Path.GetFileName(f)) && File.ReadLines(f).FirstOrDefault() == ProfileCatalogue.Mark).ToList();
            gone.ForEach(File.Delete);
            Console.WriteLine($"{folder}: {pages.Count - 1} pages and {ProfileCatalogue.Index}{(gone.Count > 0 ? $", {gone.Count} of profiles that are gone removed" : "")}");
            return Terminal.Success;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail($"The catalogue cannot be written: {e.Message}");
        }
    }
}
