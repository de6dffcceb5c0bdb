namespace EdgeGateway.Protocols.Gpio;

/// <summary>Which way a line works.</summary>
public enum GpioDirection
{
    /// <summary>As it is; then its value can be read, and nothing else.</summary>
    AsIs,
    Input,
    Output,
}

/// <summary>The resistor of the chip on a line. A chip that has none ignores it, and the kernel does not say so.</summary>
public enum GpioBias
{
    AsIs,
    Disabled,
    PullUp,
    PullDown,
}

/// <summary>How an output drives its line.</summary>
public enum GpioDrive
{
    PushPull,

    /// <summary>Only pulls it low.</summary>
    OpenDrain,

    /// <summary>Only pulls it high.</summary>
    OpenSource,
}

/// <summary>Which edges of an input are reported. Edges are those of the logical value: with active low, rising is when the level falls.</summary>
[Flags]
public enum GpioEdges
{
    None = 0,
    Rising = 1,
    Falling = 2,
    Both = Rising | Falling,
}

/// <summary>The clock of the events' time stamps.</summary>
public enum GpioClock
{
    /// <summary>CLOCK_MONOTONIC: counts from the boot, never steps.</summary>
    Monotonic,

    /// <summary>CLOCK_REALTIME: nanoseconds since 1970, steps when the clock is set.</summary>
    Realtime,
}

/// <summary>One line of a request and what it is set to.</summary>
public sealed record GpioLineSettings
{
    /// <summary>Its number on the chip.</summary>
    public required int Offset { get; init; }

    public GpioDirection Direction { get; init; } = GpioDirection.Input;

    /// <summary>Whether a low level is the active one: values and edges are then turned round by the kernel.</summary>
    public bool ActiveLow { get; init; }

    public GpioBias Bias { get; init; }

    public GpioDrive Drive { get; init; }

    /// <summary>Which edges are reported. A pulse counter asks for one of them: see <see cref="PulseRules.CheckEdges"/>.</summary>
    public GpioEdges Edges { get; init; }

    public GpioClock Clock { get; init; }

    /// <summary>How long a level must hold before it counts, in whole microseconds; zero for at once. See <see cref="PulseRules.CheckDebounce"/>.</summary>
    public TimeSpan Debounce { get; init; }

    /// <summary>Whether an output starts active.</summary>
    public bool InitialValue { get; init; }

    /// <summary>What contradicts itself in these settings, in words; null when nothing does.</summary>
    public string? Problem()
    {
        if (Offset < 0)
        {
            return $"a line number counts from 0, {Offset} is none";
        }

        if (Edges != GpioEdges.None && Direction != GpioDirection.Input)
        {
            return $"line {Offset}: edges are seen on an input only";
        }

        if (Debounce != TimeSpan.Zero && Direction != GpioDirection.Input)
        {
            return $"line {Offset}: debounce works on an input only";
        }

        if (Debounce < TimeSpan.Zero || Debounce.TotalMicroseconds > uint.MaxValue)
        {
            return $"line {Offset}: a debounce lasts from 0 to {uint.MaxValue} us";
        }

        if (Debounce.Ticks % TimeSpan.TicksPerMicrosecond != 0)
        {
            return $"line {Offset}: the kernel takes a debounce in whole microseconds";
        }

        if (Drive != GpioDrive.PushPull && Direction != GpioDirection.Output)
        {
            return $"line {Offset}: open drain and open source are for outputs";
        }

        if (Bias != GpioBias.AsIs && Direction == GpioDirection.AsIs)
        {
            return $"line {Offset}: a pull-up or pull-down needs a direction, input or output";
        }

        return InitialValue && Direction != GpioDirection.Output ? $"line {Offset}: only an output has an initial value" : null;
    }

    internal ulong Flags() =>
        Direction switch { GpioDirection.Input => GpioAbi.Input, GpioDirection.Output => GpioAbi.Output, _ => 0 }
        | (ActiveLow ? GpioAbi.ActiveLow : 0)
        | Bias switch
        {
            GpioBias.Disabled => GpioAbi.BiasDisabled,
            GpioBias.PullUp => GpioAbi.BiasPullUp,
            GpioBias.PullDown => GpioAbi.BiasPullDown,
            _ => 0,
        }
        | Drive switch { GpioDrive.OpenDrain => GpioAbi.OpenDrain, GpioDrive.OpenSource => GpioAbi.OpenSource, _ => 0 }
        | ((Edges & GpioEdges.Rising) != 0 ? GpioAbi.EdgeRising : 0)
        | ((Edges & GpioEdges.Falling) != 0 ? GpioAbi.EdgeFalling : 0)
        | (Clock == GpioClock.Realtime ? GpioAbi.ClockRealtime : 0);
}
