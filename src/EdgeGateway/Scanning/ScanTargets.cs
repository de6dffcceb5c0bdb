using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Scanning;

/// <summary>What a scan looks through, as written on the command line.</summary>
internal static class ScanTargets
{
    /// <summary>Most hosts of one scan.</summary>
    public const int MostHosts = 1024;

    private static readonly int[] LikelyBauds = [9600, 19200, 115200, 38400, 57600, 4800, 2400, 1200];

    // The standard asks for even parity or two stop bits (V1.02, 2.5.1.1); the field uses none and one.
    private static readonly (SerialParity Parity, int StopBits)[] LikelyCharacters =
        [(SerialParity.None, 1), (SerialParity.Even, 1), (SerialParity.None, 2), (SerialParity.Odd, 1)];

    /// <summary>Unit ids: <c>1-10,20</c>.</summary>
    /// <exception cref="FormatException">It is not such a list; the message says what to write.</exception>
    public static IReadOnlyList<byte> Units(string text)
    {
        SortedSet<byte> units = [];
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var ends = part.Split('-', StringSplitOptions.TrimEntries);
            if (ends.Length > 2 || !byte.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !byte.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) || last < first)
            {
                throw new FormatException($"'{part}' is no range of unit ids: write numbers of 0 to 255, such as 1-10,20");
            }

            units.UnionWith(Enumerable.Range(first, last - first + 1).Select(n => (byte)n));
        }

        return [.. units];
    }

    /// <summary>The units to ask on a line: those wanted without unit 0, which is all units at once and answered by none (V1.02, 2.2); every address there is when none is named.</summary>
    /// <exception cref="FormatException">Only unit 0 is wanted.</exception>
    public static IReadOnlyList<byte> OnLine(IReadOnlyList<byte>? units)
    {
        byte[] asked = [.. (units ?? [.. Enumerable.Range(1, 247).Select(n => (byte)n)]).Where(u => u > 0)];
        return asked.Length > 0 ? asked : throw new FormatException("Unit 0 is every device of a line at once, and none of them answers: write numbers of 1 to 247, such as 1-10,20");
    }

    /// <summary>Hosts: an address, a name, a range <c>192.168.1.0/28</c> or <c>192.168.1.10-20</c>, with <c>:port</c> behind if it is not 502.</summary>
    /// <exception cref="FormatException">It is none of these, or more hosts than <see cref="MostHosts"/>; the message says what to write.</exception>
    public static IReadOnlyList<(string Host, int Port)> Hosts(string text)
    {
        var port = 502;
        var colon = text.LastIndexOf(':');
        if (colon >= 0 && !text.EndsWith(']') && (text.IndexOf(':', StringComparison.Ordinal) == colon || text[colon - 1] == ']'))
        {
            if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)
            {
                throw new FormatException($"'{text[(colon + 1)..]}' is no port: write 1 to 65535 behind the colon");
            }

            text = text[..colon];
        }

        if (text.Length == 0)
        {
            throw new FormatException("Write an address, a name, or a range such as 192.168.1.0/28 or 192.168.1.10-20");
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            return [.. Subnet(text, slash).Select(host => (host, port))];
        }

        var dash = text.LastIndexOf('-');
        if (dash > 0 && IPAddress.TryParse(text.AsSpan(0, dash), out var first) && first.AddressFamily == AddressFamily.InterNetwork)
        {
            if (!byte.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var last) || last < first.GetAddressBytes()[3])
            {
                throw new FormatException($"'{text}' is no range of addresses: write the last number only, such as 192.168.1.10-20");
            }

            var bytes = first.GetAddressBytes();
            return [.. Enumerable.Range(bytes[3], last - bytes[3] + 1).Select(n => ($"{bytes[0]}.{bytes[1]}.{bytes[2]}.{n}", port))];
        }

        return [(text.Trim('[', ']'), port)];
    }

    /// <summary>Settings of a line, the likely ones first.</summary>
    /// <param name="bauds">Baud rates such as <c>9600,19200</c>; null for all usual ones.</param>
    /// <param name="parities">Parities such as <c>none,even</c>; null for all.</param>
    /// <exception cref="FormatException">One of them cannot be; the message says what to write.</exception>
    public static IReadOnlyList<SerialSettings> Lines(string? bauds, string? parities)
    {
        int[] rates = bauds is null ? LikelyBauds : [.. Parts(bauds).Select(Baud)];
        (SerialParity Parity, int StopBits)[] characters = parities is null ? LikelyCharacters : [.. Parts(parities).SelectMany(Characters)];

        // Common characters at every rate come before rare characters at the commonest rate.
        return
        [
            .. characters.SelectMany((character, rank) => rates.Select((rate, place) => (Cost: (3 * rank) + place, Settings: new SerialSettings { Baud = rate, Parity = character.Parity, StopBits = character.StopBits })))
                .OrderBy(s => s.Cost)
                .Select(s => s.Settings),
        ];
    }

    private static string[] Parts(string text) => text.Split(',', StringSplitOptions.TrimEntries);

    private static int Baud(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var baud) && baud is >= 50 and <= 4_000_000
            ? baud
            : throw new FormatException($"'{text}' is no baud rate: write 50 to 4000000, such as 9600,19200");

    private static (SerialParity Parity, int StopBits)[] Characters(string text) => text.ToLowerInvariant() switch
    {
        "none" => [(SerialParity.None, 1), (SerialParity.None, 2)],
        "even" => [(SerialParity.Even, 1)],
        "odd" => [(SerialParity.Odd, 1)],
        _ => throw new FormatException($"'{text}' is no parity: write none, even or odd"),
    };

    private static IEnumerable<string> Subnet(string text, int slash)
    {
        if (!IPNetwork.TryParse(Masked(text, slash), out var network) || network.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
        {
            throw new FormatException($"'{text}' is no IPv4 network: write it as 192.168.1.0/28");
        }

        var count = 1L << (32 - network.PrefixLength);
        if (count > MostHosts)
        {
            throw new FormatException($"'{text}' holds {count} addresses, {MostHosts} are possible: write a smaller network, such as {text[..slash]}/24");
        }

        var bytes = network.BaseAddress.GetAddressBytes();
        var first = ((long)bytes[0] << 24) | ((long)bytes[1] << 16) | ((long)bytes[2] << 8) | bytes[3];

        // The first address names the network, the last is the broadcast; /31 and /32 have neither.
        var isSmall = count <= 2;
        return Enumerable.Range(isSmall ? 0 : 1, (int)count - (isSmall ? 0 : 2)).Select(n => first + n)
            .Select(n => $"{n >> 24}.{(n >> 16) & 255}.{(n >> 8) & 255}.{n & 255}");
    }

    /// <summary>The text with the bits of the host cleared: people write any address of their network.</summary>
    private static string Masked(string text, int slash)
    {
        if (!IPAddress.TryParse(text.AsSpan(0, slash), out var address) || address.AddressFamily != AddressFamily.InterNetwork
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix) || prefix > 32)
        {
            return text;
        }

        var bytes = address.GetAddressBytes();
        var number = ((uint)bytes[0] << 24) | ((uint)bytes[1] << 16) | ((uint)bytes[2] << 8) | bytes[3];
        number = prefix == 0 ? 0 : number & (uint.MaxValue << (32 - prefix));
        return $"{number >> 24}.{(number >> 16) & 255}.{(number >> 8) & 255}.{number & 255}/{prefix}";
    }
}
