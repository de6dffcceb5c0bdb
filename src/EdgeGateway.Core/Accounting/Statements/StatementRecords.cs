using System.Globalization;
using EdgeGateway.Core.Ledger;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>Hands the records of a ledger to a statement: its entries, restatements, and what an auditor wants to see beside them.</summary>
/// <param name="builder">The statement.</param>
public sealed class StatementRecords(StatementBuilder builder)
{
    private readonly Dictionary<string, string> _sets = [];

    /// <summary>Records that were taken.</summary>
    public long Count { get; private set; }

    /// <summary>Number of the last of them; 0 when there is none.</summary>
    public long Last { get; private set; }

    /// <summary>Takes a record, in the order of the ledger.</summary>
    public void Take(LedgerRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        (Count, Last) = (Count + 1, record.Number);
        switch (record.Content)
        {
            case EmissionContent emission:
                builder.Add(new StatementEntry(emission.Device, emission.Entry) { FactorSet = _sets.GetValueOrDefault(emission.FactorSet, emission.FactorSet[..Math.Min(12, emission.FactorSet.Length)]) });
                break;
            case FactorsContent factors:
                var name = new FactorSetName(factors.Id, factors.Version, factors.Hash).ToString();
                _sets[factors.Hash] = name;
                builder.Add(new StatementEvent(record.Time, "factors", name));
                break;
            case RestatementContent r:
                builder.Add(new StatementRestatement(r.Device, r.Method, r.Month, r.From.ToString(), r.To.ToString(), r.Before, r.After, r.IsRemoval));
                break;
            case ConfigurationContent configuration:
                builder.Add(new StatementEvent(record.Time, "configuration", $"{configuration.Hash[..Math.Min(12, configuration.Hash.Length)]}, {configuration.Program}"));
                break;
            case CalibrationContent c:
                builder.Add(new StatementEvent(c.At, "calibration", string.Join(' ', new[] { c.Device, c.Point, c.Action, c.Text }.Where(t => t.Length > 0))));
                break;
            case DecisionContent d:
                builder.Add(new StatementEvent(d.At, "decision", string.Join(' ', new[] { d.Device, d.Method, d.Action, d.Factor.ToString(CultureInfo.InvariantCulture), d.Who, d.Reason }.Where(t => t.Length > 0))));
                break;
            case GapContent gap:
                builder.Add(new StatementEvent(record.Time, "gap", gap.First > 0 ? $"{gap.Cause} ({gap.Epoch}/{gap.First}-{gap.Last})" : gap.Cause));
                break;
        }
    }
}
