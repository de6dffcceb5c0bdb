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
        Assert.Equal(256L << 20, model.Storage.BudgetBytes);
        Assert.Equal(64L << 20, model.Storage.SampleLogBytes);
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
        var slip = Assert.Single(model!.Points[0].Detectors);
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
