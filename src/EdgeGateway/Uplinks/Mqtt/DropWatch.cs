namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>
/// Finds out what the connections that the server ended have in common. Which of the messages under way it ended one at is not known, and which of them seems to
/// be to blame, the oldest that is not acknowledged, is chance; but one that it does not survive was under way each time. After some such ends in a row
/// those that were go alone, so that the next end is at one of them and no other. All others flow as before, and so does a message once it
/// has arrived: where a link breaks off now and then and rows arrive in between, nothing was under way each time.
/// </summary>
internal sealed class DropWatch
{
    /// <summary>Ends in a row at which a message was under way before it goes alone.</summary>
    public const int EndsInARow = 3;

    // Keys of what was under way at each of the last ends. At most what a window holds: some thousand rows, joined in twenty messages.
    private readonly HashSet<long> _common = [];

    // Keys of what was under way when the connection ended that stands, or stood last.
    private readonly HashSet<long> _underWay = [];
    private int _ends;

    /// <summary>True while something goes alone.</summary>
    public bool IsLooking => _ends >= EndsInARow && _common.Count > 0;

    /// <summary>Whether a message goes alone.</summary>
    public bool GoesAlone(Held held)
    {
        if (!IsLooking || held.IsProbe)
        {
            return false;
        }

        foreach (var whole in held.Wholes)
        {
            if (_common.Contains(whole.Row.Id))
            {
                return true;
            }
        }

        return held.Wholes.Count == 0 && _common.Contains(held.Key);
    }

    /// <summary>A connection begins.</summary>
    public void Began() => _underWay.Clear();

    /// <summary>A message was under way when the connection ended.</summary>
    public void WasUnderWay(Held held)
    {
        foreach (var whole in held.Wholes)
        {
            _underWay.Add(whole.Row.Id);
        }

        if (held.Wholes.Count == 0 && !held.IsProbe)
        {
            _underWay.Add(held.Key);
        }
    }

    /// <summary>The server ended the connection, and may have done so because of what was under way. When that was nothing of ours, it tells nothing.</summary>
    public void Ended()
    {
        if (_underWay.Count == 0)
        {
            return;
        }

        _common.IntersectWith(_underWay);
        if (_common.Count == 0)
        {
            _common.UnionWith(_underWay);
            _ends = 0;
        }

        _ends++;
        _underWay.Clear();
    }

    /// <summary>A row, or a birth that is announced again, needs no more care.</summary>
    public void IsSettled(long key) => _common.Remove(key);
}
