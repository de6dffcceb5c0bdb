using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Tests.Polling;

/// <summary>A device that answers some windows of its holding registers and not others.</summary>
internal sealed class SimulatedDevice
{
    public Func<int, bool> Unreadable { get; set; } = _ => false;

    /// <summary>No request may reach across this address.</summary>
    public int? Border { get; set; }

    /// <summary>Most registers in one request.</summary>
    public int Most { get; set; } = 125;

    public ReadOutcome TooLong { get; set; } = ReadOutcome.IllegalQuantity;

    public ReadOutcome BadAddress { get; set; } = ReadOutcome.IllegalAddress;

    /// <summary>What goes wrong on the way; good when nothing does.</summary>
    public Func<ReadRequest, long, ReadOutcome> Noise { get; set; } = (_, _) => ReadOutcome.Good;

    public static ushort Word(int address) => unchecked((ushort)((address * 40_503) + 977));

    public ReadOutcome Says(int first, int length)
    {
        for (var a = first; a < first + length; a++)
        {
            if (Unreadable(a) || (a > first && a == Border))
            {
                return BadAddress;
            }
        }

        return length > Most ? TooLong : ReadOutcome.Good;
    }
}

/// <summary>One request of holding registers.</summary>
internal readonly record struct Asked(int First, int Length);

/// <summary>Polls a simulated device through a planner, as the owner of a bus does.</summary>
internal sealed class PollingRig
{
    private readonly SimulatedDevice _device;
    private readonly IReadOnlyList<RegisterEncoding> _points;
    private readonly ReadLimits _limits;
    private readonly HashSet<int> _named;
    private readonly TimeSpan[] _periods;
    private PollPlan? _checked;

    public PollingRig(SimulatedDevice device, int[] registers, bool mayReadGaps = false)
        : this(device, [.. registers.Select(At)], new(125, mayReadGaps), _ => TimeSpan.FromSeconds(1))
    {
    }

    public PollingRig(SimulatedDevice device, IReadOnlyList<RegisterEncoding> points, ReadLimits limits, Func<int, TimeSpan> period)
    {
        (_device, _points, _limits) = (device, points, limits);
        _named = [.. points.SelectMany(p => Enumerable.Range(p.Span.First, p.Span.Length))];
        _periods = [.. points.Select((_, i) => period(i))];
        Planner = new(points.Select((p, i) => (i, p, _periods[i])), limits, ReadCost.Rtu(9600, 11, TimeSpan.FromMilliseconds(20), TimeSpan.Zero), points);
    }

    public DevicePlanner Planner { get; }

    /// <summary>Time between polls in milliseconds.</summary>
    public long Step { get; set; } = 1000;

    public long Now { get; private set; } = 1_000_000;

    public int Requests { get; set; }

    /// <summary>Requests that the device, and not noise, left without data.</summary>
    public int Refused { get; set; }

    public List<Asked> Asked { get; } = [];

    public static RegisterEncoding At(int address) => new() { Table = RegisterTable.HoldingRegister, Address = (ushort)address, Type = RegisterType.UInt16 };

    public void Polls(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Poll();
        }
    }

    /// <summary>Does one poll of everything, or of a due set.</summary>
    /// <returns>The points that came.</returns>
    public HashSet<int> Poll(ulong due = ulong.MaxValue)
    {
        Now += Step;
        var plan = Planner.PlanFor(due, Now);
        if (plan != _checked)
        {
            _checked = plan;
            var wanted = _periods.Count(p => (due & (1UL << Planner.Periods.ToList().IndexOf(p))) != 0);
            Assert.Equal(wanted, plan.Resting.Concat(plan.Reads.SelectMany(r => r.Points)).Distinct().Count());
            Assert.Equal(wanted, plan.Resting.Count + plan.Reads.Sum(r => r.Points.Count));
        }

        var came = Do(plan.Reads);
        if (came.Count == 0 && plan.Reads.Count > 0)
        {
            // Its owner takes a device that answers nothing for absent, and asks whether it is back.
            Do([Planner.Probe()]);
        }

        return came;
    }

    /// <summary>Does some requests, and at once what is to be asked instead.</summary>
    public HashSet<int> Do(IEnumerable<PlannedRead> reads)
    {
        var came = new HashSet<int>();
        var open = new Stack<PlannedRead>(reads.Reverse());
        while (open.TryPop(out var read))
        {
            var request = read.Request;
            Requests++;
            Asked.Add(new(request.Address, request.Quantity));
            Assert.InRange(request.Quantity, 1, _limits.Most(request.Table));
            for (var a = (int)request.Address; a < request.Address + request.Quantity; a++)
            {
                if (!_limits.MayReadGaps && !_named.Contains(a))
                {
                    Assert.Fail($"{a} may not be touched");
                }
            }

            var outcome = _device.Noise(request, Now);
            if (outcome == ReadOutcome.Good)
            {
                outcome = _device.Says(request.Address, request.Quantity);
                Refused += outcome == ReadOutcome.Good ? 0 : 1;
            }

            if (outcome == ReadOutcome.Good)
            {
                var words = new ushort[request.Quantity];
                for (var i = 0; i < words.Length; i++)
                {
                    words[i] = SimulatedDevice.Word(request.Address + i);
                }

                foreach (var point in read.Points)
                {
                    Assert.True(came.Add(point));
                    CheckValue(_points[point], words.AsSpan(_points[point].Span.First - request.Address, _points[point].Span.Length));
                }
            }

            var instead = Planner.Report(read, outcome, Now);
            Assert.True(instead.Sum(r => r.Points.Count) <= read.Points.Count);
            foreach (var part in instead.Reverse())
            {
                Assert.Subset(read.Points.ToHashSet(), part.Points.ToHashSet());
                Assert.True(part.Request.Quantity < request.Quantity, $"{part.Request} instead of {request}, {outcome}; {string.Join("; ", Planner.Map.Describe())}");
                open.Push(part);
            }
        }

        return came;
    }

    // The value must be the one that a request for the point alone brings.
    private static void CheckValue(RegisterEncoding point, ReadOnlySpan<ushort> words)
    {
        Span<ushort> alone = stackalloc ushort[point.Span.Length];
        for (var i = 0; i < alone.Length; i++)
        {
            alone[i] = SimulatedDevice.Word(point.Span.First + i);
        }

        var expected = RegisterCodec.Decode(point, alone, out var value, out var raw);
        var status = RegisterCodec.Decode(point, words, out var planned, out var plannedRaw);
        Assert.Equal((expected, value, raw), (status, planned, plannedRaw));
    }
}
