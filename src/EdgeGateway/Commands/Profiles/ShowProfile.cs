using System.CommandLine;
using System.Globalization;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Hosting;
using Spectre.Console;

namespace EdgeGateway.Commands.Profiles;

/// <summary><c>edgegateway profile show</c>: a profile as a technician reads it; without a name, all profiles.</summary>
internal static class ShowProfile
{
    public static Command Create()
    {
        var profile = new Argument<string?>("profile") { Description = "A profile, by file or id. Without it: all profiles.", Arity = ArgumentArity.ZeroOrOne }.WithIds();
        var chinese = new Option<bool>("--zh") { Description = "Titles and wiring in Chinese." };
        var profiles = CommonOptions.Profiles();
        var command = new Command("show", "Print a profile with its points, or list all profiles.") { profile, chinese, profiles };
        command.SetAction(result => result.GetValue(profile) is { } name
            ? One(name, result.GetValue(profiles), result.GetValue(chinese))
            : All(result.GetValue(profiles), result.GetValue(chinese)));
        return command;
    }

    private static int All(string? directory, bool chinese)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("profile", "kind", "device", "points");
        foreach (var (id, path) in SiteFiles.Find("gateway.yaml", directory).ProfilePaths.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            if (ProfileCommand.Load(path, directory).Profile is { } profile)
            {
                table.AddRow(Markup.Escape(id), profile.Kind, Markup.Escape(TitleOf(profile, chinese)), profile.Points.Count.ToString(CultureInfo.InvariantCulture));
            }
            else
            {
                table.AddRow(Markup.Escape(id), "", "[red]not usable: edgegateway profile check[/]", "");
            }
        }

        AnsiConsole.Write(table);
        return Terminal.Success;
    }

    private static int One(string name, string? directory, bool chinese)
    {
        if (ProfileCommand.Find(name, directory) is not { } path)
        {
            return ProfileCommand.Missing(name, directory);
        }

        var (profile, problems) = ProfileCommand.Load(path, directory);
        if (profile is null)
        {
            Terminal.Print(problems, Console.Error);
            return Terminal.BadInput;
        }

        AnsiConsole.MarkupLineInterpolated($"[bold]{TitleOf(profile, chinese)}[/] ({profile.Id} revision {profile.Revision}, grade {profile.Grade})");
        AnsiConsole.MarkupLineInterpolated($"{profile.Vendor}: {string.Join(", ", profile.Models)}{(profile.Extends is { } from ? $"; a variant of {from}" : "")}");
        AnsiConsole.MarkupLineInterpolated($"{ProfileWords.Transport(profile)}");
        if (((chinese ? profile.WiringChinese : null) ?? profile.WiringEnglish) is { } wiring)
        {
            AnsiConsole.MarkupLineInterpolated($"Wiring: {wiring}");
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("point", "meaning", "address", "type", "unit", "read every", "source");
        foreach (var point in profile.Points)
        {
            table.AddRow(
                Markup.Escape(point.Id),
                Markup.Escape($"{(chinese ? point.TitleChinese : point.TitleEnglish)}{(point.Alarms.Count > 0 ? $" ({string.Join(", ", point.Alarms.Select(a => a.Name))})" : "")}"),
                Markup.Escape(ProfileWords.Address(point)),
                Markup.Escape(ProfileWords.Type(point.Encoding)),
                Markup.Escape(point.Unit),
                ProfileWords.Period(point),
                Markup.Escape(string.Join(", ", point.Sources.Distinct())));
        }

        AnsiConsole.Write(table);
        foreach (var (id, source) in profile.Sources)
        {
            AnsiConsole.MarkupLineInterpolated($"{id}: {ProfileWords.Source(source)}");
        }

        foreach (var quirk in profile.Quirks.Concat(profile.Disagreements.Select(d => d.Because)).Distinct())
        {
            AnsiConsole.MarkupLineInterpolated($"- {quirk}");
        }

        return Terminal.Success;
    }

    private static string TitleOf(DeviceProfile profile, bool chinese) => (chinese ? profile.TitleChinese : null) ?? profile.TitleEnglish;
}
