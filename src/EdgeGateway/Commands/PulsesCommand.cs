using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeGateway.Core.Site;
using EdgeGateway.Lines;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway pulses</c>: how many pulses a second this computer counts without losing one, by a wire from an output to an input.</summary>
internal static class PulsesCommand
{
    private const double FastestMeter = 50;

    private static readonly double[] Ladder = [10, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

    public static Command Create()
    {
        var from = new Option<string>("--from") { Description = "The output line that drives the wire: CHIP/NUMBER, such as gpiochip0/17, or the name of the line. Nothing else may be connected to it.", HelpName = "LINE", Required = true };
        var to = new Option<string>("--to") { Description = "The input line at the other end of the wire.", HelpName = "LINE", Required = true };
        var rate = new Option<double?>("--rate") { Description = "Pulses a second. Without it: 10 to 10,000, step by step.", HelpName = "HZ" };
        var need = new Option<double>("--need") { Description = "Up to here every pulse must count: the fastest S0 meter makes 50 a second.", HelpName = "HZ", DefaultValueFactory = _ => FastestMeter };
        var seconds = new Option<double>("--seconds") { Description = "Length of each step.", HelpName = "N", DefaultValueFactory = _ => 2 };
        foreach (var number in new Option[] { rate, need, seconds })
        {
            number.Validators.Add(result =>
            {
                if (result.Tokens is [{ Value: var text }] && (!double.TryParse(text, CultureInfo.InvariantCulture, out var value) || value is not (> 0 and <= 100_000)))
                {
                    result.AddError($"{number.Name} takes a number above 0, at most 100000.");
                }
            });
        }

        var json = CommonOptions.Json();
        var command = new Command(
            "pulses",
            """
            Make pulses on one GPIO line and count them on another that a wire connects with it, as a pulse counter does. Says how many a second count
            without a loss. THE OUTPUT IS DRIVEN: connect the wire between the two lines and nothing else (a resistor of 1 kOhm in it protects both).
            Lines that a running gateway has are refused by the kernel. Exit code 0: every pulse up to --need counted; 1: not, or a line cannot be had; 2: the command line.
            """) { from, to, rate, need, seconds, json };
        command.SetAction((result, cancel) => RunAsync(
            result.GetValue(from)!, result.GetValue(to)!, result.GetValue(rate), result.GetValue(need), result.GetValue(seconds), result.GetValue(json), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string from, string to, double? rate, double need, double seconds, bool json, CancellationToken cancel)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Terminal.Fail("GPIO lines are only to be had on Linux.", Terminal.BadInput);
        }

        List<LoopBackCount> counts = [];
        try
        {
            var inventory = GpioInventory.Read();
            using var output = Request(inventory, from, new GpioLineSettings { Offset = 0, Direction = GpioDirection.Output });
            using var input = Request(inventory, to, new GpioLineSettings { Offset = 0, Bias = GpioBias.PullDown, Edges = GpioEdges.Rising });
            var loop = new LoopBack(output, input, TimeProvider.System);
            foreach (var hertz in rate is { } one ? [one] : Ladder)
            {
                var count = await loop.RunAsync(hertz, (int)Math.Max(1, hertz * seconds), cancel).ConfigureAwait(false);
                counts.Add(count);
                if (!json)
                {
                    Console.WriteLine(Text(count));
                }

                if (!count.IsWhole || cancel.IsCancellationRequested)
                {
                    break;
                }
            }
        }
        catch (IOException e)
        {
            return Terminal.Fail(e.Message);
        }

        var highest = counts.Where(c => c.IsWhole).Select(c => Math.Min(c.Hertz, c.Reached)).DefaultIfEmpty(0).Max();
        var isEnough = counts.TrueForAll(c => c.IsWhole || c.Hertz > need) && (rate is not null || highest >= Math.Min(need, Ladder[^1]) * 0.95);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new PulsesDocument(isEnough, highest, [.. counts.Select(c => new PulsesStepDocument(c.Hertz, c.Reached, c.Sent, c.Counted, c.Dropped, c.Lost, c.Doubled))]), PulsesJson.Default.PulsesDocument));
        }
        else
        {
            Console.WriteLine(highest > 0
                ? string.Create(CultureInfo.InvariantCulture, $"Every pulse counted up to {highest:F0} a second; {need:F0} are needed.")
                : "No step without a loss: is the wire connected, and the right way round? The output is the first line, the input the second.");
        }

        return isEnough ? Terminal.Success : Terminal.Failure;
    }

    private static string Text(LoopBackCount count) => string.Create(
        CultureInfo.InvariantCulture,
        $"{count.Hertz,6:F0} Hz (reached {count.Reached:F0}): {count.Sent} sent, {count.Counted} counted, {count.Dropped} dropped by the kernel's buffer, {count.Lost} lost, {count.Doubled} doubled");

    private static KernelLines.Held Request(GpioInventory inventory, string line, GpioLineSettings settings)
    {
        var place = line.Split('/') is [var chipName, var number] && int.TryParse(number, CultureInfo.InvariantCulture, out var offset)
            ? new LinePlace(null, chipName, offset)
            : new LinePlace(line, null, null);
        var (path, found) = KernelLines.Find(inventory, place);
        using var chip = GpioChip.Open(path);
        return new(chip.Request(new GpioLineRequest
        {
            Consumer = $"{LineRules.Consumer}-pulses",
            Lines = [settings with { Offset = found }],
            EventBufferSize = settings.Edges == GpioEdges.None ? 0 : GpioLineRequest.MaxEventBuffer,
        }));
    }
}

/// <summary>What <c>edgegateway pulses --json</c> prints.</summary>
/// <param name="IsEnough">Whether every pulse up to the needed rate counted.</param>
/// <param name="Highest">The highest rate without a loss, in pulses a second; 0 for none.</param>
/// <param name="Steps">The steps that were tried.</param>
internal sealed record PulsesDocument(bool IsEnough, double Highest, IReadOnlyList<PulsesStepDocument> Steps);

/// <summary>One step.</summary>
/// <param name="Hertz">Pulses a second that were wanted.</param>
/// <param name="Reached">Pulses a second that were made.</param>
/// <param name="Sent">Pulses that were made.</param>
/// <param name="Counted">Pulses that were read.</param>
/// <param name="Dropped">Pulses that the kernel's buffer had no room for, known by their numbers.</param>
/// <param name="Lost">Pulses of which nothing is known.</param>
/// <param name="Doubled">Pulses that came without being made.</param>
internal sealed record PulsesStepDocument(double Hertz, double Reached, int Sent, long Counted, long Dropped, long Lost, long Doubled);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(PulsesDocument))]
internal sealed partial class PulsesJson : JsonSerializerContext;
