namespace EdgeGateway.Protocols.Gpio;

/// <summary>A chip that is there.</summary>
/// <param name="Path">Its device file.</param>
/// <param name="Name">The kernel's name, such as <c>gpiochip0</c>. It can change from boot to boot.</param>
/// <param name="Label">What the driver calls it, such as <c>pinctrl-bcm2711</c>.</param>
/// <param name="Lines">Its lines.</param>
/// <param name="Problem">Why nothing is known of it; null when it could be opened.</param>
public sealed record GpioChipEntry(string Path, string Name, string Label, IReadOnlyList<GpioLineInfo> Lines, string? Problem = null)
{
    /// <summary>The chip as people name it: the kernel's name, and the label if it is known.</summary>
    public string Title => Label.Length == 0 ? Name : $"{Name} ({Label})";
}

/// <summary>Where a line is.</summary>
/// <param name="Chip">The device file of its chip.</param>
/// <param name="Line">The line as it was when looked at.</param>
public sealed record GpioLineAddress(string Chip, GpioLineInfo Line);

/// <summary>All GPIO chips of the machine and their lines, as they were when looked at.</summary>
public sealed class GpioInventory(IReadOnlyList<GpioChipEntry> chips)
{
    private const int MostNames = 60;
    private const string NoChips = "there is no GPIO chip at all. Is this the board with the GPIO lines, and is its device-tree overlay loaded (`dtoverlay=` in config.txt)? `ls /dev/gpiochip*` lists what is there";

    /// <summary>The chips in the order of their numbers.</summary>
    public IReadOnlyList<GpioChipEntry> Chips { get; } = chips;

    /// <summary>Looks at every chip. One that may not be opened is listed with the reason.</summary>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    public static GpioInventory Read() => Read("/dev");

    /// <summary>Looks at every chip in another folder than <c>/dev</c>: that of a container's host, or of a test.</summary>
    /// <param name="folder">Where the device files are.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    public static GpioInventory Read(string folder)
    {
        GpioChip.RequireLinux();
        var chips = new List<GpioChipEntry>();
        foreach (var path in Paths(folder))
        {
            var name = Path.GetFileName(path);
            try
            {
                using var chip = GpioChip.OpenPath(path);
                chips.Add(new(path, chip.Name, chip.Label, chip.Lines()));
            }
            catch (GpioException problem)
            {
                chips.Add(new(path, name, "", [], problem.Message));
            }
        }

        return new(chips);
    }

    /// <summary>Finds the one line of a name.</summary>
    /// <param name="line">The name that the board gives it.</param>
    /// <param name="chip">On this chip only, given by path, name or label; null for any.</param>
    /// <exception cref="GpioException">There is none, or more than one; the message says what there is.</exception>
    public GpioLineAddress Find(string line, string? chip = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(line);
        IReadOnlyList<GpioChipEntry> among = chip is null ? Chips : [FindChip(chip)];
        var found = among.SelectMany(c => c.Lines.Where(l => l.Name == line).Select(l => (Chip: c, Line: l))).ToList();
        if (found.Count == 1)
        {
            return new(found[0].Chip.Path, found[0].Line);
        }

        if (found.Count > 1)
        {
            throw new GpioException(
                GpioFault.Ambiguous,
                $"{found.Count} lines are called \"{line}\": {string.Join(", ", found.Select(f => $"line {f.Line.Offset} of {f.Chip.Title}"))}. Name the chip as well, or give the line by its number");
        }

        throw new GpioException(Chips.Count == 0 ? GpioFault.NoChip : GpioFault.NoLine, $"no line is called \"{line}\": {(among.Count == 0 ? NoChips : string.Join("; ", among.Select(Names)))}");
    }

    /// <summary>Finds the one chip.</summary>
    /// <param name="chip">Its path, the kernel's name or the driver's label.</param>
    /// <exception cref="GpioException">There is none, or more than one; the message says what there is.</exception>
    public GpioChipEntry FindChip(string chip)
    {
        ArgumentException.ThrowIfNullOrEmpty(chip);
        var found = Chips.Where(c => c.Path == chip || c.Name == chip).ToList();
        if (found.Count == 0)
        {
            found = Chips.Where(c => c.Label == chip).ToList();
        }

        return found.Count switch
        {
            1 => found[0],
            0 => throw new GpioException(GpioFault.NoChip, $"no GPIO chip is called \"{chip}\": {WhatThereIs()}"),
            _ => throw new GpioException(
                GpioFault.Ambiguous,
                $"{found.Count} GPIO chips are called \"{chip}\": {string.Join(", ", found.Select(c => c.Path))}. Give one of these paths, or name the lines and leave the chip out"),
        };
    }

    /// <summary>The chips, as an error message lists them.</summary>
    internal string WhatThereIs() =>
        Chips.Count == 0 ? NoChips : $"there is {string.Join(", ", Chips.Select(c => c.Problem is null ? $"{c.Title} with {Count(c)}" : $"{c.Title}, of which nothing is known: {c.Problem}"))}";

    private static string Count(GpioChipEntry chip) => chip.Lines.Count == 1 ? "1 line" : $"{chip.Lines.Count} lines";

    private static string Names(GpioChipEntry chip)
    {
        if (chip.Problem is not null)
        {
            return $"{chip.Name} could not be looked at: {chip.Problem}";
        }

        var names = chip.Lines.Where(l => l.Name.Length > 0).Select(l => l.Name).ToList();
        return names.Count == 0
            ? $"{chip.Title} gives no name to its {Count(chip)}: give the chip and the line's number"
            : $"{chip.Title} has {string.Join(", ", names.Take(MostNames))}{(names.Count > MostNames ? $" and {names.Count - MostNames} more" : "")}";
    }

    /// <summary>The device files, each chip once, in the order of their numbers. A board may have a second name for a chip (Raspberry Pi 5: gpiochip4), which is a link.</summary>
    private static IEnumerable<string> Paths(string folder) =>
        Directory.EnumerateFileSystemEntries(folder, "gpiochip*")
            .Where(path => new FileInfo(path).LinkTarget is null)
            .OrderBy(path => path.Length).ThenBy(path => path, StringComparer.Ordinal);
}
