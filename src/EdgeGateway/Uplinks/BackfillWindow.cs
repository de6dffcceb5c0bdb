namespace EdgeGateway.Uplinks;

/// <summary>
/// How many bytes of history may be under way at once, found out from the round trips: what is under way stands before a live record that is sent next, and that
/// one must not be late by more than two seconds (requirement B-3). Grows while answers come quickly, is halved when they take long. Times are monotonic.
/// </summary>
public sealed class BackfillWindow
{
    /// <summary>Never more: twenty of the largest messages (requirement B-1).</summary>
    public const int Largest = 20 * 64 * 1024;

    /// <summary>Never less: a link that needs seconds for this is no place for history beside live records.</summary>
    public const int Smallest = 4 * 1024;

    private const int First = 128 * 1024;

    // Round trips that the link itself needs are no queue: half of the two seconds is for what stands in it, a quarter of them at most for the way.
    private static readonly TimeSpan Queue = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWay = TimeSpan.FromSeconds(0.75);

    private TimeSpan _way = LongestWay;
    private TimeSpan _cut = TimeSpan.MinValue;
    private bool _wasCut;

    /// <summary>Bytes of history that may be under way. One message may always be.</summary>
    public int Bytes { get; private set; } = First;

    /// <summary>Largest body that a message of history should have now.</summary>
    public int MessageBytes => Math.Max(Bytes, Smallest);

    /// <summary>A new connection: what is known of the one before means nothing.</summary>
    public void Begin()
    {
        Bytes = First;
        _way = LongestWay;
        _cut = TimeSpan.MinValue;
        _wasCut = false;
    }

    /// <summary>A message was acknowledged.</summary>
    /// <param name="bytes">Its size.</param>
    /// <param name="sent">When it left.</param>
    /// <param name="now">When the acknowledgement came.</param>
    /// <returns>True when it took too long, told once for what was under way together.</returns>
    public bool Acknowledged(int bytes, TimeSpan sent, TimeSpan now)
    {
        var roundTrip = now - sent;
        if (roundTrip < _way)
        {
            _way = roundTrip;
        }

        if (roundTrip > Queue + _way)
        {
            if (sent < _cut)
            {
                return false;
            }

            _cut = now;
            _wasCut = true;
            Bytes = Math.Max(Bytes / 2, Smallest);
            return true;
        }

        // Doubled in each round trip until the limit was met once, then felt for in small steps.
        Bytes = Math.Min(Bytes + (_wasCut ? bytes / 8 : bytes), Largest);
        return false;
    }
}
