using System.Globalization;
using System.Text;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Profiles;

/// <summary>The catalogue of devices: a page in Markdown for each profile, and an index by kind. The same profiles give the same pages, byte for byte.</summary>
public static class ProfileCatalogue
{
    /// <summary>First line of every page, by which a page that no profile makes any more is known.</summary>
    public const string Mark = "<!-- Made by 'edgegateway profile catalogue'. Edit the profile and make it anew. -->";

    /// <summary>File name of the index.</summary>
    public const string Index = "README.md";

    private const int MostInRow = 3;

    private static readonly (string Kind, string Title)[] Kinds =
    [
        ("energy-meter", "Energy meters"), ("inverter", "Inverters"), ("drive", "Drives"), ("belt-scale", "Belt scales"), ("conveyor-sensor", "Conveyor sensors"), ("gas-analyser", "Gas analysers (CEMS)"),
        ("gas-detector", "Gas detectors and mine gas"), ("gas-meter", "Gas meters"), ("flow-meter", "Flow meters"), ("environment", "Environment"), ("weather", "Weather"), ("vibration", "Vibration"),
        ("transformer-monitor", "Transformer monitors"), ("protection", "Protection"), ("remote-io", "Remote inputs and outputs"), ("computer", "Computers"), ("generic", "Generic"),
    ];

    /// <summary>All pages by file name: one for each profile, and the index.</summary>
    public static IReadOnlyDictionary<string, string> Pages(IReadOnlyList<DeviceProfile> profiles)
    {
        var pages = new SortedDictionary<string, string>(StringComparer.Ordinal) { [Index] = IndexPage(profiles) };
        foreach (var profile in profiles)
        {
            pages[$"{profile.Id}.md"] = Page(profile, [.. profiles.Where(p => p.Extends == profile.Id).Select(p => p.Id).Order(StringComparer.Ordinal)]);
        }

        return pages;
    }

    private static string IndexPage(IReadOnlyList<DeviceProfile> profiles)
    {
        var text = new StringBuilder();
        Line(text, $"{Mark}\n# Catalogue of devices\n");
        Line(text, $"{profiles.Count} profiles. Each page tells how to connect the device, what it measures, and where every register is stated. Grade A: every point has two sources.");
        Line(text, "`edgegateway profile show ID` prints the same in a terminal. A device that is not here: `edgegateway profile new`, or a form of `device-profiles/templates`.");
        foreach (var group in profiles.GroupBy(p => p.Kind).OrderBy(g => Place(g.Key)).ThenBy(g => g.Key, StringComparer.Ordinal))
        {
            Line(text, $"\n## {Kinds.FirstOrDefault(k => k.Kind == group.Key).Title ?? group.Key}\n\n| Profile | Device | 设备 | Models | Points | Grade |\n| --- | --- | --- | --- | --- | --- |");
            foreach (var profile in group.OrderBy(p => p.Id, StringComparer.Ordinal))
            {
                Line(text, $"| [{profile.Id}]({profile.Id}.md) | {Cell(profile.TitleEnglish)} | {Cell(profile.TitleChinese ?? "")} | {Cell(string.Join(", ", profile.Models))} | {profile.Points.Count} | {profile.Grade} |");
            }
        }

        return text.ToString();

        static int Place(string kind) => Array.FindIndex(Kinds, k => k.Kind == kind) is >= 0 and var place ? place : Kinds.Length;
    }

    private static string Page(DeviceProfile profile, IReadOnlyList<string> variants)
    {
        var text = new StringBuilder();
        Line(text, $"{Mark}\n# {Plain(profile.TitleEnglish)}\n");
        if (profile.TitleChinese is { } chinese)
        {
            Line(text, $"{Plain(chinese)}\n");
        }

        Line(text, "| | |\n| --- | --- |");
        Row(text, "Profile", $"`device-profiles/{profile.Kind}/{profile.Id}.yaml`, revision {profile.Revision}, grade {profile.Grade}");
        Row(text, "Maker", Cell(profile.Vendor));
        Row(text, "Models", Cell(string.Join(", ", profile.Models)));
        Row(text, "Inherits from", profile.Extends is { } from ? Link(from) : "");
        Row(text, "Variants", string.Join(", ", variants.Select(Link)));
        Row(text, "Wiring", Cell(profile.WiringEnglish ?? ""));
        Row(text, "接线", Cell(profile.WiringChinese ?? ""));
        Row(text, "Protocol", Cell(ProfileWords.Transport(profile)));
        Row(text, "Word order", WordOrders(profile));
        Row(text, "Recognised by", string.Join("; ", profile.Identify.Select(Probe)));

        Line(text, $"\n```yaml\n{Entry(profile)}\n```\n\n## Points\n\n| Point | Meaning | Register | Type | Unit | Every | Judged | Source |\n| --- | --- | --- | --- | --- | --- | --- | --- |");
        var rows = Rows(profile.Points);
        foreach (var row in rows)
        {
            var point = row[0];
            Line(text, $"| {Ids(row)} | {Cell(Meaning(row))} | {Registers(row)} | {Cell(ProfileWords.Type(point.Encoding))} | {(point.Unit == "1" ? "" : $"`{point.Unit}`")} | {ProfileWords.Period(point)} | {Cell(Judged(point))} | {SourcesOf(point)} |");
        }

        Section(text, "States", rows.Where(r => !IsBit(r[0]) && States(r[0]).Length > 0).Select(r => $"{Ids(r)}: {Plain(States(r[0]))}"));
        Section(text, "Sources", profile.Sources.Select(s => $"**{s.Key}**: {Plain(ProfileWords.Source(s.Value))} ({(s.Value.Checked ? "checked" : "not checked")} in the original{(s.Value.Note is { } note ? $"; {Plain(note)}" : "")})"));
        Section(text, "Where sources disagree", profile.Disagreements.GroupBy(d => d.Because).Select(g => $"{string.Join(", ", g.Select(d => $"{ProfileWords.Table(d.Table)} {d.Address}"))}: {Plain(g.Key)}"));
        Section(text, "To know", profile.Quirks.Select(Plain));
        return text.ToString();
    }

    /// <summary>What the device needs under <c>devices:</c> of <c>gateway.yaml</c>.</summary>
    private static string Entry(DeviceProfile profile)
    {
        var role = profile.Points.Any(p => p.Carbon is not null) ? ", metering: { role: incomer }" : "";
        var ratios = (profile.Points.Any(p => p.AppliesCt) ? ", ct: 200/5" : "") + (profile.Points.Any(p => p.AppliesPt) ? ", pt: 10000/100" : "")
            + (profile.Points.Any(p => p.AppliesPulses) ? ", pulsesPerUnit: 1000" : "");
        return $"devices:\n  - {{ id: device-1, profile: {profile.Id}, bus: bus-1, unit: 1{ratios}{role} }}";
    }

    private static string WordOrders(DeviceProfile profile) =>
        profile.Points.Where(p => ProfileWords.HasWordOrder(p.Encoding)).Select(p => p.Encoding.WordOrder).Distinct().ToList() switch
        {
            [] => "",
            [var order] => order == WordOrder.HighFirst ? "the high word stands in the lower address" : "the low word stands in the lower address",
            _ => "differs from point to point",
        };

    private static string Probe(IdentifyProbe probe)
    {
        var where = probe.Point is { } point ? $"`{point}`" : $"{ProfileWords.Table(probe.Encoding.Table)} {probe.Encoding.Address} ({ProfileWords.Type(probe.Encoding)})";
        return probe.AnyOf.Count > 0
            ? $"{where} = {string.Join(" or ", probe.AnyOf.OrderBy(a => a.Key).Select(a => $"{a.Key} ({Cell(a.Value)})"))}"
            : $"{where} {Range(probe.Min, probe.Max)}";
    }

    /// <summary>Points that differ in nothing but phase or channel, and their register, share a row.</summary>
    private static List<List<ProfilePoint>> Rows(IReadOnlyList<ProfilePoint> points)
    {
        var rows = new List<List<ProfilePoint>>();
        foreach (var point in points)
        {
            if (rows.Count > 0 && Stem(rows[^1][0]) is { } stem && Stem(point) == stem && Common(rows[^1][0]) == Common(point) && IsNext(rows[^1], point))
            {
                rows[^1].Add(point);
            }
            else
            {
                rows.Add([point]);
            }
        }

        return rows;
    }

    // voltage_l1_n of electricity.voltage.l1_n is 'voltage'; digital_input_3 of signal.digital.ch3 is 'digital_input'.
    private static string? Stem(ProfilePoint point)
    {
        if (Roles.Find(point.Role) is not { } role || point.Role.Length <= role.Name.Length)
        {
            return null;
        }

        var part = point.Role[(role.Name.Length + 1)..];
        var end = part.StartsWith("ch", StringComparison.Ordinal) && point.Id.EndsWith($"_{part[2..]}", StringComparison.Ordinal) ? part[2..] : part;
        return point.Id.EndsWith($"_{end}", StringComparison.Ordinal) ? point.Id[..^(end.Length + 1)] : null;
    }

    private static string Common(ProfilePoint point) => string.Join(
        '\n',
        Roles.Find(point.Role)!.Name, ProfileWords.Table(point.Encoding.Table), ProfileWords.Type(point.Encoding with { Bit = 0 }), point.Unit, ProfileWords.Period(point), Judged(point), States(point), SourcesOf(point), point.Note,
        HasOwnTitle(point) ? point.TitleEnglish : "");

    // Addresses of a row stand equally far apart; bits of one register stand in rows of their own.
    private static bool IsNext(List<ProfilePoint> row, ProfilePoint point)
    {
        var step = point.Encoding.Address - row[^1].Encoding.Address;
        return step > 0 && (row.Count == 1 || step == row[^1].Encoding.Address - row[^2].Encoding.Address) && row[0].Encoding.Bit == point.Encoding.Bit;
    }

    private static bool HasOwnTitle(ProfilePoint point) => Roles.Find(point.Role) is not { } role || RoleParts.TitleEnglish(role, point.Role) != point.TitleEnglish;

    private static string Ids(List<ProfilePoint> row) =>
        row.Count <= MostInRow ? string.Join(", ", row.Select(p => $"`{p.Id}`")) : $"`{row[0].Id}` … `{row[^1].Id}`";

    private static string Meaning(List<ProfilePoint> row)
    {
        var title = row.Count == 1 || HasOwnTitle(row[0]) ? row[0].TitleEnglish : Roles.Find(row[0].Role)!.English;
        return row[0].Note is { } note ? $"{title}. {note}" : title;
    }

    private static string Registers(List<ProfilePoint> row)
    {
        if (row.Count == 1)
        {
            return Cell(ProfileWords.Address(row[0]));
        }

        var addresses = row.Select(p => p.Encoding.Address).ToList();
        var where = row.Count <= MostInRow ? string.Join(", ", addresses) : $"{addresses[0]} … {addresses[^1]}{Step(addresses[1] - addresses[0])}";
        return $"{ProfileWords.Table(row[0].Encoding.Table)} {where} (0x{addresses[0]:X4} …){(row[0].Printed is { } printed ? $", printed {Cell(printed)} …" : "")}";

        static string Step(int step) => step == 1 ? "" : $", every {step}";
    }

    /// <summary>What tells a good value from a bad one, and what is done with it.</summary>
    private static string Judged(ProfilePoint point)
    {
        var words = new List<string>();
        if (point.Counter is { } counter)
        {
            words.Add($"counter{(counter.RolloverAt is { } at ? $", rolls over at {at.ToString("0.######", CultureInfo.InvariantCulture)}" : "")}{(counter.Resettable ? ", can be reset" : "")}");
        }

        if (point.Encoding.Invalid.Count > 0)
        {
            var digits = Math.Max(1, (point.Encoding.RawBits + 3) / 4);
            words.Add($"no value: {string.Join(", ", point.Encoding.Invalid.Select(i => $"0x{i.ToString($"X{digits}", CultureInfo.InvariantCulture)}"))}");
        }

        if (point.PlausibleMin is not null || point.PlausibleMax is not null)
        {
            words.Add($"believed {Range(point.PlausibleMin, point.PlausibleMax)}");
        }

        foreach (var detector in point.Detectors.Where(d => d.Name != "flag"))
        {
            words.Add(detector.Name == "limit" ? Limits(detector) : detector.Name);
        }

        words.AddRange(new[]
        {
            point.AppliesCt ? "times the current transformer" : "",
            point.AppliesPt ? "times the voltage transformer" : "",
            point.AppliesPulses ? "divided by the pulses per unit" : "",
            point.Novelty is { } novelty ? $"novelty {(novelty ? "on" : "off")}" : "",
            point.Carbon is { } carbon ? $"carbon account: {carbon.Method}" : "",
            point.Write is { } write ? $"may be written: {(write.Values is { } values ? string.Join(", ", values.Select(v => Number((double)v))) : Range((double?)write.Min, (double?)write.Max))}" : "",
        }.Where(w => w.Length > 0));
        if (IsBit(point) && States(point) is { Length: > 0 } states)
        {
            words.Insert(0, states);
        }

        return string.Join("; ", words);
    }

    private static string Limits(DetectorModel limit) => string.Join(
        ", ",
        new[] { ("lowAlarm", "alarm below"), ("low", "warning below"), ("high", "warning above"), ("highAlarm", "alarm above") }
            .Where(l => limit.Settings.ContainsKey(l.Item1))
            .Select(l => $"{l.Item2} {Number(limit.Settings[l.Item1])}"));

    private static string States(ProfilePoint point)
    {
        if (point.Symbols is { } symbols)
        {
            return string.Join(", ", symbols.OrderBy(s => s.Key).Select(s => $"{s.Key} = {s.Value}"));
        }

        return point.Flags is { } flags ? string.Join(", ", flags.OrderBy(f => f.Key).Select(f => Flag(point, f.Key, f.Value))) : "";
    }

    private static string Flag(ProfilePoint point, int bit, string name)
    {
        if (point.Alarms.FirstOrDefault(a => a.Bit == bit) is not { } alarm)
        {
            return IsBit(point) ? $"1 = {name}" : $"bit {bit} {name}";
        }

        var opens = point.Detectors.Any(d => d.Name == "flag" && d.Settings["bit"] == bit && d.Settings["opens"] == 1);
        var where = IsBit(point) ? (opens ? "0 =" : "1 =") : $"bit {bit}{(opens ? " = 0" : "")}";
        return $"{where} {name} ({(alarm.IsAlarm ? "alarm" : "warning")})";
    }

    // What a single bit means is short enough for the table.
    private static bool IsBit(ProfilePoint point) => point.Encoding.Type == RegisterType.Bit;

    private static string SourcesOf(ProfilePoint point) => string.Join(", ", point.Sources.Distinct());

    private static string Range(double? min, double? max) => (min, max) switch
    {
        ({ } low, { } high) => $"{Number(low)} to {Number(high)}",
        ({ } low, null) => $"from {Number(low)}",
        (null, { } high) => $"up to {Number(high)}",
        _ => "answers",
    };

    private static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    private static string Link(string id) => $"[{id}]({id}.md)";

    private static void Row(StringBuilder text, string name, string value)
    {
        if (value.Length > 0)
        {
            Line(text, $"| {name} | {value} |");
        }
    }

    private static void Section(StringBuilder text, string title, IEnumerable<string> items)
    {
        var lines = items.ToList();
        if (lines.Count > 0)
        {
            Line(text, $"\n## {title}\n\n- {string.Join("\n- ", lines)}");
        }
    }

    // Line ends are the same on every system.
    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');

    // Text of a profile is no markup.
    private static string Plain(string text) =>
        text.Replace("<", "&lt;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal).ReplaceLineEndings(" ").Trim();

    private static string Cell(string text) => Plain(text).Replace("|", "\\|", StringComparison.Ordinal);
}
