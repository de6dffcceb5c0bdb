using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.GpioTrial;

/// <summary>Other programs on the same machine.</summary>
internal static class Others
{
    public const string Consumer = "other-program";

    /// <summary>Takes a line until the standard input ends.</summary>
    public static int Take(string line)
    {
        var place = GpioInventory.Read().Find(line);
        using var chip = GpioChip.Open(place.Chip);
        using var lines = chip.Request(new() { Consumer = Consumer, Lines = [new() { Offset = place.Line.Offset }] });
        Console.WriteLine("taken");
        Console.In.ReadToEnd();
        return 0;
    }

    /// <summary>Opens a chip, and says what it was told.</summary>
    public static int Open(string path)
    {
        try
        {
            using var chip = GpioChip.Open(path);
            Console.WriteLine($"opened {chip.Name}");
        }
        catch (GpioException refused)
        {
            Console.WriteLine($"{refused.Fault}: {refused.Message}");
        }

        return 0;
    }
}
