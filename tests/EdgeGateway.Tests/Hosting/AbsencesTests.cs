using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Hosting;

namespace EdgeGateway.Tests.Hosting;

public class AbsencesTests
{
    private static readonly Guid Boot = Guid.Parse("11111111-1111-1111-1111-111111111111");
    private static readonly Guid OtherBoot = Guid.Parse("22222222-2222-2222-2222-222222222222");
    private static readonly Instant Last = Instant.Parse("2026-03-01T08:00:00Z");
    private static readonly Instant Now = Last + TimeSpan.FromHours(2);

    private static SpanEnd Wall(Instant at) => new(at, Guid.Empty, 0);

    private static RangeRecord Told(SpanEnd from, SpanEnd to, string reason, long? offset = null)
    {
        var absences = new Absences([]);
        absences.Add(new Absence(from, to, reason));
        return Assert.Single(absences.Take(Now, Boot, offset, out _));
    }

    [Fact]
    public void The_time_between_two_runs_is_told_with_its_reason()
    {
        var said = Told(Wall(Last), Wall(Now), Absences.Stopped);
        Assert.Equal((RangeState.NeverAcquired, 0L, 0L, (Instant?)Last, (Instant?)Now, Absences.Stopped), (said.State, said.First, said.Last, said.From, said.To, said.Reason));
    }

    [Fact]
    public void A_clock_that_was_set_back_makes_the_length_unknown()
    {
        var said = Told(Wall(Now), Wall(Last), Absences.Stopped);
        Assert.Equal(((Instant?)Now, (Instant?)null), (said.From, said.To));
        Assert.Contains("the clock was set back", said.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void After_damage_nobody_says_when_the_last_commit_was()
    {
        var said = Told(default, Wall(Now), Absences.StoreDamaged);
        Assert.Equal(((Instant?)null, (Instant?)Now, Absences.StoreDamaged), (said.From, said.To, said.Reason));
    }

    [Theory]
    [InlineData(true, true, "power or process")]
    [InlineData(true, false, "power or process; how long is not known, the clock was not set")]
    [InlineData(false, true, "power or process; since when is not known, the clock was not set")]
    public void An_end_on_a_clock_that_was_not_set_is_dated_by_its_own_boot_or_not_at_all(bool fromThisBoot, bool toThisBoot, string reason)
    {
        var said = Told(new SpanEnd(null, fromThisBoot ? Boot : OtherBoot, 10_000), new SpanEnd(null, toThisBoot ? Boot : OtherBoot, 40_000), Absences.NotStopped, Last.UnixMilliseconds);
        Assert.Equal(fromThisBoot ? Last + TimeSpan.FromSeconds(10) : null, said.From);
        Assert.Equal(toThisBoot ? Last + TimeSpan.FromSeconds(40) : null, said.To);
        Assert.Equal(reason, said.Reason);
    }

    [Fact]
    public void What_waits_survives_as_a_note_until_it_is_told()
    {
        var first = new Absences([]);
        first.Add(new Absence(Wall(Last), new SpanEnd(null, OtherBoot, 7), Absences.Stopped));
        var second = new Absences([first.Note()]);
        second.Add(new Absence(new SpanEnd(null, OtherBoot, 99), new SpanEnd(null, Boot, 5), Absences.NotStopped));
        var third = new Absences([second.Note()]);
        var told = third.Take(Now, Boot, Last.UnixMilliseconds, out var done);
        Assert.Equal([(Last, null), (null, Last + TimeSpan.FromMilliseconds(5))], told.Select(t => (t.From, t.To)));
        Assert.Null(done!.Value.Text);
        Assert.False(third.Any);
    }

    [Fact]
    public void A_computer_whose_power_comes_and_goes_keeps_the_newest_sixteen()
    {
        var absences = new Absences([]);
        for (var i = 0; i < 20; i++)
        {
            absences.Add(new Absence(default, new SpanEnd(null, Boot, i), Absences.NotStopped));
        }

        Assert.Equal(Enumerable.Range(4, 16), absences.Take(Now, Boot, 0, out _).Select(t => (int)t.To!.Value.UnixMilliseconds));
    }
}
