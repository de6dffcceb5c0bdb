using System.Globalization;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>The instruments of a market-based account, and how much of each has been used: best quality first, each up to its energy and within its time.</summary>
internal sealed class MarketCover(IReadOnlyList<InstrumentModel> instruments)
{
    // The words of entries, which are read again after a salvage: they never change.
    private const string Own = "site/";
    private const string Mixed = "mixed";
    private const string CoveredBy = " kWh by ";
    private const string At = " at ";
    private const string Separator = "; ";

    private readonly decimal[] _used = new decimal[instruments.Count];

    /// <summary>What a market-based entry says was used of instruments, kWh by name; a factor of the factor set that stands for the rest may be among them.</summary>
    public static IEnumerable<(string Name, decimal KWh)> UsedBy(EmissionRecord entry)
    {
        if (entry.FactorId.StartsWith(Own, StringComparison.Ordinal))
        {
            return [(entry.FactorId[Own.Length..], entry.ActivityKWh)];
        }

        return entry.FactorId == Mixed ? Mentioned(entry.FactorNote ?? "") : [];
    }

    private static IEnumerable<(string Name, decimal KWh)> Mentioned(string note)
    {
        foreach (var part in note.Split(Separator))
        {
            // A name may hold anything: the first words and the last ones are those of the program.
            var (by, at) = (part.IndexOf(CoveredBy, StringComparison.Ordinal), part.LastIndexOf(At, StringComparison.Ordinal));
            if (by > 0 && at > by && decimal.TryParse(part.AsSpan(0, by), NumberStyles.Number, CultureInfo.InvariantCulture, out var kWh))
            {
                yield return (part[(by + CoveredBy.Length)..at], kWh);
            }
        }
    }

    /// <summary>Takes what entries say was used, kWh by name: never less than that is used.</summary>
    public void Continue(Func<string, decimal> usedOf)
    {
        for (var i = 0; i < _used.Length; i++)
        {
            _used[i] = Math.Max(_used[i], Math.Min(usedOf(instruments[i].Name), instruments[i].KWh));
        }
    }

    /// <summary>Weighs energy bought in one interval and uses instruments up for it.</summary>
    /// <param name="kWh">Energy bought.</param>
    /// <param name="meterPercent">Half width at 95 % of the meter, percent; NaN when not known.</param>
    /// <param name="rest">Factor of what no instrument covers.</param>
    /// <param name="start">Begin of the interval.</param>
    /// <returns>kg CO2, and its half width in percent; the factor where there is only one; and in words what was covered by what.</returns>
    public (decimal Kilograms, double Percent, EmissionRate Rate) Weigh(decimal kWh, double meterPercent, EmissionRate rest, Instant start)
    {
        var offered = new EnergyInstrument[instruments.Count];
        for (var i = 0; i < offered.Length; i++)
        {
            var one = instruments[i];
            offered[i] = new(start >= one.From && start < one.To ? one.KWh - _used[i] : 0, new(one.KgPerKWh, one.UncertaintyPercent));
        }

        var (mass, uncovered) = ElectricityMarket.Weigh(new(kWh, meterPercent), offered, new(rest.KgCo2e, rest.UncertaintyPercent));

        // What is not used has no part in the uncertainty, also when its own is not known.
        var percent = uncovered == 0 ? ElectricityMarket.Weigh(new(kWh, meterPercent), offered, new(0)).Mass.Kilograms.UncertaintyPercent : mass.Kilograms.UncertaintyPercent;
        var said = new List<string>();
        var (left, single) = (kWh, default(InstrumentModel));
        for (var i = 0; i < offered.Length && left > 0; i++)
        {
            var used = Math.Min(left, offered[i].KWh);
            if (used > 0)
            {
                _used[i] += used;
                left -= used;
                single = used == kWh ? instruments[i] : single;
                said.Add($"{Say(used)}{CoveredBy}{instruments[i].Name}{At}{Say(instruments[i].KgPerKWh)} kg/kWh");
            }
        }

        if (single is not null)
        {
            return (mass.Co2eKilograms, percent, new(Own + single.Name, single.KgPerKWh, single.UncertaintyPercent));
        }

        if (said.Count == 0)
        {
            return (mass.Co2eKilograms, percent, rest);
        }

        if (left > 0)
        {
            said.Add($"{Say(left)}{CoveredBy}{rest.FactorId}{At}{Say(rest.KgCo2e)} kg/kWh{(rest.Note is null ? "" : $" ({rest.Note})")}");
        }

        return (mass.Co2eKilograms, percent, new(Mixed, 0, double.NaN, string.Join(Separator, said)));
    }

    public void Save(StateWriter writer)
    {
        writer.Write(instruments.Count);
        for (var i = 0; i < _used.Length; i++)
        {
            writer.Write(instruments[i].Name);
            writer.Write(_used[i]);
        }
    }

    /// <summary>Reads what was used, by name: instruments that are gone are forgotten, and one that has become smaller is used up.</summary>
    public void Load(ref StateReader reader)
    {
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var (name, used) = (reader.ReadString(), reader.ReadDecimal());
            for (var i = 0; i < _used.Length; i++)
            {
                if (instruments[i].Name == name)
                {
                    _used[i] = Math.Min(used, instruments[i].KWh);
                }
            }
        }
    }

    private static string Say(decimal value) => value.ToString("0.############", CultureInfo.InvariantCulture);
}
