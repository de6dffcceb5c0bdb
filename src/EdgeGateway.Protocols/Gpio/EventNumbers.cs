namespace EdgeGateway.Protocols.Gpio;

/// <summary>The kernel's numbers of events, which rise by one and roll over after 2^32 - 1.</summary>
internal static class EventNumbers
{
    // More than half the range ahead is behind: another sequence.
    private const uint MostMissing = int.MaxValue;

    /// <summary>Tells how many numbers were left out between two that followed each other.</summary>
    /// <param name="last">The number before.</param>
    /// <param name="number">The next number.</param>
    /// <param name="missing">How many were left out; 0 when that cannot be known.</param>
    /// <returns>Whether the numbers prove that. If not, another sequence begins with the next number.</returns>
    public static bool Follow(uint last, uint number, out uint missing)
    {
        missing = unchecked(number - last - 1);
        if (missing <= MostMissing)
        {
            return true;
        }

        missing = 0;
        return false;
    }
}
