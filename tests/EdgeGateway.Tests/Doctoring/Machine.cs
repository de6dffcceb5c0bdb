using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeGateway.Control;
using EdgeGateway.Doctoring;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Doctoring;

/// <summary>A double: a Raspberry Pi with an eMMC, an adapter, a network and a broker, all well, as files laid out like the kernel's; each test makes one thing sick.</summary>
internal sealed class Machine : IDisposable
{
    /// <summary>A password that nothing may tell.</summary>
    public const string Password = "Hunter2/\"quoted\"+äö";

    private const string Gateway = """
        schema: edgegateway/gateway/1
        site: { id: shaft-3, timezone: UTC, region: CN-SX }
        gateway: { id: gw-01 }
        storage: { directory: data }
        health: { listen: "127.0.0.1:8080" }
        buses:
          - { id: conveyor, type: modbus-rtu, port: /dev/serial/by-id/usb-FTDI-if00-port0, baud: 19200, parity: even }
        devices:
          - { id: incomer, profile: eastron-sdm630, bus: conveyor, unit: 1, ratedPower: 400kW, metering: { role: incomer } }
        uplinks:
          - { id: centre, type: mqtt, servers: ["mqtts://centre.example"], username: gw-01, passwordFile: mqtt.password, caFile: ca.pem, certificateFile: gateway.pem, keyFile: gateway.key }
        """;

    // MQTT 5.0, 3.14.1.
    private const byte Disconnect = 0xE0;

    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-doctor-").FullName;

    public Machine()
    {
        Tree.File("proc/sys/kernel/osrelease", "6.6.31+rpt-rpi-v8\n")
            .File("proc/meminfo", "MemTotal:         948112 kB\nMemFree:          312420 kB\nMemAvailable:     711084 kB\n")
            .File("proc/self/status", "Name:\tedgegateway\nUid:\t997\t997\t997\t997\nGroups:\t20 986 \n")
            .File("etc/group", "root:x:0:\ndialout:x:20:edgegateway\ngpio:x:986:edgegateway\n")
            .File("proc/self/mountinfo", "22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw\n")
            .File("sys/fs/ext4/mmcblk0p2/errors_count", "0\n")
            .File("sys/devices/mmc/block/mmcblk0/mmcblk0p2/partition", "2\n")
            .File("sys/devices/mmc/block/mmcblk0/device/life_time", "0x02 0x01\n")
            .File("sys/devices/mmc/block/mmcblk0/device/pre_eol_info", "0x01\n")
            .Link("sys/dev/block/179:2", "sys/devices/mmc/block/mmcblk0/mmcblk0p2")
            .File("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n").File("sys/class/thermal/thermal_zone0/temp", "52582\n")
            .File("sys/devices/platform/soc/soc:firmware/get_throttled", "0\n")
            .File("dev/ttyUSB0").Link("dev/serial/by-id/usb-FTDI-if00-port0", "dev/ttyUSB0")
            .File("sys/class/tty/ttyUSB0/device/uevent").File("sys/bus/usb-serial/devices/ttyUSB0/latency_timer", "1\n")
            .File("sys/bus/usb-serial/drivers/ftdi_sio/bind").Link("sys/class/tty/ttyUSB0/device/driver", "sys/bus/usb-serial/drivers/ftdi_sio")
            .File("sys/class/net/eth0/operstate", "up\n").File("sys/class/net/lo/operstate", "unknown\n")
            .File("proc/net/route", "Iface\tDestination\tGateway\tFlags\neth0\t00000000\t0101A8C0\t0003\n")
            .File("etc/resolv.conf", "nameserver 192.168.1.1\n")
            .File("proc/net/tcp", "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n");
        Store = Directory.CreateDirectory(Path.Combine(_folder, "data")).FullName;
        Write("gateway.yaml", Gateway);
        Write("mqtt.password", Password + "\n");
        Certify("gateway", Time.GetUtcNow().AddDays(200));
        File.Copy(At("gateway.pem"), At("ca.pem"));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Store, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>The computer's files.</summary>
    public KernelTree Tree { get; } = new();

    /// <summary>The clock.</summary>
    public ManualTime Time { get; } = new();

    /// <summary>The directory of the store.</summary>
    public string Store { get; }

    /// <summary>What the kernel says of the clock.</summary>
    public ClockFacts Facts { get; set; } = new(true, true, TimeSpan.FromMilliseconds(20));

    /// <summary>What the broker answers to CONNECT: MQTT 5.0, 3.2.2.2.</summary>
    public byte Answer { get; set; }

    /// <summary>What the broker was sent.</summary>
    public byte[] Sent { get; private set; } = [];

    /// <summary>Free bytes and all bytes of the disk.</summary>
    public (long Free, long Total) Space { get; set; } = (20L << 30, 29L << 30);

    /// <summary>Changes what the running gateway says; null when none runs.</summary>
    public Func<StatusDocument, StatusDocument>? Running { get; set; } = static status => status;

    /// <summary>A file beside the configuration.</summary>
    public string At(string name) => Path.Combine(_folder, name);

    /// <summary>Writes a file beside the configuration, for its owner alone.</summary>
    public void Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(At(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>Replaces a passage of the configuration.</summary>
    public void Configure(string passage, string replacement) => Write("gateway.yaml", Gateway.Replace(passage, replacement, StringComparison.Ordinal));

    /// <summary>Issues a certificate and its key.</summary>
    public void Certify(string name, DateTimeOffset to)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(Time.GetUtcNow().AddYears(-1), to);
        Write($"{name}.pem", certificate.ExportCertificatePem());
        Write($"{name}.key", key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The machine as the doctor sees it.</summary>
    public Patient Patient()
    {
        var site = SiteFiles.Find(At("gateway.yaml"), RepositoryFiles.At("device-profiles")).Load(At("gateway.yaml"), out var problems);
        return new Patient
        {
            Configuration = At("gateway.yaml"),
            Site = site,
            Problems = problems,
            Root = Tree.Root,
            Time = Time,
            Clock = new Clock(Facts),
            IsRoot = false,
            Space = _ => Space,
            Status = Running?.Invoke(Status(site?.Model.ConfigurationHash ?? new string('0', 64))),
            Version = "1.2.0",
            Adjust = options => options with { Dial = (_, _) => ValueTask.FromResult(Broker()) },
        };
    }

    /// <summary>Looks at it.</summary>
    public Task<DoctorDocument> LookAsync() => Doctor.LookAsync(Patient(), CancellationToken.None);

    public void Dispose()
    {
        Tree.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Stream Broker()
    {
        var (server, client) = DuplexStream.Pair();
        _ = Task.Run(async () =>
        {
            // The client's clock stands still: it waits for the end of the connection for ever.
            await using var closing = server;
            var buffer = new byte[4096];
            var length = await server.ReadAsync(buffer);
            Sent = buffer[..length];

            // CONNACK: no session present, the reason code, no properties.
            await server.WriteAsync(new byte[] { 0x20, 3, 0, Answer, 0 });
            while (Answer == 0 && await server.ReadAsync(buffer) > 0 && buffer[0] != Disconnect)
            {
                // Acknowledgements and pings are of no interest.
            }
        });
        return client;
    }

    private StatusDocument Status(string configuration) => new()
    {
        State = "ok",
        Version = "1.2.0",
        Site = "shaft-3",
        Gateway = "gw-01",
        Configuration = configuration,
        ProcessId = 4242,
        UptimeSeconds = 86_400,
        Problems = [],
        Depth = 0,
        Dropped = 0,
        Degraded = false,
        Delivered = 12,
        Samples = 99,
        Outbox = new OutboxDocument { Rows = 0, Records = 0, FileBytes = 1 << 20, BudgetBytes = 1 << 26, Oldest = null, OldestAgeSeconds = 0, Streams = new Dictionary<string, long>(), Evicted = 0, Thinned = 0, Quarantined = 0 },
        Storage = new StorageDocument
        {
            State = "ok",
            InUsePercent = 3,
            WatermarkPercent = 0,
            Lost = new Dictionary<string, long>(),
            WrittenBytes = 1 << 30,
            WrittenBytesPerDay = 1 << 26,
            WrittenBytesPerSample = 40,
            Integrity = "sound",
            IntegrityCheckedAt = Time.GetUtcNow(),
            IntegrityFinding = "",
            DamagedSets = [],
        },
        Devices = [],
        Uplinks = [],
        Process = new ProcessDocument { ResidentBytes = 60 << 20, StartedAt = Time.GetUtcNow(), CpuSeconds = 5, WrittenBytes = 1 << 20, AllocatedBytes = 1 << 20, Collections = 3 },
    };

    private sealed class Clock(ClockFacts facts) : IClockSource
    {
        public ClockFacts Read() => facts;
    }
}
