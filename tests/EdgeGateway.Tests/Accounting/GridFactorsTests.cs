using System.Text;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Accounting;

public class GridFactorsTests
{
    private static readonly GridFactors Factors = GridFactors.BuiltIn();

    private static FactorMatch Find(string region, string at) => Factors.Find(region, Rig.At(at))!;

    public static TheoryData<string> Cases(string op) =>
        [.. CaseFile.Read("electricity.json").EnumerateArray().Where(c => c.GetProperty("op").GetString() == op).Select(c => c.GetProperty("id").GetString()!)];

    private static JsonElement Case(string id) => CaseFile.Read("electricity.json").EnumerateArray().Single(c => c.GetProperty("id").GetString() == id);

    [Theory]
    [MemberData(nameof(Cases), "grid.factor")]
    public void Published_factor(string id)
    {
        var inputs = Case(id).GetProperty("inputs");
        var region = inputs.GetProperty("region").GetString() switch { "InnerMongolia" => "CN-NM", "Hebei" => "CN-HE", "Yunnan" => "CN-YN", var code => code! };
        var match = Find(region, $"{inputs.GetProperty("year").GetInt32()}-06-01T00:00:00Z");
        Assert.Equal(Case(id).GetProperty("expected").GetProperty("kg_per_kwh").GetDecimal(), match.Factor.KgPerKWh);
        Assert.Equal((FactorFallback.None, FactorYear.Exact, null), (match.Fallback, match.Year, match.Note));
    }

    [Theory]
    [MemberData(nameof(Cases), "grid.location")]
    public void Published_mass(string id)
    {
        var inputs = Case(id).GetProperty("inputs");
        var milligrams = EmissionMethods.ByName["electricity-purchased"].Milligrams(inputs.GetProperty("kwh").GetDecimal(), inputs.GetProperty("factor_kg_per_kwh").GetDecimal());
        Assert.Equal(Case(id).GetProperty("expected").GetProperty("t_co2").GetDouble(), (double)(milligrams / 1_000_000_000m), 9);
    }

    [Fact]
    public void A_year_that_is_not_published_takes_the_newest_and_says_so()
    {
        var match = Find("CN-SX", "2026-03-01T08:00:00Z");
        Assert.Equal(("cn-mee-2022/CN-SX", 0.7096m, FactorYear.Newest, "year 2022 for 2026"), (match.Factor.Id, match.Factor.KgPerKWh, match.Year, match.Note));
    }

    [Fact]
    public void A_time_before_the_first_year_takes_the_oldest_and_says_so() =>
        Assert.Equal((FactorYear.Oldest, "year 2021 for 1970"), (Find("CN", "1970-01-01T00:00:00Z").Year, Find("CN", "1970-01-01T00:00:00Z").Note));

    [Fact]
    public void The_year_begins_at_midnight_in_China()
    {
        Assert.Equal("cn-mee-2021/CN-SX", Find("CN-SX", "2021-12-31T15:59:59.999Z").Factor.Id);
        Assert.Equal("cn-mee-2022/CN-SX", Find("CN-SX", "2021-12-31T16:00:00Z").Factor.Id);
    }

    [Fact]
    public void A_province_without_a_value_falls_back_to_its_grid_and_says_so()
    {
        var match = Find("CN-XZ", "2022-06-01T00:00:00Z");
        Assert.Equal(("cn-mee-2022/CN-GRID-SOUTHWEST", FactorFallback.Grid, "CN-GRID-SOUTHWEST for CN-XZ"), (match.Factor.Id, match.Fallback, match.Note));
        Assert.Equal("CN-GRID-SOUTHWEST for CN-XZ; year 2022 for 2026", Find("CN-XZ", "2026-06-01T00:00:00Z").Note);
    }

    [Fact]
    public void A_grid_without_a_value_falls_back_to_its_country()
    {
        var factors = GridFactors.Read(Encoding.UTF8.GetBytes(
            """
            { "schema": "edgegateway-grid-factors/1", "unit": "kg/(kW.h)", "uncertaintyPercent": 5,
              "sources": { "x-2020": { "text": "t", "validFrom": "2020-01-01T00:00:00Z", "validTo": "2021-01-01T00:00:00Z" } },
              "regions": [ { "code": "X" }, { "code": "X-G", "parent": "X" }, { "code": "X-A", "parent": "X-G" } ],
              "factors": [ { "source": "x-2020", "region": "X", "value": 0.5, "status": "verified" } ] }
            """));
        Assert.Equal(FactorFallback.Country, factors.Find("X-A", Rig.At("2020-06-01T00:00:00Z"))!.Fallback);
    }

    [Fact]
    public void An_unknown_region_has_no_factor() => Assert.Null(Factors.Find("XX", Instant.UnixEpoch));

    [Fact]
    public void Every_known_region_has_a_factor_with_source_and_validity()
    {
        Assert.Equal(39, Factors.KnownRegions.Count); // country, 7 grids, 30 provinces of the table, Tibet
        foreach (var region in Factors.KnownRegions)
        {
            var factor = Find(region, "2022-06-01T00:00:00Z").Factor;
            Assert.InRange(factor.KgPerKWh, 0.1m, 0.8m);
            Assert.NotEmpty(factor.Source);
            Assert.NotEqual(FactorStatus.Verified, factor.Status); // nobody has read the announcements' own tables yet
            Assert.Equal(7.5, factor.UncertaintyPercent);
        }
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{ "schema": "edgegateway-grid-factors/1", "unit": "t/MWh" }""")]
    [InlineData("""{ "schema": "edgegateway-grid-factors/1", "unit": "kg/(kW.h)", "uncertaintyPercent": 5, "sources": {}, "regions": [ { "code": "X", "parent": "X" } ], "factors": [] }""")]
    public void A_faulty_file_is_refused(string text) =>
        Assert.Throws<InvalidDataException>(() => GridFactors.Read(Encoding.UTF8.GetBytes(text)));
}
