namespace EdgeGateway.Protocols.Modbus;

/// <summary>What a device says of itself by function 43/14: texts by object id. MODBUS V1.1b3, 6.21.</summary>
/// <remarks>Texts hold printable characters only; other bytes are written as <c>\xHH</c>. A text is null when the device has no such object.</remarks>
public sealed record DeviceIdentification
{
    /// <summary>Object 0.</summary>
    public string? VendorName { get; init; }

    /// <summary>Object 1.</summary>
    public string? ProductCode { get; init; }

    /// <summary>Object 2.</summary>
    public string? MajorMinorRevision { get; init; }

    /// <summary>Object 3.</summary>
    public string? VendorUrl { get; init; }

    /// <summary>Object 4.</summary>
    public string? ProductName { get; init; }

    /// <summary>Object 5.</summary>
    public string? ModelName { get; init; }

    /// <summary>Object 6.</summary>
    public string? UserApplicationName { get; init; }

    /// <summary>Reserved objects (7 to 127) and the maker's own (128 to 255), by object id.</summary>
    public IReadOnlyDictionary<byte, string> Others { get; init; } = new Dictionary<byte, string>();

    /// <summary>How much the device offers: 1 basic, 2 regular, 3 extended; with 0x80 added when objects can be asked for one by one.</summary>
    public byte ConformityLevel { get; init; } = 0x81;

    /// <summary>Whether all objects that the device announced were read; false when it broke off, refused a part or went in circles.</summary>
    public bool IsComplete { get; init; } = true;

    /// <summary>The text of an object, or null.</summary>
    public string? this[byte id] => id switch
    {
        0 => VendorName,
        1 => ProductCode,
        2 => MajorMinorRevision,
        3 => VendorUrl,
        4 => ProductName,
        5 => ModelName,
        6 => UserApplicationName,
        _ => Others.GetValueOrDefault(id),
    };

    internal static DeviceIdentification Of(Dictionary<byte, string> objects, byte conformityLevel, bool isComplete) => new()
    {
        VendorName = objects.GetValueOrDefault((byte)0),
        ProductCode = objects.GetValueOrDefault((byte)1),
        MajorMinorRevision = objects.GetValueOrDefault((byte)2),
        VendorUrl = objects.GetValueOrDefault((byte)3),
        ProductName = objects.GetValueOrDefault((byte)4),
        ModelName = objects.GetValueOrDefault((byte)5),
        UserApplicationName = objects.GetValueOrDefault((byte)6),
        Others = objects.Where(o => o.Key > 6).ToDictionary(),
        ConformityLevel = conformityLevel,
        IsComplete = isComplete,
    };
}
