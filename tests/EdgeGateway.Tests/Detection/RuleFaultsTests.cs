using EdgeGateway.Core;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Tests.Detection;

public sealed class RuleFaultsTests
{
    [Fact]
    public void P_2_a_rule_that_throws_has_found_nothing_is_counted_and_sees_the_next_sample()
    {
        var faults = new RuleFaults();
        var rule = new Throwing();
        for (var i = 0; i < 4; i++)
        {
            var record = faults.Observe(rule, new Sample(0, new Instant(i), i, (ulong)i, Quality.Good), "meter", "power");
            Assert.Null(record);
        }

        Assert.Equal(4, rule.Seen);
        Assert.Equal(2, faults.Count);
        Assert.Equal("Throwing of meter.power", faults.Last!.Value.Rule);
    }

    private sealed class Throwing : IDetector
    {
        public int Seen { get; private set; }

        public QualityReason Doubt => QualityReason.None;

        public AnomalyRecord? Observe(in Sample sample) => Seen++ % 2 == 0 ? throw new DivideByZeroException() : null;

        public void End(Instant now, IFeedSink sink)
        {
        }

        public void Shift(long milliseconds)
        {
        }

        public void Save(StateWriter writer)
        {
        }

        public void Load(ref StateReader reader)
        {
        }
    }
}
