using System.Text;

namespace EdgeGateway.Protocols.Gpio;

/// <summary>Lines of one chip that are asked for together. They share one descriptor and one buffer of events.</summary>
/// <remarks>Lines whose pulses must outlive a restart are better asked for one by one: the buffer of a request holds at most <see cref="MaxEventBuffer"/> events, whatever the number of its lines.</remarks>
public sealed record GpioLineRequest
{
    /// <summary>The most lines that a request can have.</summary>
    public const int MaxLines = GpioAbi.MaxLines;

    /// <summary>The longest name of a consumer, in bytes of UTF-8.</summary>
    public const int MaxConsumerBytes = GpioAbi.NameSize - 1;

    /// <summary>Events that the kernel keeps at most for a request; it quietly cuts off what is asked for beyond (GPIO_V2_LINES_MAX * 16).</summary>
    public const int MaxEventBuffer = MaxLines * 16;

    /// <summary>Who uses the lines, as other programs see it (gpioinfo).</summary>
    public required string Consumer { get; init; }

    /// <summary>The lines; values and masks count them in this order.</summary>
    public required IReadOnlyList<GpioLineSettings> Lines { get; init; }

    /// <summary>Events that the kernel keeps until they are read; beyond, it drops the oldest. 0 for 16 a line. See <see cref="PulseRules.BufferFor"/>.</summary>
    public int EventBufferSize { get; init; }

    /// <summary>Throws when the request contradicts itself.</summary>
    /// <exception cref="ArgumentException">It does; the message says how.</exception>
    public void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Consumer);
        if (Encoding.UTF8.GetByteCount(Consumer) > MaxConsumerBytes || Consumer.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException($"the consumer's name has at most {MaxConsumerBytes} bytes, \"{Consumer}\" does not fit");
        }

        if (EventBufferSize is < 0 or > MaxEventBuffer)
        {
            throw new ArgumentException($"the kernel keeps at most {MaxEventBuffer} events for a request, {EventBufferSize} is not possible: divide the lines over several requests");
        }

        Validate(Lines);
    }

    internal static void Validate(IReadOnlyList<GpioLineSettings> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        if (lines.Count is 0 or > MaxLines)
        {
            throw new ArgumentException($"a request has 1 to {MaxLines} lines, not {lines.Count}");
        }

        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i].Problem() is { } problem)
            {
                throw new ArgumentException(problem);
            }

            for (var j = 0; j < i; j++)
            {
                if (lines[i].Offset == lines[j].Offset)
                {
                    throw new ArgumentException($"line {lines[i].Offset} is asked for twice");
                }
            }
        }
    }
}
