using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Profiles;

/// <summary>Joins a profile with the one it extends, before anything else is judged: the result is checked like a file that says everything itself.</summary>
/// <remarks>
/// Blocks of keys are joined key by key, <c>points</c> by their <c>id</c> (of several entries with one id that which has the same phases) and within a point key by key; a key with the value
/// <c>null</c> is taken away. Lists are replaced, but quirks and disagreements are added. The self-tests of points that the variant states anew or removes are not taken over, since their registers may differ. Every node keeps
/// its file and line, so that a message names the file in which something stands.
/// </remarks>
internal static class ProfileInheritance
{
    private const int MostGenerations = 4;

    // What a variant says of itself.
    private static readonly string[] Own = ["schema", "id", "revision", "models", "title", "extends", "remove"];
    private static readonly string[] Joined = ["sources", "transport", "defaults", "poll", "addressing", "rules"];
    private static readonly string[] Added = ["quirks", "disagreements"];

    /// <summary>The whole profile; null when what it extends cannot be had, which is reported.</summary>
    /// <param name="file">The file as it is written.</param>
    /// <param name="find">Finds the text of a profile by its id; null where there are no other profiles.</param>
    /// <param name="problems">Receives problems, those of extended files included.</param>
    public static YamlMap? Resolve(YamlMap file, Func<string, SourceText?>? find, ProblemCollector problems) => Resolve(file, find, problems, [file.File]);

    private static YamlMap? Resolve(YamlMap file, Func<string, SourceText?>? find, ProblemCollector problems, List<string> line)
    {
        if (file["extends"] is not YamlScalar { IsBlank: false } name)
        {
            if (file["remove"] is { } alone)
            {
                problems.Error(alone, "'remove' takes points of an extended profile away, and this profile extends none", "Remove it, or name the profile in 'extends:'");
            }

            return file;
        }

        if (find?.Invoke(name.Text) is not { } text)
        {
            problems.Error(name, $"there is no device profile '{name.Text}' to extend", "Name the id of a profile in device-profiles, beside this file or shipped with the program");
            return null;
        }

        if (line.Contains(text.FileName) || line.Count > MostGenerations)
        {
            problems.Error(
                name,
                line.Contains(text.FileName) ? $"'{name.Text}' extends this profile itself ({string.Join(", ", line.Append(text.FileName))})" : $"more than {MostGenerations} profiles extend each other ({string.Join(", ", line)})",
                "Extend a profile that says everything itself");
            return null;
        }

        if (YamlText.Read(text, problems) is not { } read)
        {
            return null;
        }

        if (read is not YamlMap known)
        {
            problems.Error(read, $"{text.FileName} is no device profile, and {file.File} extends it", "Name the id of a profile");
            return null;
        }

        line.Add(text.FileName);
        return Resolve(known, find, problems, line) is { } whole ? Join(whole, file, problems) : null;
    }

    private static YamlMap Join(YamlMap known, YamlMap file, ProblemCollector problems)
    {
        var removed = file.List("remove").OfType<YamlScalar>().ToList();
        var knownPoints = known.List("points").OfType<YamlMap>().ToList();
        foreach (var id in removed)
        {
            if (!knownPoints.Exists(p => p.Text("id") == id.Text))
            {
                problems.Error(id, $"'{id.Text}' cannot be removed: {known.File} has no such point", $"{Spelling.Hint(id.Text, knownPoints.Select(p => p.Text("id") ?? ""))}Name the 'id' of a point there, without phases");
            }
        }

        var changes = Changes(knownPoints, file, removed, problems);
        var entries = new List<KeyValuePair<YamlScalar, YamlNode>>();
        foreach (var (key, value) in file.Entries)
        {
            var inherited = Own.Contains(key.Text) ? null : known[key.Text];
            if (inherited is null || value is not YamlScalar { IsNull: true })
            {
                entries.Add(new(key, inherited is null ? value : Value(key.Text, inherited, value, removed, changes)));
            }
        }

        foreach (var (key, value) in known.Entries)
        {
            if (!Own.Contains(key.Text) && !file.Entries.Any(e => e.Key.Text == key.Text))
            {
                entries.Add(new(key, key.Text == "points" && value is YamlList points ? Points(points, points with { Items = [] }, removed, changes) : value));
            }
        }

        return file with { Entries = Tested(entries, knownPoints, file, removed, changes) };
    }

    private static YamlNode Value(string key, YamlNode known, YamlNode own, List<YamlScalar> removed, Dictionary<YamlMap, YamlMap> changes) => (known, own) switch
    {
        (YamlMap a, YamlMap b) when Joined.Contains(key) => Blocks(a, b),
        (YamlList a, YamlList b) when key == "points" => Points(a, b, removed, changes),
        (YamlList a, YamlList b) when Added.Contains(key) || key == "selfTest" => b with { Items = [.. a.Items, .. b.Items] },
        _ => own,
    };

    /// <summary>Which entry of the extended profile each entry of the variant changes; entries that change none are new.</summary>
    private static Dictionary<YamlMap, YamlMap> Changes(List<YamlMap> knownPoints, YamlMap file, List<YamlScalar> removed, ProblemCollector problems)
    {
        var changes = new Dictionary<YamlMap, YamlMap>(ReferenceEqualityComparer.Instance);
        foreach (var own in file.List("points").OfType<YamlMap>())
        {
            var id = own.Text("id");
            var parts = Parts(own);
            var same = knownPoints.Where(p => id is not null && p.Text("id") == id && !removed.Exists(r => r.Text == id)).ToList();
            var meant = parts.Count == 0 ? same : same.Where(p => Parts(p).Intersect(parts).Any()).ToList();
            if (meant.Count > 1)
            {
                problems.Error(
                    own,
                    $"'{id}' may change {meant.Count} entries of {meant[0].File}, of the phases {string.Join(" and of ", meant.Select(m => Parts(m) is { Count: > 0 } p ? string.Join(", ", p) : "none"))}",
                    "State 'perPhase' as it stands there, one entry for each that differs");
            }
            else if (meant.Count == 1 && !changes.TryAdd(meant[0], own))
            {
                problems.Error(own, $"'{id}' changes the same entry of {meant[0].File} as line {changes[meant[0]].Line} does", "Write one entry with all that differs");
            }
        }

        return changes;
    }

    private static List<string> Parts(YamlMap point) => [.. point.List("perPhase").OfType<YamlScalar>().Select(p => p.Text)];

    private static YamlList Points(YamlList known, YamlList own, List<YamlScalar> removed, Dictionary<YamlMap, YamlMap> changes)
    {
        var points = new List<YamlNode>();
        foreach (var item in known.Items)
        {
            if (item is YamlMap point && point.Text("id") is { } id && !removed.Exists(r => r.Text == id))
            {
                points.Add(changes.TryGetValue(point, out var change) ? Blocks(point, change) : point);
            }
        }

        var taken = changes.Values.ToHashSet<YamlNode>(ReferenceEqualityComparer.Instance);
        return own with { Items = [.. points, .. own.Items.Where(i => !taken.Contains(i))] };
    }

    // Key by key, blocks inside replaced as a whole; the place is that of the variant, which is what a person edits.
    private static YamlMap Blocks(YamlMap known, YamlMap own)
    {
        var entries = new List<KeyValuePair<YamlScalar, YamlNode>>();
        foreach (var entry in known.Entries)
        {
            var change = own.Entries.FirstOrDefault(e => e.Key.Text == entry.Key.Text);
            if (change.Key is null)
            {
                entries.Add(entry);
            }
            else if (change.Value is YamlMap b && entry.Value is YamlMap a && entry.Key.Text == "modbus")
            {
                entries.Add(new(change.Key, Blocks(a, b)));
            }
            else if (change.Value is not YamlScalar { IsNull: true })
            {
                entries.Add(change);
            }
        }

        entries.AddRange(own.Entries.Where(e => !known.Entries.Any(k => k.Key.Text == e.Key.Text)));
        return own with { Entries = entries };
    }

    /// <summary>Leaves the extended profile's self-tests of changed and removed points out.</summary>
    private static List<KeyValuePair<YamlScalar, YamlNode>> Tested(
        List<KeyValuePair<YamlScalar, YamlNode>> entries, List<YamlMap> knownPoints, YamlMap file, List<YamlScalar> removed, Dictionary<YamlMap, YamlMap> changes)
    {
        var stale = knownPoints
            .Where(p => removed.Exists(r => r.Text == p.Text("id")) || changes.ContainsKey(p))
            .SelectMany(Expanded)
            .ToHashSet();
        var own = file.List("selfTest").ToHashSet(ReferenceEqualityComparer.Instance);
        return
        [
            .. entries.Select(e => e.Key.Text == "selfTest" && e.Value is YamlList tests
                ? new(e.Key, tests with { Items = [.. tests.Items.Where(t => own.Contains(t) || (t as YamlMap)?.Text("point") is not { } point || !stale.Contains(point))] })
                : e),
        ];
    }

    private static IEnumerable<string> Expanded(YamlMap point) => Parts(point) is { Count: > 0 } parts ? parts.Select(part => $"{point.Text("id")}_{part}") : [point.Text("id") ?? ""];
}
