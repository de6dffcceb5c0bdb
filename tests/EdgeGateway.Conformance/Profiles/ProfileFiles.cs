using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Conformance.Profiles;

/// <summary>The files of <c>device-profiles</c>, found by themselves.</summary>
internal static class ProfileFiles
{
    /// <summary>Folder of the repository.</summary>
    public static string Root { get; } = RepositoryFiles.At("");

    /// <summary>Folder of the profiles.</summary>
    public static string Folder => Path.Combine(Root, "device-profiles");

    /// <summary>Every profile by its path below <see cref="Folder"/>; templates are none.</summary>
    public static IReadOnlyList<string> Names { get; } = Below(RepositoryFiles.Profiles);

    /// <summary>Every template.</summary>
    public static IReadOnlyList<string> Templates { get; } = Below(RepositoryFiles.Templates);

    public static SourceText Text(string name) => new(name, File.ReadAllText(Path.Combine(Folder, name)));

    /// <summary>Finds the text of a profile by its id.</summary>
    public static SourceText? ById(string id) => Names.FirstOrDefault(n => Path.GetFileNameWithoutExtension(n) == id) is { } name ? Text(name) : null;

    public static (DeviceProfile? Profile, IReadOnlyList<Problem> Problems) Load(string name) => ProfileLoader.Load(Text(name), ById);

    /// <summary>A profile that is taken for good.</summary>
    public static DeviceProfile Ready(string name) => ReadyProfiles.Load(Text(name), ById);

    /// <summary>Rows of a table in this folder, by the names of its first line (RFC 4180).</summary>
    public static IReadOnlyList<Dictionary<string, string>> Table(string file)
    {
        var lines = File.ReadAllLines(Path.Combine(Root, "tests/EdgeGateway.Conformance/Profiles", file)).Where(l => l.Length > 0 && l[0] != '#').ToList();
        var names = Fields(lines[0]);
        return [.. lines.Skip(1).Select(l => names.Zip(Fields(l)).ToDictionary(p => p.First, p => p.Second))];
    }

    private static List<string> Below(IEnumerable<string> files) => [.. files.Select(f => Path.GetRelativePath(Folder, f).Replace('\\', '/'))];

    // Fields in quotes may hold commas; quotes inside are doubled.
    private static List<string> Fields(string line)
    {
        var fields = new List<string> { "" };
        var quoted = false;
        foreach (var c in line)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (c == ',' && !quoted)
            {
                fields.Add("");
            }
            else
            {
                fields[^1] += c;
            }
        }

        return fields;
    }
}
