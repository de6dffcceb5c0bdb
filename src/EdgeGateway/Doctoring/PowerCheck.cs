using System.Globalization;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols;

namespace EdgeGateway.Doctoring;

/// <summary>The supply of a Raspberry Pi, and whether the watchdog had to start the computer anew.</summary>
internal static class PowerCheck
{
    // get_throttled of the firmware: 0 the supply is too low, 1 the frequency is capped, 2 throttled, 3 near the temperature limit; from 16 on "has happened".
    private const int Low = 1 << 0;
    private const int Slowed = (1 << 1) | (1 << 2) | (1 << 3);
    private const int WasLow = Low << 16;
    private const int WasSlowed = Slowed << 16;
    private const string Supply = "Use the supply that the board's maker names (5.1 V at the board under load), short thick wires, and take USB devices off that draw much: a low supply spoils cards";
    private const string Cool = "Give the board air or a heat sink; a low supply slows it too";

    // linux/watchdog.h: WDIOF_CARDRESET, the last start was the watchdog's.
    private const int ByWatchdog = 0x20;

    public static IEnumerable<Finding> Look(Patient patient)
    {
        var alarm = Patient.Number(patient.Places.UnderVoltage());
        var word = KernelText.Read(patient.Places.Throttled);
        int? flags = int.TryParse(word?.Replace("0x", "", StringComparison.Ordinal), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;
        var bits = flags ?? 0;
        if (flags is null && alarm is null)
        {
            yield return Finding.NotChecked($"Supply: {patient.WhyNotShown(BoxSubject.Power) ?? "the firmware's word cannot be read"}");
        }
        else if (alarm > 0 || (bits & Low) != 0)
        {
            yield return Finding.Fault("The supply is too low now", Supply);
        }
        else if ((bits & WasLow) != 0)
        {
            yield return Finding.Warning("The supply was too low since the start", Supply);
        }
        else if ((bits & Slowed) != 0)
        {
            yield return Finding.Warning($"The processor is slowed down now (get_throttled 0x{bits:x})", Cool);
        }
        else if ((bits & WasSlowed) != 0)
        {
            yield return Finding.Notice($"The processor was slowed down since the start (get_throttled 0x{bits:x})", Cool);
        }
        else
        {
            yield return Finding.Ok("The supply is good, the processor is not slowed down");
        }

        foreach (var place in patient.Places.BootStatus().Take(1))
        {
            if (((Patient.Number(place) ?? 0) & ByWatchdog) != 0)
            {
                yield return Finding.Warning("The watchdog had to start the computer anew", "See what came before in the log of the start before this one (`journalctl -b -1 -n 200`; kept only where the journal is persistent)");
            }
        }
    }
}
