using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Tests.Shared;

/// <summary>Profiles that tests take for good: one with problems fails the test with the problems.</summary>
internal static class ReadyProfiles
{
    /// <summary>Loads a profile.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="find">Texts of those that it extends, by id.</param>
    public static DeviceProfile Load(SourceText? text, Func<string, SourceText?>? find = null)
    {
        Assert.True(text is not null, "there is no such profile");
        var (profile, problems) = ProfileLoader.Load(text, find);
        Assert.True(profile is not null, $"{text.FileName}:\n{string.Join('\n', problems)}");
        return profile;
    }
}
