using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Bench.Hardware;

/// <summary>What runs in the virtual machine: makes a chip, sends pulses, and asks a counting program what it counted and what that took.</summary>
internal static partial class PulsesInside
{
    public const string Name = "hardware-pulses";
    public const string Counter = "hardware-count";
    public const string Ours = "EdgeGateway";
    public const string Peer = "C";

    private const string Line = "pulse";
    private const int WarmUp = 10_000;

    // As fast as can be is said by 0; a burst fits the kernel's buffer, so that it measures the edges and not how often the reader is let on the one processor.
    private const int Burst = 1000;
    private static readonly int[] Rates = [50, 200, 1000, 0];

    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);

    // All edges have been read when nothing came for so long; the machine may stand still for a while.
    private static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(500);

    /// <summary>The commands inside the machine; users have no use for them.</summary>
    public static IEnumerable<Command> Create()
    {
        var peer = new Argument<string>("peer");
        var seconds = new Argument<int>("seconds");
        var drive = new Command(Name) { peer, seconds };
        drive.Hidden = true;
        drive.SetAction((result, _) => DriveAsync(result.GetValue(peer)!, result.GetValue(seconds)));
        yield return drive;

        var line = new Argument<string>("line");
        var count = new Command(Counter) { line };
        count.Hidden = true;
        count.SetAction((result, cancel) => CountAsync(result.GetValue(line)!, cancel));
        yield return count;
    }

    private static async Task<int> DriveAsync(string peer, int seconds)
    {
        await RunAsync("hw", "gpio", "meters", Line).ConfigureAwait(false);
        foreach (var (program, file, arguments) in ((string, string, string[])[])[
            (Peer, peer, [Line]),
            (Ours, Environment.ProcessPath!, [typeof(PulsesInside).Assembly.Location, Counter, Line])])
        {
            using var counter = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
            if (await counter.StandardOutput.ReadLineAsync().ConfigureAwait(false) != "ready")
            {
                throw new InvalidOperationException($"{program} did not get the line.");
            }

            await SendAsync(WarmUp, 1000).ConfigureAwait(false);
            var before = await AskAsync(counter).ConfigureAwait(false);
            foreach (var rate in Rates)
            {
                var count = rate == 0 ? Burst : rate * seconds;
                var (sent, took) = await SendAsync(count, rate).ConfigureAwait(false);
                var after = await AskAsync(counter).ConfigureAwait(false);
                var lost = after.Lost - before.Lost;
                Console.WriteLine(new PulseFigure(program, rate, sent, took, after.Counted - before.Counted + (program == Peer ? lost : 0), lost, (after.Nanoseconds - before.Nanoseconds) / 1e9).Print());
                before = after;
            }

            counter.StandardInput.Close();
            await counter.WaitForExitAsync().ConfigureAwait(false);
        }

        return 0;
    }

    /// <summary>The gateway's way to count: what the C program does, with the library.</summary>
    private static async Task<int> CountAsync(string name, CancellationToken cancel)
    {
        var place = GpioInventory.Read().Find(name);
        using var chip = GpioChip.Open(place.Chip);
        using var line = chip.Request(new GpioLineRequest
        {
            Consumer = "bench",
            Lines = [new() { Offset = place.Line.Offset, Edges = GpioEdges.Rising }],
            EventBufferSize = GpioLineRequest.MaxEventBuffer,
        });
        var counter = new EdgeCounter(TimeSpan.Zero);
        counter.Requested();
        var events = new GpioEvent[64];

        // As LineWatch does it: the kernel keeps edges with their times, so they are fetched in batches.
        using var rest = new Alarm(TimeProvider.System);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var asked = Task.Run(
            async () =>
            {
                while (await Console.In.ReadLineAsync(cancel).ConfigureAwait(false) is not null)
                {
                    var state = counter.State;
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{state.Count} {state.Lost} {Environment.CpuUsage.TotalTime.Ticks * 100}"));
                }

                await ended.CancelAsync().ConfigureAwait(false);
            },
            cancel);
        Console.WriteLine("ready");
        try
        {
            while (true)
            {
                await line.WaitAsync(Timeout.InfiniteTimeSpan, ended.Token).ConfigureAwait(false);
                for (int count; (count = line.Read(events)) > 0;)
                {
                    for (var i = 0; i < count; i++)
                    {
                        counter.Add(events[i]);
                    }
                }

                await rest.WaitAsync(Rest).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            await asked.ConfigureAwait(false);
            return 0;
        }
    }

    /// <summary>What a counter counted, when nothing comes any more.</summary>
    private static async Task<(long Counted, long Lost, long Nanoseconds)> AskAsync(Process counter)
    {
        await Task.Delay(Settled, TimeProvider.System).ConfigureAwait(false);
        await counter.StandardInput.WriteLineAsync().ConfigureAwait(false);
        await counter.StandardInput.FlushAsync().ConfigureAwait(false);
        var said = await counter.StandardOutput.ReadLineAsync().ConfigureAwait(false) ?? throw new InvalidOperationException("A counter ended early.");
        var numbers = said.Split(' ').Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return (numbers[0], numbers[1], numbers[2]);
    }

    private static async Task<(long Sent, double Seconds)> SendAsync(int count, int hertz)
    {
        var said = await RunAsync("hw", "pulse", Line, count.ToString(CultureInfo.InvariantCulture), hertz.ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false);
        var match = Sent().Match(said);
        return match.Success
            ? (long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), double.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"No pulses were sent: {said}");
    }

    /// <summary>Runs a program to its end, and returns what it printed.</summary>
    public static async Task<string> RunAsync(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true })!;
        var said = await process.StandardOutput.ReadToEndAsync().ConfigureAwait(false);
        await process.WaitForExitAsync().ConfigureAwait(false);
        return process.ExitCode == 0 ? said : throw new InvalidOperationException($"{file} failed with {process.ExitCode}: {said}");
    }

    [GeneratedRegex(@"sent (\d+) pulses in ([\d.]+) s")]
    private static partial Regex Sent();
}
