using EdgeGateway.Protocols.Sensors;

namespace EdgeGateway.SensorTrial;

/// <summary>What is tried; each prints the facts that it found, and the tests judge them.</summary>
internal static class Trials
{
    private const string Thermometer = "0x48";
    private const string Converter = "0x49";
    private const string Other = "0x4a";

    // Both registers hold 16 bits, high byte first: 21.5 °C of 1/256 degree, and 6400 counts of 62.5 uV.
    private const string Mild = "15 80";
    private const string FourTenths = "19 00";

    // 4320 counts: 0.27 V, which over 75 ohm are 3.6 mA.
    private const string TooLow = "10 e0";

    public static async Task RunAsync()
    {
        var bus = await HwAsync("i2c", $"{Thermometer}:2", $"{Converter}:2", $"{Other}:2");
        await PokeAsync(Thermometer, Mild);
        await PokeAsync(Converter, FourTenths);
        await HwAsync("i2c-driver", Thermometer, "lm75");
        await HwAsync("i2c-driver", Converter, "ads1115");
        await Trial.TryAsync("sensor-inventory", () => Inventory(bus));
        await Trial.TryAsync("sensor-read", () => Read(bus));
        await Trial.TryAsync("sensor-no-answer", () => NoAnswerAsync(bus));
        await Trial.TryAsync("sensor-unplugged", () => UnpluggedAsync(bus));
        await Trial.TryAsync("sensor-capture", () => CaptureAsync(bus));
        await Trial.TryAsync("sensor-capture-several", CaptureSeveralAsync);
        await Trial.TryAsync("sensor-gateway", () => GatewayAsync(bus));
    }

    private static string Inventory(string bus)
    {
        var inventory = SensorInventory.Read();
        return Trial.Facts(
            ("devices", string.Join(",", inventory.Devices.Where(d => d.Address.StartsWith("i2c", StringComparison.Ordinal)).Select(d => $"{d.Interface}/{d.Name}/{d.Address}"))),
            ("bus", bus),
            ("channels", string.Join(",", inventory.Find($"i2c {bus}-0049", "in_voltage0").Device.Channels.Select(c => $"{c.Id}:{c.Quantity}"))),
            ("numbered", Refusal(() => inventory.Find("hwmon0", "temp1"))));
    }

    private static string Read(string bus)
    {
        using var thermometer = new Sensor($"{bus}-0048", "temp1");
        using var converter = new Sensor($"{bus}-0049", "in_voltage0");
        var (degrees, volts) = (thermometer.Read(), converter.Read());
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            thermometer.Read();
            converter.Read();
        }

        return Trial.Facts(
            ("degrees", degrees.Value), ("degrees-status", degrees.Status), ("volts", volts.Value), ("volts-status", volts.Status),
            ("bytes", GC.GetAllocatedBytesForCurrentThread() - before));
    }

    private static async Task<string> NoAnswerAsync(string bus)
    {
        using var thermometer = new Sensor($"{bus}-0048", "temp1");
        var before = thermometer.Read().Status;
        await HwAsync("i2c-fault", Thermometer, "100");
        var refused = thermometer.Read().Status;
        var words = thermometer.Problem;
        await HwAsync("i2c-fault", Thermometer, "0");
        return Trial.Facts(("before", before), ("refused", refused), ("words", words), ("after", thermometer.Read().Value), ("problem", thermometer.Problem));
    }

    private static async Task<string> UnpluggedAsync(string bus)
    {
        using var thermometer = new Sensor($"{bus}-0048", "temp1");
        using var taken = new CancellationTokenSource();
        var statuses = new List<SensorStatus>();
        var words = new List<string>();
        var began = new TaskCompletionSource();

        // Reads without a pause, so that the sensor goes while it is read.
        var reading = Task.Run(() =>
        {
            while (statuses.Count == 0 || statuses[^1] != SensorStatus.NotFound)
            {
                var status = thermometer.Read().Status;
                began.TrySetResult();
                if (statuses.Count == 0 || statuses[^1] != status)
                {
                    statuses.Add(status);
                    words.Add(thermometer.Problem);
                }
            }
        });
        await began.Task;
        File.WriteAllText($"/sys/bus/i2c/devices/i2c-{bus}/delete_device", Thermometer);
        await reading;

        // Plugged in again behind another that takes its number.
        var number = SensorInventory.Read().Devices.Count(d => d.Interface == SensorInterface.Hwmon);
        File.WriteAllText($"/sys/bus/i2c/devices/i2c-{bus}/new_device", $"lm75 {Other}");
        File.WriteAllText($"/sys/bus/i2c/devices/i2c-{bus}/new_device", $"lm75 {Thermometer}");
        return Trial.Facts(
            ("statuses", string.Join(",", statuses)), ("gone", words[^2]), ("not-found", words[^1]), ("left", number),
            ("back", thermometer.Read().Value), ("folder", SensorInventory.Read().Find($"{bus}-0048", "temp1").Device.Number));
    }

    // A timer of the kernel takes samples of the converter.
    private static async Task<string> CaptureAsync(string bus)
    {
        const string Timer = "/sys/kernel/config/iio/triggers/hrtimer/loop";
        await Programs.RunAsync("sh", "-c", $"modprobe iio-trig-hrtimer; [ -d /sys/kernel/config/iio ] || mount -t configfs configfs /sys/kernel/config; mkdir {Timer}");
        var trigger = Directory.GetDirectories("/sys/bus/iio/devices", "trigger*").First(t => File.ReadAllText(Path.Combine(t, "name")).Trim() == "loop");
        await File.WriteAllTextAsync(Path.Combine(trigger, "sampling_frequency"), "50");
        var device = SensorInventory.Read().Find($"{bus}-0049", "in_voltage0").Device;
        using var single = new Sensor($"{bus}-0049", "in_voltage0");
        var values = new double[64];
        var times = new long[64];
        var count = 0;
        SensorStatus meanwhile;
        using (var capture = IioCapture.Start(device, ["in_voltage0"], "loop", 64))
        {
            while (count < 20 && capture.Wait(TimeSpan.FromSeconds(10)))
            {
                count += capture.Read(values.AsSpan(count), times.AsSpan(count));
            }

            meanwhile = single.Read().Status;
        }

        using var captured = new CapturedSensor($"{bus}-0049", "in_voltage0", "loop", 50);
        var (reading, next) = (Patiently(captured), Patiently(captured));
        captured.Dispose();

        var gaps = Enumerable.Range(1, count - 1).Select(i => times[i] - times[i - 1]).ToArray();
        return Trial.Facts(
            ("count", count), ("least", values.Take(count).Min()), ("most", values.Take(count).Max()), ("rising", gaps.All(gap => gap > 0)),
            ("mean", Math.Round(MainsMean.Of(values.AsSpan(0, count), times.AsSpan(0, count), 50), 9)), ("meanwhile", meanwhile), ("captured", Math.Round(reading.Value, 9)), ("problem", captured.Problem), ("next", Math.Round(next.Value, 9)), ("after", single.Read().Status));
    }

    // On a machine that stands still now and then no sample may come for a while.
    private static SensorReading Patiently(CapturedSensor sensor)
    {
        SensorReading reading;
        var tries = 0;
        do
        {
            reading = sensor.Read();
        }
        while (!reading.HasValue && ++tries < 20);
        return reading;
    }

    // The kernel's dummy device has values of several sizes; each writing of trigger_now takes one scan.
    private static async Task<string> CaptureSeveralAsync()
    {
        await HwAsync("iio-dummy", "demo");
        await Programs.RunAsync("modprobe", "iio-trig-sysfs");
        await File.WriteAllTextAsync("/sys/bus/iio/devices/iio_sysfs_trigger/add_trigger", "0");
        var trigger = Directory.GetDirectories("/sys/bus/iio/devices", "trigger*").First(t => File.Exists(Path.Combine(t, "trigger_now")));
        var device = SensorInventory.Read().Find("demo", "in_voltage0").Device;
        using var capture = IioCapture.Start(device, ["in_voltage1-voltage2", "in_voltage0"], (await File.ReadAllTextAsync(Path.Combine(trigger, "name"))).Trim(), 16);
        var values = new double[8];
        var times = new long[4];
        var count = 0;
        for (var i = 0; i < 3; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(trigger, "trigger_now"), "1");
            capture.Wait(TimeSpan.FromSeconds(10));
            count += capture.Read(values.AsSpan(2 * count), times.AsSpan(count));
        }

        var busy = Refusal(() => IioCapture.Start(device, ["in_voltage0"], null, 16));
        capture.Dispose();
        return Trial.Facts(
            ("count", count), ("values", string.Join(",", values.Take(2 * count).Select(v => Math.Round(v, 9)))), ("rising", times[0] > 0 && times[0] < times[1] && times[1] < times[2]),
            ("busy", busy), ("refused", Refusal(() => IioCapture.Start(device, ["in_voltage0"], "nobody", 16))));
    }

    private static async Task<string> GatewayAsync(string bus)
    {
        var yaml = Path.Combine(Path.GetTempPath(), "gateway.yaml");
        await File.WriteAllTextAsync(yaml, $$"""
            schema: edgegateway/gateway/1
            site: { id: shaft-3, timezone: Asia/Shanghai, region: CN-SX }
            gateway: { id: gw-01 }
            buses:
              - id: sensors
                type: sensors
                inputs:
                  - { unit: 2, device: {{bus}}-0049, channel: in_voltage0, measures: current, shunt: 75 }
            devices:
              - { id: belt, profile: generic-sensor-4-20ma, bus: sensors, unit: 2 }
            """);
        await PokeAsync(Converter, TooLow);
        return Trial.Facts(("loop", (await Programs.EndAsync(Programs.StartGateway("read", "belt", "--json", "--config", yaml))).Said));
    }

    private static string Refusal(Func<object> act) => Trial.Refusal<SensorException>(() => act(), refused => $"{refused.Fault}: {refused.Message}");

    private static Task<string> PokeAsync(string address, string bytes) => HwAsync(["i2c-poke", address, "0", .. bytes.Split(' ')]);

    private static Task<string> HwAsync(params string[] arguments) => Programs.RunAsync(["hw", .. arguments]);
}
