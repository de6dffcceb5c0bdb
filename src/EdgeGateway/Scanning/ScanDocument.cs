using System.Text.Json.Serialization;

namespace EdgeGateway.Scanning;

/// <summary>What <c>edgegateway scan --json</c> prints. Additive: members are never renamed.</summary>
public sealed record ScanDocument
{
    /// <summary>False when the scan was interrupted: what was found until then is here.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>Units that answer.</summary>
    public required IReadOnlyList<FoundUnit> Units { get; init; }

    /// <summary>What else is worth knowing, in words: something answers damaged, a range was cut short.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>What to paste into <c>gateway.yaml</c>; empty when nothing was found.</summary>
    public required string Yaml { get; init; }
}

/// <summary>A unit that answers.</summary>
public sealed record FoundUnit
{
    private const int NearlyEqual = 3;

    /// <summary>Where: <c>192.168.1.10:502</c>, or <c>/dev/ttyUSB0 at 9600 8N1</c>.</summary>
    public required string Where { get; init; }

    /// <summary>The place in detail, for the configuration.</summary>
    public required ScanPlace Place { get; init; }

    /// <summary>Its unit id.</summary>
    public required int Unit { get; init; }

    /// <summary>Id of the device that <c>gateway.yaml</c> has there already, or null.</summary>
    public string? ConfiguredAs { get; init; }

    /// <summary>Texts of function 43/14.</summary>
    public IReadOnlyList<string> Identification { get; init; } = [];

    /// <summary>Text of function 17; empty when it is not answered.</summary>
    public string ServerId { get; init; } = "";

    /// <summary>Address of the SunSpec marker, or null.</summary>
    public int? SunSpecAt { get; init; }

    /// <summary>Profiles that fit, the best first.</summary>
    public IReadOnlyList<ProposedProfile> Profiles { get; init; } = [];

    /// <summary>Whether the two best profiles fit about equally well, so that only a person can decide.</summary>
    [JsonIgnore]
    public bool IsNearTie => Profiles.Count > 1 && Profiles[0].FitPercent - Profiles[1].FitPercent <= NearlyEqual;

    /// <summary>What is odd about it, in words.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A bus as the scan reached it.</summary>
public sealed record ScanPlace
{
    /// <summary>Id of the bus in <c>gateway.yaml</c>; null when the scan was not of such a bus.</summary>
    public string? Bus { get; init; }

    /// <summary>Host of a network bus, else null.</summary>
    public string? Host { get; init; }

    /// <summary>TCP port of a network bus, else 0.</summary>
    public int TcpPort { get; init; }

    /// <summary>Path of a serial port, else null.</summary>
    public string? SerialPort { get; init; }

    /// <summary>Bits per second of a serial line, else 0.</summary>
    public int Baud { get; init; }

    /// <summary><c>none</c>, <c>even</c> or <c>odd</c> on a serial line, else null.</summary>
    public string? Parity { get; init; }

    /// <summary>Stop bits of a serial line, else 0.</summary>
    public int StopBits { get; init; }

    /// <summary>Addresses of the DL/T 645 meters on the line, in the order of their units from 1 on; null on a Modbus bus.</summary>
    public IReadOnlyList<string>? Meters { get; init; }

    /// <summary>For people.</summary>
    [JsonIgnore]
    public string Text => Host is not null ? $"{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{TcpPort}"
        : SerialPort is not null ? $"{SerialPort} at {Baud} 8{char.ToUpperInvariant(Parity![0])}{StopBits}"
        : $"bus {Bus}";
}

/// <summary>A profile that fits a unit.</summary>
/// <param name="Profile">Its id.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="FitPercent">0 to 99; a help for the choice, not a probability.</param>
/// <param name="Reasons">What speaks for it and against it.</param>
public sealed record ProposedProfile(string Profile, string Title, int FitPercent, IReadOnlyList<string> Reasons);

/// <summary>JSON of a scan.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScanDocument))]
internal sealed partial class ScanJson : JsonSerializerContext;
