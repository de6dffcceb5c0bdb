using EdgeGateway.Box;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Tests.Box;

/// <summary>The health of a computer, on a tree of files laid out like the kernel's (a double); each value as its profile decodes it.</summary>
public sealed class BoxHealthTests : IDisposable
{
    private static readonly ReadRequest Whole = new(RegisterTable.InputRegister, 0, 101);

    private readonly KernelTree _tree = new();
    private readonly ManualTime _time = new();
    private readonly Clock _clock = new();

    [Fact]
    public async Task A_Raspberry_Pi_tells_what_it_knows_of_itself()
    {
        _tree.File("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n").File("sys/class/thermal/thermal_zone0/temp", "52582\n")
            .File("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")
            .File("sys/class/hwmon/hwmon1/name", "rpi_volt\n").File("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
            .File("proc/meminfo", "MemTotal:         948112 kB\nMemFree:          312420 kB\nMemAvailable:     711084 kB\nBuffers:           45332 kB\n")
            .File("proc/loadavg", $"0.42 {Environment.ProcessorCount / 2.0:F2} 0.20 1/187 4242\n")
            .File("proc/uptime", "86400.55 340111.20\n")
            .File("sys/class/watchdog/watchdog0/bootstatus", "32\n");
        Card("0x02 0x01\n", "0x01\n");
        await using var box = Box();

        var values = await ReadAsync(box);

        Assert.Equal(52.582, values["cpu_temperature"], 3);
        Assert.Equal(0x50005, values["throttled"]);
        Assert.Equal(1, values["under_voltage"]);
        Assert.Equal(25, values["memory_used"], 3);
        Assert.Equal(711084 * 1024.0, values["memory_free"]);
        Assert.Equal(50, values["load"], 3);
        Assert.Equal(86400, values["uptime"]);
        Assert.Equal(32, values["boot_status"]);
        Assert.Equal((20, 10, 0), (values["storage_wear_1"], values["storage_wear_2"], values["storage_reserve"]));
        Assert.Equal(7_340_032 * 512.0, values["storage_written"]);
        Assert.InRange(values["storage_used"], 0, 100);
        Assert.True(values["storage_free"] > 0);
        Assert.Equal((1, 0.02, -0.001), (values["clock_synchronised"], values["clock_error"], values["clock_offset"]));
        Assert.Empty(box.NotShown());
        Assert.Empty(box.Problems);
    }

    [Fact]
    public async Task What_the_kernel_does_not_show_has_no_value_and_is_no_fault()
    {
        _clock.Facts = new ClockFacts(false, true, null) { IsRefused = true };
        await using var box = Box();

        var values = await ReadAsync(box);

        // The disk is the test's own.
        Assert.Equal(["storage_used", "storage_free"], values.Keys);
        Assert.Empty(box.Problems);
        string[] said = [.. box.NotShown().Select(n => $"{n.Input.Title}: {n.Why}")];
        Assert.StartsWith("temperature: no sensor is known to be the processor's; the computer shows none", said[0], StringComparison.Ordinal);
        Assert.StartsWith("power: the kernel shows neither get_throttled nor rpi_volt", said[1], StringComparison.Ordinal);
        Assert.Equal("memory: /proc/meminfo cannot be read", said[2]);
        Assert.Equal("card: what the store is on shows no life_time: only eMMC of version 5.0 and newer does", said[^2]);
    }

    [Fact]
    public async Task Nothing_at_all_is_a_refusal_with_its_reason()
    {
        await using var box = Box();
        Assert.Equal((QualityReason.DeviceException, 2), ((await box.ReadAsync(1, new(RegisterTable.InputRegister, 0, 2), new ushort[2], TimeSpan.FromSeconds(1), default)) is var reply ? (reply.Reason, reply.Detail) : default));
    }

    [Fact]
    public async Task A_sensor_that_goes_is_said_and_found_again_under_another_number()
    {
        _tree.File("sys/class/hwmon/hwmon0/name", "coretemp\n").File("sys/class/hwmon/hwmon0/temp1_input", "41000\n");
        await using var box = Box();
        Assert.Equal(41, (await ReadAsync(box))["cpu_temperature"]);

        // As the kernel answers for a device that is gone; a deleted file of a disk would go on being read.
        _tree.File("sys/class/hwmon/hwmon0/temp1_input", "").Remove("sys/class/hwmon/hwmon0");
        Assert.DoesNotContain("cpu_temperature", (await ReadAsync(box)).Keys);
        Assert.StartsWith("Bus box, temperature: it was shown before, and is no more", Assert.Single(box.Problems), StringComparison.Ordinal);

        _tree.File("sys/class/hwmon/hwmon3/name", "coretemp\n").File("sys/class/hwmon/hwmon3/temp1_input", "43000\n");
        Assert.DoesNotContain("cpu_temperature", (await ReadAsync(box)).Keys);
        _time.Advance(BoxHealth.LookAgain);
        Assert.Equal(43, (await ReadAsync(box))["cpu_temperature"]);
        Assert.Empty(box.Problems);
    }

    [Fact]
    public async Task The_sensor_can_be_named()
    {
        _tree.File("sys/class/hwmon/hwmon0/name", "lm75\n").File("sys/class/hwmon/hwmon0/temp1_input", "-12500\n");
        await using (var box = Box())
        {
            Assert.Equal("no sensor is known to be the processor's; name one as 'temperature': lm75", box.NotShown().First().Why);
        }

        await using (var box = Box(bus => bus with { TemperatureSensor = "lm76" }))
        {
            Assert.Equal("there is no sensor 'lm76'; name one as 'temperature': lm75", box.NotShown().First().Why);
        }

        await using (var box = Box(bus => bus with { TemperatureSensor = "lm75" }))
        {
            Assert.Equal(-12.5, (await ReadAsync(box))["cpu_temperature"]);
        }
    }

    [Theory]
    [InlineData("0x0b 0x0b\n", "0x03\n", 110, 110, 3)]
    [InlineData("0x0A 0x00\n", "0x02\n", 100, null, 1)]
    [InlineData("0x00 0x00\n", "0x00\n", null, null, null)]
    [InlineData("", "", null, null, null)]
    [InlineData("none\n", "0x77\n", null, null, null)]
    public async Task Card_wear_is_what_the_standard_defines_and_nothing_else(string life, string reserve, int? first, int? second, int? bits)
    {
        Card(life, reserve);
        await using var box = Box();
        var values = await ReadAsync(box);
        Assert.Equal((first, second, bits), (Of("storage_wear_1"), Of("storage_wear_2"), Of("storage_reserve")));

        int? Of(string point) => values.TryGetValue(point, out var value) ? (int)value : null;
    }

    [Fact]
    public async Task A_step_of_the_wall_clock_is_told_once()
    {
        await using var box = Box();
        Assert.DoesNotContain("clock_step", (await ReadAsync(box)).Keys);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0, (await ReadAsync(box))["clock_step"]);
        _time.Advance(TimeSpan.FromSeconds(30));
        _time.SetUtcNow(_time.GetUtcNow() + TimeSpan.FromMinutes(5));
        Assert.Equal(300, (await ReadAsync(box))["clock_step"]);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0, (await ReadAsync(box))["clock_step"]);
    }

    [Fact]
    public async Task A_clock_that_nobody_keeps_says_so_and_no_error_is_invented()
    {
        _clock.Facts = new ClockFacts(false, false, null) { Offset = TimeSpan.Zero };
        await using var box = Box();
        var values = await ReadAsync(box);
        Assert.Equal((0, false), (values["clock_synchronised"], values.ContainsKey("clock_error")));
    }

    [Fact]
    public async Task A_reading_allocates_nothing()
    {
        _tree.File("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n").File("sys/class/thermal/thermal_zone0/temp", "52582\n")
            .File("sys/devices/platform/soc/soc:firmware/get_throttled", "0\n")
            .File("sys/class/hwmon/hwmon1/name", "rpi_volt\n").File("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n")
            .File("proc/meminfo", "MemTotal: 948112 kB\nMemAvailable: 711084 kB\n").File("proc/loadavg", "0.4 0.3 0.2 1/1 1\n").File("proc/uptime", "9.9 9.9\n")
            .File("sys/class/watchdog/watchdog0/bootstatus", "0\n");
        Card("0x01 0x01\n", "0x01\n");
        await using var box = Box();
        var words = new ushort[Whole.Quantity];
        for (var i = 0; i < 100; i++)
        {
            await box.ReadAsync(1, Whole, words, TimeSpan.FromSeconds(1), default);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            await box.ReadAsync(1, Whole, words, TimeSpan.FromSeconds(1), default);
        }

        // The odd object of the runtime's own is not one for each reading.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
    }

    public void Dispose() => _tree.Dispose();

    /// <summary>The store is on the second partition of an eMMC.</summary>
    private void Card(string life, string reserve) => _tree
        .File("proc/self/mountinfo", "21 1 179:2 / / rw,relatime shared:1 - ext4 /dev/mmcblk0p2 rw\n22 21 0:20 / /proc rw - proc proc rw\n23 21 0:21 / /tm rw - tmpfs tmpfs rw\n")
        .Link("sys/dev/block/179:2", "sys/devices/platform/emmc/block/mmcblk0/mmcblk0p2")
        .File("sys/devices/platform/emmc/block/mmcblk0/mmcblk0p2/partition", "2\n")
        .File("sys/devices/platform/emmc/block/mmcblk0/stat", "    4242     100   900000     9000    77777     200  7340032    12345        0    11111    22222\n")
        .File("sys/devices/platform/emmc/block/mmcblk0/device/life_time", life)
        .File("sys/devices/platform/emmc/block/mmcblk0/device/pre_eol_info", reserve);

    private BoxHealth Box(Func<BoxBus, BoxBus>? change = null)
    {
        var model = new BoxBus { Id = "box", Timeout = TimeSpan.FromSeconds(1), Inputs = BoxBus.Everything, Disk = _tree.Root, Root = _tree.Root };
        return new BoxHealth(change?.Invoke(model) ?? model, _time, NullLogger.Instance, _clock);
    }

    /// <summary>The values that there are, decoded as the profile of the Raspberry Pi says.</summary>
    private static async Task<Dictionary<string, double>> ReadAsync(BoxHealth box)
    {
        var words = new ushort[Whole.Quantity];
        Assert.True((await box.ReadAsync(BoxBus.OnlyUnit, Whole, words, TimeSpan.FromSeconds(1), default)).IsGood);
        Dictionary<string, double> values = [];
        foreach (var point in BoxProfiles.RaspberryPi.Points)
        {
            if (RegisterCodec.Decode(point.Encoding, words.AsSpan(point.Encoding.Address), out var value, out _) == DecodeStatus.Ok)
            {
                values.Add(point.Id, value);
            }
        }

        return values;
    }

    private sealed class Clock : IClockSource
    {
        public ClockFacts Facts { get; set; } = new(true, false, TimeSpan.FromMilliseconds(20)) { Offset = TimeSpan.FromMilliseconds(-1) };

        public ClockFacts Read() => Facts;
    }
}
