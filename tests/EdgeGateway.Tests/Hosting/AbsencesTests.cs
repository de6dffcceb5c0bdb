using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Hosting;

namespace EdgeGateway.Tests.Hosting;

public class AbsencesTests
{
    private static readonly Instant Last = Instant.Parse("2026-03-01T08:00:00Z");
    private static readonly Instant Now = Last + TimeSpan.FromHours(2);

    [Fact]
    public void A_first_start_was_never_away() => Assert.Null(Absences.BetweenRuns(null, Now, stopped: false, damaged: false));

    [Theory]
    [InlineData(true, "stopped by operator")]
    [InlineData(false, "power or process")]
    public void The_time_between_two_runs_is_told_with_its_reason(bool stopped, string reason)
    {
        var said = Absences.BetweenRuns(Last, Now, stopped, damaged: false)!;
        Assert.Equal((RangeState.NeverAcquired, 0L, 0L, (Instant?)Last, (Instant?)Now, reason), (said.State, said.First, said.Last, said.From, said.To, said.Reason));
    }

    [Fact]
    public void A_clock_that_was_set_back_makes_the_length_unknown()
    {
        var said = Absences.BetweenRuns(Now, Last, stopped: true, damaged: false)!;
        Assert.Equal(((Instant?)Now, (Instant?)null), (said.From, said.To));
        Assert.Contains("the clock was set back", said.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void After_damage_nobody_says_when_the_last_commit_was()
    {
        var said = Absences.BetweenRuns(Last, Now, stopped: true, damaged: true)!;
        Assert.Equal(((Instant?)null, (Instant?)Now, "store was damaged"), (said.From, said.To, said.Reason));
    }
}
