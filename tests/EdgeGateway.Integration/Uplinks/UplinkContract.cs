using EdgeGateway.Core.Feed;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Uplinks;

namespace EdgeGateway.Integration.Uplinks;

/// <summary>What every uplink must do, whatever it speaks. Inherit, provide a centre, and pass.</summary>
public abstract class UplinkContract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A centre that refuses rows of the stream anomaly for good, and takes all others.</summary>
    protected abstract Task<UplinkCentre> CentreAsync();

    [Fact]
    public async Task Rows_arrive_and_are_acknowledged()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox));
        Add(outbox, 50);

        await UntilAcknowledgedAsync(outbox, 50);
        await ProofAsync(centre);
        Assert.True(run.Uplink.Status.Connected);
        Assert.Null(run.Uplink.Status.LastError);
    }

    [Fact]
    public async Task A_row_whose_acknowledgement_was_lost_stays_and_is_sent_again_under_the_same_number()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox));
        Add(outbox, 1);
        await UntilAcknowledgedAsync(outbox, 1);

        centre.HoldAnswers();
        Add(outbox, 1);
        await UntilAsync(() => centre.Received.Any(m => m.FirstSequence == 2), "row 2 did not arrive");
        Assert.Equal([1], outbox.Acknowledged("centre"));

        centre.Cut();
        await UntilAcknowledgedAsync(outbox, 2);
        Assert.True(centre.Received.Count(m => m.FirstSequence == 2) >= 2);
        await ProofAsync(centre);
    }

    [Fact]
    public async Task A_link_cut_again_and_again_loses_nothing_and_keeps_first_deliveries_in_order()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox));
        for (var round = 1; round <= 8; round++)
        {
            Add(outbox, 40);
            var goal = (round * 40) - 25;
            await UntilAsync(() => outbox.Acknowledged("centre").Count >= goal, "no progress between two cuts");
            if (round % 2 == 0)
            {
                centre.HoldAnswers();
                Add(outbox, 1);
                outbox.Commit();
            }

            centre.Cut();
        }

        await UntilAcknowledgedAsync(outbox, (int)outbox.LastRowId);
        await ProofAsync(centre);
        FirstDeliveriesAreInOrder(centre);
    }

    [Fact]
    public async Task A_server_that_restarts_gets_the_rest()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox));
        Add(outbox, 100);
        await UntilAsync(() => outbox.Acknowledged("centre").Count > 10, "nothing was acknowledged");
        var restarting = centre.RestartAsync();
        Add(outbox, 100);
        await restarting;
        Add(outbox, 100);

        await UntilAcknowledgedAsync(outbox, 300);
        await ProofAsync(centre);
    }

    [Fact]
    public async Task A_refused_row_is_set_aside_and_the_rest_flows()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();
        await using var run = Run(centre.Uplink(outbox));
        Add(outbox, 3);
        var refused = outbox.Add(FeedStream.Anomaly);
        Add(outbox, 3);

        await UntilAcknowledgedAsync(outbox, 6);
        await UntilAsync(() => outbox.Quarantined.Count > 0, "the row was not set aside");
        Assert.Equal(("centre", refused.Id), Assert.Single(outbox.Quarantined.Select(q => (q.Destination, q.Row))));
        Assert.DoesNotContain(refused.Id, outbox.Acknowledged("centre"));

        // The reason is shown until the connection is made anew, which a busy machine may do at any time; the outbox keeps it.
        Assert.All(outbox.Quarantined, q => Assert.NotEmpty(q.Reason));
        await UntilAsync(() => run.Uplink.Status is { Quarantined: 1, BacklogRows: 0 }, () => $"the status does not tell: {run.Uplink.Status}");
        await ProofAsync(centre);
    }

    [Fact]
    public async Task A_program_that_crashed_sends_what_it_had_no_acknowledgement_for()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();
        await using (Run(centre.Uplink(outbox)))
        {
            Add(outbox, 10);
            await UntilAcknowledgedAsync(outbox, 10);
            outbox.Commit();
            centre.HoldAnswers();
            Add(outbox, 5);
            await UntilAsync(() => centre.Received.Any(m => m.FirstSequence == 15), "row 15 did not arrive");
            centre.Refuse();
        }

        centre.Allow();
        var recovered = outbox.AfterCrash();
        await using var run = Run(centre.Uplink(recovered));
        await UntilAsync(() => recovered.Acknowledged("centre").Count == 5, "the rest was not sent again");
        Assert.Equal([11, 12, 13, 14, 15], recovered.Acknowledged("centre").Order());
        await ProofAsync(centre);
    }

    [Fact]
    public async Task Live_rows_arrive_before_the_history_is_through_and_both_lanes_are_in_order()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();

        // Too large to be joined: forty seconds of history at the least pace, three at this one.
        Add(outbox, 60, bytes: 40_000);
        await using var run = Run(centre.Uplink(outbox, new UplinkWishes { BackfillBytesPerSecond = 800_000 }));
        await UntilAsync(() => centre.Received.Count > 0, "no history arrives");
        Assert.True(run.Uplink.Status.BackfillBytesPerSecond > 0);
        Add(outbox, 5);

        await UntilAcknowledgedAsync(outbox, 65);
        var arrivals = centre.Received.ToList();
        var lastLive = arrivals.FindLastIndex(m => m.Lane == FeedLane.Live);
        var lastHistory = arrivals.FindLastIndex(m => m.Lane == FeedLane.History);
        Assert.Equal(5, arrivals.Count(m => m.Lane == FeedLane.Live));
        Assert.True(lastLive < lastHistory - 10, $"live ended at {lastLive}, history at {lastHistory}");
        FirstDeliveriesAreInOrder(centre);
        await ProofAsync(centre);
    }

    [Fact]
    public async Task In_order_gives_strictly_oldest_first()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();
        Add(outbox, 60, bytes: 1_000);
        await using var run = Run(centre.Uplink(outbox, new UplinkWishes { InOrder = true, BackfillBytesPerSecond = 100_000 }));
        await UntilAsync(() => centre.Received.Count > 0, "nothing arrives");
        Add(outbox, 20);

        await UntilAcknowledgedAsync(outbox, 80);
        Assert.Equal(Enumerable.Range(1, 80).Select(i => (long)i), centre.Received.SelectMany(Numbers).Distinct());
        await ProofAsync(centre);
    }

    [Fact]
    public async Task Small_rows_that_waited_arrive_in_few_messages_and_all_are_acknowledged()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();
        for (var i = 0; i < 600; i++)
        {
            outbox.Add(i % 3 == 0 ? FeedStream.Sample : FeedStream.Summary, records: 2);
        }

        await using var run = Run(centre.Uplink(outbox));
        await UntilAcknowledgedAsync(outbox, 600);
        await ProofAsync(centre);
        Assert.InRange(centre.Received.Count, 3, 12);
        Assert.Equal(1_200, centre.Received.Sum(m => m.Records.Count));
        Assert.Equal(Enumerable.Range(1, 800).Select(i => (long)i), centre.Received.Where(m => m.Stream == FeedStream.Summary).SelectMany(Numbers));
    }

    [Fact]
    public async Task A_stop_delivers_what_is_live_and_ends()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();

        // On a clock that stands still: how long a stop waits at most is another matter.
        var run = Run(centre.Uplink(outbox, new UplinkWishes { Time = new ManualTime() }));
        Add(outbox, 1);
        await UntilAcknowledgedAsync(outbox, 1);
        Add(outbox, 30);
        await run.DisposeAsync();

        Assert.Equal(31, outbox.Acknowledged("centre").Distinct().Count());
        Assert.False(run.Uplink.Status.Connected);
    }

    [Fact]
    public async Task A_stop_without_a_connection_ends_at_once()
    {
        await using var centre = await CentreAsync();
        centre.Refuse();
        var outbox = new MemoryOutbox();
        var run = Run(centre.Uplink(outbox));
        Add(outbox, 5);
        await UntilAsync(() => run.Uplink.Status.LastError is not null, "the status does not say that there is no connection");
        await UntilAsync(() => run.Uplink.Status.BacklogRows == 5, "the status does not say that five rows wait");
        await run.DisposeAsync();

        Assert.Empty(outbox.Acknowledged("centre"));
    }

    [Fact]
    public async Task No_more_than_two_pages_of_a_large_backlog_are_held()
    {
        await using var centre = await CentreAsync();
        var outbox = new MemoryOutbox();
        Add(outbox, 1_000, bytes: 20_000);
        await using var run = Run(centre.Uplink(outbox, new UplinkWishes { BackfillBytesPerSecond = 100_000_000 }));

        await UntilAcknowledgedAsync(outbox, 1_000);
        Assert.InRange(outbox.LargestRead.Rows, 1, DeliveryLanes.PageRows);
        Assert.InRange(outbox.LargestRead.Bytes, 1, 1024 * 1024);
        await ProofAsync(centre);
    }

    private static IEnumerable<long> Numbers(FeedMessage message) => Enumerable.Range(0, message.Records.Count).Select(i => message.FirstSequence + i);

    internal static Running Run(IUplink uplink) => new(uplink);

    protected static void Add(MemoryOutbox outbox, int rows, int bytes = 0)
    {
        for (var i = 0; i < rows; i++)
        {
            outbox.Add(bytes: bytes);
        }
    }

    protected static Task UntilAcknowledgedAsync(MemoryOutbox outbox, int rows) =>
        UntilAsync(() => outbox.Acknowledged("centre").Distinct().Count() >= rows, $"not all of {rows} rows were acknowledged");

    internal static Task UntilAsync(Func<bool> condition, string otherwise) => UntilAsync(condition, () => otherwise);

    internal static async Task UntilAsync(Func<bool> condition, Func<string> otherwise)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, otherwise());
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    /// <summary>Whatever happened on the way, the receiver finds nothing missing and nothing doubled.</summary>
    /// <remarks>The server's acknowledgement means that it has the row, not that the receiver behind it has it already: that is waited for.</remarks>
    internal static async Task ProofAsync(UplinkCentre centre)
    {
        var start = TimeProvider.System.GetTimestamp();
        var (report, changed) = Judge(centre);
        while (report.Missing > 0 && TimeProvider.System.GetElapsedTime(start) < Patience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            (report, changed) = Judge(centre);
        }

        Assert.Empty(centre.Problems);
        Assert.StartsWith("0 missing, 0 duplicated", report.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, changed);
    }

    private static (LedgerReport Report, long Changed) Judge(UplinkCentre centre)
    {
        var (ledger, records) = (new SequenceLedger(), new RecordLedger());
        foreach (var message in centre.Received)
        {
            ledger.Observe(message);
            records.Observe(message);
        }

        return (ledger.Report() with { Duplicated = records.Duplicated }, records.Changed);
    }

    private static void FirstDeliveriesAreInOrder(UplinkCentre centre)
    {
        var seen = new HashSet<long>();
        var first = centre.Received.Where(m => m.Stream == FeedStream.Summary && seen.Add(m.FirstSequence)).ToList();
        Assert.All(first.GroupBy(m => m.Lane), lane => Assert.Equal(lane.Select(m => m.FirstSequence).Order(), lane.Select(m => m.FirstSequence)));
    }

    /// <summary>An uplink that runs until it is disposed.</summary>
    internal sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _task;

        public Running(IUplink uplink)
        {
            Uplink = uplink;
            _task = Task.Run(() => uplink.RunAsync(_stop.Token));
        }

        public IUplink Uplink { get; }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _task.WaitAsync(Patience);
            _stop.Dispose();
        }
    }
}
