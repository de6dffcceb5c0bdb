using System.Collections.Immutable;
using System.Numerics;

namespace EdgeGateway.Core.Outbox;

/// <summary>A place in the order in which rows go.</summary>
/// <param name="Class">The class.</param>
/// <param name="Level">Level within the class.</param>
public readonly record struct RetentionStep(RowClass Class, byte Level);

/// <summary>
/// In which order rows go when space runs out (requirements E-2 and E-6): samples; summaries, the narrowest windows first; births, states
/// and health; then what must be accounted for: anomalies, records that the site declares <c>compliance</c>, and last the carbon
/// account and the range statements. Within a step the oldest go first.
/// </summary>
/// <remarks>
/// A window is made of the narrower ones and is numbered after them. So whenever a row goes, the wider window over the same time still
/// waits, was delivered, or is still open: the totals of counters stay exact down to the widest window, and after that in the emission entries.
/// </remarks>
public static class RetentionOrder
{
    /// <summary>Level of births, states and health within <see cref="RowClass.Summary"/>.</summary>
    public const byte Events = 24;

    /// <summary>Level of the carbon account within <see cref="RowClass.Compliance"/>.</summary>
    public const byte Account = 0;

    /// <summary>Level of anomalies within <see cref="RowClass.Compliance"/>.</summary>
    public const byte Findings = 1;

    /// <summary>Level of samples and summaries of what the site declares compliance, within <see cref="RowClass.Compliance"/>.</summary>
    public const byte Declared = 2;

    /// <summary>Level of range statements within <see cref="RowClass.Compliance"/>: the very last, because nothing explains their own loss.</summary>
    public const byte Statements = 3;

    /// <summary>Levels are below this.</summary>
    public const int Levels = 32;

    // A day has 86,400 seconds.
    private const byte Widest = 18;

    /// <summary>All steps, what goes first first. Level 0 of the summaries is what a program without levels wrote.</summary>
    public static ImmutableArray<RetentionStep> Steps { get; } =
    [
        new(RowClass.Raw, 0),
        .. Enumerable.Range(0, Widest + 1).Select(level => new RetentionStep(RowClass.Summary, (byte)level)),
        new(RowClass.Summary, Events),
        new(RowClass.Compliance, Findings),
        new(RowClass.Compliance, Declared),
        new(RowClass.Compliance, Account),
        new(RowClass.Compliance, Statements),
    ];

    /// <summary>Number of the first step after the samples.</summary>
    public static int AfterSamples { get; } = Steps.IndexOf(new(RowClass.Summary, 0));

    /// <summary>Number of the first step that must be accounted for: everything else in the store goes before.</summary>
    public static int FirstAccounted { get; } = Steps.IndexOf(new(RowClass.Compliance, Findings));

    /// <summary>Number of the first step after the summaries.</summary>
    public static int AfterSummaries { get; } = Steps.IndexOf(new(RowClass.Summary, Events));

    /// <summary>
    /// Level of summaries of windows of this width: one for each power of two, so that it does not depend on the configuration; of two widths of
    /// which one is a multiple of the other, the wider has the higher level.
    /// </summary>
    public static byte LevelOf(TimeSpan width) =>
        (byte)Math.Min(Widest, 1 + BitOperations.Log2((uint)Math.Clamp(width.TotalSeconds, 1, int.MaxValue)));

    /// <summary>Number of the step of a row; a level that this program does not know goes like the first of its class.</summary>
    public static int StepOf(RowClass rowClass, byte level)
    {
        var step = Steps.IndexOf(new(rowClass, level));
        return step >= 0 ? step : Steps.IndexOf(new(rowClass, 0));
    }
}
