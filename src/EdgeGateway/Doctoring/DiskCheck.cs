using System.Globalization;
using EdgeGateway.Box;
using EdgeGateway.Commands;

namespace EdgeGateway.Doctoring;

/// <summary>The file system of the store: whether it keeps what is written, and its free space.</summary>
internal static class DiskCheck
{
    // Where write-ahead logs and flushing do not hold, or nothing outlives the power (docs/storage.md).
    private static readonly string[] Foreign = ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse", "fuseblk", "vfat", "exfat", "ntfs", "ntfs3"];
    private static readonly string[] InMemory = ["tmpfs", "ramfs"];

    public static IEnumerable<Finding> Look(Patient patient)
    {
        var directory = patient.Storage;
        if (patient.Places.MountOf(directory) is not { } mount)
        {
            yield return Finding.NotChecked($"Which file system {directory} is on: /proc/self/mountinfo does not tell");
        }
        else
        {
            foreach (var finding in Look(patient, directory, mount))
            {
                yield return finding;
            }
        }

        if (patient.Space(directory) is not (var free, > 0 and var total))
        {
            yield return Finding.NotChecked($"Free space: the file system of {directory} cannot be asked");
            yield break;
        }

        var used = 100.0 * (total - free) / total;
        yield return Finding.Marked(
            used, 85, 95, $"The file system of {directory} is {used:F0} % full, {Words.Bytes(free)} can be written", "`sudo du -xh --max-depth=2 / | sort -h | tail` shows what takes it; old logs go with `sudo journalctl --vacuum-size=50M`, packages with `sudo apt clean`");
    }

    private static IEnumerable<Finding> Look(Patient patient, string directory, BoxMount mount)
    {
        if (mount.IsReadOnly)
        {
            yield return Finding.Fault($"{mount.Point}, which {directory} is on, is mounted so that it can only be read", $"`dmesg` says whether the kernel did so after an error: then check the disk (`sudo fsck {mount.Source}` from another system) and replace it; else correct /etc/fstab and `sudo mount -o remount,rw {mount.Point}`");
        }

        if (InMemory.Contains(mount.FileSystem))
        {
            yield return Finding.Fault($"{directory} is on {mount.FileSystem}: all of it is gone when the power goes", "Name a directory on a disk as storage.directory in gateway.yaml, such as /var/lib/edgegateway");
        }
        else if (Foreign.Any(f => mount.FileSystem == f || mount.FileSystem.StartsWith("fuse.", StringComparison.Ordinal)))
        {
            yield return Finding.Fault($"{directory} is on {mount.FileSystem}, which does not keep the promises that the store relies on", "Use a local file system (ext4, f2fs, xfs), not a network or FUSE mount or one of Windows");
        }
        else if (mount.FileSystem == "overlay")
        {
            yield return Finding.Warning($"{directory} is on an overlay: what is written may be gone after a restart (a Raspberry Pi with the overlay file system switched on, or a container without a volume)", "Put storage.directory on a disk of its own, or on a volume of the container");
        }
        else
        {
            yield return Finding.Ok($"{directory} is on {mount.FileSystem} ({mount.Source})");
        }

        // Documentation/ABI/testing/sysfs-fs-ext4: how many errors the file system has seen.
        if (mount.FileSystem == "ext4" && Patient.Number(patient.At($"sys/fs/ext4/{Path.GetFileName(mount.Source)}/errors_count")) is > 0 and var errors)
        {
            yield return Finding.Fault(string.Create(CultureInfo.InvariantCulture, $"The kernel has found {errors} errors in the file system {mount.Source}"), $"Check it at the next start (`sudo tune2fs -c 1 {mount.Source}`, restart) and replace the card or disk: it will get worse");
        }
    }
}
