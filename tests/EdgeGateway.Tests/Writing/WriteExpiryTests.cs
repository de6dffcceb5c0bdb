using EdgeGateway.Core;
using EdgeGateway.Core.Writing;
using EdgeGateway.Writing;

namespace EdgeGateway.Tests.Writing;

/// <summary>When a value gives way: no step of the wall clock prolongs it, and in doubt it is over.</summary>
public class WriteExpiryTests
{
    private static readonly Guid Boot = new("0f8fad5b-d9cb-469f-a165-70867728950e");
    private static readonly Guid Other = new("7c9e6679-7425-40de-944b-e07fc1f90ae7");
    private static readonly ClockReading Set = new(Boot, 100_000, new Instant(1_000_000_000), true);
    private static readonly WriteExpiry Expiry = new(Set, TimeSpan.FromMinutes(15));

    [Theory]
    [InlineData(0, 900)]
    [InlineData(600, 300)]
    [InlineData(900, 0)]
    [InlineData(960, -60)]
    public void Within_a_boot_the_monotonic_clock_counts_whatever_the_wall_clock_does(int passed, int left)
    {
        foreach (var step in new[] { -86_400_000L, -1, 0, 86_400_000 })
        {
            foreach (var trusted in new[] { true, false })
            {
                var now = new ClockReading(Boot, 100_000 + (passed * 1000L), new Instant(Set.Wall.UnixMilliseconds + step), trusted);
                Assert.Equal(left, Expiry.Left(now).TotalSeconds);
            }
        }
    }

    [Theory]
    [InlineData(600, true, true, 300)]
    [InlineData(1000, true, true, -100)]
    [InlineData(600, false, true, 0)] // The clock was not set by anybody who knows the time.
    [InlineData(600, true, false, 0)] // It was not when the time began.
    [InlineData(-1, true, true, 0)] // It has gone back.
    public void After_a_reboot_the_wall_clock_counts_and_in_doubt_the_time_is_over(int passed, bool trustedNow, bool trustedThen, int left)
    {
        var expiry = new WriteExpiry(Set with { WallIsTrusted = trustedThen }, TimeSpan.FromMinutes(15));
        var now = new ClockReading(Other, 5, Set.Wall + TimeSpan.FromSeconds(passed), trustedNow);
        Assert.Equal(left, expiry.Left(now).TotalSeconds);

        // From here on the new boot's monotonic clock counts.
        var renewed = expiry.Renewed(now);
        Assert.Equal(Math.Max(0, left), renewed.Left(now with { Wall = Instant.UnixEpoch }).TotalSeconds);
        Assert.Equal(Math.Max(0, left) - 1, renewed.Left(now with { Monotonic = 1005, Wall = Instant.UnixEpoch }).TotalSeconds);
    }

    [Fact]
    public void A_monotonic_clock_that_runs_back_within_a_boot_cannot_be_and_ends_it() =>
        Assert.Equal(TimeSpan.Zero, Expiry.Left(Set with { Monotonic = 99_999 }));

    [Fact]
    public void What_stands_after_a_write_depends_on_what_is_known_of_it()
    {
        var soon = Pending("soon", 60);
        var late = Pending("late", 3600);

        // Known to hold: its own time, or none.
        Assert.Equal(late, WriteJournal.After(soon, late, WriteOutcome.Confirmed, Set));
        Assert.Null(WriteJournal.After(soon, null, WriteOutcome.Confirmed, Set));

        // Known not to have happened: what was before.
        Assert.Equal(soon, WriteJournal.After(soon, late, WriteOutcome.RefusedByDevice, Set));
        Assert.Equal(soon, WriteJournal.After(soon, null, WriteOutcome.NotAttempted, Set));
        Assert.Null(WriteJournal.After(null, late, WriteOutcome.RefusedByDevice, Set));

        // Not known: whichever ends sooner.
        foreach (var outcome in new[] { WriteOutcome.Unknown, WriteOutcome.NotConfirmed })
        {
            Assert.Equal(soon, WriteJournal.After(soon, late, outcome, Set));
            Assert.Equal(soon, WriteJournal.After(late, soon, outcome, Set));
            Assert.Equal(late, WriteJournal.After(null, late, outcome, Set));
            Assert.Equal(late, WriteJournal.After(late, null, outcome, Set));
        }
    }

    private static PendingExpiry Pending(string id, int seconds) =>
        new(id, "d1", "setpoint", "20 Hz", "maria", Set.Wall.UnixMilliseconds, StoredClock.Of(Set), seconds * 1000L);
}
