using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Scanning;

/// <summary>
/// Asks units on one bus, without ever writing: function codes 1 to 4, 17 and 43/14. Behind it stands a client of the scan's own, or the
/// running gateway, which asks between two polls.
/// </summary>
internal interface IProbe : IAsyncDisposable
{
    /// <summary>Reads one table.</summary>
    ValueTask<ModbusOutcome> ReadAsync(
        byte unit, RegisterTable table, ushort address, int quantity, Memory<ushort> words, TimeSpan timeout, CancellationToken cancel);

    /// <summary>Asks what a unit says of itself, by functions 43/14 and 17; empty when it says nothing.</summary>
    ValueTask<DeviceNames> NamesAsync(byte unit, TimeSpan timeout, CancellationToken cancel);

    /// <summary>Whole answers that came when they were no longer awaited, so far; 0 when that cannot be known.</summary>
    long LateAnswers { get; }
}

/// <summary>What a unit says of itself.</summary>
/// <param name="Identification">Texts of function 43/14: vendor, product code, revision, and more.</param>
/// <param name="ServerId">Text of function 17; empty when it is not answered.</param>
public sealed record DeviceNames(IReadOnlyList<string> Identification, string ServerId)
{
    /// <summary>Nothing is said.</summary>
    public static readonly DeviceNames None = new([], "");

    /// <summary>Asks by function 43/14; as many requests as the device has to say.</summary>
    internal static async ValueTask<DeviceNames> IdentificationAsync(ModbusClient client, byte unit, TimeSpan timeout, CancellationToken cancel)
    {
        var (_, identification) = await client.ReadDeviceIdentificationAsync(unit, timeout, cancel).ConfigureAwait(false);
        string?[] texts = identification is null
            ? []
            : [identification.VendorName, identification.ProductCode, identification.ProductName, identification.ModelName, identification.MajorMinorRevision, identification.UserApplicationName];
        return new([.. texts.Where(t => !string.IsNullOrWhiteSpace(t)).Select(t => t!).Distinct()], "");
    }

    /// <summary>Asks by function 17.</summary>
    internal static async ValueTask<DeviceNames> ServerIdAsync(ModbusClient client, byte unit, TimeSpan timeout, CancellationToken cancel)
    {
        var (_, id) = await client.ReportServerIdAsync(unit, timeout, cancel).ConfigureAwait(false);
        return new([], id?.ToString() ?? "");
    }

    /// <summary>All texts together.</summary>
    internal IReadOnlyList<string> All => ServerId.Length > 0 ? [.. Identification, ServerId] : Identification;
}
