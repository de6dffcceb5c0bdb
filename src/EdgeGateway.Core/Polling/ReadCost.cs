using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Polling;

/// <summary>
/// How long a read keeps the bus busy: a fixed part for each request, and a part for each byte of data (a register is two bytes,
/// eight bits are one). Whole nanoseconds, so that two plans always compare the same.
/// </summary>
/// <param name="RequestNanoseconds">Frames without data, silences, the device's turnaround and the quiet time it asks for.</param>
/// <param name="ByteNanoseconds">One byte of data in the reply.</param>
public readonly record struct ReadCost(long RequestNanoseconds, long ByteNanoseconds)
{
    // Address, function, address, quantity, CRC; and a reply of address, function, byte count, CRC around the data
    // (MODBUS over serial line V1.02, 2.5.1).
    private const int RtuBytes = 8 + 5;

    // Colon, two characters for each of six and three bytes and the LRC, CR LF (V1.02, 2.5.2).
    private const int AsciiCharacters = (1 + 12 + 2 + 2) + (1 + 6 + 2 + 2);

    // Four wake-up bytes, twelve of the frame and four of the identifier, in each direction (DL/T 645-2007, 5.2).
    private const int Dlt645Bytes = 2 * (4 + 12 + 4);
    private const long Dlt645Silence = 30_000_000;

    // No wire, only a call: as good as nothing, but one read still is cheaper than two.
    private const long LocalNanoseconds = 10_000;

    /// <summary>What a device on a line is taken to need before it answers, as long as nobody has measured it.</summary>
    public static readonly TimeSpan AssumedTurnaround = TimeSpan.FromMilliseconds(20);

    /// <summary>What a request over the network is taken to need, as long as nobody has measured it.</summary>
    public static readonly TimeSpan AssumedLatency = TimeSpan.FromMilliseconds(5);

    /// <summary>Bus time of one request, in nanoseconds.</summary>
    public long Of(RegisterTable table, int quantity) => RequestNanoseconds + (ByteNanoseconds * DataBytes(table, quantity));

    /// <summary>Bus time of one request.</summary>
    public TimeSpan Of(ReadRequest request) => TimeSpan.FromTicks(Of(request.Table, request.Quantity) / 100);

    /// <summary>
    /// RTU on a serial line: both frames, the silence of 3.5 characters (1.75 ms above 19200 baud) before each (V1.02, 2.5.1.1), the
    /// turnaround, and the device's own quiet time where that is longer than the silence.
    /// </summary>
    /// <param name="baud">Bits per second.</param>
    /// <param name="bitsPerCharacter">Start, data, parity and stop bits: 10 or 11.</param>
    /// <param name="turnaround">From the silence after the request to the first byte of the reply.</param>
    /// <param name="minGap">Quiet time that the device needs between two requests.</param>
    public static ReadCost Rtu(int baud, int bitsPerCharacter, TimeSpan turnaround, TimeSpan minGap)
    {
        var character = Character(baud, bitsPerCharacter);
        var silence = baud > 19_200 ? 1_750_000 : character * 7 / 2;
        return new((RtuBytes * character) + silence + Math.Max(silence, Nanoseconds(minGap)) + Nanoseconds(turnaround), character);
    }

    /// <summary>ASCII on a serial line: two characters for each byte, no silences (V1.02, 2.5.2).</summary>
    public static ReadCost Ascii(int baud, int bitsPerCharacter, TimeSpan turnaround, TimeSpan minGap)
    {
        var character = Character(baud, bitsPerCharacter);
        return new((AsciiCharacters * character) + Nanoseconds(minGap) + Nanoseconds(turnaround), 2 * character);
    }

    /// <summary>DL/T 645 on a serial line: wake-up bytes and frame of the question, those of the answer, and the silence of 30 ms before the question.</summary>
    public static ReadCost Dlt645(int baud, int bitsPerCharacter, TimeSpan turnaround, TimeSpan minGap)
    {
        var character = Character(baud, bitsPerCharacter);
        return new((Dlt645Bytes * character) + Math.Max(Dlt645Silence, Nanoseconds(minGap)) + Nanoseconds(turnaround), character);
    }

    /// <summary>Over a network: the round trip, and half a microsecond for each byte.</summary>
    /// <param name="latency">From the request to its reply.</param>
    /// <param name="minGap">Quiet time that the device needs between two requests.</param>
    public static ReadCost Network(TimeSpan latency, TimeSpan minGap) => new(Nanoseconds(latency) + Nanoseconds(minGap), 500);

    /// <summary>The cost on a bus of the site.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="minGap">Quiet time that the device needs between two requests.</param>
    /// <param name="thinking">Measured turnaround of the device on a line, or latency over a network; null takes the usual one.</param>
    public static ReadCost On(BusModel bus, TimeSpan minGap, TimeSpan? thinking = null) => bus switch
    {
        ILoggerBus => new(LocalNanoseconds + Nanoseconds(minGap), 1),
        Dlt645Bus line => Dlt645(line.Baud, line.BitsPerCharacter, thinking ?? AssumedTurnaround, Longer(minGap, line.Silence)),
        ModbusAsciiBus line => Ascii(line.Baud, line.BitsPerCharacter, thinking ?? AssumedTurnaround, Longer(minGap, line.Silence)),
        SerialBus line => Rtu(line.Baud, line.BitsPerCharacter, thinking ?? AssumedTurnaround, Longer(minGap, line.Silence)),
        DeviceServerBus server => Network(thinking ?? AssumedTurnaround, Longer(minGap, server.Silence)),
        LocalBus => new(LocalNanoseconds + Nanoseconds(minGap), 1),
        _ => Network(thinking ?? AssumedLatency, minGap),
    };

    /// <summary>
    /// The part of a measured exchange that was the device's own: turnaround on a line, latency over a network. This cost must have been made with none.
    /// </summary>
    /// <param name="request">The request that was answered.</param>
    /// <param name="measured">From its first byte to the last byte of the reply, waiting before it included.</param>
    public TimeSpan ThinkingTime(ReadRequest request, TimeSpan measured)
    {
        var own = measured - Of(request);
        return own > TimeSpan.Zero ? own : TimeSpan.Zero;
    }

    private static TimeSpan Longer(TimeSpan minGap, TimeSpan? silence) => silence > minGap ? silence.Value : minGap;

    private static int DataBytes(RegisterTable table, int quantity) =>
        table is RegisterTable.Coil or RegisterTable.DiscreteInput ? (quantity + 7) / 8 : 2 * quantity;

    private static long Character(int baud, int bits)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(baud);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bits);
        return ((bits * 1_000_000_000L) + baud - 1) / baud;
    }

    private static long Nanoseconds(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        return time.Ticks * 100;
    }
}
