namespace EdgeGateway.Protocols.Gpio;

/// <summary>What the kernel tells of a line, whoever uses it.</summary>
/// <param name="Offset">Its number on the chip.</param>
/// <param name="Name">The name that the board gives it; empty when it has none.</param>
/// <param name="IsUsed">Whether a program or a driver has it.</param>
/// <param name="Consumer">Who, in its own words; empty when nobody or when it does not say.</param>
/// <param name="Direction">Which way it works.</param>
/// <param name="ActiveLow">Whether a low level is the active one.</param>
/// <param name="Bias">The resistor that was asked for.</param>
/// <param name="Drive">How it is driven.</param>
/// <param name="Edges">Which edges are reported to its consumer.</param>
/// <param name="Clock">The clock of their time stamps.</param>
/// <param name="Debounce">How long a level must hold.</param>
public sealed record GpioLineInfo(
    int Offset,
    string Name,
    bool IsUsed,
    string Consumer,
    GpioDirection Direction,
    bool ActiveLow,
    GpioBias Bias,
    GpioDrive Drive,
    GpioEdges Edges,
    GpioClock Clock,
    TimeSpan Debounce)
{
    /// <summary>The line as people name it: its number, and its name if it has one.</summary>
    public string Title => Name.Length == 0 ? $"line {Offset}" : $"line {Offset} \"{Name}\"";

    internal static GpioLineInfo From(in GpioAbi.LineInfo line)
    {
        var flags = line.Flags;
        var debounce = TimeSpan.Zero;
        for (var i = 0; i < Math.Min(line.AttributeCount, GpioAbi.MaxAttributes); i++)
        {
            if (line.Attributes[i].Id == GpioAbi.AttributeDebounce)
            {
                debounce = TimeSpan.FromMicroseconds(line.Attributes[i].DebounceMicroseconds);
            }
        }

        return new(
            (int)line.Offset,
            line.Name.ToString(),
            Has(GpioAbi.Used),
            line.Consumer.ToString(),
            Has(GpioAbi.Output) ? GpioDirection.Output : GpioDirection.Input,
            Has(GpioAbi.ActiveLow),
            Has(GpioAbi.BiasPullUp) ? GpioBias.PullUp : Has(GpioAbi.BiasPullDown) ? GpioBias.PullDown : Has(GpioAbi.BiasDisabled) ? GpioBias.Disabled : GpioBias.AsIs,
            Has(GpioAbi.OpenDrain) ? GpioDrive.OpenDrain : Has(GpioAbi.OpenSource) ? GpioDrive.OpenSource : GpioDrive.PushPull,
            (Has(GpioAbi.EdgeRising) ? GpioEdges.Rising : 0) | (Has(GpioAbi.EdgeFalling) ? GpioEdges.Falling : 0),
            Has(GpioAbi.ClockRealtime) ? GpioClock.Realtime : GpioClock.Monotonic,
            debounce);

        bool Has(ulong flag) => (flags & flag) != 0;
    }

    /// <summary>In what the line differs from what was asked for, in words; null when it does not.</summary>
    internal string? DifferenceFrom(GpioLineSettings wanted, string consumer)
    {
        if (!IsUsed)
        {
            return "nobody uses it";
        }

        if (Consumer != consumer)
        {
            return $"its consumer is \"{Consumer}\", not \"{consumer}\"";
        }

        if (ActiveLow != wanted.ActiveLow)
        {
            return ActiveLow ? "it is active low" : "it is not active low";
        }

        // Such a request leaves the rest as whoever had the line before.
        if (wanted.Direction == GpioDirection.AsIs)
        {
            return null;
        }

        if (Direction != wanted.Direction)
        {
            return $"it is an {Word(Direction)}, not an {Word(wanted.Direction)}";
        }

        if (Bias != wanted.Bias)
        {
            return $"its bias is {Bias}, not {wanted.Bias}";
        }

        if (Drive != wanted.Drive)
        {
            return $"its drive is {Drive}, not {wanted.Drive}";
        }

        if (Edges != wanted.Edges)
        {
            return $"it reports edges {Edges}, not {wanted.Edges}";
        }

        if (Clock != wanted.Clock)
        {
            return $"its time stamps are {Clock}, not {wanted.Clock}";
        }

        return Debounce != wanted.Debounce ? $"its debounce is {Debounce.TotalMicroseconds} us, not {wanted.Debounce.TotalMicroseconds} us" : null;

        static string Word(GpioDirection direction) => direction == GpioDirection.Output ? "output" : "input";
    }
}
