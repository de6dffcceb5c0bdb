using System.CommandLine;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using Spectre.Console;

namespace EdgeGateway.Commands.Profiles;

/// <summary><c>edgegateway profile new</c>: asks a few questions, writes a profile, and checks it.</summary>
internal static class NewProfile
{
    private static readonly string[] PointKeys =
        ["at", "printed", "type", "unit", "role", "scale", "table", "wordOrder", "poll", "perPhase", "stride", "min", "max", "invalid", "rollover", "resets", "words", "value", "title"];

    public static Command Create()
    {
        var id = Option("--id", "ID", "Identifier, such as maker-m100; the file is <kind>/<id>.yaml.");
        var kind = Option("--kind", "KIND", $"Kind of device: {Kinds()}.");
        var vendor = Option("--vendor", "MAKER", "Maker.");
        var model = Option("--model", "MODEL", "Model as on the name plate.");
        var title = Option("--title", "TEXT", "Name for people, in English.");
        var titleZh = Option("--title-zh", "TEXT", "Name for people, in Chinese.");
        var extends = Option("--extends", "ID", "Profile of which this one is a variant: only what differs is written.");
        var manual = Option("--manual", "TEXT", "Title of the register list.");
        var edition = Option("--edition", "TEXT", "Edition or date of the register list.");
        var page = Option("--page", "TEXT", "Pages of the register list.");
        var table = Option("--table", "TABLE", "Table of the registers: holding or input.");
        var order = Option("--word-order", "ORDER", "Order of the words of values of several registers: high-first or low-first.");
        var printed = Option("--printed-base", "NUMBER", "Number that the manual prints for the wire address 0: 40001, 30001, 1 or 0.");
        var most = Option("--max-registers", "COUNT", "Most registers in one request.");
        var points = new Option<string[]>("--point", "-p")
        {
            Description = "A point: ID key=value ..., for instance \"voltage_l1_n printed=30001 type=float32 unit=V role=electricity.voltage.l1_n words=0x4366,0x8000 value=230.5\". Repeat it for each point. Keys: " + string.Join(", ", PointKeys) + ".",
            HelpName = "POINT",
        };
        var output = new Option<string>("--out", "-o") { Description = "Directory of the profiles.", HelpName = "DIR", DefaultValueFactory = _ => "device-profiles" };
        var ask = new Option<bool>("--no-questions") { Description = "Ask nothing: what is not given stays a blank in the file." };
        var command = new Command(
            "new",
            """
            Write a device profile from a few answers, and check it. On a terminal it asks for what was not given; elsewhere, and
            with --no-questions, what was not given becomes a blank <...> that the check lists. No address is guessed.
            Exit code: 0 usable, 2 written with blanks or mistakes, which are listed.
            """) { id, kind, vendor, model, title, titleZh, extends, manual, edition, page, table, order, printed, most, points, output, ask };
        command.SetAction(result =>
        {
            var draft = new ProfileDraft
            {
                Id = result.GetValue(id),
                Kind = result.GetValue(kind),
                Vendor = result.GetValue(vendor),
                Model = result.GetValue(model),
                Title = result.GetValue(title),
                TitleChinese = result.GetValue(titleZh),
                Extends = result.GetValue(extends),
                SourceRef = result.GetValue(manual),
                Edition = result.GetValue(edition),
                Page = result.GetValue(page),
                DefaultTable = result.GetValue(table),
                DefaultWordOrder = result.GetValue(order),
            };
            var numbers = new Dictionary<string, string?> { ["--printed-base"] = result.GetValue(printed), ["--max-registers"] = result.GetValue(most) };
            if (numbers.FirstOrDefault(n => n.Value is not null && !(Quantities.TryInteger(n.Value, out var v) && v >= 0 && v <= 465_536)) is { Key: { } wrong, Value: { } written })
            {
                return Terminal.Fail($"'{written}' is no number for {wrong}: write a whole number.", Terminal.BadInput);
            }

            if (!result.GetValue(ask) && !Console.IsInputRedirected && !Console.IsOutputRedirected)
            {
                Ask(draft, numbers);
            }

            foreach (var text in result.GetValue(points) ?? [])
            {
                if (Point(text) is not { } point)
                {
                    return Terminal.BadInput;
                }

                draft.Points.Add(point);
            }

            draft.MaxRegisters = Number(numbers["--max-registers"]);
            if (Number(numbers["--printed-base"]) is { } first)
            {
                draft.PrintedBase[draft.DefaultTable ?? "holding"] = first;
            }

            return Write(draft, result.GetValue(output)!);
        });
        return command;
    }

    /// <summary>Writes the draft where its kind and id say, and checks the file.</summary>
    /// <param name="draft">What is known.</param>
    /// <param name="directory">Directory of the profiles.</param>
    /// <returns>Exit code of the check.</returns>
    public static int Write(ProfileDraft draft, string directory)
    {
        // A printed number and its base give the wire address; the check compares both from then on.
        foreach (var (point, i) in draft.Points.Select((p, i) => (p, i)).ToList())
        {
            if (point.At is null && point.Printed is { } printed && draft.PrintedBase.TryGetValue(point.Table ?? draft.DefaultTable ?? "holding", out var first)
                && Quantities.TryInteger(printed, out var number) && number >= first)
            {
                draft.Points[i] = point.WithAddress((int)(number - first));
            }
        }

        var kind = draft.Kind ?? (draft.Extends is { } extended && ProfileCommand.Find(extended, null) is { } path ? ProfileCommand.Load(path, null).Profile?.Kind : null) ?? "drafts";
        var folder = Path.Combine(directory, kind);
        var file = Path.Combine(folder, $"{draft.Id ?? "new-profile"}.yaml");
        if (File.Exists(file))
        {
            return Terminal.Fail($"{file} exists. Choose another --id, or remove the file.", Terminal.BadInput);
        }

        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(file, draft.Write());
            File.WriteAllText(Path.Combine(directory, ProfileDraft.SchemaFile), ConfigurationSchema.DeviceProfile());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail($"{file} cannot be written: {e.Message}");
        }

        Console.WriteLine($"{file}: written");
        return CheckCommand.CheckProfile(file, null) ? Terminal.Success : Terminal.BadInput;
    }

    private static DraftPoint? Point(string text)
    {
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in parts.Skip(1))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || !PointKeys.Contains(part[..equals]))
            {
                Console.Error.WriteLine($"'{part}' in the point '{text}' is not understood: write key=value with one of {string.Join(", ", PointKeys)}; in values write '_' for a space.");
                return null;
            }

            keys[part[..equals]] = part[(equals + 1)..];
        }

        if (parts.Length == 0)
        {
            Console.Error.WriteLine("A point begins with its id: --point \"frequency at=70 type=float32 unit=Hz role=electricity.frequency\".");
            return null;
        }

        return new DraftPoint
        {
            Id = ProfileDraft.PointId(parts[0]),
            At = keys.GetValueOrDefault("at"),
            Printed = keys.GetValueOrDefault("printed"),
            Type = keys.GetValueOrDefault("type"),
            Unit = keys.GetValueOrDefault("unit"),
            Role = keys.GetValueOrDefault("role"),
            Scale = keys.GetValueOrDefault("scale"),
            Table = keys.GetValueOrDefault("table"),
            WordOrder = keys.GetValueOrDefault("wordOrder"),
            Poll = keys.GetValueOrDefault("poll"),
            PerPhase = keys.GetValueOrDefault("perPhase")?.Replace('/', ',').Replace(",", ", ", StringComparison.Ordinal),
            Stride = keys.GetValueOrDefault("stride"),
            Min = keys.GetValueOrDefault("min"),
            Max = keys.GetValueOrDefault("max"),
            Invalid = keys.GetValueOrDefault("invalid"),
            Rollover = keys.GetValueOrDefault("rollover"),
            Resets = keys.GetValueOrDefault("resets"),
            Title = keys.GetValueOrDefault("title")?.Replace('_', ' '),
            Words = keys.GetValueOrDefault("words")?.Split(','),
            Value = keys.GetValueOrDefault("value"),
        };
    }

    private static void Ask(ProfileDraft draft, Dictionary<string, string?> numbers)
    {
        AnsiConsole.MarkupLine("Answers may stay empty; the check lists what is missing then.");
        draft.Kind ??= draft.Extends is null ? AnsiConsole.Prompt(new SelectionPrompt<string>().Title("Kind of device").AddChoices(KindWords())) : null;
        draft.Vendor ??= draft.Extends is null ? Line("Maker") : null;
        draft.Model ??= Line("Model as on the name plate");
        draft.Id ??= Line("Identifier, lower case, such as maker-m100");
        draft.Title ??= Line("Name for people");
        draft.SourceRef ??= Line("Title of the register list");
        draft.Edition ??= Line("Its edition or date");
        draft.Page ??= Line("Its pages");
        if (draft.Extends is null)
        {
            draft.DefaultTable ??= AnsiConsole.Prompt(new SelectionPrompt<string>().Title("Table of the registers").AddChoices("holding", "input"));
            draft.DefaultWordOrder ??= AnsiConsole.Prompt(new SelectionPrompt<string>().Title("Which word of a value of two registers stands first").AddChoices("high-first", "low-first", "not known"));
            draft.DefaultWordOrder = draft.DefaultWordOrder == "not known" ? null : draft.DefaultWordOrder;
            numbers["--printed-base"] ??= Line("Number that the manual prints for the wire address 0 (40001, 30001, 1, 0)");
        }

        while (Line("Point (empty when there is no other)") is { } id)
        {
            var role = Line("  Role, or words of it");
            role = role is null ? null : Roles.Find(role) is not null ? role : Choose(role);
            draft.Points.Add(new DraftPoint
            {
                Id = ProfileDraft.PointId(id),
                Role = role,
                Printed = Line("  Number printed in the manual"),
                Type = Line("  Type (uint16, int32, float32 ...)"),
                Unit = Line("  Unit (V, A, W, kW.h ...)") is { } unit ? Units.Find(unit)?.Code ?? Units.Meant(unit) : null,
                Scale = Line("  Factor from the raw value to the unit (empty for 1)"),
            });
        }
    }

    private static string? Choose(string words)
    {
        var fitting = Roles.All.Where(r => words.Split(' ').All(w => r.Name.Contains(w, StringComparison.OrdinalIgnoreCase) || r.English.Contains(w, StringComparison.OrdinalIgnoreCase) || r.Chinese.Contains(w, StringComparison.Ordinal)))
            .SelectMany(r => r.Parts.Select(p => $"{r.Name}.{p}").Prepend(r.Name))
            .Take(60)
            .ToList();
        return fitting.Count == 0 ? Roles.Meant(words) : AnsiConsole.Prompt(new SelectionPrompt<string>().Title("  Which").AddChoices(fitting));
    }

    private static string? Line(string question) =>
        AnsiConsole.Prompt(new TextPrompt<string>($"{question}:").AllowEmpty()).Trim() is { Length: > 0 } answer ? answer : null;

    private static int? Number(string? text) => text is not null && Quantities.TryInteger(text, out var number) ? (int)number : null;

    private static string Kinds() => string.Join(", ", KindWords());

    private static IReadOnlyList<string> KindWords() => ((ScalarShape)ProfileShape.Root["kind"].Shape).Words!;

    private static Option<string?> Option(string name, string help, string description) => new(name) { Description = description, HelpName = help };
}
