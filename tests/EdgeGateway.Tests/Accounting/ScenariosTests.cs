using EdgeGateway.Core.Accounting.Forecasting;

namespace EdgeGateway.Tests.Accounting;

public class ScenariosTests
{
    private static (string Told, bool IsUsable) Load(string text)
    {
        var (scenarios, problems) = ScenariosLoader.Load(new("scenarios.yaml", text));
        return (string.Join('\n', problems), scenarios is not null);
    }

    [Fact]
    public void A_file_is_read_with_its_defaults()
    {
        var (input, problems) = ScenariosLoader.Load(new("scenarios.yaml", """
            schema: edgegateway/scenarios/1
            base: { year: 2025, tonnes: 10250 }
            scenarios:
              - { name: baseline, growthPercent: 3, efficiencyPercent: 1, driftPercent: -0.25, years: 20 }
              - { name: flat, growthPercent: 0 }
            """));
        Assert.Empty(problems);
        Assert.Equal((2025, 10_250.0), input!.Base);
        Assert.Equal([new("baseline", 3, 1, -0.25, 20), new PeakScenario("flat", 0, 0, 0, 30)], input.Scenarios);
    }

    [Theory]
    [InlineData("schema: edgegateway/scenarios/1\nscenarios: []", "2:")]
    [InlineData("schema: edgegateway/scenarios/1\nscenarios: [{ name: a, growth: 3 }]", "growth")]
    [InlineData("schema: edgegateway/scenarios/1\nbase: { year: 2025, tonnes: 0 }\nscenarios: [{ name: a, growthPercent: 3 }]", "the base year has 0 t")]
    [InlineData("schema: edgegateway/scenarios/1\nscenarios: [{ name: a, growthPercent: 3 }, { name: a, growthPercent: 2 }]", "two scenarios 'a'")]
    [InlineData("schema: edgegateway/scenarios/1\nscenarios: [{ name: a, growthPercent: 3, years: 201 }]", "1 to 200")]
    public void What_is_wrong_is_said_with_its_place(string text, string expected)
    {
        var (told, isUsable) = Load(text);
        Assert.False(isUsable);
        Assert.Contains(expected, told, StringComparison.Ordinal);
        Assert.StartsWith("scenarios.yaml:", told, StringComparison.Ordinal);
    }
}
