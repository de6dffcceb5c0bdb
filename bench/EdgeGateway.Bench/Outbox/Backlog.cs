using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;

namespace EdgeGateway.Bench.Outbox;

/// <summary>
/// A store with rows that wait, made by the encoder and the store of the gateway itself. The rows have no sample log behind them, so a checkpoint says where the
/// encoder stands: a gateway that starts on the store goes on from there, as after a stop.
/// </summary>
internal sealed class Backlog : IDisposable
{
    private const string Destination = "centre";

    private readonly LocalPath _path;
    private readonly CommitBatch _batch = new() { ValueOf = static (_, raw) => raw };
    private long _second = 1_750_000_000;
    private int _next;

    private Backlog(SiteModel site, SqliteStore store)
    {
        Site = site;
        Store = store;
        var heads = store.Recover().Heads;
        _path = new LocalPath(site, FeedHeads.From(heads.Values.Max(h => h.Epoch), s => heads.TryGetValue(s, out var head) ? head.Next : 1)) { ReadLog = store.ReadBatches };
    }

    public SiteModel Site { get; }

    public SqliteStore Store { get; }

    /// <summary>Opens, or makes, the store of a site.</summary>
    /// <param name="folder">Folder of <c>gateway.yaml</c>.</param>
    public static Backlog Open(string folder)
    {
        var configuration = Path.Combine(folder, "gateway.yaml");
        var loaded = SiteFiles.Find(configuration, profiles: null).Load(configuration, out var problems)
            ?? throw new InvalidOperationException(string.Join('\n', problems));
        return new Backlog(loaded.Model, SqliteStore.Open(loaded.Model.Storage, [Destination], TimeProvider.System));
    }

    /// <summary>Commits samples, as the commit loop does.</summary>
    /// <param name="samples">Number of samples.</param>
    /// <param name="inRow">Samples of a row: those of one commit window.</param>
    /// <param name="rowsInCommit">Rows of one transaction.</param>
    public void Append(long samples, int inRow, int rowsInCommit)
    {
        while (samples > 0)
        {
            for (var row = 0; row < rowsInCommit && samples > 0; row++, samples -= inRow)
            {
                for (var i = 0; i < inRow && i < samples; i++)
                {
                    var value = LoadValue();
                    _path.Encoder.Sample(new Sample(_next, new Instant(_second * 1000), value, (ulong)(value * 8), Quality.Good));
                    if (++_next == Site.Points.Count)
                    {
                        _next = 0;
                        _second++;
                    }
                }

                _batch.Rows.AddRange(_path.Encoder.Flush(new Instant(_second * 1000)));
            }

            foreach (var stream in FeedHeads.Streams)
            {
                _batch.Heads.Add(new StreamHead(stream, _path.Encoder.Heads.Epoch, _path.Encoder.Heads[stream]));
            }

            Store.Commit(_batch);
            _batch.Clear();
        }

        var state = new StateWriter();
        _path.Save(state);
        _batch.Checkpoint = new Checkpoint(_path.Batch, Site.ConfigurationHash, new Instant(_second * 1000), state.Written);
        Store.Commit(_batch);
        _batch.Clear();
    }

    /// <summary>Reads all rows as an uplink does, acknowledges them, and commits after each page of rows, so that they are deleted.</summary>
    /// <returns>Samples that were in them.</returns>
    public long Drain()
    {
        var rows = new List<OutboxRow>();
        long samples = 0;
        long next = 1;
        while (next <= Store.LastRowId)
        {
            rows.Clear();
            if (Store.Read(next, Store.LastRowId, Uplinks.DeliveryLanes.PageRows, Uplinks.DeliveryLanes.PageBytes, rows) == 0)
            {
                break;
            }

            foreach (var row in rows)
            {
                Store.Acknowledge(Destination, row.Id);
                samples += row.Count;
            }

            next = rows[^1].Id + 1;
            Store.Commit(_batch);
        }

        return samples;
    }

    public void Dispose() => Store.Dispose();

    private double LoadValue() => Simulator.LoadDevice.Wave(_second, _next);
}
