using System.Globalization;
using System.Text;
using EdgeGateway.Conformance.Profiles;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Uplinks.Hj212;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Conformance.Hj212;

/// <summary>The HJ 212 uplink against a receiver over loopback, fed from an outbox.</summary>
public sealed class UplinkTests : IAsyncDisposable
{
    private const string Mn = "010000A8900016F000169DC0";
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(60);

    private readonly MemoryOutbox _outbox = new();
    private readonly string _passwordFile = Path.GetTempFileName();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private long _sequence;

    public UplinkTests() => File.WriteAllText(_passwordFile, "123456\n");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        _stop.Dispose();
        File.Delete(_passwordFile);
    }

    private Hj212Uplink Start(Hj212Receiver receiver, string id = "authority", params string[] commands)
    {
        var uplink = new Hj212Uplink(
            new()
            {
                Id = id,
                Host = "127.0.0.1",
                Port = receiver.EndPoint.Port,
                DeviceNumber = Mn,
                PasswordFile = _passwordFile,
                System = "31",
                Factors = [new("a05001", 0, 1, 2), new("a19001", 3, null, null)],
                TimeZone = TimeZoneInfo.CreateCustomTimeZone("east", TimeSpan.FromHours(8), "east", "east"),
                Minute = TimeSpan.FromMinutes(1),
                RealTime = TimeSpan.FromSeconds(30),
                AnswerTimeout = TimeSpan.FromSeconds(2),
                ReconnectMin = TimeSpan.FromMilliseconds(200),
                Commands = commands,
            },
            new() { SiteId = "s", GatewayId = "g", Outbox = _outbox, Births = () => [], Time = TimeProvider.System, Logger = NullLogger.Instance, Jitter = () => 0 },
            [("stack", "co2"), ("stack", "co2_corrected"), ("stack", "co2_mass"), ("stack", "o2"), ("stack", "other")]);
        _running.Add(uplink.RunAsync(_stop.Token));
        return uplink;
    }

    private OutboxRow Add(FeedStream stream, params string[] records)
    {
        _sequence += records.Length;
        return _outbox.Add(new OutboxRow
        {
            Stream = stream,
            Epoch = 1,
            FirstSequence = _sequence - records.Length + 1,
            Count = records.Length,
            Class = RowClass.Summary,
            Created = Instant.UnixEpoch,
            Body = Encoding.UTF8.GetBytes($"[{string.Join(',', records)}]"),
        });
    }

    private static string Summary(string point, int width, string mean, string more = "", string coverage = "1", string start = "2025-03-01T04:00:00.000Z") =>
        $$"""{"device":"stack","point":"{{point}}","unit":"x","start":"{{start}}","widthSeconds":{{width}},"era":0,"count":60,"missing":0,"uncertain":0,"min":1.5,"max":2.25,"mean":{{mean}},"last":2,{{more}}"coverage":{{coverage}},"cut":"none"}""";

    private static async Task UntilAsync(Func<bool> holds, string what)
    {
        using CancellationTokenSource limit = new(Patient);
        while (!holds())
        {
            Assert.False(limit.IsCancellationRequested, what);
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    private Task UntilAcknowledgedAsync(long row, string destination = "authority") =>
        UntilAsync(() => _outbox.Acknowledged(destination).Contains(row), $"row {row} was not acknowledged by {destination}");

    [Fact]
    public async Task Windows_leave_as_minute_hour_and_day_data_with_the_digits_of_the_feed()
    {
        await using var receiver = Hj212Receiver.Start(options: new() { IsStrict = true });
        Start(receiver);
        var row = Add(
            FeedStream.Summary,
            Summary("co2", 3600, "235980.4000000001"),
            Summary("co2_corrected", 3600, "1E-05"),
            Summary("co2_mass", 3600, "1", "\"delta\":294011.7,"),
            Summary("o2", 3600, "6.8", coverage: "0.5"),
            Summary("other", 3600, "1"),
            Summary("co2", 60, "7"),
            Summary("co2", 900, "8"),
            Summary("co2", 86400, "9", start: "2025-02-28T16:00:00.000Z"));
        await UntilAcknowledgedAsync(row.Id);
        Assert.Equal(
            [
                "2061;DataTime=20250301120000;a05001-Min=1.5,a05001-Avg=235980.4000000001,a05001-Max=2.25,a05001-ZsMin=1.5,a05001-ZsAvg=0.00001,a05001-ZsMax=2.25,a05001-Cou=294011.7,a05001-Flag=N;a19001-Min=1.5,a19001-Avg=6.8,a19001-Max=2.25,a19001-Flag=D",
                "2051;DataTime=20250301120000;a05001-Min=1.5,a05001-Avg=7,a05001-Max=2.25,a05001-Flag=N",
                "2031;DataTime=20250301000000;a05001-Min=1.5,a05001-Avg=9,a05001-Max=2.25,a05001-Flag=N",
            ],
            receiver.Received.Select(p => $"{p.Command};{string.Join(';', p.Groups.Select(g => string.Join(',', g)))}"));
        Assert.All(receiver.Received, p => Assert.Equal((Mn, "123456", "31", true, 1), (p.Device, p.Password, p.System, p.Flag.WantsAnswer, p.Flag.Version)));
        Assert.Equal(0, receiver.Counters.Refused);
    }

    [Fact]
    public async Task Samples_leave_as_real_time_data_at_most_once_in_an_interval_with_the_reason_as_flag()
    {
        await using var receiver = Hj212Receiver.Start();
        Start(receiver);
        var row = Add(
            FeedStream.Sample,
            """{"device":"stack","point":"co2","time":"2025-03-01T04:00:01.000Z","value":1.5,"raw":"0x1","quality":"good"}""",
            """{"device":"stack","point":"co2","time":"2025-03-01T04:00:29.000Z","value":2.5,"raw":"0x1","quality":"good"}""",
            """{"device":"stack","point":"co2","time":"2025-03-01T04:00:31.000Z","value":null,"quality":"bad","reason":"timeout"}""",
            """{"device":"stack","point":"o2","time":"2025-03-01T04:00:31.000Z","value":22.1,"raw":"0x1","quality":"uncertain","reason":"out-of-range"}""");
        await UntilAcknowledgedAsync(row.Id);
        Assert.Equal(
            ["DataTime=20250301120029;a05001-Rtd=2.5,a05001-Flag=N", "DataTime=20250301120031;a05001-Flag=B;a19001-Rtd=22.1,a19001-Flag=T"],
            receiver.Received.Select(p => string.Join(';', p.Groups.Select(g => string.Join(',', g)))));
    }

    [Fact]
    public async Task Samples_of_one_interval_are_one_packet_whatever_rows_they_come_in()
    {
        await using var receiver = Hj212Receiver.Start();
        var rows = new[]
        {
            Add(FeedStream.Sample, """{"device":"stack","point":"co2","time":"2025-03-01T04:00:01.000Z","value":1,"quality":"good"}"""),
            Add(FeedStream.Sample, """{"device":"stack","point":"o2","time":"2025-03-01T04:00:05.000Z","value":6.8,"quality":"good"}"""),
            Add(FeedStream.Sample, """{"device":"stack","point":"co2","time":"2025-03-01T04:00:21.000Z","value":3,"quality":"good"}""", """{"device":"stack","point":"co2","time":"2025-03-01T04:00:30.000Z","value":4,"quality":"good"}"""),
            Add(FeedStream.Sample, """{"device":"stack","point":"co2","time":"2025-03-01T04:00:11.000Z","value":2,"quality":"good"}"""),
            Add(FeedStream.Sample, """{"device":"stack","point":"co2_corrected","time":"2025-03-01T04:00:40.000Z","value":5,"quality":"good"}"""),
        };
        Start(receiver);
        foreach (var row in rows)
        {
            await UntilAcknowledgedAsync(row.Id);
        }

        // The row that came late, of an interval that was already sent, is a packet of its own.
        Assert.Equal(
            [
                "DataTime=20250301120021;a05001-Rtd=3,a05001-Flag=N;a19001-Rtd=6.8,a19001-Flag=N",
                "DataTime=20250301120011;a05001-Rtd=2,a05001-Flag=N",
                "DataTime=20250301120040;a05001-Rtd=4,a05001-ZsRtd=5,a05001-Flag=N",
            ],
            receiver.Received.Select(p => string.Join(';', p.Groups.Select(g => string.Join(',', g)))));
    }

    [Fact]
    public async Task A_row_that_the_platform_refuses_while_it_takes_others_is_set_aside_and_counted()
    {
        await using var receiver = Hj212Receiver.Start(options: new() { Judge = p => p.Value("a05001-Avg") == "13" ? Hj212Reception.Refuse : Hj212Reception.Acknowledge });
        var bad = Add(FeedStream.Summary, Summary("co2", 3600, "13"));
        var uplink = Start(receiver);
        var behind = Add(FeedStream.Summary, Summary("co2", 3600, "14"));
        await UntilAcknowledgedAsync(behind.Id);
        for (var turn = 0; _outbox.Quarantined.Count == 0 && turn < 100; turn++)
        {
            var next = Add(FeedStream.Summary, Summary("co2", 3600, "15"));
            await UntilAcknowledgedAsync(next.Id);
            await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System);
        }

        var (destination, row, reason) = Assert.Single(_outbox.Quarantined);
        Assert.Equal(("authority", bad.Id), (destination, row));
        Assert.Contains("QnRtn 2", reason, StringComparison.Ordinal);
        Assert.Equal(1, uplink.Status.Quarantined);
        Assert.DoesNotContain(bad.Id, _outbox.Acknowledged("authority"));
    }

    [Fact]
    public async Task A_row_at_which_the_platform_hangs_up_while_it_takes_others_is_set_aside()
    {
        await using var receiver = Hj212Receiver.Start(options: new() { Judge = p => p.Value("a05001-Avg") == "13" ? Hj212Reception.HangUp : Hj212Reception.Acknowledge });
        var bad = Add(FeedStream.Summary, Summary("co2", 3600, "13"));
        Start(receiver);
        for (var turn = 0; _outbox.Quarantined.Count == 0 && turn < 100; turn++)
        {
            var next = Add(FeedStream.Summary, Summary("co2", 3600, "15"));
            await UntilAcknowledgedAsync(next.Id);
            await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System);
        }

        Assert.Equal(bad.Id, Assert.Single(_outbox.Quarantined).Row);
    }

    [Fact]
    public async Task A_platform_that_takes_nothing_loses_nothing()
    {
        var refuses = 1;
        await using var receiver = Hj212Receiver.Start(options: new() { Judge = _ => Volatile.Read(ref refuses) == 1 ? Hj212Reception.Refuse : Hj212Reception.Acknowledge });
        var uplink = Start(receiver);
        var rows = Enumerable.Range(0, 2 * Hj212Suspects.Most).Select(i => Add(FeedStream.Summary, Summary("co2", 3600, i.ToString(CultureInfo.InvariantCulture)))).ToList();
        await UntilAsync(() => uplink.Status.Sent >= Hj212Suspects.Most, "too little was tried");
        Assert.Contains("QnRtn 2", uplink.Status.LastError, StringComparison.Ordinal);
        Volatile.Write(ref refuses, 0);

        // The connection stands; another one finds that the platform has come to its senses.
        receiver.HangUp();
        foreach (var row in rows)
        {
            await UntilAcknowledgedAsync(row.Id);
        }

        Assert.Empty(_outbox.Quarantined);
        Assert.Equal(rows.Count, receiver.Received.Select(p => p.Value("a05001-Avg")).Distinct().Count());
    }

    [Fact]
    public async Task A_command_that_the_platform_never_takes_holds_up_no_other_and_comes_when_it_is_taken()
    {
        var refuses = 1;
        await using var receiver = Hj212Receiver.Start(options: new() { Judge = p => p.Command == "2051" && Volatile.Read(ref refuses) == 1 ? Hj212Reception.Refuse : Hj212Reception.Acknowledge });
        List<long> minutes = [.. Enumerable.Range(0, 3 * Hj212Suspects.Most).Select(i => Add(FeedStream.Summary, Summary("co2", 60, i.ToString(CultureInfo.InvariantCulture))).Id)];
        var mixed = Add(FeedStream.Summary, Summary("co2", 60, "100"), Summary("co2", 3600, "200"));
        var hour = Add(FeedStream.Summary, Summary("co2", 3600, "201"));
        var uplink = Start(receiver);
        await UntilAcknowledgedAsync(hour.Id);
        Assert.Equal(["200", "201"], receiver.Received.Select(p => p.Value("a05001-Avg")));
        Assert.Contains("stand aside, tried again", uplink.Status.LastError, StringComparison.Ordinal);
        Volatile.Write(ref refuses, 0);
        receiver.HangUp();
        foreach (var row in minutes.Append(mixed.Id))
        {
            await UntilAcknowledgedAsync(row);
        }

        Assert.Empty(_outbox.Quarantined);
        Assert.Equal(minutes.Count + 1, receiver.Received.Where(p => p.Command == "2051").Select(p => p.Value("a05001-Avg")).Distinct().Count());
    }

    [Fact]
    public async Task A_window_without_a_value_makes_no_empty_group_and_no_packet_of_a_time_alone()
    {
        await using var receiver = Hj212Receiver.Start(options: new() { IsStrict = true });
        Start(receiver);
        var nothing = Add(FeedStream.Summary, Summary("co2_mass", 3600, "1"));
        var half = Add(FeedStream.Summary, Summary("co2_mass", 60, "1"), Summary("o2", 60, "6.8"));
        await UntilAcknowledgedAsync(nothing.Id);
        await UntilAcknowledgedAsync(half.Id);
        Assert.Equal(["DataTime=20250301120000;a19001-Min=1.5,a19001-Avg=6.8,a19001-Max=2.25,a19001-Flag=N"], receiver.Received.Select(p => string.Join(';', p.Groups.Select(g => string.Join(',', g)))));
    }

    [Fact]
    public async Task Rows_without_its_factors_are_settled_and_nothing_is_sent()
    {
        await using var receiver = Hj212Receiver.Start();
        Start(receiver);
        var rows = new[] { Add(FeedStream.Health, "{}"), Add(FeedStream.Summary, Summary("other", 3600, "1")), Add(FeedStream.Summary, Summary("co2", 900, "1")) };
        await UntilAcknowledgedAsync(rows[^1].Id);
        Assert.All(rows, r => Assert.Contains(r.Id, _outbox.Acknowledged("authority")));
        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task A_row_whose_acknowledgement_is_lost_stays_and_comes_again_with_the_same_number()
    {
        var lose = 1;
        await using var receiver = Hj212Receiver.Start(options: new() { Judge = _ => Interlocked.Exchange(ref lose, 0) == 1 ? Hj212Reception.LoseAnswer : Hj212Reception.Acknowledge });
        Start(receiver);
        var row = Add(FeedStream.Summary, Summary("co2", 3600, "5"));
        await UntilAcknowledgedAsync(row.Id);
        Assert.Equal(2, receiver.Received.Count);
        Assert.Equal(receiver.Received[0].ToString(), receiver.Received[1].ToString());
    }

    [Fact]
    public async Task A_cut_link_loses_nothing_and_every_window_arrives()
    {
        var packets = 0;
        await using var receiver = Hj212Receiver.Start(options: new() { Judge = _ => Interlocked.Increment(ref packets) % 4 == 0 ? Hj212Reception.HangUp : Hj212Reception.Acknowledge });
        Start(receiver);
        var rows = Enumerable.Range(0, 10).Select(i => Add(FeedStream.Summary, Summary("co2", 3600, i.ToString(CultureInfo.InvariantCulture), start: $"2025-03-01T{i:00}:00:00.000Z"))).ToList();
        foreach (var row in rows)
        {
            await UntilAcknowledgedAsync(row.Id);
        }

        Assert.True(receiver.Connections > 1);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => i.ToString(CultureInfo.InvariantCulture)), receiver.Received.Select(p => p.Value("a05001-Avg")!).Distinct().Order());
    }

    [Fact]
    public async Task Two_platforms_have_cursors_of_their_own()
    {
        await using var one = Hj212Receiver.Start();
        await using var silent = Hj212Receiver.Start(options: new() { Judge = _ => Hj212Reception.LoseAnswer });
        Start(one);
        Start(silent, "other");
        var row = Add(FeedStream.Summary, Summary("co2", 3600, "5"));
        await UntilAcknowledgedAsync(row.Id);
        await UntilAsync(() => silent.Received.Count > 0, "nothing came to the other platform");
        Assert.Empty(_outbox.Acknowledged("other"));
    }

    [Fact]
    public async Task A_damaged_row_is_set_aside_and_is_not_in_the_way()
    {
        await using var receiver = Hj212Receiver.Start();
        Start(receiver);
        var damaged = _outbox.Add(new OutboxRow { Stream = FeedStream.Summary, Epoch = 1, FirstSequence = 900, Count = 1, Class = RowClass.Summary, Created = Instant.UnixEpoch, Body = "[{"u8.ToArray() });
        var row = Add(FeedStream.Summary, Summary("co2", 3600, "5"));
        await UntilAcknowledgedAsync(row.Id);
        Assert.Equal(damaged.Id, Assert.Single(_outbox.Quarantined).Row);
    }

    [Theory]
    [InlineData("1011", Mn, "123456", "9011 QnRtn=1", "1011", "9012 ExeRtn=1")]
    [InlineData("1061", Mn, "123456", "9011 QnRtn=1", "1061 RtdInterval=30", "9012 ExeRtn=1")]
    [InlineData("1062", Mn, "123456", "9011 QnRtn=1", "9012 ExeRtn=3")]
    [InlineData("1012", Mn, "123456", "9011 QnRtn=2")]
    [InlineData("3011", Mn, "123456", "9011 QnRtn=2")]
    [InlineData("4711", Mn, "123456", "9011 QnRtn=8")]
    [InlineData("1011", Mn, "654321", "9011 QnRtn=3")]
    [InlineData("1011", "010000A8900016F000169DC1", "123456", "9011 QnRtn=4")]
    public async Task Commands_are_carried_out_when_the_site_allows_them_and_refused_otherwise(string command, string device, string password, params string[] answers)
    {
        await using var receiver = Hj212Receiver.Start();
        Start(receiver, "authority", "1011", "1061", "1062");
        receiver.Ask(Hj212Packet.Make("20250301120000500", "31", command, password, device, Hj212Flag.Of(wantsAnswer: true), []));
        await UntilAsync(() => receiver.Received.Count >= answers.Length, "too few answers");
        Assert.All(receiver.Received, p => Assert.Equal("20250301120000500", p.Number));
        Assert.Equal(
            answers,
            receiver.Received.Select(p => p.Groups.Count == 0 || p.Command == "1011" ? p.Command : $"{p.Command} {string.Join(',', p.Groups[0])}"));
    }

    [Theory]
    [InlineData("host: platform.example, port: 9000, mn: X1, passwordFile: pw, factors: [{ code: a19001, point: stack.o2 }]", "unencrypted to platform.example")]
    [InlineData("host: 127.0.0.1, port: 9000, mn: X1, passwordFile: pw, factors: [{ code: a19001, point: stack.nothing }]", "has no point 'nothing'")]
    [InlineData("host: 127.0.0.1, port: 9000, mn: X1, passwordFile: pw, factors: [{ code: a19001, point: chimney.o2 }]", "there is no device of 'chimney.o2'")]
    [InlineData("host: 127.0.0.1, port: 9000, mn: X1, passwordFile: pw, factors: [{ code: a05001, point: stack.frequency }]", "HJ 212 wants a05001 in mg/m3")]
    [InlineData("host: 127.0.0.1, port: 9000, mn: X1, passwordFile: pw, minute: 7m, factors: [{ code: zz, point: stack.frequency }]", "there are no windows of 420 s")]
    [InlineData("host: 127.0.0.1, port: 9000, mn: X1, passwordFile: pw, reconnectMin: 2m, factors: [{ code: zz, point: stack.frequency }]", "is longer than the longest")]
    [InlineData("host: 127.0.0.1, port: 9000, mn: X1, passwordFile: pw, realTime: 5s, factors: [{ code: zz, point: stack.frequency }]", "5 s is not possible here")]
    [InlineData("host: 127.0.0.1, port: 9000, mn: X1, passwordFile: pw, factors: [{ code: zz, point: stack.frequency }]", "not among those whose units are known")]
    [InlineData("host: 127.0.0.1, port: 9000, mn: 'a;b', passwordFile: pw, factors: [{ code: zz, point: stack.frequency }]", "cannot be an MN")]
    public void What_is_wrong_with_the_configuration_is_told(string keys, string what)
    {
        var (_, problems) = SiteLoader.Load(
            new("gateway.yaml", $$"""
                schema: edgegateway/gateway/1
                site: { id: test, timezone: Asia/Shanghai, region: CN }
                gateway: { id: test }
                buses: [{ id: tcp, type: modbus-tcp, host: 127.0.0.1 }]
                devices: [{ id: stack, profile: chint-ddsu666, bus: tcp, unit: 1 }]
                uplinks: [{ id: authority, type: hj212, {{keys}} }]
                """),
            ProfileFiles.ById);
        Assert.Contains(problems, p => p.What.Contains(what, StringComparison.Ordinal));
    }
}
