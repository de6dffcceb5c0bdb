using System.Diagnostics.CodeAnalysis;
using System.Text;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Writing;
using EdgeGateway.Hosting;
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

    /// <summary>
    /// The value of a point that would give way to the safe one after the next start, read from the store whose lock is held; null when there is none. What a killed
    /// gateway left open counts as that start will count it.
    /// </summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="plan">What is to be written.</param>
    /// <param name="now">Both clocks.</param>
    /// <param name="problem">Why it is not known; empty when it is.</param>
    public static PendingExpiry? Standing(string directory, WritePlan plan, ClockReading now, out string problem)
    {
        problem = "";
        try
        {
            var damaged = new List<StoreNote>();
            var journal = new WriteJournal(SqliteStore.NotesAt(directory, damaged), static (_, _) => Task.CompletedTask, damaged);

            // In memory only, and at once.
            _ = journal.ResumeAsync(now);
            problem = journal.Damaged.Count > 0 ? WriteJournal.Describe(journal.Damaged[0]) : "";
            return journal.PendingOf(plan.Device.Id, plan.Point.Id);
        }
        catch (StoreException e)
        {
            problem = e.Message;
            return null;
        }
    }

    /// <summary>Writes on a bus that nobody else has: a line of the record before, a line afterwards.</summary>
    /// <returns>The write, and why its outcome is not in the record; empty when it is.</returns>
    /// <exception cref="IOException">The first line could not be written; the wire was not touched.</exception>
    public static async Task<(WriteDocument Write, string Problem)> WriteAsync(
        IBus bus, WritePlan plan, double? before, PendingExpiry? standing, BootClock clock, TimeProvider time, Action<StoredWrite> append)
    {
        var begun = clock.Read();
        var stored = new StoredWrite(WriteDesk.Intent(plan, before, WriteCause.Offline, begun.Wall.ToDateTimeOffset()), StoredClock.Of(begun), standing?.Id);
        append(stored);
        var result = await DeviceWriter.WriteAsync(bus, plan, before, time).ConfigureAwait(false);
        stored = stored with
        {
            Write = stored.Write with
            {
                Outcome = result.Outcome.Word(),
                Detail = result.Detail,
                ReadBack = result.ReadBack,
                Ended = clock.Read().Wall.ToDateTimeOffset(),
            },
        };
        try
        {
            append(stored);
            return (stored.Write, "");
        }
        catch (IOException e)
        {
            return (stored.Write, e.Message);
        }
    }

    /// <summary>
    /// Hands the record to the journal of a gateway that starts, in memory before the first wait, and takes the file away once it is in the store. Never throws:
    /// a record that cannot be read is told, in the log and in the feed, and stays where it is for the next start; expiries run all the same.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever is wrong with the file, the gateway goes on without it, and says so.")]
    public static async Task TakeOverAsync(string directory, WriteJournal journal, ClockReading now, ILogger log)
    {
        var path = Path.Combine(directory, FileName);
        try
        {
            if (File.Exists(path))
            {
                await PublishAsync(path, journal, now, log).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            var what = $"The record of writes made without a running gateway, {path}, cannot be taken over: {e.Message}. It is tried again at the next start. Look at the devices that were written to.";
            Log.OfflineWritesNotTaken(log, what, e);
            await journal.TellLostAsync(what, now).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task PublishAsync(string path, WriteJournal journal, ClockReading now, ILogger log)
    {
        var writes = new Dictionary<string, StoredWrite>(StringComparer.Ordinal);
        var unreadable = 0;
        foreach (var line in File.ReadAllLines(path))
        {
            // The second line of a write, with its outcome, takes the place of the first.
            if (StoredWritesJson.Write(line) is { } write)
            {
                writes[write.Write.Id] = write;
            }
            else if (line.Length > 0)
            {
                Log.OfflineLineUnreadable(log, path, line);
                unreadable++;
            }
        }

        foreach (var replaces in writes.Values.Where(w => w.Replaces is not null && w.Write.Outcome == WriteOutcome.Confirmed.Word()))
        {
            Log.OfflineWriteReplaces(log, replaces.Write.Text, replaces.Write.Device, replaces.Write.Point);
        }

        var importing = journal.ImportAsync([.. writes.Values.Select(Ended)], now);
        if (unreadable > 0)
        {
            await journal.TellLostAsync($"{unreadable} line(s) in the record of writes made without a running gateway cannot be read; the log has them. Look at the devices that were written to.", now).ConfigureAwait(false);
        }

        await importing.ConfigureAwait(false);
        Log.OfflineWritesTaken(log, writes.Count);
        File.Delete(path);
        Durable.FlushDirectory(Path.GetDirectoryName(path)!);
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
