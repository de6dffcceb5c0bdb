using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Uplinks;

/// <summary>Forty days of a simulated stack, with the faults of docs/examples/stack, over HJ 212 to a platform that hangs up and loses answers: what it holds is what the feed says.</summary>
public sealed class Hj212ReconcileTests : IDisposable
{
    private const int Days = 40;
    private static readonly TimeSpan Patient = TimeSpan.FromMinutes(5);

    private readonly string _passwordFile = Path.GetTempFileName();

    public Hj212ReconcileTests() => File.WriteAllText(_passwordFile, "123456\n");

    public void Dispose() => File.Delete(_passwordFile);

    [Fact]
    public async Task What_a_platform_holds_after_outages_is_what_the_feed_says_to_the_last_digit()
    {
        var site = StackFeed.Site();
        var outbox = new MemoryOutbox();
        StackFeed.Fill(site, Days, outbox);

        // Hangs up at some packets, and once does not acknowledge one that it holds.
        var packets = 0;
        await using var receiver = Hj212Receiver.Start(options: new()
        {
            IsStrict = true,
            Judge = _ => Interlocked.Increment(ref packets) switch { 700 or 701 or 2500 => Hj212Reception.HangUp, 1900 => Hj212Reception.LoseAnswer, _ => Hj212Reception.Acknowledge },
        });
        using var stop = new CancellationTokenSource();
        var uplink = StackFeed.Uplink(site, outbox, receiver, _passwordFile);
        var running = uplink.RunAsync(stop.Token);
        using (var limit = new CancellationTokenSource(Patient))
        {
            while (uplink.Status.Acknowledged < outbox.LastRowId && !limit.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }

        await stop.CancelAsync();
        await running;
        Assert.Equal(outbox.LastRowId, uplink.Status.Acknowledged);
        Assert.Empty(outbox.Quarantined);
        Assert.True(receiver.Connections >= 4, $"{receiver.Connections} connections");

        List<Core.Outbox.OutboxRow> rows = [];
        outbox.Read(1, outbox.LastRowId, int.MaxValue, int.MaxValue, rows);
        var expected = StackFeed.ExpectedOf(StackFeed.RecordsOf(rows));
        Assert.Equal(Days * 24, expected.Keys.Count(k => k.StartsWith("2061", StringComparison.Ordinal) && k.EndsWith("a21026-Flag", StringComparison.Ordinal)));
        Assert.Contains(expected, e => e.Value == "D");

        // Of gases with hours of the stack: each hour has its mass or stood, the boiler's and those that something stood in for.
        var hours = expected.Where(e => e.Key.StartsWith("2061", StringComparison.Ordinal) && e.Key.Contains("a21026-", StringComparison.Ordinal)).ToLookup(e => e.Key[(e.Key.IndexOf('-', StringComparison.Ordinal) + 1)..], e => e.Value);
        Assert.Contains("F", hours["Flag"]);
        Assert.True(hours["Cou"].Count() > hours["Avg"].Count());
        Assert.Equal(hours["Flag"].Count(f => f == "N"), hours["Avg"].Count());
        Assert.Equal(expected, StackFeed.HeldBy(receiver.Received));
    }
}
