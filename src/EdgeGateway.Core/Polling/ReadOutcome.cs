namespace EdgeGateway.Core.Polling;

/// <summary>How a read request ended, as far as the device's map is concerned.</summary>
public enum ReadOutcome : byte
{
    /// <summary>Everything that was asked for came.</summary>
    Good,

    /// <summary>Refused for what was asked: exception 01 or 02 (MODBUS V1.1b3, 7).</summary>
    IllegalAddress,

    /// <summary>Refused for how much was asked: exception 03.</summary>
    IllegalQuantity,

    /// <summary>Exception 04: the device failed while it answered. Some devices say so when they are asked for too much.</summary>
    DeviceFailure,

    /// <summary>Fewer data than asked for.</summary>
    ShortReply,

    /// <summary>No reply in time.</summary>
    Unanswered,

    /// <summary>Busy, a damaged frame, a lost connection: says nothing about the request.</summary>
    Noise,
}

/// <summary>From the reason for a missing value to an outcome.</summary>
public static class ReadOutcomes
{
    /// <summary>The outcome of a request that ended with <paramref name="reason"/>.</summary>
    /// <param name="reason">None when the registers came.</param>
    /// <param name="detail">The exception code of a device exception.</param>
    public static ReadOutcome Of(QualityReason reason, byte detail) => reason switch
    {
        QualityReason.None => ReadOutcome.Good,
        QualityReason.DeviceException => detail switch
        {
            0x01 or 0x02 => ReadOutcome.IllegalAddress,
            0x03 => ReadOutcome.IllegalQuantity,
            0x04 => ReadOutcome.DeviceFailure,
            _ => ReadOutcome.Noise,
        },
        QualityReason.ShortReply => ReadOutcome.ShortReply,
        QualityReason.Timeout => ReadOutcome.Unanswered,
        _ => ReadOutcome.Noise,
    };
}
