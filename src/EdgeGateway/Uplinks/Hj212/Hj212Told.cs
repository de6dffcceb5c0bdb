namespace EdgeGateway.Uplinks.Hj212;

/// <summary>Which reasons were told of late: each is told once an hour, however many others come in between.</summary>
internal sealed class Hj212Told
{
    /// <summary>Most reasons that are remembered; beyond them the one told longest ago is forgotten.</summary>
    public const int Most = 32;

    /// <summary>Least time between two tellings of a reason.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromHours(1);

    private readonly Dictionary<string, TimeSpan> _told = [];

    /// <summary>Whether a reason is to be told now; it counts as told then.</summary>
    /// <param name="reason">The reason in words.</param>
    /// <param name="now">Monotonic time.</param>
    public bool IsNew(string reason, TimeSpan now)
    {
        if (_told.TryGetValue(reason, out var told) && now - told < Pause)
        {
            return false;
        }

        _told[reason] = now;
        if (_told.Count > Most)
        {
            _told.Remove(_told.MinBy(t => t.Value).Key);
        }

        return true;
    }
}
