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
        AnsiConsole.MarkupLineInterpolated($"{Transport(profile)}");
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
                Markup.Escape(Address(point)),
                Markup.Escape(Type(point.Encoding)),
                Markup.Escape(point.Unit),
                point.WriteOnly ? "only written" : point.Period > TimeSpan.Zero ? $"{point.Period.TotalSeconds:0.###} s" : "once",
                Markup.Escape(string.Join(", ", point.Sources.Distinct())));
        }

        AnsiConsole.Write(table);
        foreach (var (id, source) in profile.Sources)
        {
            AnsiConsole.MarkupLineInterpolated($"{id}: {source.Reference}{Also("edition", source.Edition)}{Also("page", source.Page)}{Also("commit", source.Commit)}");
        }

        foreach (var quirk in profile.Quirks.Concat(profile.Disagreements.Select(d => d.Because)).Distinct())
        {
            AnsiConsole.MarkupLineInterpolated($"- {quirk}");
        }

        return Terminal.Success;
    }

    private static string TitleOf(DeviceProfile profile, bool chinese) => (chinese ? profile.TitleChinese : null) ?? profile.TitleEnglish;

    private static string Transport(DeviceProfile profile) =>
        $"Modbus, at most {profile.MaxRegistersPerRead} registers in a request{(profile.MayReadGaps ? "" : ", no gaps")}"
        + (profile.MinGap > TimeSpan.Zero ? $", {profile.MinGap.TotalMilliseconds:0} ms of quiet between requests" : "")
        + (profile.OneClientOnly ? ", one connection only: while the gateway runs, no other program can read it" : "")
        + (profile.SunSpec is { } model ? $"; SunSpec model {model.Number}, found by itself, addresses count from its first register" : "");

    private static string Address(ProfilePoint point)
    {
        var table = point.Encoding.Table switch { RegisterTable.HoldingRegister => "holding", RegisterTable.InputRegister => "input", RegisterTable.Coil => "coil", _ => "discrete" };
        return $"{table} {point.Encoding.Address} (0x{point.Encoding.Address:X4}){(point.Printed is { } printed ? $", printed {printed}" : "")}";
    }

    private static string Type(RegisterEncoding encoding) =>
        encoding.Type.ToString().ToLowerInvariant()
        + (encoding.Type == RegisterType.Bit || encoding.BitCount > 0 ? $" {encoding.Bit}{(encoding.BitCount > 1 ? $"..{encoding.Bit + encoding.BitCount - 1}" : "")}" : "")
        + (encoding.Length > 1 && encoding.WordOrder == WordOrder.LowFirst ? " low-first" : "")
        + (encoding.Scale != 1 ? $" x {encoding.Scale.ToString("0.############", CultureInfo.InvariantCulture)}" : "")
        + (encoding.ScaleAt is { } at ? $" x 10^[{at}]" : "");

    private static string Also(string word, string? value) => value is null ? "" : $", {word} {value}";
}
