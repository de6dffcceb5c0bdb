using System.Text.Json;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Telemetry;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Configuration;

/// <summary>What is published must be what the reader checks. <c>UPDATE_SCHEMAS=1 dotnet test</c> writes the files anew.</summary>
public class PublishedTextTests
{
    [Fact]
    public void The_published_schema_of_gateway_yaml_is_the_one_that_is_checked() =>
        Published("docs/schemas/gateway.schema.json", ConfigurationSchema.Gateway());

    [Fact]
    public void The_published_schema_of_device_profiles_is_the_one_that_is_checked() =>
        Published("docs/schemas/device-profile.schema.json", ConfigurationSchema.DeviceProfile());

    [Fact]
    public void The_published_schema_of_boards_is_the_one_that_is_checked() =>
        Published("docs/schemas/board.schema.json", ConfigurationSchema.Board());

    [Fact]
    public void The_published_schema_of_wiring_descriptions_is_the_one_that_is_checked() =>
        Published("docs/schemas/wiring.schema.json", ConfigurationSchema.Wiring());

    [Fact]
    public void The_published_schema_of_factor_sets_is_the_one_that_is_checked() =>
        Published("docs/schemas/factors.schema.json", ConfigurationSchema.Factors());

    [Fact]
    public void The_published_schema_of_scenarios_is_the_one_that_is_checked() =>
        Published("docs/schemas/scenarios.schema.json", ConfigurationSchema.Scenarios());

    [Theory]
    [InlineData("docs/configuration.md", "keys")]
    [InlineData("docs/factors.md", "keys")]
    [InlineData("docs/forecast.md", "keys")]
    [InlineData("docs/observability.md", "metrics")]
    [InlineData("docs/boards-and-wiring.md", "boards")]
    [InlineData("docs/boards-and-wiring.md", "wiring")]
    [InlineData("docs/profiles.md", "keys")]
    [InlineData("docs/profiles.md", "units")]
    [InlineData("docs/profiles.md", "roles")]
    public void The_tables_of_the_documentation_are_made_from_the_declarations(string file, string table)
    {
        var expected = (file, table) switch
        {
            ("docs/configuration.md", _) => ConfigurationSchema.GatewayKeys(),
            ("docs/forecast.md", _) => ConfigurationSchema.ScenarioKeys(),
            ("docs/observability.md", _) => Metrics.Table(),
            ("docs/factors.md", _) => ConfigurationSchema.FactorKeys(),
            (_, "boards") => ConfigurationSchema.BoardKeys(),
            (_, "wiring") => ConfigurationSchema.WiringKeys(),
            (_, "keys") => ConfigurationSchema.DeviceProfileKeys(),
            (_, "units") => ConfigurationSchema.UnitTable(),
            _ => ConfigurationSchema.RoleTable(),
        };
        var (begin, end) = ($"<!-- {table}:begin -->\n", $"<!-- {table}:end -->");
        var text = File.ReadAllText(RepositoryFiles.At(file));
        var (from, to) = (text.IndexOf(begin, StringComparison.Ordinal) + begin.Length, text.IndexOf(end, StringComparison.Ordinal));
        Assert.True(from >= begin.Length && to >= from, $"{file} has no marks '{begin.Trim()}' and '{end}'");
        Published(file, text[..from] + expected + text[to..]);
    }

    [Fact]
    public void Schemas_refuse_unknown_keys_everywhere()
    {
        foreach (var text in new[] { ConfigurationSchema.Gateway(), ConfigurationSchema.DeviceProfile(), ConfigurationSchema.Board(), ConfigurationSchema.Wiring(), ConfigurationSchema.Factors(), ConfigurationSchema.Scenarios() })
        {
            using var schema = JsonDocument.Parse(text);
            Assert.Equal("https://json-schema.org/draft/2020-12/schema", schema.RootElement.GetProperty("$schema").GetString());
            CheckClosed(schema.RootElement);
        }
    }

    private static void CheckClosed(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            if (element.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object && element.TryGetProperty("type", out _))
            {
                Assert.Equal(JsonValueKind.False, element.GetProperty("additionalProperties").ValueKind);
            }

            foreach (var property in element.EnumerateObject())
            {
                CheckClosed(property.Value);
            }
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
            {
                CheckClosed(item);
            }
        }
    }

    private static void Published(string file, string expected)
    {
        var path = RepositoryFiles.At(file);
        if (Environment.GetEnvironmentVariable("UPDATE_SCHEMAS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, expected);
        }

        Assert.True(File.Exists(path) && File.ReadAllText(path) == expected, $"{file} is stale: run 'UPDATE_SCHEMAS=1 dotnet test tests/EdgeGateway.Tests --filter PublishedText' and commit it");
    }
}
