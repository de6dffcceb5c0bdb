using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Storage;

namespace EdgeGateway.Uplinks;

/// <summary>
/// The outbox as an uplink sees it whose format carries only some streams. Rows of the others are settled for it when it reaches them:
/// nothing waits for a destination that will never take it.
/// </summary>
internal sealed class CarriedRows(IOutbox outbox, string destination, IFeedFormat format) : IOutbox
{
    public long LastRowId => outbox.LastRowId;

    /// <summary>What an uplink of the format is given: the same when everything is carried.</summary>
    public static UplinkContext Of(UplinkContext context, string destination, IFeedFormat format) => FeedHeads.Streams.All(format.Carries)
        ? context
        : context with
        {
            Outbox = new CarriedRows(context.Outbox, destination, format),
            Births = format.Carries(FeedStream.Birth) ? context.Births : static () => [],
        };

    public ValueTask WaitForRowAfterAsync(long rowId, CancellationToken cancel) => outbox.WaitForRowAfterAsync(rowId, cancel);

    public int Read(long first, long last, int maxRows, int maxBytes, IList<OutboxRow> rows)
    {
        var page = new List<OutboxRow>(maxRows);
        while (first <= last && outbox.Read(first, last, maxRows, maxBytes, page) > 0)
        {
            var before = rows.Count;
            foreach (var row in page)
            {
                if (format.Carries(row.Stream))
                {
                    rows.Add(row);
                }
                else
                {
                    outbox.Acknowledge(destination, row.Id);
                }
            }

            if (rows.Count > before)
            {
                return rows.Count - before;
            }

            first = page[^1].Id + 1;
            page.Clear();
        }

        return 0;
    }

    public DeliveryCursor OpenCursor(string name) => outbox.OpenCursor(name);

    public void Acknowledge(string name, long rowId) => outbox.Acknowledge(name, rowId);

    public void Quarantine(string name, long rowId, string reason) => outbox.Quarantine(name, rowId, reason);
}
