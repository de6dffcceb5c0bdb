using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Hosting;

public class LossNoticesTests
{
    private static readonly Instant Now = Instant.Parse("2026-03-01T08:00:00Z");
    private readonly LossNotices _notices = new();

    [Fact]
    public void Evictions_that_follow_each_other_are_one_statement()
    {
        _notices.Add([Loss(1, FeedStream.Sample, 1, 100), Loss(2, FeedStream.Sample, 101, 250)]);
        _notices.Add([Loss(3, FeedStream.Sample, 251, 251)]);

        var (through, records) = Publish();

        Assert.Equal(3, through);
        var record = Assert.Single(records);
        Assert.Equal((1, 251), (record.GetProperty("first").GetInt64(), record.GetProperty("last").GetInt64()));
        Assert.Equal("evicted", record.GetProperty("state").GetString());
    }

    [Fact]
    public void A_hole_another_stream_another_epoch_or_another_reason_is_a_statement_of_its_own()
    {
        _notices.Add(
        [
            Loss(1, FeedStream.Sample, 1, 10),
            Loss(2, FeedStream.Sample, 12, 20),
            Loss(3, FeedStream.Summary, 21, 30),
            Loss(4, FeedStream.Sample, 21, 30) with { Epoch = 8 },
            Loss(5, FeedStream.Sample, 21, 30) with { Reason = LossReason.Unreadable },
        ]);

        var (through, records) = Publish();

        Assert.Equal(5, through);
        Assert.Equal(5, records.Count);
        Assert.Contains(records, r => r.GetProperty("state").GetString() == "unreadable");
    }

    [Fact]
    public void What_summaries_stand_for_is_thinned_and_says_the_width_of_their_windows()
    {
        _notices.Add(
        [
            Loss(1, FeedStream.Sample, 1, 10) with { Reason = LossReason.Of(60, EvictionCause.Budget) },
            Loss(2, FeedStream.Sample, 11, 20) with { Reason = LossReason.Of(60, EvictionCause.Age) },
            Loss(3, FeedStream.Summary, 1, 5) with { Reason = LossReason.Of(0, EvictionCause.Count) },
        ]);

        var (_, records) = Publish();

        Assert.Equal(["thinned", "thinned", "evicted"], records.Select(r => r.GetProperty("state").GetString()));
        Assert.Equal(["thinned to 60 s", "thinned to 60 s, too old", "evicted, too many records"], records.Select(r => r.GetProperty("reason").GetString()));
        Assert.Equal([60, 60], records.Take(2).Select(r => r.GetProperty("standInSeconds").GetInt32()));
        Assert.False(records[2].TryGetProperty("standInSeconds", out _));
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(5, 1)]
    [InlineData(500, 1)]
    public void Causes_that_take_turns_are_one_statement_that_names_them(int rows, int statements)
    {
        for (var i = 1; i <= rows; i++)
        {
            _notices.Add(
            [
                Loss(2 * i, FeedStream.Sample, i, i) with { Reason = LossReason.Of(60, i % 2 == 0 ? EvictionCause.Early : EvictionCause.Budget) },
                Loss((2 * i) + 1, FeedStream.Summary, 10 * i, 10 * i) with { Reason = LossReason.Of(900, EvictionCause.Budget) },
            ]);
        }

        // Behind a hole, and of another width: no part of it.
        _notices.Add([Loss(2000, FeedStream.Sample, rows + 2, rows + 2) with { Reason = LossReason.Of(60, EvictionCause.Early) }]);
        _notices.Add([Loss(2001, FeedStream.Sample, rows + 3, rows + 3) with { Reason = LossReason.Of(900, EvictionCause.Early) }]);

        var (through, records) = Publish();

        Assert.Equal(2001, through);
        var joined = records.Where(r => r.GetProperty("stream").GetString() == "sample" && r.GetProperty("last").GetInt64() <= rows).ToArray();
        Assert.Equal(statements, joined.Length);
        Assert.Equal(
            Enumerable.Range(1, rows),
            joined.SelectMany(r => Enumerable.Range(r.GetProperty("first").GetInt32(), r.GetProperty("last").GetInt32() - r.GetProperty("first").GetInt32() + 1)));
        Assert.All(joined, r => Assert.Equal(("thinned", 60), (r.GetProperty("state").GetString(), r.GetProperty("standInSeconds").GetInt32())));
        Assert.Equal(statements == 1 ? "thinned to 60 s, the byte budget or early" : "thinned to 60 s", joined[0].GetProperty("reason").GetString());
        Assert.Equal(rows + 2, records.Count - statements);
        Assert.Equal(["thinned to 60 s, early", "thinned to 900 s, early"], records.Where(r => r.GetProperty("stream").GetString() == "sample").TakeLast(2).Select(r => r.GetProperty("reason").GetString()));
    }

    [Fact]
    public void A_refused_range_statement_is_confirmed_and_not_spoken_about()
    {
        _notices.Add([Loss(9, FeedStream.Range, 1, 1) with { Reason = LossReason.Refused, Destination = "centre" }]);
        Assert.True(_notices.Any);

        var (through, records) = Publish();

        Assert.Equal(9, through);
        Assert.Empty(records);
        Assert.False(_notices.Any);
    }

    [Fact]
    public void What_was_published_is_not_published_again()
    {
        _notices.Add([Loss(1, FeedStream.Sample, 1, 10)]);
        Publish();

        Assert.False(_notices.Any);
        var (through, records) = Publish();
        Assert.Equal(0, through);
        Assert.Empty(records);
    }

    private static RecordLoss Loss(long id, FeedStream stream, long first, long last) =>
        new(id, stream, 7, first, last, LossReason.Evicted, "", Now);

    private (long Through, IReadOnlyList<JsonElement> Records) Publish()
    {
        var encoder = new FeedEncoder(ExampleFeed.Site, FeedHeads.Start(7), "1");
        var through = _notices.Publish(encoder, Now);
        return (through, [.. encoder.Flush(Now).SelectMany(row => JsonDocument.Parse(row.Body).RootElement.EnumerateArray())]);
    }
}
