namespace EdgeGateway.Protocols.Gpio;

/// <summary>Puts the settings of lines into struct gpio_v2_line_config: one set of flags for most lines, and attributes for those that differ.</summary>
internal static class GpioLineConfig
{
    /// <exception cref="GpioException">The lines differ more than the structure can tell.</exception>
    public static GpioAbi.LineConfig Encode(IReadOnlyList<GpioLineSettings> lines)
    {
        GpioAbi.LineConfig config = default;
        config.Flags = lines.GroupBy(line => line.Flags()).MaxBy(group => group.Count())!.Key;

        var attributes = new List<GpioAbi.LineConfigAttribute>();
        foreach (var group in Masks(lines, line => line.Flags()))
        {
            if (group.Key != config.Flags)
            {
                attributes.Add(new() { Attribute = new() { Id = GpioAbi.AttributeFlags, Flags = group.Key }, Mask = group.Mask });
            }
        }

        foreach (var group in Masks(lines, line => (ulong)line.Debounce.TotalMicroseconds))
        {
            if (group.Key != 0)
            {
                attributes.Add(new() { Attribute = new() { Id = GpioAbi.AttributeDebounce, DebounceMicroseconds = (uint)group.Key }, Mask = group.Mask });
            }
        }

        var outputs = Mask(lines, line => line.Direction == GpioDirection.Output);
        if (outputs != 0)
        {
            attributes.Add(new() { Attribute = new() { Id = GpioAbi.AttributeOutputValues, Values = Mask(lines, line => line.InitialValue) }, Mask = outputs });
        }

        if (attributes.Count > GpioAbi.MaxAttributes)
        {
            throw new GpioException(
                GpioFault.Unsupported,
                $"the lines of one request have {attributes.Count} different settings, and the kernel takes {GpioAbi.MaxAttributes}: divide them over several requests");
        }

        config.AttributeCount = (uint)attributes.Count;
        for (var i = 0; i < attributes.Count; i++)
        {
            config.Attributes[i] = attributes[i];
        }

        return config;
    }

    private static IEnumerable<(ulong Key, ulong Mask)> Masks(IReadOnlyList<GpioLineSettings> lines, Func<GpioLineSettings, ulong> key) =>
        lines.Select(key).Distinct().Select(value => (value, Mask(lines, line => key(line) == value)));

    private static ulong Mask(IReadOnlyList<GpioLineSettings> lines, Func<GpioLineSettings, bool> has)
    {
        var mask = 0UL;
        for (var i = 0; i < lines.Count; i++)
        {
            mask |= has(lines[i]) ? 1UL << i : 0;
        }

        return mask;
    }
}
