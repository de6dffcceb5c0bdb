using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Simulator.Faults;

/// <summary>A fault with the time at which it happens.</summary>
/// <param name="At">Time after the begin of the simulation.</param>
/// <param name="Fault">What goes wrong.</param>
public sealed record ScriptedFault(TimeSpan At, Fault Fault);

/// <summary>What goes wrong at a simulated site, and when.</summary>
/// <param name="Faults">In any order.</param>
public sealed record FaultScript(IReadOnlyList<ScriptedFault> Faults)
{
    /// <summary>The grammar of one fault.</summary>
    public static readonly ObjectShape FaultShape = new(
        "a fault",
        new("at", Scalars.Duration, "Time after the begin of the simulation.") { Required = true },
        new("device", Scalars.Id, "Device id.") { Required = true },
        new("point", Scalars.PointId, "Point id; the whole device when absent."),
        new("kind", Scalars.Choice([.. FaultNames.ByName.Keys.Order(StringComparer.Ordinal)]), "What goes wrong.") { Required = true },
        new("duration", Scalars.Duration, "How long; until cleared when absent."),
        new("magnitude", Scalars.Number, "How bad; each kind has a default."));

    private static readonly ListShape Shape = new(FaultShape);

    /// <summary>Reads a list of <c>{ at: 30s, device: belt-1-scale, kind: belt-slip, duration: 60s, magnitude: 0.3 }</c>.</summary>
    /// <param name="source">YAML, with the name of its file.</param>
    /// <returns>The script, null when there is an error; and all problems.</returns>
    public static (FaultScript? Script, IReadOnlyList<Problem> Problems) Parse(SourceText source)
    {
        var problems = new ProblemCollector();
        if (YamlText.Read(source, problems) is not { } node)
        {
            return (null, problems.ToList());
        }

        Shape.Check(node, "the fault script", problems);
        if (problems.HasErrors || node is not YamlList list)
        {
            return (null, problems.ToList());
        }

        var faults = list.Items.OfType<YamlMap>().Select(map =>
        {
            var section = new Section(map, FaultShape, map);
            return new ScriptedFault(
                section.Duration("at")!.Value,
                new Fault
                {
                    Kind = FaultNames.ByName[section.Text("kind")!],
                    Device = section.Text("device")!,
                    Point = section.Text("point"),
                    Duration = section.Duration("duration"),
                    Magnitude = (double?)section.Number("magnitude"),
                });
        });
        return (new FaultScript([.. faults]), problems.ToList());
    }
}
