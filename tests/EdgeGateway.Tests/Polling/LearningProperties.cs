using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Polling;

/// <summary>Any device, any points, any noise. Limits, addresses and values of every request are checked by <see cref="PollingRig"/>.</summary>
public class LearningProperties
{
    private static readonly int Repetitions = Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1" ? 10_000 : 60;

    [Fact]
    public void Every_readable_point_is_read_and_none_is_dropped_by_noise()
    {
        Prop.ForAll(Cases.ToArbitrary(), c =>
        {
            var (device, rig) = c.Rig();
            var noise = new Random(c.Seed);
            device.Noise = (_, _) => noise.NextDouble() >= c.Noise
                ? ReadOutcome.Good
                : noise.Next(4) switch { 0 => ReadOutcome.Unanswered, 1 => ReadOutcome.DeviceFailure, 2 => ReadOutcome.ShortReply, _ => ReadOutcome.Noise };
            LearningCase.Poll(rig, 120, 1_000);
            LearningCase.Poll(rig, 60, 60_000);
            var readable = c.Readable(device);
            Assert.True(rig.Planner.Map.SpansDropped <= c.Points.Select(p => p.Span).Distinct().Count() - readable.Select(i => c.Points[i].Span).Distinct().Count());

            device.Noise = (_, _) => ReadOutcome.Good;
            LearningCase.Poll(rig, 150, 10_000);
            Assert.Subset(rig.Poll(), readable.ToHashSet());
            Assert.Subset(rig.Poll(), readable.ToHashSet());
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));
    }

    /// <remarks>
    /// The bound: every refused block is halved until one joint between two spans, one span, or a length is left, so that each of these costs
    /// at most log2 n + 2 refusals; there are n spans and n - 1 joints for each due set, and a length is found by halving. What is tried again
    /// later (each minute at first, each hour in the end) is not counted.
    /// </remarks>
    [Fact]
    public void Learning_takes_a_bounded_number_of_refused_requests()
    {
        Prop.ForAll(Cases.ToArbitrary(), c =>
        {
            var (device, rig) = c.Rig();
            if (device.BadAddress == ReadOutcome.Unanswered || device.TooLong == ReadOutcome.Unanswered)
            {
                return;
            }

            // Less than a minute: nothing is tried again but refused points, each at most three times. Every sixth of the first polls is of everything; a device that fails
            // at a long request is believed the second time, so that each division of such a request takes two polls, and the rest makes up for that.
            var n = c.Points.Select(p => p.Span).Distinct().Count();
            LearningCase.Poll(rig, 40, 1_000);
            rig.Step = 400;
            rig.Polls(40);
            var bound = 3 * n + (((2 * n) + 8) * (Math.Log2(n) + 2));
            Assert.True(rig.Refused <= bound, $"{rig.Refused} refused, {n} spans, bound {bound:F0}");

            // And then nothing is refused any more but points asked alone.
            rig.Asked.Clear();
            rig.Refused = 0;
            rig.Poll();
            Assert.All(rig.Asked, a => Assert.True(device.Says(a.First, a.Length) == ReadOutcome.Good || c.Points.Any(p => p.Span.First == a.First && p.Span.Length == a.Length)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Repetitions));
    }

    private static Gen<LearningCase> Cases
    {
        get
        {
            var register =
                from type in Gen.Elements(RegisterType.Bit, RegisterType.UInt16, RegisterType.Int16, RegisterType.Float32, RegisterType.UInt64)
                from address in Gen.Choose(0, 200)
                from order in Gen.Elements(WordOrder.HighFirst, WordOrder.LowFirst)
                select new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = (ushort)address, Type = type, WordOrder = order };
            var outcome = Gen.Elements(ReadOutcome.IllegalAddress, ReadOutcome.IllegalQuantity, ReadOutcome.DeviceFailure, ReadOutcome.ShortReply, ReadOutcome.Unanswered);
            return
                from count in Gen.Choose(1, 40)
                from points in register.ListOf(count)
                from holes in Gen.Choose(0, 60)
                from refusesGaps in Gen.Elements(true, false)
                from border in Gen.Choose(0, 400)
                from most in Gen.Choose(4, 150)
                from tooLong in outcome
                from bad in Gen.Elements(ReadOutcome.IllegalAddress, ReadOutcome.IllegalAddress, ReadOutcome.IllegalQuantity, ReadOutcome.Unanswered)
                from limit in Gen.Choose(4, 125)
                from gaps in Gen.Elements(true, false)
                from noise in Gen.Elements(0, 0.05, 0.3)
                from seed in Gen.Choose(0, 1_000_000)
                select new LearningCase(points.ToList(), holes, refusesGaps, border, most, tooLong, bad, new(limit, gaps), noise, seed);
        }
    }

    internal sealed record LearningCase(
        List<RegisterEncoding> Points, int Holes, bool RefusesGaps, int Border, int Most, ReadOutcome TooLong, ReadOutcome BadAddress, ReadLimits Limits, double Noise, int Seed)
    {
        public (SimulatedDevice, PollingRig) Rig()
        {
            var random = new Random(Seed);
            var named = Points.SelectMany(p => Enumerable.Range(p.Span.First, p.Span.Length)).ToHashSet();
            var bad = Enumerable.Range(0, Holes).Select(_ => random.Next(0, 205)).Where(_ => random.Next(3) == 0).ToHashSet();
            var device = new SimulatedDevice
            {
                Unreadable = a => bad.Contains(a) || (RefusesGaps && !named.Contains(a)),
                Border = Border,
                Most = Most,
                TooLong = TooLong,
                BadAddress = BadAddress,
            };
            return (device, new(device, Points, Limits, i => TimeSpan.FromSeconds(i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 6)));
        }

        /// <summary>Polls on the clock: periods of 1, 2 and 6 steps.</summary>
        public static void Poll(PollingRig rig, int times, long step)
        {
            rig.Step = step;
            for (var i = 0; i < times; i++)
            {
                var due = 0UL;
                for (var g = 0; g < rig.Planner.Periods.Count; g++)
                {
                    due |= i % (int)rig.Planner.Periods[g].TotalSeconds == 0 ? 1UL << g : 0;
                }

                rig.Poll(due);
            }
        }

        /// <summary>Points that come when they are asked for alone.</summary>
        public IEnumerable<int> Readable(SimulatedDevice device) =>
            Enumerable.Range(0, Points.Count).Where(i => device.Says(Points[i].Span.First, Points[i].Span.Length) == ReadOutcome.Good);
    }
}
