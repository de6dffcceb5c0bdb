using System.Security.Cryptography;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Tests.LocalPath;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Accounting;

public class FactorSetTests
{
    private const string Small =
        """
        schema: edgegateway/factors/1
        id: small
        version: 3
        title: A set for tests
        sources:
          x-2020: { text: t, from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z", uncertaintyPercent: 5 }
          y: { text: u }
        regions:
          X: { name: Land }
          X-G: { name: Grid, parent: X }
          X-A: { name: Province, parent: X-G }
        factors:
          - { of: electricity, region: X, source: x-2020, value: 0.50, unit: kg/(kW.h), status: verified }
          - { of: heat, source: y, value: 100, unit: kg/GJ, status: unverified, uncertaintyPercent: 12 }
        """;

    private static readonly FactorSet Factors = FactorSet.BuiltIn();

    private static FactorMatch Find(string region, string at) => Factors.Find(Factor.Electricity, region, Rig.At(at))!;

    private static (FactorSet? Set, IReadOnlyList<Problem> Problems) Load(string text) => FactorSetLoader.Load(new SourceText("set.yaml", text));

    private static string Edited(string old, string with)
    {
        Assert.Contains(old, Small, StringComparison.Ordinal);
        return Small.Replace(old, with, StringComparison.Ordinal);
    }

    [Fact]
    public void A_year_that_is_not_published_takes_the_newest_and_says_so()
    {
        var match = Find("CN-SX", "2026-03-01T08:00:00Z");
        Assert.Equal(("cn-mee-2022/CN-SX", 0.7096m, FactorYear.Newest, "year 2022 for 2026"), (match.Factor.Id, match.Factor.Value, match.Year, match.Note));
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
    public void A_grid_without_a_value_falls_back_to_its_country() =>
        Assert.Equal(FactorFallback.Country, Load(Small).Set!.Find(Factor.Electricity, "X-A", Rig.At("2020-06-01T00:00:00Z"))!.Fallback);

    [Fact]
    public void What_holds_everywhere_and_always_fits_exactly()
    {
        var match = Load(Small).Set!.Get("heat", "X-A", Rig.At("2031-06-01T00:00:00Z"));
        Assert.Equal(("y/heat", FactorFallback.None, FactorYear.Exact, null, 12d), (match.Factor.Id, match.Fallback, match.Year, match.Note, match.Factor.UncertaintyPercent));
    }

    [Theory]
    [InlineData("electricity", "XX", "2020-06-01T00:00:00Z", "does not know the region 'XX'")]
    [InlineData("electricity", "X-A", "2026-06-01T00:00:00Z", "x-2020 holds from 2020-01-01T00:00:00.000Z to 2021-01-01T00:00:00.000Z")]
    [InlineData("electricity", "X", "2019-06-01T00:00:00Z", "that holds at 2019-06-01T00:00:00.000Z for X")]
    [InlineData("steam", "X", "2020-06-01T00:00:00Z", "has no 'steam' for 'X'")]
    public void What_is_unknown_or_expired_is_refused_and_named(string of, string region, string at, string expected)
    {
        var set = Load(Small).Set!;
        Assert.Null(set.Find(of, region, Rig.At(at)));
        Assert.Contains(expected, Assert.Throws<EmissionRefusedException>(() => set.Get(of, region, Rig.At(at))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_known_region_has_a_factor_with_source_and_validity()
    {
        Assert.Equal(39, Factors.KnownRegions.Count); // country, 7 grids, 30 provinces of the table, Tibet
        foreach (var region in Factors.KnownRegions)
        {
            var factor = Find(region, "2022-06-01T00:00:00Z").Factor;
            Assert.InRange(factor.Value, 0.1m, 0.8m);
            Assert.NotEmpty(factor.Source.Text);
            Assert.NotEqual(FactorStatus.Verified, factor.Status); // nobody has read the announcements' own tables yet
            Assert.Equal(7.5, factor.UncertaintyPercent);
        }
    }

    [Fact]
    public void Every_fuel_is_complete()
    {
        var fuels = Factors.Factors.Where(f => f.Of.StartsWith("fuel.", StringComparison.Ordinal)).GroupBy(f => f.Of.Split('.')[1]).ToList();
        Assert.Equal(27, fuels.Count);
        Assert.All(fuels, fuel => Assert.Equal(
            fuel.Key.StartsWith("cn-", StringComparison.Ordinal) ? ["carbon", "ncv", "oxidation"] : ["co2", "ncv"],
            fuel.Select(f => f.Of.Split('.')[2]).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Ids_are_unique() => Assert.Equal(Factors.Factors.Count, Factors.Factors.DistinctBy(f => f.Id).Count());

    [Fact]
    public void The_file_of_the_program_states_the_hash_of_its_content() =>
        Assert.Contains($"\nhash: {Factors.ContentHash}\n", File.ReadAllText(RepositoryFiles.At("factors/edgegateway.yaml")), StringComparison.Ordinal);

    [Fact]
    public void The_hash_is_of_the_content_and_not_of_its_spelling()
    {
        var hash = Load(Small).Set!.ContentHash;
        Assert.Equal(hash, Load(Edited("value: 0.50,", "value: 5.0e-1,").Replace("x-2020:", "'x-2020':", StringComparison.Ordinal)).Set!.ContentHash);
        Assert.NotEqual(hash, Load(Edited("0.50", "0.51")).Set!.ContentHash);
        Assert.NotEqual(hash, Load(Edited("name: Province", "name: Provinz")).Set!.ContentHash);
        Assert.NotEqual(hash, Load(Edited("uncertaintyPercent: 5", "uncertaintyPercent: 6")).Set!.ContentHash);
    }

    [Fact]
    public void A_set_that_was_changed_after_its_hash_was_written_is_refused()
    {
        var hash = Load(Small).Set!.ContentHash;
        Assert.NotNull(Load(Edited("version: 3", $"version: 3\nhash: {hash}")).Set);
        var (set, problems) = Load(Edited("version: 3", $"version: 3\nhash: {hash}").Replace("0.50", "0.05", StringComparison.Ordinal));
        Assert.Null(set);
        Assert.StartsWith("set.yaml:4:7: error: the content has the hash", problems.Single().ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_signature_holds_for_its_content_and_its_key_only()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var set = Load(Small).Set!;
        var signature = key.SignData(set.Canonical.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        Assert.True(set.IsSignedBy(key.ExportSubjectPublicKeyInfoPem(), signature));
        Assert.False(set.IsSignedBy(other.ExportSubjectPublicKeyInfoPem(), signature));
        Assert.False(Load(Edited("0.50", "0.51")).Set!.IsSignedBy(key.ExportSubjectPublicKeyInfoPem(), signature));
    }

    [Theory]
    [InlineData("schema: edgegateway/factors/1", "schema: edgegateway/factors/9", "set.yaml:1:9: error: 'schema' is")]
    [InlineData("source: x-2020, value", "source: x-2021, value", "set.yaml:13:43: error: there is no source 'x-2021'. Did you mean 'x-2020'?")]
    [InlineData("region: X, source", "region: Z, source", "there is no region 'Z'")]
    [InlineData("parent: X }", "parent: X-A }", "falls back to itself")]
    [InlineData("parent: X }", "parent: Y }", "there is no region 'Y'")]
    [InlineData("value: 100,", "value: -100,", "set.yaml:14:35: error: 'value' is '-100'")]
    [InlineData("unit: kg/GJ", "unit: lb/GJ", "'unit' is 'lb/GJ'")]
    [InlineData("status: verified", "status: sure", "'status' is 'sure'")]
    [InlineData("of: heat", "of: .heat", "is no name of a factor")]
    [InlineData("of: heat", "of: electricity, region: X", "two factors hold for 'electricity' in X at the same time")]
    [InlineData("to: \"2021-01-01T00:00:00Z\"", "to: \"2019-01-01T00:00:00Z\"", "ends before it begins")]
    [InlineData("to: \"2021-01-01T00:00:00Z\"", "to: next year", "'to' is 'next year'")]
    [InlineData("of: electricity", "of: steam", "there is no factor of 'electricity' for 'X'")]
    [InlineData("title: A set for tests", "titel: A set for tests", "unknown key 'titel'")]
    public void A_faulty_file_is_refused_with_its_place(string old, string with, string expected)
    {
        var (set, problems) = Load(Edited(old, with));
        Assert.Null(set);
        Assert.Contains(problems, p => p.ToString().Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void A_text_that_is_no_yaml_is_refused() => Assert.NotEmpty(Load("schema: [").Problems);
}
