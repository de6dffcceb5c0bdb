using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Configuration;

public class SiteLoaderTests
{
    [Fact]
    public void A_minimal_site_resolves_with_its_defaults()
    {
        var (model, problems) = Texts.Load(Texts.Gateway);

        Assert.Empty(problems);
        Assert.NotNull(model);
        Assert.Equal(("shaft-3", "Shaft 3", "gw-01", "CN-SX", "Asia/Shanghai"), (model.SiteId, model.SiteName, model.GatewayId, model.Region, model.TimeZone.Id));
        Assert.Equal([TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromDays(1)], model.Windows);
        Assert.Equal(0, model.Storage.BudgetBytes);
        Assert.Equal(0, model.Storage.SampleLogBytes);
        Assert.True(model.Storage is { ThinEarly: true, MostRecords: null, SampleAge: null, SummaryAge: null });
        Assert.Equal("127.0.0.1:8080", model.HealthListen);
        Assert.Equal(12, model.Points.Count);
        Assert.All(model.Points, (p, i) => Assert.Equal(i, p.Index));
        Assert.Equal([6, 7, 8, 9, 10, 11], model.Devices[1].Points);
        Assert.Equal(new MeteringModel(MeterRole.Incomer, null, true, false), model.Devices[0].Metering);
        Assert.Equal(new MeteringModel(MeterRole.Submeter, "incomer", false, false), model.Devices[1].Metering);
        var mqtt = Assert.IsType<MqttUplinkModel>(Assert.Single(model.Uplinks));
        Assert.Equal(("5", "edgegateway-gw-01", "edgegateway/v1"), (mqtt.Version, mqtt.ClientId, mqtt.TopicRoot));
        var rtu = Assert.IsType<ModbusRtuBus>(model.Buses[1]);
        Assert.Equal((SerialParity.Even, 1), (rtu.Parity, rtu.StopBits));
    }

    [Theory]
    [InlineData("", 600, 60, false)]
    [InlineData("returnToPreferredAfter: 90s, reconnectMax: 5s, qos: 2,", 90, 5, true)]
    [InlineData("returnToPreferredAfter: 1h, reconnectMax: 1h, qos: 1,", 3600, 3600, false)]
    [InlineData("returnToPreferredAfter: 0s,", 0, 60, false)]
    public void How_an_uplink_returns_and_with_which_quality_of_service(string settings, int returnsAfter, int reconnectMax, bool isExactlyOnce)
    {
        var (model, problems) = Texts.Load(Texts.Gateway.With("id: centre,", $"id: centre, {settings}"));

        Assert.Equal("", string.Join("\n", problems));
        var mqtt = Assert.IsType<MqttUplinkModel>(Assert.Single(model!.Uplinks));
        Assert.Equal(
            (TimeSpan.FromSeconds(returnsAfter), TimeSpan.FromSeconds(reconnectMax), isExactlyOnce), (mqtt.ReturnToPreferredAfter, mqtt.ReconnectMax, mqtt.IsExactlyOnce));
    }

    [Fact]
    public void Every_kind_of_bus_resolves_with_its_settings()
    {
        var (model, problems) = Texts.Load(Texts.Gateway.With(
            "  - { id: line-1, type: modbus-rtu, port: /dev/ttyUSB0, baud: 9600 }",
            """
              - { id: line-1, type: modbus-rtu, port: /dev/ttyUSB0, baud: 76800, parity: none, stopBits: 2, silence: 20ms, lowLatency: false, rs485: { delayBefore: 1ms } }
              - { id: line-2, type: modbus-rtu, port: /dev/ttyAMA0, rs485: { rtsOnSend: low, delayAfter: 2ms, receiveDuringSend: true, terminate: true } }
              - { id: line-3, type: modbus-rtu, port: /dev/ttyAMA1, rs485: kernel }
              - { id: line-4, type: modbus-rtu, port: /dev/ttyAMA2, rs485: adapter }
              - { id: ascii, type: modbus-ascii, port: /dev/ttyUSB1 }
              - { id: ascii-8, type: modbus-ascii, port: /dev/ttyUSB2, dataBits: 8, turnaround: 200ms }
              - { id: server, type: modbus-rtu-over-tcp, host: 10.0.0.9, port: 4001 }
              - { id: server-2, type: modbus-ascii-over-tcp, host: 10.0.0.9, port: 4002, silence: 0ms }
              - { id: datagrams, type: modbus-udp, host: 10.0.0.9, port: 4001 }
            """));

        Assert.Equal("", string.Join("\n", problems));
        var rtu = Assert.IsType<ModbusRtuBus>(model!.Buses[1]);
        Assert.Equal((76_800, SerialParity.None, 2, 8, 11, false), (rtu.Baud, rtu.Parity, rtu.StopBits, rtu.DataBits, rtu.BitsPerCharacter, rtu.LowLatency));
        Assert.Equal((TimeSpan.FromMilliseconds(20), new Rs485Model(true, false, TimeSpan.FromMilliseconds(1), TimeSpan.Zero, false, false)), (rtu.Silence, rtu.Rs485));
        Assert.Equal(new Rs485Model(false, true, TimeSpan.Zero, TimeSpan.FromMilliseconds(2), true, true), ((SerialBus)model.Buses[2]).Rs485);
        Assert.NotNull(((SerialBus)model.Buses[3]).Rs485);
        Assert.Null(((SerialBus)model.Buses[4]).Rs485);
        Assert.Equal((7, 10, null), (((ModbusAsciiBus)model.Buses[5]).DataBits, ((ModbusAsciiBus)model.Buses[5]).BitsPerCharacter, ((ModbusAsciiBus)model.Buses[5]).Silence));
        Assert.Equal((8, TimeSpan.FromMilliseconds(200)), (((ModbusAsciiBus)model.Buses[6]).DataBits, ((ModbusAsciiBus)model.Buses[6]).Turnaround));
        Assert.Equal(TimeSpan.FromMilliseconds(5), Assert.IsType<ModbusRtuOverTcpBus>(model.Buses[7]).Silence);
        Assert.Equal(TimeSpan.Zero, Assert.IsType<ModbusAsciiOverTcpBus>(model.Buses[8]).Silence);

        // The same number as a TCP port is another endpoint.
        Assert.Equal(4001, Assert.IsType<ModbusUdpBus>(model.Buses[9]).Port);
    }

    [Fact]
    public void A_site_may_want_a_message_for_each_poll()
    {
        Assert.False(Texts.Load(Texts.Gateway).Model!.MessageForEachPoll);
        var (model, problems) = Texts.Load(Texts.Gateway.With("gateway: { id: gw-01 }", "gateway: { id: gw-01, sampleMessages: poll }"));
        Assert.Empty(problems);
        Assert.True(model!.MessageForEachPoll);
    }

    [Fact]
    public void Line_ends_and_byte_order_mark_of_other_systems_are_read()
    {
        var (model, problems) = Texts.Load("\uFEFF" + Texts.Gateway.ReplaceLineEndings("\r\n"));
        Assert.Equal("", string.Join("\n", problems));
        Assert.Equal("gw-01", model!.GatewayId);
    }

    [Fact]
    public void A_drive_that_slip_names_may_stand_further_down()
    {
        var profile = Texts.Profile.With("id: frequency, at: 10, type: uint16, scale: 0.01, unit: Hz, role: electricity.frequency", "id: frequency, at: 10, type: uint16, scale: 0.01, unit: m/s, role: conveyor.belt.speed");
        var (model, problems) = Texts.Load(Texts.Gateway.With("metering: { role: incomer }", "metering: { role: incomer }, points: { frequency: { slip: { drive: fan.frequency, ratio: 0.05, warnFor: 3s } } }"), profile);
        Assert.Equal("", string.Join("\n", problems));
        var slip = Assert.Single(model!.Points[0].Detectors, d => d.Name == "slip");
        Assert.Equal(("slip", "fan.frequency", 0.05, 3), (slip.Name, slip.Points["drive"], slip.Settings["ratio"], slip.Settings["warnSeconds"]));
    }

    [Fact]
    public void The_configuration_hash_changes_with_the_gateway_file_and_with_a_profile()
    {
        var original = Texts.Load(Texts.Gateway).Model!.ConfigurationHash;
        Assert.Equal(64, original.Length);
        Assert.Equal(original, Texts.Load(Texts.Gateway).Model!.ConfigurationHash);
        Assert.NotEqual(original, Texts.Load(Texts.Gateway + "\n# a remark").Model!.ConfigurationHash);
        Assert.NotEqual(original, Texts.Load(Texts.Gateway, Texts.Profile + "\n# a remark").Model!.ConfigurationHash);
    }
}
