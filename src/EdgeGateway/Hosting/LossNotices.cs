using EdgeGateway.Core.Feed;
using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>
/// Collects losses until they are published: merged into runs and at most once a minute, while nothing is delivered once an hour, because a store under
/// pressure evicts with every commit and statements about it must not crowd out what they speak of. The store keeps them until they are published.
/// </summary>
internal sealed class LossNotices
{
    // Causes that take turns from row to row make no more statements than this about the records that follow each other.
    private const int MostInTurn = 4;

    private readonly List<RecordLoss> _waiting = [];
    private long _through;

    /// <summary>True when something waits to be published.</summary>
    public bool Any => _through > 0;

    /// <summary>Takes over losses.</summary>
    public void Add(IReadOnlyList<RecordLoss> losses)
    {
        foreach (var loss in losses)
        {
            _through = Math.Max(_through, loss.Id);

            // A range statement that was refused is not spoken about here: that would be refused as well, without end. RangeRepeats does it in time.
            if (!FeedHeads.IsSpokenAbout(loss.Stream))
            {
                continue;
            }

            var i = _waiting.FindLastIndex(w =>
                w.Stream == loss.Stream && w.Epoch == loss.Epoch && w.Reason == loss.Reason && w.Destination == loss.Destination && w.Last + 1 == loss.First);
            if (i >= 0)
            {
                _waiting[i] = _waiting[i] with { Last = loss.Last };
            }
            else
            {
                _waiting.Add(loss);
            }
        }
    }

    /// <summary>Publishes what waits and forgets it.</summary>
    /// <returns>The notice up to which everything has been told, for <see cref="CommitBatch.LossesPublishedThrough"/>.</returns>
    public long Publish(FeedEncoder encoder, Core.Instant now)
    {
        foreach (var loss in _waiting
            .GroupBy(l => (l.Stream, l.Epoch, l.Destination, LossReason.StateOf(l.Reason), LossReason.StandIn(l.Reason)))
            .SelectMany(JoinTurns))
        {
            encoder.Range(Statement(loss, now));
        }

        var through = _through;
        _waiting.Clear();
        _through = 0;
        return through;
    }

    /// <summary>Makes losses that follow each other, and differ for the receiver in nothing but the words of their cause, one where they are many.</summary>
    private static IEnumerable<RecordLoss> JoinTurns(IEnumerable<RecordLoss> losses)
    {
        List<RecordLoss> run = [];
        foreach (var loss in losses.OrderBy(l => l.First))
        {
            if (run.Count > 0 && run[^1].Last + 1 != loss.First)
            {
                foreach (var joined in Join(run))
                {
                    yield return joined;
                }

                run = [];
            }

            run.Add(loss);
        }

        foreach (var joined in Join(run))
        {
            yield return joined;
        }
    }

    private static List<RecordLoss> Join(List<RecordLoss> run) =>
        run.Count <= MostInTurn || run[0].Destination.Length > 0 || LossReason.StateOf(run[0].Reason) is not (RangeState.Evicted or RangeState.Thinned)
            ? run
            : [run[0] with { Last = run[^1].Last, Reason = LossReason.Join([.. run.Select(l => l.Reason).Distinct()]) }];

    /// <summary>What the feed says of a loss.</summary>
    public static RangeRecord Statement(RecordLoss loss, Core.Instant now) => new()
    {
        Time = now,
        Stream = loss.Stream,
        Epoch = loss.Epoch,
        First = loss.First,
        Last = loss.Last,
        State = LossReason.StateOf(loss.Reason),
        StandIn = LossReason.StandIn(loss.Reason),
        Reason = loss.Destination.Length > 0 ? $"{loss.Reason} by {loss.Destination}" : loss.Reason,
    };
}
