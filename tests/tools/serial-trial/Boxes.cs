using EdgeGateway.Box;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.SerialTrial;

/// <summary>The health of the virtual machine, as the real kernel shows it.</summary>
internal static class Boxes
{
    public const string Sensor = "lm75";
    public const string Disk = "/tmp/disk";

    private const string Address = "0x48";
    private const int Registers = 101;

    private static readonly ReadRequest Whole = new(RegisterTable.InputRegister, 0, Registers);

    /// <summary>Reads while nothing happens, after the disk was written to and the clock was set, while the sensor does not answer, and when it is back.</summary>
    public static async Task<string> ReadAsync()
    {
        await Programs.RunAsync("hw", "i2c", $"{Address}:2");
        await Programs.RunAsync("hw", "i2c-poke", Address, "0", "19", "80");
        await Programs.RunAsync("hw", "i2c-driver", Address, Sensor);
        await Programs.RunAsync("hw", "watchdog");
        foreach (var module in (string[])["virtio_blk", "ext4"])
        {
            await Programs.RunAsync("modprobe", module);
        }

        await Programs.UntilAsync(() => File.Exists("/dev/vda"));
        await Programs.RunAsync("mke2fs", "-q", "-t", "ext4", "/dev/vda");
        Directory.CreateDirectory(Disk);
        await Programs.RunAsync("mount", "-t", "ext4", "/dev/vda", Disk);
        var model = new BoxBus { Id = "box", Timeout = TimeSpan.FromSeconds(1), Inputs = BoxBus.Everything, TemperatureSensor = Sensor, Disk = Disk };
        await using var box = new BoxHealth(model, TimeProvider.System, NullLogger.Instance);
        var first = await ReadAsync(box);
        await File.WriteAllBytesAsync($"{Disk}/much", new byte[4 << 20]);
        await Programs.RunAsync("sync");
        await Programs.RunAsync("date", "-s", "+1 hour");
        var second = await ReadAsync(box);

        // Not the driver's cached value: it asks the chip again after a while.
        await Programs.RunAsync("hw", "i2c-fault", Address, "1000");
        var isGone = await Programs.UntilAsync(async () => double.IsNaN((await ReadAsync(box))[BoxSubject.Temperature, BoxInput.Processor]));
        var said = string.Join(" | ", box.Problems);
        await Programs.RunAsync("hw", "i2c-fault", Address, "0");
        var isBack = await Programs.UntilAsync(async () => !double.IsNaN((await ReadAsync(box))[BoxSubject.Temperature, BoxInput.Processor]));
        return Trial.Facts(
            ("temperature", first[BoxSubject.Temperature, BoxInput.Processor]),
            ("memory", first[BoxSubject.Memory, BoxInput.Used]),
            ("used", first[BoxSubject.Storage, BoxInput.Used]),
            ("used-after", second[BoxSubject.Storage, BoxInput.Used]),
            ("written", second[BoxSubject.Storage, BoxInput.Written] - first[BoxSubject.Storage, BoxInput.Written]),
            ("synchronised", first[BoxSubject.Clock, BoxInput.Synchronised]),
            ("step", second[BoxSubject.Clock, BoxInput.Step]),
            ("wear", first[BoxSubject.Card, BoxInput.WearA]),
            ("load", first[BoxSubject.Operation, BoxInput.Load]),
            ("uptime", first[BoxSubject.Operation, BoxInput.Uptime]),
            ("boot-status", first[BoxSubject.Operation, BoxInput.BootStatus]),
            ("not-shown", string.Join(" | ", box.NotShown().Select(n => $"{n.Input.Title}: {n.Why}"))),
            ("gone", isGone),
            ("said", said),
            ("back", isBack),
            ("after", string.Join(" | ", box.Problems)));
    }

    private static async Task<Values> ReadAsync(BoxHealth box)
    {
        var words = new ushort[Registers];
        await box.ReadAsync(BoxBus.OnlyUnit, Whole, words, TimeSpan.FromSeconds(1), CancellationToken.None);
        return new(words);
    }

    /// <summary>What a reading brought; NaN for what has no value.</summary>
    private sealed class Values(ushort[] words)
    {
        public double this[BoxSubject subject, string name]
        {
            get
            {
                var input = BoxBus.Everything[(int)subject - 1];
                var field = input.Layout.Fields.First(f => f.Name == name);
                var encoding = field.Encoding with { Invalid = field.Encoding.IsStepped ? [field.Absent] : [] };
                return RegisterCodec.Decode(encoding, words.AsSpan(input.Address + field.Offset), out var value, out _) == DecodeStatus.Ok ? value : double.NaN;
            }
        }
    }
}
