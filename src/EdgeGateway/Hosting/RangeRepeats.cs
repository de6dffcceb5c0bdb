using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>
/// Range statements can be lost as well: evicted, refused, unreadable. Then what they said is unsaid. The account of losses is kept for ever, so it is said
/// again as a whole, with the losses of the stream <c>range</c> itself. At most once an hour, and only after an hour in which no statement was lost: a
/// broker that refuses statements gets no more of them for it.
/// </summary>
/// <param name="due">True when statements were lost in an earlier run and what they said was not said again.</param>
internal sealed class RangeRepeats(bool due)
{
    /// <summary>Persistent counter: 1 while statements were lost and not said again, else 0.</summary>
    public const string Counter = "range/repeat";

    private bool _due = due;
    private bool _noted = due;
    private bool _quiet;

    /// <summary>Asks for everything to be said again.</summary>
    public void Want()
    {
        _due = true;
        _quiet = false;
    }

    /// <summary>Notes which statements were lost.</summary>
    public void Note(IReadOnlyList<RecordLoss> losses)
    {
        foreach (var loss in losses)
        {
            if (!FeedHeads.IsSpokenAbout(loss.Stream))
            {
                Want();
            }
        }
    }

    /// <summary>To be asked once an hour. True when everything should be said again now.</summary>
    public bool IsTime()
    {
        var now = _quiet && _due;
        _quiet = true;
        return now;
    }

    /// <summary>Says everything again.</summary>
    /// <param name="encoder">Takes the statements.</param>
    /// <param name="account">All losses ever, of all epochs.</param>
    /// <param name="now">Time of the statements.</param>
    public void Repeat(FeedEncoder encoder, IReadOnlyList<RecordLoss> account, Instant now)
    {
        foreach (var loss in account)
        {
            encoder.Range(LossNotices.Statement(loss, now));
        }

        _due = false;
    }

    /// <summary>The value of <see cref="Counter"/> for the next commit, when it changed. Must be asked before losses are told as published.</summary>
    public long? Change()
    {
        if (_noted == _due)
        {
            return null;
        }

        _noted = _due;
        return _due ? 1 : 0;
    }
}
