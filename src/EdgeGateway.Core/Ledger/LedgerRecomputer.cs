using System.Globalization;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Ledger;

/// <summary>An entry of the ledger that recomputing does not confirm.</summary>
/// <param name="Record">Number of the record.</param>
/// <param name="What">What differs, with both numbers; one sentence for a person.</param>
public sealed record LedgerDifference(long Record, string What)
{
    /// <summary>Where and what, one line.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"record {Record}: {What}");
}

/// <summary>
/// Computes the entries of the ledger again from what they hold themselves: the registers give the activity, the factor set in the ledger the rate, both with the carried
/// part of a milligram the mass. Bit for bit, in exact decimals.
/// </summary>
/// <remarks>
/// Where the registers do not tell the growth (a roll-over, a reset, a meter that was exchanged, gauges), the activity is taken as it stands; <see cref="FromActivity"/>
/// counts these. A parent's remainder is not recomputed from the ledger: which meters are under which stands in the configuration, not here. Nor is a mass that the factor
/// set alone does not give (<see cref="IsWeighedApart"/>), nor a total of anything but bought electricity, location based.
/// </remarks>
public sealed class LedgerRecomputer
{
    /// <summary>Method of bought electricity, location based, and of its total.</summary>
    private const string Purchased = "electricity-purchased";

    private readonly Dictionary<string, FactorSet> _sets = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Device, string Method), LedgerAccount> _accounts = [];
    private readonly Dictionary<(string Device, string Method), decimal?> _carried = [];

    // Between two intervals; null when one may have begun before the ledger does.
    private static readonly (Instant Start, int Era, Int128 Milligrams, bool IsWhole) Between = (new(long.MinValue), 0, 0, true);

    private (Instant Start, int Era, Int128 Milligrams, bool IsWhole)? _interval;

    /// <summary>Entries that were recomputed and agree.</summary>
    public long Agreed { get; private set; }

    /// <summary>Entries among them whose activity was not confirmed from their registers.</summary>
    public long FromActivity { get; private set; }

    /// <summary>Entries that could not be recomputed: the ledger does not hold their configuration or factor set, or their mass is not made by a factor of the set, or they are totals that are not added up here.</summary>
    public long NotRecomputed { get; private set; }

    /// <summary>The first difference; null while all agree.</summary>
    public LedgerDifference? Difference { get; private set; }

    /// <summary>The factor set of a hash, when the ledger has held it so far.</summary>
    public FactorSet? SetOf(string hash) => _sets.GetValueOrDefault(hash);

    /// <summary>Takes a record, in order; after the first difference nothing more is looked at.</summary>
    /// <exception cref="InvalidDataException">A factor set in the ledger cannot be read.</exception>
    public void Take(LedgerRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Difference is not null)
        {
            return;
        }

        switch (record.Content)
        {
            case FactorsContent factors:
                var set = FactorSet.FromCanonical(System.Text.Encoding.UTF8.GetBytes(factors.Canonical));
                if (set.ContentHash != factors.Hash)
                {
                    Difference = new(record.Number, $"the factor set has the content {set.ContentHash}, not {factors.Hash} as it says");
                }

                _sets[factors.Hash] = set;
                break;
            case ConfigurationContent configuration:
                _accounts.Clear();
                foreach (var account in configuration.Accounts)
                {
                    _accounts[(account.Device, account.Method)] = account;
                }

                // An account that goes on keeps its part of a milligram, a new one begins with none; and intervals begin anew.
                _carried.Clear();
                _interval = Between;
                break;
            case GapContent:
                _carried.Clear();
                _interval = null;
                break;
            case EmissionContent { Entry.Account: EmissionAccount.Device, Device: { } device } entry:
                TakeEntry(record.Number, device, entry);
                break;
            case EmissionContent { Entry.Account: EmissionAccount.Site } total:
                TakeTotal(record.Number, total);
                break;
        }
    }

    /// <summary>What an activity weighs: whole milligrams, and the part that is carried on.</summary>
    /// <exception cref="OverflowException">It is more than can be computed.</exception>
    public static (long Milligrams, decimal Carried) Weigh(decimal activity, decimal kilogramsPerUnit, decimal carried)
    {
        var sum = (activity * kilogramsPerUnit * 1_000_000m) + carried;
        var whole = Math.Min(decimal.Truncate(sum), long.MaxValue);
        return ((long)whole, sum - whole);
    }

    /// <summary>True for an entry whose mass the factor set alone does not give: market based, where instruments were used up, or by a factor that a person approved.</summary>
    public static bool IsWeighedApart(in EmissionRecord entry) =>
        entry.Method == ElectricityMarket.Name || entry.FactorId == "mixed" || entry.FactorId.StartsWith("adapted/", StringComparison.Ordinal);

    private void TakeEntry(long number, string device, EmissionContent content)
    {
        var entry = content.Entry;
        AddToTotal(entry);
        var key = (device, entry.Method);
        if (!_accounts.TryGetValue(key, out var account) || !_sets.TryGetValue(content.FactorSet, out var factors) || !EmissionMethods.ByName.TryGetValue(entry.Method, out var method))
        {
            NotRecomputed++;
            return;
        }

        if (_carried.GetValueOrDefault(key) is { } expected && expected != entry.Carried && entry.Cut != WindowCut.Loss)
        {
            Fail(number, $"{device} carries {Say(entry.Carried)} mg into this entry, the one before left {Say(expected)} mg");
            return;
        }

        var isConfirmed = false;
        if (account.PerUnit is { } perUnit && entry.StartReading is { } start && entry.EndReading is { } end)
        {
            var activity = (end - start) * perUnit;
            isConfirmed = activity == content.Activity;

            // What a person confirmed of a change of meters is in the activity and in no register: such an entry is allocated.
            if (!isConfirmed && !entry.Allocated && end >= start && content.Activity > activity)
            {
                Fail(number, $"{device} has an activity of {Say(content.Activity)} {content.Unit}, its registers say {Say(activity)}");
                return;
            }
        }

        if (IsWeighedApart(entry))
        {
            // What it leaves to the next entry is not known either.
            NotRecomputed++;
            _carried.Remove(key);
            return;
        }

        var (mass, carried, factor, refusal) = Compute(account, method, factors, content);
        if (mass != content.Mass)
        {
            Fail(number, $"{device} has {Say(content.Mass)} mg CO2e, recomputed {Say(mass)} mg{(refusal is null ? "" : $" ({refusal})")}");
        }
        else if (factor is not null && factor != entry.FactorId)
        {
            Fail(number, $"{device} names the factor {entry.FactorId}, recomputed {factor}");
        }
        else
        {
            Agreed++;
            FromActivity += isConfirmed ? 0 : 1;
            _carried[key] = carried;
        }
    }

    private static (long Mass, decimal Carried, string? Factor, string? Refusal) Compute(LedgerAccount account, EmissionMethod method, FactorSet factors, EmissionContent content)
    {
        var entry = content.Entry;
        if (!account.CarriesMass)
        {
            return (0, entry.Carried, null, null);
        }

        if (entry is { FactorId: "none", Coverage: 0 } && content.Activity == 0)
        {
            // Gauges that contradict each other: nothing was accounted.
            return (0, entry.Carried, "none", null);
        }

        try
        {
            if (method.Rate(account.Model, factors, account.Region, entry.Start) is not { } rate)
            {
                return (0, entry.Carried, null, null);
            }

            var (mass, carried) = Weigh(content.Activity, rate.KgCo2e, entry.Carried);
            return (mass, carried, rate.FactorId, null);
        }
        catch (EmissionRefusedException e)
        {
            return (0, entry.Carried, "none", e.Message);
        }
        catch (OverflowException)
        {
            return (0, entry.Carried, "none", "the activity is more than can be computed");
        }
    }

    private void AddToTotal(in EmissionRecord entry)
    {
        if (entry.Method != Purchased)
        {
            return;
        }

        if (_interval is not { } open || open.Start != entry.Start || open.Era != entry.Era)
        {
            // The first interval of an export may have begun before it.
            _interval = (entry.Start, entry.Era, 0, _interval is not null);
        }

        if (entry.CountsTowardSite && _interval is { } interval)
        {
            _interval = interval with { Milligrams = interval.Milligrams + entry.Milligrams };
        }
    }

    private void TakeTotal(long number, EmissionContent total)
    {
        if (total.Entry.Method != Purchased)
        {
            // Of what is declared: never added to bought electricity.
            NotRecomputed++;
            return;
        }

        if (_interval is not { IsWhole: true } interval || interval.Start != total.Entry.Start)
        {
            NotRecomputed++;
        }
        else if (interval.Milligrams != total.Entry.Milligrams)
        {
            Fail(number, $"the site's total is {Say(total.Entry.Milligrams)} mg CO2e, its entries add up to {interval.Milligrams} mg");
        }
        else
        {
            Agreed++;
        }

        // What follows begins another interval, also at the same time: a configuration changed in the middle of it.
        _interval = Between;
    }

    private void Fail(long number, string what) => Difference = new(number, what);

    private static string Say(decimal value) => value.ToString(CultureInfo.InvariantCulture);
}
