namespace EdgeGateway.Integration.Gateway;

/// <summary>A fact about what root does for others, or about what another user may not do.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess ? null : "Needs root on Linux: gives files to another user.";
}
