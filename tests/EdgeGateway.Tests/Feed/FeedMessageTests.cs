using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Feed;

public class FeedMessageTests
{
    private const string Good =
        """{"v":1,"site":"s","gateway":"g","stream":"summary","epoch":1,"seq":5,"count":2,"lane":"history","records":[{},{}]}""";

    [Fact]
    public void Envelope_comes_back_as_it_was_written()
    {
        var feed = ExampleFeed.Encoder(epoch: 3);
        feed.Summary(ExampleFeed.GaugeSummary);
        feed.Summary(ExampleFeed.CounterSummary with { Width = ExampleFeed.GaugeSummary.Width });

        var message = FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0], FeedLane.History);

        Assert.Equal(("mine-7", "gw-1", FeedStream.Summary), (message.Site, message.Gateway, message.Stream));
        Assert.Equal((3L, 1L, 2L, FeedLane.History), (message.Epoch, message.FirstSequence, message.LastSequence, message.Lane));
        Assert.Equal("active_energy_import", message.Records[1].GetProperty("point").GetString());
    }

    [Fact]
    public void Unknown_fields_are_skipped_because_they_may_be_added()
    {
        Assert.True(Parses(Good.Replace("\"v\":1", "\"v\":1,\"signature\":\"x\"", StringComparison.Ordinal), out _));
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("[1]", "not an object")]
    [InlineData("{} {}", "not JSON|more after")]
    [InlineData("{}", "'v'")]
    [InlineData("\"v\":1=>\"v\":2", "version 2")]
    [InlineData("\"site\":\"s\"=>\"site\":7", "'site'")]
    [InlineData("\"summary\"=>\"gossip\"", "unknown stream 'gossip'")]
    [InlineData("\"history\"=>\"sideways\"", "unknown lane 'sideways'")]
    [InlineData("\"epoch\":1=>\"epoch\":0", "'epoch'")]
    [InlineData("\"seq\":5=>\"seq\":0", "'seq'")]
    [InlineData("\"seq\":5=>\"seq\":9223372036854775807", "'seq'")]
    [InlineData("\"count\":2=>\"count\":3", "'count' says 3, there are 2")]
    [InlineData("[{},{}]=>[]", "'records'")]
    public void What_is_wrong_with_a_message_is_said(string change, string expected)
    {
        var parts = change.Split("=>");
        var text = parts.Length == 2 ? Good.Replace(parts[0], parts[1], StringComparison.Ordinal) : change;

        Assert.False(Parses(text, out var problem));
        Assert.Contains(expected.Split('|'), words => problem!.Contains(words, StringComparison.Ordinal));
    }

    [Fact]
    public void No_bytes_make_the_reader_throw() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            var ok = FeedMessage.TryParse(bytes, out var message, out var problem);
            return ok == (message is not null) && ok == (problem is null);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_damage_to_a_message_makes_the_reader_throw() =>
        Prop.ForAll(Gen.Choose(0, Good.Length - 1).ToArbitrary(), Gen.Choose(0, 255).ToArbitrary(), (at, value) =>
        {
            var bytes = Encoding.UTF8.GetBytes(Good);
            bytes[at] = (byte)value;
            var ok = FeedMessage.TryParse(bytes, out var message, out _);
            return ok == (message is not null);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void A_text_that_is_not_Unicode_is_a_problem_not_an_exception()
    {
        Assert.False(Parses(Good.Replace("\"site\":\"s\"", "\"site\":\"\\ud800\"", StringComparison.Ordinal), out var problem));
        Assert.Contains("not readable", problem, StringComparison.Ordinal);
    }

    private static bool Parses(string text, out string? problem) => FeedMessage.TryParse(Encoding.UTF8.GetBytes(text), out _, out problem);
}
