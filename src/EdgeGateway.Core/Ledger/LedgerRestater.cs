using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Ledger;

/// <summary>States the history of the ledger again by another factor set, from the activity in its entries. The entries stay as they were published; what comes out is the difference.</summary>
/// <remarks>
/// By account and month (UTC), with the part of a milligram carried from entry to entry as in the entries themselves, so that the same ledger and the same set always
/// give the same result. An entry for which the new set has no factor keeps its mass, and is counted; so does one whose mass no factor set gives: market based, by a factor
/// that the site measured, or by one that a person approved.
/// </remarks>
public sealed class LedgerRestater
{
    private readonly FactorSet _to;
    private readonly Dictionary<(string Device, string Method), LedgerAccount> _accounts = [];
    private readonly Dictionary<(string Device, string Method), decimal> _carried = [];
    private readonly SortedDictionary<Group, Sum> _sums = [];
    private long _through;

    /// <summary>A restatement by <paramref name="to"/>.</summary>
    /// <param name="to">The new set.</param>
    /// <param name="earlier">The restatements that are in the ledger, in order: what they said of a month goes before its entries.</param>
    public LedgerRestater(FactorSet to, IEnumerable<RestatementContent> earlier)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(earlier);
        _to = to;
        foreach (var restatement in earlier)
        {
            var sum = SumOf(new(restatement.Device, restatement.Method, restatement.Month.UnixMilliseconds));
            (sum.Before, sum.Restated) = (restatement.After, restatement.Through);
        }
    }

    /// <summary>Entries that were made without a configuration in the ledger, and therefore stay as they are.</summary>
    public long NotRestated { get; private set; }

    /// <summary>Takes a record, in order.</summary>
    public void Take(LedgerRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        _through = record.Number;
        switch (record.Content)
        {
            case ConfigurationContent configuration:
                _accounts.Clear();
                foreach (var account in configuration.Accounts)
                {
                    _accounts[(account.Device, account.Method)] = account;
                }

                break;
            case EmissionContent { Entry.Account: EmissionAccount.Device, Device: { } device } entry:
                TakeEntry(record.Number, device, entry);
                break;
        }
    }

    /// <summary>What changes, by device, method and month; months that stay as they are, are left out.</summary>
    /// <param name="from">The set by which the history was stated before.</param>
    public IReadOnlyList<RestatementContent> Results(FactorSetName from) =>
    [
        .. _sums.Where(s => s.Value.Entries > 0 && s.Value.After != s.Value.Before).Select(s => new RestatementContent
        {
            From = from,
            To = LedgerSite.Name(_to),
            Device = s.Key.Device,
            Method = s.Key.Method,
            Month = new(s.Key.Month),
            Entries = s.Value.Entries,
            Refused = s.Value.Refused,
            Activity = s.Value.Activity,
            Before = s.Value.Before,
            After = s.Value.After,
            IsRemoval = s.Value.IsRemoval,
            CountsTowardSite = s.Value.CountsTowardSite,
            Through = _through,
        }),
    ];

    private void TakeEntry(long number, string device, EmissionContent content)
    {
        var entry = content.Entry;
        if (!_accounts.TryGetValue((device, entry.Method), out var account) || !EmissionMethods.ByName.TryGetValue(entry.Method, out var method))
        {
            NotRestated++;
            return;
        }

        if (!account.CarriesMass)
        {
            return;
        }

        var sum = SumOf(new(device, entry.Method, MonthOf(entry.Start)));
        sum.Add(number, content);
        if (LedgerRecomputer.IsWeighedApart(entry) || entry.FactorId.StartsWith("site/", StringComparison.Ordinal))
        {
            sum.After += content.Mass;
            sum.Refused++;
            return;
        }

        try
        {
            if (method.Rate(account.Model, _to, account.Region, entry.Start) is { } rate)
            {
                ref var carried = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_carried, (device, entry.Method), out var isKnown);
                (var mass, carried) = LedgerRecomputer.Weigh(content.Activity, rate.KgCo2e, isKnown ? carried : entry.Carried);
                sum.After += mass;
            }
        }
        catch (Exception e) when (e is EmissionRefusedException or OverflowException)
        {
            sum.After += content.Mass;
            sum.Refused++;
        }
    }

    private static long MonthOf(Instant time)
    {
        var date = time.ToDateTimeOffset();
        return new DateTimeOffset(date.Year, date.Month, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
    }

    private Sum SumOf(Group group)
    {
        if (!_sums.TryGetValue(group, out var sum))
        {
            _sums.Add(group, sum = new());
        }

        return sum;
    }

    private readonly record struct Group(string Device, string Method, long Month) : IComparable<Group>
    {
        public int CompareTo(Group other)
        {
            var device = string.CompareOrdinal(Device, other.Device);
            var method = device != 0 ? device : string.CompareOrdinal(Method, other.Method);
            return method != 0 ? method : Month.CompareTo(other.Month);
        }
    }

    private sealed class Sum
    {
        /// <summary>Number of the last record that an earlier restatement covers.</summary>
        public long Restated { get; set; }

        public long Entries { get; private set; }

        public long Refused { get; set; }

        public decimal Activity { get; private set; }

        public long Before { get; set; }

        public long After { get; set; }

        public bool IsRemoval { get; private set; }

        public bool CountsTowardSite { get; private set; }

        public void Add(long number, EmissionContent entry)
        {
            Entries++;
            Activity += entry.Activity;
            Before += number > Restated ? entry.Mass : 0;
            IsRemoval |= entry.IsRemoval;
            CountsTowardSite |= entry.Entry.CountsTowardSite;
        }
    }
}
