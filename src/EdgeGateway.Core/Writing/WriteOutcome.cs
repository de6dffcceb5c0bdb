namespace EdgeGateway.Core.Writing;

/// <summary>How a write ended. The words are published and stored: never change one.</summary>
public enum WriteOutcome : byte
{
    /// <summary>The device shows the value that was written.</summary>
    Confirmed,

    /// <summary>The write was sent; the device shows another value.</summary>
    NotConfirmed,

    /// <summary>The device answered with an exception: it did not write.</summary>
    RefusedByDevice,

    /// <summary>It may have happened or not: no reply, and the value cannot be read back.</summary>
    Unknown,

    /// <summary>Nothing was sent.</summary>
    NotAttempted,
}

/// <summary>The words of outcomes.</summary>
public static class WriteOutcomes
{
    public static string Word(this WriteOutcome outcome) => outcome switch
    {
        WriteOutcome.Confirmed => "confirmed",
        WriteOutcome.NotConfirmed => "not-confirmed",
        WriteOutcome.RefusedByDevice => "refused-by-device",
        WriteOutcome.Unknown => "unknown",
        WriteOutcome.NotAttempted => "not-attempted",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, null),
    };
}
