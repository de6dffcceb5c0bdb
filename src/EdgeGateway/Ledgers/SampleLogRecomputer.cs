using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;

namespace EdgeGateway.Ledgers;

/// <summary>Makes the entries again from the sample log in a store, by the code and the configurations that made them, and compares them with the ledger bit for bit.</summary>
/// <remarks>
/// The log holds the newest samples only. Where it does not begin with the first batch there ever was, meters and gauges are known only after their first readings: what begins
/// within half an hour of its first batch is not compared. Nor is what samples alone do not give: orders of people (a confirmed change of meters, an approved factor, decisions
/// on a stack), and instruments used up before. The store is only read, and may be in use.
/// </remarks>
internal sealed class SampleLogRecomputer(string database)
{
    private const long WarmUpMs = 30 * 60_000;

    private readonly Dictionary<string, SiteModel?> _sites = new(StringComparer.Ordinal);
    private readonly Dictionary<(EmissionAccount Account, string? Device, string Method, Instant Start), Queue<EmissionContent>> _made = [];
    private Instant _comparedFrom;
    private bool _isExact;
    private Instant? _adapted;

    /// <summary>Entries that agree.</summary>
    public long Agreed { get; private set; }

    /// <summary>Entries that the log made too and that were not compared, because samples alone do not give them.</summary>
    public long NotCompared { get; private set; }

    /// <summary>Start of the first entry that was compared; null for none.</summary>
    public Instant? First { get; private set; }

    /// <summary>Start of the last entry that was compared; null for none.</summary>
    public Instant? Last { get; private set; }

    /// <summary>The first difference; null while all agree.</summary>
    public LedgerDifference? Difference { get; private set; }

    /// <summary>Why the log could not be read to its end; null when it was.</summary>
    public string? Stopped { get; private set; }

    /// <summary>Replays the log.</summary>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public void Replay(CancellationToken cancel)
    {
        using var db = Database.OpenForSalvage(database);
        LocalPath? path = null;
        var (valueOf, valuesOf) = ((Func<int, ulong, double>?)null, (SiteModel?)null);
        var samples = new Sample[4096];
        foreach (var stored in Batches(db, 0))
        {
            cancel.ThrowIfCancellationRequested();
            if (stored.ConfigurationHash is not { } hash || SiteOf(db, hash) is not { } site)
            {
                Stopped = string.Create(CultureInfo.InvariantCulture, $"batch {stored.Number}: its configuration is not kept or not understood by this version");
                return;
            }

            if (valueOf is null || valuesOf != site)
            {
                (valueOf, valuesOf) = (StateRecovery.ValueOf(site), site);
            }

            var status = InputBatchCodec.TryDecode(stored.Frame.Span, valueOf, ref samples, out var input);
            if (status != FrameStatus.Intact || (path is not null && stored.Number != path.Batch + 1))
            {
                Stopped = string.Create(CultureInfo.InvariantCulture, $"batch {stored.Number} of the sample log {(status == FrameStatus.ValuesDiffer ? "gives other values under this version" : status == FrameStatus.Intact ? "does not follow on the one before" : $"cannot be read ({status})")}");
                return;
            }

            if (path is null)
            {
                path = new LocalPath(site, FeedHeads.Start(1)) { ReadLog = after => Batches(db, after) };
                _isExact = stored.Number == 1;
                var first = input.Samples.IsEmpty ? input.Now : input.Samples.Span[0].Time;
                _comparedFrom = _isExact ? new(long.MinValue) : new(first.UnixMilliseconds + WarmUpMs);
            }
            else if (site.ConfigurationHash != path.Site.ConfigurationHash && !(path.HasHeld && input.Release is { } release && release.Through < path.LastHeld))
            {
                path = StateRecovery.Transition(path, site, input.Now, [], input.BootId, input.Release);
            }

            path.Feed(input);
            _ = path.Encoder.Flush(input.Now);
            foreach (var content in path.Ledger.Take().OfType<EmissionContent>())
            {
                var key = KeyOf(content);
                if (!_made.TryGetValue(key, out var queue))
                {
                    _made.Add(key, queue = new());
                }

                queue.Enqueue(content);
            }
        }
    }

    /// <summary>Compares a record of the ledger with what the log made.</summary>
    public void Take(LedgerRecord record)
    {
        // What was cut off by a loss was made from a state that is gone.
        if (Difference is not null || record.Content is not EmissionContent ledger || ledger.Entry.Cut == WindowCut.Loss || !_made.TryGetValue(KeyOf(ledger), out var queue) || !queue.TryDequeue(out var made)
            || ledger.Entry.Start < _comparedFrom)
        {
            return;
        }

        if (NeedsMoreThanSamples(ledger, made))
        {
            NotCompared++;
            return;
        }

        if (Differs(ledger, made) is { } what)
        {
            Difference = new(record.Number, $"{ledger.Device ?? "site"} {ledger.Entry.Account.Word()} {ledger.Entry.Method} from {ledger.Entry.Start}: {what}");
            return;
        }

        Agreed++;
        First ??= ledger.Entry.Start;
        Last = ledger.Entry.Start;
    }

    private static (EmissionAccount Account, string? Device, string Method, Instant Start) KeyOf(EmissionContent content) => (content.Entry.Account, content.Device, content.Entry.Method, content.Entry.Start);

    /// <summary>True for an entry that orders of people or what was before the log have a part in.</summary>
    private bool NeedsMoreThanSamples(EmissionContent ledger, EmissionContent made)
    {
        var (l, m) = (ledger.Entry, made.Entry);
        if (IsMadeApart(l) || IsMadeApart(m))
        {
            // By an approved factor: the total is another one too, and what is carried on after it is withdrawn.
            _adapted = l is { Scope: 1, CountsTowardSite: true } ? l.Start : _adapted;
            _isExact &= !l.FactorId.StartsWith("adapted/", StringComparison.Ordinal);
            return true;
        }

        if (l.Account != EmissionAccount.Device && l.Method == "scope-1" && l.Start == _adapted)
        {
            return true;
        }

        if (l.Allocated && (!m.Allocated || ledger.Activity != made.Activity))
        {
            // A confirmed change of meters: from here on the parts that are carried differ too.
            _isExact = false;
            return true;
        }

        return false;
    }

    /// <summary>True for a stack's hour, whose mass has no factor, for a market-based entry and for one by an approved factor.</summary>
    private static bool IsMadeApart(in EmissionRecord entry) => entry.Account == EmissionAccount.Device
        ? LedgerRecomputer.IsWeighedApart(entry) || StackMethods.Contains(entry.Method)
        : entry.Method == ElectricityMarket.Name;

    /// <summary>What differs, in words; null when nothing does.</summary>
    private string? Differs(EmissionContent ledger, EmissionContent made)
    {
        var (l, m) = (ledger.Entry, made.Entry);
        if (ledger.FactorSet != made.FactorSet)
        {
            return Say("the content of the factor set is", ledger.FactorSet, made.FactorSet);
        }

        // The numbers bit for bit: doubles by their bits, NaN with them.
        foreach (var (name, kept, again) in new (string, IConvertible?, IConvertible?)[]
        {
            ("the activity is", ledger.Activity, made.Activity), ("the reading at the start is", l.StartReading, m.StartReading), ("the reading at the end is", l.EndReading, m.EndReading),
            ("the raw register at the start is", l.StartRaw, m.StartRaw), ("the raw register at the end is", l.EndRaw, m.EndRaw), ("the factor is", l.FactorId, m.FactorId),
            ("the factor per kWh is", l.FactorKgPerKWh, m.FactorKgPerKWh), ("the factor per unit is", l.Detail?.Factor, m.Detail?.Factor),
            ("the coverage is", BitConverter.DoubleToInt64Bits(l.Coverage), BitConverter.DoubleToInt64Bits(m.Coverage)),
            ("it is allocated:", l.Allocated, m.Allocated), ("it counts toward the site:", l.CountsTowardSite, m.CountsTowardSite), ("it is cut:", (int)l.Cut, (int)m.Cut),
        })
        {
            if (!Equals(kept, again))
            {
                return Say(name, kept, again);
            }
        }

        if (l.Account != EmissionAccount.Device)
        {
            // Sums of whole milligrams: where the log begins later, the parts that were carried then are not known, and the entries are held against each other instead.
            return _isExact && l.Milligrams != m.Milligrams ? Say("mg CO2e:", l.Milligrams, m.Milligrams) : null;
        }

        if (_isExact && l.Carried != m.Carried)
        {
            return Say("the part of a milligram carried in is", l.Carried, m.Carried);
        }

        if (ledger.Mass == made.Mass && l.Carried == m.Carried)
        {
            // Also a year's balance, whose activity is made from its mass.
            return null;
        }

        // The part that is carried in comes from before the log; the ledger has it.
        var rate = m.Detail?.Factor ?? m.FactorKgPerKWh;
        var mass = m.FactorId == "none" ? 0 : LedgerRecomputer.Weigh(made.Activity, rate, l.Carried).Milligrams;
        return ledger.Mass != mass ? Say("mg CO2e:", ledger.Mass, mass) : null;
    }

    private static string Say(string what, IConvertible? ledger, IConvertible? made) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} {ledger ?? "nothing"} in the ledger, {made ?? "nothing"} from the sample log");

    private static IEnumerable<StoredBatch> Batches(Database db, long after)
    {
        using var next = db.Once(
            """
            SELECT number, body, (SELECT hash FROM configuration_use WHERE configuration_use.log <= number ORDER BY configuration_use.log DESC LIMIT 1)
            FROM log WHERE number > ?1 ORDER BY number LIMIT 1
            """);
        while (next.Bind(1, after).Step())
        {
            var batch = new StoredBatch(next.Long(0), next.Text(2), next.Bytes(1).ToArray());
            next.Reset();
            yield return batch;
            after = batch.Number;
        }
    }

    private SiteModel? SiteOf(Database db, string hash)
    {
        if (!_sites.TryGetValue(hash, out var site))
        {
            using var find = db.Once("SELECT texts FROM configuration WHERE hash = ?1");
            site = find.Bind(1, hash).Step() ? SiteFiles.LoadStored(SqliteStore.Unpack(find.Bytes(0)), out _) : null;
            _sites.Add(hash, site);
        }

        return site;
    }
}
