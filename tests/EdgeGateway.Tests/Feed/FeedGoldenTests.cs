using System.Runtime.CompilerServices;
using System.Text;
using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Writing;

namespace EdgeGateway.Tests.Feed;

/// <summary>The bytes on the wire of every kind of record, kept in <c>golden/</c>. Set UPDATE_GOLDEN=1 to rewrite them, then read the difference.</summary>
public class FeedGoldenTests
{
    public static TheoryData<string> Names => [.. Records.Keys];

    private static Dictionary<string, Action<FeedEncoder>> Records => new()
    {
        ["birth-meter"] = feed => feed.Birth(0, ExampleFeed.Noon),
        ["birth-belt"] = feed => feed.Birth(1, ExampleFeed.Noon),
        ["birth-texts"] = feed => feed.Birth(1, ExampleFeed.Noon, [.. ExampleFeed.SiteWithTexts.Points.Select(p => p.Kind == EdgeGateway.Core.Site.PointKind.Text ? "SN-0815 \\x1B" : null)]),
        ["summary-gauge"] = feed => feed.Summary(ExampleFeed.GaugeSummary),
        ["summary-empty"] = feed => feed.Summary(ExampleFeed.EmptyGaugeSummary),
        ["summary-counter"] = feed => feed.Summary(ExampleFeed.CounterSummary),
        ["summary-counter-without-growth"] = feed =>
            feed.Summary(ExampleFeed.CounterSummary with { Delta = null, StartReading = null, EndReading = null, Coverage = 0, Mean = double.NaN }),
        ["emission-device"] = feed => feed.Emission(ExampleFeed.DeviceEmission),
        ["emission-substituted-factor"] = feed => feed.Emission(ExampleFeed.SubstitutedEmission),
        ["emission-fuel"] = feed => feed.Emission(ExampleFeed.FuelEmission),
        ["emission-methane"] = feed => feed.Emission(ExampleFeed.MethaneEmission),
        ["emission-stack"] = feed => feed.Emission(ExampleFeed.StackEmission),
        ["emission-removal"] = feed => feed.Emission(ExampleFeed.RemovalEmission),
        ["emission-site"] = feed => feed.Emission(ExampleFeed.SiteEmission),
        ["cems-hour"] = feed =>
        {
            feed.CemsHour(ExampleFeed.CemsHour);
            feed.CemsHour(ExampleFeed.CemsHour with { Revision = 1, OperatingTime = 0, OxygenPercent = null, Quantities = [] });
        },
        ["cems-calibration"] = feed =>
        {
            feed.Calibration(ExampleFeed.CemsCalibration);
            feed.Calibration(ExampleFeed.CemsCalibration with { Measured = null, Error = null, Result = TestResult.Aborted, Drift = null, Who = "" });
        },
        ["anomaly-raised"] = feed => feed.Anomaly(ExampleFeed.Anomaly),
        ["anomaly-cleared"] = feed =>
            feed.Anomaly(ExampleFeed.Anomaly with { Raised = false, Severity = Severity.Note, Value = double.NaN, Limit = double.NaN }),
        ["state-offline"] = feed => feed.DeviceState(ExampleFeed.Offline),
        ["state-online"] = feed => feed.DeviceState(ExampleFeed.Offline with { Online = true, Reason = QualityReason.None, Detail = 0 }),
        ["health-clock-step"] = feed => feed.Health(ExampleFeed.ClockStep),
        ["health-alarm"] = feed => feed.Alarm(ExampleFeed.Shelved),
        ["health-write"] = feed =>
        {
            feed.Health(WriteRecords.Begun(Write));
            feed.Health(WriteRecords.Ended(Write));
        },
        ["sample"] = feed =>
        {
            feed.Sample(ExampleFeed.GoodSample);
            feed.Sample(ExampleFeed.StateSample);
            feed.Sample(ExampleFeed.DoubtfulSample);
            feed.Sample(ExampleFeed.MissingSample);
        },
        ["range-evicted"] = feed => feed.Range(ExampleFeed.Evicted),
        ["range-never-acquired"] = feed => feed.Range(EdgeGateway.Hosting.Absences.Statement(ExampleFeed.Noon, ExampleFeed.Noon - TimeSpan.FromHours(3), ExampleFeed.Noon, EdgeGateway.Hosting.Absences.NotStopped)),
        ["range-issued"] = feed =>
        {
            feed.Heads = FeedHeads.From(1, stream => stream == FeedStream.Summary ? 1_235 : 1);
            feed.StateIssued(ExampleFeed.Noon, "the gateway stops");
        },
    };

    private static WriteDocument Write => new()
    {
        Id = "4f1d2c7a90be",
        Time = ExampleFeed.Noon.ToDateTimeOffset(),
        Who = "maria (uid 1000)",
        Cause = "request",
        Reason = "pump test",
        Device = "belt-drive",
        Point = "frequency_reference",
        Unit = "Hz",
        Before = 50,
        Asked = "42.5",
        Value = 42.5,
        Text = "42.5 Hz",
        ForSeconds = 900,
        Outcome = "not-confirmed",
        Detail = "the device shows 50 Hz",
        ReadBack = 50,
        Ended = ExampleFeed.Noon.ToDateTimeOffset().AddMilliseconds(340),
        Expires = ExampleFeed.Noon.ToDateTimeOffset().AddSeconds(900),
    };

    [Theory, MemberData(nameof(Names))]
    public void The_wire_format_has_not_changed(string name)
    {
        var feed = name == "birth-texts" ? new FeedEncoder(ExampleFeed.SiteWithTexts, FeedHeads.Start(1), "1.0") : ExampleFeed.Encoder();
        Records[name](feed);
        var row = Assert.Single(feed.Flush(ExampleFeed.Noon));
        var actual = Encoding.UTF8.GetString(FeedMessages.Wire(row)) + "\n";
        var path = Path.Combine(Folder(), $"{name}.json");

        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path), actual);
    }

    [Fact]
    public void There_is_a_golden_message_of_every_stream()
    {
        var streams = Directory.GetFiles(Folder(), "*.json")
            .Select(path => FeedMessage.TryParse(File.ReadAllBytes(path), out var message, out _) ? message.Stream : default)
            .ToHashSet();

        Assert.Equal(FeedHeads.Streams.ToHashSet(), streams);
    }

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "golden");
}
