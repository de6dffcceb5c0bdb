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
/// counts these. Remainders and totals are added up from the entries of their interval, where the configuration in the ledger says which these are. A mass that the factor
/// set alone does not give (<see cref="IsWeighedApart"/>) is not recomputed, and goes into sums as it stands.
/// </remarks>
public sealed class LedgerRecomputer
{
    private static readonly TimeSpan Interval = new(CarbonBook.WidthMs * TimeSpan.TicksPerMillisecond);

    private readonly Dictionary<string, FactorSet> _sets = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Device, string Method), LedgerAccount> _accounts = [];
    private readonly Dictionary<(string Device, string Method), decimal?> _carried = [];

    private readonly Dictionary<(EmissionAccount Account, string Name, string Method), IReadOnlyList<LedgerPart>> _sums = [];
    private readonly Dictionary<(string Device, string Method), int> _places = [];
    private EmissionContent?[] _interval = [];
    private bool _saysSums;

    /// <summary>Entries that were recomputed and agree.</summary>
    public long Agreed { get; private set; }

    /// <summary>Entries among them whose activity was not confirmed from their registers.</summary>
    public long FromActivity { get; private set; }

    /// <summary>Entries that could not be recomputed, <see cref="SumsWithoutParts"/> included: the ledger does not hold their configuration or factor set, or their mass is not made by a factor of the set, or entries of the interval are missing.</summary>
    public long NotRecomputed { get; private set; }

    /// <summary>Remainders and totals among them of which the ledger does not say what they are made of: those of programs that did not write it yet.</summary>
    public long SumsWithoutParts { get; private set; }

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
                Take(configuration);
                break;
            case GapContent:
                _carried.Clear();
                Array.Clear(_interval);
                break;
            case EmissionContent { Entry.Account: EmissionAccount.Device, Device: { } device } entry:
                TakeEntry(record.Number, device, entry);
                break;
            case EmissionContent sum:
                TakeSum(record.Number, sum);
                break;
        }
    }

    private void Take(ConfigurationContent configuration)
    {
        _accounts.Clear();
        _places.Clear();
        _sums.Clear();
        for (var i = 0; i < configuration.Accounts.Count; i++)
        {
            var account = configuration.Accounts[i];
            _accounts[(account.Device, account.Method)] = account;
            _places[(account.Device, account.Method)] = i;
        }

        _saysSums = configuration.Sums is not null;
        foreach (var sum in configuration.Sums ?? [])
        {
            _sums[(sum.Account, sum.Name, sum.Method)] = sum.Parts;
        }

        // An account that goes on keeps its part of a milligram, a new one begins with none; and intervals begin anew.
        _carried.Clear();
        _interval = new EmissionContent?[configuration.Accounts.Count];
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
        var key = (device, entry.Method);
        if (_places.TryGetValue(key, out var place) && entry.Width == Interval)
        {
            _interval[place] = content;
        }

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

    /// <summary>Adds up a remainder or a total from the entries of its interval, as they stand before it.</summary>
    private void TakeSum(long number, EmissionContent sum)
    {
        var entry = sum.Entry;
        var name = entry.Account == EmissionAccount.Area ? entry.Area! : sum.Device ?? "";
        if (entry.Width != Interval || !_sums.TryGetValue((entry.Account, name, entry.Method), out var parts) || !parts.All(p => IsOf(entry, p.Account) && (p.PricedBy < 0 || IsOf(entry, p.PricedBy))))
        {
            NotRecomputed++;
            SumsWithoutParts += _saysSums ? 0 : 1;
            return;
        }

        Int128 mass = 0;
        decimal kWh = 0;
        foreach (var (account, sign, pricedBy) in parts)
        {
            var part = _interval[account]!;
            kWh += sign * part.Entry.ActivityKWh;
            mass += sign * (pricedBy < 0 ? part.Mass : EntrySum.Price(part.Entry.ActivityKWh, _interval[pricedBy]!.Entry.FactorKgPerKWh));
        }

        var what = entry.Account == EmissionAccount.Site ? "the site's total" : $"the {entry.Account.Word()} of {name}";
        if (mass != sum.Mass)
        {
            Fail(number, $"{what} is {Say(sum.Mass)} mg CO2e, its entries add up to {mass} mg");
        }
        else if (kWh != entry.ActivityKWh)
        {
            Fail(number, $"{what} is {Say(entry.ActivityKWh)} kWh, its entries add up to {Say(kWh)} kWh");
        }
        else
        {
            Agreed++;
        }
    }

    private bool IsOf(in EmissionRecord sum, int account) =>
        (uint)account < (uint)_interval.Length && _interval[account]?.Entry is { } entry && entry.Start == sum.Start && entry.Era == sum.Era && entry.Cut == sum.Cut;

    private void Fail(long number, string what) => Difference = new(number, what);

    private static string Say(decimal value) => value.ToString(CultureInfo.InvariantCulture);
}
