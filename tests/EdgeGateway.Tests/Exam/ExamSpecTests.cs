using EdgeGateway.Commands.Exam;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Exam;

public class ExamSpecTests
{
    private const string Spec = """
        {"devices": [{"id": "d1", "host": "127.0.0.1", "port": 1502, "unit": 1}, {"name": "d2", "ip": "127.0.0.1", "port": 1502, "slave": 2, "poll": "250ms"}],
         "poll_interval_ms": 500, "mqtt": {"host": "broker.example", "port": 8883, "version": "3.1.1", "client_id": "c", "keepalive": 7, "qos": 1,
           "username": "u", "password": "secret", "topic": "exam", "tls": {"ca": "ca.pem", "cert": "c.pem", "key": "c.key"}},
         "data_folder": "store", "buffer": {"max_bytes": 67108864}, "commit_window_ms": 200}
        """;

    [Fact]
    public void A_spec_becomes_a_configuration_that_the_gateway_accepts()
    {
        var model = Load(Spec);
        Assert.Equal(["d1", "d2"], model.Devices.Select(d => d.Id));
        Assert.Equal([1, 2], model.Devices.Select(d => (int)d.Unit));
        var bus = Assert.IsType<ModbusTcpBus>(Assert.Single(model.Buses));
        Assert.Equal(("127.0.0.1", 1502, false), (bus.Host, bus.Port, bus.Pipelining));
        Assert.Equal([500, 500, 250, 250], model.Points.Select(p => p.Period.TotalMilliseconds));
        Assert.All(model.Points, p => Assert.True(p.PublishSamples));
        var uplink = Assert.IsType<MqttUplinkModel>(Assert.Single(model.Uplinks));
        Assert.Equal(("mqtts://broker.example:8883", "3.1.1", "c", "u", "exam"), (uplink.Servers[0], uplink.Version, uplink.ClientId, uplink.Username, uplink.TopicRoot));
        Assert.Equal(("/spec/ca.pem", "/spec/c.pem", "/spec/c.key", "/config/mqtt-password"), (uplink.CaFile, uplink.CertificateFile, uplink.KeyFile, uplink.PasswordFile));
        Assert.Equal((FeedFormat.Samples, true, TimeSpan.FromSeconds(7)), (uplink.Format, uplink.InOrder, uplink.KeepAlive));
        Assert.Equal(("/spec/store", 67_108_864L, TimeSpan.FromMilliseconds(200)), (model.Storage.Directory, model.Storage.BudgetBytes, model.Storage.CommitWindow));
        Assert.Equal(TimeSpan.FromSeconds(1), model.StatusEvery);
    }

    [Fact]
    public void The_password_does_not_stand_in_the_configuration() => Assert.DoesNotContain("secret", Texts(Spec).Gateway, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"devices":[{"host":"h"}],"mqtt":{"url":"mqtt://b:1884"}}""", "mqtt://b:1884")]
    [InlineData("""{"devices":[{"host":"h"}],"mqtt":"b:1884"}""", "mqtt://b:1884")]
    [InlineData("""{"devices":[{"host":"h"}],"broker":{"host":"b"}}""", "mqtt://b:1883")]
    [InlineData("""{"devices":[{"host":"h"}],"mqtt_host":"b","mqtt_port":1884,"mqtt_keep_alive":5}""", "mqtt://b:1884")]
    [InlineData("""{"devices":[{"host":"h"}],"MQTT":{"Host":"b","TLS":true}}""", "mqtts://b:8883")]
    [InlineData("""{"devices":[{"host":"h"}],"mqtt":{"host":"b","tls":false}}""", "mqtt://b:1883")]
    [InlineData("""{"devices":[{"host":"h"}],"mqtt":{"host":"b","tls":null,"username":null}}""", "mqtt://b:1883")]
    public void Usual_ways_to_name_the_broker_are_understood(string spec, string server) =>
        Assert.Equal(server, ((MqttUplinkModel)Load(spec).Uplinks[0]).Servers[0]);

    [Theory]
    [InlineData("\"poll_interval\": 0.25")]
    [InlineData("\"poll_interval_s\": 0.25")]
    [InlineData("\"pollIntervalMs\": 250")]
    [InlineData("\"poll\": \"250ms\"")]
    public void Usual_ways_to_write_the_interval_are_understood(string member) => Assert.All(
        Load($$"""{"devices":[{"host":"h"}],"mqtt":{"host":"b"},{{member}}}""").Points, p => Assert.Equal(250, p.Period.TotalMilliseconds));

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once_and_unknown_keys_with_the_known_ones()
    {
        List<string> problems = [];
        Assert.Null(ExamSpec.Read("""{"devices":[{"hst":"x","unit":300}],"mqtt":{"port":"a","vers":5,"qos":2},"foo":1,"poll":"x"}""", "/spec", problems));
        var all = string.Join('\n', problems);
        Assert.Contains("devices[0]: unknown key 'hst'. Known here: host, id, port, unit, ", all, StringComparison.Ordinal);
        Assert.Contains("devices[0]: 'unit' is '300': write a whole number from 0 to 255", all, StringComparison.Ordinal);
        Assert.Contains("mqtt: unknown key 'vers'. Known here: tls {...}, ", all, StringComparison.Ordinal);
        Assert.Contains("mqtt: there is no 'host'", all, StringComparison.Ordinal);
        Assert.Contains("'qos' is 2", all, StringComparison.Ordinal);
        Assert.Contains("SPEC: unknown key 'foo'. Known here: ", all, StringComparison.Ordinal);
        Assert.Contains("SPEC: 'poll' is 'x'", all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("{\"devices\":[]}")]
    [InlineData("{\"devices\":[1],\"mqtt\":3}")]
    public void What_is_no_spec_is_refused_in_words(string text)
    {
        List<string> problems = [];
        Assert.Null(ExamSpec.Read(text, "/spec", problems));
        Assert.NotEmpty(problems);
    }

    [Fact]
    public void A_limit_below_what_the_store_needs_is_raised_and_told()
    {
        var texts = Texts("""{"devices":[{"host":"h"}],"mqtt":{"host":"b"},"limits":{"max_size_mb":1}}""");
        Assert.Contains("16777216 bytes are used", Assert.Single(texts.Notes), StringComparison.Ordinal);
    }

    private static (string Gateway, string Profile, List<string> Notes) Texts(string json)
    {
        List<string> problems = [], notes = [];
        var spec = ExamSpec.Read(json, "/spec", problems);
        Assert.True(spec is not null, string.Join('\n', problems));
        return (ExamConfiguration.Gateway(spec, spec.Password is null ? null : "/config/mqtt-password", notes), ExamConfiguration.Profile(spec), notes);
    }

    private static SiteModel Load(string json)
    {
        var texts = Texts(json);
        var (model, problems) = SiteLoader.Load(
            new SourceText("gateway.yaml", texts.Gateway), id => id == ExamConfiguration.ProfileId ? new SourceText($"{id}.yaml", texts.Profile) : null);
        Assert.True(model is not null, $"{string.Join('\n', problems)}\n{texts.Gateway}");
        return model;
    }
}
