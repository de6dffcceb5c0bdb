namespace EdgeGateway.Protocols.Gpio;

/// <summary>Follows numbers that rise by one and roll over after 2^32 - 1, and tells how many were left out.</summary>
internal struct SequenceFollower
{
    // More than half the range ahead is behind: another sequence.
    private const uint MostMissing = int.MaxValue;

    private uint _last;

    /// <summary>The last number.</summary>
    public readonly uint Last => _last;

    /// <summary>The next number expected is the one after this.</summary>
    public void GoOnAfter(uint last) => _last = last;

    /// <summary>Takes the next number.</summary>
    /// <param name="number">The number.</param>
    /// <param name="missing">How many were left out before it; 0 when that cannot be known.</param>
    /// <returns>Whether the numbers prove that. If not, another sequence begins here.</returns>
    public bool Take(uint number, out uint missing)
    {
        missing = unchecked(number - _last - 1);
        _last = number;
        if (missing <= MostMissing)
        {
            return true;
        }

        missing = 0;
        return false;
    }
}
