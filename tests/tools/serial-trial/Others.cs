using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.SerialTrial;

/// <summary>Other programs on the same machine.</summary>
internal static class Others
{
    /// <summary>Has a port until the standard input ends.</summary>
    public static async Task<int> HoldAsync(string path)
    {
        await using var port = SerialPort.Open(path, new SerialSettings());
        Console.WriteLine("held");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>Opens a port, and says what it was told.</summary>
    public static async Task<int> OpenAsync(string path)
    {
        try
        {
            await using var port = SerialPort.Open(path, new SerialSettings());
            Console.WriteLine("opened");
        }
        catch (SerialPortException refused)
        {
            Console.WriteLine(refused.Message);
        }

        return 0;
    }
}
