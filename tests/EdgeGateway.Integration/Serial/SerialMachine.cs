namespace EdgeGateway.Integration.Serial;

/// <summary>
/// The machine in which <c>tests/tools/serial-trial</c> uses a simulated RS-485 line, QEMU's USB adapter (an FTDI to the kernel, its other end is <c>ttyS3</c>), a disk and a temperature sensor.
/// </summary>
public sealed class SerialMachine : HardwareMachine, IDisposable
{
    private const long DiskBytes = 32 << 20;

    private readonly DirectoryInfo _folder;

    public SerialMachine()
        : this(Directory.CreateTempSubdirectory("edgegateway-line-"))
    {
    }

    private SerialMachine(DirectoryInfo folder)
        : base(
            "serial-trial",
            "--serial", Path.Combine(folder.FullName, "adapter"),
            "--disk", Disk(folder),
            "--qemu", "-device", "--qemu", "qemu-xhci",
            "--qemu", "-chardev", "--qemu", $"socket,id=adapter,path={Path.Combine(folder.FullName, "adapter")}",
            "--qemu", "-device", "--qemu", "usb-serial,chardev=adapter")
    {
        _folder = folder;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Disk(DirectoryInfo folder)
    {
        var path = Path.Combine(folder.FullName, "disk");
        using var disk = File.Create(path);
        disk.SetLength(DiskBytes);
        return path;
    }
}
