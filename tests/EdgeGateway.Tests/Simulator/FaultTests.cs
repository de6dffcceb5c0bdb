using EdgeGateway.Core.Site;
using EdgeGateway.Simulator;
using EdgeGateway.Simulator.Faults;

namespace EdgeGateway.Tests.Simulator;

public sealed class FaultTests
{
    private readonly SiteModel _mine = SiteBuilder.Mine();
    private readonly SimulatedSite _site;

    public FaultTests()
    {
        _site = new SimulatedSite(_mine, 11, new SteppedTime());
        _site.Step(_site.Begin + TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void A_slipping_belt_falls_behind_its_drive_until_the_fault_ends()
    {
        Assert.InRange(Slip(), 0, 0.02);
        _site.Inject(new Fault { Kind = FaultKind.BeltSlip, Device = "belt-scale", Magnitude = 0.3, Duration = TimeSpan.FromSeconds(30) });
        Step(1);
        Assert.InRange(Slip(), 0.29, 0.32);
        Step(28);
        Assert.InRange(Slip(), 0.29, 0.32);
        Step(2);
        Assert.InRange(Slip(), 0, 0.02);
        Assert.Empty(_site.Faults());

        double Slip() => 1 - (Value("belt-scale.belt_speed") / (Value("belt-drive.output_frequency") / 50 * 2.5));
    }

    [Fact]
    public void A_stuck_sensor_keeps_its_registers_and_nothing_else_stands_still()
    {
        Span<ushort> before = stackalloc ushort[4];
        Span<ushort> after = stackalloc ushort[4];
        var stuck = _mine.Find("stack.so2");
        var other = Value("stack.o2");
        _site.Words(stuck, before);
        var fault = _site.Inject(new Fault { Kind = FaultKind.StuckSensor, Device = "stack", Point = "so2" });
        Step(100);
        _site.Words(stuck, after);
        Assert.True(before.SequenceEqual(after));
        Assert.NotEqual(other, Value("stack.o2"));

        _site.Clear(fault);
        _site.Words(stuck, after);
        Assert.False(before.SequenceEqual(after));
    }

    [Fact]
    public void A_reset_counter_starts_from_zero_and_the_ledger_keeps_what_flowed()
    {
        var point = _mine.Find("fan.import_fine");
        var grown = _site.Ledger(point).Grown;
        _site.Inject(new Fault { Kind = FaultKind.CounterReset, Device = "fan", Point = "import_fine" });
        Assert.Equal(0, _site.Ledger(point).Reading);
        Assert.Equal(grown, _site.Ledger(point).Grown);
        Assert.True(_site.Ledger(_mine.Find("fan.import")).Reading > 1000);
        Step(10);
        Assert.Equal(_site.Ledger(point).Grown - grown, _site.Ledger(point).Reading);
        Assert.Empty(_site.Faults());
    }

    [Fact]
    public void A_swapped_meter_has_other_readings_and_is_silent_meanwhile()
    {
        var before = _site.Ledger(_mine.Find("fan.import_fine"));
        _site.Inject(new Fault { Kind = FaultKind.MeterSwap, Device = "fan", Duration = TimeSpan.FromSeconds(5) });
        var after = _site.Ledger(_mine.Find("fan.import_fine"));
        Assert.NotEqual(before.Reading, after.Reading);
        Assert.Equal(before.Grown, after.Grown);
        Assert.Equal(WireFaults.Silent, _site.WireOf(1).Faults);
        Step(5);
        Assert.Equal(WireFaults.None, _site.WireOf(1).Faults);
    }

    [Fact]
    public void A_dead_meter_goes_on_counting()
    {
        _site.Inject(new Fault { Kind = FaultKind.DeadMeter, Device = "fan" });
        var before = _site.Ledger(_mine.Find("fan.import_fine"));
        Step(10);
        Assert.True(_site.Ledger(_mine.Find("fan.import_fine")).Reading > before.Reading);
        Assert.Equal(WireFaults.Silent, _site.WireOf(1).Faults);
        Assert.Equal(WireFaults.None, _site.WireOf(0).Faults);
    }

    [Fact]
    public void Spikes_come_every_other_second()
    {
        _site.Inject(new Fault { Kind = FaultKind.NoiseSpike, Device = "stack", Point = "so2", Magnitude = 5 });
        Step(2);
        var even = Value("stack.so2");
        Step(1);
        Assert.InRange(even / Value("stack.so2"), 4, 6);
    }

    [Fact]
    public void Faults_of_the_wire_add_up_and_clear_together()
    {
        _site.Inject(new Fault { Kind = FaultKind.CrcError, Device = "fan" });
        _site.Inject(new Fault { Kind = FaultKind.SlowDevice, Device = "fan", Magnitude = 0.5 });
        _site.Inject(new Fault { Kind = FaultKind.ExceptionReply, Device = "fan", Magnitude = 6 });
        _site.Inject(new Fault { Kind = FaultKind.WrongTransaction, Device = "fan" });
        Assert.Equal(new WireState(WireFaults.WrongCheckSum | WireFaults.WrongTransaction, TimeSpan.FromSeconds(0.5), 6), _site.WireOf(1));
        _site.ClearFaults();
        Assert.Equal(default, _site.WireOf(1));
    }

    [Theory]
    [InlineData("nothing", null, FaultKind.DeadMeter, "no device 'nothing'")]
    [InlineData("fan", "nothing", FaultKind.StuckSensor, "no point 'nothing'")]
    [InlineData("fan", null, FaultKind.BeltSlip, "no belt")]
    [InlineData("fan", "power", FaultKind.CounterReset, "not a counter")]
    public void A_fault_that_does_not_fit_is_refused_in_words(string device, string? point, FaultKind kind, string says)
    {
        var refused = Assert.Throws<ArgumentException>(() => _site.Inject(new Fault { Kind = kind, Device = device, Point = point }));
        Assert.Contains(says, refused.Message);
        Assert.Empty(_site.Faults());
    }

    [Fact]
    public void A_script_happens_at_its_times()
    {
        var (script, problems) = FaultScript.Parse(new("tour.yaml", """
            - { at: 70s, device: belt-scale, kind: belt-slip, duration: 10s, magnitude: 0.2 }
            - at: 65s
              device: stack
              point: so2
              kind: stuck-sensor
            """));
        Assert.Empty(problems);
        _site.Run(script!);
        Step(4);
        Assert.Empty(_site.Faults());
        Step(1);
        Assert.Equal(FaultKind.StuckSensor, Assert.Single(_site.Faults()).Fault.Kind);
        Step(5);
        Assert.Equal(2, _site.Faults().Count);
        Step(10);
        Assert.Equal(FaultKind.StuckSensor, Assert.Single(_site.Faults()).Fault.Kind);
    }

    [Fact]
    public void All_problems_of_a_script_are_told_at_once_with_their_places()
    {
        var (script, problems) = FaultScript.Parse(new("tour.yaml", """
            - { at: soon, device: belt-scale, kind: belt-slip }
            - { at: 5s, device: fan, kind: earthquake, size: 9 }
            - { at: 5s, kind: dead-meter }
            - { at: 5s, device: fan, kind: dead-meter, magnitude: big }
            """));
        Assert.Null(script);
        Assert.Equal([1, 2, 2, 3, 4], problems.Select(p => p.Line));
        Assert.StartsWith("tour.yaml:1:9: error:", problems[0].ToString());
        Assert.Contains("belt-slip", problems[1].ToString());
    }

    [Fact]
    public void Every_fault_has_a_name_for_scripts()
    {
        Assert.Equal(Enum.GetValues<FaultKind>().Order(), FaultNames.ByName.Values.Order());
    }

    private double Value(string point) => _site.Value(_mine.Find(point));

    private void Step(int seconds) => _site.Step(_site.Now + TimeSpan.FromSeconds(seconds));
}
