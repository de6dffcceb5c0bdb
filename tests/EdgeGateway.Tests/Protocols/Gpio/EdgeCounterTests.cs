using EdgeGateway.Protocols.Gpio;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Gpio;

/// <summary>A total that the numbers of the events prove, whatever was dropped, read by a process that died, or bounced.</summary>
public sealed class EdgeCounterTests
{
    private const ulong Millisecond = 1_000_000;

    private static readonly int Repetitions = Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1" ? 20_000 : 300;

    [Fact]
    public void Edges_that_the_buffer_dropped_are_counted_and_said()
    {
        var counter = new EdgeCounter(TimeSpan.Zero);
        counter.Requested();
        Assert.Equal(new EdgeStep(1, 0, 0, false, false), counter.Add(Event(1, 1)));
        Assert.Equal(new EdgeStep(985, 0, 984, false, false), counter.Add(Event(2, 986)));
        Assert.Equal(new EdgeCounterState { Count = 986, Lost = 984, LineSequence = 986, LastPulseNs = 2 * Millisecond }, counter.State);
    }

    [Fact]
    public void Edges_dropped_before_the_first_read_are_counted()
    {
        var counter = new EdgeCounter(TimeSpan.Zero);
        counter.Requested();
        counter.Add(Event(1, 40));
        Assert.Equal((40, 39), (counter.Count, counter.State.Lost));
    }

    [Fact]
    public void A_line_that_was_kept_gives_back_what_a_dead_process_had_read()
    {
        var before = new EdgeCounter(TimeSpan.Zero);
        before.Requested();
        before.Add(Event(1, 1));
        before.Add(Event(2, 2));
        var committed = before.State;
        before.Add(Event(3, 3));
        before.Add(Event(4, 4));

        // Killed here; 3 and 4 were read and not committed.
        var after = new EdgeCounter(TimeSpan.Zero, committed);
        after.Adopted();
        Assert.Equal(new EdgeStep(3, 0, 2, true, false), after.Add(Event(5, 5)));
        Assert.Equal(new EdgeStep(2, 0, 1, false, false), after.Add(Event(7, 7)));
        Assert.Equal((7, 2, 1, 0), (after.Count, after.State.Recovered, after.State.Lost, after.State.Breaks));
    }

    [Fact]
    public void A_line_that_was_kept_without_a_state_counts_from_its_request()
    {
        var counter = new EdgeCounter(TimeSpan.Zero);
        counter.Adopted();
        counter.Add(Event(1, 1_000));
        Assert.Equal((1_000, 999), (counter.Count, counter.State.Recovered));
    }

    [Fact]
    public void A_line_that_was_let_go_is_a_break_and_its_numbers_begin_anew()
    {
        var counter = new EdgeCounter(TimeSpan.FromMilliseconds(30), new() { Count = 500, LineSequence = 500, LastPulseNs = 90 * Millisecond });
        counter.Requested();
        Assert.Equal(1, counter.State.Breaks);

        // The clock may be that of another boot.
        Assert.Equal(new EdgeStep(1, 0, 0, false, false), counter.Add(Event(95, 1)));
        Assert.Equal(501, counter.Count);

        var first = new EdgeCounter(TimeSpan.Zero);
        first.Requested();
        Assert.Equal(0, first.State.Breaks);
    }

    [Fact]
    public void Numbers_roll_over()
    {
        var counter = new EdgeCounter(TimeSpan.Zero, new() { Count = uint.MaxValue - 1, LineSequence = uint.MaxValue - 1 });
        counter.Adopted();
        Assert.Equal(new EdgeStep(1, 0, 0, false, false), counter.Add(Event(1, uint.MaxValue)));
        Assert.Equal(new EdgeStep(1, 0, 0, false, false), counter.Add(Event(2, 0)));
        Assert.Equal(new EdgeStep(3, 0, 2, false, false), counter.Add(Event(3, 3)));
        Assert.Equal(uint.MaxValue + 4L, counter.Count);
    }

    [Fact]
    public void Numbers_that_go_back_are_a_break_and_prove_nothing()
    {
        var counter = new EdgeCounter(TimeSpan.Zero, new() { Count = 500, LineSequence = 500 });
        Assert.Equal(new EdgeStep(1, 0, 0, false, true), counter.Add(Event(1, 7)));
        Assert.Equal(new EdgeStep(1, 0, 0, false, true), counter.Add(Event(2, 7)));
        Assert.Equal(new EdgeStep(2, 0, 1, false, false), counter.Add(Event(3, 9)));
        Assert.Equal((504, 2), (counter.Count, counter.State.Breaks));
    }

    [Fact]
    public void Bounce_is_counted_apart()
    {
        // 40 ms pulses at 5 Hz, each with four bounces 2 ms apart.
        var counter = new EdgeCounter(TimeSpan.FromMilliseconds(50));
        counter.Requested();
        uint number = 0;
        for (var pulse = 0; pulse < 10; pulse++)
        {
            for (var edge = 0; edge < 5; edge++)
            {
                counter.Add(Event((ulong)((pulse * 200) + (edge * 2) + 1), ++number));
            }
        }

        Assert.Equal((10, 40, 50), (counter.Count, counter.State.TooFast, counter.State.Edges));
    }

    [Fact]
    public void Of_dropped_edges_no_more_are_counted_than_fit_in_the_time()
    {
        var counter = new EdgeCounter(TimeSpan.FromMilliseconds(50));
        counter.Requested();
        counter.Add(Event(1, 1));
        Assert.Equal(new EdgeStep(4, 16, 19, false, false), counter.Add(Event(201, 21)));
    }

    [Fact]
    public void A_clock_that_was_set_back_makes_no_pulse_too_fast()
    {
        var counter = new EdgeCounter(TimeSpan.FromMilliseconds(50));
        counter.Requested();
        counter.Add(Event(1_000, 1));
        counter.Add(Event(10, 2));
        counter.Add(Event(60, 3));
        Assert.Equal((3, 0), (counter.Count, counter.State.TooFast));
    }

    /// <summary>Whatever the buffer drops, whenever the process dies and wherever the numbers stand: with the last event read, the total is exact, and every edge is said to have come, been lost or been recovered.</summary>
    [Fact]
    public void Any_pattern_of_loss_gives_the_exact_total()
    {
        Prop.ForAll(Trains.ToArbitrary(), train =>
        {
            var minimum = TimeSpan.FromMilliseconds(train.MinimumMilliseconds);
            var state = new EdgeCounterState { LineSequence = train.FirstNumber };
            var counter = new EdgeCounter(minimum, state);
            var random = new Random(train.Seed);
            long seen = 0, seenAtCommit = 0, dropped = 0;
            var now = 1_000UL;
            for (var i = 0; i < train.Pulses; i++)
            {
                now += (ulong)random.Next(train.MinimumMilliseconds, (10 * train.MinimumMilliseconds) + 2);
                var isLast = i == train.Pulses - 1;
                if (!isLast && random.NextDouble() < train.Loss)
                {
                    dropped++;
                    continue;
                }

                counter.Add(Event(now, unchecked(train.FirstNumber + (uint)i + 1)));
                seen++;
                if (random.NextDouble() < train.Commit)
                {
                    (state, seenAtCommit) = (counter.State, seen);
                }

                if (!isLast && random.NextDouble() < train.Death)
                {
                    // What was read since the commit is proven by the next number.
                    counter = new(minimum, state);
                    counter.Adopted();
                    seen = seenAtCommit;
                }
            }

            Assert.Equal((train.Pulses, 0L, 0L), (counter.Count, counter.State.TooFast, counter.State.Breaks));
            Assert.Equal(train.Pulses, seen + counter.State.Lost + counter.State.Recovered);
            if (train.Death == 0)
            {
                Assert.Equal((dropped, 0L), (counter.State.Lost, counter.State.Recovered));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Repetitions));
    }

    /// <summary>Bounce or not, dropped or not: every edge is in one of the two counts.</summary>
    [Fact]
    public void No_edge_is_in_neither_count_or_in_both()
    {
        Prop.ForAll(Trains.ToArbitrary(), train =>
        {
            var counter = new EdgeCounter(TimeSpan.FromMilliseconds(train.MinimumMilliseconds), new() { LineSequence = train.FirstNumber });
            var random = new Random(train.Seed);
            var now = 1_000UL;
            long counted = 0, tooFast = 0;
            for (var i = 0; i < train.Pulses; i++)
            {
                now += (ulong)random.Next(0, 40);
                if (i < train.Pulses - 1 && random.NextDouble() < train.Loss)
                {
                    continue;
                }

                var step = counter.Add(Event(now, unchecked(train.FirstNumber + (uint)i + 1)));
                counted += step.Counted;
                tooFast += step.TooFast;
                Assert.True(step is { Counted: >= 0, TooFast: >= 0, Missing: >= 0 });
            }

            Assert.Equal((train.Pulses, counted, tooFast), (counter.State.Edges, counter.State.Count, counter.State.TooFast));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Repetitions));
    }

    private static Gen<Train> Trains =>
        from pulses in Gen.Choose(1, 400)
        from minimum in Gen.Elements(0, 1, 30)
        from first in Gen.Elements(0u, 1u, 77u, uint.MaxValue - 3, uint.MaxValue - 200)
        from loss in Gen.Elements(0.0, 0.1, 0.5, 0.95)
        from death in Gen.Elements(0.0, 0.02, 0.3)
        from commit in Gen.Elements(0.01, 0.2, 1.0)
        from seed in Gen.Choose(0, int.MaxValue)
        select new Train(pulses, minimum, first, loss, death, commit, seed);

    private static GpioEvent Event(ulong milliseconds, uint number) => new(milliseconds * Millisecond, isRising: true, offset: 3, number, number);

    private sealed record Train(long Pulses, int MinimumMilliseconds, uint FirstNumber, double Loss, double Death, double Commit, int Seed);
}
