using System.Runtime.InteropServices;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Ledger;

/// <summary>What the ledger holds of things that are entered or used up once: yearly balances, and the instruments of market-based accounts.</summary>
/// <remarks>The state of the accounts has it too, but a state may be lost with a store whose ledger is saved.</remarks>
public sealed class EnteredBefore
{
    private readonly Dictionary<string, long> _balances = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Device, string Instrument), decimal> _used = [];

    /// <summary>True when no record of the ledger is missing; otherwise a sum of what is there may be less than was entered.</summary>
    public bool IsWhole { get; set; }

    /// <summary>Milligrams entered for each balance, by <see cref="KeyOf"/>.</summary>
    public IReadOnlyDictionary<string, long> Balances => _balances;

    /// <summary>Names a yearly balance among all, also over changes of the configuration. Kept in the state, so its form never changes.</summary>
    /// <param name="device">Id of the device.</param>
    /// <param name="method">Name of the method.</param>
    /// <param name="from">First instant of the year.</param>
    public static string KeyOf(string device, string method, Instant from) => $"{device}/{method}/{from}";

    /// <summary>True for a line that may be of a kind that <see cref="Take"/> looks at; looks at its bytes only.</summary>
    public static bool Concerns(LedgerLine line) => line.Is(LedgerKind.Emission) && (line.Body.Span.IndexOf("-balance\""u8) >= 0 || line.Body.Span.IndexOf("electricity-market"u8) >= 0);

    /// <summary>Takes an entry of the ledger.</summary>
    public void Take(EmissionContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        var entry = content.Entry;
        if (content.Device is not { } device || entry.Account != EmissionAccount.Device || !EmissionMethods.ByName.TryGetValue(entry.Method, out var method))
        {
            return;
        }

        if (method.Activity == ActivityKind.Declared)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_balances, KeyOf(device, entry.Method, entry.Start), out _) += entry.Milligrams;
        }
        else if (entry.Method == ElectricityMarket.Name)
        {
            foreach (var (name, kWh) in MarketCover.UsedBy(entry))
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_used, (device, name), out _) += kWh;
            }
        }
    }

    /// <summary>Energy of an instrument that entries of a device have used, kWh.</summary>
    public decimal UsedOf(string device, string instrument) => _used.GetValueOrDefault((device, instrument));
}
