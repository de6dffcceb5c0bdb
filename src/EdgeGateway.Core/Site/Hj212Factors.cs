namespace EdgeGateway.Core.Site;

/// <summary>A quantity that HJ 212 has a code for.</summary>
/// <param name="Code">Its code: <c>a05001</c>.</param>
/// <param name="Name">What it is.</param>
/// <param name="Unit">UCUM code of the unit of its real-time values and averages.</param>
/// <param name="MassUnit">UCUM code of the unit of its cumulated value (<c>Cou</c>); null when it has none.</param>
public sealed record Hj212Factor(string Code, string Name, string Unit, string? MassUnit = null);

/// <summary>The codes whose units are known and checked. HJ 212-2017, appendix B, as far as it was at hand; any other code may be sent, and its unit is the site's affair.</summary>
public static class Hj212Factors
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Hj212Factor> All { get; } =
    [
        new("a00000", "waste gas flow", "m3/s", "m3"),
        new("a01001", "ambient temperature", "Cel"),
        new("a01006", "ambient pressure", "kPa"),
        new("a01011", "flue gas velocity", "m/s"),
        new("a01012", "flue gas temperature", "Cel"),
        new("a01013", "flue gas pressure", "kPa"),
        new("a01014", "flue gas moisture", "%{vol}"),
        new("a01016", "duct cross section", "m2"),
        new("a05001", "carbon dioxide", "mg/m3", "kg"),
        new("a19001", "oxygen", "%{vol}"),
        new("a21002", "nitrogen oxides", "mg/m3", "kg"),
        new("a21005", "carbon monoxide", "mg/m3", "kg"),
        new("a21026", "sulphur dioxide", "mg/m3", "kg"),
        new("a24088", "non-methane hydrocarbons", "mg/m3", "kg"),
        new("a34013", "dust", "mg/m3", "kg"),
    ];

    /// <summary>Whether a point in one unit may be sent as, or read from, a factor in another: the standard's percent of a gas are by volume, and profiles write either.</summary>
    public static bool IsSame(string unit, string wanted) => unit == wanted || (wanted == "%{vol}" && unit == "%");

    /// <summary>The factor of a code, or null.</summary>
    public static Hj212Factor? Find(string code) => All.FirstOrDefault(f => f.Code == code);
}
