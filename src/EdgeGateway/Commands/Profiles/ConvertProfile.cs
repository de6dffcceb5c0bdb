using System.CommandLine;
using System.Text.Json;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Commands.Profiles;

/// <summary><c>edgegateway profile convert</c>: makes a draft of a profile from the register list of another program.</summary>
internal static class ConvertProfile
{
    private static readonly string[] Formats = ["edgex", "wb", "sunspec", "telegraf"];

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The file to convert." };
        var from = new Option<string?>("--from") { Description = "What it is: edgex (device profile YAML), wb (wb-mqtt-serial template JSON), sunspec (model JSON), telegraf (TOML of inputs.modbus). Without it the file tells.", HelpName = "FORMAT" };
        var (id, kind, output) = (ProfileCommand.Id(), ProfileCommand.Kind(), ProfileCommand.Folder());
        var command = new Command(
            "convert",
            """
            Make a draft of a device profile from a register list that another program uses. What that does not say (roles, word
            orders, sources, test vectors) becomes a blank <...>; 'edgegateway profile check' lists each with its place.
            Exit code: 0 usable, 2 written with blanks, or not understood.
            """) { file, from, id, kind, output };
        command.SetAction(result => Run(result.GetValue(file)!, result.GetValue(from), result.GetValue(id), result.GetValue(kind), result.GetValue(output)!));
        return command;
    }

    /// <summary>Converts a text.</summary>
    /// <param name="text">The file.</param>
    /// <param name="format">One of the formats, or null when the text tells.</param>
    /// <exception cref="FormatException">The text is none of these formats; the message says why.</exception>
    public static ProfileDraft Convert(SourceText text, string? format)
    {
        try
        {
            var draft = (format ?? Recognise(text)) switch
            {
                "edgex" => EdgeXImport.Read(text),
                "wb" => WirenImport.Read(text),
                "sunspec" => SunSpecImport.Read(text),
                _ => TelegrafImport.Read(text),
            };
            draft.Number();
            return draft;
        }
        catch (JsonException e)
        {
            throw new FormatException($"{text.FileName}:{(e.LineNumber ?? 0) + 1}: this is not JSON: {e.Message}", e);
        }
        catch (FormatException e) when (!e.Message.StartsWith(text.FileName, StringComparison.Ordinal))
        {
            throw new FormatException($"{text.FileName} has not the shape of such a file: {e.Message}", e);
        }
    }

    private static string Recognise(SourceText text) =>
        text.Text.Contains("deviceResources", StringComparison.OrdinalIgnoreCase) ? "edgex"
        : text.Text.Contains("inputs.modbus", StringComparison.Ordinal) ? "telegraf"
        : text.Text.Contains("\"channels\"", StringComparison.Ordinal) ? "wb"
        : text.Text.Contains("\"group\"", StringComparison.Ordinal) ? "sunspec"
        : throw new FormatException($"{text.FileName} is none of the formats that are known: {string.Join(", ", Formats)}. Name one with --from");

    private static int Run(string file, string? from, string? id, string? kind, string output)
    {
        if (from is not null && !Formats.Contains(from))
        {
            return Terminal.Fail($"'{from}' is no format: write {string.Join(", ", Formats)}.", Terminal.BadInput);
        }

        try
        {
            var draft = Convert(new SourceText(file, File.ReadAllText(file)), from);
            draft.Id = id ?? draft.Id ?? ProfileDraft.PointId(Path.GetFileNameWithoutExtension(file)).Replace('_', '-');
            draft.Kind = kind ?? draft.Kind;
            Console.WriteLine($"{file}: {draft.Points.Count} points");
            return NewProfile.Write(draft, output);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
    }
}
