using EdgeGateway.Core.Accounting.Statements;
using EdgeGateway.Core.Configuration;
using static EdgeGateway.Core.Configuration.Scalars;

namespace EdgeGateway.Core.Accounting.Forecasting;

/// <summary>The grammar of a file of scenarios: every key, once.</summary>
public static class ScenariosShape
{
    public const string SchemaName = "edgegateway/scenarios/1";

    public static readonly ObjectShape Base = new(
        "the base",
        new("year", Integer(1900, 2200), "The base year.") { Required = true },
        new("tonnes", Number, "Emissions of that year, t CO2e; above zero.") { Required = true });

    public static readonly ObjectShape Scenario = new(
        "a scenario",
        new("name", Text, "Name for people.") { Required = true },
        new("growthPercent", Number, "Growth of the activity, percent a year.") { Required = true },
        new("efficiencyPercent", Number, "Gain in efficiency, percent a year.") { Default = "0" },
        new("driftPercent", Number, "What is added to the yearly rate with each year, percentage points.") { Default = "0" },
        new("years", Integer(1, 200), "Years that are looked at.") { Default = "30" });

    public static readonly ObjectShape Root = new(
        "the file",
        new("schema", Choice(SchemaName), "Format and its major version.") { Required = true },
        new("base", Base, "Where the scenarios begin; a statement of a year that is whole, accounted and forecast, gives it when absent."),
        new("scenarios", new ListShape(Scenario, min: 1), "The scenarios: always several, never one line alone.") { Required = true });
}

/// <summary>Reads a file of scenarios, or says everything that is wrong with it.</summary>
public static class ScenariosLoader
{
    /// <summary>Reads the scenarios.</summary>
    /// <param name="source">The text.</param>
    /// <returns>The scenarios, null when there is an error; and all problems.</returns>
    public static (PeakInput? Scenarios, IReadOnlyList<Problem> Problems) Load(SourceText source)
    {
        var problems = new ProblemCollector();
        if (YamlText.Read(source, problems) is not { } node)
        {
            return (null, problems.ToList());
        }

        ScenariosShape.Root.Check(node, "the file", problems);
        if (node is not YamlMap map || problems.HasErrors)
        {
            return (null, problems.ToList());
        }

        var root = new Section(map, ScenariosShape.Root, map);
        var start = root.Block("base", ScenariosShape.Base);
        if (start.IsPresent && !(start.Number("tonnes") > 0))
        {
            problems.Error(start.At("tonnes"), $"the base year has {start.Number("tonnes")} t", "Write the emissions of the base year in t CO2e; they are above zero");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var scenarios = new List<PeakScenario>();
        foreach (var entry in root.List("scenarios").OfType<YamlMap>())
        {
            var section = new Section(entry, ScenariosShape.Scenario, entry);
            if (!names.Add(section.Text("name")!))
            {
                problems.Error(section.At("name"), $"there are two scenarios '{section.Text("name")}'", "Give each a name of its own");
            }

            scenarios.Add(new(section.Text("name")!, Percent(section, "growthPercent"), Percent(section, "efficiencyPercent"), Percent(section, "driftPercent"), section.Integer("years")!.Value));
        }

        return problems.HasErrors
            ? (null, problems.ToList())
            : (new(start.IsPresent ? (start.Integer("year")!.Value, (double)start.Number("tonnes")!.Value) : null, scenarios), problems.ToList());
    }

    private static double Percent(Section section, string key) => (double)section.Number(key)!.Value;
}
