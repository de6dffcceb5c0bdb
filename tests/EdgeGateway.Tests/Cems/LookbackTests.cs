using EdgeGateway.Core.Cems;
using EdgeGateway.Core.State;

namespace EdgeGateway.Tests.Cems;

/// <summary>What a stack looks back to: bounded in values and in time, and the same after a restart.</summary>
public class LookbackTests
{
    [Fact]
    public void The_oldest_value_goes_when_it_is_full_and_when_it_is_too_old()
    {
        var lookback = new Lookback(3);
        foreach (var (value, hour) in new (decimal, long)[] { (1, 10), (2, 11), (3, 500), (4, 501) })
        {
            lookback.Add(value, hour);
        }

        Assert.Equal([2m, 3m, 4m], lookback.ToArray());
        lookback.ForgetBefore(11);
        Assert.Equal(3, lookback.Count);
        lookback.ForgetBefore(12);
        Assert.Equal([3m, 4m], Again(lookback, 3).ToArray());
        lookback.RemoveNewest(1);
        lookback.Add(5, 502);
        Assert.Equal([3m, 5m], lookback.ToArray());
        var again = Again(lookback, 3);
        again.ForgetBefore(501);
        Assert.Equal([5m], again.ToArray());
        again.RemoveNewest(7);
        Assert.Empty(again.ToArray());
    }

    [Fact]
    public void Values_of_a_program_that_kept_no_hours_are_of_the_hours_just_before()
    {
        var writer = new StateWriter();
        writer.Write(2);
        writer.Write(1000L);
        writer.Write(2000L);
        var lookback = new Lookback(10);
        var reader = new StateReader(writer.Written.Span);
        lookback.Load(ref reader, hasHours: false);
        Assert.True(reader.AtEnd);
        lookback.Add(3, 100);
        lookback.ForgetBefore(99);
        Assert.Equal([2m, 3m], lookback.ToArray());
    }

    [Fact]
    public void Availability_of_a_unit_that_runs_seldom_counts_three_years()
    {
        var track = new SubstitutionTrack(SubstituteKind.Concentration, false, 20, v => v);
        track.Miss(0);
        track.Take(12, 0, 1);
        Assert.Equal(50m, track.Percent);
        track.Take(12, 0, Substitution.OldestHours + 1);
        Assert.Equal(100m, track.Percent);
    }

    [Fact]
    public void Part_75_looks_back_three_years_and_HJ_75_to_its_newest_hours_however_old()
    {
        var us = new SubstitutionTrack(SubstituteKind.Concentration, false, 20, v => v);
        var china = new SubstitutionTrack(SubstituteKind.Mass, false, null, v => v);
        foreach (var track in (SubstitutionTrack[])[us, china])
        {
            track.Take(19, 0, 0);
            for (var hour = 1; hour <= Substitution.LookbackHours; hour++)
            {
                track.Take(12, 0, Substitution.OldestHours + hour);
            }
        }

        // A long outage: the larger of the neighbours and the 90th percentile, or the maximum.
        for (var missing = 1; missing <= 90; missing++)
        {
            us.Miss(Substitution.OldestHours + Substitution.LookbackHours + missing);
        }

        china.Miss(Substitution.OldestHours + Substitution.LookbackHours + 1);
        Assert.Equal((12m, "MAX", 720), (us.Resolve(12, 0).Value.Value, us.Resolve(12, 0).Value.Rule, us.Resolve(12, 0).Value.Lookback));
        Assert.Equal("MAX-180", china.Resolve(12, 0).Value.Rule);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_clock_that_is_years_ahead_for_a_while_erases_nothing_and_one_that_goes_on_from_there_does(bool stays)
    {
        var track = new SubstitutionTrack(SubstituteKind.Concentration, false, 20, v => v);
        const long Begin = 1_000_000;
        void Hour(long hour, bool isMissing = false)
        {
            track.Watch(hour);
            if (isMissing)
            {
                track.Miss(hour);
            }
            else
            {
                track.Take(12, 0, hour);
            }
        }

        for (var hour = 0; hour < 100; hour++)
        {
            Hour(Begin + hour, isMissing: hour < 50);
        }

        Assert.Equal(50m, track.Percent);
        var ahead = Begin + 100 + (2L * Substitution.OldestHours);
        Hour(ahead);
        Hour(ahead + 1);
        Assert.Equal(51m, track.Percent);
        for (var hour = 2; hour < 900; hour++)
        {
            Hour((stays ? ahead : Begin + 100) + hour);
        }

        // All hours count that are of the last three years by a clock that is believed.
        Assert.Equal(stays ? 100m : 95m, track.Percent);
    }

    private static Lookback Again(Lookback lookback, int capacity)
    {
        var writer = new StateWriter();
        lookback.Save(writer);
        var again = new Lookback(capacity);
        var reader = new StateReader(writer.Written.Span);
        again.Load(ref reader, hasHours: true);
        Assert.True(reader.AtEnd);
        return again;
    }
}
