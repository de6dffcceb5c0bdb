using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;

namespace EdgeGateway.Replaying;

/// <summary>The sample log in the store of a gateway, with the configurations that it was recorded under.</summary>
/// <remarks>
/// The store is only read, and may be in use: each batch is read by itself, so that nothing keeps the gateway from cutting its write-ahead log. It holds what its budget keeps: the newest samples. Samples have the dates that they were given when they were taken, also those that
/// waited for the clock.
/// </remarks>
internal sealed class StoreRecording(string path) : Recording(path)
{
    private readonly Dictionary<string, SiteModel?> _sites = [];
    private SiteModel? _last;

    public override SiteModel? Site => _last;

    protected override IEnumerable<RecordedValue> Read(bool isSurvey, CancellationToken cancel)
    {
        using var db = Database.OpenForSalvage(Path);
        var next = db.Prepare(
            """
            SELECT number, body, (SELECT hash FROM configuration_use WHERE configuration_use.log <= number ORDER BY configuration_use.log DESC LIMIT 1)
            FROM log WHERE number > ?1 ORDER BY number LIMIT 1
            """);
        var samples = new Sample[4096];
        var values = new List<RecordedValue>();
        for (var number = long.MinValue; next.Bind(1, number).Step();)
        {
            cancel.ThrowIfCancellationRequested();
            number = next.Long(0);
            var (body, hash) = (next.Bytes(1).ToArray(), next.Text(2));
            next.Reset();
            if (hash is null || SiteOf(db, hash) is not { } site)
            {
                Tell(isSurvey, $"{Path}: batch {number}: its configuration is not kept or not understood by this version");
                continue;
            }

            var status = InputBatchCodec.TryDecode(body, StateRecovery.ValueOf(site), ref samples, out var batch);
            if (status is not (FrameStatus.Intact or FrameStatus.ValuesDiffer))
            {
                Tell(isSurvey, $"{Path}: batch {number}: it cannot be read ({status})");
                continue;
            }

            _last = site;
            values.Clear();
            foreach (ref readonly var sample in batch.Samples.Span)
            {
                if ((uint)sample.Point < (uint)site.Points.Count)
                {
                    var point = site.Points[sample.Point];
                    values.Add(new(sample.Time, PlaceOf(site.Devices[point.DeviceIndex].Id, point.Id), sample.Value, sample.Raw, sample.Quality));
                }
            }

            foreach (var value in values)
            {
                yield return value;
            }
        }
    }

    private SiteModel? SiteOf(Database db, string hash)
    {
        if (!_sites.TryGetValue(hash, out var site))
        {
            using var find = db.Once("SELECT texts FROM configuration WHERE hash = ?1");
            if (find.Bind(1, hash).Step())
            {
                var texts = SqliteStore.Unpack(find.Bytes(0));
                site = SiteFiles.LoadStored(texts, out _);
            }

            _sites.Add(hash, site);
        }

        return site;
    }
}
