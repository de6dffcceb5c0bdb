using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;

namespace EdgeGateway.Hosting;

/// <summary>What another factor set makes of the history in the ledger, with what is published of it.</summary>
/// <param name="From">The set by which it was stated before.</param>
/// <param name="To">The set by which it is stated now.</param>
/// <param name="Changes">The months that change.</param>
internal sealed record Restatement(FactorSetName From, FactorSetName To, IReadOnlyList<RestatementContent> Changes)
{
    /// <summary>Computes it from a ledger; reads it twice, line by line.</summary>
    /// <param name="read">Reads the ledger from its beginning.</param>
    /// <param name="from">Hash of the set by which it was stated before.</param>
    /// <param name="to">The set by which it is to be stated.</param>
    /// <exception cref="InvalidDataException">The ledger cannot be read.</exception>
    public static Restatement Compute(Func<IEnumerable<LedgerLine>> read, string from, FactorSet to)
    {
        var (earlier, name) = (new List<RestatementContent>(), (FactorSetName?)null);
        foreach (var line in read().Where(l => l.Is(LedgerKind.Restatement) || l.Is(LedgerKind.Factors)))
        {
            switch (line.Record.Content)
            {
                case RestatementContent restatement:
                    earlier.Add(restatement);
                    break;
                case FactorsContent factors when factors.Hash == from:
                    name = new(factors.Id, factors.Version, factors.Hash);
                    break;
            }
        }

        var restater = new LedgerRestater(to, earlier);
        foreach (var line in read().Where(l => l.Is(LedgerKind.Emission) || l.Is(LedgerKind.Configuration)))
        {
            restater.Take(line.Record);
        }

        name ??= new("unknown", 0, from);
        return new(name, LedgerSite.Name(to), restater.Results(name));
    }

    /// <summary>Enters the changes into the ledger and publishes them: one record for each, and one for all, which names both sets.</summary>
    public void Publish(LedgerTap ledger, FeedEncoder encoder, Instant now)
    {
        foreach (var change in Changes)
        {
            ledger.Enter(change);
            encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.Restatement,
                Text = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{change.Device}, {change.Method}, {change.Month.ToString()[..7]}: {change.Before} mg CO2e by {From} is {change.After} mg by {To}, {(change.Delta > 0 ? "+" : "")}{change.Delta} mg."),
                Fields =
                [
                    .. Sets(),
                    new("device", change.Device),
                    new("method", change.Method),
                    new("month", change.Month.ToString()[..7]),
                    new("entries", change.Entries),
                    new("refused", change.Refused),
                    new("beforeMilligrams", change.Before),
                    new("afterMilligrams", change.After),
                    new("deltaMilligrams", change.Delta),
                    new("removal", change.IsRemoval ? "true" : "false"),
                    new("countsTowardSite", change.CountsTowardSite ? "true" : "false"),
                ],
            });
        }

        var site = Changes.Where(c => c.CountsTowardSite && !c.IsRemoval).Sum(c => c.Delta);
        encoder.Health(new HealthRecord
        {
            Time = now,
            Kind = HealthKind.Restatement,
            Text = string.Create(
                CultureInfo.InvariantCulture,
                $"The factor set {To} is in force instead of {From}. {(Changes.Count == 0 ? "No entry of the past changes by it." : $"The history is stated again: {Changes.Count} months of accounts change, the site's total by {site} mg CO2e.")} Entries that were published stay as they are."),
            Fields = [.. Sets(), new("changes", Changes.Count), new("siteDeltaMilligrams", site)],
        });
    }

    private IEnumerable<HealthField> Sets() =>
    [
        new("fromSet", From.Id), new("fromVersion", From.Version), new("fromHash", From.Hash),
        new("toSet", To.Id), new("toVersion", To.Version), new("toHash", To.Hash),
    ];
}
