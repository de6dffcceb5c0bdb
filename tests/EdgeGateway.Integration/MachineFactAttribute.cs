using System.Diagnostics;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration;

/// <summary>A fact that needs the virtual machine of <c>tests/hardware-vm</c>; skipped only where that cannot be had, with the reason. Its first start prepares it.</summary>
internal sealed class MachineFactAttribute : FactAttribute
{
    internal static readonly Lazy<string?> Missing = new(() =>
    {
        if (!OperatingSystem.IsLinux())
        {
            return "Needs Linux: boots Debian's kernel in QEMU.";
        }

        using var process = Process.Start(new ProcessStartInfo("bash", [RepositoryFiles.At("tests/hardware-vm/run"), "--can"]) { RedirectStandardError = true })!;
        var why = process.StandardError.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : why;
    });

    public MachineFactAttribute() => Skip = Missing.Value;
}

/// <inheritdoc cref="MachineFactAttribute"/>
internal sealed class MachineTheoryAttribute : TheoryAttribute
{
    public MachineTheoryAttribute() => Skip = MachineFactAttribute.Missing.Value;
}
