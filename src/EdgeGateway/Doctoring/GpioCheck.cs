using EdgeGateway.Core.Site;
using EdgeGateway.Lines;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Doctoring;

/// <summary>The GPIO chips, and the lines that the configuration takes of them, in the words of <c>edgegateway check</c>. No line is taken.</summary>
internal static class GpioCheck
{
    public static IEnumerable<Finding> Look(Patient patient)
    {
        var buses = patient.Site?.Model.Buses.OfType<GpioBus>().ToArray() ?? [];
        if (!OperatingSystem.IsLinux() || !Directory.Exists(patient.At("dev")))
        {
            yield return Finding.NotChecked("GPIO chips: there is no /dev here");
            yield break;
        }

        var inventory = GpioInventory.Read(patient.At("dev"));
        var isWell = true;
        foreach (var bus in buses)
        {
            foreach (var missing in LineAdvice.Missing(bus, inventory))
            {
                isWell = false;
                yield return Finding.Fault($"Bus {bus.Id} cannot have its lines", missing);
            }
        }

        if (buses.Length == 0)
        {
            yield return Finding.Ok($"No bus is on GPIO lines; {(inventory.Chips.Count == 0 ? "there is no chip here" : $"there are {string.Join(", ", inventory.Chips.Select(c => c.Title))}")}");
        }
        else if (isWell)
        {
            yield return Finding.Ok($"All lines are there, on {string.Join(", ", inventory.Chips.Select(c => c.Title))}");
        }
    }
}
