using System.Globalization;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Conformance.Profiles;

/// <summary>
/// The collected facts about registers (<c>registers.csv</c>, and <c>further-facts.csv</c> from vendor documents) against the profiles that <c>covered.csv</c> names: each fact agrees with its profile, or the
/// profile says under <c>disagreements</c> why it does not.
/// </summary>
public class CollectedFactTests
{
    private static readonly IReadOnlyList<Dictionary<string, string>> Covered = ProfileFiles.Table("covered.csv");

    private static readonly ILookup<(string, string), Dictionary<string, string>> Facts =
        ProfileFiles.Table("registers.csv").Concat(ProfileFiles.Table("further-facts.csv")).ToLookup(f => (f["vendor"], f["model"]));

    public static TheoryData<string> Ids => [.. Covered.Select(c => c["profile"]).Distinct()];

    [Theory, MemberData(nameof(Ids))]
    public void Every_collected_fact_agrees_or_is_explained(string id)
    {
        var file = ProfileFiles.Names.FirstOrDefault(n => Path.GetFileNameWithoutExtension(n) == id);
        Assert.True(file is not null, $"covered.csv names the profile '{id}', which does not exist");
        var profile = ProfileFiles.Load(file).Profile;
        Assert.True(profile is not null, $"{file} does not load");
        var wrong = new List<string>();
        var agreed = new HashSet<(RegisterTable, int)>();
        var differs = new HashSet<(RegisterTable, int)>();
        foreach (var device in Covered.Where(c => c["profile"] == id))
        {
            var facts = Facts[(device["vendor"], device["model"])].ToList();
            Assert.True(facts.Count > 0, $"covered.csv names {device["vendor"]} {device["model"]}, about which there are no facts");
            foreach (var fact in facts)
            {
                var place = (TableOf(fact["table"]), Address(fact["address0"]));
                if (Difference(profile, fact) is not { } difference)
                {
                    agreed.Add(place);
                    continue;
                }

                differs.Add(place);
                if (!profile.Disagreements.Any(d => (d.Table, (int)d.Address) == place))
                {
                    wrong.Add($"{fact["table"]} {fact["address0"]} {fact["quantity"]} ({fact["agree"]}): {difference}");
                }
            }
        }

        wrong.AddRange(profile.Disagreements
            .Where(d => agreed.Contains((d.Table, d.Address)) && !differs.Contains((d.Table, d.Address)))
            .Select(d => $"the disagreement at {d.Address} explains a fact that agrees: remove it"));
        Assert.True(wrong.Count == 0, $"{file}:\n{string.Join('\n', wrong)}");
    }

    [Fact]
    public void A_fact_that_differs_is_seen()
    {
        var profile = ProfileFiles.Ready("energy-meter/abb-b23-b24.yaml");
        var fact = new Dictionary<string, string>(Facts[("ABB", "B23/B24")].First(f => f["quantity"] == "active_energy_import_total"));
        Assert.Null(Difference(profile, fact));
        foreach (var (key, value) in new[] { ("scale", "0.1"), ("type", "int64"), ("word_order", "lsw-first"), ("unit", "kvar.h"), ("address0", "20481"), ("quantity", "active_energy_export_total"), ("table", "input") })
        {
            Assert.NotNull(Difference(profile, new(fact) { [key] = value }));
        }

        // Another unit of the same quantity is no difference when the scale makes up for it.
        Assert.Null(Difference(profile, new(fact) { ["unit"] = "W.h", ["scale"] = "10" }));
        Assert.NotNull(Difference(profile, new(fact) { ["unit"] = "W.h" }));
    }

    /// <summary>In what the profile differs from the fact, or null.</summary>
    private static string? Difference(DeviceProfile profile, Dictionary<string, string> fact)
    {
        var at = profile.Points.Where(p => p.Encoding.Table == TableOf(fact["table"]) && p.Encoding.Address == Address(fact["address0"])).ToList();
        if (at.Count == 0)
        {
            return "the profile has no point there";
        }

        string? first = null;
        foreach (var point in at)
        {
            if (Difference(point, fact) is not { } difference)
            {
                return null;
            }

            first ??= $"{point.Id} {difference}";
        }

        return first;
    }

    private static string? Difference(ProfilePoint point, Dictionary<string, string> fact)
    {
        var encoding = point.Encoding;
        var type = encoding.Type.ToString().ToLowerInvariant();
        if (fact["type"] is { Length: > 0 } stated && stated != type)
        {
            return $"is a {type}, the fact a {stated}";
        }

        var order = encoding.WordOrder == WordOrder.HighFirst ? "msw-first" : "lsw-first";
        if (encoding.Length > 1 && fact["word_order"] is "msw-first" or "lsw-first" && fact["word_order"] != order)
        {
            return $"is {order}, the fact {fact["word_order"]}";
        }

        return ScaleDifference(point, fact) ?? RoleDifference(point, fact["quantity"]);
    }

    private static string? ScaleDifference(ProfilePoint point, Dictionary<string, string> fact)
    {
        var unit = Units.Find(point.Unit)!;
        var written = fact["unit"] == "%" && unit.Dimension == Dimension.VolumeFraction ? "%{vol}" : fact["unit"];
        var other = written.Length == 0 ? unit : Units.Find(written);
        if (other is null || other.Dimension != unit.Dimension)
        {
            return $"is in {point.Unit}, the fact in {fact["unit"]}";
        }

        // A power of ten in a register (SunSpec) stands for the factor; the sign is the profile's, which makes import positive.
        var scale = fact["scale"];
        if (scale.StartsWith("10^", StringComparison.Ordinal))
        {
            return point.Encoding.ScaleAt is null || Math.Abs(point.Encoding.Scale) * unit.Factor != other.Factor ? "has no scale register, the fact has" : null;
        }

        if (scale.Length == 0)
        {
            return null;
        }

        var (number, ratios) = scale.Split('*') is [var n, .. var r] ? (decimal.Parse(n, CultureInfo.InvariantCulture), r) : default;
        if (ratios.Contains("CT") != point.AppliesCt || ratios.Contains("PT") != point.AppliesPt)
        {
            return $"applies {(point.AppliesCt ? "CT " : "")}{(point.AppliesPt ? "PT " : "")}, the fact has the scale {scale}";
        }

        return Math.Abs(point.Encoding.Scale) * unit.Factor == number * other.Factor
            ? null
            : $"has the scale {point.Encoding.Scale} {point.Unit}, the fact {scale} {fact["unit"]}";
    }

    // active_power_l1 is electricity.power.active.l1: import taken for export, or a phase for the total, is a difference. Names that the list does not know say nothing, and
    // neither do quantities of another kind: the power of a drive is not that of a meter, though the fact calls both active power.
    private static string? RoleDifference(ProfilePoint point, string quantity)
    {
        var role = Roles.All.Where(r => r.Alias is not null && (quantity == r.Alias || quantity.StartsWith(r.Alias + "_", StringComparison.Ordinal))).MaxBy(r => r.Alias!.Length);
        if (role is null)
        {
            return null;
        }

        var part = quantity.Length > role.Alias!.Length ? quantity[(role.Alias.Length + 1)..] : "";
        var expected = part.Length > 0 && role.Parts.Contains(part) ? $"{role.Name}.{part}" : part is "" or "total" or "sum" ? role.Name : null;
        var isKin = Roles.Find(point.Role) is { } own && Family(own.Name).SequenceEqual(Family(role.Name));
        return expected is null || !isKin || point.Role == expected ? null : $"has the role {point.Role}, the fact is {quantity}";

        static IEnumerable<string> Family(string name) => name.Split('.').Take(3);
    }

    // SunSpec facts count from the register that holds the model's number: M+18.
    private static int Address(string text) => int.Parse(text.StartsWith("M+", StringComparison.Ordinal) ? text.AsSpan(2) : text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static RegisterTable TableOf(string table) => table switch
    {
        "holding" => RegisterTable.HoldingRegister,
        "input" => RegisterTable.InputRegister,
        "coil" => RegisterTable.Coil,
        _ => RegisterTable.DiscreteInput,
    };
}
