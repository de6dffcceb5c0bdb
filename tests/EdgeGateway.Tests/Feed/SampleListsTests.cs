using System.Buffers;
using System.Text;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Feed;

public class SampleListsTests
{
    private const string At = "2026-03-01T12:00:00.000Z";

    [Fact]
    public void The_points_of_one_poll_are_one_object() => Assert.Equal(
        $$"""[{"device":"d1","seq":17,"value":2.5,"ts":"{{At}}","historical":false},{"device":"d2","seq":9,"ts":"{{At}}","historical":false}]""",
        Written(FeedLane.Live, Sample("d1", "seq", "17"), Sample("d1", "value", "2.5"), Sample("d2", "seq", "9")));

    [Fact]
    public void Two_polls_of_a_device_are_two_objects() => Assert.Equal(
        $$"""[{"device":"d1","seq":1,"ts":"{{At}}","historical":true},{"device":"d1","seq":2,"ts":"2026-03-01T12:00:01.000Z","historical":true}]""",
        Written(FeedLane.History, Sample("d1", "seq", "1"), Sample("d1", "seq", "2", at: "2026-03-01T12:00:01.000Z")));

    [Fact]
    public void What_has_no_value_is_left_out_and_doubt_is_told() => Assert.Equal(
        $$"""[{"device":"d1","value":1e300,"ts":"{{At}}","historical":false,"quality":"uncertain"}]""",
        Written(FeedLane.Live, Sample("d0", "seq", "null", "bad"), Sample("d1", "seq", "null", "bad"), Sample("d1", "value", "1e300", "uncertain")));

    [Fact]
    public void Polls_without_any_value_make_an_empty_list() => Assert.Equal("[]", Written(FeedLane.Live, Sample("d1", "seq", "null", "bad")));

    [Fact]
    public void A_point_that_is_called_like_a_field_gets_an_underscore() => Assert.Equal(
        $$"""[{"device":"d1","ts_":5,"ts":"{{At}}","historical":false}]""",
        Written(FeedLane.Live, Sample("d1", "ts", "5")));

    [Fact]
    public void Samples_of_the_encoder_keep_their_digits()
    {
        var feed = ExampleFeed.Encoder();
        feed.Sample(ExampleFeed.GoodSample);
        feed.Sample(ExampleFeed.MissingSample);
        var row = Assert.Single(feed.Flush(ExampleFeed.Noon));
        Assert.Equal("""[{"device":"belt-2","flow":1250.5,"ts":"2026-03-01T12:00:00.000Z","historical":false}]""", Written(FeedLane.Live, row));
    }

    [Fact]
    public void Only_samples_are_carried() =>
        Assert.Equal([FeedStream.Sample], FeedHeads.Streams.Where(new SampleLists().Carries));

    [Fact]
    public void The_points_of_a_poll_stay_in_one_row_however_full_it_is()
    {
        var feed = ExampleFeed.Encoder();
        for (var poll = 0; poll < 2_000; poll++)
        {
            var time = new Instant(ExampleFeed.Noon.UnixMilliseconds + (poll * 1000));
            feed.Sample(ExampleFeed.GoodSample with { Time = time, Value = 0.1 + poll });
            feed.Sample(ExampleFeed.GoodSample with { Time = time, Value = 0.2 + poll });
            feed.Sample(ExampleFeed.GoodSample with { Time = time, Value = 0.3 + poll });
        }

        var rows = feed.Flush(ExampleFeed.Noon);
        Assert.True(rows.Count > 5, $"{rows.Count} rows: nothing was cut");
        Assert.All(rows, row => Assert.Equal(0, row.Count % 3));
        Assert.Equal(6_000, rows.Sum(row => row.Count));
    }

    private static string Sample(string device, string point, string value, string quality = "good", string at = At) =>
        $$"""{"device":"{{device}}","point":"{{point}}","time":"{{at}}","value":{{value}},"raw":"0x1","quality":"{{quality}}","detail":{"a":[1]} }""";

    private static string Written(FeedLane lane, params string[] records) => Written(lane, new OutboxRow
    {
        Stream = FeedStream.Sample,
        Epoch = 1,
        FirstSequence = 1,
        Count = records.Length,
        Class = RowClass.Raw,
        Created = Instant.UnixEpoch,
        Body = Encoding.UTF8.GetBytes($"[{string.Join(',', records)}]"),
    });

    private static string Written(FeedLane lane, OutboxRow row)
    {
        var output = new ArrayBufferWriter<byte>();
        new SampleLists().Write(output, row, lane);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
