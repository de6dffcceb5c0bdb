using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator;

namespace EdgeGateway.Tests.Simulator;

public sealed class SimulatedSiteTests
{
    private readonly SiteModel _mine = SiteBuilder.Mine();

    [Fact]
    public void Same_seed_and_time_give_the_same_registers_however_the_time_was_reached()
    {
        var inOneGo = new SimulatedSite(_mine, 7, new SteppedTime());
        var stepByStep = new SimulatedSite(_mine, 7, new SteppedTime());
        inOneGo.Step(inOneGo.Begin + TimeSpan.FromMinutes(40));
        for (var i = 1; i <= 2400; i++)
        {
            stepByStep.Step(stepByStep.Begin + TimeSpan.FromSeconds(i));
            stepByStep.Value(i % _mine.Points.Count);
        }

        Assert.Equal(Image(inOneGo), Image(stepByStep));
        Assert.Equal(inOneGo.Ledger(), stepByStep.Ledger());
    }

    [Fact]
    public void Another_seed_gives_another_site()
    {
        Assert.NotEqual(Image(new SimulatedSite(_mine, 7, new SteppedTime())), Image(new SimulatedSite(_mine, 8, new SteppedTime())));
    }

    [Fact]
    public void Advances_by_whole_seconds_of_the_monotonic_clock_whatever_the_wall_clock_does()
    {
        var time = new SteppedTime();
        var site = new SimulatedSite(_mine, 1, time);
        time.Advance(TimeSpan.FromSeconds(4.9));
        time.StepWallClock(TimeSpan.FromHours(-1));

        site.Advance();

        Assert.Equal(site.Begin + TimeSpan.FromSeconds(4), site.Now);
    }

    [Fact]
    public void Steps_into_the_past_change_nothing()
    {
        var site = Stepped(100);
        var before = site.Ledger();
        site.Step(site.Begin);
        Assert.Equal(before, site.Ledger());
    }

    [Fact]
    public void Voltage_frequency_and_load_stay_where_a_grid_keeps_them()
    {
        for (var i = 0; i < 48; i++)
        {
            var site = HalfHour(i);
            Assert.InRange(site.Value(_mine.Find("incomer.voltage_l1_n")), 220, 240);
            Assert.InRange(site.Value(_mine.Find("incomer.frequency")), 49.9, 50.1);
            Assert.InRange(site.Value(_mine.Find("fan.power")), 40, 80);
        }
    }

    [Fact]
    public void Power_is_voltage_times_current_times_power_factor_over_the_phases()
    {
        var site = Stepped(500);
        foreach (var meter in (string[])["incomer", "fan", "belt-meter"])
        {
            double V(string point) => site.Value(_mine.Find($"{meter}.{point}"));
            var sum = Enumerable.Range(1, 3).Sum(i => V($"voltage_l{i}_n") * V($"current_l{i}") * V($"pf_l{i}"));
            Assert.Equal(1000 * V("power"), sum, 1e-6 * sum);
            Assert.Equal(1000 * V("power"), V("power_l1") + V("power_l2") + V("power_l3"), 1e-6 * sum);
        }
    }

    [Fact]
    public void Mass_flow_is_belt_load_times_belt_speed()
    {
        var site = Stepped(300);
        var load = site.Value(_mine.Find("belt-scale.belt_load"));
        var speed = site.Value(_mine.Find("belt-scale.belt_speed"));
        Assert.True(load > 10 && speed > 2);
        Assert.Equal(load * speed * 3.6, site.Value(_mine.Find("belt-scale.mass_flow")), 1e-6);
    }

    [Fact]
    public void Belt_stops_for_a_while_and_its_motor_current_follows_its_load()
    {
        var site = new SimulatedSite(_mine, 5, new SteppedTime());
        int stopped = 0, running = 0;
        for (var i = 0; i < 7200; i++)
        {
            site.Step(site.Begin + TimeSpan.FromSeconds(i));
            var hertz = site.Value(_mine.Find("belt-drive.output_frequency"));
            var amperes = site.Value(_mine.Find("belt-drive.current"));
            if (hertz == 0)
            {
                stopped++;
                Assert.Equal(0, amperes);
                Assert.Equal(0, site.Value(_mine.Find("belt-scale.belt_speed")));
            }
            else if (hertz > 40)
            {
                running++;
                var load = site.Value(_mine.Find("belt-scale.belt_load")) / 60;
                var torque = site.Value(_mine.Find("belt-drive.torque")) / 100;
                Assert.Equal(0.22 + (0.55 * load), torque, 0.02);
                Assert.True(amperes > 20);
            }
        }

        Assert.InRange(stopped, 60, 1000);
        Assert.InRange(running, 5000, 7100);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    public void Starts_and_stops_do_not_look_like_slip_to_a_gateway_that_reads_drive_and_belt_a_second_apart(int apart)
    {
        var site = new SimulatedSite(_mine, 5, new SteppedTime());
        var drives = new double[7200];
        var belts = new double[7200];
        for (var i = 0; i < drives.Length; i++)
        {
            site.Step(site.Begin + TimeSpan.FromSeconds(i));
            drives[i] = 0.05 * site.Value(_mine.Find("belt-drive.output_frequency"));
            belts[i] = site.Value(_mine.Find("belt-scale.belt_speed"));
        }

        int warned = 0, longest = 0;
        for (var i = 1; i < drives.Length - 1; i++)
        {
            var slip = drives[i + apart] >= 1.5 ? 1 - (belts[i] / drives[i + apart]) : 0;
            Assert.True(slip < 0.1, $"{slip} at {i}");
            warned = slip > 0.05 ? warned + 1 : 0;
            longest = Math.Max(longest, warned);
        }

        Assert.True(longest < 5, $"{longest} s");
    }

    [Fact]
    public void Less_boiler_load_means_more_oxygen_and_a_slower_cooler_stream()
    {
        var seen = new List<(double Oxygen, double Velocity, double Celsius)>();
        for (var i = 0; i < 96; i++)
        {
            var site = HalfHour(i);
            seen.Add((site.Value(_mine.Find("stack.o2")), site.Value(_mine.Find("stack.velocity")), site.Value(_mine.Find("stack.temperature"))));
        }

        Assert.True(Correlation(seen.Select(s => s.Oxygen), seen.Select(s => s.Velocity)) < -0.8);
        Assert.True(Correlation(seen.Select(s => s.Celsius), seen.Select(s => s.Velocity)) > 0.8);
        Assert.All(seen, s => Assert.InRange(s.Oxygen, 2, 12));
    }

    [Fact]
    public void Addresses_that_no_point_names_do_not_exist()
    {
        var site = Stepped(1);
        Assert.True(site.TryRead(0, RegisterTable.HoldingRegister, 0, new ushort[24]));
        Assert.False(site.TryRead(0, RegisterTable.HoldingRegister, 28, new ushort[13]));
        Assert.False(site.TryRead(0, RegisterTable.InputRegister, 0, new ushort[1]));
        Assert.False(site.TryRead(0, RegisterTable.HoldingRegister, 65_535, new ushort[2]));
    }

    [Fact]
    public void Unknown_roles_show_the_middle_of_what_is_plausible()
    {
        var model = new SiteBuilder().Device("odd", "remote-io", null, null, null,
            SiteBuilder.Gauge("x", "signal.analog.ch1", "mA", 0, RegisterType.UInt16, 0.01m) with { PlausibleMin = 4, PlausibleMax = 20 }).Build();
        Assert.Equal(12, new SimulatedSite(model, 1, new SteppedTime()).Value(0));
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var time = new SteppedTime();
        var site = new SimulatedSite(_mine, 1, time);
        var words = new ushort[24];
        long Read()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 200; i++)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                Assert.True(site.TryReadNow(0, RegisterTable.HoldingRegister, 0, words));
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Read();
        Assert.Equal(0, Read());
    }

    [Fact]
    public void Description_names_every_device_and_what_stands_behind_it()
    {
        var text = Stepped(0).Describe();
        Assert.All(_mine.Devices, d => Assert.Contains(d.Id, text));
        Assert.Contains("belt conveyor", text);
        Assert.Contains("boiler stack", text);
        Assert.Contains("ventilation fan", text);
        Assert.Contains("127.0.0.1:15502 unit 1", text);
    }

    // A site that has just begun, at another time of the day.
    private SimulatedSite HalfHour(int number) => new(_mine, 3, new SteppedTime(new DateTimeOffset(2026, 3, 2, 0, 0, 0, TimeSpan.Zero) + (number * TimeSpan.FromMinutes(30))));

    private SimulatedSite Stepped(int seconds)
    {
        var site = new SimulatedSite(_mine, 42, new SteppedTime());
        site.Step(site.Begin + TimeSpan.FromSeconds(seconds));
        return site;
    }

    private List<ushort> Image(SimulatedSite site)
    {
        var image = new List<ushort>();
        var words = new ushort[4];
        for (var point = 0; point < _mine.Points.Count; point++)
        {
            image.AddRange(words.AsSpan(0, site.Words(point, words)));
        }

        return image;
    }

    private static double Correlation(IEnumerable<double> xs, IEnumerable<double> ys)
    {
        var (x, y) = (xs.ToArray(), ys.ToArray());
        var (mx, my) = (x.Average(), y.Average());
        var covariance = x.Zip(y, (a, b) => (a - mx) * (b - my)).Sum();
        return covariance / Math.Sqrt(x.Sum(a => (a - mx) * (a - mx)) * y.Sum(b => (b - my) * (b - my)));
    }
}
