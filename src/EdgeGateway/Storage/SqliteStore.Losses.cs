using EdgeGateway.Core.Feed;

namespace EdgeGateway.Storage;

// The account of records that will not arrive: merged into runs, told until their publication has been committed, and counted by cause for ever.
public sealed partial class SqliteStore
{
    private readonly Dictionary<(long Stream, long Epoch, string Reason, string Destination), int> _runs = [];
    private readonly List<(long Stream, long Epoch, string Reason, string Destination)> _runsAdded = [];

    /// <summary>Counts runs and records; a store of an earlier version has no counts by cause.</summary>
    private void LoadLossAccount()
    {
        Span<long> found = stackalloc long[_live.Lost.Length];
        using var runs = _writer.Once("SELECT stream, epoch, reason, destination, count(*), sum(last - first + 1) FROM loss GROUP BY stream, epoch, reason, destination");
        while (runs.Step())
        {
            var reason = runs.Text(2) ?? "";
            _runs[(runs.Long(0), runs.Long(1), reason, runs.Text(3) ?? "")] = (int)runs.Long(4);
            found[(int)LossReason.StateOf(reason)] += runs.Long(5);
        }

        for (var state = 0; state < found.Length; state++)
        {
            _live.Lost[state] = Math.Max(_live.Lost[state], found[state]);
        }
    }

    private void CountRun(RecordLoss loss)
    {
        var key = ((long)loss.Stream, loss.Epoch, loss.Reason, loss.Destination);
        var runs = _runs.GetValueOrDefault(key);
        if (runs < _limits.MostLossRuns)
        {
            _runs[key] = runs + 1;
            _runsAdded.Add(key);
            return;
        }

        _sql.ForgetLoss.Bind(1, key.Item1).Bind(2, loss.Epoch).Bind(3, loss.Reason).Bind(4, loss.Destination).Run();
    }

    /// <summary>The runs counted by a transaction that was taken back.</summary>
    private void ForgetRuns()
    {
        foreach (var key in _runsAdded)
        {
            _runs[key]--;
        }

        _runsAdded.Clear();
    }

    private void AddLoss(FeedStream stream, long epoch, long first, long count, string reason, string destination)
    {
        var last = first + count - 1;
        for (var i = _losses.Count - 1; i >= Math.Max(0, _losses.Count - 16); i--)
        {
            var loss = _losses[i];
            if (loss.Stream == stream && loss.Epoch == epoch && loss.Last + 1 == first && loss.Reason == reason && loss.Destination == destination)
            {
                _losses[i] = loss with { Last = last };
                return;
            }
        }

        _losses.Add(new RecordLoss(0, stream, epoch, first, last, reason, destination, Now(_time)));
    }

    /// <summary>Writes the losses of this commit: merged into the account of all losses, and as notices until they are published.</summary>
    private void SaveLosses()
    {
        for (var i = 0; i < _losses.Count; i++)
        {
            var loss = _losses[i];
            var at = loss.When.UnixMilliseconds;
            _sql.FindLoss.Bind(1, (long)loss.Stream).Bind(2, loss.Epoch).Bind(3, loss.Reason).Bind(4, loss.Destination).Bind(5, loss.First);
            long? run = _sql.FindLoss.Step() ? _sql.FindLoss.Long(0) : null;
            _sql.FindLoss.Reset();
            if (run is null)
            {
                CountRun(loss);
            }

            _work.Lost[(int)LossReason.StateOf(loss.Reason)] += loss.Last - loss.First + 1;
            var save = run is null ? _sql.InsertLoss : _sql.ExtendLoss;
            save.Bind(1, (long)loss.Stream).Bind(2, loss.Epoch).Bind(3, loss.Reason).Bind(4, loss.Destination).Bind(5, run ?? loss.First).Bind(6, loss.Last).Bind(7, at).Run();

            // What is not told yet and goes on here is one notice, under a new number: an outage of weeks leaves no more than it has runs.
            var before = _sql.TakeNoticeBefore;
            before.Bind(1, (long)loss.Stream).Bind(2, loss.Epoch).Bind(3, loss.Reason).Bind(4, loss.Destination).Bind(5, loss.First);
            var first = before.Step() ? before.Long(0) : loss.First;
            before.Reset();
            var notice = _sql.InsertNotice;
            notice.Bind(1, (long)loss.Stream).Bind(2, loss.Epoch).Bind(3, first).Bind(4, loss.Last).Bind(5, loss.Reason).Bind(6, loss.Destination).Bind(7, at);
            notice.Step();
            _losses[i] = loss with { Id = notice.Long(0) };
            notice.Reset();
        }
    }
}
