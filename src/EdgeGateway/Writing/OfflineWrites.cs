using System.Text;
using EdgeGateway.Core.Writing;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Writing;

/// <summary>
/// The record of writes made while no gateway ran: a file in the data directory, two lines for each write, flushed to the disk before and after the wire is
/// touched. The next start of the gateway publishes it. See <c>docs/decisions/0007</c>.
/// </summary>
internal sealed class OfflineWrites : IDisposable
{
    public const string FileName = "writes.offline.ndjson";

    /// <summary>More than this is not written without a gateway that publishes it.</summary>
    private const long MaxBytes = 1 << 20;

    private readonly StoreLock _lock;
    private readonly FileStream _file;

    private OfflineWrites(StoreLock @lock, FileStream file)
    {
        _lock = @lock;
        _file = file;
    }

    /// <summary>Takes the data directory, so that no gateway starts meanwhile, and opens the record.</summary>
    /// <exception cref="StoreException">A gateway runs, or the directory cannot be written.</exception>
    public static OfflineWrites Open(string directory)
    {
        Directory.CreateDirectory(directory);
        var @lock = StoreLock.Take(directory);
        try
        {
            var path = Path.Combine(directory, FileName);
            var isNew = !File.Exists(path);
            var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
            if (file.Length > MaxBytes)
            {
                file.Dispose();
                throw new StoreException(StoreFailure.BudgetExhausted, $"{path} is full of writes that no gateway has published. Start the gateway once: edgegateway run.");
            }

            if (isNew)
            {
                Durable.FlushDirectory(directory);
            }

            return new OfflineWrites(@lock, file);
        }
        catch
        {
            @lock.Dispose();
            throw;
        }
    }

    /// <summary>Appends a line and waits until it is on the disk.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Append(StoredWrite write)
    {
        _file.Write(Encoding.UTF8.GetBytes(StoredWritesJson.Text(write) + "\n"));
        _file.Flush(flushToDisk: true);
    }

    /// <summary>Hands the record to the journal of a gateway that starts, and takes the file away once it is in the store.</summary>
    public static async Task PublishAsync(string directory, WriteJournal journal, ILogger log, CancellationToken cancel)
    {
        var path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
        {
            return;
        }

        var writes = new Dictionary<string, StoredWrite>(StringComparer.Ordinal);
        foreach (var line in await File.ReadAllLinesAsync(path, cancel).ConfigureAwait(false))
        {
            // The second line of a write, with its outcome, takes the place of the first.
            if (StoredWritesJson.Write(line) is { } write)
            {
                writes[write.Write.Id] = write;
            }
            else if (line.Length > 0)
            {
                Log.OfflineLineUnreadable(log, path, line);
            }
        }

        await journal.ImportAsync([.. writes.Values.Select(Ended)]).WaitAsync(cancel).ConfigureAwait(false);
        Log.OfflineWritesTaken(log, writes.Count);
        File.Delete(path);
        Durable.FlushDirectory(directory);
    }

    public void Dispose()
    {
        _file.Dispose();
        _lock.Dispose();
    }

    private static StoredWrite Ended(StoredWrite stored) => stored.Write.Outcome is not null
        ? stored
        : stored with
        {
            Write = stored.Write with
            {
                Outcome = WriteOutcome.Unknown.Word(),
                Detail = "the command ended while it was under way: it may have happened",
            },
        };
}
