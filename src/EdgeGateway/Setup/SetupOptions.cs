using System.Globalization;

namespace EdgeGateway.Setup;

/// <summary>What the command line of <c>edgegateway setup</c> says; what is absent is asked for, or found out.</summary>
internal sealed record SetupOptions
{
    /// <summary>The file to write.</summary>
    public required string Output { get; init; }

    /// <summary>Directory of profiles, or null for the usual places.</summary>
    public string? Profiles { get; init; }

    /// <summary>True: nothing is asked, and a question without an answer is an error.</summary>
    public bool IsUnattended { get; init; }

    /// <summary>True: an existing file is replaced, and kept under another name.</summary>
    public bool MayReplace { get; init; }

    /// <summary>Serial ports to scan.</summary>
    public IReadOnlyList<string> Ports { get; init; } = [];

    /// <summary>Addresses to scan, each as <c>scan --tcp</c> takes them.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Baud rates to try; null for the usual ones.</summary>
    public string? Baud { get; init; }

    /// <summary>Parities to try; null for all.</summary>
    public string? Parity { get; init; }

    /// <summary>Unit ids to ask; null for all.</summary>
    public string? Units { get; init; }

    /// <summary>How long a unit may take to answer.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>Id of the site.</summary>
    public string? Site { get; init; }

    /// <summary>Name of the site for people.</summary>
    public string? SiteName { get; init; }

    /// <summary>IANA time zone.</summary>
    public string? TimeZone { get; init; }

    /// <summary>Grid region of the emission factors.</summary>
    public string? Region { get; init; }

    /// <summary>Id of this gateway.</summary>
    public string? Gateway { get; init; }

    /// <summary>The MQTT server; empty for none.</summary>
    public string? Server { get; init; }

    /// <summary>Whether the server may be reached without TLS beyond this machine.</summary>
    public bool AllowPlaintext { get; init; }

    /// <summary>Devices with the ids and profiles that were stated for them.</summary>
    public IReadOnlyList<StatedDevice> Devices { get; init; } = [];

    /// <summary>Whether the health of this computer becomes a device.</summary>
    public bool WatchesComputer { get; init; }

    /// <summary>Ids of meters of what is drawn from the grid; the other meters count below the only one of them, or nowhere.</summary>
    public IReadOnlyList<string> Incomers { get; init; } = [];
}

/// <summary>What is stated of a device before it is found: <c>[WHERE/]UNIT=ID[:PROFILE]</c>.</summary>
/// <param name="Where">A port or <c>host:port</c>; empty when the unit id is enough.</param>
/// <param name="Unit">Its unit id.</param>
/// <param name="Id">Its id.</param>
/// <param name="Profile">Its profile; null for the one that fits best.</param>
internal sealed record StatedDevice(string Where, int Unit, string Id, string? Profile)
{
    /// <summary>Reads a statement.</summary>
    /// <exception cref="FormatException">It is none; the message says what to write.</exception>
    public static StatedDevice Parse(string text)
    {
        var equals = text.LastIndexOf('=');
        var place = equals < 0 ? "" : text[..equals];
        var slash = place.LastIndexOf('/');
        var unit = place[(slash + 1)..];
        var colon = text.IndexOf(':', Math.Max(equals, 0));
        var id = equals < 0 ? "" : text[(equals + 1)..(colon < 0 ? text.Length : colon)];
        return byte.TryParse(unit, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && id.Length > 0
            ? new(slash < 0 ? "" : place[..slash], number, id, colon < 0 ? null : text[(colon + 1)..])
            : throw new FormatException($"'{text}' states no device: write [WHERE/]UNIT=ID[:PROFILE], such as 3=main-fan or 192.168.1.10:502/1=incomer:eastron-sdm630");
    }
}
