using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Lines;

/// <summary>What is asked of the kernel for an input, and what of that it cannot honour.</summary>
internal static class LineRules
{
    /// <summary>Who uses the lines, as other programs see it (gpioinfo).</summary>
    public const string Consumer = "edgegateway";

    /// <summary>Whether a line reports edges.</summary>
    public static bool HasEdges(this GpioInput input) => input.Use is LineUse.Counter or LineUse.Contact or LineUse.Quadrature;

    /// <summary>The request for an input whose lines have these numbers.</summary>
    public static GpioLineRequest RequestOf(GpioInput input, int offset, int? offsetB)
    {
        var line = new GpioLineSettings
        {
            Offset = offset,
            Direction = input.Use == LineUse.Output ? GpioDirection.Output : GpioDirection.Input,
            ActiveLow = input.ActiveLow,
            Bias = input.Bias switch { LineBias.Disabled => GpioBias.Disabled, LineBias.PullUp => GpioBias.PullUp, LineBias.PullDown => GpioBias.PullDown, _ => GpioBias.AsIs },
            Debounce = input.Debounce,
            Edges = input.Use switch
            {
                LineUse.Counter => input.CountsFalling ? GpioEdges.Falling : GpioEdges.Rising,
                LineUse.Contact or LineUse.Quadrature => GpioEdges.Both,
                _ => GpioEdges.None,
            },
            Drive = input.Drive switch { LineDrive.OpenDrain => GpioDrive.OpenDrain, LineDrive.OpenSource => GpioDrive.OpenSource, _ => GpioDrive.PushPull },
            InitialValue = input.Use == LineUse.Output && input.IsSafeActive,
        };
        return new()
        {
            Consumer = Consumer,
            Lines = offsetB is { } second ? [line, line with { Offset = second }] : [line],
            EventBufferSize = input.HasEdges() ? GpioLineRequest.MaxEventBuffer : 0,
        };
    }

    /// <summary>What the kernel cannot honour.</summary>
    public static IEnumerable<InputProblem> Check(LocalInput input)
    {
        if (input is not GpioInput line)
        {
            yield break;
        }

        // Numbers of named lines are known to the machine alone; the rules do not depend on them.
        var request = RequestOf(line, 0, line.LineB is null ? null : 1);
        if (request.Lines[0].Problem() is { } problem)
        {
            yield return new("debounce", problem, "Correct it");
        }

        if (line.MinimumPulse is not { } level)
        {
            yield break;
        }

        // Between the edges of two quadrature lines lies half a level.
        if (PulseRules.CheckLevel(line.Use == LineUse.Quadrature ? level / 2 : level) is { } tooShort)
        {
            yield return new("minimumPulse", tooShort, "Or correct 'minimumPulse', if the signal is slower");
        }

        if (PulseRules.CheckDebounce(line.Debounce, level) is { } tooLong)
        {
            yield return new("debounce", tooLong, "Edges that come too fast are counted apart without it (minimumInterval)");
        }
    }

    /// <summary>What a stop of the program or of the power can cost a counter, in words.</summary>
    /// <param name="input">The counter.</param>
    /// <param name="commitWindow">The site's commit window.</param>
    /// <param name="isKept">Whether somebody keeps the line while the program is down; null when that depends on how it is started.</param>
    public static string Loss(GpioInput input, TimeSpan commitWindow, bool? isKept)
    {
        var uncommitted = Uncommitted(input, commitWindow);
        var rate = $"{input.Fastest:0.###} a second";
        var stamps = $"time stamps of the newest {RequestOf(input, 0, null).EventBufferSize} pulses are kept";
        var kept = $"a kill or restart costs no pulse ({stamps})";
        var free = $"a kill or restart costs up to {uncommitted} pulses and those while it is down, up to {rate}";
        var power = $"a power cut costs up to {uncommitted} pulses and those without power";
        return isKept switch
        {
            true => $"{kept}; {power}",
            false => $"nobody keeps the line: {free}; {power}",
            null => $"with systemd's descriptor store {kept}, without it up to {uncommitted} and those while it is down, up to {rate}; {power}",
        };
    }

    /// <summary>Most pulses that were counted and are not committed yet: those of a commit window, and of as long again for the commit itself.</summary>
    public static long Uncommitted(GpioInput input, TimeSpan commitWindow) => (long)Math.Ceiling(input.Fastest * 2 * commitWindow.TotalSeconds);
}
