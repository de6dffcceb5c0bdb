using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Labelled;
using EdgeGateway.Uplinks.Hj212;

namespace EdgeGateway.Tests.Shared;

/// <summary>The simulated boiler of docs/examples/stack with its faults, its feed, and what an HJ 212 platform must have received of that feed.</summary>
internal static class StackFeed
{
    private const string Folder = "docs/examples/stack/";
    private const string Device = "stack-cn";

    private static readonly Dictionary<int, string> Commands = new() { [900] = Hj212Command.Minute, [3600] = Hj212Command.Hour, [86_400] = Hj212Command.Day };

    /// <summary>Factor by point.</summary>
    private static readonly Dictionary<string, string> Factors = new()
    {
        ["concentration_so2"] = "a21026", ["concentration_nox"] = "a21002", ["concentration_o2"] = "a19001",
        ["temperature"] = "a01012", ["gas_velocity"] = "a01011", ["moisture"] = "a01014",
    };

    /// <summary>Gases whose hours are those of the stack, by factor.</summary>
    private static readonly Dictionary<string, string> Gases = new() { ["a21026"] = "so2", ["a21002"] = "nox" };

    /// <summary>The stack under the Chinese rules, with an uplink to an authority.</summary>
    public static SiteModel Site()
    {
        var text = File.ReadAllText(RepositoryFiles.At(Folder + "gateway.yaml"));
        var uplink = $$"""
            uplinks:
              - id: authority
                type: hj212
                host: 127.0.0.1
                port: 9000
                mn: 010000A8900016F000169DC0
                passwordFile: none
                realTime: off
                factors: [{{string.Join(", ", Factors.Select(f => $"{{ code: {f.Value}, point: {Device}.{f.Key}, hour: {(Gases.ContainsKey(f.Value) ? "stack" : "window")} }}"))}}]
            """;
        var (site, problems) = SiteLoader.Load(
            new("gateway.yaml", text[..text.IndexOf("  - id: stack-us", StringComparison.Ordinal)].TrimEnd() + "\n\n" + uplink),
            id => new($"{id}.yaml", File.ReadAllText(RepositoryFiles.At($"{Folder}device-profiles/{id}.yaml"))));

        Assert.True(site is not null && problems.Count == 0, string.Join('\n', problems));
        return site;
    }

    /// <summary>Lives through some days and puts what the feed says of them into an outbox, a row for each hour.</summary>
    public static void Fill(SiteModel site, int days, MemoryOutbox outbox)
    {
        var (script, wrong) = FaultScript.Parse(new("forty-days.yaml", File.ReadAllText(RepositoryFiles.At(Folder + "forty-days.yaml"))));
        Assert.Empty(wrong);
        script = script! with { Faults = [.. script.Faults.Where(f => f.Fault.Device == Device && f.At < TimeSpan.FromDays(days))] };
        var begin = Instant.Parse("2026-04-10T16:00:00Z"); // midnight in Shanghai
        var simulated = new SimulatedSamples(site, 11, begin, script);
        var encoder = new FeedEncoder(site, FeedHeads.Start(1), "1");
        var pipeline = new Pipeline(site, FactorSet.BuiltIn(), encoder);
        for (var second = 0; second < (days * 86_400) + 10; second++)
        {
            foreach (ref readonly var sample in simulated.Step())
            {
                pipeline.Process(sample);
            }

            if (second % 60 == 0)
            {
                pipeline.Advance(simulated.Now);
            }

            if (second % 3600 == 3599)
            {
                Flush();
            }
        }

        pipeline.Advance(simulated.Now);
        Flush();

        void Flush()
        {
            foreach (var row in encoder.Flush(simulated.Now))
            {
                outbox.Add(row);
            }
        }
    }

    /// <summary>An uplink to a receiver on this computer.</summary>
    public static Hj212Uplink Uplink(SiteModel site, MemoryOutbox outbox, Hj212Receiver receiver, string passwordFile)
    {
        var model = Assert.IsType<Hj212UplinkModel>(Assert.Single(site.Uplinks));
        return new(
            model with { Port = receiver.EndPoint.Port, PasswordFile = passwordFile, AnswerTimeout = TimeSpan.FromSeconds(1), ReconnectMin = TimeSpan.FromSeconds(1), ReconnectMax = TimeSpan.FromSeconds(1) },
            CentreUplink.Context(outbox),
            [.. site.Points.Select(p => (site.Devices[p.DeviceIndex].Id, p.Id))]);
    }

    /// <summary>What records of summaries and of the stack mean in HJ 212: digits by command, local time and key.</summary>
    public static SortedDictionary<string, string> ExpectedOf(IEnumerable<JsonElement> records)
    {
        var expected = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var record in records)
        {
            if (record.TryGetProperty("kind", out var kind))
            {
                if (kind.GetString() == "hour" && record.GetProperty("device").GetString() == Device)
                {
                    AddHour(expected, record);
                }

                continue;
            }

            if (record.GetProperty("device").GetString() != Device || !Factors.TryGetValue(record.GetProperty("point").GetString()!, out var code) || !Commands.TryGetValue(record.GetProperty("widthSeconds").GetInt32(), out var command))
            {
                continue;
            }

            if (command == Hj212Command.Hour && Gases.ContainsKey(code))
            {
                continue;
            }

            var place = $"{command} {record.GetProperty("start").GetDateTimeOffset().ToOffset(TimeSpan.FromHours(8)):yyyyMMddHHmmss} {code}-";
            foreach (var (key, name) in new[] { ("Min", "min"), ("Avg", "mean"), ("Max", "max") })
            {
                if (record.GetProperty(name) is { ValueKind: JsonValueKind.Number } value)
                {
                    expected.Add(place + key, value.GetRawText().Contains('E', StringComparison.OrdinalIgnoreCase) ? value.GetDecimal().ToString(CultureInfo.InvariantCulture) : value.GetRawText());
                }
            }

            expected.Add(place + "Flag", record.GetProperty("coverage") is { ValueKind: JsonValueKind.Number } coverage && coverage.GetDouble() >= 0.75 ? "N" : "D");
        }

        return expected;
    }

    // The newest revision of an hour is all that is held of it.
    private static void AddHour(SortedDictionary<string, string> expected, JsonElement record)
    {
        foreach (var (code, gas) in Gases)
        {
            var place = $"{Hj212Command.Hour} {record.GetProperty("start").GetDateTimeOffset().ToOffset(TimeSpan.FromHours(8)):yyyyMMddHHmmss} {code}-";
            foreach (var key in expected.Keys.Where(k => k.StartsWith(place, StringComparison.Ordinal)).ToList())
            {
                expected.Remove(key);
            }

            if (record.GetProperty("operatingTime").GetDecimal() == 0)
            {
                expected.Add(place + "Flag", "F");
                continue;
            }

            var quantity = record.GetProperty("quantities").EnumerateArray().Single(q => q.GetProperty("name").GetString() == gas);
            foreach (var (key, name) in new[] { ("Avg", "value"), ("ZsAvg", "corrected"), ("Cou", "kilograms") })
            {
                if (quantity.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number)
                {
                    expected.Add(place + key, value.GetRawText());
                }
            }

            expected.Add(place + "Flag", quantity.GetProperty("valid").GetBoolean() ? "N" : "D");
        }
    }

    /// <summary>What a platform holds after packets, by command, time and key: a repeated packet says the same again.</summary>
    public static SortedDictionary<string, string> HeldBy(IEnumerable<Hj212Packet> packets)
    {
        var held = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var packet in packets)
        {
            foreach (var code in packet.Command == Hj212Command.Hour ? Gases.Keys.Where(c => packet.Groups.Any(g => g[0].Key.StartsWith(c, StringComparison.Ordinal))) : [])
            {
                // Of a stack's hour the later packet holds, and all of it.
                foreach (var key in held.Keys.Where(k => k.StartsWith($"{packet.Command} {packet.Value("DataTime")} {code}-", StringComparison.Ordinal)).ToList())
                {
                    held.Remove(key);
                }
            }

            foreach (var field in packet.Groups.SelectMany(static g => g).Where(f => f.Key != "DataTime"))
            {
                var place = $"{packet.Command} {packet.Value("DataTime")} {field.Key}";
                Assert.True(held.TryAdd(place, field.Value) || held[place] == field.Value, $"{place} was {held[place]} and is {field.Value}");
            }
        }

        return held;
    }

    /// <summary>The records of rows of summaries and of the stack.</summary>
    public static IEnumerable<JsonElement> RecordsOf(IEnumerable<OutboxRow> rows) =>
        rows.Where(static r => r.Stream is FeedStream.Summary or FeedStream.Cems).SelectMany(static r => JsonDocument.Parse(r.Body).RootElement.EnumerateArray());
}
