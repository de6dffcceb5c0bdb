using System.CommandLine;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Setup;

namespace EdgeGateway.Commands.Profiles;

/// <summary><c>edgegateway profile new</c>: asks a few questions, writes a profile, and checks it.</summary>
internal static class NewProfile
{
    // The largest number that a manual prints: six digits, table 4, the last register.
    private const int MostNumber = 465_536;
    private const string NotKnown = "not known";

    private static readonly string[] PointKeys =
        ["at", "printed", "type", "unit", "role", "scale", "table", "wordOrder", "poll", "perPhase", "stride", "min", "max", "invalid", "rollover", "resets", "words", "value", "title"];

    public static Command Create()
    {
        var (id, kind, output) = (ProfileCommand.Id(), ProfileCommand.Kind(), ProfileCommand.Folder());
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
            if (numbers.FirstOrDefault(n => n.Value is not null && Number(n.Value) is null) is { Key: { } wrong, Value: { } written })
            {
                return Terminal.Fail($"'{written}' is no number for {wrong}: write a whole number.", Terminal.BadInput);
            }

            var isAsked = !result.GetValue(ask) && !Console.IsInputRedirected && !Console.IsOutputRedirected;
            return Run(draft, numbers, result.GetValue(points) ?? [], result.GetValue(output)!, isAsked ? new TerminalDialog() : null);
        });
        return command;
    }

    /// <summary>Completes the draft, writes it and checks the file.</summary>
    /// <param name="draft">What is known.</param>
    /// <param name="numbers">The numbers that were given, by option.</param>
    /// <param name="points">Points as the command line has them.</param>
    /// <param name="directory">Directory of the profiles.</param>
    /// <param name="dialog">Who is asked for the rest; null for nobody.</param>
    /// <returns>Exit code: that of the check.</returns>
    internal static int Run(ProfileDraft draft, Dictionary<string, string?> numbers, IReadOnlyList<string> points, string directory, ISetupDialog? dialog)
    {
        foreach (var text in points)
        {
            if (Point(text) is not { } point)
            {
                return Terminal.BadInput;
            }

            draft.Points.Add(point);
        }

        if (dialog is not null)
        {
            AskDevice(draft, numbers, directory, dialog);
            AskPoints(draft, hasPrintedNumbers: numbers["--printed-base"] is not null, dialog);
        }

        draft.MaxRegisters = Number(numbers["--max-registers"]);
        if (Number(numbers["--printed-base"]) is { } first)
        {
            draft.PrintedBase[draft.DefaultTable ?? "holding"] = first;
        }

        return Write(draft, directory);
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

        var file = PathOf(draft, draft.Id, directory);
        if (File.Exists(file))
        {
            return Terminal.Fail($"{file} exists. Choose another --id, or remove the file.", Terminal.BadInput);
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, draft.Write());
            File.WriteAllText(Path.Combine(directory, ProfileDraft.SchemaFile), ConfigurationSchema.DeviceProfile());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody is to answer everything twice.
            Console.WriteLine(draft.Write());
            return Terminal.Fail($"{file} cannot be written: {e.Message}. Its text stands above.");
        }

        Console.WriteLine($"{file}: written");
        if (!CheckCommand.CheckProfile(file, null))
        {
            Console.WriteLine($"What is listed remains to be done. Then: edgegateway profile check {file}");
            return Terminal.BadInput;
        }

        Console.WriteLine($"Next, on the device itself: edgegateway profile test {file} --tcp HOST, or --port PATH --unit ID");
        return Terminal.Success;
    }

    private static string PathOf(ProfileDraft draft, string? id, string directory)
    {
        var kind = draft.Kind ?? (draft.Extends is { } extended && ProfileCommand.Find(extended, null) is { } path ? ProfileCommand.Load(path, null).Profile?.Kind : null) ?? "drafts";
        return Path.Combine(directory, kind, $"{id ?? "new-profile"}.yaml");
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

    /// <summary>Asks for what the profile says of the device and its manual, as far as it is not known. Answers may stay empty.</summary>
    /// <param name="draft">Receives the answers.</param>
    /// <param name="numbers">Receives the numbers, by option.</param>
    /// <param name="directory">Directory of the profiles, for an id that is not taken.</param>
    /// <param name="dialog">Who answers.</param>
    private static void AskDevice(ProfileDraft draft, Dictionary<string, string?> numbers, string directory, ISetupDialog dialog)
    {
        Console.WriteLine("Answers may stay empty; the check lists what is missing then.");
        var isVariant = draft.Extends is not null;
        draft.Kind ??= isVariant ? null : dialog.Choose("Kind of device", ProfileCommand.Kinds, w => w);
        draft.Vendor ??= isVariant ? null : Line("Maker", "--vendor");
        draft.Model ??= Line("Model as on the name plate", "--model");
        draft.Id ??= Line("Identifier, lower case, such as maker-m100", "--id", text =>
            !Scalars.IsId(text) ? "Write letters, digits, '-' and '_', at most 64." : File.Exists(PathOf(draft, text, directory)) ? $"{PathOf(draft, text, directory)} exists: choose another." : null);
        draft.Title ??= Line("Name for people", "--title");
        draft.SourceRef ??= Line("Title of the register list", "--manual");
        draft.Edition ??= Line("Its edition or date", "--edition");
        draft.Page ??= Line("Its pages", "--page");
        if (isVariant)
        {
            return;
        }

        draft.DefaultTable ??= dialog.Choose("Table of the registers", ["holding", "input"], w => w);
        draft.DefaultWordOrder ??= dialog.Choose("Which word of a value of two registers stands first", ["high-first", "low-first", NotKnown], w => w) is var order && order != NotKnown ? order : null;
        numbers["--printed-base"] ??= Line("Number that the manual prints for the wire address 0 (40001, 30001, 1, 0; empty: not known)", "--printed-base", NumberProblem);
        numbers["--max-registers"] ??= Line("Most registers in one request (empty: 125)", "--max-registers", text => Number(text) is >= 1 and <= 125 ? null : "Write 1 to 125.");

        string? Line(string question, string option, Func<string, string?>? problem = null) => Answer(dialog, question, option, problem);
    }

    /// <summary>Asks for points, for an example that proves one of them, and for what tells the device from others.</summary>
    /// <param name="draft">Receives the answers.</param>
    /// <param name="hasPrintedNumbers">Whether the manual's numbers say where a register stands; else the wire address is asked for.</param>
    /// <param name="dialog">Who answers.</param>
    private static void AskPoints(ProfileDraft draft, bool hasPrintedNumbers, ISetupDialog dialog)
    {
        while (Line("Point (empty when there is no other)") is { } id)
        {
            var role = Line("  Role, or words of it") is { } words ? Roles.Find(words) is not null ? words : RoleOf(words, dialog) : null;
            var number = Line(hasPrintedNumbers ? "  Number printed in the manual" : "  Wire address (the first register is 0)", NumberProblem);
            var type = dialog.Choose("  Type", [.. ProfileCommand.PointTypes, NotKnown], w => w) is var chosen && chosen != NotKnown ? chosen : null;
            var isText = type == "text";
            var isCounter = role is not null && Roles.Find(role)!.Kind == PointKind.Counter;
            draft.Points.Add(new DraftPoint
            {
                Id = ProfileDraft.PointId(id),
                Role = role,
                Printed = hasPrintedNumbers ? number : null,
                At = hasPrintedNumbers ? null : number,
                Type = type,
                Length = isText || type == "mod10" ? Line("  How many registers it has", NumberProblem) : null,
                Unit = isText ? null : Line("  Unit (V, A, W, kW.h ...; 1 for none)", text => UnitOf(text) is null ? "There is no such unit; docs/profiles.md lists all." : null) is { } unit ? UnitOf(unit) : null,
                Scale = isText ? null : Line("  Factor from the raw value to the unit (empty for 1)", DecimalProblem),
                Rollover = isCounter ? Line("  First value that it never shows ('width' when the type says it, 'none' when it does not roll over)", text => text is "width" or "none" ? null : DecimalProblem(text)) : null,
                Resets = isCounter ? dialog.Choose("  Who can set it to zero", ["replace-only", "user"], w => w == "user" ? "people, on the device" : "nobody: only a new device begins at zero") : null,
            });
        }

        draft.Number();
        string[] numeric = [.. draft.Points.Where(p => p.Type is not ("text" or "datetime")).Select(p => p.FirstId)];
        if (numeric.Length > 0 && !draft.Points.Exists(p => p.Words is not null))
        {
            AskExample(draft, numeric, dialog);
        }

        if (draft.Extends is null && numeric.Length > 0 && !draft.Points.Exists(p => p.Role == ProfileDraft.Frequency))
        {
            draft.IdentifyPoint = dialog.Choose("Which point tells this device from others", numeric, w => w);
            draft.IdentifyMin = Line("  Smallest value that is right", DecimalProblem);
            draft.IdentifyMax = Line("  Largest value that is right", DecimalProblem);
        }

        string? Line(string question, Func<string, string?>? problem = null) => Answer(dialog, question, "--point", problem);
    }

    // Without one example nothing proves that type, order and scale were meant as they are written.
    private static void AskExample(ProfileDraft draft, string[] points, ISetupDialog dialog)
    {
        var id = dialog.Choose("Of which point do you have an example (in the manual, or read from the device and its display)", points, w => w);
        var place = draft.Points.FindIndex(p => p.FirstId == id);
        var words = Answer(dialog, "  Its registers, such as 0x4366, 0x8000", "--point", text => Words(text).Any(w => !Quantities.TryInteger(w, out var n) || n < 0 || n > ushort.MaxValue) ? "Write numbers of 0 to 65535, or 0x0000 to 0xFFFF, with commas." : null);
        var value = Answer(dialog, "  What they mean, in the point's unit", "--point", null);
        draft.Points[place] = draft.Points[place] with { Words = words is null ? null : Words(words), Value = value };

        static string[] Words(string text) => text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static string? RoleOf(string words, ISetupDialog dialog)
    {
        var fitting = Roles.All.Where(r => words.Split(' ').All(w => r.Name.Contains(w, StringComparison.OrdinalIgnoreCase) || r.English.Contains(w, StringComparison.OrdinalIgnoreCase) || r.Chinese.Contains(w, StringComparison.Ordinal)))
            .SelectMany(r => r.Parts.Select(p => $"{r.Name}.{p}").Prepend(r.Name))
            .Take(60)
            .ToList();
        return fitting.Count == 0 ? Roles.Meant(words) : dialog.Choose("  Which", fitting, w => w);
    }

    private static string? UnitOf(string text) => Units.Find(text)?.Code ?? Units.Colloquially(text);

    private static string? NumberProblem(string text) => Number(text) is >= 0 ? null : "Write a whole number, or leave it empty.";

    private static string? DecimalProblem(string text) => Quantities.TryNumber(text, out _) ? null : "Write a number, with a point before decimals, or leave it empty.";

    private static string? Answer(ISetupDialog dialog, string question, string option, Func<string, string?>? problem) =>
        dialog.Text($"{question}:", option, "", text => text.Trim() is { Length: > 0 } answer ? problem?.Invoke(answer) : null).Trim() is { Length: > 0 } said ? said : null;

    private static int? Number(string? text) => text is not null && Quantities.TryInteger(text, out var number) && number >= 0 && number <= MostNumber ? (int)number : null;

    private static Option<string?> Option(string name, string help, string description) => new(name) { Description = description, HelpName = help };
}
