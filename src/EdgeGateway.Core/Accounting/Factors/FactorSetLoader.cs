using System.Text.RegularExpressions;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Accounting;

/// <summary>Reads a factor set, or says everything that is wrong with it.</summary>
public static partial class FactorSetLoader
{
    /// <summary>Reads a set.</summary>
    /// <param name="source">The text.</param>
    /// <returns>The set, null when there is an error; and all problems.</returns>
    public static (FactorSet? Set, IReadOnlyList<Problem> Problems) Load(SourceText source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var problems = new ProblemCollector();
        if (YamlText.Read(source, problems) is not { } node)
        {
            return (null, problems.ToList());
        }

        FactorSetShape.Root.Check(node, "the file", problems);
        if (node is not YamlMap map || problems.HasErrors)
        {
            return (null, problems.ToList());
        }

        var root = new Section(map, FactorSetShape.Root, map);
        var sources = Sources(map, problems);
        var regions = Regions(map, problems);
        var factors = new List<(Factor Factor, YamlNode Place)>();
        foreach (var entry in root.List("factors").OfType<YamlMap>())
        {
            if (Read(new Section(entry, FactorSetShape.Factor, entry), sources, regions, problems) is { } factor)
            {
                factors.Add((factor, entry));
            }
        }

        CheckTogether(factors, problems);
        if (!problems.HasErrors)
        {
            CheckElectricity(map, regions, factors, problems);
        }

        if (problems.HasErrors)
        {
            return (null, problems.ToList());
        }

        var set = new FactorSet(root.Text("id")!, root.Integer("version")!.Value, root.Text("title")!, regions, [.. factors.Select(f => f.Factor)]);
        if (root.Text("hash") is { } hash && !hash.Equals(set.ContentHash, StringComparison.OrdinalIgnoreCase))
        {
            problems.Error(root.At("hash"), $"the content has the hash {set.ContentHash}, not this one", "The file was changed after the hash was written: restore it; or, if the change is meant, raise 'version' and write the new hash");
            return (null, problems.ToList());
        }

        return (set, problems.ToList());
    }

    private static Dictionary<string, FactorSource> Sources(YamlMap root, ProblemCollector problems)
    {
        var sources = new Dictionary<string, FactorSource>(StringComparer.Ordinal);
        foreach (var (key, value) in root.Map("sources")!.Entries)
        {
            var section = new Section(value as YamlMap, FactorSetShape.Source, value);
            var (from, to) = (Time(section, "from"), Time(section, "to"));
            if (from >= to)
            {
                problems.Error(section.At("to"), $"the source '{key.Text}' ends before it begins", "Write 'to' after 'from'");
            }

            sources[key.Text] = new(key.Text, section.Text("text")!, section.Integer("published"), from, to, section.Text("beyond") == "nearest", (double?)section.Number("uncertaintyPercent"));
        }

        return sources;
    }

    private static Dictionary<string, FactorRegion> Regions(YamlMap root, ProblemCollector problems)
    {
        var regions = new Dictionary<string, FactorRegion>(StringComparer.Ordinal);
        var map = root.Map("regions")!;
        foreach (var (key, value) in map.Entries)
        {
            var section = new Section(value as YamlMap, FactorSetShape.Region, value);
            regions[key.Text] = new(key.Text, section.Text("name")!, section.Text("parent"));
        }

        foreach (var (key, value) in map.Entries)
        {
            if (regions[key.Text].Parent is not { } parent)
            {
                continue;
            }

            if (!regions.ContainsKey(parent))
            {
                problems.Error(new Section(value as YamlMap, FactorSetShape.Region, value).At("parent"), $"there is no region '{parent}'", $"{Spelling.Hint(parent, regions.Keys)}Name one of 'regions'");
                regions[key.Text] = regions[key.Text] with { Parent = null };
            }
        }

        foreach (var (key, _) in map.Entries)
        {
            // In a chain without end, a region comes again before all have passed.
            var steps = 0;
            for (var place = key.Text; place is not null && steps <= regions.Count; steps++)
            {
                place = regions[place].Parent;
            }

            if (steps > regions.Count)
            {
                problems.Error(key, $"the region '{key.Text}' falls back to itself in the end", "Correct 'parent' of one of them");
                regions[key.Text] = regions[key.Text] with { Parent = null };
            }
        }

        return regions;
    }

    private static Factor? Read(Section section, Dictionary<string, FactorSource> sources, Dictionary<string, FactorRegion> regions, ProblemCollector problems)
    {
        var (of, region) = (section.Text("of")!, section.Text("region"));
        if (!NamePattern().IsMatch(of))
        {
            problems.Error(section.At("of"), $"'{of}' is no name of a factor", "Write words of letters, digits, '-' and '_' with dots between them, such as fuel.cn-diesel.ncv");
        }

        if (!sources.TryGetValue(section.Text("source")!, out var source))
        {
            problems.Error(section.At("source"), $"there is no source '{section.Text("source")}'", $"{Spelling.Hint(section.Text("source")!, sources.Keys)}Name one of 'sources'");
        }

        if (region is not null && !regions.ContainsKey(region))
        {
            problems.Error(section.At("region"), $"there is no region '{region}'", $"{Spelling.Hint(region, regions.Keys)}Name one of 'regions'");
        }

        var percent = (double?)section.Number("uncertaintyPercent") ?? source?.UncertaintyPercent ?? double.NaN;
        return source is null ? null : new(of, region, section.Number("value")!.Value, section.Text("unit")!, source, percent, FactorWords.Status(section.Text("status")!), section.Text("note"));
    }

    private static void CheckTogether(List<(Factor Factor, YamlNode Place)> factors, ProblemCollector problems)
    {
        foreach (var same in factors.GroupBy(f => (f.Factor.Of, f.Factor.Region)))
        {
            var units = same.Select(f => f.Factor.Unit).Distinct().ToList();
            if (units.Count > 1)
            {
                problems.Error(same.Last().Place, $"'{same.Key.Of}' is there in {string.Join(" and ", units)}", "Write all of them in one unit");
            }

            (Factor Factor, YamlNode Place)[] inOrder = [.. same.OrderBy(f => f.Factor.Source.ValidFrom ?? new(long.MinValue))];
            for (var i = 1; i < inOrder.Length; i++)
            {
                var (before, after) = (inOrder[i - 1].Factor, inOrder[i].Factor);
                if (before.Source.ValidTo is not { } end || after.Source.ValidFrom is not { } start || start < end)
                {
                    problems.Error(inOrder[i].Place, $"two factors hold for '{after.Of}'{(after.Region is null ? "" : $" in {after.Region}")} at the same time ({before.Id} and {after.Id})", "Remove one of them, or correct 'from' and 'to' of their sources");
                }
            }
        }
    }

    private static void CheckElectricity(YamlMap root, Dictionary<string, FactorRegion> regions, List<(Factor Factor, YamlNode Place)> factors, ProblemCollector problems)
    {
        var own = factors.Where(f => f.Factor.Of == Factor.Electricity).Select(f => f.Factor.Region).ToHashSet();
        foreach (var (key, _) in root.Map("regions")!.Entries)
        {
            var place = key.Text;
            while (place is not null && !own.Contains(place))
            {
                place = regions[place].Parent;
            }

            if (place is null && !own.Contains(null))
            {
                problems.Error(key, $"there is no factor of '{Factor.Electricity}' for '{key.Text}' nor for what it falls back to", "Add one, or name a 'parent' that has one");
            }
        }
    }

    private static Instant? Time(Section section, string key) => section.Text(key) is { } text ? Instant.Parse(text) : null;

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_-]*([.][A-Za-z0-9][A-Za-z0-9_-]*)*$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
