using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Feed;

public class RowPartsTests
{
    [Fact]
    public void Parts_hold_the_same_records_under_the_same_numbers_and_are_small_enough() =>
        Prop.ForAll(Gen.ArrayOf(Gen.Choose(0, 60)).Where(l => l.Length > 0).ToArbitrary(), Gen.Choose(2, 200).ToArbitrary(), (lengths, most) =>
        {
            string[] records = [.. lengths.Select((length, i) => $"{{\"i\":{i},\"a\":[\"]}}\\\",{new string('矿', length)}\"]}}")];
            var row = Row(records.Length, $"[{string.Join(',', records)}]");
            var parts = RowParts.Split(row, most);
            var next = row.FirstSequence;
            foreach (var part in parts)
            {
                Assert.Equal((next, row.Id, row.Stream, row.Epoch), (part.FirstSequence, part.Id, part.Stream, part.Epoch));
                Assert.True(part.Count == 1 || part.Body.Length <= most);
                Assert.Equal(part.Count, FeedMessages.Read(part).Records.Count);
                next += part.Count;
            }

            Assert.Equal(row.FirstSequence + row.Count, next);
            Assert.Equal(records, parts.SelectMany(part => FeedMessages.Read(part).Records).Select(r => r.GetRawText()));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(1, "[{\"long\":\"xxxxxxxxxxxxxxxxxxxxxx\"}]")]
    [InlineData(3, "[{\"long\":\"xxxxxxxxxxxx\"},{}]")]
    [InlineData(2, "{\"long\":\"xxxxxxxxxxxxxxxxxxxxxx\"}")]
    [InlineData(2, "[{\"long\":\"xxxxxxxxxxxxxx\"},{")]
    public void What_cannot_be_split_stays_as_it_is(int count, string body)
    {
        var row = Row(count, body);
        Assert.Same(row, Assert.Single(RowParts.Split(row, 10)));
    }

    [Fact]
    public void A_row_that_is_small_enough_stays_as_it_is()
    {
        var row = Row(2, "[{},{}]");
        Assert.Same(row, Assert.Single(RowParts.Split(row, 7)));
        Assert.Equal(2, RowParts.Split(row, 6).Count);
    }

    [Fact]
    public void Rows_joined_hold_the_records_of_all_and_come_apart_again() =>
        Prop.ForAll(Gen.ArrayOf(Gen.Choose(1, 9)).Where(l => l.Length > 0).ToArbitrary(), counts =>
        {
            var rows = new List<OutboxRow>();
            foreach (var count in counts)
            {
                var first = rows.Count == 0 ? 1_001 : rows[^1].FirstSequence + rows[^1].Count;
                rows.Add(Row(count, $"[{string.Join(',', Enumerable.Range(0, count).Select(i => $"{{\"n\":{first + i},\"text\":\"],[\"}}"))}]") with { FirstSequence = first });
            }

            Assert.All(rows.Skip(1).Zip(rows), pair => Assert.True(RowParts.Follows(pair.First, pair.Second)));
            var joined = RowParts.Join(rows);
            Assert.Equal((1_001, counts.Sum(), rows[0].Id), (joined.FirstSequence, joined.Count, joined.Id));
            Assert.Equal(rows.SelectMany(r => FeedMessages.Read(r).Records).Select(r => r.GetRawText()), FeedMessages.Read(joined).Records.Select(r => r.GetRawText()));
            Assert.Equal(joined.Count, RowParts.Split(joined, 2).Count);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Rows_that_travel_differently_or_leave_a_gap_are_not_joined()
    {
        var row = Row(2, "[{},{}]");
        var next = Row(1, "[{}]") with { FirstSequence = row.FirstSequence + 2 };
        Assert.True(RowParts.Follows(next, row));
        Assert.False(RowParts.Follows(row, row));
        Assert.False(RowParts.Follows(next with { FirstSequence = next.FirstSequence + 1 }, row));
        Assert.False(RowParts.Follows(next with { Epoch = 4 }, row));
        Assert.False(RowParts.Follows(next with { Stream = FeedStream.Sample }, row));
        Assert.False(RowParts.Follows(next with { Subtopic = "meter" }, row));
        Assert.False(RowParts.Follows(next with { Retain = true }, row));
        Assert.False(RowParts.Follows(next with { Body = "{}"u8.ToArray() }, row));
        Assert.False(RowParts.Follows(next, row with { Body = "[]"u8.ToArray() }));
    }

    [Fact]
    public void Losses_of_every_stream_are_stated_but_those_of_the_statements_themselves() =>
        Assert.Equal([FeedStream.Range], FeedHeads.Streams.Where(stream => !FeedHeads.IsSpokenAbout(stream)));

    private static OutboxRow Row(int count, string body) => new()
    {
        Id = 7,
        Stream = FeedStream.Summary,
        Epoch = 3,
        FirstSequence = 1_001,
        Count = count,
        Class = RowClass.Summary,
        Created = ExampleFeed.Noon,
        Body = Encoding.UTF8.GetBytes(body),
    };
}
