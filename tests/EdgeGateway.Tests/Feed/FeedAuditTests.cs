using System.IO.Compression;
using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Feed;

public class FeedAuditTests
{
    private const string Topic = "edgegateway/v1/mine-7/gw-1/sample";

    [Fact]
    public void A_whole_feed_is_proven()
    {
        var audit = new FeedAudit();
        Assert.Equal(FeedTaking.Skipped, audit.Take("edgegateway/v1/mine-7/gw-1/status", "online"u8.ToArray(), retained: true));
        Assert.Equal(FeedTaking.Counted, audit.Take(Topic, Samples(1, 10), retained: false));
        Assert.Equal(FeedTaking.Counted, audit.Take(null, Samples(11, 12), retained: false));

        var verdict = audit.Verdict();
        Assert.True(verdict.IsProven, string.Join('\n', verdict.Reasons()));
        Assert.Equal((3L, 1L, 12L), (verdict.Messages, verdict.Skipped, verdict.Ledger.Received));
    }

    [Fact]
    public void Nothing_received_is_no_proof() => Assert.False(new FeedAudit().Verdict().IsProven);

    [Fact]
    public void A_gap_is_named_in_the_reasons()
    {
        var audit = new FeedAudit();
        audit.Take(Topic, Samples(1, 3), retained: false);
        audit.Take(Topic, Samples(7, 9), retained: false);

        Assert.Equal(
            ["mine-7/gw-1/sample epoch 1: 3 records are missing and nothing explains it: 4-6."],
            audit.Verdict().Reasons());
    }

    [Fact]
    public void Losses_are_explained_by_state_and_reason()
    {
        var audit = new FeedAudit();
        audit.Take(Topic, Samples(1, 3), retained: false);
        audit.Take(Topic, Samples(20, 20), retained: false);
        var evicted = ExampleFeed.Evicted with { First = 2, Last = 10 };
        audit.Take(null, Statements(evicted, evicted with { First = 11, Last = 18, State = RangeState.Quarantined, Reason = "refused by centre" }), retained: false);

        var stream = audit.Verdict().Ledger.Streams.Single(s => s.Key.Stream == FeedStream.Sample);
        Assert.Equal([(RangeState.Evicted, 7L), (RangeState.Quarantined, 8L)], stream.Explanations.Select(e => (e.State, e.Count)));
        Assert.Equal([new SequenceRange(4, 10)], stream.Explanations[0].Ranges);
        Assert.Equal((evicted.From, evicted.To, evicted.Reason), (stream.Explanations[0].From, stream.Explanations[0].To, stream.Explanations[0].Reason));
        Assert.Equal([new SequenceRange(19, 19)], stream.MissingRanges);
    }

    [Fact]
    public void Times_in_which_nothing_was_acquired_are_listed_once_and_explain_no_number()
    {
        var audit = new FeedAudit();
        audit.Take(Topic, Samples(2, 2), retained: false);
        var away = ExampleFeed.Evicted with { First = 0, Last = 0, State = RangeState.NeverAcquired, Reason = "power or process" };
        audit.Take(null, Statements(away, away), retained: false);

        Assert.Equal(new LedgerAbsence("mine-7", "gw-1", away.From, away.To, "power or process"), Assert.Single(audit.Verdict().Ledger.Absences));
        Assert.Equal(1, audit.Verdict().Ledger.Missing);
    }

    [Fact]
    public void First_deliveries_out_of_order_are_counted_in_each_lane_by_itself()
    {
        var audit = new FeedAudit(new FeedAuditOptions { RequireOrder = true });
        audit.Take(Topic, Samples(1, 2), retained: false);
        audit.Take(Topic, Samples(9, 9), retained: false);
        audit.Take(Topic, Samples(3, 5, FeedLane.History), retained: false);
        audit.Take(Topic, Samples(6, 8, FeedLane.History), retained: false);
        audit.Take(Topic, Samples(1, 2), retained: false);
        Assert.True(audit.Verdict().IsProven, string.Join('\n', audit.Verdict().Reasons()));

        audit.Take(Topic, Samples(11, 11), retained: false);
        audit.Take(Topic, Samples(10, 10), retained: false);
        Assert.Equal(1, audit.Verdict().Ledger.OutOfOrder);
        Assert.False(audit.Verdict().IsProven);
    }

    [Fact]
    public void Births_are_announced_again_in_any_order()
    {
        var audit = new FeedAudit(new FeedAuditOptions { RequireOrder = true, Start = LedgerStart.FirstHeard });
        audit.Take(null, FeedMessages.Wire(Row(FeedStream.Birth, 1, 8, 8)), retained: false);
        audit.Take(null, FeedMessages.Wire(Row(FeedStream.Birth, 1, 3, 3)), retained: false);
        Assert.Equal(0, audit.Verdict().Ledger.OutOfOrder);
    }

    [Fact]
    public void A_stream_that_falls_silent_is_missed_also_by_a_late_receiver()
    {
        var audit = new FeedAudit(new FeedAuditOptions { Start = LedgerStart.FirstHeard });
        var issued = ExampleFeed.Evicted with { First = 1, Last = 500, State = RangeState.Issued };
        audit.Take(null, Statements(issued), retained: false);
        Assert.True(audit.Verdict().IsProven, string.Join('\n', audit.Verdict().Reasons()));

        audit.Take(null, Statements(2, issued with { Last = 503 }), retained: false);
        Assert.Equal([new SequenceRange(501, 503)], audit.Verdict().Ledger.Streams.Single(s => s.Key.Stream == FeedStream.Sample).MissingRanges);
    }

    [Theory]
    [InlineData("""{"v":1,"site":"a","gateway":"b","stream":"weather","epoch":1,"seq":1,"count":1,"lane":"live","records":[{}]}""")]
    [InlineData("""{"v":1,"site":"a","gateway":"b","stream":"sample","lane":"volatile","records":[{}]}""")]
    [InlineData("""{"v":1,"evicted":5}""")]
    public void What_a_later_version_adds_is_skipped(string payload)
    {
        var audit = new FeedAudit();
        Assert.Equal(FeedTaking.Skipped, audit.Take(null, Encoding.UTF8.GetBytes(payload), retained: false));
        Assert.Equal(0, audit.Verdict().Unreadable);
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("hello", "not JSON")]
    [InlineData("""{"v":2}""", "version 2 of the feed")]
    [InlineData("""{"v":1,"site":"a","gateway":"b","stream":"sample","epoch":1,"seq":1,"count":2,"lane":"live","records":[{}]}""", "'count' says 2")]
    public void What_cannot_be_read_is_a_finding_and_no_proof(string payload, string problem)
    {
        var audit = new FeedAudit();
        audit.Take(Topic, Samples(1, 3), retained: false);
        Assert.Equal(FeedTaking.Unreadable, audit.Take("a/b", Encoding.UTF8.GetBytes(payload), retained: false));

        Assert.Contains(problem, Assert.Single(audit.Verdict().Findings), StringComparison.Ordinal);
        Assert.False(audit.Verdict().IsProven);
    }

    [Fact]
    public void A_message_under_the_name_of_another_gateway_is_not_counted()
    {
        var audit = new FeedAudit();
        Assert.Equal(FeedTaking.Unreadable, audit.Take("edgegateway/v1/mine-7/gw-2/sample", Samples(1, 3), retained: false));
        Assert.Equal(0, audit.Verdict().Ledger.Received);
    }

    [Fact]
    public void A_packed_message_is_unpacked_and_a_bomb_is_refused()
    {
        var audit = new FeedAudit();
        Assert.Equal(FeedTaking.Counted, audit.Take(Topic, Packed(Samples(1, 400)), retained: false));
        Assert.Equal(FeedTaking.Unreadable, audit.Take(Topic, Packed(new byte[FeedPayload.DefaultLimit + 1]), retained: false));
        Assert.Equal(FeedTaking.Unreadable, audit.Take(Topic, Packed(Samples(401, 900)).AsMemory(0, 40), retained: false));
        Assert.Equal(400, audit.Verdict().Ledger.Received);
    }

    [Fact]
    public void A_million_gaps_are_an_attack_that_is_bounded_and_told()
    {
        var ledger = new SequenceLedger();
        for (var i = 1; i <= SequenceLedger.MaxRuns + 10; i++)
        {
            ledger.Observe(FeedMessages.Numbered(FeedStream.Sample, 1, 2 * i, 2 * i));
        }

        var stream = Assert.Single(ledger.Report().Streams);
        Assert.True(stream.Overflowed);
        Assert.Equal(SequenceLedger.MaxRuns, stream.Received);
    }

    [Fact]
    public void Claims_of_nearly_all_numbers_do_not_overflow_the_sums()
    {
        var audit = new FeedAudit();
        var claim = ExampleFeed.Evicted with { First = 1, Last = long.MaxValue - 1, State = RangeState.Issued };
        audit.Take(null, Statements(claim, claim with { Stream = FeedStream.Summary }, claim with { Stream = FeedStream.Health, Last = long.MaxValue }), retained: false);

        var verdict = audit.Verdict();
        Assert.Equal(long.MaxValue, verdict.Ledger.Missing);
        Assert.Equal(1, verdict.Ledger.StatementsNotUnderstood);
        Assert.NotEmpty(verdict.Reasons());
    }

    [Fact]
    public void No_bytes_make_it_throw() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<bool>(), (bytes, packed) =>
        {
            var audit = new FeedAudit(new FeedAuditOptions { Deep = true });
            audit.Take(Topic, packed ? [0x1F, 0x8B, .. bytes] : bytes, retained: false);
            Assert.Equal(1, audit.Messages);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Spoiled_messages_never_make_it_throw_or_count_what_was_not_sent()
    {
        var message = Statements(ExampleFeed.Evicted, ExampleFeed.Evicted with { State = RangeState.Issued });
        Prop.ForAll(Gen.Choose(0, message.Length - 1).Select(i => i).ToArbitrary(), Gen.Choose(0, 255).Select(b => b).ToArbitrary(), (at, value) =>
        {
            var spoiled = message.ToArray();
            spoiled[at] = (byte)value;
            var audit = new FeedAudit(new FeedAuditOptions { Deep = true });
            audit.Take(null, spoiled, retained: false);
            Assert.InRange(audit.Verdict().Ledger.Received, 0, 2);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_statement_with_half_a_character_is_not_understood_and_explains_nothing()
    {
        var audit = new FeedAudit(new FeedAuditOptions { Deep = true });
        var message = """{"v":1,"site":"a","gateway":"b","stream":"range","epoch":1,"seq":1,"count":1,"lane":"live","records":[{"\ud800":1,"stream":"\ud800","state":"evicted","epoch":1,"first":1,"last":2}]}""";
        Assert.Equal(FeedTaking.Counted, audit.Take(null, Encoding.UTF8.GetBytes(message), retained: false));
        Assert.Equal(1, audit.Verdict().Ledger.StatementsNotUnderstood);
        audit.Take(null, Encoding.UTF8.GetBytes(message.Replace("\"range\"", "\"state\"", StringComparison.Ordinal)), retained: false);
        Assert.Equal(2, audit.Verdict().Ledger.Received);
    }

    [Fact]
    public void Contents_are_compared_as_far_as_they_are_remembered()
    {
        var audit = new FeedAudit(new FeedAuditOptions { RememberedRecords = 3 });
        audit.Take(Topic, Sample(1, "{}"), retained: false);
        audit.Take(Topic, Sample(1, """{"other":1}"""), retained: false);
        Assert.Equal(1, audit.Verdict().Changed);

        audit.Take(Topic, Samples(2, 4), retained: false);
        audit.Take(Topic, Sample(1, """{"other":2}"""), retained: false);
        Assert.Equal(1, audit.Verdict().Changed);
        Assert.True(audit.Verdict().Forgotten > 0);
    }

    [Fact]
    public void The_verdict_is_that_of_a_naive_receiver_also_over_restarts_of_the_auditor() =>
        Prop.ForAll(Deliveries, steps =>
        {
            var audit = new FeedAudit();
            var (seen, lost) = (new HashSet<long>(), new HashSet<long>());
            var (issued, redelivered, statements) = (0L, 0L, 0);
            foreach (var (kind, first, last) in steps)
            {
                switch (kind)
                {
                    case 0:
                        audit = FeedAudit.Restore(audit.Save());
                        break;
                    case 1:
                        lost.UnionWith(Numbers(first, last));
                        audit.Take(null, Statements(++statements, ExampleFeed.Evicted with { First = first, Last = last, State = (RangeState)(first % 2), Reason = $"r{last % 20}" }), retained: false);
                        break;
                    case 2:
                        issued = Math.Max(issued, last);
                        audit.Take(null, Statements(++statements, ExampleFeed.Evicted with { First = 1, Last = last, State = RangeState.Issued }), retained: false);
                        break;
                    default:
                        redelivered += Numbers(first, last).Count(seen.Contains);
                        seen.UnionWith(Numbers(first, last));
                        audit.Take(Topic, Samples(first, last, kind % 2 == 0 ? FeedLane.Live : FeedLane.History), retained: false);
                        break;
                }
            }

            var until = Math.Max(issued, seen.DefaultIfEmpty(0).Max());
            var absent = Numbers(1, until).Where(n => !seen.Contains(n)).ToList();
            var verdict = audit.Verdict();
            var stream = verdict.Ledger.Streams.SingleOrDefault(s => s.Key.Stream == FeedStream.Sample);
            Assert.Equal(absent.Where(n => !lost.Contains(n)), (stream?.MissingRanges ?? []).SelectMany(r => Numbers(r.First, r.Last)));
            Assert.Equal(absent.Count(lost.Contains), stream?.Explained ?? 0);
            Assert.Equal(absent.Where(lost.Contains), (stream?.Explanations ?? []).SelectMany(e => e.Ranges).SelectMany(r => Numbers(r.First, r.Last)).Order());
            Assert.Equal(((long)seen.Count, redelivered), (stream?.Received ?? 0, stream?.Redelivered ?? 0));
            Assert.Equal(absent.All(lost.Contains) && seen.Count + statements > 0, verdict.IsProven);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"version":9,"messages":0,"unreadable":0,"skipped":0,"duplicated":0,"changed":0,"findings":[],"ledger":{"fromFirstRecord":true,"epochs":[],"absences":[],"notUnderstood":0,"notCounted":0}}""")]
    [InlineData("""{"version":1,"messages":0,"unreadable":0,"skipped":0,"duplicated":0,"changed":0,"findings":[],"ledger":{"fromFirstRecord":true,"epochs":[{"site":"a","gateway":"b","stream":"sample","epoch":1,"seen":[5,1],"overflowed":false,"redelivered":0,"issued":0,"highestLive":0,"highestHistory":0,"outOfOrder":0,"explained":[]}],"absences":[],"notUnderstood":0,"notCounted":0}}""")]
    public void A_state_that_is_none_is_refused(string state) => Assert.Throws<InvalidDataException>(() => FeedAudit.Restore(Encoding.UTF8.GetBytes(state)));

    private static Arbitrary<(int Kind, long First, long Last)[]> Deliveries =>
        Gen.Choose(0, 9).SelectMany(kind => Gen.Choose(1, 60).SelectMany(first => Gen.Choose(0, 12).Select(more => (kind, (long)first, (long)(first + more))))).ArrayOf().ToArbitrary();

    private static IEnumerable<long> Numbers(long first, long last)
    {
        for (var n = first; n <= last; n++)
        {
            yield return n;
        }
    }

    private static byte[] Samples(long first, long last, FeedLane lane = FeedLane.Live) => FeedMessages.Wire(Row(FeedStream.Sample, 1, first, last), lane);

    private static byte[] Sample(long number, string record) => FeedMessages.Wire(Row(FeedStream.Sample, 1, number, number) with { Body = Encoding.UTF8.GetBytes($"[{record}]") });

    private static EdgeGateway.Core.Outbox.OutboxRow Row(FeedStream stream, long epoch, long first, long last) => new()
    {
        Stream = stream,
        Epoch = epoch,
        FirstSequence = first,
        Count = (int)(last - first + 1),
        Class = EdgeGateway.Core.Outbox.RowClass.Summary,
        Created = ExampleFeed.Noon,
        Body = Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("{}", (int)(last - first + 1)))}]"),
    };

    private static byte[] Statements(params RangeRecord[] records) => Statements(1, records);

    private static byte[] Statements(long first, params RangeRecord[] records)
    {
        var feed = ExampleFeed.Encoder();
        feed.Heads = FeedHeads.From(1, stream => stream == FeedStream.Range ? first : 1);
        foreach (var record in records)
        {
            feed.Range(record);
        }

        return FeedMessages.Wire(Assert.Single(feed.Flush(ExampleFeed.Noon)));
    }

    private static byte[] Packed(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }
}
