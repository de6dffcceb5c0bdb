using EdgeGateway.Core.Feed;

namespace EdgeGateway.Storage;

// The account of records that will not arrive: merged into runs, told until their publication has been committed, and counted by cause for ever.
public sealed partial class SqliteStore
{
    private readonly Dictionary<(long Stream, long Epoch, string Reason, string Destination), int> _runs = [];
    private readonly List<((long Stream, long Epoch, string Reason, string Destination) Key, int By)> _runsChanged = [];
    private int _runCount;

    // Lines that are not what was written; the next commit deletes them. Guarded by _acknowledging.
    private readonly List<RottenLossLine> _rottenLosses = [];
    private readonly List<long> _rottenNotices = [];

    /// <summary>Counts runs and records; a store of an earlier version has no counts by cause.</summary>
    private void LoadLossAccount()
    {
        Span<long> found = stackalloc long[_live.Lost.Length];
        using var lines = _writer.Once($"SELECT {LossLine.Columns} FROM loss");
        while (lines.Step())
        {
            if (!LossLine.Read(lines, 0, out var line))
            {
                _rottenLosses.Add(RottenLossLine.Read(lines));
                continue;
            }

            var key = (line.Stream, line.Epoch, line.Reason, line.Destination);
            _runs[key] = _runs.GetValueOrDefault(key) + 1;
            _runCount++;
            found[(int)LossReason.StateOf(line.Reason)] += line.Last - line.First + 1;
        }

        for (var state = 0; state < found.Length; state++)
        {
            _live.Lost[state] = Math.Max(_live.Lost[state], found[state]);
        }
    }

    /// <summary>Checks the lines about losses; those that are not what was written go with the next commit.</summary>
    private void CheckLosses(Database db, List<string> findings)
    {
        using var losses = db.Once($"SELECT {LossLine.Columns} FROM loss");
        while (losses.Step())
        {
            if (!LossLine.Read(losses, 0, out var line))
            {
                findings.Add(Rotten(line));
                lock (_acknowledging)
                {
                    _rottenLosses.Add(RottenLossLine.Read(losses));
                }
            }
        }

        using var notices = db.Once($"SELECT id, {LossLine.Columns} FROM loss_notice");
        while (notices.Step())
        {
            if (!LossLine.Read(notices, 1, out var line))
            {
                findings.Add(Rotten(line));
                lock (_acknowledging)
                {
                    _rottenNotices.Add(notices.Long(0));
                }
            }
        }
    }

    private static string Rotten(LossLine line) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"a line of the account of losses is not what was written and is taken out (it reads now: stream {line.Stream}, {line.First} to {line.Last}, {line.Reason})");

    private void DeleteRotten()
    {
        lock (_acknowledging)
        {
            foreach (var line in _rottenLosses)
            {
                line.BindTo(_sql.DeleteLoss).Run();
            }

            foreach (var id in _rottenNotices)
            {
                _sql.DeleteNotice.Bind(1, id).Run();
            }

            foreach (var id in _mislabelled)
            {
                Relabel(id);
            }

            (_rottenLossesWriting, _rottenNoticesWriting, _mislabelledWriting) = (_rottenLosses.Count, _rottenNotices.Count, _mislabelled.Count);
        }
    }

    private int _rottenLossesWriting;
    private int _rottenNoticesWriting;
    private int _mislabelledWriting;

    private void ForgetRotten()
    {
        lock (_acknowledging)
        {
            _rottenLosses.RemoveRange(0, _rottenLossesWriting);
            _rottenNotices.RemoveRange(0, _rottenNoticesWriting);
            _mislabelled.RemoveRange(0, _mislabelledWriting);
            _rottenLossesWriting = _rottenNoticesWriting = _mislabelledWriting = 0;
        }
    }

    /// <summary>
    /// Counts a new run. Where there are as many as may be, the oldest of the stream, epoch, reason and destination that has the most is forgotten: however rows
    /// that go and rows that stay follow each other, the account does not outgrow its share, and no cause crowds out the others.
    /// </summary>
    private void CountRun(RecordLoss loss)
    {
        // Two for one where there are too many: the budget was larger before.
        for (var n = 0; n < 2 && _runCount >= _limits.MostLossRuns; n++)
        {
            var most = _runs.MaxBy(r => r.Value).Key;
            _sql.ForgetLoss.Bind(1, most.Stream).Bind(2, most.Epoch).Bind(3, most.Reason).Bind(4, most.Destination).Run();
            ChangeRuns(most, -1);
        }

        ChangeRuns(((long)loss.Stream, loss.Epoch, loss.Reason, loss.Destination), 1);
    }

    private void ChangeRuns((long Stream, long Epoch, string Reason, string Destination) key, int by)
    {
        _runs[key] = _runs.GetValueOrDefault(key) + by;
        _runCount += by;
        _runsChanged.Add((key, by));
    }

    /// <summary>What a transaction that was taken back had counted.</summary>
    private void ForgetRuns()
    {
        foreach (var (key, by) in _runsChanged)
        {
            _runs[key] -= by;
            _runCount -= by;
        }

        _runsChanged.Clear();
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
            var line = new LossLine((long)loss.Stream, loss.Epoch, loss.Reason, loss.Destination, loss.First, loss.Last);
            var run = FindRun(line);
            if (run is null)
            {
                CountRun(loss);
            }

            _work.Lost[(int)LossReason.StateOf(loss.Reason)] += loss.Last - loss.First + 1;
            var merged = run is { } known ? known with { Last = Math.Max(known.Last, loss.Last) } : line;
            merged.BindTo(run is null ? _sql.InsertLoss : _sql.ExtendLoss).Bind(8, at).Run();

            // What is not told yet and goes on here is one notice, under a new number: an outage of weeks leaves no more than it has runs.
            var before = _sql.TakeNoticeBefore;
            before.Bind(1, line.Stream).Bind(2, line.Epoch).Bind(3, line.Reason).Bind(4, line.Destination).Bind(5, line.First);
            var first = before.Step() && LossLine.Read(before, 0, out var last) ? last.First : line.First;
            before.Reset();
            var notice = (line with { First = first }).BindTo(_sql.InsertNotice).Bind(8, at);
            notice.Step();
            _losses[i] = loss with { Id = notice.Long(0) };
            notice.Reset();
        }
    }

    /// <summary>The run that a loss continues; null when there is none, or it is not what was written: the loss then takes its place.</summary>
    private LossLine? FindRun(LossLine line)
    {
        var find = _sql.FindLoss;
        find.Bind(1, line.Stream).Bind(2, line.Epoch).Bind(3, line.Reason).Bind(4, line.Destination).Bind(5, line.First);
        LossLine? run = find.Step() && LossLine.Read(find, 0, out var found) ? found : null;
        find.Reset();
        return run;
    }
}
