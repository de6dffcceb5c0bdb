using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Sensors;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Tests.Buses;

/// <summary>Sensors as register images: values with their status, and slow sensors that hold up nobody.</summary>
public sealed class SensorImageBusTests
{
    private readonly Dictionary<string, Double> _sensors = [];
    private readonly ManualTime _time = new();

    [Fact]
    public async Task A_value_stands_in_its_block_with_its_status()
    {
        await using var bus = Bus(Input(1, 1, "lm75", "temperature"), Input(1, 2, "bme280", "humidity"));
        Show("lm75", SensorQuantity.Temperature, new(21.5, SensorStatus.Good));
        Show("bme280", SensorQuantity.Humidity, new(45.25, SensorStatus.Alarm), "the chip reports an alarm");

        var (reply, words) = await ReadAsync(bus, 1, 0, 32);

        Assert.True(reply.IsGood);
        Assert.Equal((21.5, 0), (Value(words, 1), words[4]));
        Assert.Equal((45.25, 1), (Value(words, 2), words[20]));
        Assert.Equal("Bus sensors, in_x of bme280: the chip reports an alarm", Assert.Single(bus.Problems));
    }

    [Theory]
    [InlineData(0.4, 4)]
    [InlineData(2, 20)]
    [InlineData(0, 0)]
    public async Task A_voltage_over_a_shunt_is_shown_as_its_current(double volts, double milliamperes)
    {
        await using var bus = Bus(Input(1, 1, "adc", "current") with { ShuntOhms = 100 });
        Show("adc", SensorQuantity.Voltage, new(volts, SensorStatus.Good));

        Assert.Equal(milliamperes, Value((await ReadAsync(bus, 1, 0, 5)).Words, 1));
    }

    [Theory]
    [InlineData(SensorStatus.Fault, 2)]
    [InlineData(SensorStatus.PowerOn, 8)]
    [InlineData(SensorStatus.Checksum, 16)]
    [InlineData(SensorStatus.Unreadable, 1024)]
    public async Task What_the_sensor_itself_says_is_no_value_with_its_bit(SensorStatus status, int bit)
    {
        await using var bus = Bus(Input(1, 1, "w1", "temperature"));
        Show("w1", SensorQuantity.Temperature, SensorReading.Missing(status), "why, and what to do");

        var (reply, words) = await ReadAsync(bus, 1, 0, 5);

        Assert.True(reply.IsGood);
        Assert.True(double.IsNaN(Value(words, 1)));
        Assert.Equal(bit, words[4]);
        Assert.Equal("Bus sensors, in_x of w1: why, and what to do", Assert.Single(bus.Problems));
    }

    [Theory]
    [InlineData(SensorStatus.NoAnswer, QualityReason.Timeout, 32)]
    [InlineData(SensorStatus.Gone, QualityReason.NotConnected, 64)]
    [InlineData(SensorStatus.NotFound, QualityReason.NotConnected, 128)]
    [InlineData(SensorStatus.NotAllowed, QualityReason.NotConnected, 256)]
    [InlineData(SensorStatus.Busy, QualityReason.NotConnected, 512)]
    public async Task A_sensor_that_is_not_there_is_a_device_that_does_not_answer_and_beside_another_a_bit(SensorStatus status, QualityReason reason, int bit)
    {
        await using var bus = Bus(Input(1, 1, "gone", "temperature"), Input(2, 1, "gone", "humidity"), Input(2, 2, "there", "pressure"));
        Show("gone", SensorQuantity.Temperature, SensorReading.Missing(status), "it is not there");
        Show("there", SensorQuantity.Pressure, new(101.3, SensorStatus.Good));

        Assert.Equal(reason, (await ReadAsync(bus, 1, 0, 5)).Reply.Reason);
        Assert.Equal("it is not there", bus.LastProblem);
        var (reply, words) = await ReadAsync(bus, 2, 0, 32);
        Assert.True(reply.IsGood);
        Assert.True(double.IsNaN(Value(words, 1)));
        Assert.Equal((bit, 101.3), (words[4], Value(words, 2)));
    }

    [Theory]
    [InlineData("temperature", null, SensorQuantity.Humidity, "in_x of chip measures humidity and not temperature: write 'measures: humidity'")]
    [InlineData("current", null, SensorQuantity.Voltage, "in_x of chip measures voltage and not current: write 'measures: voltage', or the ohms of the resistor as 'shunt'")]
    [InlineData("current", 100.0, SensorQuantity.Current, "in_x of chip measures current and not a voltage: remove 'shunt'")]
    [InlineData("voltage", null, SensorQuantity.None, "in_x of chip has no unit: its driver tells no scale")]
    public async Task A_channel_that_measures_something_else_gives_no_value(string measures, double? shunt, SensorQuantity quantity, string words)
    {
        await using var bus = Bus(Input(1, 1, "chip", measures) with { ShuntOhms = shunt });
        Show("chip", quantity, new(1, SensorStatus.Good));

        Assert.Equal(QualityReason.NotConnected, (await ReadAsync(bus, 1, 0, 5)).Reply.Reason);
        Assert.StartsWith(words, bus.LastProblem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_sensor_holds_up_no_other_and_is_late_when_its_time_is_up()
    {
        await using var bus = Bus(Input(1, 1, "slow", "temperature"), Input(2, 1, "fast", "temperature"));
        Show("fast", SensorQuantity.Temperature, new(5, SensorStatus.Good));
        var slow = Show("slow", SensorQuantity.Temperature, new(85, SensorStatus.Good));
        slow.Hold();

        var late = ReadAsync(bus, 1, 0, 5);
        Assert.Equal(5, Value((await ReadAsync(bus, 2, 0, 5)).Words, 1));
        Assert.False(late.IsCompleted);
        Assert.Equal(3, bus.MaxInFlight);

        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(QualityReason.Timeout, (await late).Reply.Reason);
        Assert.StartsWith("its reading takes longer than 1000 ms", bus.LastProblem, StringComparison.Ordinal);

        // The reading goes on, and no second one is begun: its own time is long up.
        Assert.Equal(QualityReason.Timeout, (await ReadAsync(bus, 1, 0, 5)).Reply.Reason);
        Assert.Equal(1, slow.Readings);

        // What came too late is not handed out as if it were new.
        slow.Release(new(20, SensorStatus.Good));
        await slow.EndedAsync();
        var words = (await ReadAsync(bus, 1, 0, 5)).Words;
        while (words[4] != 0)
        {
            words = (await ReadAsync(bus, 1, 0, 5)).Words;
        }

        Assert.Equal(20, Value(words, 1));
        Assert.True(slow.Readings >= 2);
    }

    [Fact]
    public async Task Sensors_of_one_device_are_read_at_the_same_time()
    {
        await using var bus = Bus(Input(1, 1, "w1-a", "temperature"), Input(1, 2, "w1-b", "temperature"));
        var (a, b) = (Show("w1-a", SensorQuantity.Temperature, default), Show("w1-b", SensorQuantity.Temperature, default));
        a.Hold();
        b.Hold();

        var read = ReadAsync(bus, 1, 0, 32);
        await a.BegunAsync();
        await b.BegunAsync();
        b.Release(new(2, SensorStatus.Good));
        a.Release(new(1, SensorStatus.Good));

        var words = (await read).Words;
        Assert.Equal((1, 2), (Value(words, 1), Value(words, 2)));
    }

    [Fact]
    public async Task Every_sensor_is_let_go_with_the_bus()
    {
        var bus = Bus(Input(1, 1, "used", "temperature"), Input(2, 1, "unused", "temperature"));
        Show("used", SensorQuantity.Temperature, new(1, SensorStatus.Good));
        await ReadAsync(bus, 1, 0, 5);
        await bus.DisposeAsync();
        await _sensors["used"].DisposedAsync();
        await _sensors["unused"].DisposedAsync();
    }

    [Fact]
    public void Words_and_units_of_the_configuration_are_those_of_the_library()
    {
        Assert.Equal(
            Enum.GetValues<SensorQuantity>().Where(q => q != SensorQuantity.None).Select(q => (SensorImageBus.Word(q), Units.Find(q.Unit())?.Code ?? Units.Colloquially(q.Unit()))),
            SensorMeasure.All.Select(m => (m.Word, (string?)m.Unit)));
    }

    private static double Value(ushort[] words, int input) =>
        BitConverter.UInt64BitsToDouble(words.AsSpan((input - 1) * 16, 4).ToArray().Aggregate(0UL, (all, word) => (all << 16) | word));

    private static SensorInput Input(byte unit, int number, string device, string measures) => new()
    {
        Unit = unit, Number = number, Device = device, Channel = "in_x", Measure = SensorMeasure.All.First(m => m.Word == measures),
    };

    private static async Task<(BusReply Reply, ushort[] Words)> ReadAsync(SensorImageBus bus, byte unit, int address, int quantity)
    {
        var words = new ushort[quantity];
        var reply = await bus.ReadAsync(unit, new ReadRequest(RegisterTable.InputRegister, (ushort)address, (ushort)quantity), words, TimeSpan.FromSeconds(1), default);
        return (reply, words);
    }

    private SensorImageBus Bus(params SensorInput[] inputs) => new(
        new SensorsBus { Id = "sensors", Timeout = TimeSpan.FromSeconds(1), Inputs = inputs },
        NullLogger.Instance,
        _time,
        input => _sensors.TryGetValue(input.Device, out var known) ? known : _sensors[input.Device] = new Double());

    private Double Show(string device, SensorQuantity quantity, SensorReading reading, string problem = "")
    {
        var sensor = _sensors[device];
        (sensor.Quantity, sensor.Problem, sensor.Next) = (quantity, problem, reading);
        return sensor;
    }

    private sealed class Double : ISensor
    {
        private readonly SemaphoreSlim _begun = new(0);
        private readonly SemaphoreSlim _ended = new(0);
        private readonly TaskCompletionSource _disposed = new();
        private readonly ManualResetEventSlim _gate = new(initialState: true);

        public SensorReading Next { get; set; }

        public int Readings { get; private set; }

        public SensorQuantity Quantity { get; set; }

        public string Problem { get; set; } = "";

        public SensorReading Read()
        {
            Readings++;
            _begun.Release();
            _gate.Wait();
            _ended.Release();
            return Next;
        }

        public void Hold() => _gate.Reset();

        public void Release(SensorReading reading)
        {
            Next = reading;
            _gate.Set();
        }

        public Task BegunAsync() => _begun.WaitAsync();

        public Task EndedAsync() => _ended.WaitAsync();

        public Task DisposedAsync() => _disposed.Task;

        public void Dispose() => _disposed.TrySetResult();
    }
}
