using EdgeGateway.Core.Feed;

namespace EdgeGateway.Tests.Feed;

public class FeedTopicsTests
{
    [Fact]
    public void Topics_are_root_site_gateway_stream_and_device()
    {
        var topics = new FeedTopics("edgegateway/v1", "mine-7", "gw-1");

        Assert.Equal("edgegateway/v1/mine-7/gw-1/summary", topics.Of(FeedStream.Summary));
        Assert.Equal("edgegateway/v1/mine-7/gw-1/birth/belt-2", topics.Of(FeedStream.Birth, "belt-2"));
        Assert.Equal("edgegateway/v1/mine-7/gw-1/status", topics.Status);
        Assert.Equal("edgegateway/v1/mine-7/gw-1/#", topics.All);
    }

    [Theory]
    [InlineData("a+b", "s", "g")]
    [InlineData("a//b", "s", "g")]
    [InlineData("", "s", "g")]
    [InlineData("$SYS", "s", "g")]
    [InlineData("r", "s/t", "g")]
    [InlineData("r", "s", "#")]
    [InlineData("r", "s", "")]
    [InlineData("r", "s\0", "g")]
    [InlineData("r", "s", "\ud800")]
    public void Ids_that_would_break_the_tree_are_refused(string root, string site, string gateway) =>
        Assert.Throws<ArgumentException>(() => new FeedTopics(root, site, gateway));

    [Fact]
    public void Names_in_any_script_are_levels() => Assert.True(FeedTopics.IsLevel("矿山-7"));

    [Fact]
    public void Every_value_of_every_enumeration_has_a_word_of_its_own()
    {
        Words<FeedStream>(FeedWords.Word);
        Words<Core.QualityStatus>(FeedWords.Word);
        Words<Core.QualityReason>(FeedWords.Word);
        Words<WindowCut>(FeedWords.Word);
        Words<EmissionAccount>(FeedWords.Word);
        Words<Severity>(FeedWords.Word);
        Words<HealthKind>(FeedWords.Word);
        Words<RangeState>(FeedWords.Word);
        Words<FeedLane>(FeedWords.Word);
        Words<Core.Site.PointKind>(FeedWords.Word);
        Words<Core.Site.MeterRole>(FeedWords.Word);
    }

    [Fact]
    public void Words_lead_back_to_their_values()
    {
        Assert.All(FeedHeads.Streams, stream => Assert.True(FeedWords.TryStream(stream.Word(), out var back) && back == stream));
        Assert.All(Enum.GetValues<RangeState>(), state => Assert.True(FeedWords.TryRangeState(state.Word(), out var back) && back == state));
        Assert.All(Enum.GetValues<FeedLane>(), lane => Assert.True(FeedWords.TryLane(lane.Word(), out var back) && back == lane));
        Assert.Equal(Enum.GetValues<FeedStream>(), FeedHeads.Streams);
    }

    private static void Words<T>(Func<T, string> word)
        where T : struct, Enum
    {
        var words = Enum.GetValues<T>().Select(word).ToList();
        Assert.All(words, w => Assert.Matches("^[a-z]+(-[a-z]+)*$", w));
        Assert.Equal(words.Count, words.Distinct().Count());
    }
}
