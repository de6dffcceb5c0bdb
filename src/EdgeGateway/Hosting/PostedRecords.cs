using System.Collections.Concurrent;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>Records that the program itself makes, from any thread, on their way into the next commit; and who waits until they are on the disk.</summary>
internal sealed class PostedRecords
{
    private readonly ConcurrentQueue<Posted> _waiting = new();

    // Of the commit under way; used by the commit loop only.
    private readonly List<TaskCompletionSource> _taken = [];
    private volatile bool _ended;

    /// <summary>True when nothing waits for the next commit.</summary>
    public bool IsEmpty => _waiting.IsEmpty;

    /// <summary>Asks for a record with the next commit.</summary>
    public void Post(Action<FeedEncoder, Instant> record) => _waiting.Enqueue(new Posted(record, [], null));

    /// <summary>Asks for a record and for notes beside it, and completes once both are on the disk.</summary>
    /// <exception cref="StoreException">The loop ended before they were written.</exception>
    public Task PostAsync(Action<FeedEncoder, Instant> record, StoreNote[] notes)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue(new Posted(record, notes, done));
        if (_ended)
        {
            Abandon();
        }

        return done.Task;
    }

    /// <summary>Makes the records that wait, for a commit.</summary>
    public void TakeInto(FeedEncoder encoder, Instant now, CommitBatch commit)
    {
        while (_waiting.TryDequeue(out var posted))
        {
            posted.Record(encoder, now);
            commit.Notes.AddRange(posted.Notes);
            if (posted.Done is { } done)
            {
                _taken.Add(done);
            }
        }
    }

    /// <summary>What was taken is on the disk.</summary>
    public void Committed()
    {
        foreach (var done in _taken)
        {
            done.TrySetResult();
        }

        _taken.Clear();
    }

    /// <summary>Nothing is committed any more.</summary>
    public void End()
    {
        _ended = true;
        Abandon();
        foreach (var done in _taken)
        {
            done.TrySetException(Ended());
        }

        _taken.Clear();
    }

    /// <summary>Tells those whose record was not taken into a commit that it will not be.</summary>
    private void Abandon()
    {
        while (_waiting.TryDequeue(out var posted))
        {
            posted.Done?.TrySetException(Ended());
        }
    }

    private static StoreException Ended() => new(StoreFailure.Io, "The gateway stops: nothing more is recorded.");

    /// <summary>A record that the program makes, the notes that belong to it, and who waits for them.</summary>
    private readonly record struct Posted(Action<FeedEncoder, Instant> Record, StoreNote[] Notes, TaskCompletionSource? Done);
}
