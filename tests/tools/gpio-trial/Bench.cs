using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.GpioTrial;

/// <summary>The simulated hardware: what <c>hw</c> of tests/hardware-vm makes and drives.</summary>
internal static partial class Bench
{
    /// <summary>How long nothing comes when all has come.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(200);

    private const string Simulated = "/sys/kernel/config/gpio-sim";

    /// <summary>Makes the first chip, for which <c>hw</c> loads what is needed.</summary>
    /// <returns>Its device file.</returns>
    public static Task<string> MakeFirstChipAsync(string label, params string[] lines) => Programs.RunAsync(["hw", "gpio", label, .. lines]);

    /// <summary>Makes another chip, whose lines may have the names of others: <c>hw</c> knows a line by its name alone.</summary>
    public static void MakeChip(string label, params string[] lines)
    {
        var bank = Path.Combine(Simulated, label, "bank0");
        Directory.CreateDirectory(Path.Combine(Simulated, label));
        Directory.CreateDirectory(bank);
        File.WriteAllText(Path.Combine(bank, "num_lines"), Text(lines.Length));
        File.WriteAllText(Path.Combine(bank, "label"), label);
        for (var i = 0; i < lines.Length; i++)
        {
            var line = Path.Combine(bank, $"line{i}");
            Directory.CreateDirectory(line);
            File.WriteAllText(Path.Combine(line, "name"), lines[i]);
        }

        Plug(label, isIn: true);
    }

    /// <summary>Takes a chip out of the machine, or puts it back.</summary>
    public static void Plug(string label, bool isIn) => File.WriteAllText($"{Simulated}/{label}/live", isIn ? "1" : "0");

    /// <summary>The file that sets the level of a line of a chip that is there now.</summary>
    public static string Pull(string label, int line) => Path.Combine(Folder(label, line), "pull");

    /// <summary>The level on the wire.</summary>
    public static bool Level(string label, int line) => File.ReadAllText(Path.Combine(Folder(label, line), "value")).Trim() == "1";

    public static void SetLevel(string label, int line, bool isHigh) => File.WriteAllText(Pull(label, line), isHigh ? "pull-up" : "pull-down");

    /// <summary>Begins to send pulses. Returns as the first may already be there.</summary>
    /// <param name="pull">The line; several, in step, divided by commas.</param>
    /// <param name="count">How many.</param>
    /// <param name="hertz">How many in a second; 0 for as fast as can be.</param>
    /// <param name="more">Time high in microseconds, bounces, time of a bounce in microseconds.</param>
    public static Process Pulse(string pull, int count, int hertz, params int[] more) =>
        Programs.Start(["hw-pulse", pull, Text(count), Text(hertz), .. more.Select(Text)]);

    /// <summary>What a sender of pulses says that it has done.</summary>
    public static async Task<(int Pulses, double Seconds)> SentAsync(Process sender)
    {
        var said = await sender.StandardOutput.ReadToEndAsync();
        await sender.WaitForExitAsync();
        var match = Sent().Match(said);
        return match.Success
            ? (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), double.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"no pulses were sent: {said}");
    }

    /// <summary>Adds the events of lines to their counters until the senders have ended and nothing comes any more.</summary>
    public static async Task CountAsync(GpioLines lines, IReadOnlyList<EdgeCounter> counters, params Process[] senders)
    {
        var events = new GpioEvent[64];
        bool isOver;
        do
        {
            // On a machine that stands still now and then the time can be up although there are events.
            isOver = senders.All(sender => sender.HasExited);
            await lines.WaitAsync(Idle, CancellationToken.None);
        }
        while (Take(lines, counters, events) > 0 || !isOver);
    }

    /// <summary>Adds the events that are there to the counters of their lines.</summary>
    /// <returns>How many there were.</returns>
    public static int Take(GpioLines lines, IReadOnlyList<EdgeCounter> counters, GpioEvent[] events)
    {
        var all = 0;
        int count;
        do
        {
            count = lines.Read(events);
            all += count;
            for (var i = 0; i < count; i++)
            {
                counters[lines.IndexOf(events[i].Offset)].Add(events[i]);
            }
        }
        while (count == events.Length);
        return all;
    }

    private static string Folder(string label, int line)
    {
        var device = File.ReadAllText($"{Simulated}/{label}/dev_name").Trim();
        var chip = File.ReadAllText($"{Simulated}/{label}/bank0/chip_name").Trim();
        return $"/sys/devices/platform/{device}/{chip}/sim_gpio{line}";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"sent (\d+) pulses in ([\d.]+) s")]
    private static partial Regex Sent();
}
