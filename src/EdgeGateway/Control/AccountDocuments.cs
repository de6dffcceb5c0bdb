using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Validation;

namespace EdgeGateway.Control;

/// <summary>A reset or exchange of a meter that waits for what a person has read.</summary>
public sealed record MeterChangeDocument
{
    /// <summary>Id of the device.</summary>
    public required string Device { get; init; }

    /// <summary>Id of its counter.</summary>
    public required string Point { get; init; }

    /// <summary>UCUM code of its unit.</summary>
    public required string Unit { get; init; }

    /// <summary>Last reading of the old level.</summary>
    public required decimal OldReading { get; init; }

    /// <summary>When it was read.</summary>
    public required DateTimeOffset OldTime { get; init; }

    /// <summary>First reading of the new level.</summary>
    public required decimal NewReading { get; init; }

    /// <summary>When it was read.</summary>
    public required DateTimeOffset NewTime { get; init; }
}

/// <summary>A factor that follows a stack.</summary>
public sealed record AdaptedFactorDocument
{
    /// <summary>Id of the device whose account it is.</summary>
    public required string Device { get; init; }

    /// <summary>Method of the account.</summary>
    public required string Method { get; init; }

    /// <summary>kg CO2 for one unit of the activity, as learnt.</summary>
    public required decimal Factor { get; init; }

    /// <summary>Half width at 95 %, percent.</summary>
    public required double UncertaintyPercent { get; init; }

    /// <summary>Hours that have moved it.</summary>
    public required int Hours { get; init; }

    /// <summary>Hours that were refused because they lay too far from it.</summary>
    public required int Refused { get; init; }

    /// <summary>The factor of the factor set; null while there is none.</summary>
    public required decimal? OfficialFactor { get; init; }

    /// <summary>The factor in force by approval; null while the official one is.</summary>
    public required decimal? ApprovedFactor { get; init; }

    /// <summary>Who approved it; empty when nobody did.</summary>
    public required string ApprovedBy { get; init; }

    /// <summary>When; null when nobody did.</summary>
    public required DateTimeOffset? ApprovedAt { get; init; }

    /// <summary>What one unit of the activity is: unit, fuel and reference state.</summary>
    public string? LearntFor { get; init; }

    /// <summary>Mean load of the hours that moved it, as a share of the largest of them, 0 to 1; null while a day of them is not known.</summary>
    public double? LoadShare { get; init; }

    /// <summary>What other devices of its kind say of it; null when there are none.</summary>
    public FactorInCluster? Cluster { get; init; }
}

/// <summary><c>edgegateway meter --json</c> and <c>edgegateway factors adapted --json</c>.</summary>
/// <param name="Changes">Changes of meters that wait for their readings.</param>
/// <param name="Factors">Factors that follow a stack.</param>
public sealed record AccountsDocument(IReadOnlyList<MeterChangeDocument> Changes, IReadOnlyList<AdaptedFactorDocument> Factors)
{
    /// <summary>How often the hours of two of these factors are refused together; null from a program that does not count it.</summary>
    public IReadOnlyList<FactorPair>? Pairs { get; init; }
}

/// <summary>What a person asks for with the accounts.</summary>
public sealed record AccountOrderDocument
{
    /// <summary><c>change</c>: the readings of a change of meters. <c>approve</c>, <c>withdraw</c>: a factor that follows a stack.</summary>
    public required string Action { get; init; }

    /// <summary>Id of the device.</summary>
    public required string Device { get; init; }

    /// <summary>Id of the counter; null where only one waits.</summary>
    public string? Point { get; init; }

    /// <summary>Last reading of the old meter, in the counter's unit.</summary>
    public decimal? OldFinal { get; init; }

    /// <summary>First reading of the new meter.</summary>
    public decimal? NewStart { get; init; }

    /// <summary>Method of the account; null where only one has such a factor.</summary>
    public string? Method { get; init; }

    /// <summary>Why; it stands in the record.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>Makes the documents about accounts, and does what they ask for.</summary>
internal static class AccountDocuments
{
    /// <summary>The actions of an order.</summary>
    public static readonly IReadOnlyList<string> Actions = ["change", "approve", "withdraw"];

    public static AccountsDocument Make(IReadOnlyList<PendingExchange> changes, IReadOnlyList<AdaptedFactorState> factors, IReadOnlyList<FactorPair> pairs) => new(
        [
            .. changes.Select(c => new MeterChangeDocument
            {
                Device = c.Device,
                Point = c.Point,
                Unit = c.Unit,
                OldReading = c.OldReading,
                OldTime = c.OldTime.ToDateTimeOffset(),
                NewReading = c.NewReading,
                NewTime = c.NewTime.ToDateTimeOffset(),
            }),
        ],
        [
            .. factors.Select(f => new AdaptedFactorDocument
            {
                Device = f.Device,
                Method = f.Method,
                Factor = f.Factor,
                UncertaintyPercent = f.UncertaintyPercent,
                Hours = f.Hours,
                Refused = f.Refused,
                OfficialFactor = f.OfficialFactor,
                ApprovedFactor = f.ApprovedFactor,
                ApprovedBy = f.ApprovedBy ?? "",
                ApprovedAt = f.ApprovedAt?.ToDateTimeOffset(),
                LearntFor = f.LearntFor,
                LoadShare = f.LoadShare,
                Cluster = f.Cluster,
            }),
        ])
    {
        Pairs = pairs,
    };

    /// <summary>True when the order says all that its action needs.</summary>
    public static bool IsWhole(AccountOrderDocument order) =>
        order is { Device: not null, Action: "approve" or "withdraw" } or { Device: not null, Action: "change", OldFinal: not null, NewStart: not null };

    /// <summary>Does what an order asks for.</summary>
    /// <returns>Why it is refused; null when it is done.</returns>
    public static string? Apply(Pipeline pipeline, AccountOrderDocument order, string who)
    {
        var refusal = order.Action == "change"
            ? pipeline.SettleExchange(order.Device, order.Point, order.OldFinal!.Value, order.NewStart!.Value, who)
            : pipeline.DecideFactor(order.Device, order.Method, order.Action == "approve", who);
        return refusal is null ? null : $"Nothing was done: {refusal}.";
    }

    /// <summary>What the feed is told of an order that was done.</summary>
    public static HealthRecord Record(AccountOrderDocument order, string who, Instant now)
    {
        List<HealthField> fields = [new("who", who), new("device", order.Device), new("reason", order.Reason)];
        if (order.Action != "change")
        {
            var text = order.Action == "approve"
                ? $"{who} has approved the factor of {order.Device} that follows the stack; entries from now on have it as it stands."
                : $"{who} has put the official factor of {order.Device} back into force.";
            return new() { Time = now, Kind = HealthKind.FactorDecision, Text = text, Fields = [.. fields, new("action", order.Action), new("method", order.Method ?? "")] };
        }

        var (final, start) = (Number(order.OldFinal!.Value), Number(order.NewStart!.Value));
        return new()
        {
            Time = now,
            Kind = HealthKind.MeterChange,
            Text = $"{who} has read the meters of {order.Device}: the old one ended at {final}, the new one began at {start}. What lay between is counted.",
            Fields = [.. fields, new("point", order.Point ?? ""), new("oldFinal", final), new("newStart", start)],
        };
    }

    /// <summary>What the ledger is told of an order that was done; null for nothing.</summary>
    public static DecisionContent? Entry(Pipeline pipeline, AccountOrderDocument order, string who, Instant now) =>
        order.Action is "approve" or "withdraw" && pipeline.AdaptedFactors.FirstOrDefault(f => f.Device == order.Device && (order.Method is null || f.Method == order.Method)) is { } factor
            ? new()
            {
                Device = factor.Device, Method = factor.Method, Action = order.Action, At = now, Factor = factor.ApprovedFactor ?? factor.Factor,
                UncertaintyPercent = factor.UncertaintyPercent, Hours = factor.Hours, Who = who, Reason = order.Reason ?? "",
            }
            : null;

    private static string Number(decimal value) => value.ToString(CultureInfo.InvariantCulture);
}
