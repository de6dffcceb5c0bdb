using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Detection.Scoring;

/// <summary>A finding as it was raised, or raised to another severity.</summary>
/// <param name="Rule">Name of the detector.</param>
/// <param name="Point">Where: <c>device.point</c>, or <c>device</c> alone.</param>
/// <param name="Since">When it began; with rule and point it identifies the finding.</param>
/// <param name="Time">When it was said.</param>
/// <param name="Severity">How bad.</param>
public readonly record struct RaisedFinding(string Rule, string Point, Instant Since, Instant Time, Severity Severity);

/// <summary>A known fault.</summary>
/// <param name="Kind">Its name.</param>
/// <param name="Start">First moment of it.</param>
/// <param name="Until">Last moment in which a finding belongs to it.</param>
/// <param name="Rules">Which findings name it rightly: <c>rule</c>, or <c>rule@point</c> for that rule at that point only; a rule that ends in <c>*</c> means all that begin so.</param>
/// <param name="Notes">Whether a note is finding enough.</param>
public sealed record KnownEpisode(string Kind, Instant Start, Instant Until, IReadOnlyList<string> Rules, bool Notes);

/// <summary>A stretch of time with what was known and what was said.</summary>
/// <param name="Episodes">Known faults, apart in time; empty for time without faults.</param>
/// <param name="Findings">In the order in which they were said.</param>
/// <param name="DeviceDays">Devices times days that it covers.</param>
public sealed record ScoredRun(IReadOnlyList<KnownEpisode> Episodes, IReadOnlyList<RaisedFinding> Findings, double DeviceDays);

/// <summary>How one kind of fault was found.</summary>
/// <param name="Kind">Its name.</param>
/// <param name="Episodes">How many there were.</param>
/// <param name="Found">In how many something was raised.</param>
/// <param name="Named">In how many of these a rule that names the fault rightly was among what was raised.</param>
/// <param name="NamedFirst">In how many of these such a rule spoke first, or together with the first.</param>
/// <param name="MedianDelay">Median, over those found, of the time from the start to the first finding; zero when none was found.</param>
/// <param name="Said">What was raised, by rule, with the number of episodes, the most frequent first.</param>
public sealed record KindScore(string Kind, int Episodes, int Found, int Named, int NamedFirst, TimeSpan MedianDelay, IReadOnlyList<(string Rule, int Episodes)> Said);

/// <summary>A warning or an alarm in a run with faults that belongs to none of them.</summary>
/// <param name="Finding">What was said first.</param>
/// <param name="After">The kind of the episode before it; null for none.</param>
/// <param name="Since">Time since that ended.</param>
public readonly record struct Stray(RaisedFinding Finding, string? After, TimeSpan Since);

/// <summary>How a set of runs was found.</summary>
/// <param name="Kinds">By kind, in the order of their first episode.</param>
/// <param name="Total">All kinds together.</param>
/// <param name="CleanDeviceDays">Device-days without any fault.</param>
/// <param name="FalseAlarms">Warnings and alarms raised in these.</param>
/// <param name="Notes">Notes raised in these.</param>
/// <param name="Strays">Warnings and alarms raised in runs with faults, outside all episodes, in order.</param>
/// <param name="FalseByRule">What the false alarms were, by <c>rule@point</c>, the most frequent first.</param>
public sealed record EpisodeScore(
    IReadOnlyList<KindScore> Kinds,
    KindScore Total,
    double CleanDeviceDays,
    int FalseAlarms,
    int Notes,
    IReadOnlyList<Stray> Strays,
    IReadOnlyList<(string Rule, int Count)> FalseByRule)
{
    /// <summary>False alarms for each device and day; NaN without such time.</summary>
    public double FalseAlarmsPerDeviceDay => FalseAlarms / CleanDeviceDays;

    /// <summary>Notes for each device and day without faults; NaN without such time.</summary>
    public double NotesPerDeviceDay => Notes / CleanDeviceDays;
}

/// <summary>Holds findings against known faults.</summary>
/// <remarks>
/// Only what is raised within an episode finds it, not what stood before. A note finds those kinds only that ask for no more. A finding counts once, whatever becomes of its
/// severity: as a false alarm when it ever was a warning or an alarm, else as a note.
/// </remarks>
public static class EpisodeScorer
{
    /// <summary>Name of the row of all kinds.</summary>
    public const string AllKinds = "all kinds";

    /// <summary>Scores runs.</summary>
    public static EpisodeScore Score(IReadOnlyList<ScoredRun> runs)
    {
        var outcomes = runs.SelectMany(r => r.Episodes.Select(e => Outcome.Of(e, r.Findings))).ToList();
        var clean = runs.Where(r => r.Episodes.Count == 0).ToList();
        var alarms = clean.SelectMany(r => Distinct(r.Findings)).ToList();
        var wrong = alarms.Where(f => f.Severity > Severity.Note).ToList();
        return new(
            [.. outcomes.GroupBy(o => o.Episode.Kind).Select(g => Outcome.Sum(g.Key, [.. g]))],
            Outcome.Sum(AllKinds, outcomes),
            clean.Sum(r => r.DeviceDays),
            wrong.Count,
            alarms.Count - wrong.Count,
            [.. runs.Where(r => r.Episodes.Count > 0).SelectMany(StraysOf)],
            Counted(wrong.Select(f => $"{f.Rule}@{f.Point}")));
    }

    /// <summary>Whether a rule of a set's <see cref="KnownEpisode.Rules"/> means a finding.</summary>
    public static bool Means(string rule, RaisedFinding finding)
    {
        ArgumentNullException.ThrowIfNull(rule);
        var at = rule.IndexOf('@', StringComparison.Ordinal);
        var name = at < 0 ? rule : rule[..at];
        var isRule = name.EndsWith('*') ? finding.Rule.StartsWith(name[..^1], StringComparison.Ordinal) : finding.Rule == name;
        return isRule && (at < 0 || finding.Point == rule[(at + 1)..] || finding.Point.EndsWith($".{rule[(at + 1)..]}", StringComparison.Ordinal));
    }

    private static IEnumerable<Stray> StraysOf(ScoredRun run) => Distinct(run.Findings)
        .Where(f => f.Severity > Severity.Note && !run.Episodes.Any(e => f.Time >= e.Start && f.Time <= e.Until))
        .Select(f => run.Episodes.LastOrDefault(e => e.Until < f.Time) is { } before ? new Stray(f, before.Kind, f.Time - before.Until) : new Stray(f, null, TimeSpan.Zero));

    // A finding with the time of its first record and its worst severity.
    private static IEnumerable<RaisedFinding> Distinct(IEnumerable<RaisedFinding> findings) =>
        findings.GroupBy(f => (f.Rule, f.Point, f.Since)).Select(g => g.First() with { Severity = g.Max(f => f.Severity) });

    private static List<(string Rule, int Count)> Counted(IEnumerable<string> names) =>
        [.. names.GroupBy(n => n, StringComparer.Ordinal).Select(g => (g.Key, g.Count())).OrderByDescending(g => g.Item2).ThenBy(g => g.Key, StringComparer.Ordinal)];

    private sealed record Outcome(KnownEpisode Episode, IReadOnlyList<RaisedFinding> Raised)
    {
        private bool IsFound => Raised.Count > 0;

        private bool IsNamed => Raised.Any(Names);

        private bool IsNamedFirst => Raised.TakeWhile(f => f.Time == Raised[0].Time).Any(Names);

        public static Outcome Of(KnownEpisode episode, IReadOnlyList<RaisedFinding> findings)
        {
            // What was raised before is known already: it may change its severity now without anything new being said.
            var before = findings.Where(f => f.Time < episode.Start).Select(f => (f.Rule, f.Point, f.Since)).ToHashSet();
            return new(episode, [.. findings.Where(f => f.Time >= episode.Start && f.Time <= episode.Until
                && (episode.Notes || f.Severity > Severity.Note) && !before.Contains((f.Rule, f.Point, f.Since)))]);
        }

        public static KindScore Sum(string kind, IReadOnlyList<Outcome> outcomes)
        {
            var delays = outcomes.Where(o => o.IsFound).Select(o => o.Raised[0].Time - o.Episode.Start).Order().ToList();
            return new(
                kind,
                outcomes.Count,
                delays.Count,
                outcomes.Count(o => o.IsNamed),
                outcomes.Count(o => o.IsNamedFirst),
                delays.Count > 0 ? delays[delays.Count / 2] : TimeSpan.Zero,
                Counted(outcomes.SelectMany(o => o.Raised.Select(f => f.Rule).Distinct(StringComparer.Ordinal))));
        }

        private bool Names(RaisedFinding finding) => Episode.Rules.Any(r => Means(r, finding));
    }
}
