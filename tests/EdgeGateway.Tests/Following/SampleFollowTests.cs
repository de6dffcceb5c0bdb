using System.Text;
using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Following;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.LocalPath;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Following;

/// <summary>One sample from its register to the acknowledgement, told by the parts that handle it.</summary>
public sealed class SampleFollowTests
{
    private readonly ManualTime _time = new();
    private readonly GatewayClock _clock;

    public SampleFollowTests() => _clock = new GatewayClock(_time);

    [Fact]
    public void A_published_sample_is_told_step_by_step_with_times_and_values()
    {
        var follow = Follow(publishSamples: true);
        Read(follow);
        Process(follow);
        var row = Row(FeedStream.Sample, 7, SampleRecord(-1), SampleRecord(0));
        follow.Packed([row]);
        follow.Committed([Row(FeedStream.Health, 1), row], 40);
        _time.Advance(TimeSpan.FromMilliseconds(3));
        follow.Published("centre", 41, 250);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        follow.Acknowledged("centre", 41);

        var steps = Steps(follow);
        Assert.Equal(["read", "decode", "take", "validate", "detect", "record", "store", "commit", "publish", "acknowledge", "end"], steps.Select(s => s.Step));
        Assert.Equal(12, steps[0].TookMilliseconds);
        Assert.Equal((1.5, "A", "good", "3FC00000"), (steps[1].Value, steps[1].Unit, steps[1].Quality, steps[1].Raw));
        Assert.Equal(("sample", 5L, 8L), (steps[5].Stream, steps[5].Epoch, steps[5].Sequence));
        Assert.Equal(41, steps[7].Row);
        Assert.Equal(20, steps[9].TookMilliseconds);
        Assert.True(steps[^1].Complete);
        Assert.Equal(steps.Select(s => s.AfterMilliseconds).Order(), steps.Select(s => s.AfterMilliseconds));
    }

    [Fact]
    public void A_sample_that_is_not_published_is_followed_into_the_summary_that_it_counts_in()
    {
        var follow = Follow(publishSamples: false);
        Read(follow);
        Process(follow);
        follow.Packed([]);
        follow.Committed([], 0);
        follow.Packed([Row(FeedStream.Summary, 3, Summary(minute: -1)), Row(FeedStream.Summary, 9, Summary(minute: 0, seconds: 900))]);
        Assert.DoesNotContain(Steps(follow), s => s.Step == "record");

        var row = Row(FeedStream.Summary, 4, Summary(minute: 0));
        follow.Packed([row]);
        follow.Committed([row], 12);
        follow.Acknowledged("centre", 12);
        Assert.Equal(["record", "commit", "acknowledge", "end"], Steps(follow).Select(s => s.Step));
    }

    [Fact]
    public void An_uplink_that_is_quicker_than_the_news_of_the_commit_is_heard()
    {
        var follow = Follow(publishSamples: true);
        Read(follow);
        Process(follow);
        var row = Row(FeedStream.Sample, 7, SampleRecord(0));
        follow.Packed([row]);
        follow.Published("centre", 41, 250);
        follow.Acknowledged("centre", 41);
        follow.Acknowledged("centre", 40);
        follow.Committed([row], 41);
        Assert.Equal(["publish", "acknowledge", "end"], Steps(follow).Select(s => s.Step).SkipWhile(s => s != "publish"));
    }

    [Fact]
    public void It_ends_only_when_every_uplink_that_carries_the_record_is_done_with_it()
    {
        var follow = Follow(publishSamples: true, ("centre", _ => true), ("second", _ => true), ("births", s => s == FeedStream.Birth));
        Read(follow);
        Process(follow);
        var row = Row(FeedStream.Sample, 7, SampleRecord(0));
        follow.Packed([row]);
        follow.Committed([row], 41);
        follow.Acknowledged("centre", 41);
        follow.Acknowledged("centre", 41);
        Assert.DoesNotContain(Steps(follow), s => s.Complete is not null);
        follow.Refused("second", 41, "too large");
        var last = Steps(follow);
        Assert.Equal(["refuse", "end"], last.Select(s => s.Step));
        Assert.True(last[^1].Complete);
    }

    [Fact]
    public void Findings_in_the_sample_are_told_with_their_words()
    {
        var follow = Follow(publishSamples: true);
        Read(follow);
        Process(follow, Quality.Uncertain(QualityReason.Spike));
        follow.Packed([Row(FeedStream.Anomaly, 1, $$"""{"device":"fan","point":"current","time":"{{Time(0)}}","text":"It jumped."}""", $$"""{"device":"fan","point":"other","time":"{{Time(0)}}","text":"Not mine."}""")]);
        var detect = Assert.Single(Steps(follow), s => s.Step == "detect");
        Assert.Equal(["It jumped."], detect.Findings);
        Assert.Equal(("uncertain", "spike"), (detect.Quality, detect.Reason));
    }

    [Fact]
    public void A_request_that_brings_nothing_is_told_and_its_missing_sample_followed()
    {
        var follow = Follow(publishSamples: true);
        var reply = new BusReply(QualityReason.Timeout);
        follow.Asked(Plan, reply, _time.GetTimestamp(), _time.GetTimestamp());
        follow.Decoded([DeviceReader.Missing(0, _clock.Monotonic, reply)]);
        var steps = Steps(follow);
        Assert.Contains("no answer", steps[0].Text, StringComparison.Ordinal);
        Assert.Equal((null, "bad", "timeout"), (steps[1].Value, steps[1].Quality, steps[1].Reason));
    }

    [Fact]
    public void Of_several_samples_of_a_point_in_one_batch_the_one_that_was_read_is_followed()
    {
        var follow = Follow(publishSamples: true);
        Read(follow);
        var time = _clock.At(_clock.Monotonic);
        var before = new Sample(0, time - TimeSpan.FromSeconds(1), 9, 0, Quality.Good);
        var mine = new Sample(0, time, 1.5, 0x3FC00000, Quality.Good);
        follow.Taken([before, mine], _clock.At);
        foreach (var sample in (Sample[])[before, mine])
        {
            follow.Judged(SampleStage.Validated, sample);
            follow.Judged(SampleStage.Detected, sample);
        }

        Assert.Equal(1.5, Assert.Single(Steps(follow), s => s.Step == "validate").Value);
    }

    [Fact]
    public void It_ends_when_the_gateway_stops_and_says_that_it_is_not_complete()
    {
        var follow = Follow(publishSamples: true);
        follow.Stop("the gateway stops");
        follow.Stop("again");
        Assert.False(Assert.Single(Steps(follow)).Complete);
        Assert.True(follow.Steps.Completion.IsCompleted);
    }

    [Fact]
    public void One_sample_is_followed_at_a_time()
    {
        var follower = new Follower();
        var first = Follow(publishSamples: true);
        Assert.True(follower.TryBegin(first));
        Assert.False(follower.TryBegin(Follow(publishSamples: true)));
        follower.End(Follow(publishSamples: true));
        Assert.Same(first, follower.Current);
        follower.End(first);
        Assert.Null(follower.Current);
    }

    private static readonly PlannedRead Plan = new(new ReadRequest(RegisterTable.HoldingRegister, 10, 2), [0]);

    private SampleFollow Follow(bool publishSamples, params (string Id, Func<FeedStream, bool> Carries)[] uplinks)
    {
        var site = new TestSite().Device("fan").Gauge("current", with: p => p with { PublishSamples = publishSamples }).Build();
        return new SampleFollow(site, site.Points[0], uplinks.Length > 0 ? uplinks : [("centre", _ => true)], _clock);
    }

    private void Read(SampleFollow follow)
    {
        var began = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(12));
        follow.Asked(Plan, BusReply.Good, began, _time.GetTimestamp());
        follow.Decoded([new Reading(0, _clock.Monotonic, 1.5, 0x3FC00000, Quality.Good)]);
    }

    private void Process(SampleFollow follow, Quality? detected = null)
    {
        var sample = new Sample(0, _clock.At(_clock.Monotonic), 1.5, 0x3FC00000, Quality.Good);
        follow.Taken([sample], _clock.At);
        Assert.True(follow.IsTaken);
        follow.Judged(SampleStage.Validated, sample);
        follow.Judged(SampleStage.Detected, detected is { } quality ? sample with { Quality = quality } : sample);
        Assert.False(follow.IsTaken);
    }

    private string Time(int seconds) => (_clock.At(_clock.Monotonic) + TimeSpan.FromSeconds(seconds)).ToString();

    private string SampleRecord(int seconds) => $$"""{"device":"fan","point":"current","time":"{{Time(seconds)}}","value":1.5}""";

    private static string Summary(int minute, int seconds = 60) =>
        $$"""{"device":"fan","point":"current","start":"{{new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minute):yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","widthSeconds":{{seconds}}}""";

    private OutboxRow Row(FeedStream stream, long first, params string[] records) => new()
    {
        Stream = stream, Epoch = 5, FirstSequence = first, Count = records.Length, Class = RowClass.Raw, Created = _clock.At(_clock.Monotonic), Body = Encoding.UTF8.GetBytes($"[{string.Join(',', records)}]"),
    };

    private static List<FollowDocument> Steps(SampleFollow follow)
    {
        List<FollowDocument> steps = [];
        while (follow.Steps.TryRead(out var step))
        {
            steps.Add(step);
        }

        return steps;
    }

    [Fact]
    public void The_output_that_the_documentation_shows_has_every_step_of_a_sample_that_went_through()
    {
        var page = File.ReadAllText(RepositoryFiles.At("docs/observability.md"));
        var shown = page[page.IndexOf("$ edgegateway follow ", StringComparison.Ordinal)..];
        var lines = shown[..shown.IndexOf("```", StringComparison.Ordinal)].Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];
        Assert.Equal(["read", "decode", "take", "validate", "detect", "record", "store", "commit", "publish", "acknowledge", "end"], lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]));
        Assert.All(lines, line => Assert.Matches(@"^\d\d:\d\d:\d\d\.\d{3} +\d+\.\d ms  [a-z]", line));
    }
}
