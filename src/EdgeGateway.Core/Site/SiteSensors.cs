using System.Text.RegularExpressions;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Resolves the inputs of a sensors bus. A channel is read at one place, so none may appear twice.</summary>
/// <param name="problems">Takes what is wrong.</param>
/// <param name="owners">Who owns what, of all buses.</param>
internal sealed partial class SiteSensors(ProblemCollector problems, Dictionary<string, string> owners)
{
    // By sensor: whether its channel is captured.
    private readonly Dictionary<string, bool> _isCaptured = new(StringComparer.Ordinal);

    /// <summary>Resolves one input; null when it cannot, which is reported.</summary>
    public SensorInput? Input(Section section, byte unit, int number)
    {
        if (section.Text("device") is not { } device || section.Text("channel") is not { } channel || SensorMeasure.All.FirstOrDefault(m => m.Word == section.Text("measures")) is not { } measure)
        {
            return null;
        }

        if (KernelNumber().IsMatch(device))
        {
            problems.Error(section.At("device"), $"'{device}' is a number that the kernel gives anew at each start", "Write what stays: the label, the address such as 'i2c 1-0048', or the chip; 'edgegateway scan --sensors' lists them");
        }

        if (!owners.TryAdd($"sensor:{device}/{channel}", $"input {number} of unit {unit}"))
        {
            problems.Error(section.At("channel"), $"{channel} of {device} is {owners[$"sensor:{device}/{channel}"]} already", "Name each channel once; several points may read one input");
        }

        var shunt = section.Number("shunt");
        if (shunt is not null && measure.Word != "current")
        {
            problems.Error(section.At("shunt"), $"a shunt makes a current of a voltage, and the input shows {measure.Word}", "Write 'measures: current', or remove 'shunt'");
        }
        else if (shunt is < 1 or > 10_000)
        {
            problems.Error(section.At("shunt"), $"a shunt of {shunt} ohms is not possible", "Write its ohms, 1 to 10000; 100 to 250 suits a 4-20 mA loop");
        }

        var capture = section.Block("capture", GatewayShape.SensorCapture);
        if ((!_isCaptured.TryAdd(device, capture.IsPresent)) && (capture.IsPresent || _isCaptured[device]))
        {
            problems.Error(section.At("channel"), $"a channel of {device} is captured, and the kernel refuses to read the others meanwhile", "Capture none of them, or give the channel a converter of its own");
        }

        return new()
        {
            Unit = unit,
            Number = number,
            Device = device,
            Channel = channel,
            Measure = measure,
            ShuntOhms = (double?)shunt,
            Trigger = capture.Text("trigger"),
            MainsHertz = capture.Text("mains") == "60Hz" ? 60 : 50,
        };
    }

    [GeneratedRegex("^(iio:device|hwmon)[0-9]+$")]
    private static partial Regex KernelNumber();
}
