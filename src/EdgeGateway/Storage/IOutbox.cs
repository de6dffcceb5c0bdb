using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Storage;

/// <summary>The outbox as an uplink sees it. Thread-safe; no call holds a read transaction open after it has returned (requirement O-5).</summary>
public interface IOutbox
{
    /// <summary>Id of the newest committed row; 0 when there never was one.</summary>
    long LastRowId { get; }

    /// <summary>Completes when a row with an id above <paramref name="rowId"/> has been committed.</summary>
    ValueTask WaitForRowAfterAsync(long rowId, CancellationToken cancel);

    /// <summary>
    /// Reads rows with ids in [<paramref name="first"/>, <paramref name="last"/>] in ascending order into <paramref name="rows"/>, at
    /// least one if there is any, then until <paramref name="maxRows"/> or <paramref name="maxBytes"/> of bodies is reached.
    /// Rows that were evicted or delivered and deleted are simply not there.
    /// </summary>
    /// <returns>Number of rows read.</returns>
    int Read(long first, long last, int maxRows, int maxBytes, IList<OutboxRow> rows);

    /// <summary>What the destination has acknowledged so far, as committed; a copy.</summary>
    DeliveryCursor OpenCursor(string destination);

    /// <summary>Notes that the destination holds the row. Becomes durable with the next commit; until then a crash may send the row again under the same sequence numbers.</summary>
    void Acknowledge(string destination, long rowId);

    /// <summary>Sets a row aside that the destination refuses for good; it is counted, published, and no longer in the way.</summary>
    void Quarantine(string destination, long rowId, string reason);
}
