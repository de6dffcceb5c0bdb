using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Box;

/// <summary>The profiles of computers that are shipped.</summary>
internal static class BoxProfiles
{
    public static SourceText LinuxText { get; } = Text("generic-linux-computer");

    public static SourceText RaspberryPiText { get; } = Text("raspberry-pi");

    public static DeviceProfile RaspberryPi { get; } = Load();

    private static SourceText Text(string id) => new($"{id}.yaml", File.ReadAllText(RepositoryFiles.At($"device-profiles/computer/{id}.yaml")));

    private static DeviceProfile Load()
    {
        var (profile, problems) = ProfileLoader.Load(RaspberryPiText, name => name == "generic-linux-computer" ? LinuxText : null);
        Assert.True(profile is not null, string.Join('\n', problems));
        return profile;
    }
}
