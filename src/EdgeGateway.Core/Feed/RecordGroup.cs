using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Feed;

/// <summary>Records of a stream that share rows, because they go together when space runs out.</summary>
/// <param name="Buffer">What waits for the next flush.</param>
/// <param name="Class">Class of their rows.</param>
/// <param name="Level">Level within the class: <see cref="RetentionOrder"/>.</param>
/// <param name="StandInSeconds">Width of the windows that stand for them when they go; 0 for none.</param>
internal readonly record struct RecordGroup(RecordBuffer Buffer, RowClass Class, byte Level, int StandInSeconds)
{
    /// <summary>Group of samples of points that have windows; one after it those of points that have none, then those of compliance points.</summary>
    public const int SamplesWithWindows = 0;

    public const int SamplesAlone = 1;

    public const int SamplesOfCompliance = 2;

    /// <summary>Group of alarms within the health of the gateway: they go as late as the findings they are made of.</summary>
    public const int HealthOfAlarms = 1;

    /// <summary>The groups of a stream, in the order in which they are numbered at a flush: what is narrower goes before what is made of it.</summary>
    public static RecordGroup[] Of(FeedStream stream, SiteModel site) => stream switch
    {
        FeedStream.Sample =>
        [
            New(RowClass.Raw, 0, site.Windows.Count > 0 ? Seconds(site.Windows[0]) : 0),
            New(RowClass.Raw, 0, 0),
            New(RowClass.Compliance, RetentionOrder.Declared, 0),
        ],
        FeedStream.Summary => [.. site.Windows.SelectMany((_, i) => Summaries(site, i))],
        FeedStream.Emission or FeedStream.Cems => [New(RowClass.Compliance, RetentionOrder.Account, 0)],
        FeedStream.Range => [New(RowClass.Compliance, RetentionOrder.Statements, 0)],
        FeedStream.Health => [New(RowClass.Summary, RetentionOrder.Events, 0), New(RowClass.Compliance, RetentionOrder.Findings, 0)],
        FeedStream.Anomaly => [New(RowClass.Compliance, RetentionOrder.Findings, 0)],
        _ => [New(RowClass.Summary, RetentionOrder.Events, 0)],
    };

    /// <summary>Group of a sample of <paramref name="point"/>.</summary>
    public static int OfSample(PointModel point) =>
        point.Compliance ? SamplesOfCompliance : point.Period > TimeSpan.Zero ? SamplesWithWindows : SamplesAlone;

    /// <summary>Group of a summary: windows cut by the end of a day of 23 hours are narrower than configured.</summary>
    public static int OfSummary(SiteModel site, in SummaryRecord record)
    {
        var window = 0;
        while (window < site.Windows.Count - 1 && site.Windows[window] < record.Width)
        {
            window++;
        }

        return (2 * window) + (site.Points[record.Point].Compliance ? 1 : 0);
    }

    private static IEnumerable<RecordGroup> Summaries(SiteModel site, int window)
    {
        var wider = window + 1 < site.Windows.Count ? Seconds(site.Windows[window + 1]) : 0;
        return [New(RowClass.Summary, RetentionOrder.LevelOf(site.Windows[window]), wider), New(RowClass.Compliance, RetentionOrder.Declared, 0)];
    }

    private static int Seconds(TimeSpan width) => (int)Math.Ceiling(width.TotalSeconds);

    private static RecordGroup New(RowClass rowClass, byte level, int standIn) => new(new RecordBuffer(), rowClass, level, standIn);
}
