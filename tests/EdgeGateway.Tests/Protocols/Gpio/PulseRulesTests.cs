using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Tests.Protocols.Gpio;

/// <summary>What a GPIO implementer should know, as rules: <c>tests/hardware-vm/README.md</c>, seen on kernel 6.12.</summary>
public sealed class PulseRulesTests
{
    // The README's measurements: levels of 5 ms: any period loses; 10 ms: good to 4 ms (the rule is on the safe side); 20 ms: good to 10 ms; 40 ms: good to 20 ms.
    [Theory]
    [InlineData(0, 5, true)]
    [InlineData(1, 5, false)]
    [InlineData(1, 10, true)]
    [InlineData(2, 10, false)]
    [InlineData(10, 20, true)]
    [InlineData(12, 20, false)]
    [InlineData(20, 40, true)]
    [InlineData(32, 40, false)]
    [InlineData(21, 30, true)]
    [InlineData(22, 30, false)]
    public void A_debounce_and_eight_milliseconds_must_be_shorter_than_the_shortest_level(int debounce, int level, bool isGood) =>
        Assert.Equal(isGood, PulseRules.CheckDebounce(TimeSpan.FromMilliseconds(debounce), TimeSpan.FromMilliseconds(level)) is null);

    [Fact]
    public void A_debounce_that_is_refused_says_why_and_what_would_do()
    {
        Assert.Equal(
            "a debounce of 25 ms loses pulses whose levels last 30 ms: the kernel needs up to 8 ms longer than the period. Choose less than 22 ms",
            PulseRules.CheckDebounce(TimeSpan.FromMilliseconds(25), TimeSpan.FromMilliseconds(30)));
        Assert.EndsWith("Leave the debounce out, and filter in the wiring (RC or optocoupler) if the contact bounces", PulseRules.CheckDebounce(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(5)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_counter_asks_for_one_edge_of_each_pulse()
    {
        Assert.Null(PulseRules.CheckEdges(GpioEdges.Rising));
        Assert.Null(PulseRules.CheckEdges(GpioEdges.Falling));
        Assert.Contains("two rising edges can come in a row", PulseRules.CheckEdges(GpioEdges.Both), StringComparison.Ordinal);
        Assert.Contains("needs an edge", PulseRules.CheckEdges(GpioEdges.None), StringComparison.Ordinal);
    }

    [Fact]
    public void A_level_far_above_the_latency_is_asked_for()
    {
        Assert.Null(PulseRules.CheckLevel(TimeSpan.FromMilliseconds(30)));
        Assert.Contains("below 1 ms edges can merge", PulseRules.CheckLevel(TimeSpan.FromMicroseconds(200)), StringComparison.Ordinal);
        Assert.Null(PulseRules.CheckLevel(TimeSpan.FromMicroseconds(200), TimeSpan.FromMicroseconds(100)));
    }

    [Theory]
    [InlineData(0.1, 10, 16)]
    [InlineData(10, 10, 128)]
    [InlineData(50, 10, 1024)]
    [InlineData(500, 10, 1024)]
    public void The_buffer_holds_what_comes_during_a_restart(double hertz, int seconds, int events) =>
        Assert.Equal(events, PulseRules.BufferFor(hertz, TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void A_pause_that_no_buffer_covers_is_said()
    {
        Assert.Null(PulseRules.CheckBuffer(50, TimeSpan.FromSeconds(20)));
        Assert.StartsWith(
            "500 pulses a second during a pause of 10 s are 5000 events, and the kernel keeps 1024 of a request: beyond, the total stays right",
            PulseRules.CheckBuffer(500, TimeSpan.FromSeconds(10)),
            StringComparison.Ordinal);
    }
}
