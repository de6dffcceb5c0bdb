using System.Reflection;

namespace EdgeGateway;

/// <summary>Which program this is.</summary>
internal static class ProgramVersion
{
    /// <summary>The version, and behind a plus sign the commit it was built from where the build knew it.</summary>
    public static string Text { get; } = typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
