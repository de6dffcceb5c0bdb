using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Lines;

/// <summary>What <c>check</c> and <c>status</c> tell of GPIO lines beyond the configuration itself.</summary>
internal static class LineAdvice
{
    /// <summary>What a stop can cost each counter of a bus.</summary>
    /// <param name="bus">The bus; of one without GPIO lines there is nothing to say.</param>
    /// <param name="commitWindow">The site's commit window.</param>
    /// <param name="isKept">Whether somebody keeps the lines while the program is down; null when it is not running.</param>
    public static IEnumerable<string> For(BusModel bus, TimeSpan commitWindow, bool? isKept = null) =>
        bus is GpioBus lines
            ? lines.Inputs.OfType<GpioInput>().Where(i => i.Use == LineUse.Counter).Select(i => $"{i.Title} (unit {i.Unit}, input {i.Number}): {LineRules.Loss(i, commitWindow, isKept)}")
            : [];

    /// <summary>Lines of a bus that this computer does not have, or that another program has. On another computer than the gateway's that means nothing.</summary>
    /// <param name="bus">The bus; of one without GPIO lines there is nothing to say.</param>
    /// <param name="inventory">The chips there are; null to look.</param>
    public static IEnumerable<string> Missing(LocalBus bus, GpioInventory? inventory = null)
    {
        if (bus is not GpioBus lines || !OperatingSystem.IsLinux())
        {
            yield break;
        }

        inventory ??= GpioInventory.Read();
        if (inventory.Chips.Count == 0)
        {
            yield return "this computer has no GPIO chip. If it is the gateway's, is the device-tree overlay loaded?";
            yield break;
        }

        var places = new Dictionary<(string Chip, int Offset), string>();
        foreach (var place in lines.Inputs.OfType<GpioInput>().SelectMany(i => i.LineB is { } second ? new[] { i.Line, second } : [i.Line]))
        {
            string? problem = null;
            try
            {
                var found = KernelLines.Find(inventory, place);
                if (!places.TryAdd(found, place.Title))
                {
                    problem = $"{place.Title} and {places[found]} are the same line: a line has one owner";
                }
            }
            catch (GpioException e)
            {
                problem = $"on this computer, {e.Message}";
            }

            if (problem is not null)
            {
                yield return problem;
            }
        }
    }
}
