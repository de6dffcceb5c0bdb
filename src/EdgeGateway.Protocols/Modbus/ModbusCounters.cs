namespace EdgeGateway.Protocols.Modbus;

/// <summary>What a client has seen since it was made. A copy; exact when no request is under way.</summary>
public record struct ModbusCounters
{
    /// <summary>Requests that the owner made, each counted once however often it travelled.</summary>
    public long Requests { get; internal set; }

    /// <summary>Requests that were answered, by data or by an exception.</summary>
    public long Replies { get; internal set; }

    /// <summary>Requests without an answer in time.</summary>
    public long Timeouts { get; internal set; }

    /// <summary>Requests whose answer was damaged: wrong CRC, noise, a broken MBAP header.</summary>
    public long CrcErrors { get; internal set; }

    /// <summary>Requests that the device refused.</summary>
    public long Exceptions { get; internal set; }

    /// <summary>Whole answers that were to an earlier request, or doubled, and were thrown away.</summary>
    public long LateDiscarded { get; internal set; }

    /// <summary>Own requests heard back from the line.</summary>
    public long Echoes { get; internal set; }

    /// <summary>Times that bytes came although nothing was asked and the last answer had come whole: somebody else talks on the line (lines only).</summary>
    public long Unasked { get; internal set; }

    /// <summary>Extra requests sent to prove that no late answer is under way (RTU only).</summary>
    public long Fences { get; internal set; }

    /// <summary>Connections made or ports opened.</summary>
    public long Connects { get; internal set; }

    /// <summary>Reads that were sent a second time, because several at once were under way when they got no answer, or because the connection had idled (TCP only).</summary>
    public long Repeats { get; internal set; }

    /// <summary>Requests at once that the server has proved to take (TCP only).</summary>
    public int Depth { get; internal set; }

    /// <summary>The most requests that were under way at once (TCP only).</summary>
    public int MostInFlight { get; internal set; }

    /// <summary>How often the server objected to several requests at once lately (TCP only).</summary>
    public int Objections { get; internal set; }

    internal void Count(ModbusStatus status)
    {
        switch (status)
        {
            case ModbusStatus.Ok:
                Replies++;
                break;
            case ModbusStatus.Exception:
                Replies++;
                Exceptions++;
                break;
            case ModbusStatus.Timeout:
                Timeouts++;
                break;
            case ModbusStatus.CorruptFrame:
                CrcErrors++;
                break;
        }
    }
}
