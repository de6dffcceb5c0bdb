using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>The profiles that a site uses, each loaded once.</summary>
internal sealed class ProfileLibrary(Func<string, SourceText?> find, IReadOnlyCollection<string> known, ProblemCollector problems)
{
    private readonly SortedDictionary<string, (SourceText Text, DeviceProfile? Profile)> _loaded = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SourceText> _extended = new(StringComparer.Ordinal);

    /// <summary>Texts of the profiles in use in the order of their ids, then of those that they extend.</summary>
    public IEnumerable<SourceText> Texts => _loaded.Values.Select(l => l.Text).Concat(_extended.Values).DistinctBy(t => t.FileName);

    /// <summary>The profile, or null when it does not exist or has errors; both are reported.</summary>
    public DeviceProfile? Get(string id, YamlNode at)
    {
        if (_loaded.TryGetValue(id, out var loaded))
        {
            return loaded.Profile;
        }

        if (find(id) is not { } text)
        {
            problems.Error(at, $"there is no device profile '{id}'", $"{Spelling.Hint(id, known)}Name a file of device-profiles without folder and .yaml");
            return null;
        }

        var (profile, found) = ProfileLoader.Load(text, extended =>
        {
            if (find(extended) is { } other)
            {
                _extended.TryAdd(extended, other);
                return other;
            }

            return null;
        });
        foreach (var problem in found)
        {
            problems.Add(problem);
        }

        if (profile is not null && profile.Id != id)
        {
            problems.Error(at, $"the file {text.FileName} holds the profile '{profile.Id}', not '{id}'", "Name the file after the id of the profile");
        }

        _loaded[id] = (text, profile);
        return profile;
    }
}
