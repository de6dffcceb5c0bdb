using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Profiles;

/// <summary>Reads, checks and resolves a device profile: the schema, the rules beyond it, and the profile's own tests.</summary>
public static class ProfileLoader
{
    /// <summary>Loads a profile.</summary>
    /// <param name="source">The text of the file.</param>
    /// <param name="find">Finds the text of another profile by its id, for those that extend one; null when there are no others.</param>
    /// <returns>The profile, null when there is an error; and all problems. Those in an extended file name both files.</returns>
    public static (DeviceProfile? Profile, IReadOnlyList<Problem> Problems) Load(SourceText source, Func<string, SourceText?>? find = null)
    {
        var problems = new ProblemCollector();
        var profile = Load(source, find, problems);
        return (
            problems.HasErrors ? null : profile,
            [.. problems.ToList().Select(p => p.File == source.FileName ? p : p with { What = $"{p.What} (met in {source.FileName}, which extends this file)" })]);
    }

    private static DeviceProfile? Load(SourceText source, Func<string, SourceText?>? find, ProblemCollector problems)
    {
        if (YamlText.Read(source, problems) is not { } node)
        {
            return null;
        }

        if (node is YamlMap file)
        {
            if (ProfileInheritance.Resolve(file, find, problems) is not { } whole)
            {
                return null;
            }

            node = whole;
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
        var sunSpec = modbus.Block("sunspec", ProfileShape.SunSpec);

        var context = new ProfilePoints(
            root.Block("defaults", ProfileShape.Defaults),
            root.Block("poll", ProfileShape.Poll),
            root.Block("addressing", ProfileShape.Addressing),
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
        var model = context.SunSpec(sunSpec);

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
            WiringEnglish = root.Block("wiring", ProfileShape.Title).Text("en"),
            WiringChinese = root.Block("wiring", ProfileShape.Title).Text("zh"),
            Extends = root.Text("extends"),
            SunSpec = model,
            IsLocal = root.Block("transport", ProfileShape.Transport).Boolean("local") ?? false,
            IsDlt645 = root.Block("transport", ProfileShape.Transport).Boolean("dlt645") ?? false,
            IsHj212 = root.Block("transport", ProfileShape.Transport).Boolean("hj212") ?? false,
            OneClientOnly = modbus.Boolean("oneClientOnly") ?? false,
            Disagreements = Disagreements(root),
            MaxRegistersPerRead = maxRegisters,
            MayReadGaps = modbus.Boolean("mayReadGaps") ?? false,
            MinGap = TimeSpan.FromMilliseconds(modbus.Integer("minGapMs") ?? 0),
            Timeout = modbus.Integer("timeoutMs") is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
            Points = points,
            Sources = sources,
            Identify = identify,
            SelfTests = SelfTests.Run(root, points, context.Declared, problems),
            Rules = RuleSettings.Read(root, problems),
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
                section.Boolean("checked") ?? false,
                section.Text("edition"),
                section.Text("page"),
                section.Text("note"));
        }

        return sources;
    }

    private static List<ProfileDisagreement> Disagreements(Section root)
    {
        var found = new List<ProfileDisagreement>();
        foreach (var entry in root.List("disagreements").OfType<YamlMap>())
        {
            var section = new Section(entry, ProfileShape.Disagreement, entry);
            var table = section.Text("table") ?? root.Block("defaults", ProfileShape.Defaults).Text("table");
            var at = section.Node("at") is YamlScalar one ? [one] : section.Scalars("at");
            found.AddRange(at
                .Where(s => Quantities.TryInteger(s.Text, out var address) && address >= 0 && address <= ushort.MaxValue)
                .Select(s => Quantities.TryInteger(s.Text, out var address) ? new ProfileDisagreement(ProfilePoints.TableOf(table), (ushort)address, section.Text("because") ?? "") : null!));
        }

        return found;
    }
}
