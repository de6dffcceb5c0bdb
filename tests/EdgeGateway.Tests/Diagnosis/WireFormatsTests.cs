using EdgeGateway.Buses;
using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Tracing;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>Each kind of bus is traced, judged and scanned as what it is.</summary>
public sealed class WireFormatsTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static TheoryData<BusModel, FrameFormat, BusMedium> Kinds => new()
    {
        { new ModbusTcpBus { Id = "b", Host = "h", Port = 502, Timeout = Second }, FrameFormat.Tcp, BusMedium.Tcp },
        { new ModbusUdpBus { Id = "b", Host = "h", Port = 502, Timeout = Second }, FrameFormat.Tcp, BusMedium.Udp },
        { new ModbusRtuOverTcpBus { Id = "b", Host = "h", Port = 4001, Timeout = Second }, FrameFormat.Rtu, BusMedium.LineOverTcp },
        { new ModbusAsciiOverTcpBus { Id = "b", Host = "h", Port = 4001, Timeout = Second }, FrameFormat.Ascii, BusMedium.LineOverTcp },
        { new ModbusRtuBus { Id = "b", Port = "/dev/ttyS1", Baud = 9600, Parity = SerialParity.None, StopBits = 1, Timeout = Second }, FrameFormat.Rtu, BusMedium.Line },
        { new ModbusAsciiBus { Id = "b", Port = "/dev/ttyS1", Baud = 9600, Parity = SerialParity.Even, StopBits = 1, DataBits = 7, Timeout = Second }, FrameFormat.Ascii, BusMedium.Line },
    };

    [Theory, MemberData(nameof(Kinds))]
    public void Every_kind_of_bus_has_its_frames_and_its_likely_causes(BusModel bus, FrameFormat format, BusMedium medium)
    {
        Assert.Equal(format, WireFormats.Of(bus));
        Assert.Equal(medium, new WireSymptoms().Of(bus, [], default, null).Medium);
        Assert.Equal(medium is BusMedium.Line or BusMedium.LineOverTcp, WireFormats.IsLine(bus));
        Assert.Equal(bus is SerialBus line ? $"{line.Port} {BusKinds.SettingsOf(line)}" : null, WireFormats.LineOf(bus) is var (port, settings) ? $"{port} {settings}" : null);
    }

    [Fact]
    public void The_meters_of_a_line_are_traced_by_the_units_of_the_file()
    {
        List<TracedFrame> frames = [];
        var tracer = WireFormats.Tracer(new Dlt645OverTcpBus { Id = "b", Host = "h", Port = 26, Timeout = Second, Meters = [new(7, "000000000161")] }, frames.Add);
        tracer.Received(TimeSpan.Zero, Convert.FromHexString("68610100000000681104333334331416"));
        Assert.Equal((7, TraceKind.Request), (frames[0].Unit, frames[0].Kind));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Unit_0_is_refused_by_the_client_of_every_bus_on_which_it_is_never_asked(BusModel bus, FrameFormat format, BusMedium medium)
    {
        // V1.02, 2.2: a read of unit 0 has no answer. If this changes, scans may ask it.
        Assert.Equal(format is not FrameFormat.Tcp, WireFormats.IsLine(bus));
        await using var client = BusKinds.CreateClient(bus, TimeProvider.System);
        if (medium is BusMedium.Line or BusMedium.LineOverTcp)
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.ReadAsync(0, RegisterTable.HoldingRegister, 0, 1, new ushort[1], Second, CancellationToken.None));
        }
    }
}
