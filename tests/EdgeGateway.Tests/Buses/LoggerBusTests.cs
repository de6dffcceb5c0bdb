using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Buses;

/// <summary>What a data logger sends, and what the bus shows of it.</summary>
public sealed class LoggerBusTests : IAsyncDisposable
{
    private const string Mn = "010000A8900016F000169DC0";
    private static readonly int Co2 = Hj212Layout.PlaceOf("a05001");

    private readonly ManualTime _time = new();
    private readonly LoggerBus _bus;
    private readonly ushort[] _registers = new ushort[Hj212Layout.BlockLength];
    private Func<Hj212Packet, bool> _take = static _ => false;
    private DateTimeOffset? _wall;
    private bool _isOpen;

    public LoggerBusTests() => _bus = new(
        new Hj212OverTcpBus { Id = "loggers", Host = "127.0.0.1", Port = 1, Timeout = TimeSpan.FromSeconds(1), Loggers = [new(1, Mn)], MaxAge = TimeSpan.FromMinutes(2) },
        take =>
        {
            _take = take;
            return Hj212Station.Open((_, _) => throw new IOException("nobody is there"), take, new(), _time);
        },
        _time,
        () => _wall);

    public ValueTask DisposeAsync() => _bus.DisposeAsync();

    private static Hj212Packet Packet(string data, string device = Mn, string header = "CN=2011;Flag=5") =>
        Hj212Packet.Parse(System.Text.Encoding.UTF8.GetBytes($"QN=20250301120000123;ST=31;PW=123456;MN={device};{header};CP=&&{data}&&"), out _);

    private ValueTask<BusReply> StartAsync(int address, int quantity) => _bus.ReadAsync(1, new(RegisterTable.InputRegister, (ushort)address, (ushort)quantity), _registers, TimeSpan.FromSeconds(1), CancellationToken.None);

    /// <summary>The block of CO2 after packets; the first read opens the way by which they come, and waits for them.</summary>
    private async Task<(BusReply Reply, double Value, double Corrected, char Flag)> ShowAsync(params Hj212Packet[] packets)
    {
        var first = _isOpen ? default : StartAsync(Hj212Layout.AddressOf(Co2), Hj212Layout.BlockLength);
        foreach (var packet in packets)
        {
            Assert.True(_take(packet));
        }

        var reply = _isOpen ? await StartAsync(Hj212Layout.AddressOf(Co2), Hj212Layout.BlockLength) : await first;
        _isOpen = true;
        return (reply, Float(0), Float(4), (char)_registers[8]);

        double Float(int at) => BitConverter.UInt64BitsToDouble(((ulong)_registers[at] << 48) | ((ulong)_registers[at + 1] << 32) | ((ulong)_registers[at + 2] << 16) | _registers[at + 3]);
    }

    [Fact]
    public async Task The_first_read_waits_for_the_first_packet_and_shows_it()
    {
        var (reply, value, corrected, flag) = await ShowAsync(Packet("DataTime=20250301120000;a05001-Rtd=236412.5,a05001-ZsRtd=240000,a05001-Flag=N;a19001-Rtd=6.8,a19001-Flag=N"));
        Assert.True(reply.IsGood);
        Assert.Null(reply.Marks);
        Assert.Equal((236412.5, 240000, 'N'), (value, corrected, flag));
    }

    // HJ 212-2017, table 8; only N is valid.
    [Theory]
    [InlineData("F", QualityStatus.Bad, QualityReason.InvalidCode)]
    [InlineData("D", QualityStatus.Bad, QualityReason.InvalidCode)]
    [InlineData("M", QualityStatus.Bad, QualityReason.Maintenance)]
    [InlineData("C", QualityStatus.Bad, QualityReason.Calibrating)]
    [InlineData("B", QualityStatus.Bad, QualityReason.NotConnected)]
    [InlineData("S", QualityStatus.Uncertain, QualityReason.Substituted)]
    [InlineData("T", QualityStatus.Uncertain, QualityReason.OutOfRange)]
    [InlineData("t", QualityStatus.Uncertain, QualityReason.OutOfRange)]
    [InlineData("", QualityStatus.Bad, QualityReason.InvalidCode)]
    [InlineData("NN", QualityStatus.Bad, QualityReason.InvalidCode)]
    public async Task A_flag_is_the_quality_of_its_values(string flag, QualityStatus status, QualityReason reason)
    {
        var (reply, value, _, _) = await ShowAsync(Packet($"a05001-Rtd=1.5,a05001-Flag={flag}"));
        Assert.True(reply.IsGood);
        Assert.Equal(1.5, value);
        var mark = Assert.Single(reply.Marks!);
        Assert.Equal((Hj212Layout.AddressOf(Co2), Hj212Layout.Judged, new Quality(status, reason)), (mark.First, mark.Length, mark.Quality));
    }

    [Fact]
    public async Task Short_codes_of_2005_and_several_factors_in_a_group_are_understood()
    {
        var (reply, value, _, _) = await ShowAsync(Packet("S01-Rtd=6.8,30-Rtd=7.25", header: "CN=2011"));
        Assert.True(reply.IsGood);
        Assert.Equal(7.25, value);
    }

    [Fact]
    public async Task A_factor_that_is_not_sent_any_more_has_no_value_and_a_silent_logger_does_not_answer()
    {
        await ShowAsync(Packet("a05001-Rtd=1,a05001-Flag=N"));
        _time.Advance(TimeSpan.FromSeconds(90));
        var (reply, value, _, flag) = await ShowAsync(Packet("a19001-Rtd=6.8"));
        Assert.Equal((true, 1, 'N'), (reply.IsGood, value, flag));
        _time.Advance(TimeSpan.FromSeconds(31));
        (reply, value, _, flag) = await ShowAsync();
        Assert.Equal((true, double.NaN, '\uFFFF'), (reply.IsGood, value, flag));
        _time.Advance(TimeSpan.FromSeconds(91));
        Assert.Equal(QualityReason.NotConnected, (await ShowAsync()).Reply.Reason);
        Assert.NotEmpty(_bus.LastProblem);
    }

    [Fact]
    public async Task A_number_that_is_none_is_no_value_and_minute_data_are_not_taken_for_real_time_data()
    {
        Assert.Equal(double.NaN, (await ShowAsync(Packet("a05001-Rtd=1.2.3,a05001-Flag=N"))).Value);
        Assert.Equal(5, (await ShowAsync(Packet("a05001-Rtd=5"), Packet("a05001-Avg=6,a05001-Flag=N", header: "CN=2051"))).Value);
    }

    [Fact]
    public async Task Parts_of_a_split_packet_are_shown_when_all_are_there()
    {
        var second = Packet("DataTime=20250301120000;a05001-Rtd=2", header: "CN=2011;Flag=7;PNUM=2;PNO=2");
        Assert.Equal(1, (await ShowAsync(Packet("a05001-Rtd=1"), second)).Value);
        Assert.Equal(2, (await ShowAsync(Packet("DataTime=20250301120000;a19001-Rtd=6", header: "CN=2011;Flag=7;PNUM=2;PNO=1"))).Value);
    }

    [Fact]
    public async Task A_logger_that_is_not_configured_is_named_and_not_acknowledged()
    {
        var read = StartAsync(0, 9);
        Assert.False(_take(Packet("a05001-Rtd=1", "88888880000001")));
        Assert.Contains("88888880000001", Assert.Single(_bus.Problems), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(QualityReason.NotConnected, (await read).Reason);
    }

    [Fact]
    public async Task What_nobody_sends_cannot_be_read()
    {
        Assert.Equal(new BusReply(QualityReason.DeviceException, 2), await StartAsync(Hj212Layout.AddressOf(Hj212Layout.Count) - 1, 2));
        Assert.False((await _bus.WriteAsync(1, RegisterTable.HoldingRegister, 0, new ushort[1], single: true, TimeSpan.FromSeconds(1), CancellationToken.None)).IsGood);
    }

    [Theory]
    [InlineData("120000", null)]
    [InlineData("115501", null)]
    [InlineData("120459", null)]
    [InlineData("115459", QualityReason.Stale)]
    [InlineData("120501", QualityReason.ClockUnset)]
    public async Task Values_of_a_logger_whose_clock_is_wrong_are_doubted(string measured, QualityReason? doubt)
    {
        _wall = new(2025, 3, 1, 12, 0, 0, TimeSpan.Zero);
        var (reply, value, _, _) = await ShowAsync(Sent($"20250301{measured}000", $"DataTime=20250301{measured};a05001-Rtd=1.5,a05001-Flag=N"));
        Assert.Equal(1.5, value);
        Assert.Equal(doubt is { } reason ? Quality.Uncertain(reason) : (Quality?)null, reply.Marks?[0].Quality);
        Assert.Equal(doubt is null ? 0 : 1, _bus.Problems.Count(p => p.Contains("clock of the logger", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_the_logger_had_stored_is_late_and_no_value_of_the_present()
    {
        _wall = new(2025, 3, 1, 12, 0, 0, TimeSpan.Zero);
        await ShowAsync(Sent("20250301120000000", "DataTime=20250301120000;a05001-Rtd=1,a05001-Flag=N"));

        // Its own number says so, or it has sent newer ones before.
        var (_, value, _, _) = await ShowAsync(
            Sent("20250301120001000", "DataTime=20250301110000;a05001-Rtd=2,a05001-Flag=N"),
            Sent("20250301115900000", "DataTime=20250301115900;a05001-Rtd=3,a05001-Flag=N"));
        Assert.Equal(1, value);
        Assert.True((await StartAsync(0, Hj212Layout.BlockLength)).IsGood);
        Assert.Equal((0, 0, 2), (_registers[9], _registers[10], _registers[11]));
    }

    [Fact]
    public async Task Stored_data_alone_are_no_value()
    {
        _wall = new(2025, 3, 1, 12, 0, 0, TimeSpan.Zero);
        var (reply, value, _, _) = await ShowAsync(Sent("20250301120001000", "DataTime=20250301110000;a05001-Rtd=2,a05001-Flag=N"));
        Assert.Equal((true, double.NaN), (reply.IsGood, value));
    }

    private static Hj212Packet Sent(string number, string data) =>
        Hj212Packet.Parse(System.Text.Encoding.UTF8.GetBytes($"QN={number};ST=31;CN=2011;PW=123456;MN={Mn};Flag=5;CP=&&{data}&&"), out _);

    [Fact]
    public async Task No_packet_makes_the_bus_throw()
    {
        var waiting = StartAsync(0, 1).AsTask();
        var word = Gen.Elements("a05001", "a05001-Rtd", "a05001-Flag", "-Rtd", "-", "a19001-", "CN", "2011", "Flag", "7", "PNUM", "PNO", "2", "1e400", "NaN", "", "N", "DataTime", "=", ",", ";", "&&", "CP=&&");
        Prop.ForAll(word.ArrayOf().ToArbitrary(), words =>
        {
            _take(Packet(string.Concat(words), header: $"CN=2011;Flag=7;PNUM=2;PNO={words.Length}"));
            _take(Packet(string.Concat(words)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
        Assert.True((await waiting).IsGood);
    }
}
