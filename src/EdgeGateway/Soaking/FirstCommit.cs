using EdgeGateway.Core.State;
using EdgeGateway.Storage;

namespace EdgeGateway.Soaking;

/// <summary>Watches a store from outside for the first samples that a start commits. The gateway is not asked, so that its answers are no part of its start.</summary>
internal sealed class FirstCommit
{
    private readonly StoreFiles _files;
    private long _last;

    /// <summary>From now on: batches that are in the store already do not count.</summary>
    /// <param name="directory">Directory of the store; it need not be there yet.</param>
    /// <exception cref="StoreException">The store that is there cannot be read.</exception>
    public FirstCommit(string directory)
    {
        _files = new StoreFiles(directory);
        if (File.Exists(_files.Database))
        {
            using var db = Database.OpenForSalvage(_files.Database);
            _last = Schema.Exists(db) ? db.QueryLong("SELECT coalesce(max(number), 0) FROM log") : 0;
        }
    }

    /// <summary>Whether samples have been committed since.</summary>
    public bool IsThere()
    {
        if (!File.Exists(_files.Database))
        {
            return false;
        }

        try
        {
            using var db = Database.OpenForSalvage(_files.Database);
            if (!Schema.Exists(db))
            {
                return false;
            }

            var samples = new Core.Sample[1024];
            using var next = db.Once("SELECT number, body FROM log WHERE number > ?1 ORDER BY number");
            next.Bind(1, _last);
            while (next.Step())
            {
                // What the values are does not matter here.
                var status = InputBatchCodec.TryDecode(next.Bytes(1), static (_, _) => double.NaN, ref samples, out var batch);
                if (status is FrameStatus.Intact or FrameStatus.ValuesDiffer && batch.Samples.Length > 0)
                {
                    return true;
                }

                _last = next.Long(0);
            }

            return false;
        }
        catch (StoreException)
        {
            // It is being made or recovered at this moment: the next look tells.
            return false;
        }
    }
}
