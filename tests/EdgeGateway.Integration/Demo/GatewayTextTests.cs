using System.Net;
using EdgeGateway.Commands.Demo;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;

namespace EdgeGateway.Integration.Demo;

public sealed class GatewayTextTests
{
    private static readonly string Mine = Path.Combine(AppContext.BaseDirectory, "examples", "mine", "gateway.yaml");

    [Fact]
    public void Only_addresses_and_windows_of_the_mine_are_changed()
    {
        var before = SiteFiles.Find(Mine, null).Load(Mine, out var problems);
        Assert.Equal("", string.Join("\n", problems));
        var text = GatewayText.Moved(before!.Gateway, EndPoints(before.Model), 41_883, 48_080, "[5s, 1m, 15m, 1h, 1d]");

        var after = SiteFiles.Load(new SourceText("gateway.yaml", text), id => before.Profiles.GetValueOrDefault(id), [], out _, out _)!;
        Assert.Equal([40_000, 40_001, 40_002, 40_003], after.Buses.Cast<ModbusTcpBus>().Select(b => b.Port));
        Assert.Equal(["mqtt://127.0.0.1:41883"], after.Uplinks.Cast<MqttUplinkModel>().SelectMany(u => u.Servers));
        Assert.Equal("127.0.0.1:48080", after.HealthListen);
        Assert.Equal(TimeSpan.FromSeconds(5), after.Windows[0]);

        var changed = text.Split('\n').Except(before.Gateway.Text.Split('\n')).ToList();
        Assert.Equal(1 + 4 + 1 + 1, changed.Count);
        Assert.Equal(before.Model.Devices.Select(d => (d.Id, d.Unit, d.BusId)), after.Devices.Select(d => (d.Id, d.Unit, d.BusId)));
    }

    [Fact]
    public void A_site_without_the_expected_values_is_refused()
    {
        var text = new SourceText("gateway.yaml", "buses: []\nuplinks: []\n");

        var refusal = Assert.Throws<InvalidDataException>(() => GatewayText.Moved(text, new Dictionary<string, IPEndPoint>(), 1, 2, "[1m]"));

        Assert.Contains("missing", refusal.Message);
    }

    private static Dictionary<string, IPEndPoint> EndPoints(SiteModel site) =>
        site.Buses.Select((bus, i) => (bus.Id, Port: 40_000 + i)).ToDictionary(b => b.Id, b => new IPEndPoint(IPAddress.Loopback, b.Port));
}
