using System.CommandLine;
using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Wiring;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway wiring</c>: draws a wiring diagram from its description.</summary>
internal static class WiringCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The description, such as hardware/pi-rs485-opto/wiring.yaml." };
        var picture = new Option<string?>("--out", "-o") { Description = "The picture to write; beside the description, with the ending svg, when absent.", HelpName = "SVG" };
        var command = new Command(
            "wiring",
            """
            Draw a wiring diagram: reads parts and wires from FILE and writes an SVG picture that any browser shows and prints.
            Move a wire in FILE and draw it anew. Wires that end nowhere, terminals left free, and pins that the named board does
            not have are refused, each with line and cure. Exit code: 0 drawn, 2 the description is not usable.
            """) { file, picture };
        command.SetAction(result => Draw(result.GetValue(file)!, result.GetValue(picture)));
        return command;
    }

    /// <summary>Reads a description and prints what is wrong with it, or what it holds.</summary>
    /// <param name="file">The file.</param>
    /// <returns>The plan, or null when it is not usable.</returns>
    internal static WiringPlan? Load(string file)
    {
        var (plan, problems) = WiringLoader.Load(new SourceText(file, File.ReadAllText(file)));
        Terminal.Print(problems, Console.Error);
        var errors = problems.Count(p => p.Severity == ProblemSeverity.Error);
        Console.WriteLine(plan is null ? $"{file}: not usable, {errors} {(errors == 1 ? "error" : "errors")}" : $"{file}: wiring {plan.Number} revision {plan.Revision}, {plan.Parts.Count} parts, {plan.Wires.Count} wires: usable");
        return plan;
    }

    private static int Draw(string file, string? picture)
    {
        try
        {
            if (Load(file) is not { } plan)
            {
                return Terminal.Fail("Nothing was drawn.", Terminal.BadInput);
            }

            var target = picture ?? Path.ChangeExtension(file, ".svg");
            File.WriteAllText(target, WiringSvg.Draw(plan));
            Console.WriteLine($"{target}: drawn");
            return Terminal.Success;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
    }
}
