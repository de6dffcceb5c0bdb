namespace EdgeGateway.Hosting;

/// <summary>Names the boot of the kernel, so that monotonic times of different boots are never compared.</summary>
internal static class BootId
{
    private const string KernelFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>The kernel's boot id; a new one for this process where the system has none.</summary>
    public static Guid Current() =>
        File.Exists(KernelFile) && Guid.TryParse(File.ReadAllText(KernelFile).Trim(), out var id) ? id : Guid.NewGuid();
}
