using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Profiles;

/// <summary>Reads, checks and resolves a device profile: the schema, the rules beyond it, and the profile's own tests.</summary>
public static class ProfileLoader
{
    /// <summary>Loads a profile.</summary>
    /// <param name="source">The text of the file.</param>
    /// <returns>The profile, null when there is an error; and all problems.</returns>
    public static (DeviceProfile? Profile, IReadOnlyList<Problem> Problems) Load(SourceText source)
    {
        var problems = new ProblemCollector();
        var profile = Load(source, problems);
        return (problems.HasErrors ? null : profile, problems.ToList());
    }

    private static DeviceProfile? Load(SourceText source, ProblemCollector problems)
    {
        if (YamlText.Read(source, problems) is not { } node)
        {
            return null;
        }

        ProfileShape.Root.Check(node, "the file", problems);
        if (node is not YamlMap map)
        {
            return null;
        }

        var root = new Section(map, ProfileShape.Root, map);
        var modbus = root.Block("transport", ProfileShape.Transport).Block("modbus", ProfileShape.Modbus);
        var maxRegisters = modbus.Integer("maxRegistersPerRead") ?? 125;
        var sources = Sources(root);

        var context = new ProfilePoints(
            root.Block("defaults", ProfileShape.Defaults),
            root.Block("poll", ProfileShape.Poll),
            sources.Keys.ToHashSet(),
            maxRegisters,
            modbus.Boolean("mayReadGaps") ?? false,
            problems);
        var points = new List<ProfilePoint>();
        foreach (var entry in root.List("points").OfType<YamlMap>())
        {
            context.Expand(entry, points);
        }

        context.CheckTogether();
        context.CheckScaleRegisters();

        var identify = new List<IdentifyProbe>();
        foreach (var entry in root.List("identify").OfType<YamlMap>())
        {
            if (context.Probe(entry) is { } probe)
            {
                identify.Add(probe);
            }
        }

        var title = root.Block("title", ProfileShape.Title);
        return new DeviceProfile
        {
            Id = root.Text("id") ?? "",
            Kind = root.Text("kind") ?? "",
            Vendor = root.Text("vendor") ?? "",
            Models = [.. root.Scalars("models").Select(s => s.Text)],
            Revision = root.Integer("revision") ?? 0,
            TitleEnglish = title.Text("en") ?? "",
            TitleChinese = title.Text("zh"),
            MaxRegistersPerRead = maxRegisters,
            MayReadGaps = modbus.Boolean("mayReadGaps") ?? false,
            MinGap = TimeSpan.FromMilliseconds(modbus.Integer("minGapMs") ?? 0),
            Timeout = modbus.Integer("timeoutMs") is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
            Points = points,
            Sources = sources,
            Identify = identify,
            SelfTests = SelfTests.Run(root, points, context.Declared, problems),
            Quirks = [.. root.Scalars("quirks").Select(s => s.Text)],
            Grade = points.Count > 0 && points.All(p => p.Sources.Distinct().Count() > 1) ? 'A' : 'B',
        };
    }

    private static Dictionary<string, ProfileSource> Sources(Section root)
    {
        var sources = new Dictionary<string, ProfileSource>();
        foreach (var (name, node) in (root.Node("sources") as YamlMap)?.Entries ?? [])
        {
            var section = new Section(node as YamlMap, ProfileShape.Source, node);
            sources[name.Text] = new(
                section.Text("type") ?? "",
                section.Text("ref") ?? "",
                section.Text("commit"),
                section.Boolean("checked") ?? false);
        }

        return sources;
    }
}
