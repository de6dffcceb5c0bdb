using System.Diagnostics;
using EdgeGateway.Integration.Faults;
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

/// <summary>A fact of the virtual machine that takes many minutes there, because a gateway starts slowly under emulation while pulses come: it runs with <c>.ci/run --long</c>.</summary>
internal sealed class LongMachineFactAttribute : FactAttribute
{
    public LongMachineFactAttribute() =>
        Skip = MachineFactAttribute.Missing.Value ?? (FaultScene.IsLong ? null : "Kills the whole gateway again and again under emulation, which takes many minutes: runs with --long.");
}
