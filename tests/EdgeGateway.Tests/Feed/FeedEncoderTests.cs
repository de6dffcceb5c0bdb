using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Feed;

public class FeedEncoderTests
{
    [Fact]
    public void Each_stream_is_numbered_from_one_without_gaps()
    {
        var feed = ExampleFeed.Encoder();
        feed.Summary(ExampleFeed.GaugeSummary);
        feed.Emission(ExampleFeed.DeviceEmission);
        feed.Summary(ExampleFeed.CounterSummary);
        var first = feed.Flush(ExampleFeed.Noon);
        feed.Summary(ExampleFeed.GaugeSummary);
        var second = feed.Flush(ExampleFeed.Noon);

        // Windows of a minute and of 15 minutes do not share a row.
        Assert.Equal([(FeedStream.Summary, 1L, 1), (FeedStream.Summary, 2L, 1), (FeedStream.Emission, 1L, 1)], first.Select(r => (r.Stream, r.FirstSequence, r.Count)));
        Assert.Equal([(FeedStream.Summary, 3L, 1)], second.Select(r => (r.Stream, r.FirstSequence, r.Count)));
        Assert.Equal(4, feed.Heads[FeedStream.Summary]);
    }

    [Fact]
    public void Totals_of_what_was_lost_have_a_retained_topic_of_their_own_and_their_number_in_the_stream()
    {
        var feed = ExampleFeed.Encoder();
        feed.Health(ExampleFeed.ClockStep);
        feed.Health(ExampleFeed.ClockStep with { Kind = HealthKind.Totals });
        feed.Health(ExampleFeed.ClockStep);
        var rows = feed.Flush(ExampleFeed.Noon);

        Assert.Equal([(1L, (string?)null, false), (2L, "totals", true), (3L, null, false)], rows.Select(r => (r.FirstSequence, r.Subtopic, r.Retain)));
        Assert.Equal("r/s/g/health/totals", new FeedTopics("r", "s", "g").Of(rows[1]));
    }

    [Theory]
    [InlineData(false, new[] { 4 })]
    [InlineData(true, new[] { 2, 1, 1 })]
    public void What_one_poll_read_gets_a_message_of_its_own_where_the_site_says_so(bool messageForEachPoll, int[] counts)
    {
        var feed = new FeedEncoder(ExampleFeed.Site with { MessageForEachPoll = messageForEachPoll }, FeedHeads.Start(1), "1.0");
        feed.Sample(ExampleFeed.GoodSample);
        feed.Sample(ExampleFeed.MissingSample);
        feed.Sample(ExampleFeed.GoodSample with { Time = ExampleFeed.Noon + TimeSpan.FromSeconds(1) });
        feed.Sample(ExampleFeed.GoodSample with { Time = ExampleFeed.Noon + TimeSpan.FromSeconds(2) });
        var rows = feed.Flush(ExampleFeed.Noon);
        Assert.Equal(counts, rows.Select(r => r.Count));
        Assert.Equal(rows.Select((_, i) => 1L + counts.Take(i).Sum()), rows.Select(r => r.FirstSequence));
        Assert.Equal(5, feed.Heads[FeedStream.Sample]);
    }

    [Fact]
    public void A_flush_without_records_gives_no_rows()
    {
        var feed = ExampleFeed.Encoder();
        Assert.True(feed.IsEmpty);
        Assert.Empty(feed.Flush(ExampleFeed.Noon));
    }

    [Fact]
    public void A_row_keeps_its_body_after_later_flushes()
    {
        var feed = ExampleFeed.Encoder();
        feed.Sample(ExampleFeed.GoodSample);
        var row = feed.Flush(ExampleFeed.Noon)[0];
        var before = row.Body.ToArray();
        feed.Sample(ExampleFeed.MissingSample);
        feed.Flush(ExampleFeed.Noon);

        Assert.Equal(before, row.Body.ToArray());
    }

    [Fact]
    public void Devices_have_births_and_states_of_their_own_and_the_broker_retains_them()
    {
        var feed = ExampleFeed.Encoder();
        feed.Birth(0, ExampleFeed.Noon);
        feed.Birth(1, ExampleFeed.Noon);
        feed.DeviceState(ExampleFeed.Offline);
        feed.DeviceState(ExampleFeed.Offline with { Online = true, Reason = QualityReason.None });
        feed.DeviceState(ExampleFeed.Offline with { Device = 0 });

        var rows = feed.Flush(ExampleFeed.Noon);

        Assert.All(rows, r => Assert.True(r.Retain));
        Assert.Equal(
            [
                (FeedStream.Birth, "incomer", 1L, 1), (FeedStream.Birth, "belt-2", 2L, 1),
                (FeedStream.State, "belt-2", 1L, 2), (FeedStream.State, "incomer", 3L, 1),
            ],
            rows.Select(r => (r.Stream, r.Subtopic!, r.FirstSequence, r.Count)));
    }

    [Fact]
    public void The_last_message_of_a_device_ends_with_its_newest_state()
    {
        var feed = ExampleFeed.Encoder();
        feed.DeviceState(ExampleFeed.Offline with { Device = 1 });
        feed.DeviceState(ExampleFeed.Offline with { Device = 0 });
        feed.DeviceState(ExampleFeed.Offline with { Device = 1, Online = true, Reason = QualityReason.None });

        var last = FeedMessages.Read(feed.Flush(ExampleFeed.Noon).Last(r => r.Subtopic == "belt-2"));

        Assert.True(last.Records[^1].GetProperty("online").GetBoolean());
    }

    [Fact]
    public void Single_samples_go_first_when_space_runs_out_and_accounts_last()
    {
        var feed = ExampleFeed.Encoder();
        feed.Sample(ExampleFeed.GoodSample);
        feed.Summary(ExampleFeed.GaugeSummary);
        feed.Emission(ExampleFeed.DeviceEmission);
        feed.Anomaly(ExampleFeed.Anomaly);
        feed.Range(ExampleFeed.Evicted);

        Assert.Equal(
            [RowClass.Summary, RowClass.Compliance, RowClass.Compliance, RowClass.Raw, RowClass.Compliance],
            feed.Flush(ExampleFeed.Noon).Select(r => r.Class));
    }

    [Fact]
    public void Records_that_go_at_different_times_have_rows_of_their_own_and_the_numbers_have_no_gap()
    {
        var site = ExampleFeed.Site with { Points = [.. ExampleFeed.Site.Points.Select(p => p with { Compliance = p.DeviceIndex == 1 })] };
        var feed = new FeedEncoder(site, FeedHeads.Start(1), "1");
        for (var i = 0; i < 2; i++)
        {
            feed.Summary(ExampleFeed.GaugeSummary with { Width = TimeSpan.FromMinutes(15) });
            feed.Summary(ExampleFeed.GaugeSummary);
            feed.Summary(ExampleFeed.GaugeSummary with { Point = ExampleFeed.BeltFlow });
            feed.Sample(ExampleFeed.GoodSample with { Point = ExampleFeed.BeltFlow });
            feed.Sample(ExampleFeed.GoodSample with { Point = ExampleFeed.Breaker });
        }

        var rows = feed.Flush(ExampleFeed.Noon);

        Assert.Equal(
            [
                (FeedStream.Summary, 1L, 2, RowClass.Summary, RetentionOrder.LevelOf(TimeSpan.FromMinutes(1)), 900),
                (FeedStream.Summary, 3L, 2, RowClass.Compliance, RetentionOrder.Declared, 0),
                (FeedStream.Summary, 5L, 2, RowClass.Summary, RetentionOrder.LevelOf(TimeSpan.FromMinutes(15)), 0),
                (FeedStream.Sample, 1L, 2, RowClass.Raw, 0, 60),
                (FeedStream.Sample, 3L, 2, RowClass.Compliance, RetentionOrder.Declared, 0),
            ],
            rows.Select(r => (r.Stream, r.FirstSequence, r.Count, r.Class, r.Level, r.StandInSeconds)));
        Assert.All(rows.Where(r => r.Stream == FeedStream.Summary), r => Assert.Single(FeedMessages.Read(r).Records.Select(x => x.GetProperty("widthSeconds").GetDouble()).Distinct()));
    }

    [Fact]
    public void Replay_counts_the_same_numbers_and_writes_nothing()
    {
        var written = ExampleFeed.Encoder();
        var replayed = ExampleFeed.Encoder();
        replayed.Replay = true;
        foreach (var feed in (FeedEncoder[])[written, replayed])
        {
            feed.Summary(ExampleFeed.GaugeSummary);
            feed.Emission(ExampleFeed.SiteEmission);
            feed.Anomaly(ExampleFeed.Anomaly);
            feed.DeviceState(ExampleFeed.Offline);
            feed.Sample(ExampleFeed.GoodSample);
            feed.Sample(ExampleFeed.MissingSample);
        }

        Assert.Equal(written.Heads, replayed.Heads);
        Assert.Empty(replayed.Flush(ExampleFeed.Noon));
        Assert.NotEmpty(written.Flush(ExampleFeed.Noon));
    }

    [Fact]
    public void Recovery_compares_only_what_replay_can_reproduce()
    {
        var stored = FeedHeads.From(2, _ => 10);
        var replayed = FeedHeads.From(2, stream => FeedHeads.IsReplayed(stream) ? 10 : 1);

        Assert.Null(replayed.DifferenceAfterReplay(stored));
        Assert.Equal("emission: next sequence 9, stored 10", FeedHeads.From(2, s => s == FeedStream.Emission ? 9 : 10).DifferenceAfterReplay(stored));
        Assert.Equal("epoch 1, stored 2", FeedHeads.Start(1).DifferenceAfterReplay(stored));
    }

    [Fact]
    public void Heads_survive_a_checkpoint()
    {
        var heads = FeedHeads.From(3, stream => 100 + (long)stream);
        var writer = new StateWriter();
        heads.WriteTo(writer);
        var reader = new StateReader(writer.Written.Span);

        Assert.Equal(heads, FeedHeads.ReadFrom(ref reader));
        Assert.True(reader.AtEnd);
    }

    [Fact]
    public void Heads_cannot_be_set_while_numbers_are_given_away()
    {
        var feed = ExampleFeed.Encoder();
        feed.Sample(ExampleFeed.GoodSample);

        Assert.Throws<InvalidOperationException>(() => feed.Heads = FeedHeads.Start(2));
    }

    [Fact]
    public void A_new_epoch_numbers_from_one_again()
    {
        var feed = ExampleFeed.Encoder();
        feed.Sample(ExampleFeed.GoodSample);
        feed.Flush(ExampleFeed.Noon);
        feed.Heads = FeedHeads.Start(2);
        feed.Sample(ExampleFeed.GoodSample);

        var row = Assert.Single(feed.Flush(ExampleFeed.Noon));
        Assert.Equal((2L, 1L), (row.Epoch, row.FirstSequence));
    }

    [Fact]
    public void A_row_holds_at_most_500_records()
    {
        var feed = ExampleFeed.Encoder();
        for (var i = 0; i < 1_200; i++)
        {
            feed.Health(new HealthRecord { Time = ExampleFeed.Noon, Kind = HealthKind.Start, Text = "" });
        }

        Assert.Equal([(1L, 500), (501L, 500), (1_001L, 200)], feed.Flush(ExampleFeed.Noon).Select(r => (r.FirstSequence, r.Count)));
    }

    [Fact]
    public void No_row_of_several_records_is_larger_than_64_KiB_and_none_is_cut_short() =>
        Prop.ForAll(Gen.Choose(1, 30_000).ListOf().ToArbitrary(), lengths =>
        {
            var feed = ExampleFeed.Encoder();
            foreach (var length in lengths)
            {
                feed.Anomaly(ExampleFeed.Anomaly with { Text = new string('x', length) });
            }

            var rows = feed.Flush(ExampleFeed.Noon);
            var texts = rows.Select(r => FeedMessages.Read(r)).SelectMany(m => m.Records).Select(r => r.GetProperty("text").GetString()!.Length);
            var next = 1L;
            foreach (var row in rows)
            {
                Assert.Equal(next, row.FirstSequence);
                next += row.Count;
                Assert.True(row.Count == 1 || row.Body.Length <= 64 * 1024);
            }

            Assert.Equal(lengths, texts);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_record_larger_than_a_row_travels_alone()
    {
        var feed = ExampleFeed.Encoder();
        feed.Anomaly(ExampleFeed.Anomaly);
        feed.Anomaly(ExampleFeed.Anomaly with { Text = new string('x', 100_000) });
        feed.Anomaly(ExampleFeed.Anomaly);

        Assert.Equal([(1L, 1), (2L, 1), (3L, 1)], feed.Flush(ExampleFeed.Noon).Select(r => (r.FirstSequence, r.Count)));
    }

    [Fact]
    public void Doubles_come_back_to_the_last_bit_or_as_null_with_a_reason() =>
        Prop.ForAll<double>(value =>
        {
            var feed = ExampleFeed.Encoder();
            feed.Sample(ExampleFeed.GoodSample with { Value = value });
            var record = FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0]).Records[0];
            if (double.IsFinite(value))
            {
                Assert.Equal(BitConverter.DoubleToInt64Bits(value), BitConverter.DoubleToInt64Bits(record.GetProperty("value").GetDouble()));
            }
            else
            {
                Assert.Equal(JsonValueKind.Null, record.GetProperty("value").ValueKind);
                Assert.Equal(("bad", "not-a-number"), (record.GetProperty("quality").GetString(), record.GetProperty("reason").GetString()));
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Decimals_are_written_in_full() =>
        Prop.ForAll<decimal>(value =>
        {
            var feed = ExampleFeed.Encoder();
            feed.Summary(ExampleFeed.CounterSummary with { Delta = value });
            return FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0]).Records[0].GetProperty("delta").GetDecimal() == value;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_summary_holds_a_number_that_JSON_does_not_have() =>
        Prop.ForAll<double, double, double>((a, b, c) =>
        {
            var feed = ExampleFeed.Encoder();
            feed.Summary(ExampleFeed.GaugeSummary with { Min = a, Max = b, Mean = c, Last = a, Integral = b });
            var record = FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0]).Records[0];
            string[] numbers = ["min", "max", "mean", "last", "integral"];
            var anyNull = numbers.Any(n => record.GetProperty(n).ValueKind == JsonValueKind.Null);
            return !anyNull || record.TryGetProperty("reason", out _);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void All_64_bits_of_a_register_arrive()
    {
        var feed = ExampleFeed.Encoder();
        feed.Sample(ExampleFeed.GoodSample with { Raw = ulong.MaxValue });

        Assert.Equal("0xffffffffffffffff", FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0]).Records[0].GetProperty("raw").GetString());
    }

    [Fact]
    public void Samples_cost_no_allocation_of_their_own()
    {
        var feed = ExampleFeed.Encoder();
        void Burst()
        {
            for (var i = 0; i < 400; i++)
            {
                feed.Sample(ExampleFeed.GoodSample);
                feed.Sample(ExampleFeed.MissingSample);
            }
        }

        Burst();
        feed.Flush(ExampleFeed.Noon);
        Burst();
        feed.Flush(ExampleFeed.Noon);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Burst();
        var spent = GC.GetAllocatedBytesForCurrentThread() - before;

        // One body of 500 records is closed on the way: that copy is the row's own.
        Assert.InRange(spent, 0, 64 * 1024);
        var rows = feed.Flush(ExampleFeed.Noon);
        Assert.InRange(spent, 0, rows[0].Body.Length + 256);
    }

    [Fact]
    public void Statements_of_issue_cover_every_stream_that_has_records()
    {
        var feed = ExampleFeed.Encoder();
        feed.Sample(ExampleFeed.GoodSample);
        feed.Sample(ExampleFeed.GoodSample);
        feed.Health(ExampleFeed.ClockStep);
        feed.StateIssued(ExampleFeed.Noon, "the gateway stops");

        var statements = FeedMessages.Read(feed.Flush(ExampleFeed.Noon).Single(r => r.Stream == FeedStream.Range)).Records;

        Assert.Equal(
            [("health", 1L), ("sample", 2L)],
            statements.Select(r => (r.GetProperty("stream").GetString()!, r.GetProperty("last").GetInt64())));
    }

    [Fact]
    public void Only_committed_births_are_announced_again_and_only_the_newest_of_each_device()
    {
        var feed = ExampleFeed.Encoder();
        var births = new RetainedBirths();
        feed.Birth(0, ExampleFeed.Noon);
        feed.Birth(1, ExampleFeed.Noon);
        births.Committed(feed.Flush(ExampleFeed.Noon));
        feed.Birth(0, ExampleFeed.Noon);
        feed.Sample(ExampleFeed.GoodSample);
        births.Committed(feed.Flush(ExampleFeed.Noon));

        Assert.Equal([("belt-2", 2L), ("incomer", 3L)], births.Current.Select(r => (r.Subtopic!, r.FirstSequence)));
        births.Clear();
        Assert.Empty(births.Current);
    }
}
