namespace EdgeGateway.Core.State;

/// <summary>What is known of the wall clock by which samples are dated (requirement T-2). The numbers are stored: never renumber.</summary>
public enum TimeQuality : byte
{
    /// <summary>Not recorded: a batch of a program before this one.</summary>
    Unknown = 0,

    /// <summary>Kept by NTP or another source that knows the time.</summary>
    Synchronised = 1,

    /// <summary>Was right once and runs free: by a clock chip with a battery, since the source was lost, or since somebody set it.</summary>
    Holdover = 2,

    /// <summary>Nobody has set it since the computer started: dates are provisional.</summary>
    Unset = 3,
}

/// <summary>The end of a time in which batches were held because the clock was not set.</summary>
/// <param name="Through">Held batches up to this number are processed now.</param>
/// <param name="Offset">
/// Wall time at zero of the boot's monotonic clock, in Unix milliseconds, as it is known now: held samples of the same boot are dated anew by it.
/// Null when it did not become known: they keep their provisional dates, and the records say so.
/// </param>
public readonly record struct HeldRelease(long Through, long? Offset);
