using System.Globalization;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Accounting;

/// <summary>The tables of the accounting reference, value by value, against the factor set of the program: a digit that is wrong there is wrong in every entry.</summary>
public class ReferenceTableTests
{
    private static readonly FactorSet Factors = FactorSet.BuiltIn();

    // MEE and NBS, 2021 / 2022, kg CO2/kWh, second-hand.
    private const string Grid = """
        CN-GRID-NORTH 0.7120 0.6776, CN-GRID-NORTHEAST 0.6012 0.5564, CN-GRID-EAST 0.5992 0.5617, CN-GRID-CENTRAL 0.5354 0.5395, CN-GRID-NORTHWEST 0.5951 0.5857, CN-GRID-SOUTH 0.4326 0.3869, CN-GRID-SOUTHWEST 0.2113 0.2268,
        CN-BJ 0.5688 0.5580, CN-AH 0.7075 0.6782, CN-CQ 0.4743 0.5227, CN-TJ 0.7355 0.7041, CN-FJ 0.4711 0.4092, CN-SC 0.1255 0.1404, CN-HE 0.7901 0.7252, CN-JX 0.5835 0.5752, CN-GZ 0.5182 0.4989,
        CN-SX 0.7222 0.7096, CN-SD 0.6838 0.6410, CN-YN 0.1235 0.1073, CN-NM 0.7025 0.6849, CN-HA 0.6369 0.6058, CN-SN 0.6336 0.6558, CN-LN 0.5876 0.5626, CN-HB 0.3672 0.4364, CN-GS 0.4955 0.4772,
        CN-JL 0.5629 0.4932, CN-HN 0.5138 0.4900, CN-QH 0.1326 0.1567, CN-HL 0.6342 0.5368, CN-GD 0.4715 0.4403, CN-NX 0.6546 0.6423, CN-SH 0.5834 0.5849, CN-GX 0.5154 0.4044, CN-XJ 0.6577 0.6231,
        CN-JS 0.6451 0.5978, CN-HI 0.4524 0.4184, CN-ZJ 0.5422 0.5153, CN 0.5568 0.5366
        """;

    // Chinese guideline: NCV, carbon t/GJ, oxidation %.
    private const string Guideline = """
        cn-crude-oil 41.816 0.02008 98, cn-fuel-oil 41.816 0.0211 98, cn-gasoline 43.070 0.0189 98, cn-kerosene 43.070 0.0196 98, cn-diesel 42.652 0.0202 98, cn-lpg 50.179 0.0172 98, cn-lng 51.498 0.0172 98,
        cn-refinery-gas 45.998 0.0182 98, cn-natural-gas 389.31 0.01532 99, cn-coke-oven-gas 173.854 0.0121 99, cn-bituminous 26.7 0.02618 99, cn-anthracite 26.7 0.02749 99, cn-lignite 26.7 0.02797 99, cn-coal-unmeasured 26.7 0.03085 99
        """;

    // IPCC 2006 volume 2: NCV TJ/Gg, kg CO2/TJ.
    private const string Ipcc = """
        ipcc-anthracite 26.7 98300, ipcc-coking-coal 28.2 94600, ipcc-other-bituminous 25.8 94600, ipcc-sub-bituminous 18.9 96100, ipcc-lignite 11.9 101000, ipcc-residual-fuel-oil 40.4 77400, ipcc-gas-diesel-oil 43.0 74100,
        ipcc-gasoline 44.3 69300, ipcc-lpg 47.3 63100, ipcc-natural-gas 48.0 56100, ipcc-coke-oven-coke 28.2 107000, ipcc-coke-oven-gas 38.7 44400, ipcc-blast-furnace-gas 2.47 260000
        """;

    private const string Single = """
        electricity.residual@2021 0.5942, electricity.residual@2022 0.5856, electricity.fossil@2021 0.8426, electricity.fossil@2022 0.8325, heat@2022 110, methane.density@2022 0.67,
        methane.underground-mining.low@2022 10, methane.underground-mining.average@2022 18, methane.underground-mining.high@2022 25,
        methane.underground-post-mining.low@2022 0.9, methane.underground-post-mining.average@2022 2.5, methane.underground-post-mining.high@2022 4.0,
        methane.surface-mining.low@2022 0.3, methane.surface-mining.average@2022 1.2, methane.surface-mining.high@2022 2.0,
        methane.surface-post-mining.low@2022 0, methane.surface-post-mining.average@2022 0.1, methane.surface-post-mining.high@2022 0.2
        """;

    private static string[][] Rows(string table) => [.. table.Split([',', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(r => r.Split(' '))];

    private static decimal Value(string of, string region, int year) => Factors.Get(of, region, Rig.At($"{year}-06-01T00:00:00Z")).Factor.Value;

    private static decimal[] Numbers(string[] row) => [.. row[1..].Select(n => decimal.Parse(n, CultureInfo.InvariantCulture))];

    [Fact]
    public void Every_grid_factor_is_that_of_its_table() =>
        Assert.All(Rows(Grid), row => Assert.Equal(Numbers(row), new[] { 2021, 2022 }.Select(year => Value("electricity", row[0], year))));

    [Fact]
    public void Every_fuel_is_that_of_its_table()
    {
        Assert.All(Rows(Guideline), row => Assert.Equal(Numbers(row), new[] { "ncv", "carbon", "oxidation" }.Select(p => Value($"fuel.{row[0]}.{p}", "CN", 2022))));
        Assert.All(Rows(Ipcc), row => Assert.Equal(Numbers(row), new[] { "ncv", "co2" }.Select(p => Value($"fuel.{row[0]}.{p}", "CN", 2022))));
    }

    [Fact]
    public void Every_other_factor_is_that_of_its_table() =>
        Assert.All(Rows(Single), row => Assert.Equal(Numbers(row)[0], Value(row[0].Split('@')[0], "CN", int.Parse(row[0].Split('@')[1], CultureInfo.InvariantCulture))));
}
