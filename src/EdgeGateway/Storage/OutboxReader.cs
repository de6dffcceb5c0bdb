using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>A connection for an uplink. Each read opens and ends its own read transaction (requirement O-5).</summary>
internal sealed class OutboxReader : IDisposable
{
    private readonly Database _db;
    private readonly Statement _page;

    public OutboxReader(string path, in DatabaseLimits limits)
    {
        _db = Database.OpenReader(path, limits);
        _page = _db.Prepare("SELECT id, body FROM outbox WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
    }

    /// <summary>As <see cref="IOutbox.Read"/>; ids of rows that are not what was written go to <paramref name="unreadable"/>.</summary>
    public int Read(long first, long last, int maxRows, int maxBytes, IList<OutboxRow> rows, ref List<long>? unreadable)
    {
        var count = 0;
        long bytes = 0;
        try
        {
            _page.Bind(1, first).Bind(2, last);
            while (count < maxRows && _page.Step())
            {
                var id = _page.Long(0);
                if (OutboxRowFrame.TryDecode(_page.Bytes(1), out var row) != FrameStatus.Intact || row!.Id != id)
                {
                    (unreadable ??= []).Add(id);
                    continue;
                }

                if (count > 0 && bytes + row.Body.Length > maxBytes)
                {
                    break;
                }

                bytes += row.Body.Length;
                rows.Add(row);
                count++;
            }
        }
        finally
        {
            _page.Reset();
        }

        return count;
    }

    public void Dispose() => _db.Dispose();
}
