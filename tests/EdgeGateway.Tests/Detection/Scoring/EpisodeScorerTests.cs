using EdgeGateway.Core;
using EdgeGateway.Core.Detection.Scoring;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Tests.Detection.Scoring;

public sealed class EpisodeScorerTests
{
    private static readonly Instant Begin = Instant.Parse("2026-03-02T00:00:00Z");

    [Fact]
    public void A_hand_made_case_is_scored_exactly()
    {
        var slip = Episode("slip", 100, 200, "slip");
        var jam = Episode("jam", 300, 400, "jam@drive.current");
        var missed = Episode("jam", 500, 600, "jam");
        RaisedFinding[] said =
        [
            // Stray, before everything; it stays and becomes worse in the first episode, which is no news.
            At(50, "stuck", "scale.load", Severity.Warning, since: 40),
            At(110, "stuck", "scale.load", Severity.Alarm, since: 40),

            // A note is not enough here; the right name comes second.
            At(105, "spike", "scale.speed", Severity.Note),
            At(120, "limit", "scale.speed", Severity.Warning),
            At(130, "slip", "scale.speed", Severity.Warning, since: 125),
            At(140, "slip", "scale.speed", Severity.Alarm, since: 125),

            // Two at once, one of them right; the end belongs to the episode.
            At(400, "limit", "drive.current", Severity.Alarm),
            At(400, "jam", "drive.current", Severity.Alarm),

            // Just after the last episode.
            At(601, "jam", "drive.current", Severity.Alarm),
        ];
        RaisedFinding[] wrong =
        [
            At(10, "limit", "a.x", Severity.Note, since: 10),
            At(20, "limit", "a.x", Severity.Warning, since: 10),
            At(30, "limit", "a.x", Severity.Warning, since: 30),
            At(40, "spike", "a.y", Severity.Note),
        ];

        var score = EpisodeScorer.Score([new([slip, jam, missed], said, 3), new([], wrong, 4), new([], [], 6)]);

        Assert.Equal(["slip", "jam"], score.Kinds.Select(k => k.Kind));
        Assert.Equal((1, 1, 1, 0), Numbers(score.Kinds[0]));
        Assert.Equal(TimeSpan.FromSeconds(20), score.Kinds[0].MedianDelay);
        Assert.Equal([("limit", 1), ("slip", 1)], score.Kinds[0].Said);
        Assert.Equal((2, 1, 1, 1), Numbers(score.Kinds[1]));
        Assert.Equal(TimeSpan.FromSeconds(100), score.Kinds[1].MedianDelay);
        Assert.Equal((3, 2, 2, 1), Numbers(score.Total));
        Assert.Equal(10, score.CleanDeviceDays);
        Assert.Equal(2, score.FalseAlarms);
        Assert.Equal(1, score.Notes);
        Assert.Equal(0.2, score.FalseAlarmsPerDeviceDay);
        Assert.Equal([("limit@a.x", 2)], score.FalseByRule);
        Assert.Equal(2, score.Strays.Count);
    }

    [Fact]
    public void A_kind_that_asks_for_no_more_is_found_by_a_note()
    {
        var episode = Episode("spike", 100, 130, "spike") with { Notes = true };
        var score = EpisodeScorer.Score([new([episode], [At(101, "spike", "a.x", Severity.Note)], 1)]);
        Assert.Equal((1, 1, 1, 1), Numbers(score.Total));
    }

    [Fact]
    public void Nothing_to_score_gives_no_rates()
    {
        var score = EpisodeScorer.Score([]);
        Assert.Equal((0, 0, 0, 0), Numbers(score.Total));
        Assert.True(double.IsNaN(score.FalseAlarmsPerDeviceDay));
    }

    [Theory]
    [InlineData("slip", true)]
    [InlineData("slip@belt_speed", true)]
    [InlineData("slip@scale.belt_speed", true)]
    [InlineData("slip@speed", false)]
    [InlineData("sl*", true)]
    [InlineData("sl*@belt_speed", true)]
    [InlineData("slippery", false)]
    [InlineData("*", true)]
    public void A_rule_is_meant_by_its_name_and_its_point(string rule, bool isMeant) =>
        Assert.Equal(isMeant, EpisodeScorer.Means(rule, At(0, "slip", "scale.belt_speed", Severity.Alarm)));

    private static (int Episodes, int Found, int Named, int First) Numbers(KindScore score) => (score.Episodes, score.Found, score.Named, score.NamedFirst);

    private static KnownEpisode Episode(string kind, int start, int until, params string[] rules) => new(kind, Second(start), Second(until), rules, false);

    private static RaisedFinding At(int second, string rule, string point, Severity severity, int? since = null) => new(rule, point, Second(since ?? second), Second(second), severity);

    private static Instant Second(int second) => Begin + TimeSpan.FromSeconds(second);
}
