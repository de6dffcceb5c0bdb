using System.Text;
using EdgeGateway.Box;
using EdgeGateway.Commands;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols;

namespace EdgeGateway.Doctoring;

/// <summary>How worn the eMMC is, and what the gateway writes to it.</summary>
internal static class WearCheck
{
    private const string Replace = "Plan to replace the storage: back the configuration and the store up first";

    public static IEnumerable<Finding> Look(Patient patient)
    {
        var disk = patient.Places.DiskOf(patient.Storage);

        // JESD84-B51: DEVICE_LIFE_TIME_EST, n stands for at most 10 n %, 11 for more than the life that was estimated; PRE_EOL_INFO 2 for 80 % of the reserve used, 3 for urgent.
        var life = disk is null ? null : KernelText.Read(Path.Combine(disk, "device/life_time"));
        var worn = Math.Max(Tenths(life, 0), Tenths(life, 1));
        var reserve = disk is null ? null : Patient.Number(Path.Combine(disk, "device/pre_eol_info"));
        if (worn == 0 && reserve is null or 0)
        {
            yield return Finding.NotChecked($"Wear: {patient.WhyNotShown(BoxSubject.Card) ?? "the disk does not say how worn it is"}");
        }

        if (worn > 0)
        {
            yield return Finding.Marked(worn * 10, 80, 100, worn > 10 ? "The storage has outlived the life that its maker estimated" : $"At most {worn * 10} % of the life of the storage are used", Replace);
        }

        if (reserve is 2 or 3)
        {
            yield return reserve == 3 ? Finding.Fault("The reserve blocks of the storage are nearly used up (urgent)", Replace) : Finding.Warning("80 % of the reserve blocks of the storage are used", Replace);
        }

        if (patient.Status?.Storage?.WrittenBytesPerDay is { } day)
        {
            yield return Finding.Ok($"The gateway writes {Words.Bytes(day)} a day at its present pace");
        }
    }

    private static long Tenths(string? life, int place) =>
        life is not null && KernelFile.TryParse(KernelFile.Word(Encoding.ASCII.GetBytes(life), place), out var tenths) && tenths is >= 1 and <= 11 ? tenths : 0;
}
