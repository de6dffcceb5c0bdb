using System.Collections.Frozen;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>
/// What an HJ 212 data logger sends as registers, so that profiles, plans, detectors and accounts work as for any other device (docs/decisions/0018). The one place that the bus,
/// <c>check</c>, the simulator, the tests and the documentation share. The logger itself has the first block of 16 input registers, each factor one of its own.
/// </summary>
public static class Hj212Layout
{
    /// <summary>Registers from the begin of one block to that of the next.</summary>
    public const int BlockLength = LocalInput.BlockLength;

    /// <summary>Name of a factor's value (<c>Rtd</c>) in its block.</summary>
    public const string Value = "value";

    /// <summary>Name of a factor's value at reference oxygen (<c>ZsRtd</c>).</summary>
    public const string Corrected = "corrected value";

    /// <summary>Name of a factor's flag: the ASCII code of its letter.</summary>
    public const string Flag = "flag";

    /// <summary>Name of the seconds since the factor was sent last.</summary>
    public const string Age = "age";

    /// <summary>Name of the seconds by which the newest real-time data lay behind the gateway's clock when they came; 0 when they were ahead of it.</summary>
    public const string Lag = "lag";

    /// <summary>Name of the packets of real-time data that the logger had stored, and that are no values of the present.</summary>
    public const string Late = "late packets";

    /// <summary>Name of the packets with a right check sum.</summary>
    public const string Packets = "packets";

    /// <summary>Name of what looked like a packet and was damaged: check sum, length or end.</summary>
    public const string Damaged = "damaged packets";

    /// <summary>Name of the packets that deviate from the standard, taken or refused.</summary>
    public const string Deviating = "deviating packets";

    /// <summary>Name of the sets of split packets that were never whole.</summary>
    public const string Incomplete = "incomplete sets";

    // In the order of their blocks, which is never changed: new ones go to the end.
    private static readonly string[] Codes =
        ["a00000", "a01001", "a01006", "a01011", "a01012", "a01013", "a01014", "a01016", "a05001", "a19001", "a21002", "a21005", "a21026", "a24088", "a34013"];

    // HJ/T 212-2005, appendix B, second-hand: the text of that edition was not at hand. Two public implementations agree on each of these: srdgame/lua-HJ212, hj212/tags/info.lua (org_name
    // beside the code of 2017), and lingkejia/bocon-operation-app, src/lib/polcodeList05.js. Only those whose unit is the same in both editions.
    private static readonly FrozenDictionary<string, string> Old = new Dictionary<string, string>
    {
        ["01"] = "a34013", ["02"] = "a21026", ["03"] = "a21002", ["04"] = "a21005", ["30"] = "a05001",
        ["S01"] = "a19001", ["S02"] = "a01011", ["S03"] = "a01012", ["S05"] = "a01014",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, int> Places = Codes.Select((code, i) => (code, i)).ToFrozenDictionary(c => c.code, c => c.i);

    /// <summary>The block of the logger itself, at address 0. Its counts are of the bus since its start, which a logger shares with those beside it.</summary>
    public static ImageLayout Logger { get; } = new(
        "a data logger",
        RegisterTable.InputRegister,
        new ImageField(0, RegisterType.UInt32, Packets),
        new ImageField(2, RegisterType.UInt32, Damaged),
        new ImageField(4, RegisterType.UInt32, Deviating),
        new ImageField(6, RegisterType.UInt32, Incomplete),
        new ImageField(8, RegisterType.UInt16, Age),
        new ImageField(9, RegisterType.UInt16, Lag),
        new ImageField(10, RegisterType.UInt32, Late));

    /// <summary>The block of a factor.</summary>
    public static ImageLayout Factor { get; } = new(
        "a factor of HJ 212",
        RegisterTable.InputRegister,
        new ImageField(0, RegisterType.Float64, Value),
        new ImageField(4, RegisterType.Float64, Corrected),
        new ImageField(8, RegisterType.UInt16, Flag),
        new ImageField(9, RegisterType.UInt16, Age));

    /// <summary>Registers from the begin of a factor's block that its flag judges: value and value at reference oxygen.</summary>
    public const int Judged = 8;

    /// <summary>Factors that are shown.</summary>
    public static int Count => Codes.Length;

    /// <summary>The code of the factor with a number, from 0.</summary>
    public static string CodeOf(int place) => Codes[place];

    /// <summary>The number of a factor by its code, of 2017 or of 2005; -1 when it is not shown.</summary>
    public static int PlaceOf(string code) => Places.TryGetValue(code, out var place) || (Old.TryGetValue(code, out var known) && Places.TryGetValue(known, out place)) ? place : -1;

    /// <summary>Address of the first register of a factor's block.</summary>
    public static ushort AddressOf(int place) => (ushort)((place + 1) * BlockLength);

    /// <summary>Why a point does not fit; null when it does.</summary>
    public static string? Refuse(PointModel point)
    {
        ArgumentNullException.ThrowIfNull(point);
        var encoding = point.Encoding;
        var block = encoding.Address / BlockLength;
        if (block > Codes.Length)
        {
            return "no factor of HJ 212 is shown there";
        }

        if ((block == 0 ? Logger : Factor).Refuse(encoding.MovedBy(-block * BlockLength)) is { } reason)
        {
            return reason;
        }

        if (block == 0 || encoding.Address % BlockLength >= Judged || Hj212Factors.Find(Codes[block - 1]) is not { } factor)
        {
            return null;
        }

        if (Hj212Factors.IsSame(point.Unit, factor.Unit))
        {
            return encoding.Scale == 1 ? null : $"{factor.Code} ({factor.Name}) is sent in {factor.Unit}, and the scale makes something else of it";
        }

        if (Units.Find(point.Unit) is not { } unit || Units.Find(factor.Unit) is not { } sent || unit.Dimension != sent.Dimension)
        {
            return $"{factor.Code} ({factor.Name}) is sent in {factor.Unit}, and the point is in {point.Unit}";
        }

        return encoding.Scale != sent.Factor / unit.Factor ? $"{factor.Code} ({factor.Name}) is sent in {factor.Unit}, which in {point.Unit} takes a scale of {sent.Factor / unit.Factor:0.######}" : null;
    }

    /// <summary>What a flag makes of a value. HJ 212-2017, table 8: only N is valid; T and S keep their value with a doubt.</summary>
    /// <param name="flag">The letter; a missing one is taken for N.</param>
    public static Quality QualityOf(char flag) => flag switch
    {
        'N' => Quality.Good,
        'T' => Quality.Uncertain(QualityReason.OutOfRange),
        'S' => Quality.Uncertain(QualityReason.Substituted),
        'C' => Quality.Bad(QualityReason.Calibrating),
        'M' => Quality.Bad(QualityReason.Maintenance),
        'B' => Quality.Bad(QualityReason.NotConnected),
        _ => Quality.Bad(QualityReason.InvalidCode),
    };
}
