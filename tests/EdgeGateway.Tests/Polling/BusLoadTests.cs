using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Polling;

public class BusLoadTests
{
    private static readonly ModbusRtuBus Line = new() { Id = "line", Port = "/dev/ttyS0", Baud = 9600, Parity = SerialParity.Even, StopBits = 1, Timeout = TimeSpan.FromSeconds(1) };
    private static readonly ModbusTcpBus Net = new() { Id = "net", Host = "meter", Port = 502, Timeout = TimeSpan.FromSeconds(1) };

    [Fact]
    public void A_request_on_a_line_takes_both_frames_both_silences_and_the_turnaround() // V1.02, 2.5.1 and 2.5.1.1
    {
        // 8 + 5 + 2 x 10 bytes of 11 bits, 7 characters of silence, at 9600 baud; and 20 ms.
        var time = ReadCost.Rtu(9600, 11, TimeSpan.FromMilliseconds(20), TimeSpan.Zero).Of(new ReadRequest(RegisterTable.HoldingRegister, 0, 10));
        Assert.Equal((40 * 11 / 9.6) + 20, time.TotalMilliseconds, 2);

        // Above 19200 baud a silence is 1.75 ms.
        time = ReadCost.Rtu(115_200, 11, TimeSpan.Zero, TimeSpan.Zero).Of(new ReadRequest(RegisterTable.HoldingRegister, 0, 10));
        Assert.Equal((33 * 11 / 115.2) + 3.5, time.TotalMilliseconds, 2);

        // The device's own quiet time counts where it is longer than the silence; ten bits are two bytes.
        time = ReadCost.Rtu(9600, 11, TimeSpan.Zero, TimeSpan.FromMilliseconds(50)).Of(new ReadRequest(RegisterTable.Coil, 0, 10));
        Assert.Equal((18.5 * 11 / 9.6) + 50, time.TotalMilliseconds, 2);
    }

    [Fact]
    public void A_request_in_ascii_takes_two_characters_a_byte() // V1.02, 2.5.2
    {
        // :010300000001FB and CR LF are 17 characters; the reply around one register is 15.
        var time = ReadCost.Ascii(9600, 10, TimeSpan.Zero, TimeSpan.Zero).Of(new ReadRequest(RegisterTable.HoldingRegister, 0, 1));
        Assert.Equal(32 * 10 / 9.6, time.TotalMilliseconds, 2);
    }

    [Fact]
    public void The_thinking_time_is_what_the_wire_does_not_explain()
    {
        var request = new ReadRequest(RegisterTable.HoldingRegister, 0, 10);
        var wire = ReadCost.Rtu(9600, 11, TimeSpan.Zero, TimeSpan.Zero);
        Assert.Equal(TimeSpan.FromMilliseconds(7), wire.ThinkingTime(request, wire.Of(request) + TimeSpan.FromMilliseconds(7)));
        Assert.Equal(TimeSpan.Zero, wire.ThinkingTime(request, TimeSpan.FromMilliseconds(1)));
    }

    [Fact]
    public void Points_that_fall_due_together_are_counted_as_they_are_read()
    {
        // Two neighbours, each second and every ten seconds: nine reads of one and one of both in ten seconds.
        var (device, points) = Device((0, 1), (1, 10));
        var cost = ReadCost.On(Line, TimeSpan.Zero);
        var load = BusLoad.Predict(Line, [device], points);
        var expected = ((9 * cost.Of(RegisterTable.HoldingRegister, 1)) + cost.Of(RegisterTable.HoldingRegister, 2)) / 1e10;
        Assert.Equal(expected, load.Utilisation, 1e-6);
        Assert.Equal(1, load.RequestsPerSecond, 6);
        Assert.Equal(cost.Of(RegisterTable.HoldingRegister, 2), load.RoundTime.TotalNanoseconds, 200.0);
        Assert.Equal("devices need 20 ms before they answer", load.Assumption);
    }

    [Fact]
    public void The_prediction_is_what_polling_over_the_hyperperiod_costs()
    {
        (int At, int Seconds)[] all = [(0, 2), (3, 3), (9, 4), (40, 6), (41, 10), (44, 15)];
        var (device, points) = Device(all);
        var planner = DevicePlanner.Of(device, points, ReadCost.On(Line, TimeSpan.Zero));
        var time = TimeSpan.Zero;
        for (var second = 0; second < 60; second++)
        {
            var due = 0UL;
            for (var g = 0; g < planner.Periods.Count; g++)
            {
                due |= second % (int)planner.Periods[g].TotalSeconds == 0 ? 1UL << g : 0;
            }

            time += planner.TimeOf(planner.PlanFor(due, 0));
        }

        Assert.Equal(time.TotalSeconds / 60, BusLoad.Predict(Line, [device], points).Utilisation, 6);
    }

    [Fact]
    public void What_is_read_once_costs_nothing_in_the_long_run_but_a_place_in_the_round()
    {
        var (device, points) = Device((0, 0));
        var load = BusLoad.Predict(Net, [device], points);
        Assert.Equal(0, load.Utilisation);
        Assert.Equal(5, load.RoundTime.TotalMilliseconds, 1);
        Assert.Equal("a request and its reply take 5 ms", load.Assumption);
    }

    [Fact]
    public void Measured_times_replace_the_assumption_and_many_periods_are_counted_rather_too_high()
    {
        var (device, points) = Device([.. Enumerable.Range(0, 20).Select(i => (i, i + 1))]);
        var slow = BusLoad.Predict(Line, [device], points, _ => TimeSpan.FromMilliseconds(100));
        Assert.Equal("devices need 100 ms before they answer", slow.Assumption);
        Assert.True(slow.Utilisation > BusLoad.Predict(Line, [device], points).Utilisation);

        var apart = Enumerable.Range(0, 20).Sum(i => ReadCost.On(Line, TimeSpan.Zero).Of(RegisterTable.HoldingRegister, 1) / 1e9 / (i + 1));
        Assert.True(BusLoad.Predict(Line, [device], points).Utilisation <= apart);
    }

    [Fact]
    public void A_bus_that_is_asked_too_much_says_by_how_much_it_must_slow_down()
    {
        var (device, points) = Device((0, 1));
        var load = BusLoad.Predict(Line, Enumerable.Repeat(device, 40), points);
        Assert.Equal(load.Utilisation / 0.8, load.SlowDown(0.8), 6);
        Assert.Equal(1, BusLoad.Predict(Line, [device], points).SlowDown(0.8));
    }

    private static (DeviceModel, IReadOnlyList<PointModel>) Device(params (int At, int Seconds)[] registers)
    {
        var points = registers.Select((r, i) => new PointModel
        {
            Index = i,
            DeviceIndex = 0,
            Id = $"p{i}",
            Kind = PointKind.Gauge,
            Role = "",
            Unit = "1",
            Encoding = PollingRig.At(r.At),
            Period = TimeSpan.FromSeconds(r.Seconds),
        }).ToList();
        var profile = new DeviceProfile
        {
            Id = "p",
            Kind = "energy-meter",
            Vendor = "",
            Models = [],
            Revision = 1,
            TitleEnglish = "",
            MaxRegistersPerRead = 125,
            MayReadGaps = true,
            MinGap = TimeSpan.Zero,
            Points = [],
        };
        var device = new DeviceModel
        {
            Index = 0,
            Id = "d",
            Name = "d",
            BusId = "line",
            Unit = 1,
            Profile = profile,
            Timeout = TimeSpan.FromSeconds(1),
            CtRatio = 1,
            PtRatio = 1,
            Region = "CN",
            Points = [.. points.Select(p => p.Index)],
        };
        return (device, points);
    }
}
